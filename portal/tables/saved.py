"""What a person keeps of a list: read in one query, changed by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.http import QueryDict

from portal.accounts.saved_filters import LONGEST_QUERY, ListChoice, SavedFilter

if TYPE_CHECKING:
    from portal.accounts.models import User

MOST_FILTERS = 30  # of one person, of one list
# Of one page or of one answer, and nothing to keep.
PASSING = ("page", "before", "export", "filter")


class TooMany(Exception):
    """More than MOST_FILTERS filters, or one longer than fits."""


@dataclass(frozen=True, slots=True)
class Saved:
    name: str
    query: str
    is_default: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """`columns`: keys as chosen; empty where nothing was chosen."""

    columns: tuple[str, ...] = ()
    filters: tuple[Saved, ...] = ()

    @property
    def default(self) -> Saved | None:
        return next((saved for saved in self.filters if saved.is_default), None)


def kept_of(user: User, list_key: str) -> Kept:
    """All that `user` keeps of the list."""
    names = ("columns", "filters__name", "filters__query", "filters__is_default")
    rows = list(
        ListChoice.objects.filter(user=user, list_key=list_key)
        .order_by("filters__name")
        .values_list(*names, named=True)
    )
    if not rows:
        return Kept()
    filters = tuple(
        Saved(row.filters__name, row.filters__query, row.filters__is_default)
        for row in rows
        if row.filters__name is not None
    )
    return Kept(tuple(rows[0].columns), filters)


def keep_columns(*, user: User, list_key: str, columns: Sequence[str]) -> None:
    """From now on these columns; none: the usual ones."""
    ListChoice.objects.update_or_create(
        user=user, list_key=list_key, defaults={"columns": list(dict.fromkeys(columns))}
    )


@transaction.atomic
def save_filter(*, user: User, list_key: str, name: str, query: str, is_default: bool) -> None:
    """Keep a filter by its name; one of that name is replaced. Raises TooMany."""
    choice, _made = ListChoice.objects.get_or_create(user=user, list_key=list_key)
    lasting = lasting_part(query)
    others = choice.filters.exclude(name=name)
    if len(lasting) > LONGEST_QUERY or others.count() >= MOST_FILTERS:
        raise TooMany
    if is_default:
        others.update(is_default=False)
    choice.filters.update_or_create(name=name, defaults={"query": lasting, "is_default": is_default})


@transaction.atomic
def open_with(*, user: User, list_key: str, name: str) -> bool:
    """The filter that the list opens with from now on; no name: none. False where it is gone."""
    filters = SavedFilter.objects.filter(choice__user=user, choice__list_key=list_key)
    filters.filter(is_default=True).update(is_default=False)
    return not name or filters.filter(name=name).update(is_default=True) == 1


def forget_filter(*, user: User, list_key: str, name: str) -> None:
    SavedFilter.objects.filter(choice__user=user, choice__list_key=list_key, name=name).delete()


def lasting_part(query: str) -> str:
    """The part of an address's query that is worth keeping: no page, and nothing empty."""
    asked = QueryDict(query)
    kept = QueryDict(mutable=True)
    for name in asked:
        if name not in PASSING and (values := [value for value in asked.getlist(name) if value]):
            kept.setlist(name, values)
    return kept.urlencode()
