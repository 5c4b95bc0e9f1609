"""What the matrix page says: the choice of rows and columns, a sentence per operator, and each cell in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.compliance.judgement import MET
from portal.compliance.matrix import WEAKEST_FIRST, Cell, Head, Matrix, Row
from portal.compliance.models import Decision, Evidence, Judgement, Requirement, Status
from portal.pages.icons import MARKS, NOT_PROMISED
from stations.models import Concession

ATTENTION = "attention"
BY_TYPE = "station_type"
NO_PRIORITY = "none"
BAR_WIDTH = 100.0
# The marks of the cards, in this order.
COUNTED = (*WEAKEST_FIRST, NOT_PROMISED)
# What a status adds to the bar under a mark; what is not here is not known.
BAR_CLASSES = {
    Status.PROVEN: "good",
    Status.RESTORED: "good",
    Status.SUBSTANTIATED: "half",
    Status.DECLARED: "half",
    Status.DEVIATION: "bad",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """What the filters above the matrix say; empty is everything."""

    obligation: str = ""
    status: str = ""
    operator: str = ""
    horizon: str = ""
    priority: str = ""
    per: str = ""  # what the columns are

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Choice:
        names = ("type", "status", "operator", "horizon", "prio", "per")
        return cls(*(query.get(name, "") for name in names))

    @property
    def is_by_type(self) -> bool:
        return self.per == BY_TYPE

    def has(self, row: Row, cells: Sequence[Cell]) -> bool:
        if self.obligation and row.requirement.obligation != self.obligation:
            return False
        if self.horizon and row.requirement.horizon != self.horizon:
            return False
        if self.priority and self.priority != (
            str(row.asked.priority) if row.asked.priority else NO_PRIORITY
        ):
            return False
        if self.status == ATTENTION:
            return any(cell.tone in {"breach", "attention"} for cell in cells)
        return not self.status or any(cell.status == self.status for cell in cells)


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the bar under a mark, in a box 100 wide and 4 high; coordinates as SVG reads them."""

    css: str
    x: str
    width: str


@dataclass(frozen=True, slots=True)
class ShownCell:
    cell: Cell
    mark: str
    bar: tuple[Segment, ...]
    words: str

    @property
    def deviations(self) -> int:
        return sum(count.subjects for count in self.cell.counts if count.status == Status.DEVIATION)


