"""Reading what a station can do after its boot, and asking for the samples that are needed."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

import pytest

from stations import capabilities, commands, receivers
from stations.domain.capabilities import count, listed, rate_units
from stations.models import Capabilities, Command, ConfigurationValue, Event, Evse, Presence, Station
from stations.tasks import read_capabilities, read_unread_capabilities
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


def ask(station: Station, now: dt.datetime) -> Command | None:
    return next(iter(capabilities.ask_each([station], now=now)), None)


def read(station: Station, response: dict[str, Any]) -> Capabilities:
    command = ask(station, NOW)
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
    command = ask(station, NOW)
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
    command = ask(station, NOW)
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


# ---------------------------------------------------------------- 2.1
REPORT_21 = [
    *REPORT,
    variable("SmartChargingCtrlr", "ACPhaseSwitchingSupported", "false"),
    variable("SmartChargingCtrlr", "ACPhaseSwitchingSupported", "true", evse=2),
    variable("SmartChargingCtrlr", "SupportedAdditionalPurposes", "PriorityCharging,LocalGeneration"),
    variable("SmartChargingCtrlr", "SupportsDynamicProfiles", "true"),
    variable("SmartChargingCtrlr", "SupportsFeature", "FALSE", instance="UseLocalTime"),
    variable("V2XChargingCtrlr", "SupportedOperationModes", "ChargingOnly,CentralSetpoint", evse=1),
    variable("V2XChargingCtrlr", "SupportedOperationModes", "ChargingOnly,LocalFrequency", evse=2),
    variable("AlignedDataCtrlr", "Measurands", "Energy.Active.Export.Register", **OFFERED),
    variable(
        "V2XChargingCtrlr", "TxUpdatedMeasurands", "Power.Active.Setpoint", evse=1, instance="CentralSetpoint"
    ),
]


def test_what_21_adds_is_read_in_whichever_spelling() -> None:
    station = make_station(version="2.1")
    report(station, REPORT_21, 0, tbc=False)
    known = Capabilities.objects.get()
    assert known.ac_phase_switching is True, "one of its EVSEs can"
    assert known.supported_purposes == ["PriorityCharging", "LocalGeneration"]
    assert (known.dynamic_profiles, known.local_time) == (True, False)
    assert known.operation_modes == ["ChargingOnly", "CentralSetpoint", "LocalFrequency"]
    assert known.measurands == [
        "Energy.Active.Import.Register",
        "Energy.Active.Export.Register",
        "Power.Active.Setpoint",
    ]
    assert known.measurands_offered == ["Energy.Active.Import.Register", "Current.Import", "Voltage"]
    assert (known.max_periods, known.rate_units) == (48, ["A", "W"])


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_what_was_not_said_of_21_is_not_known(version: str) -> None:
    station = make_station(version=version)
    report(station, [variable("SmartChargingCtrlr", "Enabled", "true")], 0, tbc=False)
    known = Capabilities.objects.get()
    assert (known.ac_phase_switching, known.supported_purposes, known.dynamic_profiles) == (None, None, None)
    assert (known.local_time, known.operation_modes, known.measurands_offered) == (None, None, None)


def test_an_empty_list_of_21_is_none_said_so_and_odd_words_are_not_believed() -> None:
    station = make_station(version="2.1")
    said = [
        variable("SmartChargingCtrlr", "SupportedAdditionalPurposes", ""),
        variable("SmartChargingCtrlr", "SupportsDynamicProfiles", "perhaps"),
        variable("SmartChargingCtrlr", "SupportsUseLocalTime", " True "),
        variable("V2XChargingCtrlr", "SupportedOperationModes", ""),
    ]
    report(station, said, 0, tbc=False)
    known = Capabilities.objects.get()
    assert (known.supported_purposes, known.operation_modes) == ([], [])
    assert (known.dynamic_profiles, known.local_time) == (None, True)


@pytest.mark.parametrize("offers", [True, False])
def test_the_export_register_is_asked_for_where_the_station_has_it(offers: bool) -> None:
    """Requirement 211: a measurand that is there but not set is ours to set."""
    names = "Energy.Active.Import.Register,Energy.Active.Export.Register,Power.Active.Import,Current.Import"
    choices = names if offers else names.replace(",Energy.Active.Export.Register", "")
    offered: dict[str, Any] = {
        "variableCharacteristics": {**OFFERED["variableCharacteristics"], "valuesList": choices}
    }
    sampled = "Energy.Active.Import.Register,Power.Active.Import,Current.Import"
    station = make_station(version="2.1")
    report(station, [variable("SampledDataCtrlr", "TxUpdatedMeasurands", sampled, **offered)], 0, tbc=False)
    wanted = [payload["setVariableData"][0]["attributeValue"] for _, payload in asked(station)]
    assert wanted == ([f"{sampled},Energy.Active.Export.Register"] if offers else [])


def test_a_station_of_21_without_reports_is_asked_in_questions_of_a_few() -> None:
    station = make_station(version="2.1")
    command = ask(station, NOW)
    assert command is not None
    answer(command, {"status": "NotSupported"}, state="refused")
    values = {"SupportsDynamicProfiles": "true", "ProfileStackLevel": "3", "TxUpdatedInterval": "900"}
    questions = list(Command.objects.filter(action="GetVariables"))
    assert [len(question.payload["getVariableData"]) for question in questions] == [7, 8]
    for question in questions:
        results = [
            {
                **item,
                "attributeStatus": "Accepted" if item["variable"]["name"] in values else "UnknownVariable",
                **({"attributeValue": value} if (value := values.get(item["variable"]["name"])) else {}),
            }
            for item in question.payload["getVariableData"]
        ]
        answer(question, {"getVariableResult": results})
    known = Capabilities.objects.get()
    assert (known.max_stack_level, known.dynamic_profiles, known.local_time) == (3, True, None)
    assert [action for action, _ in asked(station)].count("SetVariables") == 1, "asked to sample once"


# ---------------------------------------------------------------- when
def test_a_boot_leads_to_one_reading_however_often_the_task_runs() -> None:
    station = make_station(booted_at=NOW)
    for _ in range(2):
        read_capabilities([station.pk])
    assert [action for action, _ in asked(station)] == ["GetConfiguration"]
    read_capabilities([-1])


def test_a_station_that_never_answers_is_left_in_peace() -> None:
    station = make_station(booted_at=NOW)
    for attempt in range(5):
        ask(station, minutes(attempt))
        Command.objects.update(state="unknown")
    assert len(asked(station)) == capabilities.MAX_ATTEMPTS
    station.booted_at = minutes(9)
    station.save(update_fields=["booted_at"])
    assert ask(station, minutes(9)) is not None, "after its next boot it is asked again"


def waits(station: Station, now: dt.datetime) -> bool:
    return capabilities.unread(now).filter(pk=station.pk).exists()


def test_a_boot_that_led_to_no_question_is_found() -> None:
    station = make_station(booted_at=NOW)
    assert not waits(station, minutes(1)), "the boot's own question may yet come"
    assert waits(station, minutes(2))
    ask(station, minutes(2))
    assert not waits(station, minutes(3)), "it is asked"
    answer(Command.objects.get(), keys(), now=minutes(3))
    assert not waits(station, minutes(30)), "it was read"
    Station.objects.update(booted_at=minutes(40))
    assert waits(station, minutes(42)), "what was read is of before its last boot"


def test_a_station_that_refuses_is_asked_three_times_with_time_between_and_that_has_a_name() -> None:
    station = make_station(booted_at=NOW)
    assert capabilities.how_known(station, now=NOW) == "unread"
    asked_at = []
    for minute in range(30):
        if waits(station, minutes(minute)) and ask(station, minutes(minute)):
            asked_at.append(minute)
            Command.objects.update(state="failed")
            assert capabilities.how_known(station, now=minutes(minute)) == "asked"
    assert asked_at == [2, 4, 6]
    assert capabilities.how_known(station, now=minutes(30)) == "silent"


def test_a_question_that_never_left_is_none() -> None:
    station = make_station(booted_at=NOW)
    for minute in (2, 4, 6, 8):
        assert ask(station, minutes(minute))
        Command.objects.update(state="expired")
    assert waits(station, minutes(10))


def test_one_value_that_a_person_reads_is_not_the_reading_after_a_boot() -> None:
    station = make_station()
    read(station, keys())
    Station.objects.update(booted_at=minutes(5))
    command = commands.request(
        station=station, action="GetConfiguration", payload={"key": ["NumberOfConnectors"]}, now=minutes(6)
    )
    answer(command, {"configurationKey": [keys()["configurationKey"][6]]}, now=minutes(6))
    known = Capabilities.objects.get()
    assert (known.read_at, known.evse_count) == (NOW, 2)
    assert waits(station, minutes(9))


@pytest.mark.parametrize(
    ("connected", "read_at", "is_asked"),
    [
        (NOW, None, True),
        (NOW, minutes(-1), True),
        (NOW, minutes(1), False),  # it has booted since, and was read
        (None, None, False),  # gone again: its next boot will do
    ],
)
def test_a_version_that_changed_without_a_boot_is_read_all_the_same(
    connected: Any, read_at: Any, is_asked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    station = make_station(version="2.1", booted_at=minutes(-900))
    lease = {"connection": uuid4(), "connected_at": connected} if connected else {}
    Presence.objects.create(station=station, **lease)
    if read_at:
        Capabilities.objects.create(station=station, read_at=read_at)
    later: list[tuple[Any, Any]] = []
    monkeypatch.setattr(
        read_unread_capabilities, "apply_async", lambda args, countdown: later.append((args, countdown))
    )
    event = Event(station=station, kind="ocpp_changed", at=NOW, recorded_at=NOW, data={})
    receivers.read_capabilities_after_boot(event=event, among=[event])
    assert later == [((station.pk,), receivers.BOOT_PATIENCE_S)]
    read_unread_capabilities(station.pk)
    assert [action for action, _ in asked(station)] == (["GetBaseReport"] if is_asked else [])


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
    read_for: list[list[int]] = []
    monkeypatch.setattr(read_capabilities, "delay", read_for.append)
    event = Event(station=station, kind=kind, at=NOW, recorded_at=NOW, data=data)
    receivers.read_capabilities_after_boot(event=event, among=[event])
    assert read_for == ([[station.pk]] if reads else [])
