"""The roles in words, and who may give which."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from stations.models import Municipality, Operator
from stations.models.access import OPERATOR_ROLES, Role, parties_of

if TYPE_CHECKING:
    from portal.accounts.models import User

Party = Municipality | Operator

ROLE_NAMES = {
    Role.OFFICIAL: _("Supervisor"),
    Role.READER: _("Reader"),
    Role.PLANNER: _("Planner"),
    Role.OPERATOR: _("Operations"),
    Role.ADMINISTRATOR: _("Administrator"),
}
ROLE_MEANINGS = {
    Role.OFFICIAL: _("Sees stations and proof of the own municipality, and decides."),
    Role.READER: _("Sees everything of the operator, and changes nothing."),
    Role.PLANNER: _("Sees everything, and sets limits."),
    Role.OPERATOR: _("Sets limits, and sends commands to stations."),
    Role.ADMINISTRATOR: _("Does all of that, keeps the master data and invites people."),
}


def parties_administered_by(user: User) -> Iterator[Party]:
    """Where `user` may give roles. A municipality has no administrator: superusers invite its officials."""
    operators = Operator.objects.all()
    if user.is_superuser:
        yield from Municipality.objects.all()
    else:
        operators = operators.filter(pk__in=parties_of(user, roles=(Role.ADMINISTRATOR,), party="operator"))
    yield from operators


def administers_people(user: User) -> bool:
    return user.is_superuser or bool(parties_of(user, roles=(Role.ADMINISTRATOR,), party="operator"))


def roles_at(party: Party) -> tuple[Role, ...]:
    return (Role.OFFICIAL,) if isinstance(party, Municipality) else OPERATOR_ROLES


def party_fields(party: Party) -> dict[str, Any]:
    """`party` as the two columns of a membership or an invitation."""
    if isinstance(party, Municipality):
        return {"municipality": party, "operator": None}
    return {"municipality": None, "operator": party}
