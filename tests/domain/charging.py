"""Charging profiles for the tests of the schedule engine, in few words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from smartcharging.domain.profiles import (
    NOTHING,
    ChargingPeriod,
    ChargingProfile,
    ChargingSchedule,
    CompositeSchedule,
    Installed,
    Kind,
    LocalLimit,
    Operation,
    OperationMode,
    Outages,
    Policy,
    Purpose,
    Recurrency,
    Transaction,
    Unit,
)
from smartcharging.domain.schedule import composite_schedule
from smartcharging.domain.stacks import ONLINE

MAX, EXTERNAL = Purpose.STATION_MAX, Purpose.EXTERNAL_CONSTRAINTS
TX_DEFAULT, TX = Purpose.TX_DEFAULT, Purpose.TX
PRIORITY, GENERATION = Purpose.PRIORITY_CHARGING, Purpose.LOCAL_GENERATION
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
DAY = timedelta(days=1)
LOCAL = LocalLimit(limit_a=48.0, limit_w=33_120.0)

Period = tuple[int, float] | tuple[int, float, int | None] | ChargingPeriod


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
    """An installed profile; `periods` are (start_s, limit), (start_s, limit, phases) or made by `v2x`."""
    schedule = ChargingSchedule(
        unit=unit,
        periods=tuple(ChargingPeriod(*period) for period in periods),
        start=None if kind in {Kind.RELATIVE, Kind.DYNAMIC} else start,
        duration_s=duration_s,
        min_charging_rate=more.pop("min_charging_rate", None),
        use_local_time=more.pop("use_local_time", False),
    )
    number, received = more.pop("id", 1), more.pop("received_at", None)
    return Installed(ChargingProfile(number, level, purpose, kind, schedule, **more), evse, received)


def v2x(
    start_s: int,
    limit: float | None = None,
    *,
    phases: int | None = 3,
    mode: str = "CentralSetpoint",
    **operation: Any,
) -> ChargingPeriod:
    """A period of 2.1 with an operation mode."""
    said = Operation(mode=OperationMode(mode), **operation)
    return ChargingPeriod(start_s, NOTHING if limit is None else limit, phases, said)


def dynamic(purpose: Purpose, *periods: Period, **more: Any) -> Installed:
    return profile(purpose, *periods, kind=Kind.DYNAMIC, **more)


def daily(purpose: Purpose, *periods: Period, **more: Any) -> Installed:
    return profile(purpose, *periods, kind=Kind.RECURRING, recurrency=Recurrency.DAILY, **more)


def weekly(purpose: Purpose, *periods: Period, **more: Any) -> Installed:
    return profile(purpose, *periods, kind=Kind.RECURRING, recurrency=Recurrency.WEEKLY, **more)


def relative(purpose: Purpose, *periods: Period, **more: Any) -> Installed:
    return profile(purpose, *periods, kind=Kind.RELATIVE, **more)


def charging(
    evse: int = 1, *, since: datetime = NOW, number: int = 7, has_priority: bool = False
) -> Transaction:
    return Transaction(number, evse, since, has_priority)


def composite(
    *installed: Installed,
    now: datetime = NOW,
    duration_s: int = 3600,
    unit: Unit = "A",
    evse: int = 1,
    evse_count: int = 1,
    transactions: tuple[Transaction, ...] = (),
    defaults: LocalLimit = LOCAL,
    outages: Outages = ONLINE,
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
        outages=outages,
    )


def limits(*installed: Installed, **question: Any) -> list[tuple[int, float | None]]:
    """The composite as (start_s, limit)."""
    return [(period.start_s, period.limit) for period in composite(*installed, **question).periods]


def with_phases(*installed: Installed, **question: Any) -> list[tuple[int, float | None, int | None]]:
    """The composite as (start_s, limit, phases)."""
    return [period[:3] for period in composite(*installed, **question).periods]


def said(
    *installed: Installed, names: str = "mode setpoint discharge_limit", **question: Any
) -> list[tuple[Any, ...]]:
    """The composite as (start_s, limit, *what the operation says under these names)."""
    answer = composite(*installed, **question)
    return [
        (period.start_s, period.limit, *(getattr(period.operation, name, None) for name in names.split()))
        for period in answer.periods
    ]
