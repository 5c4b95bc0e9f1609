"""What is known of the stations that are shown: a badge for each requirement that is judged on stations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.utils.functional import Promise as Lazy
from django.utils.translation import gettext_lazy as _

from portal.compliance.judgement import MET
from portal.compliance.matrix import in_order, is_owed, unjudged
from portal.compliance.matrix_page import mark_of
from portal.compliance.models import ConcessionRequirement, Judgement, Promise, Requirement, Status
from portal.pages.icons import MARKS, Mark
from stations.models import Station

# What a filter and the map tell apart: met, not met though it is owed, and everything that is not known well enough.
MEETS, FAILS, UNKNOWN = "met", "not", "unknown"
SAID: Mapping[str, str | Lazy] = {
    MEETS: _("met"),
    FAILS: _("not met"),
    UNKNOWN: _("not known"),
}
# Of these nothing is asked now.
EXCUSED = frozenset({Status.FUTURE, Status.NOT_APPLICABLE, Status.WAIVED})


class Asked(NamedTuple):
    """What a concession asks of its stations, and who promised what (keys of what is asked, and of operators)."""

    of: Mapping[int, list[ConcessionRequirement]]
    promised: Collection[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Badge:
    """One requirement at one station. `standing`: a key of SAID, or empty where nothing is asked now."""

    code: str
    mark: Mark
    standing: str
    evidence_id: int | None
    at: datetime | None

    @property
    def is_breach(self) -> bool:
        return self.standing == FAILS


def asked_in(concessions: Iterable[int]) -> Asked:
    """Of the concessions with these keys."""
    rows = ConcessionRequirement.objects.filter(
        concession__in=set(concessions), requirement__subject=Requirement.Subject.STATION
    ).select_related("requirement")
    asked: dict[int, list[ConcessionRequirement]] = defaultdict(list)
    for row in in_order(rows):
        asked[row.concession_id].append(row)
    promised = Promise.objects.filter(asked__in=[row.pk for one in asked.values() for row in one])
    return Asked(asked, set(promised.values_list("asked_id", "operator_id")))


def badges_of(stations: Collection[Station], now: datetime) -> Mapping[int, tuple[Badge, ...]]:
    """By key of the station; each comes with its site. In three queries for any number."""
    asked = asked_in(station.site.concession_id for station in stations)
    judged: dict[tuple[int, int], Judgement] = {}
    rows = Judgement.objects.filter(station__in=stations).as_they_count(now)
    for row in rows:
        judged[row.station_id, row.requirement_id] = row
    return {
        station.pk: tuple(
            _badge(item, judged.get((station.pk, item.requirement_id)), station, asked)
            for item in asked.of.get(station.site.concession_id, ())
        )
        for station in stations
    }


def _badge(item: ConcessionRequirement, row: Judgement | None, station: Station, asked: Asked) -> Badge:
    status = Status(row.counts_as) if row else unjudged(item)  # type: ignore[attr-defined]  # annotated
    operator = station.site.operator_id
    owed = is_owed(item.requirement, promised=(item.pk, operator) in asked.promised)
    return Badge(
        code=item.requirement.code,
        mark=MARKS[mark_of(status, owed=owed)],
        standing=standing_of(status, owed=owed),
        evidence_id=row.evidence_id if row else None,
        at=row.at if row else None,
    )


def standing_of(status: Status, *, owed: bool) -> str:
    """A key of SAID; a deviation on what nobody owes is not held against a station, and nothing is asked of it."""
    if status in MET:
        return MEETS
    if status is Status.DEVIATION:
        return FAILS if owed else ""
    return "" if status in EXCUSED else UNKNOWN
