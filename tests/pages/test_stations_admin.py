"""Master data at /beheer/: each party reads its own, an administrator changes it, a secret is shown once."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from portal.accounts.models import User
from stations.credentials import digest_token, verify_secret
from stations.models import Station, Token
from stations.models.access import Role
from tests.factories import (
    make_concession,
    make_municipality,
    make_official,
    make_operator,
    make_site,
    make_staff,
    make_station,
    make_superuser,
    make_tariff,
    make_token,
    make_user,
)

pytestmark = pytest.mark.django_db
MODELS = ("municipality", "operator", "concession", "site", "station", "token", "tariff")


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def administrator(slug: str = "alpha") -> Client:
    return signed_in(make_staff(operator=make_operator(slug), role=Role.ADMINISTRATOR, is_staff=True))


def listed(client: Client, model: str) -> str:
    page = client.get(reverse(f"admin:stations_{model}_changelist"))
    assert page.status_code == 200, model
    return page.content.decode()


@pytest.fixture
def stations() -> tuple[Station, Station]:
    """One of alpha in voorbeeldstad, one of beta elsewhere."""
    elsewhere = make_concession(slug="elders", municipality=make_municipality("elders"))
    beta = make_operator("beta")
    make_token("T-ALPHA", label="card of alpha")
    make_token("T-BETA", label="card of beta", operator=beta)
    make_tariff(name="price of alpha")
    make_tariff(name="price of beta", operator=beta)
    return make_station("S-ALPHA"), make_station("S-BETA", operator=beta, concession=elsewhere)


def test_superusers_see_every_list_and_form(stations: tuple[Station, Station]) -> None:
    client = signed_in(make_superuser())
    for model in MODELS:
        listed(client, model)
        assert client.get(reverse(f"admin:stations_{model}_add")).status_code == 200, model
    assert {"S-ALPHA", "S-BETA"} <= set(re.findall(r"S-\w+", listed(client, "station")))


def test_an_operator_reads_its_own_rows_only(stations: tuple[Station, Station]) -> None:
    client = signed_in(make_staff(role=Role.READER, is_staff=True))
    for model in MODELS:
        page = listed(client, model)
        assert "beta" not in page.lower(), model
        assert client.get(reverse(f"admin:stations_{model}_add")).status_code == 403
    assert "S-ALPHA" in listed(client, "station")
    mine, other = (reverse("admin:stations_station_change", args=[station.pk]) for station in stations)
    assert client.get(mine).status_code == 200
    assert client.post(mine, {"name": "x"}).status_code == 403
    assert client.get(other).status_code == 302, "a stranger's row is not there: back to the index"


def test_an_official_reads_the_stations_of_the_own_concessions_and_no_token(
    stations: tuple[Station, Station],
) -> None:
    client = signed_in(make_official(is_staff=True))
    page = listed(client, "station")
    assert "S-ALPHA" in page
    assert "S-BETA" not in page
    assert "card of" not in listed(client, "token")
    assert "price of" not in listed(client, "tariff")
    assert client.get(reverse("admin:stations_station_add")).status_code == 403


def test_an_operator_does_not_read_who_works_at_its_municipality(stations: tuple[Station, Station]) -> None:
    official = make_official(email="ambtenaar@stad.example")
    place = make_municipality()
    page = (
        administrator().get(reverse("admin:stations_municipality_change", args=[place.pk])).content.decode()
    )
    assert place.name in page
    assert official.email not in page
    staff = make_staff(email="medewerker@alpha.example")
    address = reverse("admin:stations_operator_change", args=[make_operator().pk])
    assert staff.email in administrator().get(address).content.decode()
    assert staff.email not in signed_in(make_official(is_staff=True)).get(address).content.decode()


def test_a_driver_is_not_let_in() -> None:
    assert signed_in(make_user()).get(reverse("admin:index")).status_code == 302


STATION = {
    "identity": "S-NEW",
    "name": "",
    "ocpp_version": "1.6",
    "connection_phases": 3,
    "connection_a": 25,
    "evses-TOTAL_FORMS": 0,
    "evses-INITIAL_FORMS": 0,
}


def test_a_station_that_an_administrator_adds_gets_a_password_shown_once() -> None:
    client, site = administrator(), make_site()
    page = client.post(
        reverse("admin:stations_station_add"), {**STATION, "site": site.pk}, follow=True
    ).content.decode()
    station = Station.objects.get()
    shown = re.search(r"S-NEW[^<]*: ([\w-]{32})", page)
    assert shown
    assert verify_secret(station, shown[1].encode())
    assert station.evses.count() == 2
    form = client.get(reverse("admin:stations_station_change", args=[station.pk])).content.decode()
    assert station.secret_hash not in form
    assert shown[1] not in form


def test_a_station_cannot_be_given_to_another_operator() -> None:
    site = make_site(operator=make_operator("beta"))
    page = administrator().post(reverse("admin:stations_station_add"), {**STATION, "site": site.pk})
    assert page.status_code == 200, "the form comes back with an error"
    assert not Station.objects.exists()


def test_rotating_gives_a_new_password_to_ones_own_stations_only(stations: tuple[Station, Station]) -> None:
    client = administrator()
    chosen = {"action": "rotate_secrets", "_selected_action": [station.pk for station in stations]}
    page = client.post(reverse("admin:stations_station_changelist"), chosen, follow=True).content.decode()
    mine, other = (Station.objects.get(pk=station.pk) for station in stations)
    shown = re.search(r"S-ALPHA[^<]*: ([\w-]{32})", page)
    assert shown
    assert verify_secret(mine, shown[1].encode())
    assert other.secret_hash == ""


def test_a_tokens_number_goes_in_and_never_comes_out() -> None:
    client = administrator()
    added = {"id_token": "04aabbccdd", "label": "card", "operator": make_operator().pk}
    assert client.post(reverse("admin:stations_token_add"), added).status_code == 302
    token = Token.objects.get()
    assert token.digest == digest_token("04AABBCCDD")
    form = client.get(reverse("admin:stations_token_change", args=[token.pk])).content.decode()
    assert "04aabbccdd" not in form.lower()
    assert token.digest not in form
    changed = {"label": "blocked card", "operator": make_operator().pk, "blocked": "on"}
    assert client.post(reverse("admin:stations_token_change", args=[token.pk]), changed).status_code == 302
    token.refresh_from_db()
    assert (token.label, token.blocked, token.digest) == ("blocked card", True, digest_token("04AABBCCDD"))
    assert client.post(reverse("admin:stations_token_add"), added).status_code == 200, "known already"
