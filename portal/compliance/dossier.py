"""One piece of evidence as a reader sees it, in the reader's language: sentence, figures, steps, frames, chain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from portal.compliance.evidence import hash_of
from portal.compliance.models import Decision, Evidence
from portal.compliance.sentences import say, say_step


@dataclass(frozen=True, slots=True)
class FigureView:
    key: str
    name: str
    value: float | str
    unit: str
    rule: str
    holds: bool | None

    @property
    def is_text(self) -> bool:
        """What could not be counted says so in words."""
        return isinstance(self.value, str)


@dataclass(frozen=True, slots=True)
class LimitStep:
    """From `start` until `end` at most `limit`; None: no limit known."""

    start: datetime
    end: datetime
    limit: float | None


@dataclass(frozen=True, slots=True)
class StepView:
    """One step, in a `part` of the probe: one kind of profile in one place. `expected` and `reported` are filled for a
    reading: what the chart draws side by side, in `unit`."""

    number: int
    kind: str
    text: str
    holds: bool | None
    at: datetime
    message_id: str
    part: int
    purpose: str
    evse: int
    unit: str
    expected: tuple[LimitStep, ...]
    reported: tuple[LimitStep, ...]


@dataclass(frozen=True, slots=True)
class FrameView:
    at: datetime
    direction: str
    action: str
    message_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """A place in the chain of evidence."""

    evidence_id: int
    sequence: int
    at: datetime
    hash: str


@dataclass(frozen=True, slots=True)
class Dossier:
    """`chain_holds`: this link is what was hashed, and its neighbours hang on it; verify_evidence looks at them all."""

    evidence: Evidence
    sentence: str
    figures: tuple[FigureView, ...]
    steps: tuple[StepView, ...]
    frames: tuple[FrameView, ...]
    facts: tuple[tuple[str, str], ...]
    previous: Link | None
    next: Link | None
    chain_holds: bool
    decisions: tuple[Decision, ...]

    @property
    def readings(self) -> tuple[StepView, ...]:
        """The steps that have something to draw."""
        return tuple(step for step in self.steps if step.reported or step.expected)


def dossier(evidence: Evidence) -> Dossier:
    previous = _neighbour(evidence, -1)
    following = _neighbour(evidence, +1)
    holds = evidence.hash == hash_of(evidence)
    holds = holds and (previous is None or previous.hash == evidence.previous_hash)
    holds = holds and (following is None or following.previous_hash == evidence.hash)
    return Dossier(
        evidence=evidence,
        sentence=sentence(evidence),
        figures=tuple(figures(evidence)),
        steps=tuple(_steps(evidence)),
        frames=tuple(_frames(evidence)),
        facts=tuple(_facts(evidence)),
        previous=_link(previous),
        next=_link(following),
        chain_holds=holds,
        decisions=tuple(evidence.decisions.select_related("decided_by")),
    )


def sentence(evidence: Evidence) -> str:
    """The finding in the reader's language; without a code of ours, as it was stored."""
    finding = evidence.configuration.get("finding")
    return say(finding["code"], finding["values"]) if finding else evidence.reason


def figures(evidence: Evidence) -> Iterator[FigureView]:
    for figure in evidence.figures:
        said = figure["value"]
        yield FigureView(
            key=figure.get("key", ""),
            name=_(figure["name"]),
            value=_(said) if said and isinstance(said, str) else said,
            unit=_(figure["unit"]) if figure["unit"] else "",
            rule=_(figure["rule"]) if figure["rule"] else "",
            holds=figure["holds"],
        )


def _steps(evidence: Evidence) -> Iterator[StepView]:
    """What a probe did, step by step. The samples of an observation are drawn instead (registers_page.py)."""
    if "observation" in evidence.configuration:
        return
    probe = evidence.configuration.get("probe", {})
    parts = probe.get("stacks") or probe.get("trials") or []
    for number, step in enumerate(evidence.steps, start=1):
        place = step.get("stack", step.get("trial", 0))
        part = parts[place] if parts else {}
        reported = step.get("reported") or {}
        yield StepView(
            number=number,
            kind=step.get("kind", ""),
            text=step_text(step),
            holds=step["holds"],
            at=datetime.fromisoformat(step["at"]),
            message_id=step["message_id"],
            part=place,
            purpose=step.get("values", {}).get("purpose", part.get("purpose", "")),
            evse=step.get("evse", 0),
            unit=reported.get("unit") or part.get("unit", ""),
            expected=tuple(_limits(reported, step.get("expected") or [])),
            reported=tuple(_limits(reported, reported.get("periods", []))),
        )


def step_text(step: Mapping[str, Any]) -> str:
    """What a step did, of a probe or of evidence, in the reader's language and time."""
    if "code" not in step:
        return str(step.get("text", step.get("name", "")))
    return say_step(step["code"], step["values"])


def _limits(reported: Mapping[str, Any], periods: list[list[Any]]) -> Iterator[LimitStep]:
    if not reported or not periods:  # it was refused, or could not be read
        return
    begin = datetime.fromisoformat(reported["start"])
    ends = [*(period[0] for period in periods[1:]), reported["duration_s"]]
    for (start_s, limit, *_phases), end_s in zip(periods, ends, strict=True):
        if end_s > start_s:
            yield LimitStep(begin + timedelta(seconds=start_s), begin + timedelta(seconds=end_s), limit)


def _frames(evidence: Evidence) -> Iterator[FrameView]:
    for frame in evidence.frames:
        yield FrameView(
            at=datetime.fromisoformat(frame["at"]),
            direction=frame["direction"],
            action=frame["action"],
            message_id=frame["message_id"],
            text=frame["text"],
        )


def _facts(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """How it was measured, label and value; what is not known is left out."""
    station = evidence.configuration.get("station", {})
    restored = evidence.configuration.get("restored")
    facts = [
        (_("Method"), evidence.get_method_display()),
        (_("Firmware"), evidence.firmware),
        (_("Make"), " ".join(filter(None, [station.get("vendor"), station.get("model")]))),
        (_("Protocol"), f"OCPP {station['ocpp_version']}" if station.get("ocpp_version") else ""),
        (_("Connection"), station.get("connection", "")),
        (_("Check"), evidence.engine),
    ]
    if restored is not None:
        facts.append((_("Restored afterwards"), _("yes") if restored else _("no")))
    yield from ((label, str(value)) for label, value in facts if value)


def _neighbour(evidence: Evidence, step: int) -> Evidence | None:
    rows = Evidence.objects.filter(concession_id=evidence.concession_id)
    return (
        rows.filter(sequence=evidence.sequence + step)
        .only("sequence", "created_at", "hash", "previous_hash")
        .first()
    )


def _link(row: Evidence | None) -> Link | None:
    return None if row is None else Link(row.pk, row.sequence, row.created_at, row.hash)
