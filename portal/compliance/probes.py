"""Starting and stopping live probes. The Probe row is the truth: whoever claims it runs it, once (running.py)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from django.db import IntegrityError, transaction
from django.dispatch import Signal
from django.utils.translation import gettext as _

from portal.compliance.checks.findings import Finding
from portal.compliance.conversation import Conversation
from portal.compliance.models import ConcessionRequirement, Probe, Requirement
from portal.compliance.periods_probe import PeriodsProbe
from portal.compliance.sentences import say, say_in_english
from portal.compliance.stacking_probe import StackingProbe
from stations.models import Station
from stations.nudges import nudge_pages

State = Probe.State


class Probing(Protocol):
    """A live probe of one requirement, from the conversation with its station."""

    def run(self) -> None:
        """Everything up to the restore, which the caller does in any case. Raises Stopped."""

    def judge(self) -> Finding:
        """What the answers say. It may be asked for once the probe came to its end."""

    def steps_json(self, finding: Finding) -> list[dict[str, Any]]:
        """The steps as evidence keeps them, with what the judge said of each."""

    def setup_json(self) -> dict[str, Any]:
        """What the judge needs beside the steps to judge again (checks.CHECKS)."""


PROBES: Mapping[str, Callable[[Conversation], Probing]] = {"206": StackingProbe, "207": PeriodsProbe}

# After the commit, with `probe_id`: receivers enqueue.
probe_queued = Signal()


class CannotProbe(ValueError):
    """Why no probe can be started, in a sentence for people."""


def start_probe(
    *, station: Station, code: str, requested_by: Any, now: datetime, while_charging: bool = False
) -> Probe:
    """Queue a probe of requirement `code`; who may is for the caller to check. Raises CannotProbe.

    `while_charging`: the operator agrees that it runs although a car charges.
    """
    requirement = requirement_for(station, code)
    if requirement is None:
        raise CannotProbe(say("probe.no_concession", {"code": code}))
    if code not in PROBES:
        raise CannotProbe(_("There is no probe for requirement %(code)s yet.") % {"code": code})
    try:
        with transaction.atomic():
            probe = Probe.objects.create(
                station=station,
                requirement=requirement,
                requested_by=requested_by,
                requested_at=now,
                before={"while_charging": True} if while_charging else {},
            )
            nudge_pages([station.pk])
            transaction.on_commit(partial(probe_queued.send_robust, sender=Probe, probe_id=probe.pk))
    except IntegrityError:  # probe_one_per_station
        raise CannotProbe(_("A probe of this station is running already.")) from None
    return probe


def requirement_for(station: Station, code: str) -> Requirement | None:
    """Requirement `code` as the station's concession asks for it, of the newest set where there are more."""
    asked = ConcessionRequirement.objects.filter(
        concession=station.site.concession, requirement__code=code
    ).select_related("requirement__requirement_set")
    newest = asked.order_by("-requirement__requirement_set__imported_at", "-pk").first()
    return newest.requirement if newest else None


def cancel_probe(probe: Probe, *, now: datetime) -> bool:
    """Stop it: at once while it waits, else as soon as the station is restored. False: it has ended."""
    waiting = Probe.objects.filter(pk=probe.pk, state=State.QUEUED)
    if waiting.update(state=State.CANCELLED, ended_at=now, reason=say_in_english("probe.cancelled")):
        nudge_pages([probe.station_id])
        return True
    return bool(Probe.objects.filter(pk=probe.pk, state__in=Probe.OPEN).update(cancel_requested=True))


def pending_probe_ids() -> list[int]:
    """Probes that wait for a runner, oldest first: for the server, which looks for rows of other processes."""
    return list(Probe.objects.filter(state=State.QUEUED).order_by("pk").values_list("pk", flat=True))
