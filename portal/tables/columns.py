"""What a list is made of: its columns, what stands in a cell, and what its exports hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.functional import Promise

from portal.pages.icons import Mark
from portal.templatetags.measures import moment

# The unit of a moment in an export: a cell of a spreadsheet cannot say of which zone its time is.
LOCAL_TIME = settings.TIME_ZONE
Text = str | Promise
Value = str | Promise | int | float | Decimal | datetime | None


@dataclass(frozen=True, slots=True)
class Cell:
    """`text`, or `mark` (icon, word and colour); `notes` stand small under it.

    `url` makes a link of the text, `moment` a machine-readable time. A `muted` text says that something is not there.
    """

    text: object = ""
    notes: tuple[object, ...] = ()
    mark: Mark | None = None
    url: str = ""
    moment: datetime | None = None
    muted: bool = False
    code: bool = False


def moment_cell(at: datetime) -> Cell:
    """A moment as people read it, and as programs do."""
    return Cell(moment(at), moment=at)


@dataclass(frozen=True, slots=True)
class Out:
    """A column of the exports: numbers as numbers, with their unit in the header; a moment is aware."""

    label: Text
    value: Callable[[Any], Value]
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a list. `cell` takes a line of it; `template` draws what is more than a cell, with `line`.

    `order`: fields of the query to sort by; `rank`: what to sort a sequence by instead, None where it has no place.
    `most_first`: the first click brings the most. `empty_last`: rows without a value come last, both ways.
    """

    key: str
    label: Text
    cell: Callable[[Any], Cell] | None = None
    template: str = ""
    outs: tuple[Out, ...] = ()
    order: tuple[str, ...] = ()
    rank: Callable[[Any], Any] | None = None
    most_first: bool = False
    empty_last: bool = False
    numeric: bool = False
    usual: bool = True  # shown to who chose no columns
    attention: Callable[[Any], bool] | None = None  # a filled cell: a deviation on what is owed

    @property
    def sorts(self) -> bool:
        return bool(self.order or self.rank)


@dataclass(frozen=True, slots=True)
class Empty:
    """What an empty list says: what is not there, and what to do about it."""

    title: Text
    text: Text = ""
    url_name: str = ""  # of the page to go on with, called `action`
    action: Text = ""


@dataclass(frozen=True, slots=True)
class List:
    """A list of the portal. The first column names its row and is always shown.

    `sort` is the order of who chose none, as in the address ("-start": the last start first). `lines` makes what the
    columns take of a number of rows at once, so that what they need is asked for once.
    """

    key: str
    title: Text
    columns: tuple[Column, ...]
    sort: str
    nothing: Empty  # there is no row at all
    no_match: Empty  # none fits the filter
    page_size: int = 25
    lines: Callable[[Sequence[Any]], Sequence[Any]] = field(default=list)

    def column(self, key: str) -> Column | None:
        return next((column for column in self.columns if column.key == key), None)

    @property
    def usual(self) -> tuple[str, ...]:
        return tuple(column.key for column in self.columns if column.usual)


LISTS: dict[str, List] = {}


def registered(definition: List) -> List:
    """The list, known by its key to the addresses where people keep their choices."""
    LISTS[definition.key] = definition
    return definition
