"""The pieces of work of one commit, and which of them are taken in together.

What a small piece costs is mostly its statements: of a storm of stations, a hundred leases in one statement cost
little more than one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from stations.ocpp.readings import Row

Together = Callable[[list[Any]], list[Any]]


def _nothing() -> None:
    """The work of a job that only has rows."""


@dataclass(slots=True, eq=False)
class Job:
    """Something to write, and whom to tell when it is durable: `done` is called from the writer's thread.

    One of `rows` (readings), `work` (a function to run in the transaction; its result is kept), or `together` (one for
    all jobs that want the same, each by its `item`; it gives their results). After it, `error` is None if and only if
    the job is durable. `station_id`: the one station that it is about; None: work on many, or on none.
    """

    rows: list[Row] | None = None
    work: Callable[[], Any] = _nothing
    together: Together | None = None
    item: Any = None
    station_id: int | None = None
    token: Any = None  # the submitter's own: what to answer, and to whom
    result: Any = None
    error: Exception | None = None


def gathered(batch: Iterable[Job]) -> list[list[Job]]:
    """The jobs in groups of one kind, to be taken in one group after the other.

    What one station said keeps its order, and a group with a `together` has one job of each station. A job about no
    one station comes after all that were before it, and before all that follow.
    """
    groups: list[list[Job]] = []
    places: defaultdict[tuple[bool, Together | None], list[int]] = defaultdict(list)
    earliest: dict[int, int] = {}  # station -> the first group that its next job may be in
    floor = 0
    for job in batch:
        if job.station_id is None:
            groups.append([job])
            floor = len(groups)
            continue
        of_its_kind = places[job.rows is not None, job.together]
        found = bisect_left(of_its_kind, max(floor, earliest.get(job.station_id, 0)))
        if found == len(of_its_kind):
            of_its_kind.append(len(groups))
            groups.append([])
        place = of_its_kind[found]
        groups[place].append(job)
        earliest[job.station_id] = place + 1 if job.together else place
    return groups
