"""The live probe of requirement 206: six levels of each kind set, read, cleared from the top, and read each time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from portal.compliance import preparing, restoring
from portal.compliance.checks import readings, stacking, stacking_plan, stacking_readings
from portal.compliance.checks.findings import Finding
from portal.compliance.checks.readings import Place, Setting, first_id_of
from portal.compliance.checks.stacking_plan import LEVELS, Level, Stack
from portal.compliance.checks.stacking_readings import Step
from portal.compliance.conversation import Conversation, Stopped, outcome_of, reason_of
from smartcharging.domain.profiles import Purpose
from stations.models import Command

# Seconds before each try. Stations take in a profile, and show it, with some delay.
ASK_AGAIN_S = (0, 3)
READ_AGAIN_S = (0, 1, 4)


@dataclass(slots=True)
class StackingProbe:
    """The probe as it goes: what it set so far, and the steps that the judge gets."""

    talk: Conversation
    setting: Setting = field(init=False)
    stacks: list[Stack] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    limits: tuple[float, ...] = ()
    _first_id: int = 0
    _waited: set[int] = field(default_factory=set)

    def run(self) -> None:
        """Everything up to the restore, which the caller does in any case. Raises Stopped."""
        prepared = self._prepare()
        places = stacking_plan.places(self.setting.evses, station_shows=prepared.station_shows)
        self._first_id = first_id_of(self.talk.probe.pk, needed=len(places) * len(LEVELS))
        for purpose in (Purpose.STATION_MAX, Purpose.TX_DEFAULT):
            own = preparing.own_profiles(self.talk, purpose)
            of_purpose = [place for place in places if place.purpose is purpose]
            first = len(self.stacks)
            parts = tuple(range(first, first + len(of_purpose)))
            self.setting = preparing.leave_out(self.setting, own, parts=parts)
            restoring.withdraw(self.talk, own)
            for place in of_purpose:
                self._probe_place(place)
            restoring.put_back(self.talk)

    def _prepare(self) -> preparing.Prepared:
        """Look before anything is touched: is it safe, is what stands ours, is there room (requirements.md, 206)?"""
        prepared = preparing.look(self.talk)
        self.setting = prepared.setting
        ceiling, unit = self.setting.ceiling, self.setting.unit
        limits = stacking_plan.limits_below(ceiling, unit)
        if limits is None:
            raise Stopped("probe.no_room", limit=f"{ceiling:g}", unit=unit)
        self.limits = limits
        preparing.remember(self.talk, prepared)
        return prepared

    def _probe_place(self, place: Place) -> None:
        number = len(self.stacks)
        stack = stacking_plan.stack_at(
            place,
            start=self.talk.now() - timedelta(seconds=stacking_plan.LEAD_S),
            unit=self.setting.unit,
            limits=self.limits,
            first_id=self._first_id + number * len(LEVELS),
        )
        self.stacks.append(stack)
        ids = [level.profile_id for level in stack.levels]
        self.talk.remember(left=[*self.talk.probe.before.get("left", []), *ids])
        standing: list[Level] = []
        for level in stack.levels:
            if not self._install(number, stack, level, standing):
                return  # what was set so far is cleared with the rest, when all is put back
            standing.append(level)
        for evse in place.read_on:
            self._read(number, stack, evse, standing)
        while standing:
            self._clear(number, stack, standing.pop(), standing)
            if standing:
                self._read(number, stack, place.read_on[0], standing)

    def _install(self, number: int, stack: Stack, level: Level, standing: list[Level]) -> bool:
        version = self.talk.station.ocpp_version
        payload = stacking_plan.set_payload(stack, level, version=version)
        for wait_s in ASK_AGAIN_S:  # a station that is busy refuses too, and 1.6 has no word for why
            self.talk.sleep(wait_s) if wait_s else None
            command = self.talk.ask("SetChargingProfile", payload)
            step = self._step("install", number, command, standing, level=level.level, evse=stack.place.evse)
            self._keep(step, stack)
            if step.outcome == "accepted":
                return True
        return False

    def _clear(self, number: int, stack: Stack, level: Level, standing: list[Level]) -> None:
        command = restoring.clear(self.talk, level.profile_id)
        self._keep(
            self._step("clear", number, command, standing, level=level.level, evse=stack.place.evse), stack
        )

    def _read(self, number: int, stack: Stack, evse: int, standing: list[Level]) -> None:
        """Read until the answer is as expected, but wait only once in a stack for one that never is."""
        for wait_s in (0,) if number in self._waited else READ_AGAIN_S:
            self.talk.sleep(wait_s) if wait_s else None
            step = self._read_once(number, stack, evse, standing)
            if stacking_readings.is_as_expected(self.setting, stack, number, step):
                return
        self._waited.add(number)

    def _read_once(self, number: int, stack: Stack, evse: int, standing: list[Level]) -> Step:
        reported, command = restoring.read_composite(
            self.talk, evse, self.setting.unit, stacking_plan.ASKED_S
        )
        step = replace(self._step("read", number, command, standing, evse=evse), reported=reported)
        self._keep(step, stack)
        return step

    def _step(
        self,
        kind: Any,
        number: int,
        command: Command,
        standing: list[Level],
        *,
        evse: int,
        level: int | None = None,
    ) -> Step:
        return Step(
            kind=kind,
            stack=number,
            at=command.answered_at or self.talk.now(),
            levels=tuple(item.level for item in standing),
            level=level,
            evse=evse,
            outcome=outcome_of(command),
            reason=reason_of(command),
            message_id=command.message_id,
        )

    def _keep(self, step: Step, stack: Stack) -> None:
        self.steps.append(step)
        code, values = stacking.describe(self.setting, stack, step)
        holds = step.outcome == "accepted" if step.kind != "read" else None
        self.talk.note(code, values, holds=holds)

    # ---------------------------------------------------------------- what becomes evidence
    def judge(self) -> Finding:
        return stacking.judge(self.setting, self.stacks, self.steps)

    def steps_json(self, finding: Finding) -> list[dict[str, Any]]:
        """The steps with what the judge said of each, and the words for people."""
        stored = []
        for step, judged in zip(self.steps, finding.steps, strict=True):
            code, values = stacking.describe(self.setting, self.stacks[step.stack], step)
            stored.append(judged.beside(stacking_readings.step_to_json(step), code=code, values=values))
        return stored

    def setup_json(self) -> dict[str, Any]:
        """What the judge needs beside the steps to judge again."""
        return {
            "setting": readings.setting_to_json(readings.without_sessions(self.setting)),
            "stacks": [stacking_plan.to_json(stack) for stack in self.stacks],
        }
