"""What a simulated station watches by itself, and what it says of values that count after a restart."""

from __future__ import annotations

import pytest

from tests.simulator.conftest import Connect
from tests.simulator.csms import Csms, Payload

ONLY_2 = pytest.mark.parametrize("version", ["2.0.1", "2.1"], indirect=True)
ONLY_16 = pytest.mark.parametrize("version", ["1.6"], indirect=True)


def monitor(kind: str, value: float, *, name: str = "Temperature", severity: int = 5) -> Payload:
    component, variable = {"name": "ChargingStation"}, {"name": name}
    return {"type": kind, "value": value, "severity": severity, "component": component, "variable": variable}


@ONLY_2
async def test_a_threshold_is_set_told_read_back_and_cleared(csms: Csms, connect: Connect) -> None:
    await connect()
    wanted = [
        monitor("LowerThreshold", 30.0),
        monitor("Delta", 1, name="Nonsense"),
        monitor("Delta", 1, name="Model"),
    ]
    results = (await csms.ask("SetVariableMonitoring", {"setMonitoringData": wanted}))["setMonitoringResult"]
    assert [each["status"] for each in results] == ["Accepted", "UnknownVariable", "UnsupportedMonitorType"]
    number = results[0]["id"]
    call = await csms.sees("NotifyEvent")
    told = call.payload["eventData"][0]
    assert (told["variableMonitoringId"], told["actualValue"], told["trigger"]) == (number, "24", "Alerting")
    again = await csms.ask("SetVariableMonitoring", {"setMonitoringData": wanted[:1]})
    assert again["setMonitoringResult"][0]["status"] == "Duplicate"
    assert (await csms.ask("GetMonitoringReport", {"requestId": 8}))["status"] == "Accepted"
    report = await csms.sees("NotifyMonitoringReport", requestId=8)
    assert len(report.payload["monitor"]) == 2, "the one that is wired, and ours"
    cleared = await csms.ask("ClearVariableMonitoring", {"id": [number, 1, 99]})
    assert [each["status"] for each in cleared["clearMonitoringResult"]] == [
        "Accepted",
        "Rejected",
        "NotFound",
    ]


@ONLY_2
async def test_the_level_and_the_base_decide_what_is_told(csms: Csms, connect: Connect) -> None:
    await connect()
    assert (await csms.ask("SetMonitoringLevel", {"severity": 4}))["status"] == "Accepted"
    data = {
        "setMonitoringData": [monitor("LowerThreshold", 30.0, severity=6), monitor("Periodic", 1, severity=3)]
    }
    await csms.ask("SetVariableMonitoring", data)
    call = await csms.sees("NotifyEvent")
    assert [each["trigger"] for each in call.payload["eventData"]] == ["Periodic"]
    assert (await csms.ask("SetMonitoringBase", {"monitoringBase": "HardWiredOnly"}))["status"] == "Accepted"
    thresholds = {"requestId": 9, "monitoringCriteria": ["PeriodicMonitoring"]}
    assert (await csms.ask("GetMonitoringReport", thresholds))["status"] == "EmptyResultSet"


@ONLY_2
async def test_a_variable_that_counts_after_a_restart(csms: Csms, connect: Connect) -> None:
    await connect()

    async def set_to(value: str) -> str:
        place = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "RetryBackOffRepeatTimes"}}
        answer = await csms.ask("SetVariables", {"setVariableData": [place | {"attributeValue": value}]})
        return str(answer["setVariableResult"][0]["attributeStatus"])

    assert await set_to("5") == "RebootRequired"
    assert await set_to("11") == "Rejected"


@ONLY_16
async def test_a_key_that_counts_after_a_restart(csms: Csms, connect: Connect) -> None:
    await connect()
    answer = await csms.ask("ChangeConfiguration", {"key": "MinimumStatusDuration", "value": "5"})
    assert answer["status"] == "RebootRequired"
