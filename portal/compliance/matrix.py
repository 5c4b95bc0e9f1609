"""The matrix: every requirement of a concession beside every operator in it, or beside every type of station.

A read model, in a constant number of queries whatever the number of stations. `counting.py` asks the database.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple

from django.db.models import Q

from portal.compliance.counting import (
    HERE,
    Counted,
    Judged,
    StationType,
    judged,
    stations_here,
)
from portal.compliance.judgement import MET, is_future
from portal.compliance.models import ConcessionRequirement, Judgement, Promise, Requirement, Status
from stations.models import Concession, Operator, Station

# A cell shows the weakest of its subjects: a requirement is met where every station meets it.
WEAKEST_FIRST = (
    Status.DEVIATION,
    Status.STALE,
    Status.NOT_ASSESSED,
    Status.DECLARED,
    Status.SUBSTANTIATED,
    Status.RESTORED,
    Status.PROVEN,
    Status.FUTURE,
    Status.NOT_APPLICABLE,
    Status.WAIVED,
)


class StationHere(NamedTuple):
    """As much of a station as a line says: a concession has thousands."""

    pk: int
    identity: str
    name: str

    def __str__(self) -> str:
        return self.identity


@dataclass(frozen=True, slots=True)
class Standing:
    """One requirement for one subject, as it counts now. `station` is None for an operator's back office."""

    asked: ConcessionRequirement
    operator: Operator
    station: StationHere | None
    status: Status
    evidence_id: int | None
    at: datetime | None

    @property
    def code(self) -> str:
        return self.asked.requirement.code

    @property
    def operator_id(self) -> int:
        return self.operator.pk

    @property
    def subject(self) -> str:
        """The station's identity, or the operator's slug."""
        return self.station.identity if self.station else self.operator.slug


@dataclass(frozen=True, slots=True)
class StatusCount:
    """So many subjects have this status."""

    status: Status
    subjects: int


@dataclass(frozen=True, slots=True)
class Cell:
    """One requirement in one column: that of an operator, or of a type of station.

    `status` is the weakest; `counts` has the rest, weakest first; `met` of `total` stations (1 of 1 for a back
    office) are substantiated, proven or restored. `at` and `evidence_id` belong to the newest evidence behind
    `status`. `owed`: asked, or promised.
    """

    column: Operator | StationType
    status: Status
    counts: tuple[StatusCount, ...]
    met: int
    total: int
    at: datetime | None
    evidence_id: int | None
    promised: bool
    owed: bool

    @property
    def breach(self) -> bool:
        return self.owed and self.status is Status.DEVIATION

    @property
    def quiet(self) -> bool:
        """Grey, never red: nothing is owed, so nothing found is held against the operator."""
        if self.status is Status.DEVIATION:
            return not self.breach
        return self.status in {Status.NOT_ASSESSED, Status.FUTURE, Status.NOT_APPLICABLE, Status.WAIVED}

    @property
    def tone(self) -> str:
        """What the cell asks of the eye: "breach", "attention", "met" or "quiet"."""
        if self.breach:
            return "breach"
        if self.quiet:
            return "quiet"
        return "met" if self.status in MET else "attention"


@dataclass(frozen=True, slots=True)
class Row:
    """A requirement, as it counts in the concession, with a cell per column in the order of the heads."""

    asked: ConcessionRequirement
    cells: tuple[Cell, ...]

    @property
    def requirement(self) -> Requirement:
        return self.asked.requirement

    @property
    def code(self) -> str:
        return self.asked.requirement.code


@dataclass(frozen=True, slots=True)
class Head:
    """What stands above a column."""

    column: Operator | StationType
    stations: int
    evses: int
    breaches: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    concession: Concession
    at: datetime
    heads: tuple[Head, ...]
    rows: tuple[Row, ...]

    @property
    def categories(self) -> list[tuple[str, list[Row]]]:
        """Rows by category, in the order of their first requirement."""
        grouped: dict[str, list[Row]] = {}
        for row in self.rows:
            grouped.setdefault(row.requirement.category, []).append(row)
        return list(grouped.items())

    def cell(self, code: str, operator_slug: str) -> Cell:
        """KeyError where there is none."""
        for row in self.rows:
            for cell in row.cells:
                if (row.code, cell.column.slug) == (code, operator_slug):
                    return cell
        raise KeyError((code, operator_slug))


def matrix(concession: Concession, now: datetime) -> Matrix:
    """The matrix of `concession` as it stands at `now`."""
    return matrices([concession], now)[0]


def matrices(concessions: Sequence[Concession], now: datetime, *, in_short: bool = False) -> list[Matrix]:
    """Those of many concessions, in as many queries as that of one. `in_short`: no proofs, no number of EVSEs."""
    known = judged(concessions, now, with_proof=not in_short)
    counted = stations_here(concessions, with_evses=not in_short)
    operators = _operators(concessions)
    asked: dict[int, list[ConcessionRequirement]] = defaultdict(list)
    for item in asked_of(concessions):
        asked[item.concession_id].append(item)
    promised = promised_in(concessions)
    found = []
    for concession in concessions:
        parties = operators[concession.pk]
        stations = {party.pk: counted[concession.pk, party.pk].stations for party in parties}
        rows = tuple(_rows(asked[concession.pk], parties, known, stations, promised))
        heads = heads_of(rows, [(party, counted[concession.pk, party.pk]) for party in parties])
        found.append(Matrix(concession, now, heads, rows))
    return found


def heads_of(
    rows: Sequence[Row], columns: Sequence[tuple[Operator | StationType, Counted]]
) -> tuple[Head, ...]:
    return tuple(
        Head(
            column=column,
            stations=counted.stations,
            evses=counted.evses,
            breaches=tuple(row.code for row in rows if row.cells[number].breach),
        )
        for number, (column, counted) in enumerate(columns)
    )


