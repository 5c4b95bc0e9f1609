"""What the probe of requirement 206 asked and heard, and what each legal reading of the standard expects. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from portal.compliance.checks import composites, readings
from portal.compliance.checks.composites import Reported
from portal.compliance.checks.readings import Outcome, Reading, Setting, tolerance
from portal.compliance.checks.stacking_plan import Stack


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


def expected(setting: Setting, stack: Stack, number: int, step: Step, reading: Reading) -> Reported:
    """The composite that `step` should have reported under `reading`, over the time and in the unit it reported."""
    reported = step.reported or Reported("unanswered", step.at)
    levels = [stack.installed(level) for level in stack.levels if level.level in step.levels]
    return readings.composite_of(
        setting, evse=step.evse, reported=reported, reading=reading, probed=levels, part=number
    )


def settled(steps: Sequence[Step]) -> list[Step]:
    """The steps without those that were repeated at once: what was asked again counts as it was answered last."""
    return [step for step, later in itertools.zip_longest(steps, steps[1:]) if not _repeats(later, step)]


def _repeats(later: Step | None, step: Step) -> bool:
    if later is None or step.kind == "clear" or (step.outcome == "accepted" and step.kind == "install"):
        return False
    return _asked(later) == _asked(step)


def _asked(step: Step) -> tuple[str, int, int, int | None, tuple[int, ...]]:
    return step.kind, step.stack, step.evse, step.level, step.levels


def fits(setting: Setting, stack: Stack, number: int, reads: Sequence[Step], reading: Reading) -> bool:
    return all(difference(setting, stack, number, step, reading) is None for step in reads)


def difference(setting: Setting, stack: Stack, number: int, step: Step, reading: Reading) -> float | None:
    if step.reported is None or not step.reported.is_readable:
        return None
    wanted = expected(setting, stack, number, step, reading)
    return composites.first_difference(wanted, step.reported, tolerance(setting, step.reported.unit))


def is_as_expected(setting: Setting, stack: Stack, number: int, step: Step) -> bool:
    """Whether a reading that puts the stack into the composite explains this one answer."""
    is_readable = step.reported is not None and step.reported.is_readable
    return is_readable and any(
        readings.shows(setting, stack.place, reading)
        and difference(setting, stack, number, step, reading) is None
        for reading in readings.legal(setting)
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
