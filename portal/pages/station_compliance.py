"""What a station must do, and what is proven of it: every requirement that is judged on stations, as it counts now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from portal.compliance.dossier import sentence
from portal.compliance.judgement import status_now
from portal.compliance.matrix import is_owed, unjudged
from portal.compliance.matrix_page import mark_of
from portal.compliance.models import (
    ConcessionRequirement,
    Evidence,
    Judgement,
    Promise,
    Requirement,
    Status,
)
from stations.models import Station


@dataclass(frozen=True, slots=True)
class Duty:
    """One requirement for this station. `breach`: it is owed, and the evidence contradicts it."""

    requirement: Requirement
    mark: str
    breach: bool
    finding: str
    evidence: Evidence | None


def duties_of(station: Station, *, now: datetime) -> list[Duty]:
    """Every requirement of the station's concession that is judged on stations, in four queries."""
    site = station.site
    asked = list(
        ConcessionRequirement.objects.filter(
            concession=site.concession_id, requirement__subject=Requirement.Subject.STATION
        )
        .select_related("requirement")
        .order_by("requirement__code")
    )
    rows = Judgement.objects.filter(station=station, concession=site.concession_id)
    judgements = {row.requirement_id: row for row in rows.select_related("last_decision")}
    promised = set(
        Promise.objects.filter(asked__in=asked, operator=site.operator_id).values_list("asked_id", flat=True)
    )
    found = Evidence.objects.defer("frames", "steps").in_bulk(
        [row.evidence_id for row in judgements.values() if row.evidence_id]
    )
    statuses = {key: status_now(row, now=now) for key, row in judgements.items()}
    return list(_duties(asked, judgements, statuses, promised, found))


def _duties(
    asked: list[ConcessionRequirement],
    judgements: Mapping[int, Judgement],
    statuses: Mapping[int, Status],
    promised: set[int],
    found: Mapping[int, Evidence],
) -> Iterator[Duty]:
    for item in asked:
        requirement = item.requirement
        status = statuses.get(requirement.pk) or unjudged(item)
        owed = is_owed(requirement, promised=item.pk in promised)
        judgement = judgements.get(requirement.pk)
        evidence = found.get(judgement.evidence_id or 0) if judgement else None
        yield Duty(
            requirement=requirement,
            mark=mark_of(status, owed=owed),
            breach=owed and status is Status.DEVIATION,
            finding=sentence(evidence) if evidence else "",
            evidence=evidence,
        )
