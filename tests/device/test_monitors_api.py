"""The API of monitors, and of a template that is changed."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from stations.models import Command, ConfigurationTemplate, Station, VariableMonitor
from stations.sealing import unseal
from tests.device.rows import make_template
from tests.factories import make_operator, make_staff, make_station
from tests.ocpp.conversation import answer

pytestmark = pytest.mark.django_db

API = "/api/v1"
WANTED = {
    "component": "EVSE#1",
    "name": "Power[L1]",
    "kind": "UpperThreshold",
    "value": 11000,
    "severity": 4,
    "only_in_transactions": True,
}


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(make_staff())
    return client


@pytest.fixture
def station() -> Station:
    return make_station("S-1", version="2.1", evses=0)


def ask(client: Client, method: str, path: str, body: Any = None, *, status: int) -> Any:
    response = getattr(client, method)(f"{API}{path}", body, content_type="application/json")
    assert response.status_code == status, response.content
    return response.json() if response.content else None


def test_a_monitor_is_set_read_and_removed(client: Client, station: Station) -> None:
    row = ask(client, "post", "/stations/S-1/monitors/", WANTED, status=202)
    assert (row["state"], row["number"], row["severity"]) == ("asked", None, 4)
    command = Command.objects.get(pk=row["command"])
    place = {
        "component": {"name": "EVSE", "evse": {"id": 1}},
        "variable": {"name": "Power", "instance": "L1"},
    }
    assert command.payload["setMonitoringData"] == [
        {"value": 11000.0, "type": "UpperThreshold", "severity": 4, "transaction": True, **place}
    ]
    result = {"id": 7, "status": "Accepted", "type": "UpperThreshold", "severity": 4, **place}
    answer(command, {"setMonitoringResult": [result]})
    (shown,) = ask(client, "get", "/stations/S-1/monitors/", status=200)["results"]
    assert (shown["state"], shown["number"], shown["name"]) == ("set", 7, "Power[L1]")
    queued = ask(client, "delete", f"/stations/S-1/monitors/{shown['id']}/", status=202)
    clear = Command.objects.get(pk=queued["id"])
    assert (clear.action, clear.payload) == ("ClearVariableMonitoring", {"id": [7]})
    answer(clear, {"clearMonitoringResult": [{"id": 7, "status": "Accepted"}]})
    assert not VariableMonitor.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "Periodic", "value": 0}, "value"),
        ({"kind": "Sometimes"}, "kind"),
        ({"severity": 10}, "severity"),
        ({"name": "Power["}, "name"),
    ],
)
def test_a_monitor_that_cannot_be_is_refused_by_field(
    client: Client, station: Station, change: dict[str, Any], field: str
) -> None:
    refused = ask(client, "post", "/stations/S-1/monitors/", {**WANTED, **change}, status=400)
    assert list(refused) == [field]
    assert not Command.objects.exists()


def test_a_kind_of_21_is_none_of_201_and_16_has_no_monitors(client: Client) -> None:
    make_station("S-201", version="2.0.1")
    make_station("S-16")
    refused = ask(client, "post", "/stations/S-201/monitors/", {**WANTED, "kind": "TargetDelta"}, status=400)
    assert "2.1" in refused["kind"][0]
    ask(client, "get", "/stations/S-16/monitors/", status=404)
    ask(client, "post", "/stations/S-16/monitors/", WANTED, status=404)
    ask(client, "post", "/stations/S-16/monitoring/", {"severity": 3}, status=404)


def test_base_and_level_are_a_command_each_and_the_list_is_asked_once(
    client: Client, station: Station
) -> None:
    both = {"base": "FactoryDefault", "severity": 3}
    assert len(ask(client, "post", "/stations/S-1/monitoring/", both, status=202)) == 2
    payloads = list(Command.objects.order_by("pk").values_list("action", "payload"))
    assert payloads == [
        ("SetMonitoringBase", {"monitoringBase": "FactoryDefault"}),
        ("SetMonitoringLevel", {"severity": 3}),
    ]
    ask(client, "post", "/stations/S-1/monitoring/", {}, status=400)
    ask(client, "post", "/stations/S-1/monitors/read/", status=202)
    ask(client, "post", "/stations/S-1/monitors/read/", status=409)


def test_the_monitor_of_another_station_is_not_found_here(client: Client, station: Station) -> None:
    other = make_station("S-2", version="2.1", operator=make_operator("beta"))
    theirs = VariableMonitor.objects.create(
        station=other, name="Power", kind="Delta", value=1, severity=5, read_at="2026-07-01T12:00:00Z"
    )
    ask(client, "delete", f"/stations/S-1/monitors/{theirs.pk}/", status=404)
    ask(client, "delete", f"/stations/S-2/monitors/{theirs.pk}/", status=404)
    assert VariableMonitor.objects.filter(pk=theirs.pk).exists()


# ---------------------------------------------------------------- templates
def test_a_template_is_changed_and_a_secret_that_is_given_masked_stays(client: Client) -> None:
    template = make_template(("", "HeartbeatInterval", "60"), ("", "ApnPassword", "hunter2-hunter2"))
    make_template(("", "A", "1"), name="Other")
    path = f"/configuration-templates/{template.pk}/"
    shown = ask(client, "get", path, status=200)
    entries = [
        {**each, "value": "90"} if each["name"] == "HeartbeatInterval" else each for each in shown["entries"]
    ]
    changed = ask(client, "put", path, {"name": "Night", "entries": entries}, status=200)
    assert changed["name"] == "Night"
    assert {each["name"]: each["value"] for each in changed["entries"]} == {
        "ApnPassword": "•••",
        "HeartbeatInterval": "90",
    }
    assert unseal(template.entries.get(name="ApnPassword").sealed_value) == "hunter2-hunter2"
    taken = ask(client, "put", path, {"name": "Other", "entries": []}, status=400)
    assert list(taken) == ["name"]
    locked_out = [{"name": "AuthorizationKey", "value": "0123456789abcdef"}]
    ask(client, "put", path, {"name": "Night", "entries": locked_out}, status=400)
    assert ConfigurationTemplate.objects.get(pk=template.pk).entries.count() == 2
