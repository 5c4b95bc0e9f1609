"""The API of the configuration: values, templates, and a roll-out after its dry run."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from stations import rollouts
from stations.models import Command, ConfigurationRollout, ConfigurationTemplate
from tests.device.rows import make_value
from tests.factories import make_operator, make_staff, make_station

pytestmark = pytest.mark.django_db

API = "/api/v1"


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(make_staff())
    return client


def post(client: Client, path: str, body: dict[str, Any], *, status: int) -> Any:
    response = client.post(f"{API}{path}", body, content_type="application/json")
    assert response.status_code == status, response.content
    return response.json()


def test_values_are_read_and_set(client: Client) -> None:
    station = make_station("S-1")
    make_value(station, "HeartbeatInterval", "300")
    rows = client.get(f"{API}/stations/S-1/configuration/").json()["results"]
    assert [(row["name"], row["value"], row["writable"]) for row in rows] == [
        ("HeartbeatInterval", "300", True)
    ]
    wanted = {"wanted": [{"name": "HeartbeatInterval", "value": "60"}]}
    changes = post(client, "/stations/S-1/configuration/", wanted, status=202)
    assert (changes[0]["state"], changes[0]["before"]) == ("asked", "300")
    assert changes[0]["command"] == Command.objects.get().pk
    locked_out = {"wanted": [{"name": "AuthorizationKey", "value": "0123456789abcdef"}]}
    post(client, "/stations/S-1/configuration/", locked_out, status=400)


def test_a_template_is_rolled_out_after_a_dry_run_and_stopped(client: Client) -> None:
    make_value(make_station("S-1", evses=0), "HeartbeatInterval", "300")
    make_station("S-2", evses=0)
    make_station("S-B", operator=make_operator("beta"))
    body = {"operator": "alpha", "name": "Basis", "family": "1.6"}
    entries = [{"name": "HeartbeatInterval", "value": "60"}]
    made = post(client, "/configuration-templates/", {**body, "entries": entries}, status=201)
    post(client, "/configuration-templates/", {**body, "entries": entries}, status=400)
    asked = {"template": made["id"], "stations": ["S-1"]}
    plan = post(client, "/configuration-rollouts/", {**asked, "dry_run": True}, status=200)
    assert plan["stations"] == 1
    value = plan["planned"][0]["wanted"][0]
    assert (value["before"], value["value"], value["difference"]) == ("300", "60", "differs")
    assert not ConfigurationRollout.objects.exists()
    post(client, "/configuration-rollouts/", {**asked, "stations": ["S-B"]}, status=404)
    rollout = post(client, "/configuration-rollouts/", asked, status=202)
    rollouts.carry_out(rollout["id"], now=timezone.now())
    path = f"/configuration-rollouts/{rollout['id']}"
    assert client.get(f"{API}{path}/").json()["counts"] == {"asked": 1}
    assert post(client, f"{path}/cancel/", {}, status=202)["state"] == "cancelled"
    runs = client.get(f"{API}{path}/stations/").json()["results"]
    assert [(run["station"], run["state"], run["changes"][0]["state"]) for run in runs] == [
        ("S-1", "cancelled", "cancelled")
    ]
    assert client.delete(f"{API}/configuration-templates/{made['id']}/").status_code == 204
    assert not ConfigurationTemplate.objects.exists()
