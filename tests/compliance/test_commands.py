"""What scripts see: exit codes, JSON, and the API."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from portal.accounts.models import User
from portal.compliance import probes, running
from portal.compliance.models import Evidence, Probe
from portal.management.commands import probe as probe_command
from stations.models import Connector, Presence, Station
from stations.models.access import Role
from tests.compliance.fakes import FakeStation, append_evidence, make_fake, make_online_station
from tests.factories import make_driver, make_municipality, make_official, make_operator, make_staff

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def portal(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A portal on the same database: while the command waits, it takes what is queued."""

    def runs(station: FakeStation) -> None:
        station.clock.at = timezone.now()
        Presence.objects.update(renewed_at=station.clock.at)

        def wait(_seconds: float) -> None:
            for probe_id in probes.pending_probe_ids():
                running.run(probe_id, clock=station.clock, sleep=station.sleep)

        monkeypatch.setattr("portal.management.commands.probe.time.sleep", wait)

    return runs


def exit_code(*arguments: str, **options: Any) -> int:
    with pytest.raises(SystemExit) as stop:
        call_command("probe", *arguments, **options)
    return int(stop.value.code or 0)


# ---------------------------------------------------------------- probe
@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        ({}, 0, "proven: All six levels"),
        ({"one_per_purpose": True}, 1, "deviation: Level 5 of ChargePointMaxProfile"),
        ({"leaves_defaults_out": True}, 2, "undecided: While no car charges"),
        ({"rejects_every_composite": True}, 2, "not run: The station refuses to give a composite schedule"),
    ],
)
def test_the_exit_code_is_the_verdict(
    portal: Any, capsys: pytest.CaptureFixture[str], flags: dict[str, Any], code: int, said: str
) -> None:
    station = make_fake(**flags)
    portal(station)
    assert exit_code(station.row.identity, "206") == code
    out = capsys.readouterr().out
    assert said in out
    assert "Read what stands on the whole station before anything changes" in out


def test_unsafe_is_not_run(portal: Any, capsys: pytest.CaptureFixture[str]) -> None:
    station = make_fake()
    portal(station)
    Connector.objects.filter(evse__station=station.row, evse__number=1).update(status="Charging")
    assert exit_code(station.row.identity, "206") == 2
    assert "A car is connected to socket A" in capsys.readouterr().out


def test_as_json(portal: Any, capsys: pytest.CaptureFixture[str]) -> None:
    station = make_fake()
    portal(station)
    assert exit_code(station.row.identity, "206", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["verdict"], said["restored"], said["state"]) == ("proven", True, "done")
    assert said["evidence"] == Evidence.objects.get().pk
    assert len(said["steps"]) > 60


def test_207_as_json(portal: Any, capsys: pytest.CaptureFixture[str]) -> None:
    portal(make_fake())
    assert exit_code(Station.objects.get().identity, "207", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["requirement"], said["verdict"], said["restored"]) == ("207", "proven", True)
    assert "Set ChargePointMaxProfile on the whole station with 20 periods, from 6 to 15 A" in [
        step["text"] for step in said["steps"]
    ]


def test_without_a_portal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    station = make_online_station()
    monkeypatch.setattr(probe_command, "TAKEN_WITHIN_S", 0.1)
    assert exit_code(station.identity, "206") == 2
    assert "No portal is running on this database" in capsys.readouterr().err
    assert Probe.objects.get().state == "cancelled"


@pytest.mark.parametrize("code", ["211", "204", "999"])
def test_what_cannot_be_probed(capsys: pytest.CaptureFixture[str], code: str) -> None:
    station = make_online_station()
    assert exit_code(station.identity, code) == 2
    assert code in capsys.readouterr().err
    assert not Probe.objects.exists()


def test_an_unknown_station() -> None:
    with pytest.raises(CommandError, match="no station NL-NONE") as error:
        call_command("probe", "NL-NONE", "206")
    assert error.value.returncode == 2


# ---------------------------------------------------------------- compliance
def test_the_statuses_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    station = make_online_station("NL-TST-ONE")
    make_online_station("NL-TST-TWO", operator="beta")
    row = append_evidence(station)
    call_command("compliance", "--json")
    said = json.loads(capsys.readouterr().out)
    by_place = {(item["requirement"], item["subject"]): item for item in said}
    assert len(said) == len(by_place) == 7 * 2 + 5 * 2
    assert by_place["206", "NL-TST-ONE"] == {
        "requirement": "206",
        "subject": "NL-TST-ONE",
        "status": "proven",
        "figures": {"levels": 16.0},
        "evidence": row.pk,
        "at": "2026-07-01T12:00:12.000000Z",
    }
    assert by_place["206", "NL-TST-TWO"]["status"] == "not_assessed"
    assert by_place["203", "beta"]["evidence"] is None
    assert by_place["210", "NL-TST-TWO"]["status"] == "future"


