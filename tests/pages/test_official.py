"""What an official sees and may do: the matrix, a requirement, a piece of evidence, a live probe.

The evidence is real: a station that answers is probed, and the check judges its answers.
"""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from portal.compliance import evidence, forms, probes, running
from portal.compliance.models import (
    ConcessionRequirement,
    Decision,
    Evidence,
    Judgement,
    Probe,
    Promise,
    Requirement,
)
from stations.models import Concession, Municipality, Presence
from stations.models.access import Role
from tests.compliance.fakes import FakeStation, make_fake, make_online_station
from tests.factories import make_concession, make_driver, make_official, make_operator, make_staff

pytestmark = pytest.mark.django_db

MATRIX = "/naleving/concessie/"


@pytest.fixture(autouse=True)
def in_english(client: Client) -> None:
    client.cookies["django_language"] = "en"


@pytest.fixture
def official(client: Client) -> Any:
    user = make_official(name="Tineke Zomer")
    client.force_login(user)
    return user


def present(**flags: Any) -> FakeStation:
    """A station that answers, today."""
    station = make_fake(**flags)
    station.clock.at = timezone.now()
    Presence.objects.filter(station=station.row).update(renewed_at=station.clock.at)
    return station


def probed(station: FakeStation) -> Evidence:
    probe = probes.start_probe(station=station.row, code="206", requested_by=None, now=station.clock.at)
    running.run(probe.pk, clock=station.clock, sleep=station.sleep)
    probe.refresh_from_db()
    assert probe.evidence is not None, probe.reason
    return probe.evidence


def promise(code: str = "206") -> None:
    asked = ConcessionRequirement.objects.get(requirement__code=code)
    Promise.objects.get_or_create(asked=asked, operator=make_operator())


def text(client: Client, path: str, **query: str) -> str:
    response = client.get(path, query)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


# ---------------------------------------------------------------- the matrix
def test_the_matrix_says_what_is_proven(client: Client, official: Any) -> None:
    found = probed(present())
    page = text(client, MATRIX)
    assert "Proven" in page
    assert "1/1 station" in page
    assert f"/bewijs/{found.pk}/" in page
    assert "laad-breach" not in page


def test_a_promised_wish_that_is_not_met_is_a_breach(client: Client, official: Any) -> None:
    station = present(one_per_purpose=True)
    promise()
    probed(station)
    page = text(client, MATRIX)
    assert "<strong>Does not meet 206.</strong>" in page
    assert "laad-breach" in page
    assert "Judge the evidence" in page


def test_a_wish_that_nobody_promised_is_never_red(client: Client, official: Any) -> None:
    probed(present(one_per_purpose=True))
    page = text(client, MATRIX)
    assert "1 not promised" in page
    assert "laad-breach" not in page
    assert "1 deviation</span>" not in page
    assert "Does not meet" not in page


def test_nothing_is_claimed_where_nothing_is_known(client: Client, official: Any) -> None:
    make_online_station()
    page = text(client, MATRIX)
    assert "Nothing has been judged yet." in page
    assert "Proven</span>" not in page.split("<details")[0]


def test_a_deviation_waits_for_a_judgement_until_there_is_one(client: Client, official: Any) -> None:
    station = present(one_per_purpose=True)
    promise()
    probed(station)
    found = probed(station)
    assert "1 deviation waits for a judgement" in text(client, MATRIX)
    client.post(f"/bewijs/{found.pk}/oordeel/", {"status": "deviation", "reason": "Klopt."})
    assert "Nothing waits for a judgement" in text(client, MATRIX)


def test_a_concession_without_requirements_says_so(client: Client, official: Any) -> None:
    make_concession()
    assert "This concession asks nothing of its stations yet" in text(client, MATRIX)


def test_the_matrix_is_filtered_by_address(client: Client, official: Any) -> None:
    probed(present())
    page = text(client, MATRIX, type="eis")
    assert "Local load balancing" in page
    assert "Stacken laadprofielen" not in page
    page = text(client, MATRIX, status="proven")
    assert "Stacken laadprofielen" in page
    assert "Local load balancing" not in page
    assert "Nothing fits these filters" in text(client, MATRIX, status="waived")


def test_an_operator_sees_only_its_own_column(client: Client) -> None:
    make_online_station(operator="alpha")
    make_online_station(operator="beta")
    client.force_login(make_staff(operator=make_operator("alpha")))
    page = text(client, MATRIX)
    assert 'id="op-alpha"' in page
    assert "Beta" not in page
    assert 'name="priority"' not in page


