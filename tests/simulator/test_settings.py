"""What a CSMS reads from a station, and what it can change."""

from __future__ import annotations

from typing import Any

import pytest

from portal.simulator.cars import Car
from tests.simulator.conftest import Connect
from tests.simulator.csms import Csms, Payload
from tests.simulator.desk import Desk

ONLY_16 = pytest.mark.parametrize("version", ["1.6"], indirect=True)
ONLY_2 = pytest.mark.parametrize("version", ["2.0.1", "2.1"], indirect=True)


@ONLY_16
async def test_the_keys_a_portal_needs(csms: Csms, connect: Connect) -> None:
    await connect()
    answer = await csms.ask("GetConfiguration", {})
    keys = {row["key"]: row["value"] for row in answer["configurationKey"]}
    assert int(keys["ChargeProfileMaxStackLevel"]) >= 8
    assert keys["ChargingScheduleMaxPeriods"] == "24"
    assert keys["MaxChargingProfilesInstalled"] == "30"
    assert keys["ChargingScheduleAllowedChargingRateUnit"] == "Current,Power"
    assert keys["NumberOfConnectors"] == "2"
    assert "SmartCharging" in keys["SupportedFeatureProfiles"].split(",")
    assert keys["AuthorizationKey"] == "secret"
    some = await csms.ask("GetConfiguration", {"key": ["heartbeatinterval", "Nonsense"]})
    assert [row["key"] for row in some["configurationKey"]] == ["HeartbeatInterval"]
    assert some["unknownKey"] == ["Nonsense"]


@ONLY_16
@pytest.mark.parametrize(
    ("key", "value", "status"),
    [
        ("MeterValueSampleInterval", "10", "Accepted"),
        ("MeterValueSampleInterval", "-1", "Rejected"),
        ("MeterValuesSampledData", "Energy.Active.Import.Register", "Accepted"),
        ("MeterValuesSampledData", "Phlogiston", "Rejected"),
        ("NumberOfConnectors", "3", "Rejected"),
        ("Nonsense", "1", "NotSupported"),
    ],
)
async def test_changing_a_key(csms: Csms, connect: Connect, key: str, value: str, status: str) -> None:
    await connect()
    assert (await csms.ask("ChangeConfiguration", {"key": key, "value": value}))["status"] == status


@ONLY_16
async def test_a_new_key_is_the_new_password(csms: Csms, connect: Connect) -> None:
    await connect()
    await csms.ask("ChangeConfiguration", {"key": "AuthorizationKey", "value": "rotated"})
    csms.password = "rotated"
    await csms.until(lambda: csms.connections == 2, "the station with its new password")


async def test_the_interval_and_the_measurands_are_obeyed(
    csms: Csms, connect: Connect, desk: Desk, version: str
) -> None:
    station = await connect(meter_interval_s=3600)
    if version == "1.6":
        for key, value in (("MeterValueSampleInterval", "5"), ("MeterValuesSampledData", "Current.Import")):
            await csms.ask("ChangeConfiguration", {"key": key, "value": value})
    else:
        data = [_set("TxUpdatedInterval", "5"), _set("TxUpdatedMeasurands", "Current.Import")]
        await csms.ask("SetVariables", {"setVariableData": data})
    await station.plug_in(1, Car(), "A")
    await csms.until(lambda: len(desk.readings("Current.Import", "L1")) >= 2, "two readings")
    values = [
        row["measurand"]
        for call in csms.calls
        if call.action == "MeterValues" or call.payload.get("triggerReason") == "MeterValuePeriodic"
        for row in call.payload["meterValue"][0]["sampledValue"]
    ]
    assert set(values) == {"Current.Import"}


def _set(name: str, value: str, component: str = "SampledDataCtrlr") -> Payload:
    return {"component": {"name": component}, "variable": {"name": name}, "attributeValue": value}


@ONLY_2
async def test_the_variables_a_portal_needs(csms: Csms, connect: Connect) -> None:
    await connect()

    async def get(name: str, component: str = "SmartChargingCtrlr", **more: Any) -> tuple[str, str | None]:
        variable = {"name": name} | ({"instance": more.pop("instance")} if "instance" in more else {})
        row = {"component": {"name": component}, "variable": variable} | more
        [result] = (await csms.ask("GetVariables", {"getVariableData": [row]}))["getVariableResult"]
        return result["attributeStatus"], result.get("attributeValue")

    assert await get("ProfileStackLevel") == ("Accepted", "9")
    assert await get("RateUnit") == ("Accepted", "A,W")
    assert await get("PeriodsPerSchedule") == ("Accepted", "24")
    assert await get("Entries", instance="ChargingProfiles") == ("Accepted", "0")
    assert await get("Entries", instance="ChargingProfiles", attributeType="MaxSet") == ("Accepted", "30")
    assert await get("Nonsense") == ("UnknownVariable", None)
    assert await get("Enabled", "NonsenseCtrlr") == ("UnknownComponent", None)
    assert await get("BasicAuthPassword", "SecurityCtrlr") == ("Rejected", None)
    assert await get("RateUnit", attributeType="Target") == ("NotSupportedAttributeType", None)


@ONLY_2
async def test_setting_variables(csms: Csms, connect: Connect) -> None:
    await connect()
    rows = [
        _set("TxUpdatedInterval", "30"),
        _set("TxUpdatedInterval", "soon"),
        _set("ProfileStackLevel", "99", "SmartChargingCtrlr"),
        _set("Nonsense", "1"),
    ]
    answer = await csms.ask("SetVariables", {"setVariableData": rows})
    statuses = [result["attributeStatus"] for result in answer["setVariableResult"]]
    assert statuses == ["Accepted", "Rejected", "Rejected", "UnknownVariable"]


@ONLY_2
async def test_the_full_report_comes_in_pages(csms: Csms, connect: Connect) -> None:
    await connect()
    asked = {"requestId": 3, "reportBase": "FullInventory"}
    assert (await csms.ask("GetBaseReport", asked))["status"] == "Accepted"
    await csms.sees("NotifyReport", requestId=3, tbc=False)
    pages = [call.payload for call in csms.seen("NotifyReport", requestId=3)]
    assert len(pages) > 1
    assert [page["seqNo"] for page in pages] == list(range(len(pages)))
    rows = {
        (row["component"]["name"], row["variable"]["name"], row["component"].get("evse", {}).get("id")): row
        for page in pages
        for row in page["reportData"]
    }
    entries = rows["SmartChargingCtrlr", "Entries", None]
    assert entries["variableCharacteristics"]["maxLimit"] == 30
    assert rows["EVSE", "Power", 2]["variableCharacteristics"]["maxLimit"] == 17250
    password = rows["SecurityCtrlr", "BasicAuthPassword", None]["variableAttribute"][0]
    assert password == {"mutability": "WriteOnly"}
    summary = {"requestId": 4, "reportBase": "SummaryInventory"}
    assert (await csms.ask("GetBaseReport", summary))["status"] == "NotSupported"
