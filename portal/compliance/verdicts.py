"""One decision on many: what waits for a judgement on one requirement, judged together."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from django.db import transaction

from portal.compliance import decisions
from portal.compliance.models import Evidence, Judgement, Requirement, Status
from stations.models import Concession

MOST = 25  # at a time


def waiting(concession: Concession, requirement: Requirement, now: datetime) -> list[Evidence]:
    """Evidence on `requirement` that counts now and that nobody judged, the newest first; MOST at most."""
    rows = Judgement.objects.filter(
        concession=concession,
        requirement=requirement,
        status__in=(Status.DEVIATION, Status.DECLARED),
        evidence__isnull=False,
    )
    unjudged = rows.as_they_count(now).filter(
        ruled_to=None, counts_as__in=(Status.DEVIATION, Status.DECLARED)
    )
    found = Evidence.objects.filter(pk__in=unjudged.values("evidence")).select_related("station", "operator")
    return list(found.defer("frames", "steps", "figures", "configuration").order_by("-pk")[:MOST])


@transaction.atomic
def decide_all(
    *,
    evidence: Collection[Evidence],
    to_status: str,
    reason: str,
    restore_by: date | None,
    decided_by: Any,
    now: datetime,
) -> int:
    """The same decision on each, or on none: decisions.CannotDecide says why. Returns how many."""
    rows = Judgement.objects.filter(evidence__in=evidence).select_related("evidence")
    for judgement in rows.order_by("pk"):
        decisions.decide(
            judgement=judgement,
            to_status=to_status,
            reason=reason,
            restore_by=restore_by,
            evidence=judgement.evidence,
            decided_by=decided_by,
            now=now,
        )
    return len(rows)
