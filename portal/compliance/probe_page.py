"""What the page of a live probe says, while it runs and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.compliance import dossier, sentences
from portal.compliance.models import Evidence, Probe

State = Probe.State
# (tone of the card, tone of the mark, icon) of a probe that came to a verdict.
OUTCOMES: Mapping[str, tuple[str, str, str]] = {
    Evidence.Verdict.PROVEN: ("good", "good", "status-full"),
    Evidence.Verdict.DEVIATION: ("bad", "bad", "alert"),
}
NO_OUTCOME = ("calm", "calm", "question")


@dataclass(frozen=True, slots=True)
class WatchedStep:
    at: datetime
    text: str
    holds: bool | None


@dataclass(frozen=True, slots=True)
class ProbePage:
    """`tone`: of the card; `sign` and `icon`: of the mark; `say`: the outcome, or what happens now, in a sentence."""

    is_open: bool
    tone: str
    sign: str
    icon: str
    state: str
    say: str
    took_s: float | None
    steps: tuple[WatchedStep, ...]
    tally: str


def probe_page(probe: Probe, now: datetime) -> ProbePage:
    is_open = probe.state in Probe.OPEN
    steps = tuple(_watched(step) for step in probe.steps)
    tone, sign, icon = OUTCOMES.get(probe.verdict, NO_OUTCOME)
    verdict = Evidence.Verdict(probe.verdict).label if probe.verdict else ""
    started = probe.started_at
    return ProbePage(
        is_open=is_open,
        tone="calm" if is_open else tone,
        sign=sign,
        icon=icon,
        state=str(verdict if verdict and not is_open else probe.get_state_display()).capitalize(),
        say=_say(probe, steps, is_open=is_open),
        took_s=((probe.ended_at or now) - started).total_seconds() if started and steps else None,
        # While it runs the newest stands on top, where people look; afterwards it is a report, from the beginning.
        steps=steps[::-1] if is_open else steps,
        tally=ngettext("%(count)d step", "%(count)d steps", len(steps)) % {"count": len(steps)},
    )


def _watched(step: Mapping[str, Any]) -> WatchedStep:
    return WatchedStep(datetime.fromisoformat(step["at"]), dossier.step_text(step), step.get("holds"))


def _say(probe: Probe, steps: tuple[WatchedStep, ...], *, is_open: bool) -> str:
    if probe.state == State.QUEUED:
        return _("The probe waits for its turn. This takes a few seconds.")
    if probe.state == State.RESTORING:
        return _("The portal puts everything back as it was, and reads it once more.")
    if is_open:
        return steps[-1].text if steps else _("The portal asks the station.")
    if probe.evidence is not None:
        return dossier.sentence(probe.evidence)
    stopped = probe.before.get("stopped")
    return sentences.say(stopped["code"], stopped["values"]) if stopped else probe.reason
