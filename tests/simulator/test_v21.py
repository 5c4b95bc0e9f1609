"""OCPP 2.1 through the socket: setpoints, Dynamic profiles, priority, and what the station says it cannot do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from portal.simulator.cars import Car
from portal.simulator.profiles import ZONE
from tests.simulator.conftest import Connect
from tests.simulator.csms import Csms, Payload
from tests.simulator.desk import Desk
from tests.simulator.test_reboot import whole

pytestmark = pytest.mark.parametrize("version", ["2.1"], indirect=True)

CENTRAL = {"operationMode": "CentralSetpoint"}


def with_period(profile: Payload, **values: Any) -> Payload:
    """The profile with those values in its first period; None takes one out."""
    period = profile["chargingSchedule"][0]["chargingSchedulePeriod"][0]
    period |= values
    for name in [name for name, value in values.items() if value is None]:
        del period[name]
    return profile


def with_schedule(profile: Payload, **values: Any) -> Payload:
    profile["chargingSchedule"][0] |= values
    return profile


def dynamic(profile_id: int, limit: float, **extra: Any) -> Payload:
    schedule = {
        "id": 1,
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
    }
    common = {"stackLevel": 1, "chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": "Dynamic"}
    return {"id": profile_id, "chargingSchedule": [schedule | extra.pop("schedule", {})]} | common | extra


async def periods(csms: Csms, evse: int = 1, duration_s: int = 3600, unit: str = "A") -> list[Payload]:
    asked = {"evseId": evse, "duration": duration_s, "chargingRateUnit": unit}
    answer = await csms.ask("GetCompositeSchedule", asked)
    return list(answer["schedule"]["chargingSchedulePeriod"])


async def test_a_setpoint_below_zero_takes_energy_out_of_the_car(
    csms: Csms, connect: Connect, desk: Desk
) -> None:
    station = await connect(meter_interval_s=5)
    await station.plug_in(1, Car(soc=0.5, discharge_a=16), "A")
    profile = desk.profile(1, [(0, 16.0)], start=whole(station))
    profile = with_period(profile, **CENTRAL, setpoint=-12.0, dischargeLimit=-14.0)
    assert await desk.installs(1, profile) == "Accepted"
    await csms.until(lambda: 12.0 in desk.readings("Current.Export", "L3"), "12 A out")
    assert await periods(csms) == [
        {
            "startPeriod": 0,
            "limit": 16.0,
            "numberPhases": 3,
            "operationMode": "CentralSetpoint",
            "setpoint": -12.0,
            "dischargeLimit": -14.0,
        }
    ]
    assert (await periods(csms, unit="W"))[0]["setpoint"] == -8280.0


async def test_a_setpoint_above_zero_is_what_the_car_is_offered(
    csms: Csms, connect: Connect, desk: Desk
) -> None:
    station = await connect(meter_interval_s=5)
    profile = with_period(desk.profile(1, [(0, 16.0)], start=whole(station)), **CENTRAL, setpoint=8.0)
    assert await desk.installs(1, profile) == "Accepted"
    await station.plug_in(1, Car(), "A")
    await csms.until(lambda: desk.readings("Current.Import", "L1")[-1:] == [8.0], "8 A in")


async def test_a_maximum_holds_a_setpoint_back(csms: Csms, connect: Connect, desk: Desk) -> None:
    station = await connect(speed=1)
    now = whole(station)
    profile = with_period(desk.profile(1, [(0, 20.0)], start=now), **CENTRAL, setpoint=18.0)
    await desk.installs(1, profile)
    await desk.installs(0, desk.profile(2, [(0, 10.0)], purpose="max", start=now))
    [period] = await periods(csms)
    assert (period["limit"], period["setpoint"]) == (10.0, 10.0)


@pytest.mark.parametrize(
    ("values", "gives"),
    [
        ({}, 0.0),  # no operationMode is ChargingOnly
        ({"operationMode": "ChargingOnly"}, 0.0),
        ({"operationMode": "ExternalSetpoint", "dischargeLimit": -6.5}, 6.5),
    ],
)
async def test_a_profile_says_whether_a_car_may_give_back_of_its_own_accord(
    csms: Csms, connect: Connect, desk: Desk, values: Payload, gives: float
) -> None:
    station = await connect(meter_interval_s=10)
    profile = with_period(desk.profile(1, [(0, 16.0)], start=whole(station)), **values)
    assert await desk.installs(1, profile) == "Accepted"
    await station.plug_in(1, Car(soc=0.8, discharge_a=16, discharges_at=0.7), "A")
    await csms.until(lambda: len(desk.readings("Current.Export", "L1")) >= 5, "five readings")
    assert desk.readings("Current.Export", "L1")[-1] == gives


async def test_a_dynamic_profile_is_updated_ends_and_returns(
    csms: Csms, connect: Connect, desk: Desk
) -> None:
    station = await connect()
    assert await desk.installs(1, dynamic(5, 10.0, schedule={"duration": 60})) == "Accepted"
    assert [row["limit"] for row in await periods(csms, duration_s=120)] == [10.0, 25.0]
    update: Payload = {"chargingProfileId": 5, "scheduleUpdate": {"limit": 8.5}}
    assert (await csms.ask("UpdateDynamicSchedule", update))["status"] == "Accepted"
    assert await desk.limit(1) == 8.5

    def ended() -> bool:
        now = station.clock.now()
        return station.station.schedules.limit(1, now, {}, now).amperes == 25.0

    await csms.until(ended, "the end of its duration")
    assert await desk.limit(1) == 25.0
    assert (await csms.ask("UpdateDynamicSchedule", update))["status"] == "Accepted"
    assert await desk.limit(1) == 8.5  # K28.FR.14


async def test_only_dynamic_profiles_are_updated(csms: Csms, connect: Connect, desk: Desk) -> None:
    station = await connect(speed=1)
    await desk.installs(1, desk.profile(1, [(0, 9.0)], start=whole(station)))
    await desk.installs(1, dynamic(2, 10.0))
    for number, value, reason in (
        (1, 8.0, "InvalidProfile"),
        (9, 8.0, "InvalidProfile"),
        (2, -8.0, "InvalidSchedule"),
    ):
        asked = {"chargingProfileId": number, "scheduleUpdate": {"limit": value}}
        answer = await csms.ask("UpdateDynamicSchedule", asked)
        assert (answer["status"], answer["statusInfo"]["reasonCode"]) == ("Rejected", reason)
    assert await desk.limit(1) == 10.0


async def test_it_asks_for_the_update_that_is_due(csms: Csms, connect: Connect, desk: Desk) -> None:
    csms.answers["PullDynamicScheduleUpdate"] = {"status": "Accepted", "scheduleUpdate": {"limit": 7.0}}
    await connect()
    assert await desk.installs(1, dynamic(5, 10.0, dynUpdateInterval=10)) == "Accepted"
    await csms.sees("PullDynamicScheduleUpdate", chargingProfileId=5, times=2)
    assert await desk.limit(1) == 7.0
    count = len(csms.seen("PullDynamicScheduleUpdate"))
    csms.answers["PullDynamicScheduleUpdate"] = {"status": "Rejected"}
    await csms.sees("PullDynamicScheduleUpdate", times=count + 2)
    assert await desk.limit(1) == 7.0


async def test_priority_overrules_until_it_is_switched_off(csms: Csms, connect: Connect, desk: Desk) -> None:
    station = await connect(speed=1)
    now = whole(station)
    await station.plug_in(1, Car(), "A")
    transaction = await desk.begun(1)

    async def uses(activate: bool, transaction: int | str = transaction) -> str:
        asked = {"transactionId": transaction, "activate": activate}
        return str((await csms.ask("UsePriorityCharging", asked))["status"])

    assert await uses(True) == "NoProfile"
    tx = desk.profile(1, [(0, 8.0)], purpose="tx", transactionId=transaction)
    priority = desk.profile(2, [(0, 18.0)], purpose="priority", start=now)
    assert await desk.installs(1, tx) == "Accepted"
    assert await desk.installs(0, priority) == "Accepted"
    assert await desk.limit(1) == 8.0
    assert await uses(True, "another") == "Rejected"
    assert await uses(True) == "Accepted"
    assert await desk.limit(1) == 18.0
    assert await uses(False) == "Accepted"
    assert await desk.limit(1) == 8.0


@pytest.mark.parametrize(("gone", "after"), [(False, 9.0), (True, 25.0)])
async def test_a_profile_that_needs_the_line_holds_only_so_long(
    csms: Csms, connect: Connect, desk: Desk, gone: bool, after: float
) -> None:
    station = await connect()
    extra: Payload = {"maxOfflineDuration": 30, "invalidAfterOfflineDuration": gone}
    await desk.installs(1, desk.profile(1, [(0, 9.0)], start=whole(station), **extra))

    def limit() -> float:
        now = station.clock.now()
        return station.station.schedules.limit(1, now, {}, now).amperes

    await station.disconnect()
    assert limit() == 9.0
    await csms.until(lambda: limit() == 25.0, "the limit of the connection")
    station.reconnect()
    await csms.until(lambda: station.link.online, "the line")
    await csms.until(lambda: limit() == after, "what holds with a line")
    assert await desk.limit(1) == after


BAD: list[tuple[str, Payload, Payload, Payload]] = [
    # reason, in the period, in the schedule, in the profile
    ("InvalidOperationMode", {"operationMode": "LocalFrequency"}, {}, {}),
    ("InvalidOperationMode", {"operationMode": "Idle", "limit": None}, {}, {}),
    ("InvalidSchedule", {"limit": None}, {}, {}),
    ("InvalidSchedule", {"setpoint": 8.0}, {}, {}),
    ("InvalidSchedule", {"dischargeLimit": -8.0}, {}, {}),
    ("InvalidSchedule", CENTRAL, {}, {}),
    ("InvalidSchedule", CENTRAL | {"setpoint": 17.0}, {}, {}),
    ("InvalidSchedule", CENTRAL | {"setpoint": -8.0, "dischargeLimit": -7.0}, {}, {}),
    ("InvalidSchedule", {"operationMode": "ExternalSetpoint", "setpoint": 8.0}, {}, {}),
    ("PhaseConflict", {"limit_L2": 8.0}, {}, {}),
    ("PhaseConflict", CENTRAL | {"setpoint": 8.0, "setpoint_L3": 8.0}, {}, {}),
    ("UnsupportedParam", CENTRAL | {"setpoint": 8.0, "setpointReactive": 8.0}, {}, {}),
    ("InvalidSchedule", {"evseSleep": True}, {}, {}),
    ("InvalidSchedule", {"numberPhases": 1, "phaseToUse": 2}, {}, {}),
    ("UnsupportedParam", {}, {"randomizedDelay": 30}, {}),
    ("UnsupportedParam", {}, {"limitAtSoC": {"soc": 80, "limit": 6.0}}, {}),
    ("InvalidProfile", {}, {}, {"dynUpdateInterval": 60}),
    ("InvalidProfileId", {}, {}, {"id": -4}),
    ("UnsupportedPurpose", {}, {}, {"chargingProfilePurpose": "LocalGeneration"}),
    ("UnsupportedPurpose", {}, {}, {"chargingProfilePurpose": "ChargingStationExternalConstraints"}),
    ("InvalidSchedule", {}, {"duration": 60}, {"chargingProfilePurpose": "PriorityCharging"}),
    ("InvalidOperationMode", CENTRAL | {"setpoint": 8.0}, {}, {"chargingProfilePurpose": "PriorityCharging"}),
    (
        "MissingParam",
        {},
        {},
        {"chargingProfilePurpose": "TxProfile"},
    ),
]


async def test_what_it_cannot_do_gets_its_reason(csms: Csms, connect: Connect, desk: Desk) -> None:
    station = await connect(speed=1)
    await station.plug_in(1, Car(), "A")
    for reason, in_period, in_schedule, in_profile in BAD:
        profile = desk.profile(1, [(0, 16.0)], start=whole(station)) | in_profile
        profile = with_schedule(with_period(profile, **in_period), **in_schedule)
        answer = await csms.ask("SetChargingProfile", {"evseId": 1, "chargingProfile": profile})
        told = answer.get("statusInfo", {}).get("reasonCode")
        assert (answer["status"], told) == ("Rejected", reason), (in_period, in_schedule, in_profile, answer)
    maximum = with_period(desk.profile(1, [(0, 9.0)], purpose="max", start=whole(station)), **CENTRAL)
    answer = await csms.ask(
        "SetChargingProfile", {"evseId": 0, "chargingProfile": with_period(maximum, setpoint=8.0)}
    )
    assert answer["statusInfo"]["reasonCode"] == "InvalidOperationMode"
    two = dynamic(5, 10.0)
    two["chargingSchedule"][0]["chargingSchedulePeriod"].append({"startPeriod": 60, "limit": 8.0})
    answer = await csms.ask("SetChargingProfile", {"evseId": 1, "chargingProfile": two})
    assert answer["statusInfo"]["reasonCode"] == "InvalidSchedule"
    assert await desk.limit(1) == 25.0


async def test_a_daily_profile_by_the_clock_on_the_wall(csms: Csms, connect: Connect, desk: Desk) -> None:
    """The offset of startSchedule is disregarded: this one begins by Dutch time, whatever is written behind it."""
    station = await connect(speed=1)
    local = (whole(station) + timedelta(hours=1)).astimezone(ZONE).replace(tzinfo=None)
    profile = desk.profile(1, [(0, 9.0)], start=whole(station), duration_s=600)
    profile |= {"chargingProfileKind": "Recurring", "recurrencyKind": "Daily"}
    profile = with_schedule(profile, useLocalTime=True, startSchedule=f"{local.isoformat()}-09:00")
    assert await desk.installs(1, profile) == "Accepted"
    rows = [(row["startPeriod"], row["limit"]) for row in await periods(csms, duration_s=2 * 3600)]
    assert [limit for _, limit in rows] == [25.0, 9.0, 25.0]
    assert abs(rows[1][0] - 3600) <= 2


async def test_it_resets_as_a_whole_and_resumes_nothing(csms: Csms, connect: Connect) -> None:
    await connect()
    for asked in ({"type": "ImmediateAndResume"}, {"type": "Immediate", "evseId": 1}):
        answer = await csms.ask("Reset", asked)
        assert (answer["status"], answer["statusInfo"]["reasonCode"]) == ("Rejected", "UnsupportedRequest")
    assert len(csms.seen("BootNotification")) == 1


async def test_clearing_a_purpose_it_has_not_clears_nothing(csms: Csms, connect: Connect, desk: Desk) -> None:
    station = await connect(speed=1)
    await desk.installs(1, desk.profile(1, [(0, 9.0)], start=whole(station)))
    for purpose, outcome in (("LocalGeneration", "Unknown"), ("TxDefaultProfile", "Accepted")):
        criteria = {"chargingProfileCriteria": {"chargingProfilePurpose": purpose}}
        assert (await csms.ask("ClearChargingProfile", criteria))["status"] == outcome
    assert await desk.limit(1) == 25.0


async def test_it_says_what_it_can(csms: Csms, connect: Connect) -> None:
    await connect()
    assert (await csms.ask("GetBaseReport", {"requestId": 3, "reportBase": "FullInventory"}))[
        "status"
    ] == "Accepted"
    await csms.sees("NotifyReport", requestId=3, tbc=False)
    told = {
        (row["component"]["name"], row["variable"]["name"], row["component"].get("evse", {}).get("id")): row
        for call in csms.seen("NotifyReport", requestId=3)
        for row in call.payload["reportData"]
    }

    def value(component: str, name: str, evse: int | None = None) -> str:
        return str(told[component, name, evse]["variableAttribute"][0]["value"])

    assert value("SmartChargingCtrlr", "SupportsDynamicProfiles") == "true"
    assert value("SmartChargingCtrlr", "SupportsLimitAtSoC") == "false"
    assert value("SmartChargingCtrlr", "SupportedAdditionalPurposes") == "PriorityCharging"
    assert value("V2XChargingCtrlr", "Enabled", 2) == "true"
    modes = value("V2XChargingCtrlr", "SupportedOperationModes", 1).split(",")
    assert modes == ["ChargingOnly", "CentralSetpoint", "ExternalSetpoint"]
