"""Judging stored evidence again, from nothing but what the evidence stores. Nothing is written.

Two questions: do the frames say what was judged, and does the judge of today say the same of it? A newer judge may
well say otherwise; then the evidence stays what it is, and a person sees what differs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from portal.compliance import measured
from portal.compliance.checks import CHECKS
from portal.compliance.checks.findings import Finding
from portal.compliance.checks.registers_samples import from_json
from portal.compliance.models import Evidence
from portal.compliance.sentences import say


@dataclass(frozen=True, slots=True)
class Difference:
    """`what` is "verdict", "finding", "frames", or the key of a figure."""

    what: str
    then: str
    now: str

    def __str__(self) -> str:
        return f"{self.what} was {self.then}, is {self.now}"


@dataclass(frozen=True, slots=True)
class Reproduction:
    """One piece of evidence, judged again. `finding` None: there is nothing to compute from."""

    evidence: Evidence
    engine: str
    finding: Finding | None
    differences: tuple[Difference, ...]

    @property
    def is_computed(self) -> bool:
        return self.finding is not None

    @property
    def is_same(self) -> bool:
        return not self.differences

    @property
    def is_same_engine(self) -> bool:
        return self.engine == self.evidence.engine

    @property
    def sentence(self) -> str:
        return say(self.finding.code, self.finding.values) if self.finding else ""


def reproduce(evidence: Evidence) -> Reproduction:
    """Judge `evidence` by the check of today. A statement of a person has nothing to compute from."""
    check = CHECKS.get(evidence.requirement.code)
    if check is None:
        return Reproduction(evidence, "", None, ())
    finding: Finding | None = None
    if check.reads in evidence.configuration:
        finding = check.judge(evidence.configuration, evidence.steps)
    elif evidence.method == Evidence.Method.CONFIGURATION and check.judge_stated is not None:
        finding = check.judge_stated(evidence.configuration.get("capabilities", {}))
    if finding is None:
        return Reproduction(evidence, check.engine, None, ())
    found = (*_differences(evidence, finding), *_unheard(evidence))
    return Reproduction(evidence, check.engine, finding, found)


def _differences(evidence: Evidence, finding: Finding) -> Iterator[Difference]:
    code = evidence.configuration.get("finding", {}).get("code", "")
    for what, then, now in (("verdict", evidence.verdict, finding.verdict), ("finding", code, finding.code)):
        if then != now:
            yield Difference(what, then, now)
    figures = {figure.key: figure.value for figure in finding.figures}
    # What the probe adds to the finding, such as whether the station was restored, is no figure of the judge.
    stored = {figure["key"]: figure["value"] for figure in evidence.figures if figure["key"] in figures}
    for key, value in figures.items():
        if stored.get(key) != value:
            yield Difference(key, str(stored.get(key, "-")), str(value))


def _unheard(evidence: Evidence) -> Iterator[Difference]:
    """Steps and samples that the frames beside them do not carry."""
    ids = {frame["message_id"] for frame in evidence.frames}
    named = {step["message_id"] for step in evidence.steps if step.get("message_id")}
    missing = len(named - ids) if "observation" not in evidence.configuration else _unsaid(evidence)
    if missing:
        yield Difference("frames", str(len(evidence.steps)), str(len(evidence.steps) - missing))


def _unsaid(evidence: Evidence) -> int:
    """How many samples are other than their frames say."""
    samples = [from_json(step) for step in evidence.steps]
    told = measured.samples_in(
        evidence.frames,
        evse=evidence.configuration["observation"]["evse"],
        transaction=samples[0].transaction if samples else "",
    )
    return sum(told.get((sample.at, sample.context)) != sample for sample in samples)


def as_json(found: Reproduction) -> dict[str, Any]:
    """For programs: the command's --json and the API."""
    return {
        "evidence": found.evidence.pk,
        "concession": found.evidence.concession.slug,
        "sequence": found.evidence.sequence,
        "requirement": found.evidence.requirement.code,
        "computed": found.is_computed,
        "same": found.is_same,
        "verdict": found.finding.verdict if found.finding else None,
        "finding": found.finding.code if found.finding else None,
        "sentence": found.sentence,
        "engine": found.engine,
        "engine_then": found.evidence.engine,
        "differences": [
            {"what": item.what, "then": item.then, "now": item.now} for item in found.differences
        ],
    }


def tally(found: Iterable[Mapping[str, Any]]) -> str:
    """How many were judged, in a line."""
    rows = list(found)
    computed = sum(row["computed"] for row in rows)
    same = sum(row["computed"] and row["same"] for row in rows)
    return f"{same} of {computed} say the same; {len(rows) - computed} have nothing to compute from"
