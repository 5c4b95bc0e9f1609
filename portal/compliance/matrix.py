"""The matrix: every requirement of a concession beside every operator in it. A read model, in a constant number of
queries whatever the number of stations."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Count

from portal.compliance.decisions import status_now
from portal.compliance.judgement import MET, Ruling, is_future, last_rulings
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


@dataclass(frozen=True, slots=True)
class Standing:
    """One requirement for one subject, as it counts now. `station` is None for an operator's back office."""

    asked: ConcessionRequirement
    operator: Operator
    station: Station | None
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
    """One requirement for one operator.

    `status` is the weakest; `counts` has the rest, weakest first; `met` of `total` stations (1 of 1 for a back
    office) are substantiated, proven or restored. `at` and `evidence_id` belong to the newest evidence behind
    `status`. `owed`: asked, or promised.
    """

    operator: Operator
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
    """A requirement, as it counts in the concession, with a cell per operator in the order of the heads."""

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
    """An operator above its column."""

    operator: Operator
    stations: int
    evses: int
    breaches: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    concession: Concession
    at: datetime
    heads: tuple[Head, ...]
    rows: tuple[Row, ...]
    # What the cells were counted from: by requirement, operator, station.
    standings: tuple[Standing, ...]

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
                if (row.code, cell.operator.slug) == (code, operator_slug):
                    return cell
        raise KeyError((code, operator_slug))


def matrix(concession: Concession, now: datetime) -> Matrix:
    """The matrix of `concession` as it stands at `now`."""
    asked = list(_asked(concession))
    operators = list(concession.operators.order_by("name"))
    promised = set(Promise.objects.filter(asked__in=asked).values_list("asked_id", "operator_id"))
    stations = list(_stations(concession))
    by_place: dict[tuple[int, int], list[Standing]] = defaultdict(list)
    found = tuple(_standings(concession, asked, operators, stations, now))
    for standing in found:
        by_place[standing.asked.pk, standing.operator.pk].append(standing)
    rows = tuple(
        Row(
            item,
            tuple(_cell(item, operator, by_place[item.pk, operator.pk], promised) for operator in operators),
        )
        for item in asked
    )
    heads = tuple(
        _head(operator, [row.cells[column] for row in rows], rows, stations)
        for column, operator in enumerate(operators)
    )
    return Matrix(concession, now, heads, rows, found)


def standings(concession: Concession, now: datetime) -> list[Standing]:
    """Every requirement for every subject: what is not assessed too. By requirement, operator, station."""
    operators = list(concession.operators.order_by("name"))
    return list(_standings(concession, list(_asked(concession)), operators, list(_stations(concession)), now))


def _asked(concession: Concession) -> Iterable[ConcessionRequirement]:
    rows = ConcessionRequirement.objects.filter(concession=concession).select_related("requirement")
    return sorted(rows, key=lambda row: (len(row.requirement.code), row.requirement.code))


def _stations(concession: Concession) -> Iterable[Station]:
    rows: Iterable[Station] = (
        Station.objects.filter(site__concession=concession)
        .select_related("site")
        .annotate(evse_total=Count("evses"))
        .order_by("identity")
    )
    return rows


def _standings(
    concession: Concession,
    asked: Sequence[ConcessionRequirement],
    operators: Sequence[Operator],
    stations: Sequence[Station],
    now: datetime,
) -> Iterator[Standing]:
    known = _known(concession, now)
    by_operator: dict[int, list[Station]] = defaultdict(list)
    for station in stations:
        by_operator[station.site.operator_id].append(station)
    for item in asked:
        on_stations = item.requirement.subject == Requirement.Subject.STATION
        for operator in operators:
            subjects: list[Station | None] = [*by_operator[operator.pk]] if on_stations else [None]
            for subject in subjects:
                yield known.standing(item, operator, subject)


@dataclass(frozen=True, slots=True)
class _Known:
    """Judgements by (requirement, operator, station), and the last decision on each."""

    judgements: Mapping[tuple[int, int, int | None], Judgement]
    rulings: Mapping[int, Ruling]
    now: datetime

    def standing(self, item: ConcessionRequirement, operator: Operator, station: Station | None) -> Standing:
        """Without a judgement nothing is known, or nothing is asked yet."""
        key = (item.requirement_id, operator.pk, station.pk if station else None)
        judgement = self.judgements.get(key)
        if judgement is None:
            return Standing(item, operator, station, unjudged(item), None, None)
        status = status_now(judgement, self.rulings.get(judgement.pk), now=self.now)
        return Standing(item, operator, station, status, judgement.evidence_id, judgement.at)


def _known(concession: Concession, now: datetime) -> _Known:
    rows = list(Judgement.objects.filter(concession=concession))
    judgements = {(row.requirement_id, row.operator_id, row.station_id): row for row in rows}
    return _Known(judgements, last_rulings(row.pk for row in rows), now)


def _cell(
    item: ConcessionRequirement, operator: Operator, found: Sequence[Standing], promised: set[tuple[int, int]]
) -> Cell:
    counts = _counts(found)
    status = counts[0].status if counts else unjudged(item)  # an operator without stations here
    behind = [standing for standing in found if standing.status is status and standing.at is not None]
    newest = max(behind, key=_at, default=None)
    is_promised = (item.pk, operator.pk) in promised
    return Cell(
        operator=operator,
        status=status,
        counts=counts,
        met=sum(standing.status in MET for standing in found),
        total=len(found),
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


def _at(standing: Standing) -> datetime:
    return standing.at or datetime.min.replace(tzinfo=UTC)


def _counts(found: Iterable[Standing]) -> tuple[StatusCount, ...]:
    tally = Counter(standing.status for standing in found)
    return tuple(StatusCount(status, tally[status]) for status in WEAKEST_FIRST if tally[status])


def _head(
    operator: Operator, cells: Sequence[Cell], rows: Sequence[Row], stations: Iterable[Station]
) -> Head:
    own = [station for station in stations if station.site.operator_id == operator.pk]
    return Head(
        operator=operator,
        stations=len(own),
        evses=sum(_evses(station) for station in own),
        breaches=tuple(row.code for row, cell in zip(rows, cells, strict=True) if cell.breach),
    )


def _evses(station: Station) -> int:
    """EVSEs, counted in the query; a station that never said how many has none."""
    return int(getattr(station, "evse_total", 0))
