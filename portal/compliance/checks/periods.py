"""Requirement 207: at least twenty periods in one charging profile. Pure.

The probe (periods_plan.py) sets one profile of twenty periods that can be told apart, reads the composite schedule, and
clears it. Where the answer shows the first few only, it sets the same profile so that the next one runs now, and reads
on: a composite always begins now, and a station may name only so many periods in one answer. Where twenty are refused
it looks for the number that is taken.

Fairness as for 206: a deviation only where twenty are refused and fewer are taken, or where periods are missing in
every answer and neither a legal reading of the standard nor an innocent habit (habits.py) explains it. What was asked
twice counts as it was answered last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from portal.compliance.checks import composites, periods_doubts, periods_figures
from portal.compliance.checks.findings import Finding, JudgedStep
from portal.compliance.checks.periods_plan import NEEDED, Trial
from portal.compliance.checks.periods_readings import (
    Step,
    current_period,
    difference,
    expected,
    is_cut_by_time,
    is_shown,
    periods_in,
    seen_by_evse,
    settled,
)
from portal.compliance.checks.readings import Reading, Setting, legal, tolerance
from smartcharging.domain import asking
from smartcharging.domain.profiles import Installed

CODE = "207"
ENGINE = "207 periods 1.2"

# 2.x reason codes that speak of a profile that is there already, or of haste: not of the number of periods.
NOT_ABOUT_PERIODS = frozenset({"DuplicateProfile", "RateLimitExceeded", "TxNotFound"})
# CALLERRORs by which a station says that it cannot do it at all.
CANNOT = ("NotImplemented", "NotSupported")
# Undecided in a way that leaves open what each answer should have been.
NOTHING_EXPECTED = frozenset({"207.left_out_while_idle", "207.odd", *periods_doubts.CODES})


@dataclass(frozen=True, slots=True)
class TrialFinding:
    """What the steps of one trial say. `taken`: the most periods that were accepted; `seen`: the fewest that came back
    on an EVSE that shows them; `named`: the most in one answer; `fits`: the legal reading that explains all answers."""

    verdict: Literal["proven", "deviation", "undecided"]
    code: str
    values: Mapping[str, Any] = field(default_factory=dict)
    taken: int = 0
    seen: int = 0
    named: int = 0
    fits: Reading | None = None


def judge_trial(
    setting: Setting,
    trial: Trial,
    steps: Sequence[Step],
    *,
    stated: int | None = None,
    earlier: Sequence[Installed] = (),
    is_clean: bool = True,
) -> TrialFinding:
    """The verdict on one trial from its own `steps`, in order.

    `stated`: the number of periods that the station states. `earlier`: profiles of earlier trials; `is_clean`: the
    station said that it had cleared them all.
    """
    is_haste = periods_doubts.is_haste([step for step in steps if step.kind == "install"])
    steps = settled(steps)
    installs = [step for step in steps if step.kind == "install"]
    taken = max((step.periods for step in installs if step.outcome == "accepted"), default=0)
    place = {
        "purpose": asking.purpose_on_wire(trial.place.purpose, ocpp=setting.version),
        "evse": trial.place.evse,
        "taken": taken,
        "stated": stated,
    }
    bare = TrialFinding("undecided", "207.incomplete", place, taken)
    if taken < NEEDED:
        return _not_taken(bare, installs, is_haste=is_haste)
    reads = [step for step in steps if step.kind == "read"]
    if not any(step.is_readable for step in reads):
        return replace(bare, code="207.unreadable") if reads else bare
    if not is_clean:
        return replace(bare, code=periods_doubts.NOT_CLEARED)
    return _came_back(bare, setting, trial, reads, earlier=earlier)


# ---------------------------------------------------------------- what was not taken
def _not_taken(bare: TrialFinding, installs: Sequence[Step], *, is_haste: bool) -> TrialFinding:
    """Twenty were not accepted: a deviation where fewer are, for then their number is what the station minds; unless
    it may have been how soon they came."""
    whole = [step for step in installs if step.periods == NEEDED]
    if not whole:
        return bare
    last = whole[-1]
    values = {**bare.values, "why": last.reason or last.outcome}
    if last.outcome == "unanswered":
        return replace(bare, code="207.no_answer", values=values)
    next_refused = any(
        step.periods == bare.taken + 1 and step.outcome != "accepted" and not _is_elsewhere(step)
        for step in installs
    )
    if bare.taken and next_refused and not is_haste and not _is_elsewhere(last):
        code = "207.refused" if bare.values["stated"] is None else "207.refused_stated"
        return replace(bare, verdict="deviation", code=code, values=values)
    if last.outcome == "failed" and last.reason.startswith(CANNOT):
        return replace(bare, verdict="deviation", code="207.cannot", values=values)
    return replace(bare, code="207.not_set", values=values)


def _is_elsewhere(step: Step) -> bool:
    """Whether the answer speaks of something else than the profile that was sent."""
    return step.outcome == "unanswered" or step.reason in NOT_ABOUT_PERIODS


# ---------------------------------------------------------------- what came back
def _came_back(
    bare: TrialFinding, setting: Setting, trial: Trial, reads: Sequence[Step], *, earlier: Sequence[Installed]
) -> TrialFinding:
    found = _best(bare, setting, trial, reads)
    if found.fits and found.seen == NEEDED:
        return _all_seen(found, reads)
    shown = found.fits and any(is_shown(setting, trial, step.evse, found.fits) for step in reads)
    if shown:
        unread = not all(step.is_readable for step in reads)
        return replace(found, code="207.unreadable" if unread else "207.incomplete")
    if found.fits or _left_out(setting, trial, reads):
        return replace(found, code="207.left_out_while_idle")
    if found.seen == NEEDED:
        return replace(found, code="207.odd")
    doubt = periods_doubts.doubt(setting, trial, reads, earlier=earlier)
    if doubt is not None:
        return replace(found, code=doubt.code, values={**found.values, **doubt.values})
    return replace(found, verdict="deviation", code="207.missing", values=_with_counts(found))


def _all_seen(found: TrialFinding, reads: Sequence[Step]) -> TrialFinding:
    """All twenty were seen: proof where one answer named them all, or where it is the answers that are short. A station
    that keeps no more than the next few periods names as few of them, and is no better than one that takes few."""
    values = _with_counts(found)
    if found.named == NEEDED:
        return replace(found, verdict="proven", code="207.proven", values=values)
    if is_cut_by_time(reads):
        return replace(found, verdict="proven", code="207.proven_in_parts", values=values)
    return replace(found, code="207.in_parts", values=values)


def _with_counts(found: TrialFinding) -> dict[str, Any]:
    return {**found.values, "seen": found.seen, "named": found.named}


def _best(bare: TrialFinding, setting: Setting, trial: Trial, reads: Sequence[Step]) -> TrialFinding:
    """What came back under the legal reading that explains most: all answers, and then the most periods."""
    best = bare
    for reading in legal(setting):
        fits = all(difference(setting, trial, step, reading) is None for step in reads)
        if not fits and best.fits:
            continue
        seen = seen_by_evse(setting, trial, reads, reading)
        least = min((len(periods) for periods in seen.values()), default=0)
        if best is not bare and (bool(best.fits), best.seen) >= (fits, least):
            continue
        best = replace(bare, seen=least, fits=reading if fits else None)
        best = replace(best, named=_most_named(setting, trial, reads, reading))
        if fits and least == NEEDED:
            break
    return best


def _most_named(setting: Setting, trial: Trial, reads: Iterable[Step], reading: Reading) -> int:
    return max((len(periods_in(setting, trial, step, reading)) for step in reads), default=0)


def _left_out(setting: Setting, trial: Trial, reads: Sequence[Step]) -> bool:
    """Whether the answers are as if the profile were not there, while no transaction runs (D9)."""
    if not all(setting.is_idle(step.evse) for step in reads):
        return False
    without = [replace(step, periods=0) for step in reads]
    return any(
        all(difference(setting, trial, step, reading) is None for step in without)
        for reading in legal(setting)
    )


# ---------------------------------------------------------------- the whole probe
def judge(
    setting: Setting, trials: Sequence[Trial], steps: Sequence[Step], *, stated: int | None = None
) -> Finding:
    """The verdict of the probe: each trial is judged, the worst counts, and one that is missing decides nothing."""
    findings = [
        judge_trial(
            setting,
            trial,
            [step for step in steps if step.trial == number],
            stated=stated,
            earlier=_installed(setting, trials[:number], steps),
            is_clean=not any(_is_left(step) for step in steps if step.trial < number),
        )
        for number, trial in enumerate(trials)
    ]
    ranks = {"deviation": 0, "undecided": 1, "proven": 2}
    # Of two proofs the one in parts says more.
    worst = min(
        findings,
        key=lambda found: (ranks[found.verdict], found.named if found.verdict == "proven" else 0),
        default=None,
    )
    counted = {id(step) for step in settled(steps)}
    judged = tuple(
        _judged(setting, trials[step.trial], findings[step.trial], step, counts=id(step) in counted)
        for step in steps
    )
    if worst is None:
        return Finding("undecided", "207.incomplete", {"purpose": "", "evse": 0}, (), judged)
    figures = tuple(periods_figures.figures(setting, trials, findings, stated=stated))
    return Finding(worst.verdict, worst.code, worst.values, figures, judged)


def _installed(setting: Setting, trials: Sequence[Trial], steps: Sequence[Step]) -> list[Installed]:
    """The profiles of these trials as they were set last."""
    stood = {
        step.trial: trials[step.trial].installed(setting, periods=step.periods, start=step.start)
        for step in steps
        if step.kind == "install" and step.outcome == "accepted" and step.trial < len(trials)
    }
    return list(stood.values())


def _is_left(step: Step) -> bool:
    return step.kind == "clear" and step.outcome != "accepted"


def _judged(setting: Setting, trial: Trial, finding: TrialFinding, step: Step, *, counts: bool) -> JudgedStep:
    """`counts` False: it was asked again, and the later answer decides."""
    if step.kind != "read":
        if not counts:
            return JudgedStep(None)
        return JudgedStep(step.outcome == "accepted" if step.outcome in {"accepted", "refused"} else None)
    reading = finding.fits or next(legal(setting))
    wanted = expected(setting, trial, step, reading)
    holds: bool | None = None
    if counts and step.reported and step.is_readable and finding.code not in NOTHING_EXPECTED:
        within = tolerance(setting, step.reported.unit)
        holds = composites.first_difference(wanted, step.reported, within) is None
        if not holds and difference(setting, trial, step, reading) is None:
            holds = None  # it names the first periods only: no contradiction, and no confirmation of the rest
    return JudgedStep(holds, tuple((p.start_s, p.limit, p.phases) for p in wanted.periods))


def describe(setting: Setting, trial: Trial, step: Step) -> tuple[str, dict[str, Any]]:
    """What a step did, as the code and the values of its sentence."""
    limits = trial.limits[: step.periods]
    values: dict[str, Any] = {
        "purpose": asking.purpose_on_wire(trial.place.purpose, ocpp=setting.version),
        "evse": step.evse,
        "periods": step.periods,
        "unit": trial.unit,
        "lowest": asking.short(min(limits)),
        "highest": asking.short(max(limits)),
        "first": current_period(step) + 1,
    }
    return f"step.periods_{step.kind}", values


# ---------------------------------------------------------------- what the configuration says
def judge_stated(*, max_periods: int | None) -> Finding | None:
    """Substantiated where the station states twenty or more. None: it states nothing, so there is nothing to keep."""
    if max_periods is None:
        return None
    figure = periods_figures.stated_figure(max_periods)
    if max_periods < NEEDED:
        return Finding("undecided", "207.states_too_little", {"stated": max_periods}, (figure,))
    return Finding("substantiated", "207.states_enough", {"stated": max_periods}, (figure,))
