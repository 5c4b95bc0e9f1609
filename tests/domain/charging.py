"""Charging profiles for the tests of the schedule engine, in few words."""

from __future__ import annotations

from dataclasses import replace
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
    Policy,
    Purpose,
    Recurrency,
    Transaction,
    Unit,
)
from smartcharging.domain.schedule import composite_schedule

MAX, EXTERNAL = Purpose.STATION_MAX, Purpose.EXTERNAL_CONSTRAINTS
TX_DEFAULT, TX = Purpose.TX_DEFAULT, Purpose.TX
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
DAY = timedelta(days=1)
LOCAL = LocalLimit(limit_a=48.0, limit_w=33_120.0)

Period = tuple[int, float] | tuple[int, float, int | None]


def at(seconds: float) -> datetime:
    """The moment so many seconds after NOW."""
    return NOW + timedelta(seconds=seconds)


def profile(
    purpose: Purpose,
    *periods: Period,
    evse: int = 1,
    level: int = 0,
    unit: Unit = "A",
    kind: Kind = Kind.ABSOLUTE,
    start: datetime | None = NOW,
    duration_s: int | None = None,
    **more: Any,
) -> Installed:
    """An installed profile; `periods` are (start_s, limit) or (start_s, limit, phases)."""
    schedule = ChargingSchedule(
        unit=unit,
        periods=tuple(ChargingPeriod(*period) for period in periods),
        start=None if kind is Kind.RELATIVE else start,
        duration_s=duration_s,
        min_charging_rate=more.pop("min_charging_rate", None),
    )
    number = more.pop("id", 1)
    return Installed(ChargingProfile(number, level, purpose, kind, schedule, **more), evse)


def daily(purpose: Purpose, *periods: Period, **more: Any) -> Installed:
    return profile(purpose, *periods, kind=Kind.RECURRING, recurrency=Recurrency.DAILY, **more)


def weekly(purpose: Purpose, *periods: Period, **more: Any) -> Installed:
    return profile(purpose, *periods, kind=Kind.RECURRING, recurrency=Recurrency.WEEKLY, **more)


def relative(purpose: Purpose, *periods: Period, **more: Any) -> Installed:
    return profile(purpose, *periods, kind=Kind.RELATIVE, **more)


def charging(evse: int = 1, *, since: datetime = NOW, number: int = 7) -> Transaction:
    return Transaction(number, evse, since)


def composite(
    *installed: Installed,
    now: datetime = NOW,
    duration_s: int = 3600,
    unit: Unit = "A",
    evse: int = 1,
    evse_count: int = 1,
    transactions: tuple[Transaction, ...] = (),
    defaults: LocalLimit = LOCAL,
    **policy: Any,
) -> CompositeSchedule:
    return composite_schedule(
        installed=installed,
        now=now,
        duration_s=duration_s,
        unit=unit,
        evse=evse,
        evse_count=evse_count,
        transactions=transactions,
        defaults=defaults,
        policy=replace(Policy(), **policy),
    )


def limits(*installed: Installed, **question: Any) -> list[tuple[int, float | None]]:
    """The composite as (start_s, limit)."""
    return [(period.start_s, period.limit) for period in composite(*installed, **question).periods]


def with_phases(*installed: Installed, **question: Any) -> list[tuple[int, float | None, int | None]]:
    """The composite as (start_s, limit, phases)."""
    return [(*period,) for period in composite(*installed, **question).periods]
