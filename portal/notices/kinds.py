"""What people are told of, whom it concerns, and how they get it by mail unless they chose otherwise."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import models
from django.utils.translation import gettext_lazy as _

from stations.models.access import OPERATING_ROLES, OPERATOR_ROLES, PLANNING_ROLES, Role


class Kind(models.TextChoices):
    """A kind of notice; its value is also what a webhook calls it."""

    DEVIATION = "deviation", _("New deviation")
    DEADLINE = "deadline", _("Term to restore")
    ROLLOUT_FAILED = "rollout_failed", _("Roll-out that failed")
    STATION_SILENT = "station_silent", _("Silent station")
    LIMIT_DRIFTED = "limit_drifted", _("Limit that drifted")
    CHARGING_FAILED = "charging_failed", _("Charging that failed")
    WEBHOOK_FAILING = "webhook_failing", _("Webhook that fails")


class Way(models.TextChoices):
    """How a notice comes by mail; in the portal it always stands."""

    AT_ONCE = "at_once", _("at once")
    DAILY = "daily", _("in one mail a day")
    NO = "no", _("no mail")


STAFF = frozenset(OPERATOR_ROLES)
# A driver has no role: what is told of the own session goes by whose card it is.
AUDIENCE: Mapping[Kind, frozenset[Role]] = {
    Kind.DEVIATION: STAFF | {Role.OFFICIAL},
    Kind.DEADLINE: STAFF | {Role.OFFICIAL},
    Kind.ROLLOUT_FAILED: frozenset(OPERATING_ROLES),
    Kind.STATION_SILENT: frozenset(OPERATING_ROLES),
    Kind.LIMIT_DRIFTED: frozenset(PLANNING_ROLES),
    Kind.CHARGING_FAILED: frozenset(),
    Kind.WEBHOOK_FAILING: frozenset({Role.ADMINISTRATOR}),
}
# Of these an official is told too.
OF_OFFICIALS = tuple(kind for kind, roles in AUDIENCE.items() if Role.OFFICIAL in roles)
OF_DRIVERS = (Kind.CHARGING_FAILED,)

# What cannot wait until tomorrow comes at once; a reader only looks on.
USUAL: Mapping[Kind, Way] = {
    Kind.DEVIATION: Way.DAILY,
    Kind.DEADLINE: Way.DAILY,
    Kind.ROLLOUT_FAILED: Way.AT_ONCE,
    Kind.STATION_SILENT: Way.DAILY,
    Kind.LIMIT_DRIFTED: Way.DAILY,
    Kind.CHARGING_FAILED: Way.AT_ONCE,
    Kind.WEBHOOK_FAILING: Way.AT_ONCE,
}


def usual_way(kind: Kind, roles: frozenset[str]) -> Way:
    """For who chose nothing. `roles`: all that the person has; none is a driver."""
    return Way.NO if roles == {Role.READER} else USUAL[kind]


def kinds_for(roles: frozenset[str]) -> list[Kind]:
    """What a person with these roles can be told of. Whoever works for a party may charge a car too."""
    return [kind for kind in Kind if kind in OF_DRIVERS or AUDIENCE[kind] & roles]