def _rows(
    asked: Sequence[ConcessionRequirement],
    operators: Sequence[Operator],
    known: Mapping[tuple[int, int, int], Sequence[Judged]],
    stations: Mapping[int, int],
    promised: Collection[tuple[int, int]],
) -> Iterator[Row]:
    """A row for each of `asked`; `stations`: how many stand in the concession, by operator."""
    for item in asked:
        cells = (
            cell_of(
                item,
                operator,
                known.get((item.concession_id, item.requirement_id, operator.pk), ()),
                total=stations.get(operator.pk, 0) if is_of_stations(item) else 1,
                is_promised=(item.pk, operator.pk) in promised,
            )
            for operator in operators
        )
        yield Row(item, tuple(cells))


def promised_in(concessions: Sequence[Concession]) -> set[tuple[int, int]]:
    """Keys of what is asked and of who promised it."""
    return set(
        Promise.objects.filter(asked__concession__in=concessions).values_list("asked_id", "operator_id")
    )


def _operators(concessions: Sequence[Concession]) -> Mapping[int, list[Operator]]:
    """By concession, in the order of their names."""
    links = Concession.operators.through.objects.filter(concession__in=concessions)
    found: dict[int, list[Operator]] = defaultdict(list)
    for link in links.select_related("operator").order_by("operator__name"):
        found[link.concession_id].append(link.operator)
    return found


def standings(concession: Concession, now: datetime) -> list[Standing]:
    """Every requirement for every subject: what is not assessed too. By requirement, operator, station."""
    known = _known(concession, now)
    operators = _operators([concession])[concession.pk]
    return list(_standings(list(asked_of([concession])), operators, _stations(concession), known))


def is_of_stations(item: ConcessionRequirement) -> bool:
    return item.requirement.subject == Requirement.Subject.STATION


def asked_of(concessions: Sequence[Concession]) -> list[ConcessionRequirement]:
    rows = ConcessionRequirement.objects.filter(concession__in=concessions)
    return in_order(rows.select_related("requirement"))


def in_order(rows: Iterable[ConcessionRequirement]) -> list[ConcessionRequirement]:
    return sorted(rows, key=lambda row: (len(row.requirement.code), row.requirement.code))


def _stations(concession: Concession) -> Mapping[int, list[StationHere]]:
    """By operator, in the order of their identities."""
    rows = Station.objects.filter(site__concession=concession).order_by("identity")
    found: dict[int, list[StationHere]] = defaultdict(list)
    for operator, *station in rows.values_list("site__operator_id", "pk", "identity", "name"):
        found[operator].append(StationHere(*station))
    return found


def _standings(
    asked: Sequence[ConcessionRequirement],
    operators: Sequence[Operator],
    stations: Mapping[int, Sequence[StationHere]],
    known: _Known,
) -> Iterator[Standing]:
    for item in asked:
        on_stations = is_of_stations(item)
        for operator in operators:
            subjects: Sequence[StationHere | None] = stations.get(operator.pk, ()) if on_stations else (None,)
            for subject in subjects:
                key = item.requirement_id, operator.pk, subject.pk if subject else None
                yield standing_of(item, operator, subject, known.get(key))


def standing_of(
    item: ConcessionRequirement, operator: Operator, station: StationHere | None, judgement: Any
) -> Standing:
    """`judgement`: as it counts now. Without one nothing is known, or nothing is asked yet."""
    if judgement is None:
        return Standing(item, operator, station, unjudged(item), None, None)
    return Standing(item, operator, station, Status(judgement.counts_as), judgement.evidence_id, judgement.at)


_Known = Mapping[tuple[int, int, int | None], Any]
"""Judgements as they count, by (requirement, operator, station)."""


def _known(concession: Concession, now: datetime) -> _Known:
    rows = Judgement.objects.filter(Q(station=None) | HERE, concession=concession).as_they_count(now)
    columns = ("requirement_id", "operator_id", "station_id", "counts_as", "evidence_id", "at")
    # No objects of the model: a concession has thousands.
    return {tuple(row[:3]): row for row in rows.values_list(*columns, named=True)}


def cell_of(
    item: ConcessionRequirement,
    column: Operator | StationType,
    found: Sequence[Judged],
    *,
    total: int,
    is_promised: bool,
) -> Cell:
    counts = _counts(found, total, unjudged(item))
    status = counts[0].status if counts else unjudged(item)  # an operator without stations here
    dated = (one for one in found if one.status is status and one.at is not None)
    newest = max(dated, key=attrgetter("at"), default=None)
    return Cell(
        column=column,
        status=status,
        counts=counts,
        met=sum(one.subjects for one in found if one.status in MET),
        total=total,
        at=newest.at if newest else None,
        evidence_id=newest.evidence_id if newest else None,
        promised=is_promised,
        owed=is_owed(item.requirement, promised=is_promised),
    )


def is_owed(requirement: Requirement, *, promised: bool) -> bool:
    return requirement.obligation == Requirement.Obligation.EIS or promised


def unjudged(item: ConcessionRequirement) -> Status:
    """Nothing is known, or nothing is asked yet."""
    future = is_future(item.requirement, applies_now=item.applies_now)
    return Status.FUTURE if future else Status.NOT_ASSESSED


def _counts(found: Sequence[Judged], total: int, otherwise: Status) -> tuple[StatusCount, ...]:
    tally: Counter[Status] = Counter()
    for one in found:
        tally[one.status] += one.subjects
    tally[otherwise] += total - tally.total()
    return tuple(StatusCount(status, tally[status]) for status in WEAKEST_FIRST if tally[status] > 0)
