"""The matrix with a column for each type of station: whether what does not comply is of one make."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import reduce
from typing import NamedTuple

from django.utils.translation import gettext as _

from portal.compliance.counting import (
    Counted,
    Judged,
    Make,
    StationType,
    judged_by_make,
    stations_by_make,
)
from portal.compliance.matrix import (
    Cell,
    Matrix,
    Row,
    asked_of,
    cell_of,
    heads_of,
    is_of_stations,
    is_owed,
    promised_in,
)
from portal.compliance.models import ConcessionRequirement, Status
from stations.models import Concession, Operator

# The types with the most stations have a column each; all others share one.
MOST_TYPES = 8
OTHERS = 0


class _Type(NamedTuple):
    """A column: the makes in it, and its stations by operator."""

    column: StationType
    makes: frozenset[Make]
    stations: Mapping[int, Counted]

    @property
    def counted(self) -> Counted:
        return reduce(Counted.plus, self.stations.values(), Counted())


def type_matrix(concession: Concession, operators: Sequence[Operator], now: datetime) -> Matrix:
    """Of the stations of `operators` in `concession`: the requirements that are judged on stations, by type."""
    types = _types(stations_by_make(concession, operators))
    known = judged_by_make(concession, operators, now)
    promised = promised_in([concession])
    rows = tuple(
        Row(item, tuple(_cell(item, one, known, promised) for one in types))
        for item in asked_of([concession])
        if is_of_stations(item)
    )
    return Matrix(concession, now, heads_of(rows, [(one.column, one.counted) for one in types]), rows)


def _types(counted: Mapping[tuple[Make, int], Counted]) -> list[_Type]:
    by_make: dict[Make, dict[int, Counted]] = defaultdict(dict)
    for (make, operator), count in counted.items():
        by_make[make][operator] = count
    most_first = sorted(by_make, key=lambda make: (-_stations(by_make[make]), make))
    shown, others = most_first[:MOST_TYPES], most_first[MOST_TYPES:]
    found = [
        _Type(StationType(number, *make), frozenset({make}), by_make[make])
        for number, make in enumerate(shown, start=1)
    ]
    if others:
        column = StationType(OTHERS, _("Other types"), "")
        found.append(_Type(column, frozenset(others), _together([by_make[make] for make in others])))
    return found


def _stations(by_operator: Mapping[int, Counted]) -> int:
    return sum(one.stations for one in by_operator.values())


def _together(all_of_them: Sequence[Mapping[int, Counted]]) -> dict[int, Counted]:
    found: dict[int, Counted] = {}
    for by_operator in all_of_them:
        for operator, one in by_operator.items():
            found[operator] = found.get(operator, Counted()).plus(one)
    return found


def _cell(
    item: ConcessionRequirement,
    one: _Type,
    known: Mapping[tuple[int, Make], Sequence[Judged]],
    promised: Collection[tuple[int, int]],
) -> Cell:
    """Of a type that several operators have, only what is owed by its operator makes the cell a breach."""
    owing = {operator for operator in one.stations if (item.pk, operator) in promised}
    found = list(_found(item, one, known))
    held = [each for each in found if each.status is not Status.DEVIATION or _owes(item, each, owing)]
    passed_over = sum(each.subjects for each in found) - sum(each.subjects for each in held)
    total = one.counted.stations
    if passed_over == total > 0:
        return replace(cell_of(item, one.column, found, total=total, is_promised=False), owed=False)
    cell = cell_of(item, one.column, held, total=total - passed_over, is_promised=bool(owing))
    return replace(cell, total=total)


def _found(
    item: ConcessionRequirement, one: _Type, known: Mapping[tuple[int, Make], Sequence[Judged]]
) -> Iterator[Judged]:
    for make in one.makes:
        yield from known.get((item.requirement_id, make), ())


def _owes(item: ConcessionRequirement, each: Judged, owing: Collection[int]) -> bool:
    return is_owed(item.requirement, promised=each.operator_id in owing)
