"""From evidence to a status: what the engine proposes, and what counts after an official decided.

`propose` and `effective` are pure; `update_judgement` keeps the Judgement rows in step with the evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from portal.compliance.equipment import configuration_of, differs
from portal.compliance.models import (
    FADING,
    STANDING_DECISIONS,
    ConcessionRequirement,
    Evidence,
    Judgement,
    Requirement,
    Status,
)
from stations.models import Concession, Operator, Station

Verdict = Evidence.Verdict
# Proof that something works or does not: seen, not said.
SEEN = frozenset({Evidence.Method.PROBE, Evidence.Method.OBSERVATION})
MET = frozenset({Status.SUBSTANTIATED, Status.PROVEN, Status.RESTORED})


@dataclass(frozen=True, slots=True)
class Fact:
    """What one piece of evidence says, as far as a status is concerned. `at` is the end of its time window.

    `changed`: the hardware or the configuration of the station is not what it was then. `firmware` is "" where it is
    not known what the station ran then. `part`: the EVSE that it is about; None is the whole subject.
    """

    evidence_id: int
    method: str
    verdict: str
    at: datetime
    firmware: str
    changed: bool = False
    part: int | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """The status that follows from the evidence, and the piece that it rests on."""

    status: Status
    evidence_id: int | None = None
    at: datetime | None = None


def propose(
    facts: Sequence[Fact], *, firmware: str, future: bool, now: datetime, valid_days: float
) -> Proposal:
    """The status of one requirement for one subject; `facts` oldest first.

    What was seen goes before what was read, and that before what was declared. An undecided piece changes nothing.
    What was seen counts in the order in which it happened: a past that is told late does not undo what is newer.
    `firmware` is the station's now ("" for an operator). `future`: the concession does not ask for it yet, so that
    nothing found counts against the subject.
    """
    seen = [fact for fact in facts if fact.method in SEEN and fact.verdict != Verdict.UNDECIDED]
    standing = _standing(sorted(seen, key=lambda fact: fact.at))
    deviating = [fact for fact in standing if fact.verdict == Verdict.DEVIATION]
    if deviating:
        return _of(Status.FUTURE if future else Status.DEVIATION, deviating[-1])
    if standing:
        restored = any(fact.verdict == Verdict.DEVIATION for fact in seen)
        last = standing[-1]
        fresh = _is_same(last, firmware) and last.at + timedelta(days=valid_days) > now
        return _of((Status.RESTORED if restored else Status.PROVEN) if fresh else Status.STALE, last)
    return _unseen(facts, firmware=firmware, future=future)


def _standing(seen: Sequence[Fact]) -> list[Fact]:
    """The last fact of each part, oldest first: what one EVSE proves does not restore another. A fact about the whole
    stands for all parts before it."""
    last: dict[int | None, Fact] = {}
    for fact in seen:
        if fact.part is None:
            last.clear()
        last.pop(fact.part, None)
        last[fact.part] = fact
    return list(last.values())


def _is_same(fact: Fact, firmware: str) -> bool:
    return fact.firmware == firmware and not fact.changed


def _unseen(facts: Sequence[Fact], *, firmware: str, future: bool) -> Proposal:
    """The status where nothing was measured: the last reading of the configuration, or the last statement."""
    read = [fact for fact in facts if fact.method == Evidence.Method.CONFIGURATION]
    if read and read[-1].verdict == Verdict.SUBSTANTIATED and _is_same(read[-1], firmware):
        return _of(Status.SUBSTANTIATED, read[-1])
    declared = [fact for fact in facts if fact.method == Evidence.Method.DECLARATION]
    if declared:
        document = declared[-1].verdict == Verdict.SUBSTANTIATED
        return _of(Status.SUBSTANTIATED if document else Status.DECLARED, declared[-1])
    return Proposal(Status.FUTURE if future else Status.NOT_ASSESSED)


def _of(status: Status, fact: Fact) -> Proposal:
    return Proposal(status, fact.evidence_id, fact.at)


@dataclass(frozen=True, slots=True)
class Ruling:
    """The last decision on a judgement: on which evidence, from which proposal, to what."""

    evidence_id: int | None
    from_status: str
    to_status: str


def effective(
    *,
    proposed: str,
    evidence_id: int | None,
    at: datetime | None,
    ruling: Ruling | None,
    now: datetime,
    valid_days: float,
) -> Status:
    """The status that counts now.

    A decision holds while the proposal that it was about stands; new evidence asks for a new decision, but not
    after a waiver. A proof that has become too old since is stale, also before anyone proposed so again.
    `Judgement.objects.as_they_count` says the same for the database.
    """
    if ruling and ruling.to_status in STANDING_DECISIONS:
        return Status(ruling.to_status)
    status = Status(proposed)
    if ruling and (ruling.evidence_id, ruling.from_status) == (evidence_id, proposed):
        status = Status(ruling.to_status)
    old = at is not None and at + timedelta(days=valid_days) <= now
    return Status.STALE if old and status in FADING else status


def is_future(requirement: Requirement, *, applies_now: bool) -> bool:
    return requirement.horizon == Requirement.Horizon.FUTURE and not applies_now


def update_judgement(
    *,
    concession: Concession,
    requirement: Requirement,
    operator: Operator,
    station: Station | None,
    now: datetime,
) -> Judgement:
    """Write down what the evidence of one requirement and subject says now."""
    proposal = _proposal(concession, requirement, operator, station, now)
    subject = {"station": station} if station else {"station": None, "operator": operator}
    judgement, _ = Judgement.objects.update_or_create(
        concession=concession,
        requirement=requirement,
        **subject,
        defaults={
            "operator": operator,
            "status": proposal.status,
            "evidence_id": proposal.evidence_id,
            "at": proposal.at,
        },
    )
    return judgement


def unfounded(concession: Concession, *, now: datetime) -> list[Judgement]:
    """Judgements that say other than their evidence does. A proof that became stale since is none of them."""
    rows = Judgement.objects.filter(concession=concession).select_related(
        "requirement", "operator", "station"
    )
    found = []
    for row in rows.order_by("requirement__code", "pk"):
        proposal = _proposal(concession, row.requirement, row.operator, row.station, now)
        faded = proposal.status is Status.STALE and row.status in FADING
        same = faded or row.status == proposal.status
        if not same or row.evidence_id != proposal.evidence_id:
            found.append(row)
    return found


def _proposal(
    concession: Concession,
    requirement: Requirement,
    operator: Operator,
    station: Station | None,
    now: datetime,
) -> Proposal:
    asked = ConcessionRequirement.objects.filter(concession=concession, requirement=requirement).first()
    facts = _facts(
        Evidence.objects.filter(
            concession=concession, requirement=requirement, operator=operator, station=station
        ),
        configuration_of(station) if station else {},
        requirement.code,
    )
    return propose(
        facts,
        firmware=station.firmware if station else "",
        future=is_future(requirement, applies_now=bool(asked and asked.applies_now)),
        now=now,
        valid_days=settings.EVIDENCE_VALID_DAYS,
    )


def _facts(rows: Iterable[Evidence], equipment: Mapping[str, Any], code: str) -> list[Fact]:
    return [
        Fact(
            evidence_id=row.pk,
            method=row.method,
            verdict=row.verdict,
            at=row.window_end,
            firmware=row.firmware,
            changed=differs(row.configuration, equipment, code=code),
            part=row.configuration.get("observation", {}).get("evse"),
        )
        for row in sorted(rows, key=lambda row: row.sequence)
    ]


def update_station(*, station: Station, now: datetime) -> None:
    """Look again at every judgement on a station, as after new firmware."""
    rows = Judgement.objects.filter(station=station)
    for judgement in rows.select_related("concession", "requirement", "operator", "station"):
        update_judgement(
            concession=judgement.concession,
            requirement=judgement.requirement,
            operator=judgement.operator,
            station=station,
            now=now,
        )


def ruling_on(judgement: Judgement) -> Ruling | None:
    """The last decision on it, if there is one; ask for the rows with `select_related("last_decision")`."""
    last = judgement.last_decision
    return Ruling(last.evidence_id, last.from_status, last.to_status) if last else None


def status_now(judgement: Judgement, *, now: datetime) -> Status:
    """The status that counts: what was proposed, with the last decision on it counted in."""
    return effective(
        proposed=judgement.status,
        evidence_id=judgement.evidence_id,
        at=judgement.at,
        ruling=ruling_on(judgement),
        now=now,
        valid_days=settings.EVIDENCE_VALID_DAYS,
    )
