"""Tariffs for who works for an operator: what each says, where it is used, and what a session would cost by it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from stations.models.access import Role
from tests.factories import make_official, make_operator, make_staff, make_station, make_tariff
from tests.pages.visiting import queries_of, sees

pytestmark = pytest.mark.django_db

EVENING = [
    {
        "price_components": [{"type": "ENERGY", "price": 0.6, "vat": 21, "step_size": 1}],
        "restrictions": {"start_time": "17:00", "end_time": "20:00"},
    },
    {
        "price_components": [
            {"type": "ENERGY", "price": 0.4, "vat": 21, "step_size": 1},
            {"type": "PARKING_TIME", "price": 1.2, "vat": 21, "step_size": 60},
        ]
    },
]
EXAMPLE: dict[str, Any] = {
    "energy_kwh": "20",
    "charging_h": "2",
    "parked_h": "",
    "day": "04-12-2026",
    "at": "18:00",
}


def test_the_list_says_each_tariff_in_words_and_whether_it_holds() -> None:
    now = timezone.now()
    make_tariff(name="Old", valid_until=now - dt.timedelta(days=1))
    make_tariff(name="Now", elements=EVENING)
    make_tariff(name="Next", valid_from=now + dt.timedelta(days=9))
    staff = make_staff()
    page = sees(staff, "/tarieven/")
    assert "€ 0.60 per kWh (21% VAT in it): from 17:00 to 20:00." in page
    for state, name in (("holds", "Now"), ("later", "Next"), ("over", "Old")):
        only = sees(staff, "/tarieven/", state=state)
        assert [each for each in ("Old", "Now", "Next") if f">{each}</a>" in only] == [name]


def test_an_example_is_reckoned_by_the_owner_of_tariffs() -> None:
    """20 kWh from 18:00 to 20:00 at 0.60; an hour later half of it at 0.40."""
    tariff = make_tariff(elements=EVENING)
    staff = make_staff()
    page = sees(staff, f"/tarieven/{tariff.pk}/", **EXAMPLE)
    assert "€ 12.00" in page
    later = sees(staff, f"/tarieven/{tariff.pk}/", **EXAMPLE | {"at": "19:00"})
    assert "€ 10.00" in later
    parked = sees(staff, f"/tarieven/{tariff.pk}/", **EXAMPLE | {"parked_h": "0.5"})
    assert "€ 12.60" in parked
    assert "Time parked" in parked


def test_it_opens_with_an_example_and_says_what_is_wrong_with_another() -> None:
    tariff = make_tariff()
    staff = make_staff()
    assert "€ 7.00" in sees(staff, f"/tarieven/{tariff.pk}/")  # 20 kWh at 0.35
    page = sees(staff, f"/tarieven/{tariff.pk}/", status=422, **EXAMPLE | {"charging_h": "0", "at": "noon"})
    assert "Write hours and minutes, such as 17:30." in page
    assert "Total" not in page


def test_the_hour_that_comes_twice_is_reckoned_by_what_passes() -> None:
    """From 01:00 on the night of 25 October 2026 four hours pass until 04:00."""
    night = [
        {
            "price_components": [{"type": "TIME", "price": 1, "step_size": 1}],
            "restrictions": {"start_time": "02:00", "end_time": "03:00"},
        }
    ]
    tariff = make_tariff(elements=night)
    said: dict[str, Any] = {
        "energy_kwh": "4",
        "charging_h": "4",
        "parked_h": "",
        "day": "25-10-2026",
        "at": "01:00",
    }
    assert "€ 2.00" in sees(make_staff(), f"/tarieven/{tariff.pk}/", **said)


def test_where_it_is_used() -> None:
    own, usual = make_tariff(name="Own"), make_tariff(name="Usual", valid_from=timezone.now())
    make_station("S-OWN", tariff=own)
    staff = make_staff()
    page = sees(staff, f"/tarieven/{own.pk}/")
    assert "S-OWN" in page
    assert "holds at these stations alone" in page
    assert "At every station of the operator that has no tariff of its own." in sees(
        staff, f"/tarieven/{usual.pk}/"
    )


def test_a_tariff_that_cannot_be_read_says_so() -> None:
    tariff = make_tariff(elements=[{"price_components": []}])
    staff = make_staff()
    assert "cannot be read" in sees(staff, "/tarieven/")
    page = sees(staff, f"/tarieven/{tariff.pk}/")
    assert "An administrator can mend it in the administration." in page
    assert "must be a list of at least one component" in page


def test_only_who_administers_is_led_to_where_it_is_changed() -> None:
    tariff = make_tariff()
    change = f"/beheer/stations/tariff/{tariff.pk}/change/"
    assert change not in sees(make_staff(is_staff=True), f"/tarieven/{tariff.pk}/")
    manager: Any = make_staff(role=Role.ADMINISTRATOR, is_staff=True)
    assert change in sees(manager, f"/tarieven/{tariff.pk}/")


def test_another_operators_tariff_is_not_found() -> None:
    tariff = make_tariff(operator=make_operator("beta"), name="Theirs")
    staff = make_staff()
    sees(staff, f"/tarieven/{tariff.pk}/", status=404)
    assert "Theirs" not in sees(staff, "/tarieven/")
    sees(make_official(), "/tarieven/", status=404)
    assert Client().get("/tarieven/").status_code == 302


def test_queries_do_not_grow_with_tariffs() -> None:
    make_tariff()
    staff = make_staff()
    few = queries_of(staff, "/tarieven/")
    for number in range(8):
        make_tariff(name=f"T{number}", elements=EVENING)
    assert queries_of(staff, "/tarieven/") == few
