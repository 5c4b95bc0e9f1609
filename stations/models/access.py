"""Who may see and operate what: the one place where a user's roles become a filter.

Every queryset of a party's data starts here, so that a stranger's request ends as "not found".
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Prefetch, Q, prefetch_related_objects

from stations.models.watched import WatchedQuerySet

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.contrib.auth.models import AnonymousUser

    from stations.models.party import Membership

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


def memberships_of(user: Visitor) -> list[Membership]:
    """All memberships of `user`, with their parties; asked once of a user object, and each request has one of its own.

    They are kept where Django keeps what it prefetched: `refresh_from_db` forgets them.
    """
    if user.pk is None:
        return []
    known: Any = user
    if "memberships" not in getattr(known, "_prefetched_objects_cache", ()):
        rows = known.memberships.select_related("municipality", "operator")
        prefetch_related_objects([known], Prefetch("memberships", rows))
    # And from there: `memberships.all()` would make a query of it each time, and a page asks two dozen times.
    return list(known._prefetched_objects_cache["memberships"])  # noqa: SLF001


def parties_of(user: Visitor, *, roles: tuple[Role, ...], party: str) -> list[int]:
    """Primary keys of the parties (`party`: "operator" or "municipality") where `user` has one of `roles`.

    The keys themselves and no subquery: with them the database knows whether few or many rows are asked for.
    """
    keys = (getattr(row, f"{party}_id") for row in memberships_of(user) if row.role in roles)
    return [key for key in keys if key is not None]


class PartyQuerySet(WatchedQuerySet[Any]):
    """Rows that belong to an operator and to a concession of a municipality.

    Subclasses name the look-ups from the row to both; an empty look-up means that the party never sees such rows.
    """

    operator_lookup = "operator"
    municipality_lookup = "concession__municipality"
    # A look-up that spans a many-to-many relation can meet a row twice.
    may_repeat = False

    def visible_to(self, user: Visitor) -> Self:
        """Rows that `user` may read."""
        return self._of_parties(user, operator_roles=OPERATOR_ROLES, municipality_roles=(Role.OFFICIAL,))

    def supervised_by(self, user: Visitor) -> Self:
        """Rows of a municipality that `user` is an official of."""
        return self._of_parties(user, operator_roles=(), municipality_roles=(Role.OFFICIAL,))

    def worked_on_by(self, user: Visitor) -> Self:
        """Rows of an operator that `user` works for, in any role: what drivers did there is theirs to see."""
        return self._of_parties(user, operator_roles=OPERATOR_ROLES)

    def plannable_by(self, user: Visitor) -> Self:
        """Rows whose limits `user` may set."""
        return self._of_parties(user, operator_roles=PLANNING_ROLES)

    def operable_by(self, user: Visitor) -> Self:
        """Rows that `user` may send commands to."""
        return self._of_parties(user, operator_roles=OPERATING_ROLES)

    def administered_by(self, user: Visitor) -> Self:
        """Rows that `user` may change as master data."""
        return self._of_parties(user, operator_roles=(Role.ADMINISTRATOR,))

    def _of_parties(
        self, user: Visitor, *, operator_roles: tuple[Role, ...], municipality_roles: tuple[Role, ...] = ()
    ) -> Self:
        """A kind of party that `user` has no role at is left out: a condition on either kind serves no index."""
        if getattr(user, "is_superuser", False):
            return self
        kinds = (
            (self.operator_lookup, parties_of(user, roles=operator_roles, party="operator")),
            (self.municipality_lookup, parties_of(user, roles=municipality_roles, party="municipality")),
        )
        mine = [Q(**{f"{lookup}__in": keys}) for lookup, keys in kinds if lookup and keys]
        rows = self.filter(reduce(or_, mine)) if mine else self.none()
        return rows.distinct() if self.may_repeat else rows
