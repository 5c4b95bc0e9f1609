"""What the probe of requirement 206 sets on a station: six levels of one kind of profile, one place at a time. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from portal.compliance.checks.readings import Place
from smartcharging.domain.asking import set_charging_profile
from smartcharging.domain.profiles import (
    ChargingPeriod,
    ChargingProfile,
    ChargingSchedule,
    Installed,
    Kind,
    Purpose,
    Unit,
)

LEVELS = range(6)  # "ten minste 6 laadprofielen": stack levels count from 0 (1.6 3.13.2)
WINDOW_S = 600
# The schedules begin a little before now, so that a clock that is a minute off finds the top level running.
LEAD_S = 90
# The question ends well before the lowest level does, however long the probe takes to get there.
ASKED_S = len(LEVELS) * WINDOW_S - LEAD_S - 310
# Neither rising nor falling with the level: the lowest, the highest and the last of all that stand differ from the
# one that leads, so a station that takes any of those instead is found out.
ORDER = (3, 0, 4, 1, 5, 2)


@dataclass(frozen=True, slots=True)
class Level:
    """One of the six. Its window starts with all others' and ends before those of the levels below it."""

    level: int
    profile_id: int
    limit: float


@dataclass(frozen=True, slots=True)
class Stack:
    """Six levels as they are set in one place from `start` on."""

    place: Place
    start: datetime
    unit: Unit
    levels: tuple[Level, ...]

    def end_of(self, level: int) -> datetime:
        """Level 5 ends first: after it level 4 leads, and so on. Every level has a window of its own that way."""
        return self.start + timedelta(seconds=WINDOW_S * (len(LEVELS) - level))

    def installed(self, level: Level) -> Installed:
        duration_s = int((self.end_of(level.level) - self.start).total_seconds())
        return Installed(
            ChargingProfile(
                id=level.profile_id,
                stack_level=level.level,
                purpose=self.place.purpose,
                kind=Kind.ABSOLUTE,
                schedule=ChargingSchedule(
                    unit=self.unit,
                    periods=(ChargingPeriod(0, level.limit),),
                    start=self.start,
                    duration_s=duration_s,
                ),
                valid_to=self.end_of(level.level),
            ),
            self.place.evse,
        )


def places(evses: Sequence[int], *, station_shows: bool) -> tuple[Place, ...]:
    """Max on the station; TxDefault on the station and on each EVSE. One after the other, never together.

    `station_shows`: EVSE 0 answers with a composite; else the Max profiles are read on the first EVSE, where they
    hold as well (1.6 3.13.3).
    """
    first, *_ = evses
    return (
        Place(Purpose.STATION_MAX, 0, (0 if station_shows else first,)),
        Place(Purpose.TX_DEFAULT, 0, tuple(evses)),
        *(Place(Purpose.TX_DEFAULT, evse, (evse,)) for evse in evses),
    )


def limits_below(ceiling: float, unit: Unit) -> tuple[float, ...] | None:
    """Six limits by level, all below `ceiling` and well apart; None where there is no room.

    In A whole numbers, or halves: real stations refuse 14.1 by floating-point arithmetic. In W hundreds, or fifties
    where the ceiling is low.
    """
    steps = (1.0, 0.5) if unit == "A" else (500.0, 200.0)
    for step in steps:
        top = math.ceil(ceiling / step) - 1  # below, never equal: else the level and no level look the same
        if top >= len(LEVELS):
            return tuple(step * (top - len(LEVELS) + 1 + place) for place in ORDER)
    return None


def stack_at(place: Place, *, start: datetime, unit: Unit, limits: Sequence[float], first_id: int) -> Stack:
    levels = tuple(Level(level, first_id + level, limits[level]) for level in LEVELS)
    return Stack(place, start.replace(microsecond=0), unit, levels)


# ---------------------------------------------------------------- on the wire
def set_payload(stack: Stack, level: Level, *, version: str) -> dict[str, Any]:
    """SetChargingProfile. It ends by duration and by validTo both, so a station that misses one still ends it."""
    return set_charging_profile(stack.installed(level).profile, evse=stack.place.evse, ocpp=version)


# ---------------------------------------------------------------- as JSON, in evidence
def to_json(stack: Stack) -> dict[str, Any]:
    return {
        "purpose": stack.place.purpose.value,
        "evse": stack.place.evse,
        "read_on": list(stack.place.read_on),
        "start": stack.start.isoformat(),
        "unit": stack.unit,
        "levels": [[level.level, level.profile_id, level.limit] for level in stack.levels],
    }


def from_json(stored: Mapping[str, Any]) -> Stack:
    place = Place(Purpose(stored["purpose"]), stored["evse"], tuple(stored["read_on"]))
    levels = tuple(Level(*level) for level in stored["levels"])
    return Stack(place, datetime.fromisoformat(stored["start"]), stored["unit"], levels)
