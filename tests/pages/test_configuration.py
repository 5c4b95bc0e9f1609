"""The pages of the configuration, as people read and use them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from stations import configuring, device_model, monitoring, rollouts
from stations.models import (
    Command,
    ConfigurationChange,
    ConfigurationRollout,
    ConfigurationTemplate,
    DeviceReading,
    Event,
    Station,
    VariableMonitor,
)
from stations.models.access import Role
from stations.ocpp.device import Place
from tests.device.rows import entry, make_template, make_value, read
from tests.factories import NOW, make_official, make_operator, make_staff, make_station
from tests.ocpp.conversation import answer
from tests.pages.visiting import MOST_QUERIES, queries_of, sees

pytestmark = pytest.mark.django_db

CONFIGURATION = "/stations/S-1/configuratie/"


def send(user: Any, path: str, **data: Any) -> Any:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user)
    return client.post(path, data)


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


def station_of_2x() -> Station:
    station = make_station("S-1", version="2.0.1", booted_at=NOW)
    read(
        station,
        [
            entry("TxCtrlr", "EVConnectionTimeOut", "120", dataType="integer", minLimit=30, maxLimit=600, unit="s"),
            entry("TxCtrlr", "TxStartPoint", "Authorized", dataType="OptionList", valuesList="Authorized,EVConnected"),
            entry("AuthCtrlr", "Enabled", "true", dataType="boolean"),
            entry("ClockCtrlr", "DateTime", "now", mutability="ReadOnly"),
            entry("NetCtrlr", "VpnPassword", None, mutability="WriteOnly"),
            entry("SecurityCtrlr", "BasicAuthPassword", None, mutability="WriteOnly"),
            entry("ChargingStation", "Temperature", "21", dataType="decimal", supportsMonitoring=True),
        ],
    )  # fmt: skip
    Command.objects.all().delete()
    return station


def value_path(station: Station, *names: str) -> str:
    rows = [station.configuration.get(name=name).pk for name in names]
    return f"{CONFIGURATION}wijzigen/?" + "&".join(f"value={pk}" for pk in rows)


def field(station: Station, name: str) -> str:
    return f"value-{station.configuration.get(name=name).pk}"


# ---------------------------------------------------------------- values
def test_the_page_shows_type_bounds_and_what_can_be_changed() -> None:
    station_of_2x()
    page = sees(make_staff(), CONFIGURATION)
    assert "integer, from 30, up to 600" in page
    assert "Change the chosen values" in page
    assert "Read in full" in page
    only = sees(make_staff(), CONFIGURATION, show="readonly")
    assert "DateTime" in only
    assert "EVConnectionTimeOut" not in only


def test_the_form_knows_what_each_value_may_be() -> None:
    station = station_of_2x()
    path = value_path(station, "EVConnectionTimeOut", "TxStartPoint", "Enabled", "VpnPassword", "DateTime",
                      "BasicAuthPassword")  # fmt: skip
    page = sees(make_staff(), path)
    assert "From 30 to 600. In s." in page
    assert '<option value="EVConnected">' in page
    assert "no (false)" in page
    assert 'type="password"' in page
    assert "2 chosen values cannot be changed here" in page, (
        "the read-only one, and the password of the station"
    )


def test_only_what_was_changed_is_sent_and_the_outcome_is_shown() -> None:
    station, staff = station_of_2x(), make_staff()
    path = value_path(station, "EVConnectionTimeOut", "Enabled", "VpnPassword")
    wrong = send(
        staff, path, **{field(station, "EVConnectionTimeOut"): "10", field(station, "Enabled"): "true"}
    )
    assert wrong.status_code == 422
    assert "This is lower than the station takes." in text_of(wrong)
    nothing = send(
        staff, path, **{field(station, "EVConnectionTimeOut"): "120", field(station, "Enabled"): "true"}
    )
    assert "Nothing has been changed yet." in text_of(nothing)
    sent = send(
        staff, path, **{field(station, "EVConnectionTimeOut"): "90", field(station, "Enabled"): "true"}
    )
    assert sent["Location"] == CONFIGURATION
    command = Command.objects.get()
    place = Place("EVConnectionTimeOut", "TxCtrlr").wire()
    assert command.payload == {"setVariableData": [{"attributeValue": "90", **place}]}
    assert command.requested_by == staff
    assert "asked" in sees(staff, CONFIGURATION)
    answer(
        command, {"setVariableResult": [{**place, "attributeStatus": "RebootRequired"}]}, now=timezone.now()
    )
    page = sees(staff, CONFIGURATION)
    assert "accepted, counts after a restart" in page
    assert "counts after a restart" in sees(staff, CONFIGURATION, show="reboot")
    Station.objects.filter(pk=station.pk).update(booted_at=timezone.now() + dt.timedelta(seconds=5))
    assert "EVConnectionTimeOut</th>" not in sees(staff, CONFIGURATION, show="reboot")


def test_a_secret_is_set_and_never_shown() -> None:
    station, staff = station_of_2x(), make_staff()
    send(staff, value_path(station, "VpnPassword"), **{field(station, "VpnPassword"): "hunter2-hunter2"})
    assert ConfigurationChange.objects.get().value == "•••"
    assert "hunter2" not in sees(staff, CONFIGURATION)


def test_an_official_and_a_planner_read_and_change_nothing() -> None:
    station = station_of_2x()
    path = value_path(station, "Enabled")
    for user in (make_official(), make_staff(role=Role.PLANNER)):
        assert "Change the chosen values" not in sees(user, CONFIGURATION)
        sees(user, path, status=404)
        assert send(user, f"{CONFIGURATION}lezen/").status_code == 404


def test_reading_again_shows_how_far_it_is() -> None:
    station, staff = station_of_2x(), make_staff()
    send(staff, f"{CONFIGURATION}lezen/")
    assert Command.objects.get().action == "GetBaseReport"
    assert "The station is being asked" in sees(staff, CONFIGURATION)
    reading = DeviceReading.objects.filter(station=station).first()
    assert reading is not None
    device_model.note_part(station, "values", reading.request_id or 0, 0, is_last=False, count=3, now=NOW)
    assert "Being read: 1 part received" in sees(staff, CONFIGURATION)


def test_a_key_of_16_without_a_type_is_text_and_true_is_a_choice() -> None:
    station, staff = make_station("S-1"), make_staff()
    make_value(station, "LocalPreAuthorize", "True")
    make_value(station, "HeartbeatInterval", "300")
    path = value_path(station, "LocalPreAuthorize", "HeartbeatInterval")
    names = field(station, "LocalPreAuthorize"), field(station, "HeartbeatInterval")
    assert "Give a whole number." in text_of(
        send(staff, path, **dict(zip(names, ("true", "x"), strict=True)))
    )
    send(staff, path, **dict(zip(names, ("true", "60"), strict=True)))
    assert [each.payload for each in Command.objects.all()] == [{"key": "HeartbeatInterval", "value": "60"}]


# ---------------------------------------------------------------- monitors
def test_monitors_are_added_shown_and_removed() -> None:
    station, staff = station_of_2x(), make_staff()
    variable = station.configuration.get(name="Temperature")
    wrong = send(
        staff, "/stations/S-1/bewaking/nieuw/", variable=variable.pk, kind="Periodic", value="0", severity="3"
    )
    assert "Give a number of seconds above 0." in text_of(wrong)
    send(staff, "/stations/S-1/bewaking/nieuw/", variable=variable.pk, kind="UpperThreshold", value="60.5",
         severity="3")  # fmt: skip
    row = VariableMonitor.objects.get()
    said = {**row.place.wire(), "type": row.kind, "severity": 3, "status": "Accepted", "id": 5}
    answer(row.command, {"setMonitoringResult": [said]})  # type: ignore[arg-type]
    page = sees(staff, "/stations/S-1/bewaking/")
    assert 'above <span class="laad-mono">60.5</span>' in page
    assert "3 critical" in page
    send(staff, f"/stations/S-1/bewaking/{row.pk}/wissen/")
    assert Command.objects.get(action="ClearVariableMonitoring").payload == {"id": [5]}
    send(staff, "/stations/S-1/bewaking/instellen/", base="FactoryDefault", level="4")
    assert Command.objects.filter(action__in=("SetMonitoringBase", "SetMonitoringLevel")).count() == 2


def test_what_the_station_noticed_is_on_the_page() -> None:
    station, staff = station_of_2x(), make_staff()
    data = {
        "severity": 2,
        "component": "EVSE#1",
        "variable": "Problem",
        "value": "true",
        "info": "fan",
        "cleared": False,
    }
    Event.objects.create(station=station, kind="device_event", at=NOW, recorded_at=NOW, data=data)
    page = sees(staff, "/stations/S-1/bewaking/opgemerkt/")
    assert "EVSE#1.Problem" in page
    assert "2 system failure" in page


def test_16_has_no_monitors() -> None:
    make_station("S-1")
    for path in ("bewaking/", "bewaking/opgemerkt/"):
        sees(make_staff(), f"/stations/S-1/{path}", status=404)


# ---------------------------------------------------------------- templates
def test_a_template_is_made_of_a_station_compared_and_sent_to_another() -> None:
    station, staff = station_of_2x(), make_staff()
    assert send(staff, "/configuratie/nieuw/?from=S-1", name="Like S-1").status_code == 302
    template = ConfigurationTemplate.objects.get()
    names = set(template.entries.values_list("name", flat=True))
    assert names == {"EVConnectionTimeOut", "TxStartPoint", "Enabled", "Temperature"}, (
        "no secret, nothing read-only"
    )
    station.configuration.filter(name="EVConnectionTimeOut").update(value="60")
    station.configuration.filter(name="Enabled").update(value="false", mutability="ReadOnly")
    station.configuration.filter(name="TxStartPoint").delete()
    path = f"{CONFIGURATION}vergelijken/?template={template.pk}"
    page = sees(staff, path)
    for words in ("differs</span>", "differs, and cannot be changed", "not read there", "the same"):
        assert words in page
    assert "Set 2 values as in the template" in page
    send(staff, path)
    assert len(Command.objects.get().payload["setVariableData"]) == 2


def test_the_values_of_a_template_are_edited() -> None:
    staff = make_staff()
    send(staff, "/configuratie/nieuw/", name="Basis", operator=make_operator().pk, family="2.x")
    make_station()  # an operator without stations has none to make a template for
    send(staff, "/configuratie/nieuw/", name="Basis", operator=make_operator().pk, family="2.x")
    template = ConfigurationTemplate.objects.get()
    path = f"/configuratie/{template.pk}/"
    rows = {"form-TOTAL_FORMS": "3", "form-INITIAL_FORMS": "0", "template-name": "Basis",
            "form-0-component": "EVSE#1", "form-0-name": "Power[x]", "form-0-value": "5",
            "form-1-component": "NetCtrlr", "form-1-name": "VpnPassword", "form-1-value": "hunter2"}  # fmt: skip
    lacking = send(staff, path, **rows, **{"form-2-name": "Lost"})
    assert "Name the component." in text_of(lacking)
    barred = send(
        staff, path, **rows, **{"form-2-component": "SecurityCtrlr", "form-2-name": "BasicAuthPassword"}
    )
    assert "Passwords are changed station by station" in text_of(barred)
    assert "More rows" in text_of(send(staff, path, **rows, **{"add-rows": "1"}))
    assert send(staff, path, **rows).status_code == 302
    assert template.entries.get(name="Power[x]").place == Place("Power", "EVSE", "x", "", 1)
    sealed = template.entries.get(name="VpnPassword").sealed_value
    assert "hunter2" not in sees(staff, path)
    send(staff, path, **{**rows, "form-1-value": ""})
    assert template.entries.get(name="VpnPassword").sealed_value == sealed, "left empty, it is kept"
    send(staff, f"{path}verwijderen/")
    assert not ConfigurationTemplate.objects.exists()


def test_lists_are_filtered_and_empty_ones_say_so() -> None:
    staff = make_staff()
    make_station()
    assert "There is no template yet" in sees(staff, "/configuratie/")
    assert "Nothing has been rolled out yet" in sees(staff, "/configuratie/rondes/")
    make_template(("", "A", "1"), name="Avond")
    assert "Avond" in sees(staff, "/configuratie/")
    assert "No template fits this search" in sees(staff, "/configuratie/", q="nothing")
    assert "No template fits this search" in sees(staff, "/configuratie/", family="2.x")
    rival = make_staff(operator=make_operator("beta"))
    assert "There is no template yet" in sees(rival, "/configuratie/")


def test_a_roll_out_from_the_dry_run_to_its_end() -> None:
    staff, template = make_staff(), make_template(("", "HeartbeatInterval", "60"))
    old = make_station("S-1", evses=0, model="Old", firmware="1")
    make_station("S-2", evses=0, model="New", firmware="2")
    make_value(old, "HeartbeatInterval", "300")
    path = f"/configuratie/{template.pk}/uitrollen/"
    page = sees(staff, path)
    assert "Send to 2 stations" in page
    assert 'HeartbeatInterval: <span class="laad-mono">300</span>' in page
    path += "?model=Old"
    assert "S-2" not in sees(staff, path)
    assert send(staff, path, count="2")["Location"] == path, "what would be done is not what was shown"
    assert "Stations that go first" in page
    went = send(staff, path, count="1", first="1", at_once="20", stop_percent="")
    rollout = ConfigurationRollout.objects.get()
    assert (rollout.first_stations, rollout.at_once, rollout.stop_percent) == (1, 20, 10)
    assert went["Location"] == f"/configuratie/rondes/{rollout.pk}/"
    assert not Command.objects.exclude(station=old).exists()
    rollouts.carry_out(rollout.pk, now=timezone.now())
    page = sees(staff, went["Location"])
    assert "0 of 1 stations" in page
    assert "Stop and withdraw" in page
    send(staff, f"{went['Location']}stop/")
    page = sees(staff, went["Location"], state="cancelled")
    assert "1 of 1 stations" in page
    send(staff, f"{went['Location']}opnieuw/")
    rollouts.carry_out(rollout.pk, now=timezone.now())
    answer(Command.objects.get(state="queued"), {"status": "Accepted"})
    assert "1 good" in sees(staff, went["Location"])


def test_a_roll_out_that_stopped_by_itself_says_why_and_what_to_do() -> None:
    staff, template = make_staff(), make_template(("", "HeartbeatInterval", "60"))
    for name in ("S-1", "S-2"):
        make_value(make_station(name, evses=0), "HeartbeatInterval", "300")
    path = f"/configuratie/{template.pk}/uitrollen/"
    refused = send(staff, path, count="2", at_once="0")
    assert "greater than or equal to 1" in text_of(refused)
    assert not ConfigurationRollout.objects.exists()
    went = send(staff, path, count="2", first="1")["Location"]
    rollout = ConfigurationRollout.objects.get()
    rollouts.carry_out(rollout.pk, now=timezone.now())
    answer(Command.objects.get(), {"status": "Rejected"}, state="refused")
    rollouts.carry_out(rollout.pk, now=timezone.now())
    page = sees(staff, went)
    assert "One of the first stations did not take it" in page
    assert "stopped by itself" in page
    assert "Try again where it failed" in page


def test_few_queries_however_many_values_and_stations() -> None:
    station, staff = station_of_2x(), make_staff()
    template = make_template(*[("TxCtrlr", f"V{n}", "1") for n in range(20)], family="2.x")
    for number in range(30):
        make_station(f"S-X{number}", version="2.1", evses=0)
    monitoring.set_monitor(
        station=station, place=Place("Temperature", "ChargingStation"), kind="Delta", value=1, severity=5,
        requested_by=None, now=NOW,
    )  # fmt: skip
    rollout = rollouts.start(template=template, stations=Station.objects.all(), requested_by=staff, now=NOW)
    rollouts.carry_out(rollout.pk, now=NOW)
    configuring.set_values(
        station=station, wishes=[configuring.wish(Place("A", "B"), "1")], requested_by=staff, now=NOW
    )
    paths = (
        CONFIGURATION,
        "/stations/S-1/bewaking/",
        f"{CONFIGURATION}vergelijken/?template={template.pk}",
        value_path(station, "Enabled", "TxStartPoint"),
        "/configuratie/",
        f"/configuratie/{template.pk}/",
        f"/configuratie/{template.pk}/uitrollen/",
        "/configuratie/rondes/",
        f"/configuratie/rondes/{rollout.pk}/",
    )
    for path in paths:
        assert queries_of(staff, path) <= MOST_QUERIES, path
