"""What stations answer to GetCompositeSchedule: every odd answer is a state with a name, none an exception. Pure.

Seen from real stations: Rejected, no schedule, a limit of -1, W when asked for A, `startPeriod` as a float,
`scheduleStart` absent or `startSchedule` beside it, `duration: 8638204637958` (rule 13).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from smartcharging.domain.fields import Field, MalformedProfile
from smartcharging.domain.profiles import CompositePeriod, Operation, Unit, Version, rules_of
from smartcharging.domain.wire import read_operation

LONGEST_S = 366 * 86_400
MOST_PERIODS = 10_000
EARLIEST_YEAR, LATEST_YEAR = 2000, 2200


class ReportedState(StrEnum):
    """The values of ReportedSchedule.State."""

    READ = "read"
    REJECTED = "rejected"
    EMPTY = "empty"
    NO_LIMIT = "no_limit"
    OTHER_UNIT = "other_unit"
    MALFORMED = "malformed"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class Reported:
    """A composite schedule as a station answered it.

    `start` None: not said. `duration_s` None: not said. A period's limit of None: the station names no limit there.
    `words`: what was wrong, or what the station said.
    """

    state: ReportedState
    start: datetime | None = None
    duration_s: int | None = None
    unit: Unit | None = None
    periods: tuple[CompositePeriod, ...] = ()
    words: str = ""

    @property
    def is_readable(self) -> bool:
        """Whether there is something to compare: no limit is an answer too."""
        return self.state not in {
            ReportedState.REJECTED,
            ReportedState.MALFORMED,
            ReportedState.UNANSWERED,
        }


class _Unreadable(ValueError):
    """Says which field cannot be read, and why."""


def read_composite(answer: object, *, ocpp: str, asked_unit: Unit) -> Reported:
    """The CALLRESULT payload of GetCompositeSchedule as a Reported; never raises."""
    if not isinstance(answer, Mapping):
        return Reported(ReportedState.MALFORMED, words="the answer is not an object")
    if answer.get("status") != "Accepted":
        return Reported(ReportedState.REJECTED, words=station_words(answer))
    try:
        return _accepted(answer, ocpp, asked_unit)
    except _Unreadable as error:
        return Reported(ReportedState.MALFORMED, words=str(error))


def station_words(answer: Mapping[str, Any]) -> str:
    """Status, reason code and additional info of any answer, as the station gave them."""
    info = answer.get("statusInfo")
    parts = [answer.get("status")]
    if isinstance(info, Mapping):
        parts += [info.get("reasonCode"), info.get("additionalInfo")]
    return ": ".join(str(part) for part in parts if part)


def _accepted(answer: Mapping[str, Any], ocpp: str, asked_unit: Unit) -> Reported:
    schedule = answer.get("chargingSchedule" if ocpp == "1.6" else "schedule")
    if schedule is None:
        return Reported(ReportedState.EMPTY)
    if not isinstance(schedule, Mapping):
        raise _Unreadable("the schedule is not an object")
    outer = answer if ocpp == "1.6" else schedule
    start = _moment(outer.get("scheduleStart") or schedule.get("startSchedule"))
    unit = _unit(schedule.get("chargingRateUnit", asked_unit))
    periods = _periods(schedule.get("chargingSchedulePeriod"), rules_of(ocpp))
    duration_s = _duration(schedule.get("duration"), has_periods=bool(periods))
    state = _state(periods, is_asked_unit=unit == asked_unit)
    return Reported(state, start, duration_s, unit, periods)


def _state(periods: tuple[CompositePeriod, ...], *, is_asked_unit: bool) -> ReportedState:
    if not periods:
        return ReportedState.EMPTY
    if all(period.limit is None and period.operation is None for period in periods):
        return ReportedState.NO_LIMIT
    return ReportedState.READ if is_asked_unit else ReportedState.OTHER_UNIT


def _periods(value: object, version: Version) -> tuple[CompositePeriod, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > MOST_PERIODS:
        raise _Unreadable("chargingSchedulePeriod is not a list of a readable length")
    periods = tuple(_period(item, f"chargingSchedulePeriod[{at}]", version) for at, item in enumerate(value))
    if any(later.start_s <= earlier.start_s for earlier, later in itertools.pairwise(periods)):
        raise _Unreadable("chargingSchedulePeriod: startPeriod does not ascend")
    return periods


def _period(item: object, where: str, version: Version) -> CompositePeriod:
    if not isinstance(item, Mapping):
        raise _Unreadable(f"{where} is not an object")
    start_s = _number(item.get("startPeriod"), f"{where}.startPeriod")  # a float from some 2.x stations
    if not 0 <= start_s <= LONGEST_S:
        raise _Unreadable(f"{where}.startPeriod: {start_s:g}")
    phases = item.get("numberPhases")
    if phases is not None and phases not in (1, 2, 3):
        raise _Unreadable(f"{where}.numberPhases: {phases}")
    return CompositePeriod(
        int(start_s), _limit(item, where, version), phases, _operation(item, where, version)
    )


def _limit(item: Mapping[str, Any], where: str, version: Version) -> float | None:
    """-1 and, in 2.1 beside a setpoint or a discharge limit, nothing at all: no limit is named."""
    if version == "2.1" and item.get("limit") is None:
        return None
    limit = _number(item.get("limit"), f"{where}.limit")
    if limit < 0 and limit != -1:
        raise _Unreadable(f"{where}.limit: {limit:g}")
    return None if limit == -1 else limit


def _operation(item: Mapping[str, Any], where: str, version: Version) -> Operation | None:
    """What a period of 2.x says beyond its limit; None: nothing."""
    if version == "1.6":
        return None
    try:
        operation = read_operation(Field(dict(item), where), version)
    except MalformedProfile as error:
        raise _Unreadable(str(error)) from None
    return None if operation == Operation() else operation


def _number(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _Unreadable(f"{where} is not a number")
    return value


def _duration(value: object, *, has_periods: bool) -> int | None:
    """Beside readable periods an absurd length takes nothing from them: longer than was asked, so not said."""
    if value is None:
        return None
    duration_s = _number(value, "duration")
    if has_periods and duration_s > LONGEST_S:
        return None
    if not 0 <= duration_s <= LONGEST_S:
        raise _Unreadable(f"duration: {duration_s:.0f} s")
    return int(duration_s)


def _unit(value: object) -> Unit:
    if value == "A":
        return "A"
    if value == "W":
        return "W"
    raise _Unreadable(f"chargingRateUnit: {value}")


def _moment(value: object) -> datetime | None:
    """A time with or without zone (none: UTC); None where there is none."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise _Unreadable(f"scheduleStart: {value}") from None
    if not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
        raise _Unreadable(f"scheduleStart: {value}")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
