"""What the page of one requirement says: the subjects with their status, chosen and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from portal.compliance.matrix import Row, Standing, StationHere
from portal.compliance.matrix_page import mark_of
from portal.compliance.models import Status
from portal.pages.icons import MARKS, Mark
from stations.models import Operator

# The way up: what each rung of the ladder above the last one adds to the proof.
LADDER = (Status.NOT_ASSESSED, Status.DECLARED, Status.SUBSTANTIATED, Status.PROVEN)


@dataclass(frozen=True, slots=True)
class Subject:
    """One line of the table: a station, or an operator's back office."""

    operator: Operator
    station: StationHere | None
    mark: str
    status: Status
    breach: bool
    at: datetime | None
    evidence_id: int | None


@dataclass(frozen=True, slots=True)
class Rung:
    mark: Mark
    subjects: int


def subjects(standings: Iterable[Standing], row: Row, visible: set[int]) -> list[Subject]:
    """The subjects of the requirement in `row`; `visible`: keys of the operators that the reader may see."""
    cells = {cell.column.pk: cell for cell in row.cells if cell.column.pk in visible}
    found = [item for item in standings if item.code == row.code and item.operator_id in cells]
    return [
        Subject(
            operator=item.operator,
            station=item.station,
            mark=mark_of(item.status, owed=cells[item.operator_id].breach),
            status=item.status,
            breach=item.status is Status.DEVIATION and cells[item.operator_id].breach,
            at=item.at,
            evidence_id=item.evidence_id,
        )
        for item in found
    ]


def ladder(found: Sequence[Subject]) -> list[Rung]:
    """How many subjects stand on each rung, and beside the ladder: each status that occurs."""
    tally = Counter(subject.mark for subject in found)
    keys = [*LADDER, *(key for key in MARKS if key not in LADDER and tally[key])]
    return [Rung(MARKS[key], tally[key]) for key in keys]
