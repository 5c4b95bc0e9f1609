"""A list as one person asks for it: sorted, filtered, with the columns chosen, on a page or as a file.

All of it stands in the address: `sort`, `columns`, `page`, `export`, and whatever the fields of the filter are called.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Any, cast

from django.core.paginator import Page
from django.db.models import F, QuerySet
from django.forms import BaseForm, BoundField, ModelChoiceField
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.utils.translation import gettext as _

from portal.tables.columns import Column, List
from portal.tables.counting import CountedPaginator
from portal.tables.exports import MOST_ROWS, Lines, bites, csv_export, xlsx_export
from portal.tables.saved import Kept, Saved, kept_of, lasting_part

if TYPE_CHECKING:
    from portal.accounts.models import User

# Asks for the list as it is, where one of the person's own filters would open with it.
UNFILTERED = "filter=none"


@dataclass(frozen=True, slots=True)
class Head:
    """`way`: ascending, descending, or empty where another column sorts the list; no `url`: cannot be sorted by."""

    column: Column
    way: str
    url: str


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter that is in force, and the address without it."""

    label: str
    value: str
    url: str


@dataclass(frozen=True, slots=True)
class Order:
    """A choice of the menu that stands in for the heads on a narrow screen."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class SavedLink:
    saved: Saved
    url: str
    current: bool


class Listing:
    """`rows`: all that fit the filter, as a query or a sequence.

    `filters`: the form that narrowed them, if any; `views`: fields of it that narrow nothing, such as how lines are
    drawn. `lines`: in place of the list's own, where they depend on who looks.
    """

    def __init__(
        self,
        definition: List,
        request: HttpRequest,
        rows: Any,
        *,
        filters: BaseForm | None = None,
        views: Sequence[str] = (),
        lines: Lines | None = None,
    ) -> None:
        self.definition, self.request = definition, request
        self.filters, self._rows, self._views = filters, rows, views
        self._lines = lines or definition.lines

    # ------------------------------------------------------------ what is asked

    @cached_property
    def kept(self) -> Kept:
        return kept_of(cast("User", self.request.user), self.definition.key)

    @cached_property
    def sort(self) -> str:
        """As in the address; what cannot be sorted by is no choice."""
        asked = self.request.GET.get("sort", "")
        column = self.definition.column(asked.removeprefix("-"))
        return asked if column and column.sorts else self.definition.sort

    @cached_property
    def columns(self) -> list[Column]:
        """In the order of the list: by the address, else as the person chose before, else the usual ones."""
        asked = self.request.GET.get("columns", "").split(",")
        keys = {column.key for column in self.definition.columns}
        chosen = keys.intersection(asked) or keys.intersection(self.kept.columns) or self.definition.usual
        first, *others = self.definition.columns
        return [first, *(column for column in others if column.key in chosen)]

    def answer(self) -> HttpResponseBase | None:
        """What to answer instead of the page: the file that was asked for, or the way to the filter it opens with."""
        match self.request.GET.get("export") if self.definition.columns else "":
            case "csv":
                return csv_export(self.definition.key, self.columns, self._bites, self.request)
            case "xlsx":
                return xlsx_export(self.definition.key, self.columns, self._bites, self.request)
        default = self.kept.default
        if default and default.query and not self.request.GET and not self.request.headers.get("HX-Request"):
            return HttpResponseRedirect(f"{self.request.path}?{default.query}")
        return None

    # ------------------------------------------------------------ rows

    @cached_property
    def rows(self) -> Any:
        """Sorted. Of equals the order is that of their keys, so that no row is on two pages."""
        key, falls = self.sort.removeprefix("-"), self.sort.startswith("-")
        column = cast("Column", self.definition.column(key))
        if not isinstance(self._rows, QuerySet):
            return _sorted(self._rows, column, falls=falls)
        return self._rows.order_by(*(_turned(name, column, falls=falls) for name in column.order), "pk")

    @cached_property
    def page(self) -> Page[Any]:
        pages = CountedPaginator(self.rows, self.definition.page_size)
        return pages.get_page(self.request.GET.get("page"))

    @cached_property
    def lines(self) -> Sequence[Any]:
        return self._lines(list(self.page.object_list))

    @property
    def _bites(self) -> Iterator[Sequence[Any]]:
        return bites(self.rows, self._lines)

    @property
    def pages(self) -> CountedPaginator:
        return cast("CountedPaginator", self.page.paginator)

    @property
    def most_rows(self) -> int:
        return MOST_ROWS

    # ------------------------------------------------------------ what the page shows

    @property
    def heads(self) -> Iterator[Head]:
        for column in self.columns:
            way = {column.key: "ascending", f"-{column.key}": "descending"}.get(self.sort, "")
            first, other = column.key, f"-{column.key}"
            if column.most_first:
                first, other = other, first
            url = self.url(sort=other if self.sort == first else first) if column.sorts else ""
            yield Head(column, way, url)

    @property
    def orders(self) -> Iterator[Order]:
        for column in self.columns:
            if column.sorts:
                up, down = column.key, f"-{column.key}"
                label = {"column": column.label}
                yield Order(up, _("%(column)s, rising") % label, self.sort == up)
                yield Order(down, _("%(column)s, falling") % label, self.sort == down)

    @cached_property
    def chips(self) -> list[Chip]:
        if self.filters is None:
            return []
        found = ((name, self.filters[name]) for name in self.filters.fields if name not in self._views)
        return [
            Chip(str(bound.label), told, self.url(**{name: None}))
            for name, bound in found
            if (told := _said(bound))
        ]

    @property
    def is_filtered(self) -> bool:
        return bool(self.chips)

    @property
    def unfiltered_url(self) -> str:
        names = self.filters.fields if self.filters else {}
        return self.url(**dict.fromkeys(name for name in names if name not in self._views))

    @property
    def choices(self) -> list[tuple[Column, bool]]:
        """Every column that can be left out, and whether it is shown."""
        return [(column, column in self.columns) for column in self.definition.columns[1:]]

    @property
    def saved(self) -> list[SavedLink]:
        here = lasting_part(self.query)
        path = self.request.path
        return [
            SavedLink(saved, f"{path}?{saved.query or UNFILTERED}", saved.query == here)
            for saved in self.kept.filters
        ]

    @property
    def exports(self) -> list[tuple[str, str]]:
        return [("CSV", self.url(export="csv")), ("XLSX", self.url(export="xlsx"))]

    @property
    def columns_asked(self) -> str:
        return self.request.GET.get("columns", "")

    @property
    def query(self) -> str:
        return self.request.GET.urlencode()

    def url(self, **changes: str | None) -> str:
        """This list with something else asked of it, from its first page on; None takes away."""
        asked: QueryDict = self.request.GET.copy()
        for name in ("page", "before", "export", "filter"):
            asked.pop(name, None)
        for name, value in changes.items():
            asked.pop(name, None)
            if value is not None:
                asked[name] = value
        lasting = asked if lasting_part(asked.urlencode()) else QueryDict(UNFILTERED)
        return f"{self.request.path}?{lasting.urlencode()}"


def _turned(name: str, column: Column, *, falls: bool) -> Any:
    plain, is_falling = name.removeprefix("-"), name.startswith("-") != falls
    if not column.empty_last:
        return f"-{plain}" if is_falling else plain
    return F(plain).desc(nulls_last=True) if is_falling else F(plain).asc(nulls_last=True)


def _sorted(rows: Sequence[Any], column: Column, *, falls: bool) -> list[Any]:
    """By the rank of the column; who has none comes last, both ways."""
    if column.rank is None:
        raise TypeError(f"{column.key} has no rank to sort a sequence by")
    ranked = [(column.rank(row), row) for row in rows]
    known = sorted((each for each in ranked if each[0] is not None), key=itemgetter(0), reverse=falls)
    return [row for _rank, row in (*known, *(each for each in ranked if each[0] is None))]


def _said(bound: BoundField) -> str:
    """The value of a filter in words; empty where it filters nothing."""
    value = bound.data
    if not value or bound.errors:
        return ""
    if isinstance(bound.field, ModelChoiceField):
        return str(bound.form.cleaned_data[bound.name])
    return str(dict(_flat(getattr(bound.field, "choices", ()))).get(str(value), value))


def _flat(choices: Any) -> Iterator[tuple[str, object]]:
    for value, label in choices:
        if isinstance(label, list | tuple):
            yield from ((str(key), name) for key, name in label)
        else:
            yield str(value), label