@dataclass(frozen=True, slots=True)
class ShownRow:
    row: Row
    cells: tuple[ShownCell, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """An operator above the matrix: the finding in a sentence, the first part of it strong where it is a breach.

    `counts`: the key of a mark, and how many requirements have it.
    """

    head: Head
    strong: str
    rest: str
    counts: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class MatrixPage:
    matrix: Matrix
    heads: tuple[Head, ...]
    cards: tuple[Card, ...]
    groups: tuple[tuple[str, tuple[ShownRow, ...]], ...]
    evses: int

    @property
    def width(self) -> int:
        """Columns of the table without those of the municipality itself."""
        return len(self.heads) + 2


def matrix_page(matrix: Matrix, choice: Choice, visible: set[int]) -> MatrixPage:
    """`visible`: keys of the operators that the reader may see. A matrix by type was made of those alone."""
    if choice.is_by_type:
        columns = list(range(len(matrix.heads)))
    else:
        own = [number for number, head in enumerate(matrix.heads) if head.column.pk in visible]
        columns = [number for number in own if choice.operator in {"", matrix.heads[number].column.slug}]
    groups = ((category, tuple(_rows(rows, columns, choice))) for category, rows in matrix.categories)
    heads = tuple(matrix.heads[number] for number in columns)
    return MatrixPage(
        matrix=matrix,
        heads=heads,
        # A type promised nothing: what it falls short of stands in its column.
        cards=() if choice.is_by_type else tuple(card_of(matrix, number) for number in columns),
        groups=tuple((category, rows) for category, rows in groups if rows),
        evses=sum(head.evses for head in heads),
    )


def _rows(rows: Sequence[Row], columns: Sequence[int], choice: Choice) -> Iterator[ShownRow]:
    for row in rows:
        cells = [row.cells[number] for number in columns]
        if choice.has(row, cells):
            yield ShownRow(row, tuple(shown_cell(row.requirement, cell) for cell in cells))


def shown_cell(requirement: Requirement, cell: Cell) -> ShownCell:
    on_stations = requirement.subject == Requirement.Subject.STATION
    return ShownCell(
        cell=cell,
        mark=mark_of(cell.status, owed=cell.breach),
        bar=tuple(_bar(cell)) if on_stations and cell.at else (),
        words=_words(cell) if on_stations else _("Back office") if cell.at else "",
    )


def mark_of(status: Status, *, owed: bool) -> str:
    """The key of the mark to show: what is not met and not owed is no deviation, but a wish not promised."""
    return NOT_PROMISED if status is Status.DEVIATION and not owed else status


def _words(cell: Cell) -> str:
    if not cell.total:
        return _("No stations yet")
    if not cell.at:
        return ""
    return ngettext("%(met)d/%(total)d station", "%(met)d/%(total)d stations", cell.total) % {
        "met": cell.met,
        "total": cell.total,
    }


def _bar(cell: Cell) -> Iterator[Segment]:
    at = 0.0
    # The strongest first: the bar fills from the left with what is proven.
    for count in reversed(cell.counts):
        width = BAR_WIDTH * count.subjects / cell.total
        css = BAR_CLASSES.get(count.status, "none")
        if css == "bad" and not cell.breach:
            css = "none"
        yield Segment(css, f"{at:.1f}", f"{max(0.0, width - 0.8):.1f}")
        at += width


def card_of(matrix: Matrix, column: int) -> Card:
    head = matrix.heads[column]
    pairs = [(row.requirement, row.cells[column]) for row in matrix.rows]
    strong = _("Does not meet %(codes)s.") % {"codes": listed(head.breaches)} if head.breaches else ""
    tally = Counter(mark_of(cell.status, owed=cell.breach) for _requirement, cell in pairs)
    counts = tuple((key, tally[key]) for key in COUNTED if tally[key])
    return Card(head, strong, _finding(pairs, has_breach=bool(strong)), counts)


def _finding(pairs: Sequence[tuple[Requirement, Cell]], *, has_breach: bool) -> str:
    if not any(cell.at for _requirement, cell in pairs):
        return _("Nothing has been judged yet.")
    owed = [(requirement.code, cell.status) for requirement, cell in pairs if cell.owed and not cell.breach]
    unproven = [code for code, status in owed if status not in MET and not _excused(status)]
    if unproven:
        return _("Not proven yet: %(codes)s.") % {"codes": listed(unproven)}
    if has_breach:
        return _("All else that was asked or promised is proven or substantiated.")
    return _("Everything that was asked or promised is proven or substantiated.")


def _excused(status: Status) -> bool:
    return status in {Status.FUTURE, Status.WAIVED, Status.NOT_APPLICABLE}


def listed(words: Sequence[str]) -> str:
    """ "206", "206 and 208", "205, 206 and 208"."""
    if len(words) <= 1:
        return "".join(words)
    return _("%(first)s and %(last)s") % {"first": ", ".join(words[:-1]), "last": words[-1]}


# ---------------------------------------------------------------- what came in
NEWEST = 30  # looked at, of which
SHOWN = 3


@dataclass(frozen=True, slots=True)
class News:
    """The pieces of evidence to look at first; `waiting`: so many deviations among the newest are not judged yet."""

    items: tuple[Evidence, ...]
    waiting: int


def news(concession: Concession, visible: set[int]) -> News:
    """Deviations that nobody judged first, then the newest."""
    judged = Decision.objects.filter(evidence=OuterRef("pk"))
    # Only on what counts now there is something to decide: newer evidence takes the place of older.
    counts = Judgement.objects.filter(evidence=OuterRef("pk"))
    newest = (
        Evidence.objects.filter(concession=concession, operator__in=visible)
        .select_related("requirement", "operator", "station")
        .annotate(is_waiting=Exists(counts) & ~Exists(judged) & Q(verdict=Evidence.Verdict.DEVIATION))
        .defer("frames", "steps", "figures", "configuration")
        .order_by("-sequence")[:NEWEST]
    )
    rows = list(newest)
    waiting = [row for row in rows if row.is_waiting]
    others = [row for row in rows if not row.is_waiting]
    return News(tuple([*waiting, *others][:SHOWN]), len(waiting))


def status_choices() -> list[tuple[str, object]]:
    """For the filter: the statuses, and above them what asks for attention."""
    statuses = [(key, mark.label) for key, mark in MARKS.items() if key != NOT_PROMISED]
    return [("", _("All statuses")), (ATTENTION, _("Asks for attention")), *statuses]
