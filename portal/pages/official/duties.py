"""What waits for an official: deviations to judge, terms that end, what was restored since the previous visit.

A deviation counts only where it is a breach: on what is required, or was promised. The rest stands in the matrix.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from portal.compliance.judgement import Ruling, effective
from portal.compliance.models import WATCHED, Judgement, Status
from portal.paging import COUNTED

if TYPE_CHECKING:
    from stations.models.access import Visitor

# A term is told of so long before it ends.
SOON = timedelta(days=14)
COLUMNS = (
    *("pk", "status", "at", "evidence_id", "evidence__created_at", "concession__slug"),
    *("requirement__code", "requirement__title", "operator__name", "operator__slug"),
    *("station__identity", "station__name", "last_decision_id", "last_decision__evidence_id"),
    *("last_decision__from_status", "last_decision__to_status", "last_decision__restore_by"),
)


class Duty(IntEnum):
    """What is to be done with one judgement, the most pressing first."""

    PASSED = 0  # the term has passed, and the deviation is still there
    WAITING = 1  # nobody judged the evidence
    SOON = 2  # the term ends within SOON
    RESTORED = 3  # proven again since the previous visit
    RUNNING = 4  # the term ends later, or there is none


@dataclass(frozen=True, slots=True)
class Item:
    """One judgement with its duty. `is_new`: its evidence came since the previous visit and waits for a judgement.

    `station` is empty for the back office of an operator, `evidence_id` None where somebody decided without any.
    """

    duty: Duty
    is_new: bool
    code: str
    title: str
    operator: str
    operator_slug: str
    station: str
    station_name: str
    concession: str
    evidence_id: int | None
    came_at: datetime | None
    restore_by: date | None

    @property
    def url(self) -> str:
        """Where one acts: the evidence with its form, else the requirement."""
        if self.evidence_id:
            return reverse("compliance:evidence", args=[self.evidence_id])
        return reverse("compliance:requirement", args=[self.concession, self.code])


def items_of(user: Visitor, *, since: datetime | None, now: datetime) -> list[Item]:
    """What `user` has to look at, the most pressing first; COUNTED rows at most. In one query."""
    found = (_item(row, since, now) for row in _candidates(user, since)[:COUNTED])
    return sorted((item for item in found if item), key=pressing)


def counts_of(items: Iterable[Item]) -> Mapping[str, int]:
    """How many there are of each duty, and how many of those to judge are new."""
    tally = Counter(item.duty.name.lower() for item in items)
    return {**tally, "new": sum(item.is_new for item in items)}


def _candidates(user: Visitor, since: datetime | None) -> Any:
    """What may be a duty: deviating or declared by proposal, or by decision; and what is restored."""
    proposed = Q(status__in=(Status.DEVIATION, Status.DECLARED))
    may_be = proposed | Q(last_decision__to_status=Status.DEVIATION)
    came = Q(evidence__created_at__gt=since) if since else Q(evidence__isnull=False)
    # WATCHED says nothing more, but has an index.
    rows = Judgement.objects.supervised_by(user).filter(WATCHED, may_be | (Q(status=Status.RESTORED) & came))
    return rows.with_owed().filter(owed=True).order_by("pk").values_list(*COLUMNS, named=True)


def _item(row: Any, since: datetime | None, now: datetime) -> Item | None:
    ruling = _ruling_of(row)
    is_judged = ruling is not None and _is_about(ruling, row)
    restore_by = row.last_decision__restore_by if is_judged else None
    status = effective(
        proposed=row.status,
        evidence_id=row.evidence_id,
        at=row.at,
        ruling=ruling,
        now=now,
        valid_days=settings.EVIDENCE_VALID_DAYS,
    )
    came_at: datetime | None = row.evidence__created_at
    came_since = came_at is not None and (since is None or came_at > since)
    duty = duty_of(status, is_judged=is_judged, restore_by=restore_by, came_since=came_since, now=now)
    if duty is None:
        return None
    return Item(
        duty=duty,
        is_new=duty is Duty.WAITING and came_since,
        code=row.requirement__code,
        title=row.requirement__title,
        operator=row.operator__name,
        operator_slug=row.operator__slug,
        station=row.station__identity or "",
        station_name=row.station__name or "",
        concession=row.concession__slug,
        evidence_id=row.evidence_id,
        came_at=came_at or row.at,
        restore_by=restore_by,
    )


def _ruling_of(row: Any) -> Ruling | None:
    if row.last_decision_id is None:
        return None
    return Ruling(
        row.last_decision__evidence_id, row.last_decision__from_status, row.last_decision__to_status
    )


def _is_about(ruling: Ruling, row: Any) -> bool:
    """Whoever decided on an earlier piece of evidence has the new one to judge."""
    return (ruling.evidence_id, ruling.from_status) == (row.evidence_id, row.status)


def duty_of(
    status: Status, *, is_judged: bool, restore_by: date | None, came_since: bool, now: datetime
) -> Duty | None:
    """What is to be done where `status` counts; None: nothing."""
    if status is Status.RESTORED and came_since:
        return Duty.RESTORED
    if not is_judged:
        return Duty.WAITING if status in {Status.DEVIATION, Status.DECLARED} else None
    if status is not Status.DEVIATION:
        return None
    today = timezone.localdate(now)
    if restore_by is None or restore_by > today + SOON:
        return Duty.RUNNING
    return Duty.PASSED if restore_by < today else Duty.SOON


def pressing(item: Item) -> tuple[int, float]:
    return item.duty, -item.came_at.timestamp() if item.came_at else 0.0
