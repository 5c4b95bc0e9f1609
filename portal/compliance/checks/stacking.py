"""Requirement 206: at least six charging profiles of one kind, stacked. Pure.

The probe (stacking_plan.py) sets levels 0 to 5 so that each has a window of its own in the composite schedule, reads,
clears from the top and reads each time. Here its steps are judged.

Fairness (requirements.md): a deviation only where a level is refused, or where the answers fit no legal reading of the
standard. A TxDefaultProfile that is left out while no transaction runs is allowed (D9), so nothing is proven then.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, NamedTuple, cast

from django.utils.translation import gettext_noop

from portal.compliance.checks import composites, stacking_plan
from portal.compliance.checks.composites import Period, Reported, Tolerance
from portal.compliance.checks.findings import Figure, Finding, JudgedStep
from portal.compliance.checks.stacking_plan import LEVELS, Stack
from smartcharging.domain import asking
from smartcharging.domain.profiles import (
    Installed,
    LocalLimit,
    Policy,
    Purpose,
    Transaction,
    Unit,
    Version,
    policy_for,
)
from smartcharging.domain.schedule import composite_schedule
from smartcharging.domain.wire import parse_profile

CODE = "206"
ENGINE = "206 stacking 1.0"
NEEDED = len(LEVELS)
NOMINAL_V = 230.0

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

Outcome = Literal["accepted", "refused", "failed", "unanswered"]
# 2.x reason codes that speak of a profile that is there already, or of haste: not of the number of levels.
NOT_ABOUT_LEVELS = frozenset({"DuplicateProfile", "RateLimitExceeded", "TxNotFound"})
# CALLERRORs by which a station says that it cannot do it at all.
CANNOT = ("NotImplemented", "NotSupported")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing asked of the station. `levels` are those that stood on it when it was asked.

    kind install, clear: `level`, `outcome`, `reason` (the station's code). kind read: `evse`, `reported`.
    """

    kind: Literal["install", "read", "clear"]
    stack: int
    at: datetime
    levels: tuple[int, ...]
    level: int | None = None
    evse: int = 0
    outcome: Outcome = "accepted"
    reason: str = ""
    reported: Reported | None = None
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """A profile of our own on the station, as it was sent. `without`: stacks for which it was taken away."""

    evse: int
    profile: Mapping[str, Any]
    without: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """What the station is and what stood on it. `ceiling`: all limits of the probe lie below it, in `unit`."""

    version: str
    evses: tuple[int, ...]
    phases: int
    unit: Unit
    ceiling: float
    standing: tuple[Standing, ...] = ()
    transactions: tuple[Transaction, ...] = ()

    def is_idle(self, evse: int) -> bool:
        """No transaction runs on `evse`; for 0: on any."""
        return not any(evse in {0, transaction.evse} for transaction in self.transactions)


class Reading(NamedTuple):
    """A legal reading of the standard: the policy, and the phases that a limit in W is taken to be divided over."""

    policy: Policy
    phases: int


def readings(setting: Setting) -> Iterator[Reading]:
    """All legal readings, our own first: D6, D8 and D9, D12, D14 of composite-schedule.md."""
    ours = policy_for(_schedule_version(setting))
    for simulate, conversion, summed, rounding, phases in itertools.product(
        (True, False),
        ("own_phases", "common_phases"),
        ("unit_first", "everest"),
        ("down", "none"),
        dict.fromkeys((3, setting.phases)),
    ):
        yield Reading(
            replace(
                ours,
                simulate_transaction=simulate,
                unit_conversion=conversion,
                station_sum=summed,
                rounding=rounding,
            ),
            phases,
        )


def expected(setting: Setting, stack: Stack, number: int, step: Step, reading: Reading) -> Reported:
    """The composite that `step` should have reported under `reading`, over the time and in the unit it reported."""
    installed = _standing(setting, number)
    installed += [stack.installed(level) for level in stack.levels if level.level in step.levels]
    reported = step.reported or Reported("unanswered", step.at)
    return _composite(setting, installed, evse=step.evse, reported=reported, reading=reading)


