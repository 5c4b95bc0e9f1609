"""Reading what a station can do after its boot, and asking for the samples that are needed."""

from __future__ import annotations

from typing import Any

import pytest

from stations import capabilities, receivers
from stations.domain.capabilities import count, listed, rate_units
from stations.models import Capabilities, Command, ConfigurationValue, Event, Evse, Station
from stations.tasks import read_capabilities
from tests.factories import NOW, make_station
from tests.ocpp.conversation import answer, happened, minutes, say, wire

pytestmark = pytest.mark.django_db

KEYS = {
    "ChargeProfileMaxStackLevel": "8",
    "ChargingScheduleMaxPeriods": "24",
    "MaxChargingProfilesInstalled": "10",
    "ChargingScheduleAllowedChargingRateUnit": "Current,Power",
    "MeterValuesSampledData": "Energy.Active.Import.Register, Power.Active.Import,Current.Import",
    "SupportedFeatureProfiles": "Core,SmartCharging",
    "NumberOfConnectors": "2",
    "MeterValueSampleInterval": "60",
}


def keys(**changed: Any) -> dict[str, Any]:
    said = [
        {"key": key, "readonly": False, "value": value}
        for key, value in {**KEYS, **changed}.items()
        if value is not None
    ]
    return {"configurationKey": said}


def asked(station: Station) -> list[tuple[str, dict[str, Any]]]:
    return list(Command.objects.filter(station=station).order_by("pk").values_list("action", "payload"))


def read(station: Station, response: dict[str, Any]) -> Capabilities:
    command = capabilities.ask(station, now=NOW)
    assert command is not None
    answer(command, response)
    return Capabilities.objects.get(station=station)


@pytest.fixture(autouse=True)
def interval(settings: Any) -> None:
    settings.OCPP_SAMPLE_INTERVAL_S = 60


# ---------------------------------------------------------------- 1.6
def test_a_station_of_16_is_asked_for_all_its_keys_and_believed() -> None:
    station = make_station(firmware="1.2")
    known = read(station, keys())
    assert asked(station) == [("GetConfiguration", {})], (
        "nothing differs from what is needed, so nothing is set"
    )
    assert (known.max_stack_level, known.max_periods, known.max_profiles) == (8, 24, 10)
    assert (known.rate_units, known.evse_count, known.smart_charging) == (["A", "W"], 2, True)
    assert known.measurands == ["Energy.Active.Import.Register", "Power.Active.Import", "Current.Import"]
    assert (known.feature_profiles, known.phases, known.firmware) == (["Core", "SmartCharging"], None, "1.2")
    assert happened(station, "capabilities_read") == [{}]


def test_what_a_station_does_not_say_is_not_known() -> None:
    known = read(make_station(), {"unknownKey": ["x"]})
    assert (known.max_stack_level, known.max_periods, known.max_profiles) == (None, None, None)
    assert (known.rate_units, known.evse_count, known.smart_charging, known.measurands) == (
        [],
        None,
        None,
        [],
    )


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("Current", ("A",)), ("Power", ("W",)), ("power", ("W",)), ("current,POWER", ("A", "W")), ("A,W", ("A", "W")),
        ("W;A", ("A", "W")), ("Amp", ("A",)), ("Watt", ("W",)), ('"A","W"', ("A", "W")), ("", ()), (None, ()),
        ("kg", ()),
    ],
)  # fmt: skip
def test_illegal_spellings_of_rate_units_are_understood(text: str | None, units: tuple[str, ...]) -> None:
    assert rate_units(text) == units


def test_numbers_and_lists_as_stations_write_them() -> None:
    assert [count(text) for text in (" 8 ", "8.0", "-1", "8.5", "1e99", "inf", "nan", "many", "", None)] == [
        8, 8, None, None, None, None, None, None, None, None,
    ]  # fmt: skip
    assert listed("[A, B ,,C]") == ("A", "B", "C")


def test_a_readable_password_is_not_kept() -> None:
    station = make_station()
    read(station, keys(AuthorizationKey="hunter2-hunter2"))
    assert ConfigurationValue.objects.get(name="AuthorizationKey").value == "•••"


def test_reading_again_replaces_what_was_read() -> None:
    station = make_station()
    read(station, keys())
    assert read(station, keys(ChargingScheduleMaxPeriods="10")).max_periods == 10
    assert ConfigurationValue.objects.filter(name="ChargingScheduleMaxPeriods").count() == 1


