"""Who may see and operate what: the one place where a user's roles become a filter.

Every queryset of a party's data starts here, so that a stranger's request ends as "not found".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.contrib.auth.models import AnonymousUser

    Visitor = AbstractBaseUser | AnonymousUser
else:
    Visitor = object


class Role(models.TextChoices):
    """What a membership lets its user do; the first is a municipality's, the others are an operator's."""

    OFFICIAL = "official", "official"
    READER = "reader", "reader"
    PLANNER = "planner", "planner"
    OPERATOR = "operator", "operator"
    ADMINISTRATOR = "administrator", "administrator"


OPERATOR_ROLES = (Role.READER, Role.PLANNER, Role.OPERATOR, Role.ADMINISTRATOR)
# Setting a limit is planning; sending any other command is operating.
PLANNING_ROLES = (Role.PLANNER, Role.OPERATOR, Role.ADMINISTRATOR)
OPERATING_ROLES = (Role.OPERATOR, Role.ADMINISTRATOR)


def parties_of(user: Visitor, *, roles: tuple[Role, ...], party: str) -> models.QuerySet[Any]:
    """Primary keys of the parties (`party`: "operator" or "municipality") where `user` has one of `roles`."""
    memberships: models.QuerySet[Any] = user.memberships.filter(role__in=roles)  # type: ignore[union-attr]
    return memberships.filter(**{f"{party}__isnull": False}).values(party)


class PartyQuerySet(models.QuerySet[Any]):
    """Rows that belong to an operator and to a concession of a municipality.

    Subclasses name the look-ups from the row to both; an empty look-up means that the party never sees such rows.
    """

    operator_lookup = "operator"
    municipality_lookup = "concession__municipality"
    # A look-up that spans a many-to-many relation can meet a row twice.
    may_repeat = False

    def visible_to(self, user: Visitor) -> Self:
        """Rows that `user` may read."""
        if getattr(user, "is_superuser", False):
            return self
        return self._once(self.filter(self._operated(user, OPERATOR_ROLES) | self._supervised(user)))

    def worked_on_by(self, user: Visitor) -> Self:
        """Rows of an operator that `user` works for, in any role: what drivers did there is theirs to see."""
        return self._acted_on_by(user, OPERATOR_ROLES)

    def plannable_by(self, user: Visitor) -> Self:
        """Rows whose limits `user` may set."""
        return self._acted_on_by(user, PLANNING_ROLES)

    def operable_by(self, user: Visitor) -> Self:
        """Rows that `user` may send commands to."""
        return self._acted_on_by(user, OPERATING_ROLES)

    def _acted_on_by(self, user: Visitor, roles: tuple[Role, ...]) -> Self:
        if getattr(user, "is_superuser", False):
            return self
        return self._once(self.filter(self._operated(user, roles)))

    def _once(self, rows: Self) -> Self:
        return rows.distinct() if self.may_repeat else rows

    def _operated(self, user: Visitor, roles: tuple[Role, ...]) -> Q:
        if not self.operator_lookup or user.pk is None:
            return Q(pk__in=[])
        return Q(**{f"{self.operator_lookup}__in": parties_of(user, roles=roles, party="operator")})

    def _supervised(self, user: Visitor) -> Q:
        if not self.municipality_lookup or user.pk is None:
            return Q(pk__in=[])
        roles = (Role.OFFICIAL,)
        return Q(**{f"{self.municipality_lookup}__in": parties_of(user, roles=roles, party="municipality")})
