"""The checks, one module per requirement: what is asked of a station, and how its answers are judged. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.compliance.checks import stacking, stacking_plan, stacking_readings
from portal.compliance.checks.findings import Finding

Judge = Callable[[Mapping[str, Any], Sequence[Mapping[str, Any]]], Finding]


@dataclass(frozen=True, slots=True)
class Check:
    """How one requirement is judged. `judge` takes what evidence stores: the set-up of the probe, and its steps."""

    code: str
    engine: str
    judge: Judge


def _judge_206(probe: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> Finding:
    return stacking.judge(
        stacking_readings.setting_from_json(probe["setting"]),
        [stacking_plan.from_json(stack) for stack in probe["stacks"]],
        [stacking_readings.step_from_json(step) for step in steps],
    )


CHECKS = {stacking.CODE: Check(stacking.CODE, stacking.ENGINE, _judge_206)}
