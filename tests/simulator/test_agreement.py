"""Two composites made by code that shares nothing: the station's own, and the portal's engine. They agree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from portal.simulator.intents import readable
from portal.simulator.schedules import Capabilities, Limit, ProfileRefusedError, Running, Schedules
from portal.simulator.spec import StationSpec
from portal.simulator.v2 import Speech2
from portal.simulator.v16 import Speech16
from smartcharging.domain.profiles import Installed, LocalLimit, Transaction
from smartcharging.domain.schedule import composite_schedule
from smartcharging.domain.wire import parse_profile

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY_S = 86_400
ROOMY_A = 1000.0  # the engine does not cap by hardware (D13), the station does: let it not matter

seconds = st.integers(-2 * DAY_S, 2 * DAY_S)
moments = seconds.map(lambda offset_s: (NOW + timedelta(seconds=offset_s)).isoformat())


@st.composite
def schedules(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    unit = draw(st.sampled_from(["A", "W"]))
    starts = [0, *sorted(draw(st.sets(st.integers(1, 20_000), max_size=3)))]
    phases = draw(st.sampled_from([{}, {"numberPhases": 3}, {"numberPhases": 1}]))
    limits = st.integers(0, 400 if unit == "A" else 22_080)
    scale = 10 if unit == "A" else 1
    periods = [{"startPeriod": at, "limit": draw(limits) / scale} | phases for at in starts]
    schedule: dict[str, Any] = {"chargingRateUnit": unit, "chargingSchedulePeriod": periods}
    if kind != "Relative":
        schedule["startSchedule"] = draw(moments)
    if draw(st.booleans()):
        schedule["duration"] = draw(st.integers(1, 30_000))
    return schedule


@st.composite
def profiles(draw: st.DrawFn, version: str) -> tuple[int, dict[str, Any]]:
    """(connector or EVSE, profile as on the wire)."""
    early = version == "1.6"
    largest = "ChargePointMaxProfile" if early else "ChargingStationMaxProfile"
    purpose = draw(st.sampled_from([largest, "TxDefaultProfile", "TxProfile"]))
    kinds = ["Absolute", "Recurring"] if purpose == largest else ["Absolute", "Recurring", "Relative"]
    kind = draw(st.sampled_from(kinds))
    profile: dict[str, Any] = {
        "stackLevel": draw(st.integers(0, 5)),
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": kind,
    }
    if kind == "Recurring":
        profile["recurrencyKind"] = draw(st.sampled_from(["Daily", "Weekly"]))
    for name in ("validFrom", "validTo"):
        if draw(st.booleans()):
            profile[name] = draw(moments)
    schedule = draw(schedules(kind))
    evse = 0 if purpose == largest else draw(st.integers(1 if purpose == "TxProfile" else 0, 2))
    number = draw(st.integers(1, 12))
    if early:
        return evse, profile | {"chargingProfileId": number, "chargingSchedule": schedule}
    if purpose == "TxProfile":
        profile["transactionId"] = f"tx-{evse}"
    return evse, profile | {"id": number, "chargingSchedule": [schedule | {"id": 1}]}


def station(version: str) -> Schedules:
    spec = StationSpec("ST-1", "ws://nowhere", ocpp=version)
    able = Capabilities()
    speech = Speech16(spec, able) if version == "1.6" else Speech2(spec, able)
    hardware = {0: Limit(2 * ROOMY_A, 3), 1: Limit(ROOMY_A, 3), 2: Limit(ROOMY_A, 3)}
    return Schedules(
        hardware=hardware, capabilities=able, read=speech.read_profile, rules_of_16=version == "1.6"
    )


@settings(max_examples=200, deadline=None)
@given(data=st.data(), version=st.sampled_from(["1.6", "2.0.1"]))
def test_the_station_and_the_engine_agree(data: st.DataObject, version: Literal["1.6", "2.0.1"]) -> None:
    own = station(version)
    begun = {evse: NOW - timedelta(seconds=data.draw(st.integers(0, DAY_S))) for evse in (1, 2)}
    running = {evse: Running(f"tx-{evse}", at) for evse, at in begun.items() if data.draw(st.booleans())}
    for evse, wire in data.draw(st.lists(profiles(version), max_size=7)):
        try:
            own.install(own.read(evse, wire), running.get(evse))
        except ProfileRefusedError:
            continue  # both then hold what the station took
    assume(own.profiles)
    evse = data.draw(st.integers(0, 2))
    unit: Literal["A", "W"] = data.draw(st.sampled_from(["A", "W"]))
    duration_s = data.draw(st.integers(1, 2 * DAY_S))
    theirs = composite_schedule(
        installed=[Installed(parse_profile(kept.wire, version), kept.evse) for kept in own.profiles],
        now=NOW,
        duration_s=duration_s,
        unit=unit,
        evse=evse,
        evse_count=2,
        transactions=[Transaction(tx.transaction, evse, tx.started_at) for evse, tx in running.items()],
        defaults=LocalLimit(limit_a=ROOMY_A),
    )
    _, changes = own.composite(evse, NOW, duration_s, running, unit)
    told = [(row["startPeriod"], row["limit"], row["numberPhases"]) for row in readable(changes, unit)]
    expected: list[tuple[int, float | None, int]] = []
    for period in theirs.periods:  # the engine keeps "not said" apart from 3 phases; the station says 3
        if not expected or expected[-1][1:] != (period.limit, period.phases or 3):
            expected.append((period.start_s, period.limit, period.phases or 3))
    assert told == expected
