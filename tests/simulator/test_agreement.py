"""Two composites made by code that shares nothing: the station's own, and the portal's engine. They agree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from portal.simulator.intents import readable
from portal.simulator.limits import Limit
from portal.simulator.profiles import Running, external_limit
from portal.simulator.schedules import Schedules
from portal.simulator.spec import StationSpec
from portal.simulator.storing import Capabilities, ProfileRefusedError
from portal.simulator.v2 import Speech2
from portal.simulator.v16 import Speech16
from smartcharging.domain.profiles import CompositePeriod, Installed, LocalLimit, OperationMode, Transaction
from smartcharging.domain.schedule import composite_schedule
from smartcharging.domain.wire import parse_profile

Version = Literal["1.6", "2.0.1", "2.1"]
# An ordinary day, and those before the clock goes forward and back.
DAYS = [datetime(2026, month, day, 12, tzinfo=UTC) for month, day in ((1, 10), (3, 28), (10, 24))]
DAY_S = 86_400
ROOMY_A = 1000.0  # the engine does not cap by hardware (D13), the station does: let it not matter

seconds = st.integers(-2 * DAY_S, 2 * DAY_S)
sometimes = st.sampled_from([False, False, False, True])


@st.composite
def operations(draw: st.DrawFn, unit: str) -> dict[str, Any]:
    """What a period of 2.1 says of limits, setpoint and mode."""
    top = 400 if unit == "A" else 22_080
    scale = 10 if unit == "A" else 1
    limit, discharge = draw(st.integers(0, top)), -draw(st.integers(0, top))
    setpoint = draw(st.integers(discharge, limit))
    mode = draw(st.sampled_from(["", "ChargingOnly", "CentralSetpoint", "ExternalSetpoint"]))
    said: dict[str, Any] = {"operationMode": mode} if mode else {}
    if mode == "CentralSetpoint":
        said["setpoint"] = setpoint / scale
    if mode in {"", "ChargingOnly"} or draw(st.booleans()):
        said["limit"] = limit / scale
    if mode not in {"", "ChargingOnly"} and draw(st.booleans()):
        said["dischargeLimit"] = discharge / scale
    return said


@st.composite
def schedules(draw: st.DrawFn, kind: str, version: Version, now: datetime) -> dict[str, Any]:
    unit = draw(st.sampled_from(["A", "W"]))
    starts = [0] if kind == "Dynamic" else [0, *sorted(draw(st.sets(st.integers(1, 20_000), max_size=3)))]
    phases = draw(st.sampled_from([{}, {"numberPhases": 3}, {"numberPhases": 1}]))
    limits = st.integers(0, 400 if unit == "A" else 22_080)
    scale = 10 if unit == "A" else 1
    plain = version != "2.1" or draw(st.booleans())
    periods = [
        {"startPeriod": at} | phases | ({"limit": draw(limits) / scale} if plain else draw(operations(unit)))
        for at in starts
    ]
    schedule: dict[str, Any] = {"chargingRateUnit": unit, "chargingSchedulePeriod": periods}
    if kind not in {"Relative", "Dynamic"}:
        schedule["startSchedule"] = _stamp(now, draw(seconds))
        if version == "2.1" and draw(st.booleans()):
            schedule["useLocalTime"] = True
    if draw(sometimes):
        schedule["duration"] = draw(st.integers(1, 30_000))
    return schedule


@st.composite
def profiles(draw: st.DrawFn, version: Version, now: datetime) -> tuple[int, dict[str, Any]]:
    """(connector or EVSE, profile as on the wire)."""
    early = version == "1.6"
    largest = "ChargePointMaxProfile" if early else "ChargingStationMaxProfile"
    purposes = [largest, "TxDefaultProfile", "TxProfile"] + (["PriorityCharging"] if version == "2.1" else [])
    purpose = draw(st.sampled_from(purposes))
    kinds = ["Absolute", "Recurring"] + ([] if purpose == largest else ["Relative"])
    kind = draw(st.sampled_from(kinds + (["Dynamic"] if version == "2.1" else [])))
    profile: dict[str, Any] = {
        "stackLevel": draw(st.integers(0, 5)),
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": kind,
    }
    if kind == "Recurring":
        profile["recurrencyKind"] = draw(st.sampled_from(["Daily", "Weekly"]))
    if kind == "Dynamic":
        profile["dynUpdateTime"] = _stamp(now, draw(st.integers(-20_000, 0)))
    for name in ("validFrom", "validTo"):
        if draw(sometimes):
            profile[name] = _stamp(now, draw(seconds))
    schedule = draw(schedules(kind, version, now))
    evse = 0 if purpose == largest else draw(st.integers(1 if purpose == "TxProfile" else 0, 2))
    number = draw(st.integers(1, 12))
    if early:
        return evse, profile | {"chargingProfileId": number, "chargingSchedule": schedule}
    if purpose == "TxProfile":
        profile["transactionId"] = f"tx-{evse}"
    return evse, profile | {"id": number, "chargingSchedule": [schedule | {"id": 1}]}


def _stamp(now: datetime, offset_s: int) -> str:
    return (now + timedelta(seconds=offset_s)).isoformat()


def station(version: Version) -> Schedules:
    spec = StationSpec("ST-1", "ws://nowhere", ocpp=version)
    able = Capabilities()
    speech = Speech16(spec, able) if version == "1.6" else Speech2(spec, able)
    hardware = {0: Limit(2 * ROOMY_A, 3), 1: Limit(ROOMY_A, 3), 2: Limit(ROOMY_A, 3)}
    return Schedules(
        hardware=hardware, capabilities=able, read=speech.read_profile, rules_of_16=version == "1.6"
    )


Told = tuple[float | None, int, str | None, float | None, float | None]


def _told_by_engine(period: CompositePeriod) -> Told:
    """(limit, phases, mode, setpoint, discharge limit). It keeps "not said" apart from 3 phases; the station not."""
    phases, said = period.phases or 3, period.operation
    if said is None:
        return period.limit, phases, None, None, None
    mode = None if said.mode is OperationMode.CHARGING_ONLY else said.mode.value
    return period.limit, phases, mode, said.setpoint, said.discharge_limit


def _told_by_station(row: dict[str, Any]) -> Told:
    operation = row.get("operationMode"), row.get("setpoint"), row.get("dischargeLimit")
    return row["limit"], row["numberPhases"], *operation


@settings(max_examples=100, deadline=None)
@given(data=st.data(), version=st.sampled_from(["2.1", "2.1", "2.0.1", "1.6"]), now=st.sampled_from(DAYS))
def test_the_station_and_the_engine_agree(data: st.DataObject, version: Version, now: datetime) -> None:
    own = station(version)
    begun = {evse: now - timedelta(seconds=data.draw(st.integers(0, DAY_S))) for evse in (1, 2)}
    priority = version == "2.1" and data.draw(st.booleans())
    idle = data.draw(st.sampled_from([(), (), (1,), (2,), (1, 2)]))
    running = {
        evse: Running(f"tx-{evse}", at, priority=priority) for evse, at in begun.items() if evse not in idle
    }
    for evse, wire in data.draw(st.lists(profiles(version, now), min_size=2, max_size=6)):
        try:
            own.install(own.read(evse, wire), running.get(evse))
        except ProfileRefusedError:
            continue  # both then hold what the station took
    if version != "1.6" and data.draw(st.booleans()):
        own.external = external_limit(data.draw(st.integers(0, 80)) / 2, now - timedelta(hours=1))
    standing = [*own.profiles, own.external] if own.external else own.profiles
    assume(standing)
    evse = data.draw(st.integers(0, 2))
    unit: Literal["A", "W"] = data.draw(st.sampled_from(["A", "W"]))
    duration_s = data.draw(st.integers(1, 2 * DAY_S))
    theirs = composite_schedule(
        installed=[Installed(parse_profile(kept.wire, version), kept.evse) for kept in standing],
        now=now,
        duration_s=duration_s,
        unit=unit,
        evse=evse,
        evse_count=2,
        transactions=[
            Transaction(tx.transaction, evse, tx.started_at, has_priority=tx.priority)
            for evse, tx in running.items()
        ],
        defaults=LocalLimit(limit_a=ROOMY_A),
    )
    _, changes = own.composite(evse, now, duration_s, running, unit)
    told = [(row["startPeriod"], *_told_by_station(row)) for row in readable(changes, unit)]
    expected: list[tuple[Any, ...]] = []
    for period in theirs.periods:
        if not expected or expected[-1][1:] != _told_by_engine(period):
            expected.append((period.start_s, *_told_by_engine(period)))
    assert told == expected