def test_evses_are_corrected_by_what_the_station_shows() -> None:
    station = make_station(evses=3)
    say(station, "StatusNotification", {"connectorId": 3, "status": "Available", "errorCode": "NoError"})
    read(station, keys(NumberOfConnectors="1"))
    assert list(Evse.objects.values_list("number", flat=True)) == [1, 3], "what showed itself stays"
    read(station, keys(NumberOfConnectors="4"))
    assert list(Evse.objects.values_list("number", flat=True)) == [1, 2, 3, 4]


@pytest.mark.parametrize("many", ["100000", "-3", "x"])
def test_a_number_of_connectors_beyond_reason_is_not_believed(many: str) -> None:
    station = make_station()
    assert read(station, keys(NumberOfConnectors=many)).evse_count is None
    assert station.evses.count() == 2


def test_the_interval_and_missing_measurands_are_asked_for_and_nothing_else() -> None:
    station = make_station()
    read(station, keys(MeterValueSampleInterval="900", MeterValuesSampledData="Voltage"))
    sampled = "Voltage,Energy.Active.Import.Register,Power.Active.Import,Current.Import"
    assert asked(station)[1:] == [
        ("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "60"}),
        ("ChangeConfiguration", {"key": "MeterValuesSampledData", "value": sampled}),
    ]
    for command in Command.objects.filter(action="ChangeConfiguration"):
        answer(command, {"status": "Accepted"})
    assert ConfigurationValue.objects.get(name="MeterValueSampleInterval").value == "60"
    assert len(Capabilities.objects.get().measurands) == 4


def test_more_measurands_than_fit_are_not_asked_for() -> None:
    station = make_station()
    read(station, keys(MeterValuesSampledData="Voltage", MeterValuesSampledDataMaxLength="3"))
    assert len(asked(station)) == 1


def test_a_refused_change_changes_nothing_here() -> None:
    station = make_station()
    read(station, keys(MeterValueSampleInterval="900"))
    answer(Command.objects.get(action="ChangeConfiguration"), {"status": "Rejected"}, state="refused")
    assert ConfigurationValue.objects.get(name="MeterValueSampleInterval").value == "900"


def test_a_password_that_we_set_is_not_kept_readable() -> None:
    station = make_station()
    read(station, keys(AuthorizationKey=""))
    payload = {"key": "AuthorizationKey", "value": "hunter2-hunter2"}
    command = Command.objects.create(
        station=station,
        action="ChangeConfiguration",
        payload=payload,
        message_id="m",
        requested_at=NOW,
        expires_at=NOW,
    )
    answer(command, {"status": "Accepted"})
    assert ConfigurationValue.objects.get(name="AuthorizationKey").value == "•••"


# ---------------------------------------------------------------- 2.x
def variable(
    component: str, name: str, value: str | None, *, evse: int | None = None, instance: str = "", **more: Any
) -> dict[str, Any]:
    of = {"name": component, **({"evse": {"id": evse}} if evse else {})}
    attribute = {"mutability": "ReadWrite", **({"value": value} if value is not None else {})}
    named = {"name": name, **({"instance": instance} if instance else {})}
    return {"component": of, "variable": named, "variableAttribute": [attribute], **more}


LIMITED: dict[str, Any] = {
    "variableCharacteristics": {"dataType": "integer", "supportsMonitoring": False, "maxLimit": 12}
}
OFFERED: dict[str, Any] = {
    "variableCharacteristics": {
        "dataType": "MemberList",
        "supportsMonitoring": False,
        "valuesList": "Energy.Active.Import.Register,Current.Import,Voltage",
    }
}
REPORT = [
    variable("SmartChargingCtrlr", "Enabled", "true"),
    variable("SmartChargingCtrlr", "ProfileStackLevel", "6"),
    variable("SmartChargingCtrlr", "PeriodsPerSchedule", "48"),
    variable("SmartChargingCtrlr", "RateUnit", "A,W"),
    variable("SmartChargingCtrlr", "Entries", "0", instance="ChargingProfiles", **LIMITED),
    variable("SampledDataCtrlr", "TxUpdatedInterval", "300"),
    variable("SampledDataCtrlr", "TxUpdatedMeasurands", "Energy.Active.Import.Register", **OFFERED),
    variable("ChargingStation", "SupplyPhases", "3"),
    variable("EVSE", "Available", "true", evse=1),
    variable("EVSE", "Available", "true", evse=2),
    variable("SecurityCtrlr", "BasicAuthPassword", None),
]


def report(station: Station, entries: list[dict[str, Any]], seq_no: int, *, tbc: bool) -> None:
    payload = {"requestId": 1, "generatedAt": wire(NOW), "seqNo": seq_no, "tbc": tbc, "reportData": entries}
    assert say(station, "NotifyReport", payload) == {}


def test_a_station_of_2x_reports_its_device_model_in_parts() -> None:
    station = make_station(version="2.0.1", evses=1)
    command = capabilities.ask(station, now=NOW)
    assert command is not None
    assert (command.action, command.payload["reportBase"]) == ("GetBaseReport", "FullInventory")
    answer(command, {"status": "Accepted"})
    report(station, REPORT[:4], 0, tbc=True)
    assert not Capabilities.objects.exists()
    report(station, REPORT[4:], 1, tbc=False)
    known = Capabilities.objects.get()
    assert (known.max_stack_level, known.max_periods, known.max_profiles) == (6, 48, 12)
    assert (known.rate_units, known.smart_charging, known.phases, known.evse_count) == (
        ["A", "W"],
        True,
        3,
        2,
    )
    assert station.evses.count() == 2
    action, payload = asked(station)[-1]
    assert action == "SetVariables"
    assert [item["attributeValue"] for item in payload["setVariableData"]] == [
        "60",
        "Energy.Active.Import.Register,Current.Import",
    ], "what the station offers and does not sample"


def test_what_was_set_in_2x_is_known_without_reading_again() -> None:
    station = make_station(version="2.0.1")
    report(station, REPORT, 0, tbc=False)
    command = Command.objects.get(action="SetVariables")
    results = [
        {**{key: item[key] for key in ("component", "variable")}, "attributeStatus": status}
        for item, status in zip(command.payload["setVariableData"], ("Accepted", "Rejected"), strict=True)
    ]
    answer(command, {"setVariableResult": results})
    values = dict(
        ConfigurationValue.objects.filter(component="SampledDataCtrlr").values_list("name", "value")
    )
    assert values["TxUpdatedInterval"] == "60"
    assert values["TxUpdatedMeasurands"] == "Energy.Active.Import.Register"


def test_a_station_without_reports_is_asked_one_by_one() -> None:
    station = make_station(version="2.0.1")
    command = capabilities.ask(station, now=NOW)
    assert command is not None
    answer(command, {"status": "NotSupported"}, state="refused")
    following = Command.objects.get(action="GetVariables")
    values = {"ProfileStackLevel": "3", "RateUnit": "Power"}
    results = [
        {
            **item,
            "attributeStatus": "Accepted" if item["variable"]["name"] in values else "UnknownVariable",
            **({"attributeValue": value} if (value := values.get(item["variable"]["name"])) else {}),
        }
        for item in following.payload["getVariableData"]
    ]
    answer(following, {"getVariableResult": results})
    known = Capabilities.objects.get()
    assert (known.max_stack_level, known.rate_units, known.max_periods) == (3, ["W"], None)


# ---------------------------------------------------------------- when
def test_a_boot_leads_to_one_reading_however_often_the_task_runs() -> None:
    station = make_station(booted_at=NOW)
    for _ in range(2):
        read_capabilities(station.pk)
    assert [action for action, _ in asked(station)] == ["GetConfiguration"]
    read_capabilities(-1)


def test_a_station_that_never_answers_is_left_in_peace() -> None:
    station = make_station(booted_at=NOW)
    for attempt in range(5):
        capabilities.ask(station, now=minutes(attempt))
        Command.objects.update(state="unknown")
    assert len(asked(station)) == capabilities.MAX_ATTEMPTS
    station.booted_at = minutes(9)
    assert capabilities.ask(station, now=minutes(9)) is not None, "after its next boot it is asked again"


@pytest.mark.parametrize(
    ("kind", "data", "reads"),
    [
        ("booted", {}, True),
        ("command_lost", {"action": "GetConfiguration", "state": "unknown"}, True),
        ("command_lost", {"action": "Reset", "state": "unknown"}, False),
        ("command_lost", {"action": "GetConfiguration", "state": "expired"}, False),
        ("status", {}, False),
    ],
)
def test_which_events_lead_to_a_reading(
    kind: str, data: dict[str, Any], reads: bool, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    station = make_station()
    read_for: list[int] = []
    monkeypatch.setattr(read_capabilities, "delay", read_for.append)
    event = Event(station=station, kind=kind, at=NOW, recorded_at=NOW, data=data)
    receivers.read_capabilities_after_boot(event=event)
    assert read_for == ([station.pk] if reads else [])
