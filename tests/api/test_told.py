"""Notices, webhooks, cards, tariffs and people by API."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from portal.notices import telling
from portal.notices.webhooks.models import Delivery, Endpoint
from stations.models.access import Role
from tests.api.conftest import Signed
from tests.factories import (
    make_driver,
    make_official,
    make_operator,
    make_staff,
    make_station,
    make_tariff,
    make_token,
)
from tests.notices.test_telling import gone

pytestmark = pytest.mark.django_db

HOOK: dict[str, Any] = {
    "operator": "alpha",
    "name": "Planning",
    "url": "https://hooks.example/x",
    "events": ["station_silent"],
}


def test_a_program_reads_what_its_person_was_told_and_marks_it_read(signed: Signed) -> None:
    user = make_staff()
    gone(make_station("S-1", name="Kade 1"))
    telling.look(timezone.now())
    client = signed(user)
    (row,) = client.get("/api/v1/notices/?unread=true&kind=station_silent").json()["results"]
    assert (row["station"], row["read_at"]) == ("S-1", None)
    assert row["url"] == "http://localhost:8000/stations/S-1/verbinding/"
    assert client.post(f"/api/v1/notices/{row['id']}/read/").json()["read_at"]
    assert client.get("/api/v1/notices/?unread=true").json()["results"] == []
    assert client.get("/api/v1/notices/?kind=nonsense").status_code == 400
    assert signed(make_staff()).get(f"/api/v1/notices/{row['id']}/").status_code == 404


def test_a_webhook_is_made_changed_rotated_tried_and_removed_by_api(signed: Signed) -> None:
    make_operator()
    client = signed(make_staff(role=Role.ADMINISTRATOR))
    made = client.post("/api/v1/webhooks/", HOOK, format="json")
    assert made.status_code == 201
    path = f"/api/v1/webhooks/{made.json()['id']}/"
    assert made.json()["secret"].startswith("whsec_")
    assert "secret" not in client.get(path).json()
    rotated = client.post(f"{path}rotate/").json()
    assert rotated["secret"] != made.json()["secret"]
    assert rotated["old_until"]
    changed = client.put(path, HOOK | {"events": ["deviation"], "is_on": False}, format="json").json()
    assert (changed["events"], changed["state"]) == (["deviation"], "off")
    assert client.post(f"{path}test/").status_code == 400  # it is off
    client.put(path, HOOK, format="json")
    tried = client.post(f"{path}test/").json()
    assert client.get(f"/api/v1/webhook-deliveries/{tried['id']}/").json()["event"] == "test"
    Delivery.objects.update(state="failed", attempts=11)
    assert client.post(f"/api/v1/webhook-deliveries/{tried['id']}/again/").json()["attempts"] == 0
    assert client.get("/api/v1/webhook-deliveries/?state=waiting").json()["count"] == 1
    assert client.delete(path).status_code == 204
    assert not Endpoint.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [{"url": "http://hooks.example/"}, {"url": "https://10.0.0.1/"}, {"events": []}, {"events": ["moon"]}],
)
def test_a_webhook_that_cannot_be_is_refused_with_the_field(signed: Signed, wrong: dict[str, Any]) -> None:
    make_operator()
    answer = signed(make_staff(role=Role.ADMINISTRATOR)).post(
        "/api/v1/webhooks/", HOOK | wrong, format="json"
    )
    assert answer.status_code == 400
    assert set(answer.json()) == set(wrong)


def test_cards_are_listed_without_number_or_driver(signed: Signed) -> None:
    driver = make_driver()
    make_token("04SECRET", label="Bus 1", user=driver)
    make_token("04OTHER", operator=make_operator("beta"))
    answer = signed(make_staff(role=Role.READER)).get("/api/v1/cards/")
    (card,) = answer.json()["results"]
    assert (card["label"], card["linked"]) == ("Bus 1", True)
    assert driver.email not in answer.content.decode()
    assert "04SECRET" not in answer.content.decode()
    assert signed(make_official()).get("/api/v1/cards/").json()["results"] == []


def test_tariffs_are_read_as_ocpi_has_them(signed: Signed) -> None:
    tariff = make_tariff()
    client = signed(make_staff(role=Role.READER))
    told = client.get(f"/api/v1/tariffs/{tariff.pk}/").json()
    assert told["elements"][0]["price_components"][0]["type"] == "ENERGY"
    assert client.get("/api/v1/tariffs/?operator=beta").json()["results"] == []


def test_people_are_told_to_who_administers_them(signed: Signed) -> None:
    manager = make_staff(role=Role.ADMINISTRATOR)
    make_staff(operator=make_operator("beta"), email="els@beta.example")
    told = signed(manager).get("/api/v1/people/").json()["results"]
    assert [row["email"] for row in told] == [manager.email]
    assert signed(make_staff()).get("/api/v1/people/").status_code == 404
