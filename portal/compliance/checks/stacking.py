"""Requirement 206: at least six charging profiles of one kind, stacked. Pure.

The probe (stacking_plan.py) sets levels 0 to 5 so that each has a window of its own in the composite schedule, reads,
clears from the top and reads each time. Here its steps are judged.

Fairness (requirements.md): a deviation only where a level is refused, or where the answers fit no legal reading of the
standard. A TxDefaultProfile that is left out while no transaction runs is allowed (D9), so nothing is proven then, and
neither is anything decided where an innocent habit of the station explains the answers (stacking_doubts.py). What was
asked twice counts as it was answered last: stations take in a profile with some delay.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

from django.utils.translation import gettext_noop

from portal.compliance.checks import stacking_doubts
from portal.compliance.checks.findings import Figure, Finding, JudgedStep
from portal.compliance.checks.readings import Reading, Setting, convert, legal, shows, tolerance
from portal.compliance.checks.stacking_plan import LEVELS, Stack
from portal.compliance.checks.stacking_readings import Step, difference, expected, fits, settled
from smartcharging.domain import asking
from smartcharging.domain.profiles import Purpose

CODE = "206"
ENGINE = "206 stacking 1.1"
NEEDED = len(LEVELS)

# What is counted per purpose, how many are needed, and the rule in words.
FIGURES = (
    ("accepted", NEEDED, gettext_noop("at least 6")),
    ("seen", NEEDED, gettext_noop("at least 6")),
    ("returned", NEEDED - 1, gettext_noop("all 5 below the top")),
)
NAMES = {
    "accepted_station_max": gettext_noop("Limit of the station: levels accepted"),
    "seen_station_max": gettext_noop("Limit of the station: levels that showed"),
    "returned_station_max": gettext_noop("Limit of the station: levels that took over"),
    "accepted_tx_default": gettext_noop("Default per session: levels accepted"),
    "seen_tx_default": gettext_noop("Default per session: levels that showed"),
    "returned_tx_default": gettext_noop("Default per session: levels that took over"),
}

# 2.x reason codes that speak of a profile that is there already, or of haste: not of the number of levels.
NOT_ABOUT_LEVELS = frozenset({"DuplicateProfile", "RateLimitExceeded", "TxNotFound"})
# Undecided in a way that leaves open what each answer should have been.
NOTHING_EXPECTED = frozenset({"206.left_out_while_idle", *stacking_doubts.CODES})
# CALLERRORs by which a station says that it cannot do it at all.
CANNOT = ("NotImplemented", "NotSupported")


# ---------------------------------------------------------------- one stack
@dataclass(frozen=True, slots=True)
class StackFinding:
    """What the steps of one stack say. `fits`: the legal reading that explains all answers, if one does."""

    verdict: Literal["proven", "deviation", "undecided"]
    code: str
    values: Mapping[str, Any] = field(default_factory=dict)
    accepted: int = 0
    seen: int = 0
    returned: int = 0
    fits: Reading | None = None


def judge_stack(setting: Setting, stack: Stack, number: int, steps: Sequence[Step]) -> StackFinding:
    """The verdict on one stack from its own `steps`, in order."""
    steps = settled(steps)
    installs = [step for step in steps if step.kind == "install"]
    accepted = sum(step.outcome == "accepted" for step in installs)
    shown = _levels_shown(setting, stack, steps)
    reads = [step for step in steps if step.kind == "read"]
    seen = len({item.level for item in shown})
    returned = len(_returned(shown))
    place = {
        "purpose": asking.purpose_on_wire(stack.place.purpose, ocpp=setting.version),
        "evse": stack.place.evse,
        "accepted": accepted,
        "seen": seen,
    }
    bare = StackFinding("undecided", "206.incomplete", place, accepted, seen, returned)
    for step in installs:
        if step.outcome != "accepted":
            return _not_set(bare, step)
    readable = [step for step in reads if step.reported and step.reported.is_readable]
    if not readable:
        return replace(bare, code="206.unreadable") if reads else bare
    fitting = [reading for reading in legal(setting) if fits(setting, stack, number, readable, reading)]
    showing = [reading for reading in fitting if shows(setting, stack.place, reading)]
    if showing:
        complete = len(installs) == seen == NEEDED and returned == NEEDED - 1
        if complete:
            return replace(bare, verdict="proven", code="206.proven", fits=showing[0])
        unread = len(readable) < len(reads)
        return replace(bare, code="206.unreadable" if unread else "206.incomplete", fits=showing[0])
    if fitting or _left_out(setting, stack, number, readable):
        return replace(bare, code="206.left_out_while_idle", fits=fitting[0] if fitting else None)
    doubt = stacking_doubts.doubt(setting, stack, number, steps)
    if doubt is not None:
        return replace(bare, code=doubt.code, values={**bare.values, **doubt.values})
    return _contradicted(bare, stack, steps, shown)


def _not_set(bare: StackFinding, step: Step) -> StackFinding:
    """A level that was not accepted: a refusal contradicts the requirement, silence and other trouble do not."""
    values = {**bare.values, "level": step.level, "why": step.reason or step.outcome}
    if step.outcome == "unanswered":
        return replace(bare, code="206.no_answer", values=values)
    refused = step.outcome == "refused" and step.reason not in NOT_ABOUT_LEVELS
    if refused or (step.outcome == "failed" and step.reason.startswith(CANNOT)):
        return replace(bare, verdict="deviation", code="206.refused", values=values)
    return replace(bare, code="206.not_set", values=values)


def _left_out(setting: Setting, stack: Stack, number: int, reads: Sequence[Step]) -> bool:
    """Whether the answers are as if the stack were not there, while no transaction runs (D9)."""
    if not all(setting.is_idle(step.evse) for step in reads):
        return False
    bare = [replace(step, levels=()) for step in reads]
    return any(fits(setting, stack, number, bare, reading) for reading in legal(setting))


class Shown(NamedTuple):
    """A level whose limit stood in a window of its own, in one reading. `leads`: it was the highest that stood."""

    level: int
    leads: bool


def _returned(shown: set[Shown]) -> set[int]:
    """Levels that were seen to lead after all above them were cleared."""
    return {item.level for item in shown if item.leads and item.level < max(LEVELS)}


def _levels_shown(setting: Setting, stack: Stack, steps: Sequence[Step]) -> set[Shown]:
    """The levels that showed where the stack is read at every step."""
    shown = set()
    for step in steps:
        if step.kind != "read" or step.reported is None or step.evse != stack.place.read_on[0]:
            continue
        begin = step.reported.start.timestamp()
        for level in sorted(step.levels, reverse=True):
            end = min(stack.end_of(level).timestamp(), step.reported.end.timestamp())
            limit = step.reported.limit_at((begin + end) / 2) if end > begin else math.nan
            own = stack.levels[level].limit
            wanted = convert(own, unit=stack.unit, to=step.reported.unit, phases=setting.phases)
            if tolerance(setting, step.reported.unit).same(wanted, limit):
                shown.add(Shown(level, level == max(step.levels)))
            begin = max(begin, end)
    return shown


def _contradicted(bare: StackFinding, stack: Stack, steps: Sequence[Step], shown: set[Shown]) -> StackFinding:
    """A deviation, in the words that tell most: the first level that did not come back, else what did not show."""
    after = _returned(shown)
    cleared = sorted((step.level or 0 for step in steps if step.kind == "clear"), reverse=True)
    for level in cleared:
        if level > 0 and level - 1 not in after:
            values = {**bare.values, "cleared": level, "level": level - 1}
            return replace(bare, verdict="deviation", code="206.does_not_return", values=values)
    code = "206.does_not_show" if bare.seen < NEEDED else "206.fits_nothing"
    return replace(bare, verdict="deviation", code=code)


# ---------------------------------------------------------------- the whole probe
def judge(setting: Setting, stacks: Sequence[Stack], steps: Sequence[Step]) -> Finding:
    """The verdict of the probe: each stack is judged, the worst counts, and one that is missing decides nothing."""
    findings = [
        judge_stack(setting, stack, number, [step for step in steps if step.stack == number])
        for number, stack in enumerate(stacks)
    ]
    ranks = {"deviation": 0, "undecided": 1, "proven": 2}
    worst = min(findings, key=lambda finding: ranks[finding.verdict], default=None)
    counted = {id(step) for step in settled(steps)}
    judged = tuple(
        _judged(setting, stacks[step.stack], findings[step.stack], step, counts=id(step) in counted)
        for step in steps
    )
    if worst is None:
        return Finding("undecided", "206.incomplete", {"purpose": "", "evse": 0}, (), judged)
    figures = tuple(_figures(setting, stacks, findings))
    return Finding(worst.verdict, worst.code, worst.values, figures, judged)


def _judged(setting: Setting, stack: Stack, finding: StackFinding, step: Step, *, counts: bool) -> JudgedStep:
    """`counts` False: it was asked again, and the later answer decides."""
    if step.kind != "read":  # a clear that is Unknown after Accepted: the station had dropped it
        if not counts:
            return JudgedStep(None)
        return JudgedStep(step.outcome == "accepted" if step.outcome in {"accepted", "refused"} else None)
    reading = finding.fits or next(legal(setting))
    wanted = expected(setting, stack, step.stack, step, reading)
    holds: bool | None = None
    is_readable = step.reported is not None and step.reported.is_readable
    if counts and is_readable and finding.code not in NOTHING_EXPECTED:
        holds = difference(setting, stack, step.stack, step, reading) is None
    return JudgedStep(holds, tuple((p.start_s, p.limit, p.phases) for p in wanted.periods))


def _figures(setting: Setting, stacks: Sequence[Stack], findings: Sequence[StackFinding]) -> Iterator[Figure]:
    """Per purpose the least of its stacks: one EVSE that takes five levels is enough to miss six."""
    for purpose, key in ((Purpose.STATION_MAX, "station_max"), (Purpose.TX_DEFAULT, "tx_default")):
        of_purpose = [
            finding for stack, finding in zip(stacks, findings, strict=True) if stack.place.purpose is purpose
        ]
        if not of_purpose:
            continue
        undecided = any(finding.code in NOTHING_EXPECTED for finding in of_purpose)
        for what, needed, rule in FIGURES:
            least = min(getattr(finding, what) for finding in of_purpose)
            holds = None if undecided and what != "accepted" else least >= needed
            name = NAMES[f"{what}_{key}"]
            yield Figure(f"levels_{what}_{key}", name, least, gettext_noop("levels"), rule, holds)


def describe(setting: Setting, stack: Stack, step: Step) -> tuple[str, dict[str, Any]]:
    """What a step did, as the code and the values of its sentence."""
    values: dict[str, Any] = {
        "purpose": asking.purpose_on_wire(stack.place.purpose, ocpp=setting.version),
        "evse": step.evse,
        "level": step.level,
        "unit": stack.unit,
        "levels": ", ".join(str(level) for level in sorted(step.levels, reverse=True)),
    }
    if step.level is not None:
        values["limit"] = asking.short(stack.levels[step.level].limit)
        values["until"] = stack.end_of(step.level).isoformat()
    return f"step.{step.kind}", values


# ---------------------------------------------------------------- what the configuration says
def judge_configuration(*, max_stack_level: int | None, max_profiles: int | None) -> Finding | None:
    """Substantiated where the station states enough: ChargeProfileMaxStackLevel (the highest level, counted from 0)
    and MaxChargingProfilesInstalled. Some stations mean a count by the first: only a probe can tell. None: it states
    nothing, so there is nothing to keep."""
    if max_stack_level is None:
        return None
    figures = [
        Figure(
            "max_stack_level",
            gettext_noop("Highest stack level stated"),
            max_stack_level,
            "",
            gettext_noop("at least 5"),
            max_stack_level >= 5,
        )
    ]
    if max_profiles is not None:
        figures.append(
            Figure(
                "max_profiles",
                gettext_noop("Room for profiles stated"),
                max_profiles,
                "",
                gettext_noop("at least 6"),
                max_profiles >= NEEDED,
            )
        )
    values = {"level": max_stack_level, "profiles": "?" if max_profiles is None else max_profiles}
    if not all(figure.holds for figure in figures):
        return Finding("undecided", "206.states_too_little", values, tuple(figures))
    code = "206.states_level" if max_profiles is None else "206.states_enough"
    return Finding("substantiated", code, values, tuple(figures))