def composite_of(setting: Setting, *, evse: int, reported: Reported, reading: Reading) -> Reported:
    """The composite without any profile of the probe: what stands by our own records."""
    return _composite(setting, _standing(setting, None), evse=evse, reported=reported, reading=reading)


def _composite(
    setting: Setting, installed: Sequence[Installed], *, evse: int, reported: Reported, reading: Reading
) -> Reported:
    composite = composite_schedule(
        installed=installed,
        now=reported.start,
        duration_s=max(1, int(reported.duration_s)),
        unit=cast(Unit, reported.unit or setting.unit),
        evse=evse,
        evse_count=len(setting.evses),
        transactions=setting.transactions,
        defaults=LocalLimit(nominal_voltage=NOMINAL_V, phases=reading.phases),
        policy=reading.policy,
    )
    periods = tuple(Period(*period) for period in composite.periods)
    return Reported("read", composite.start, composite.duration_s, composite.unit, periods)


def _standing(setting: Setting, number: int | None) -> list[Installed]:
    version = _schedule_version(setting)
    return [
        Installed(parse_profile(dict(item.profile), version), item.evse)
        for item in setting.standing
        if number not in item.without
    ]


def _schedule_version(setting: Setting) -> Version:
    return "1.6" if setting.version == "1.6" else "2.0.1"


