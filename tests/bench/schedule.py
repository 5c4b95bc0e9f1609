"""Target 6a: a composite schedule of six profiles of twenty periods over 24 hours in at most 150 us.

Six profiles, two per purpose, each repeating daily. The upper one of each purpose runs for a part of the day only,
so every one of the six leads somewhere; they start at odd minutes, so hardly two changes coincide. That makes 81
stretches, about as hard as six times twenty periods can be.
"""

from __future__ import annotations

import gc
import json
import statistics
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from smartcharging.domain.profiles import (
    ChargingPeriod,
    ChargingProfile,
    ChargingSchedule,
    CompositeSchedule,
    Installed,
    Kind,
    LocalLimit,
    Purpose,
    Recurrency,
    Transaction,
)
from smartcharging.domain.schedule import composite_schedule

GOAL_US = 150
RUNS = 5
ITERATIONS = 1000
MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)

_PROFILES = [  # purpose, EVSE, level, start and length in minutes
    (Purpose.STATION_MAX, 0, 0, 1, 1440),
    (Purpose.STATION_MAX, 0, 1, 433, 720),
    (Purpose.TX_DEFAULT, 0, 0, 17, 1440),
    (Purpose.TX_DEFAULT, 1, 1, 209, 720),
    (Purpose.TX, 1, 0, 581, 360),
    (Purpose.TX, 1, 1, 773, 360),
]


def installed() -> list[Installed]:
    """The six profiles."""
    return [
        _installed(number, purpose, evse, level, MIDNIGHT + timedelta(minutes=start), length * 60)
        for number, (purpose, evse, level, start, length) in enumerate(_PROFILES, start=1)
    ]


def _installed(
    number: int, purpose: Purpose, evse: int, level: int, start: datetime, duration_s: int
) -> Installed:
    periods = tuple(
        ChargingPeriod(duration_s // 20 * index, 6.5 + (index * 7 + number * 3) % 26, 3)
        for index in range(20)
    )
    schedule = ChargingSchedule("A", periods, start, duration_s)
    return Installed(
        ChargingProfile(number, level, purpose, Kind.RECURRING, schedule, Recurrency.DAILY), evse
    )


def measure() -> dict[str, Any]:
    """The median of the runs, in us per composite, as a row of bench.json."""
    profiles = installed()
    runs = [_run(profiles) for _ in range(RUNS)]
    value = statistics.median(runs)
    return {
        "target": "6a",
        "name": "composite schedule, 6 profiles of 20 periods, 24 h",
        "value": round(value, 1),
        "unit": "us",
        "goal": GOAL_US,
        "holds": value <= GOAL_US,
        "runs": [round(run, 1) for run in runs],
    }


def _run(profiles: list[Installed]) -> float:
    """us of processor time per composite, of many in a row, without the collector of garbage in between."""
    _composite(profiles)
    gc.collect()
    gc.disable()
    try:
        began = time.process_time()
        for _ in range(ITERATIONS):
            _composite(profiles)
        return (time.process_time() - began) / ITERATIONS * 1e6
    finally:
        gc.enable()


def _composite(profiles: list[Installed]) -> CompositeSchedule:
    return composite_schedule(
        installed=profiles,
        now=MIDNIGHT + timedelta(hours=6),
        duration_s=86_400,
        unit="A",
        evse=1,
        transactions=(Transaction(1, 1, MIDNIGHT),),
        defaults=LocalLimit(limit_a=32.0),
    )


if __name__ == "__main__":
    print(json.dumps(measure()))
