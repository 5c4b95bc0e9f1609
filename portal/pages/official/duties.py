"""What waits for an official: deviations to judge, terms that end, what was restored since the previous visit.

A deviation counts only where it is a breach: on what is required, or was promised. The rest stands in the matrix.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from django.db.models import (
    BooleanField,
    Case,
    Count,
    ExpressionWrapper,
    IntegerField,
    Q,
    QuerySet,
    Value,
    When,
)
from django.utils import timezone

from portal.compliance.models import Judgement, Status
from portal.paging import COUNTED

if TYPE_CHECKING:
    from stations.models.access import Visitor

# A term is told of so long before it ends.
SOON = timedelta(days=14)


class Duty(IntEnum):
    """What is to be done with one judgement, the most pressing first."""

    PASSED = 0  # the term has passed, and the deviation is still there
    WAITING = 1  # nobody judged the evidence
    SOON = 2  # the term ends within SOON
    RESTORED = 3  # proven again since the previous visit
    RUNNING = 4  # the term ends later, or there is none


def duties(user: Visitor, *, since: datetime | None, now: datetime) -> QuerySet[Any]:
    """Judgements with `duty` and `is_new` (the evidence came after `since`; on a first visit all of it did)."""
    today = timezone.localdate(now)
    came = Q(evidence__created_at__gt=since) if since else Q(evidence__isnull=False)
    own = Judgement.objects.supervised_by(user)
    # What an official found against the proposal is rare, and asking for its keys spares the look at everything else.
    overruled = own.filter(decisions__to_status=Status.DEVIATION).exclude(status=Status.DEVIATION)
    candidates = Q(status__in=(Status.DEVIATION, Status.DECLARED, Status.RESTORED))
    if keys := list(overruled.values_list("pk", flat=True)[:COUNTED]):
        candidates |= Q(pk__in=keys)
    rows: QuerySet[Any] = own.filter(candidates).as_they_count(now).with_owed().filter(owed=True)
    return rows.annotate(
        duty=_duty(today, came),
        is_new=ExpressionWrapper(came, output_field=BooleanField()),
    ).filter(duty__isnull=False)


def _duty(today: date, came: Q) -> Case:
    deviates = Q(counts_as=Status.DEVIATION)
    unjudged = Q(ruled_to=None)
    # Whoever decided on an earlier piece of evidence has the new one to judge.
    waits = unjudged & (deviates | Q(counts_as=Status.DECLARED))
    return Case(
        When(waits, then=Value(Duty.WAITING)),
        When(deviates & Q(restore_by__lt=today), then=Value(Duty.PASSED)),
        When(deviates & Q(restore_by__lte=today + SOON), then=Value(Duty.SOON)),
        When(deviates, then=Value(Duty.RUNNING)),
        When(Q(counts_as=Status.RESTORED) & came, then=Value(Duty.RESTORED)),
        default=None,
        output_field=IntegerField(),
    )


def counts_of(rows: QuerySet[Any]) -> dict[str, int]:
    """How many there are of each duty, and how many of those to judge are new; counted as far as people page."""
    by_duty = {duty.name.lower(): Count("pk", filter=Q(duty=duty)) for duty in Duty}
    new = Count("pk", filter=Q(duty=Duty.WAITING, is_new=True))
    return rows.order_by()[: COUNTED + 1].aggregate(**by_duty, new=new)


def first_judged(rows: QuerySet[Any]) -> QuerySet[Any]:
    """With what a line shows of each row."""
    return rows.select_related("concession", "requirement", "operator", "station", "evidence").defer(
        "evidence__frames", "evidence__steps", "evidence__figures", "evidence__configuration"
    )