@pytest.mark.parametrize("path", [MATRIX, MATRIX + "206/"])
def test_strangers_find_nothing(client: Client, path: str) -> None:
    make_online_station()
    elsewhere = Municipality.objects.create(name="Elders", slug="elders")
    for user in (
        make_driver(),
        make_official(municipality=elsewhere),
        make_staff(operator=make_operator("x")),
    ):
        client.force_login(user)
        assert client.get(path).status_code == 404


def test_the_matrix_costs_the_same_for_many_stations(
    client: Client, official: Any, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    probed(present())
    for _ in range(3):
        make_online_station()
    client.get(MATRIX)  # a visit begins
    for path in (MATRIX, MATRIX + "206/"):
        with django_assert_max_num_queries(15):
            client.get(path)
    for _ in range(5):
        make_online_station()
    for path in (MATRIX, MATRIX + "206/"):
        with django_assert_max_num_queries(15):
            client.get(path)


def test_an_official_keeps_priority_and_comment(client: Client, official: Any) -> None:
    make_online_station()
    answer = client.post(MATRIX + "208/notitie/", {"priority": "1", "comment": "Hersteltermijn bespreken"})
    assert answer.headers["Location"] == MATRIX
    assert "Hersteltermijn bespreken" in text(client, MATRIX)
    asked = ConcessionRequirement.objects.get(requirement__code="208")
    assert (asked.priority, asked.comment) == (1, "Hersteltermijn bespreken")


def test_a_priority_that_does_not_exist_is_not_kept(client: Client, official: Any) -> None:
    make_online_station()
    page = client.post(MATRIX + "208/notitie/", {"priority": "9", "comment": "x"}, follow=True)
    assert "Not saved" in page.content.decode()
    assert ConcessionRequirement.objects.get(requirement__code="208").comment == ""


def test_an_operator_keeps_no_comment(client: Client) -> None:
    make_online_station()
    client.force_login(make_staff())
    assert client.post(MATRIX + "208/notitie/", {"comment": "x"}).status_code == 403
    assert ConcessionRequirement.objects.get(requirement__code="208").comment == ""


# ---------------------------------------------------------------- a requirement
def test_a_requirement_shows_its_own_words_in_dutch(client: Client, official: Any) -> None:
    make_online_station()
    words = Requirement.objects.get(code="206").text
    page = text(client, MATRIX + "206/")
    assert f'lang="nl">{words}' in page
    assert "There is no evidence yet." in page
    assert client.get(MATRIX + "204/").status_code == 404


def test_the_stations_of_a_requirement_are_searched(client: Client, official: Any) -> None:
    make_online_station("NL-ONE")
    make_online_station("NL-TWO")
    page = text(client, MATRIX + "206/", q="one")
    assert "NL-ONE" in page
    assert "NL-TWO" not in page
    assert "1 of 2" in page


def test_stations_come_in_pages(client: Client, official: Any) -> None:
    for number in range(27):
        make_online_station(f"NL-{number:02d}")
    assert "NL-26" not in text(client, MATRIX + "206/")
    page = text(client, MATRIX + "206/", page="2", status="not_assessed")
    assert "NL-26" in page
    assert "?page=1&amp;status=not_assessed" in page


# ---------------------------------------------------------------- evidence
def test_evidence_says_the_verdict_with_its_figures(client: Client, official: Any) -> None:
    found = probed(present(one_per_purpose=True))
    page = text(client, f"/bewijs/{found.pk}/")
    assert "did not return" in page
    assert "Default per session: levels accepted" in page
    assert "at least 6" in page
    assert "was to be expected." in page
    assert 'role="img"' in page
    assert "SetChargingProfile" in page
    assert "Computed again just now" in page
    assert found.hash[:4] in page


def test_another_step_can_be_drawn(client: Client, official: Any) -> None:
    found = probed(present())
    page = text(client, f"/bewijs/{found.pk}/")
    steps = page.split('href="?stap=')[1:]
    assert len(steps) > 5
    number = steps[3].split("#")[0]
    other = text(client, f"/bewijs/{found.pk}/", stap=number)
    assert f'href="?stap={number}#meting" aria-current="true"' in other


def test_a_change_afterwards_shows(client: Client, official: Any) -> None:
    found = probed(present())
    Evidence.objects.filter(pk=found.pk).update(verdict="deviation")
    page = text(client, f"/bewijs/{found.pk}/")
    assert "Broken" in page
    assert "Do not rely on it." in page


def test_evidence_is_not_for_strangers(client: Client) -> None:
    found = probed(present())
    for user in (make_driver(), make_staff(operator=make_operator("x"))):
        client.force_login(user)
        for tail in ("", "metingen.csv", "bewijs.json"):
            assert client.get(f"/bewijs/{found.pk}/{tail}").status_code == 404
        assert client.get(f"/bewijs/{found.pk}/?opnieuw=1").status_code == 404
        assert client.post(f"/bewijs/{found.pk}/oordeel/").status_code == 404


def test_evidence_costs_few_queries(
    client: Client, official: Any, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    found = probed(present())
    with django_assert_max_num_queries(15):
        client.get(f"/bewijs/{found.pk}/")


def test_evidence_comes_as_files(client: Client, official: Any) -> None:
    found = probed(present())
    rows = list(csv.reader(io.StringIO(client.get(f"/bewijs/{found.pk}/metingen.csv").content.decode())))
    assert rows[0][:3] == ["at", "purpose", "evse"]
    assert len(rows) > len(found.steps)
    stored = json.loads(client.get(f"/bewijs/{found.pk}/bewijs.json").content)
    assert stored["hash"] == found.hash
    assert len(stored["frames"]) == len(found.frames)


def test_evidence_is_judged_again_on_request(client: Client, official: Any) -> None:
    found = probed(present())
    assert "Judged again" not in text(client, f"/bewijs/{found.pk}/")
    page = text(client, f"/bewijs/{found.pk}/?opnieuw=1")
    assert "the check of today finds the same" in page
    assert "By the same check: 206 stacking" in page
    assert Evidence.objects.count() == 1


def test_evidence_that_is_judged_otherwise_today_shows_what_differs(client: Client, official: Any) -> None:
    found = probed(present())
    Evidence.objects.filter(pk=found.pk).update(verdict="deviation", engine="206 stacking 0.9")
    page = text(client, f"/bewijs/{found.pk}/?opnieuw=1")
    assert "does not find the same" in page
    assert "Judged then by 206 stacking 0.9" in page
    assert "What differs" in page


# ---------------------------------------------------------------- by type, by priority, by horizon
def test_the_matrix_has_a_column_for_each_type_of_station(client: Client, official: Any) -> None:
    station = present(one_per_purpose=True)
    promise()
    probed(station)
    type(station.row).objects.filter(pk=station.row.pk).update(vendor="Vast", model="A1")
    page = text(client, MATRIX, per="station_type")
    assert "Requirements and wishes by station type" in page
    assert '<span class="laad-op">Vast A1</span>' in page
    assert "laad-breach" in page
    assert "Stacken laadprofielen" in page
    assert 'id="op-alpha"' not in page, "a type promised nothing, so there is no sentence on it"
    assert "Meewerken" not in page, "what is asked of a back office has no type"


def test_an_operator_sees_the_types_of_its_own_stations(client: Client) -> None:
    ours, theirs = make_online_station(operator="alpha"), make_online_station(operator="beta")
    for row, vendor in ((ours, "Onze"), (theirs, "Hunne")):
        type(row).objects.filter(pk=row.pk).update(vendor=vendor)
    client.force_login(make_staff(operator=make_operator("alpha")))
    page = text(client, MATRIX, per="station_type")
    assert "Onze" in page
    assert "Hunne" not in page
    assert "Hunne" not in text(client, MATRIX, per="station_type", operator="beta")


def test_the_matrix_is_filtered_by_priority_and_horizon(client: Client, official: Any) -> None:
    make_online_station()
    ConcessionRequirement.objects.filter(requirement__code="207").update(priority=1)
    page = text(client, MATRIX, prio="1")
    assert "/207/" in page
    assert "/206/" not in page
    assert "/207/" not in text(client, MATRIX, prio="none")
    page = text(client, MATRIX, horizon="future")
    assert "/210/" in page
    assert "/206/" not in page
    client.force_login(make_staff())
    page = text(client, MATRIX, prio="1")
    assert "/206/" in page, "what matters most to the municipality cannot be found out by a filter"
    assert 'name="prio"' not in page


def test_what_is_not_kept_says_so_without_a_new_page(client: Client, official: Any) -> None:
    make_online_station()
    script = {"HX-Request": "true"}
    kept = client.post(MATRIX + "208/notitie/", {"priority": "1", "comment": "x"}, headers=script)
    assert "Saved" in kept.content.decode()
    refused = client.post(MATRIX + "208/notitie/", {"priority": "9", "comment": "y"}, headers=script)
    assert "Not saved" in refused.content.decode()


# ---------------------------------------------------------------- judging it
def test_one_judgement_is_given_on_many_stations(client: Client, official: Any) -> None:
    stations = [present(one_per_purpose=True) for _ in range(3)]
    promise()
    found = [probed(station) for station in stations]
    page = text(client, MATRIX + "206/")
    assert "3 pieces of evidence wait." in page
    form = {"status": "deviation", "reason": "Zelfde firmware.", "restore_by": "31-12-2099"}
    answer = client.post(MATRIX + "206/oordeel/", {**form, "evidence": []})
    assert answer.status_code == 422
    assert "Choose what your judgement is about." in answer.content.decode()
    assert not Decision.objects.exists()
    chosen = [row.pk for row in found[:2]]
    page = client.post(MATRIX + "206/oordeel/", {**form, "evidence": chosen}, follow=True).content.decode()
    assert "Your judgement is recorded for 2 subjects." in page
    assert {row.evidence_id for row in Decision.objects.all()} == set(chosen)
    assert "1 piece of evidence waits." in " ".join(page.split())


def test_a_judgement_on_many_that_cannot_be_is_sent_back(client: Client, official: Any) -> None:
    found = probed(present(one_per_purpose=True)).pk
    for form, said in (
        ({"status": "proven", "reason": "", "evidence": found}, "laad-error"),
        (
            {"status": "proven", "reason": "x", "restore_by": "31-12-2099", "evidence": found},
            "Only a deviation",
        ),
        ({"status": "deviation", "reason": "x", "restore_by": "1-1-2001", "evidence": found}, "has passed"),
        ({"status": "deviation", "reason": "x", "evidence": 999_999}, "laad-error"),
    ):
        answer = client.post(MATRIX + "206/oordeel/", form)
        assert answer.status_code == 422, form
        assert said in answer.content.decode(), form
        assert not Decision.objects.exists(), form


def test_who_supervises_nothing_judges_nothing(client: Client) -> None:
    found = probed(present(one_per_purpose=True))
    client.force_login(make_staff())
    assert "Your judgement" not in text(client, MATRIX + "206/")
    form = {"status": "proven", "reason": "x", "evidence": found.pk}
    assert client.post(MATRIX + "206/oordeel/", form).status_code == 403


def test_an_official_judges(client: Client, official: Any) -> None:
    station = present(one_per_purpose=True)
    promise()
    found = probed(station)
    form = {"status": "deviation", "reason": "Niveau 4 kwam niet terug.", "restore_by": "31-12-2099"}
    page = client.post(f"/bewijs/{found.pk}/oordeel/", form, follow=True).content.decode()
    decision = Decision.objects.get()
    assert (decision.to_status, decision.decided_by, decision.evidence) == ("deviation", official, found)
    assert "Your judgement is recorded." in page
    assert "Niveau 4 kwam niet terug." in page
    assert "Tineke Zomer" in page


def test_a_judgement_that_cannot_be_is_sent_back(client: Client, official: Any) -> None:
    found = probed(present())
    for form, said in (
        ({"status": "proven", "reason": ""}, "laad-error"),
        ({"status": "stacked", "reason": "x"}, "laad-error"),
        ({"status": "deviation", "reason": "x", "restore_by": "2026"}, "Write the date as day-month-year"),
        ({"status": "proven", "reason": "x", "restore_by": "31-12-2099"}, "Only a deviation has a date"),
    ):
        answer = client.post(f"/bewijs/{found.pk}/oordeel/", form)
        assert answer.status_code == 422, form
        assert said in answer.content.decode(), form
        assert not Decision.objects.exists(), form


def test_older_evidence_leads_to_the_newest(client: Client, official: Any) -> None:
    station = present()
    old, new = probed(station), probed(station)
    page = text(client, f"/bewijs/{old.pk}/")
    assert "There is newer evidence." in page
    assert f"/bewijs/{new.pk}/" in page
    assert 'name="reason"' not in page


def test_an_operator_reads_evidence_but_does_not_judge(client: Client) -> None:
    found = probed(present())
    client.force_login(make_staff())
    assert 'name="reason"' not in text(client, f"/bewijs/{found.pk}/")
    form = {"status": "proven", "reason": "Wij vinden van wel."}
    assert client.post(f"/bewijs/{found.pk}/oordeel/", form).status_code == 403
    assert not Decision.objects.exists()


# ---------------------------------------------------------------- a live probe
def start(client: Client, station: FakeStation) -> Any:
    requirement = Requirement.objects.get(code="206")
    return client.post("/steekproef/", {"station": station.row.pk, "requirement": requirement.pk})


def test_an_official_starts_a_probe_and_watches(client: Client, official: Any) -> None:
    station = present()
    answer = start(client, station)
    probe = Probe.objects.get()
    assert answer.headers["Location"] == f"/steekproef/{probe.pk}/"
    assert probe.requested_by == official
    page = text(client, f"/steekproef/{probe.pk}/")
    assert 'hx-trigger="every 1s"' in page
    Probe.objects.filter(pk=probe.pk).update(state="queued")
    running.run(probe.pk, clock=station.clock, sleep=station.sleep)
    part = client.get(f"/steekproef/{probe.pk}/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert "hx-trigger" not in part
    assert "Put back as it was, and read back" in part
    assert f"/bewijs/{Evidence.objects.get().pk}/" in part


def test_the_choice_offers_only_what_may_be_probed(client: Client, official: Any) -> None:
    make_online_station("NL-OURS")
    page = text(client, "/steekproef/")
    assert "NL-OURS" in page
    Concession.objects.update(officials_may_probe=False)
    page = text(client, "/steekproef/")
    assert "NL-OURS" not in page
    assert "There is no station that you may probe" in page


def test_of_a_big_fleet_the_identity_is_typed(
    client: Client, official: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    station = present().row
    other = make_online_station("NL-OTHER")
    monkeypatch.setattr(forms, "LISTED", 1)
    page = text(client, f"/steekproef/?station={station.pk}")
    assert f'value="{station.identity}"' in page
    assert "NL-OTHER" not in page
    asked = Requirement.objects.get(code="206").pk
    for wrong in ("NL-NOWHERE", "999999999999999999999999"):
        answer = client.post("/steekproef/", {"station": wrong, "requirement": asked})
        assert answer.status_code == 422
        assert "You may probe no station with this identity" in answer.content.decode()
        assert f'value="{wrong}"' in answer.content.decode()
    for chosen, row in ((station.identity, station), (str(other.pk), other)):
        client.post("/steekproef/", {"station": f" {chosen} ", "requirement": asked})
        assert Probe.objects.filter(station=row).exists()


def test_a_probe_that_is_not_allowed_does_not_start(client: Client) -> None:
    station = present()
    Concession.objects.update(officials_may_probe=False)
    for user in (make_official(), make_driver(), make_staff(role=Role.READER)):
        client.force_login(user)
        assert start(client, station).status_code == 422
    assert not Probe.objects.exists()


def test_a_second_probe_leads_to_the_first(client: Client, official: Any) -> None:
    station = present()
    first = Probe.objects.create(
        station=station.row,
        requirement=Requirement.objects.get(code="206"),
        requested_at=timezone.now(),
        state="running",
    )
    assert start(client, station).headers["Location"] == f"/steekproef/{first.pk}/"
    client.post(f"/steekproef/{first.pk}/stop/")
    first.refresh_from_db()
    assert first.cancel_requested
    assert "Stopping" in text(client, f"/steekproef/{first.pk}/")


def test_a_probe_that_could_not_run_says_why(client: Client, official: Any) -> None:
    station = present()
    Presence.objects.all().delete()
    probe = probes.start_probe(station=station.row, code="206", requested_by=official, now=timezone.now())
    Probe.objects.filter(pk=probe.pk).update(state="queued")
    running.run(probe.pk, clock=station.clock, sleep=station.sleep)
    assert "The station is not connected." in text(client, f"/steekproef/{probe.pk}/")


def test_a_reader_watches_but_does_not_stop(client: Client) -> None:
    station = present()
    probe = Probe.objects.create(
        station=station.row,
        requirement=Requirement.objects.get(code="206"),
        requested_at=timezone.now(),
        state="running",
    )
    client.force_login(make_staff(role=Role.READER))
    assert "Stop and restore" not in text(client, f"/steekproef/{probe.pk}/")
    assert client.post(f"/steekproef/{probe.pk}/stop/").status_code == 403
    client.force_login(make_driver())
    assert client.get(f"/steekproef/{probe.pk}/").status_code == 404


def test_the_chain_that_pages_show_is_the_one_that_is_verified(client: Client, official: Any) -> None:
    station = present()
    first, second = probed(station), probed(station)
    assert evidence.verify(first.concession) is None
    assert f'href="/bewijs/{first.pk}/"' in text(client, f"/bewijs/{second.pk}/")
    assert Judgement.objects.get().evidence == second
