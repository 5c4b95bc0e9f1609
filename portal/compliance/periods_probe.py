"""The live probe of requirement 207: one profile of twenty periods in each kind, read back, and cleared."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from portal.compliance import preparing, restoring
from portal.compliance.checks import periods, periods_plan, periods_readings, readings
from portal.compliance.checks.composites import EDGE_S
from portal.compliance.checks.findings import Finding
from portal.compliance.checks.periods_plan import LENGTHS_S, NEEDED, Trial
from portal.compliance.checks.periods_readings import Step
from portal.compliance.checks.readings import Place, Setting, first_id_of
from portal.compliance.conversation import Conversation, Stopped, outcome_of, reason_of
from smartcharging.domain.profiles import Purpose
from smartcharging.standing import abilities_of
from stations.models import Command

# Seconds before each try. Stations take in a profile, and show it, with some delay.
ASK_AGAIN_S = (0, 3)
READ_AGAIN_S = (0, 1, 4)
PAUSE_S = 3
# What is in the way of a profile of this kind: TxProfiles of our own would hide a TxDefaultProfile.
IN_THE_WAY = {
    Purpose.STATION_MAX: (Purpose.STATION_MAX,),
    Purpose.TX_DEFAULT: (Purpose.TX_DEFAULT, Purpose.TX),
    Purpose.TX: (Purpose.TX,),
}
ID_COUNT = len(IN_THE_WAY)


@dataclass(slots=True)
class PeriodsProbe:
    """The probe as it goes: what it set so far, and the steps that the judge gets."""

    talk: Conversation
    setting: Setting = field(init=False)
    stated: int | None = None
    trials: list[Trial] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    _start: datetime = field(init=False)  # of the schedule that stands
    _tried: datetime = field(init=False)  # of the one that was sent last
    _has_waited: bool = False

    def run(self) -> None:
        """Everything up to the restore, which the caller does in any case. Raises Stopped."""
        prepared = preparing.look(self.talk)
        self.setting = prepared.setting
        self.stated = abilities_of(self.talk.station).max_periods
        ceiling, unit = self.setting.ceiling, self.setting.unit
        if self._limits(0) is None:
            raise Stopped("207.no_room", limit=f"{ceiling:g}", unit=unit)
        preparing.remember(self.talk, prepared)
        for place in periods_plan.places(self.setting, station_shows=prepared.station_shows):
            own = [
                row for kind in IN_THE_WAY[place.purpose] for row in preparing.own_profiles(self.talk, kind)
            ]
            self.setting = preparing.leave_out(self.setting, own, parts=(len(self.trials),))
            restoring.withdraw(self.talk, own)
            self._probe_place(place)
            restoring.put_back(self.talk)

    def _limits(self, trial: int) -> tuple[float, ...] | None:
        return periods_plan.limits_below(
            self.setting.ceiling, unit=self.setting.unit, phases=self.setting.phases, trial=trial
        )

    def _probe_place(self, place: Place) -> None:
        number = len(self.trials)
        profile_id = first_id_of(self.talk.probe.pk, needed=ID_COUNT) + number
        trial = Trial(place, self.setting.unit, profile_id, self._limits(number) or ())
        self.trials.append(trial)
        self.talk.remember(left=[*self.talk.probe.before.get("left", []), profile_id])
        self._has_waited = False
        if self._install(trial) or self._find_maximum(trial):
            self._read_all(trial)
            self._clear(trial)
        # What a refusal left behind is cleared with the rest, when all is put back.

    # ---------------------------------------------------------------- setting
    def _install(self, trial: Trial, *, current: int = 0) -> bool:
        """All twenty, so that period `current` runs now. A station that is busy refuses too: it is asked again."""
        return any(
            self._set_after(wait_s, trial, NEEDED, current=current).outcome == "accepted"
            for wait_s in ASK_AGAIN_S
        )

    def _set_after(self, wait_s: float, trial: Trial, count: int, *, current: int = 0) -> Step:
        """Set the first `count` periods. Tried again, the schedule begins when it did the first time."""
        if wait_s:
            self.talk.sleep(wait_s)
        else:
            self._tried = trial.start_at(self.talk.now(), current=current)
        version = self.talk.station.ocpp_version
        payload = periods_plan.set_payload(
            trial, self.setting, periods=count, start=self._tried, version=version
        )
        command = self.talk.ask("SetChargingProfile", payload)
        step = self._keep("install", trial, command, count=count, evse=trial.place.evse)
        if step.outcome == "accepted":
            self._start = self._tried
        return step

    def _find_maximum(self, trial: Trial) -> bool:
        """Halve until the most periods that the station takes are known; at the end ask for twenty once more.

        True: it took them after all, so the refusals before were about something else. A station that minds haste
        refuses what it took as well when that comes again at once (periods_doubts.is_haste).
        """
        taken, refused = 0, NEEDED
        while refused - taken > 1:
            count = (taken + refused) // 2
            if self._set_after(0, trial, count).outcome == "accepted":
                taken = count
            else:
                refused = count
        if self._set_after(0, trial, NEEDED).outcome == "accepted":
            return True
        again = taken and all(self._set_after(0, trial, taken).outcome == "accepted" for _ in range(2))
        return bool(again) and self._set_after(PAUSE_S, trial, NEEDED).outcome == "accepted"

    def _clear(self, trial: Trial) -> None:
        command = restoring.clear(self.talk, trial.profile_id)
        self._keep("clear", trial, command, count=NEEDED, evse=trial.place.evse)

    # ---------------------------------------------------------------- reading
    def _read_all(self, trial: Trial) -> None:
        """Read every EVSE; where only the first periods came back, set the profile so that the next one runs now, and
        read on. It ends where that brings nothing."""
        seen: dict[int, frozenset[int]] = {evse: frozenset() for evse in trial.place.read_on}
        pending, current = list(trial.place.read_on), 0
        while pending:
            for evse in pending:
                seen[evse] |= self._read(trial, evse, current)
            pending = [evse for evse in pending if current < _first_missing(seen[evse]) < NEEDED]
            if pending:
                current = min(_first_missing(seen[evse]) for evse in pending)
                if not self._install(trial, current=current):
                    return

    def _read(self, trial: Trial, evse: int, current: int) -> frozenset[int]:
        """Read until the answer is as expected, but wait only once in a trial for one that never is."""
        runs_until = self._start + timedelta(seconds=periods_plan.OFFSETS_S[current] + LENGTHS_S[current])
        if self.talk.now() > runs_until - timedelta(seconds=2 * EDGE_S):
            self._install(trial, current=current)  # a slow station with many EVSEs
        for wait_s in (0,) if self._has_waited else READ_AGAIN_S:
            self.talk.sleep(wait_s) if wait_s else None
            step = self._read_once(trial, evse, current)
            if periods_readings.is_as_expected(self.setting, trial, step):
                return periods_readings.seen_in(self.setting, trial, step)
        self._has_waited = True
        return periods_readings.seen_in(self.setting, trial, step)

    def _read_once(self, trial: Trial, evse: int, current: int) -> Step:
        asked_s = periods_plan.asked_s(current=current)
        reported, command = restoring.read_composite(self.talk, evse, self.setting.unit, asked_s)
        return self._keep("read", trial, command, count=NEEDED, evse=evse, reported=reported)

    def _keep(
        self,
        kind: Literal["install", "read", "clear"],
        trial: Trial,
        command: Command,
        *,
        count: int,
        evse: int,
        **heard: Any,
    ) -> Step:
        step = Step(
            kind=kind,
            trial=len(self.trials) - 1,
            at=command.answered_at or self.talk.now(),
            periods=count,
            start=self._tried if kind == "install" else self._start,
            evse=evse,
            outcome=outcome_of(command),
            reason=reason_of(command),
            message_id=command.message_id,
        )
        step = replace(step, **heard)
        self.steps.append(step)
        code, values = periods.describe(self.setting, trial, step)
        self.talk.note(code, values, holds=step.outcome == "accepted" if kind != "read" else None)
        return step

    # ---------------------------------------------------------------- what becomes evidence
    def judge(self) -> Finding:
        return periods.judge(self.setting, self.trials, self.steps, stated=self.stated)

    def steps_json(self, finding: Finding) -> list[dict[str, Any]]:
        """The steps with what the judge said of each, and the words for people."""
        stored = []
        for step, judged in zip(self.steps, finding.steps, strict=True):
            code, values = periods.describe(self.setting, self.trials[step.trial], step)
            stored.append(judged.beside(periods_readings.step_to_json(step), code=code, values=values))
        return stored

    def setup_json(self) -> dict[str, Any]:
        """What the judge needs beside the steps to judge again."""
        return {
            "setting": readings.setting_to_json(readings.without_sessions(self.setting)),
            "trials": [periods_plan.to_json(trial) for trial in self.trials],
            "stated": self.stated,
        }


def _first_missing(seen: frozenset[int]) -> int:
    return next((number for number in range(NEEDED) if number not in seen), NEEDED)