def test_one_station_and_one_concession(capsys: pytest.CaptureFixture[str]) -> None:
    make_online_station("NL-TST-ONE")
    make_online_station("NL-TST-TWO")
    call_command("compliance", "--json", "--station", "NL-TST-ONE", "--concession", "concessie")
    said = json.loads(capsys.readouterr().out)
    assert {item["subject"] for item in said} == {"NL-TST-ONE"}
    call_command("compliance")
    assert "NL-TST-TWO" in capsys.readouterr().out
    for wrong in (["--station", "NL-NONE"], ["--concession", "none"]):
        with pytest.raises(CommandError, match=r"no (station|concession)"):
            call_command("compliance", *wrong)


# ---------------------------------------------------------------- API
def test_who_sees_which_status(client: Client) -> None:
    append_evidence(make_online_station("NL-TST-ONE"))
    make_online_station("NL-TST-TWO", operator="beta")
    client.force_login(make_official())
    said = client.get("/api/v1/compliance/").json()
    assert said["count"] == 24
    client.force_login(make_staff(operator=make_operator("beta"), role=Role.READER))
    said = client.get("/api/v1/compliance/").json()
    assert {item["subject"] for item in said["results"]} == {"NL-TST-TWO", "beta"}
    client.force_login(make_driver())
    assert client.get("/api/v1/compliance/").json()["count"] == 0
    client.logout()
    assert client.get("/api/v1/compliance/").status_code in {401, 403}


def test_a_page_of_statuses_is_a_part_of_the_list(
    client: Client, django_assert_max_num_queries: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(4):
        append_evidence(make_online_station(f"NL-TST-{number}", operator="beta" if number % 2 else "alpha"))
    call_command("compliance", "--json")
    whole = json.loads(capsys.readouterr().out)
    client.force_login(make_official())
    found: list[Any] = []
    page = {"next": "/api/v1/compliance/?limit=7"}
    while page["next"]:
        with django_assert_max_num_queries(12):
            page = client.get(page["next"]).json()
        found += page["results"]
    assert found == whole
    of_one = client.get("/api/v1/compliance/", {"station": "NL-TST-2", "limit": "3"}).json()
    assert (of_one["count"], {item["subject"] for item in of_one["results"]}) == (7, {"NL-TST-2"})
    assert client.get("/api/v1/compliance/", {"concession": "none"}).json()["count"] == 0


def test_who_sees_which_evidence(client: Client) -> None:
    row = append_evidence(make_online_station("NL-TST-ONE"))
    address = f"/api/v1/evidence/{row.pk}/"
    for user, code in [
        (make_official(), 200),
        (make_staff(role=Role.READER), 200),
        (make_staff(operator=make_operator("beta")), 404),
        (make_official(municipality=make_municipality("elders")), 404),
        (make_driver(), 404),
    ]:
        client.force_login(user)
        assert client.get(address).status_code == code
    client.force_login(make_official())
    said = client.get(address, headers={"accept-language": "en"}).json()
    assert said["reason"].startswith("All six levels")
    assert (said["station"], said["hash"]) == ("NL-TST-ONE", row.hash)


@pytest.mark.parametrize(
    ("role", "code"),
    [("official", 202), ("operator", 202), ("reader", 404), ("other", 404), ("driver", 404)],
)
def test_who_may_probe(client: Client, role: str, code: int) -> None:
    station = make_online_station("NL-TST-ONE")
    makers: dict[str, Callable[[], User]] = {
        "official": make_official,
        "operator": make_staff,
        "reader": lambda: make_staff(role=Role.READER),
        "other": lambda: make_staff(operator=make_operator("beta")),
        "driver": make_driver,
    }
    user = makers[role]()
    client.force_login(user)
    asked = {"station": station.identity, "requirement": "206"}
    answer = client.post("/api/v1/probes/", asked, content_type="application/json")
    assert answer.status_code == code
    assert Probe.objects.filter(requested_by=user).exists() == (code == 202)
    if code == 202:
        said = client.get(f"/api/v1/probes/{answer.json()['id']}/").json()
        assert (said["state"], said["steps"]) == ("queued", [])
        again = client.post("/api/v1/probes/", asked, content_type="application/json")
        assert again.status_code == 400


def test_an_official_probes_only_where_the_concession_allows_it(client: Client) -> None:
    station = make_online_station()
    concession = station.site.concession
    concession.officials_may_probe = False
    concession.save()
    client.force_login(make_official())
    asked = {"station": station.identity, "requirement": "206"}
    assert client.post("/api/v1/probes/", asked, content_type="application/json").status_code == 404


def test_only_the_operator_allows_a_probe_while_a_car_charges(client: Client) -> None:
    station = make_online_station()
    asked = {"station": station.identity, "requirement": "206", "while_charging": True}
    client.force_login(make_official())
    assert client.post("/api/v1/probes/", asked, content_type="application/json").status_code == 403
    client.force_login(make_staff())
    assert client.post("/api/v1/probes/", asked, content_type="application/json").status_code == 202
    assert Probe.objects.get().before == {"while_charging": True}
    assert Probe.objects.get().requested_at <= timezone.now() + dt.timedelta(seconds=1)