def tolerance(setting: Setting, unit: str) -> Tolerance:
    """A tenth of an ampere per phase, also for a station that computes in A and answers in W (D14)."""
    free = convert(setting.ceiling, unit=setting.unit, to=unit, phases=setting.phases)
    return Tolerance(within=convert(0.1, unit="A", to=unit, phases=setting.phases), free=free)


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
    installs = [step for step in steps if step.kind == "install"]
    accepted = sum(step.outcome == "accepted" for step in installs)
    shown = _levels_shown(setting, stack, steps)
    reads = [step for step in steps if step.kind == "read"]
    seen = len({item.level for item in shown})
    returned = len(_returned(shown))
    place = {
        "purpose": stacking_plan.wire_purpose(stack.place.purpose, setting.version),
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
    fitting = [reading for reading in readings(setting) if _fits(setting, stack, number, readable, reading)]
    showing = [reading for reading in fitting if _shows(setting, stack, reading)]
    if showing:
        complete = len(installs) == seen == NEEDED and returned == NEEDED - 1
        if complete:
            return replace(bare, verdict="proven", code="206.proven", fits=showing[0])
        unread = len(readable) < len(reads)
        return replace(bare, code="206.unreadable" if unread else "206.incomplete", fits=showing[0])
    if fitting or _left_out(setting, stack, number, readable):
        return replace(bare, code="206.left_out_while_idle", fits=fitting[0] if fitting else None)
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


def _fits(setting: Setting, stack: Stack, number: int, reads: Sequence[Step], reading: Reading) -> bool:
    return all(_difference(setting, stack, number, step, reading) is None for step in reads)


def _difference(setting: Setting, stack: Stack, number: int, step: Step, reading: Reading) -> float | None:
    if step.reported is None or not step.reported.is_readable:
        return None
    wanted = expected(setting, stack, number, step, reading)
    return composites.first_difference(wanted, step.reported, tolerance(setting, step.reported.unit))


def _shows(setting: Setting, stack: Stack, reading: Reading) -> bool:
    """Whether this reading puts the stack into the composite at all: D9 decides where no transaction runs."""
    if stack.place.purpose is Purpose.STATION_MAX or reading.policy.simulate_transaction:
        return True
    return not any(setting.is_idle(evse) for evse in stack.place.read_on)


def _left_out(setting: Setting, stack: Stack, number: int, reads: Sequence[Step]) -> bool:
    """Whether the answers are as if the stack were not there, while no transaction runs (D9)."""
    if not all(setting.is_idle(step.evse) for step in reads):
        return False
    bare = [replace(step, levels=()) for step in reads]
    return any(_fits(setting, stack, number, bare, reading) for reading in readings(setting))


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


def convert(limit: float, *, unit: str, to: str, phases: int) -> float:
    """A limit per phase in A and in total in W are the same at the nominal voltage (1.6 7.14)."""
    if unit == to or not unit or not to:
        return limit
    return limit * NOMINAL_V * phases if to == "W" else limit / (NOMINAL_V * phases)


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
    judged = tuple(_judged(setting, stacks[step.stack], findings[step.stack], step) for step in steps)
    if worst is None:
        return Finding("undecided", "206.incomplete", {"purpose": "", "evse": 0}, (), judged)
    figures = tuple(_figures(setting, stacks, findings))
    return Finding(worst.verdict, worst.code, worst.values, figures, judged)


def _judged(setting: Setting, stack: Stack, finding: StackFinding, step: Step) -> JudgedStep:
    if step.kind == "install":
        return JudgedStep(step.outcome == "accepted" if step.outcome in {"accepted", "refused"} else None)
    if step.kind == "clear":  # Unknown after Accepted: the station had dropped it
        return JudgedStep(step.outcome == "accepted" if step.outcome in {"accepted", "refused"} else None)
    reading = finding.fits or next(readings(setting))
    wanted = expected(setting, stack, step.stack, step, reading)
    holds: bool | None = None
    if step.reported is not None and step.reported.is_readable and finding.code != "206.left_out_while_idle":
        holds = _difference(setting, stack, step.stack, step, reading) is None
    return JudgedStep(holds, tuple((p.start_s, p.limit, p.phases) for p in wanted.periods))


def _figures(setting: Setting, stacks: Sequence[Stack], findings: Sequence[StackFinding]) -> Iterator[Figure]:
    """Per purpose the least of its stacks: one EVSE that takes five levels is enough to miss six."""
    for purpose, key in ((Purpose.STATION_MAX, "station_max"), (Purpose.TX_DEFAULT, "tx_default")):
        of_purpose = [
            finding for stack, finding in zip(stacks, findings, strict=True) if stack.place.purpose is purpose
        ]
        if not of_purpose:
            continue
        undecided = any(finding.code == "206.left_out_while_idle" for finding in of_purpose)
        for what, needed, rule in FIGURES:
            least = min(getattr(finding, what) for finding in of_purpose)
            holds = None if undecided and what != "accepted" else least >= needed
            name = NAMES[f"{what}_{key}"]
            yield Figure(f"levels_{what}_{key}", name, least, gettext_noop("levels"), rule, holds)


def describe(setting: Setting, stack: Stack, step: Step) -> tuple[str, dict[str, Any]]:
    """What a step did, as the code and the values of its sentence."""
    values: dict[str, Any] = {
        "purpose": stacking_plan.wire_purpose(stack.place.purpose, setting.version),
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


# ---------------------------------------------------------------- as JSON, in evidence
def setting_to_json(setting: Setting) -> dict[str, Any]:
    stored = asdict(setting)
    stored["transactions"] = [
        {"id": item.id, "evse": item.evse, "start": item.start.isoformat()} for item in setting.transactions
    ]
    return stored


def setting_from_json(stored: Mapping[str, Any]) -> Setting:
    return Setting(
        version=stored["version"],
        evses=tuple(stored["evses"]),
        phases=stored["phases"],
        unit=stored["unit"],
        ceiling=stored["ceiling"],
        standing=tuple(
            Standing(item["evse"], item["profile"], tuple(item["without"])) for item in stored["standing"]
        ),
        transactions=tuple(
            Transaction(item["id"], item["evse"], datetime.fromisoformat(item["start"]))
            for item in stored["transactions"]
        ),
    )


def step_to_json(step: Step) -> dict[str, Any]:
    return {
        "kind": step.kind,
        "stack": step.stack,
        "at": step.at.isoformat(),
        "levels": list(step.levels),
        "level": step.level,
        "evse": step.evse,
        "outcome": step.outcome,
        "reason": step.reason,
        "reported": composites.to_json(step.reported) if step.reported else None,
        "message_id": step.message_id,
    }


def step_from_json(stored: Mapping[str, Any]) -> Step:
    return Step(
        kind=stored["kind"],
        stack=stored["stack"],
        at=datetime.fromisoformat(stored["at"]),
        levels=tuple(stored["levels"]),
        level=stored["level"],
        evse=stored["evse"],
        outcome=stored["outcome"],
        reason=stored["reason"],
        reported=composites.from_json(stored["reported"]) if stored["reported"] else None,
        message_id=stored["message_id"],
    )
