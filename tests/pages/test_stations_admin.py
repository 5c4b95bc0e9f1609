"""Master data at /beheer/: each party reads its own, an administrator changes it, a secret is shown once."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from portal.accounts.models import User
from stations.credentials import digest_token, verify_secret
from stations.forms import NewTokenForm, TokenForm
from stations.models import Station, Tariff, Token
from stations.models.access import Role
from stations.tariff_words import sentences
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


@pytest.mark.parametrize(
    ("text", "kept", "says"),
    [
        (" S-1/2 \n\nS-1/1\nS-1/2", ["S-1/1", "S-1/2"], ""),
        ("", [], ""),
        ("S-1/9\nB-1/1\nS-1\n/", None, "Not a socket of this operator: /, B-1/1, S-1, S-1/9."),
    ],
)
def test_a_token_may_be_kept_to_sockets_of_its_operator(text: str, kept: list[str] | None, says: str) -> None:
    make_station("S-1", evses=2)
    make_station("B-1", operator=make_operator("beta"))
    said = {"id_token": "04aabb", "kind": "ISO14443", "operator": make_operator().pk, "only_at": text}
    form = NewTokenForm(said)
    with override("en"):
        assert form.is_valid() is (kept is not None)
        assert form.errors.get("only_at", [""]) == [says]
    if kept is not None:
        assert TokenForm(instance=form.save())["only_at"].value() == "\n".join(kept)


def test_a_tokens_number_goes_in_and_never_comes_out() -> None:
    client = administrator()
    added = {"id_token": "04aabbccdd", "kind": "ISO14443", "label": "card", "operator": make_operator().pk}
    assert client.post(reverse("admin:stations_token_add"), added).status_code == 302
    token = Token.objects.get()
    assert token.digest == digest_token("04AABBCCDD")
    assert token.number() == "04aabbccdd", "sealed, for the local lists of stations"
    form = client.get(reverse("admin:stations_token_change", args=[token.pk])).content.decode()
    assert "04aabbccdd" not in form.lower()
    assert token.digest not in form
    changed = {"label": "blocked card", "kind": "ISO14443", "operator": make_operator().pk, "blocked": "on"}
    assert client.post(reverse("admin:stations_token_change", args=[token.pk]), changed).status_code == 302
    token.refresh_from_db()
    assert (token.label, token.blocked, token.digest) == ("blocked card", True, digest_token("04AABBCCDD"))
    assert client.post(reverse("admin:stations_token_add"), added).status_code == 200, "known already"


PRICES = {
    "name": "Standard",
    "currency": "EUR",
    "tax_included": "YES",
    "valid_from_0": "2026-01-01",
    "valid_from_1": "00:00:00",
}


def test_a_tariff_the_simple_way_says_in_words_what_it_is() -> None:
    client = administrator()
    simple = {"operator": make_operator().pk, "per_kwh": "0.42", "start_fee": "0.35", "vat": "21"}
    client.post(reverse("admin:stations_tariff_add"), {**PRICES, **simple})
    tariff = Tariff.objects.get()
    assert tariff.elements == [
        {
            "price_components": [
                {"type": "ENERGY", "price": 0.42, "step_size": 1, "vat": 21.0},
                {"type": "FLAT", "price": 0.35, "step_size": 1, "vat": 21.0},
            ]
        }
    ]
    page = client.get(
        reverse("admin:stations_tariff_change", args=[tariff.pk]), headers={"Accept-Language": "en"}
    ).content.decode()
    assert "1. € 0.42 per kWh (21% VAT in it): always." in page
    assert "1. € 0.35 at the start (21% VAT in it): always." in page


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"elements": "[]"}, "elements: must be a list of at least one element"),
        (
            {"elements": '[{"price_components": [{"type": "ENERGY", "price": "x"}]}]'},
            "elements[0].price_components[0].price: must be a number",
        ),
        (
            {
                "elements": '[{"price_components": [{"type": "FLAT", "price": 1}], "restrictions": {"max_kw": 1}}]'
            },
            "elements[0].restrictions.max_kw: is not known",
        ),
        ({"per_kwh": "0.4", "max_price": "{}"}, "max_price: must have before_taxes or after_taxes"),
    ],
)
def test_a_tariff_that_cannot_be_reckoned_with_is_refused_with_its_field(
    wrong: dict[str, str], field: str
) -> None:
    sent = {**PRICES, "operator": make_operator().pk, **wrong}
    page = administrator().post(reverse("admin:stations_tariff_add"), sent)
    assert page.status_code == 200
    assert field in page.content.decode()
    assert not Tariff.objects.exists()


def test_every_rule_of_a_tariff_has_its_words() -> None:
    element = {
        "price_components": [
            {"type": "ENERGY", "price": 0.125, "step_size": 500},
            {"type": "PARKING_TIME", "price": 3, "step_size": 900},
        ],
        "restrictions": {
            "start_time": "22:00",
            "end_time": "06:00",
            "day_of_week": ["SATURDAY", "SUNDAY"],
            "min_kwh": 10,
            "max_power": 22,
            "min_current": 6,
            "min_duration": 7200,
            "end_date": "2027-01-01",
        },
    }
    limits: dict[str, Any] = {"min_price": {"before_taxes": 1}, "max_price": {"after_taxes": 50}}
    with override("en"):
        told = " ".join(sentences(make_tariff(elements=[element], **limits).parsed()))
    for words in (
        "€ 0.125 per kWh, in steps of 500 Wh",
        "€ 3.00 per hour parked without charging, in steps of 900 seconds",
        "on Saturday, Sunday",
        "from 22:00 to 06:00",
        "from 10 kWh",
        "up to 22 kW",
        "from 6 A",
        "from 120 minutes",
        "up to 1 Jan 2027",
        "at least € 1.00 without taxes",
        "at most € 50.00 with taxes",
    ):
        assert words in told
