"""The matrices of many concessions as one list of which a page is asked: a fleet has a hundred thousand lines and more.

Where each subject stands in it follows from how many there are; only what is on the page is read.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import accumulate
from typing import NamedTuple, overload

from django.db.models import Prefetch, Q, QuerySet

from portal.compliance.matrix import Standing, StationHere, in_order, is_of_stations, standing_of
from portal.compliance.models import ConcessionRequirement, Judgement
from stations.models import Concession, Operator, Station
from stations.models.access import Visitor


class _Block(NamedTuple):
    """A requirement of a concession for one operator: a line for each of its stations there, or (None) for itself."""

    asked: ConcessionRequirement
    operator: Operator
    stations: Sequence[int | None]


class _Line(NamedTuple):
    asked: ConcessionRequirement
    operator: Operator
    station: int | None


class StandingList(Sequence[Standing]):
    """By concession, requirement, operator, station; what is not assessed too."""

    def __init__(self, blocks: Sequence[_Block], now: datetime) -> None:
        self._blocks = blocks
        self._ends = list(accumulate(len(block.stations) for block in blocks))
        self._now = now

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, wanted: int) -> Standing: ...
    @overload
    def __getitem__(self, wanted: slice) -> list[Standing]: ...
    def __getitem__(self, wanted: int | slice) -> Standing | list[Standing]:
        places = range(len(self))[wanted]
        if isinstance(places, int):
            return self._read([self._line(places)])[0]
        return self._read([self._line(place) for place in places])

    def _line(self, place: int) -> _Line:
        number = bisect_right(self._ends, place)
        block = self._blocks[number]
        return _Line(block.asked, block.operator, block.stations[place - self._ends[number]])

    def _read(self, lines: Sequence[_Line]) -> list[Standing]:
        keys = {line.station for line in lines if line.station}
        rows = Station.objects.filter(pk__in=keys).values_list("pk", "identity", "name")
        stations = {pk: StationHere(pk, *names) for pk, *names in rows}
        known = _judgements(lines, self._now)
        return [
            standing_of(
                line.asked,
                line.operator,
                stations[line.station] if line.station else None,
                known.get(_key(line)),
            )
            for line in lines
        ]


def standing_list(
    user: Visitor, *, now: datetime, concession: str | None = None, station: str | None = None
) -> StandingList:
    """Of all subjects that `user` may see; of the concession of that slug, of the station of that identity alone."""
    rows = Concession.objects.visible_to(user).order_by("slug")
    if concession:
        rows = rows.filter(slug=concession)
    asked = ConcessionRequirement.objects.select_related("requirement")
    operators = Operator.objects.visible_to(user).order_by("name")
    found = list(rows.prefetch_related(Prefetch("requirements", asked), Prefetch("operators", operators)))
    stations = _stations(found, station)
    blocks = [
        _Block(item, operator, stations[one.pk, operator.pk] if is_of_stations(item) else [None])
        for one in found
        for item in in_order(one.requirements.all())
        for operator in one.operators.all()
        if station is None or is_of_stations(item)
    ]
    return StandingList(blocks, now)


def _stations(concessions: Sequence[Concession], identity: str | None) -> Mapping[tuple[int, int], list[int]]:
    """Keys of the stations by concession and operator, in the order of their identities."""
    rows: QuerySet[Station] = Station.objects.filter(site__concession__in=concessions).order_by("identity")
    if identity is not None:
        rows = rows.filter(identity=identity)
    found: dict[tuple[int, int], list[int]] = defaultdict(list)
    for pk, concession, operator in rows.values_list("pk", "site__concession_id", "site__operator_id"):
        found[concession, operator].append(pk)
    return found


Key = tuple[int, int, int, int | None]


def _key(line: _Line) -> Key:
    return line.asked.concession_id, line.asked.requirement_id, line.operator.pk, line.station


def _judgements(lines: Sequence[_Line], now: datetime) -> dict[Key, Judgement]:
    """Of the lines as they count, by what they are about; in one query."""
    stations = {line.station for line in lines if line.station}
    rows = Judgement.objects.filter(
        Q(station=None) | Q(station__in=stations),
        concession__in={line.asked.concession_id for line in lines},
        requirement__in={line.asked.requirement_id for line in lines},
        operator__in={line.operator.pk for line in lines},
    ).as_they_count(now)
    return {(row.concession_id, row.requirement_id, row.operator_id, row.station_id): row for row in rows}
