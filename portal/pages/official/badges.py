"""What is known of the stations that are shown: a badge for each requirement that is judged on stations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise as Lazy
from django.utils.translation import gettext_lazy as _

from portal.compliance.judgement import MET
from portal.compliance.matrix import in_order, unjudged
from portal.compliance.matrix_page import mark_of
from portal.compliance.models import ConcessionRequirement, Judgement, Requirement, Status
from portal.pages.icons import MARKS, Mark

# What a filter and the map tell apart: met, not met though it is owed, and everything that is not known well enough.
MEETS, FAILS, UNKNOWN = "met", "not", "unknown"
SAID: Mapping[str, str | Lazy] = {
    MEETS: _("met"),
    FAILS: _("not met"),
    UNKNOWN: _("not known"),
}
# Of these nothing is asked now.
EXCUSED = frozenset({Status.FUTURE, Status.NOT_APPLICABLE, Status.WAIVED})


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


def badges_of(stations: Collection[Any], now: datetime) -> Mapping[int, tuple[Badge, ...]]:
    """By key of the station; each comes with its site. In two queries for any number."""
    asked = _asked({station.site.concession_id for station in stations})
    rows = Judgement.objects.filter(station__in=stations).as_they_count(now).with_owed()
    judged = {(row.station_id, row.requirement_id): row for row in rows}
    return {
        station.pk: tuple(
            _badge(item, judged.get((station.pk, item.requirement_id)))
            for item in asked.get(station.site.concession_id, ())
        )
        for station in stations
    }


def _asked(concessions: Collection[int]) -> Mapping[int, list[ConcessionRequirement]]:
    """What is asked of stations, by concession."""
    rows = ConcessionRequirement.objects.filter(
        concession__in=concessions, requirement__subject=Requirement.Subject.STATION
    )
    found: dict[int, list[ConcessionRequirement]] = defaultdict(list)
    for row in in_order(rows.select_related("requirement")):
        found[row.concession_id].append(row)
    return found


def _badge(item: ConcessionRequirement, row: Any) -> Badge:
    if row is None:
        status = unjudged(item)
        return Badge(item.requirement.code, MARKS[status], standing_of(status, owed=False), None, None)
    status = Status(row.counts_as)
    return Badge(
        code=item.requirement.code,
        mark=MARKS[mark_of(status, owed=row.owed)],
        standing=standing_of(status, owed=row.owed),
        evidence_id=row.evidence_id,
        at=row.at,
    )


def standing_of(status: Status, *, owed: bool) -> str:
    """A key of SAID; a deviation on what nobody owes is not held against a station, and nothing is asked of it."""
    if status in MET:
        return MEETS
    if status is Status.DEVIATION:
        return FAILS if owed else ""
    return "" if status in EXCUSED else UNKNOWN
