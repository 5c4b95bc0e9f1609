"""The checks, one module per requirement: what is asked of a station, and how its answers are judged. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.compliance.checks import (
    periods,
    periods_plan,
    periods_readings,
    readings,
    registers,
    registers_look,
    registers_samples,
    registers_stated,
    stacking,
    stacking_plan,
    stacking_readings,
)
from portal.compliance.checks.findings import Finding

Judge = Callable[[Mapping[str, Any], Sequence[Mapping[str, Any]]], Finding]
JudgeStated = Callable[[Mapping[str, Any]], Finding | None]


@dataclass(frozen=True, slots=True)
class Check:
    """How one requirement is judged, from what evidence stores, so that it can be judged again.

    `judge` takes the `configuration` of a piece of evidence and its `steps`; `reads` is the part of the configuration
    that it cannot do without. `judge_stated` takes the capabilities that a station states (equipment.py); it gives
    None where these say nothing of the requirement.
    """

    code: str
    engine: str
    judge: Judge
    reads: str = "probe"
    judge_stated: JudgeStated | None = None


def _judge_206(configuration: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> Finding:
    probe = configuration["probe"]
    return stacking.judge(
        readings.setting_from_json(probe["setting"]),
        [stacking_plan.from_json(stack) for stack in probe["stacks"]],
        [stacking_readings.step_from_json(step) for step in steps],
    )


def _stated_206(capabilities: Mapping[str, Any]) -> Finding | None:
    return stacking.judge_configuration(
        max_stack_level=capabilities.get("max_stack_level"), max_profiles=capabilities.get("max_profiles")
    )


def _judge_207(configuration: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> Finding:
    probe = configuration["probe"]
    return periods.judge(
        readings.setting_from_json(probe["setting"]),
        [periods_plan.from_json(trial) for trial in probe["trials"]],
        [periods_readings.step_from_json(step) for step in steps],
        stated=probe["stated"],
    )


def _stated_207(capabilities: Mapping[str, Any]) -> Finding | None:
    return periods.judge_stated(max_periods=capabilities.get("max_periods"))


def _judge_211(configuration: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> Finding:
    return registers.judge(
        registers_look.setting_from_json(configuration["observation"]),
        [registers_samples.from_json(step) for step in steps],
    )


_CHECKS = (
    Check(stacking.CODE, stacking.ENGINE, _judge_206, judge_stated=_stated_206),
    Check(periods.CODE, periods.ENGINE, _judge_207, judge_stated=_stated_207),
    Check(
        registers.CODE,
        registers.ENGINE,
        _judge_211,
        reads="observation",
        judge_stated=registers_stated.judge_stated,
    ),
)
CHECKS = {check.code: check for check in _CHECKS}
