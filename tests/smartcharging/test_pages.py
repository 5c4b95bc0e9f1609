"""What the operator sees and does on the page that sets a limit, without JavaScript."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from smartcharging.models import DesiredProfile
from stations.models import Station
from stations.models.access import Role
from tests.factories import (
    make_capabilities,
    make_driver,
    make_official,
    make_operator,
    make_staff,
    make_station,
)
from tests.pages.visiting import want

PAGE = "/stations/NL-ALF-1/limiet/"


@pytest.fixture
def station(db: None) -> Station:
    station = make_station("NL-ALF-1", name="Kade 1")
    make_capabilities(station)
    return station


@pytest.fixture
def planner(station: Station, client: Client) -> Client:
    client.force_login(make_staff(role=Role.PLANNER))
    client.cookies["django_language"] = "en"
    return client


def filled(*rows: tuple[str, str], **changes: Any) -> dict[str, Any]:
    data = {
        "name": "Netbewust",
        "place": "station",
        "unit": "A",
        "stack_level": "1",
        "when": "now",
        "hours": "4",
        "form-TOTAL_FORMS": str(len(rows)),
        "form-INITIAL_FORMS": "0",
    }
    for at, (since, limit) in enumerate(rows):
        data |= {f"form-{at}-since": since, f"form-{at}-limit": limit}
    return data | changes


def test_the_form_says_beforehand_what_the_station_takes(planner: Client) -> None:
    text = planner.get(PAGE).content.decode()

    assert "Set a limit on Kade 1" in text
    for sentence in (
        "At most 24 periods",
        "Levels up to 10",
        "Takes limits in amperes and in watts",
        "Connection: 3 × 25 A",
    ):
        assert sentence in text
    assert text.count('name="form-') == 3 * 2 + 4  # three rows, and what Django counts them with


def test_a_limit_is_set_and_the_operator_is_back_on_the_station(planner: Client, station: Station) -> None:
    answer = planner.post(PAGE, filled(("00:00", "14"), ("01:30", "10.5"), ("", "")))

    assert (answer.status_code, answer.headers["Location"]) == (302, "/stations/NL-ALF-1/")
    row = DesiredProfile.objects.get(station=station)
    assert (row.purpose, row.kind, row.duration_s, row.evse_number) == ("station_max", "absolute", 14400, 0)
    assert row.periods == [
        {"start_s": 0, "limit": 14.0, "phases": None},
        {"start_s": 5400, "limit": 10.5, "phases": None},
    ]
    assert row.requested_by is not None


def test_the_simplest_limit_is_a_number_and_a_button(planner: Client, station: Station) -> None:
    standing = want(station, stack_level=3)
    form, rows = (planner.get(PAGE).context[key] for key in ("form", "rows"))
    said = {field.html_name: field.value() for field in (*form, *(f for row in rows for f in row))}
    counted = {"form-TOTAL_FORMS": "3", "form-INITIAL_FORMS": "0"}
    filled_in = {key: "" if value is None else str(value) for key, value in said.items()}

    answer = planner.post(PAGE, filled_in | counted | {"form-0-limit": "12"})

    assert answer.status_code == 302
    row = DesiredProfile.objects.exclude(pk=standing.pk).get()
    assert (row.purpose, row.evse_number, row.duration_s) == ("station_max", 0, 4 * 3600)
    assert row.periods == [{"start_s": 0, "limit": 12.0, "phases": None}]
    assert row.stack_level == 4  # above what stands, so that it counts
    assert row.start_schedule is not None
    assert row.name == f"12 A from {timezone.localtime(row.start_schedule):%d-%m %H:%M}"


def test_the_level_is_the_highest_free_one_where_the_station_knows_none_above(
    planner: Client, station: Station
) -> None:
    want(station, stack_level=10)
    assert planner.get(PAGE).context["form"]["stack_level"].value() == 9


def test_days_and_times_are_text_as_people_here_write_them(planner: Client) -> None:
    text = planner.get(PAGE).content.decode()
    assert 'type="date' not in text
    assert 'type="time' not in text
    day = timezone.localdate() + dt.timedelta(days=2)
    for since, at in ((f"{day:%d-%m-%Y}", "17:30"), (f"{day:%d%m%Y}", "1730"), (f"{day:%d/%m/%Y}", "17.30")):
        data = filled(("00:00", "14"), ("130", "10"), when="later", starts_on=since, starts_time=at)
        assert planner.post(PAGE, data).status_code == 302
        row = DesiredProfile.objects.latest("pk")
        assert row.start_schedule is not None
        assert timezone.localtime(row.start_schedule).replace(tzinfo=None) == dt.datetime.combine(
            day, dt.time(17, 30)
        )
        assert row.periods[1]["start_s"] == 5_400


def test_a_mistake_under_another_choice_does_not_count(planner: Client) -> None:
    data = filled(("00:00", "14"), starts_on="nonsense", starts_time="25:00", until="1-1")
    assert planner.post(PAGE, data).status_code == 302


def test_dutch_decimals_are_understood(planner: Client) -> None:
    planner.cookies["django_language"] = "nl"

    assert planner.post(PAGE, filled(("00:00", "10,5"))).status_code == 302
    assert DesiredProfile.objects.get().periods[0]["limit"] == 10.5


def test_every_day_starts_at_midnight_here_and_ends_after_the_last_day(planner: Client) -> None:
    last = timezone.localdate() + dt.timedelta(days=9)

    planner.post(
        PAGE, filled(("00:00", "16"), ("17:00", "8"), when="daily", until=last.isoformat(), place="evse-2")
    )

    row = DesiredProfile.objects.get()
    assert (row.kind, row.recurrency, row.purpose, row.evse_number) == ("recurring", "daily", "tx_default", 2)
    assert row.start_schedule is not None
    assert row.valid_to is not None
    assert timezone.localtime(row.start_schedule).time() == dt.time()
    assert timezone.localtime(row.valid_to) == timezone.make_aware(
        dt.datetime.combine(last + dt.timedelta(days=1), dt.time())
    )


def test_a_row_more_keeps_what_was_filled_in(planner: Client) -> None:
    answer = planner.post(PAGE, filled(("00:00", "14"), ("nonsense", "x"), **{"add-row": "1"}))

    text = answer.content.decode()
    assert answer.status_code == 200
    assert 'name="form-2-limit"' in text
    assert 'value="nonsense"' in text
    assert 'value="Netbewust"' in text
    assert not DesiredProfile.objects.exists()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (filled(("00:00", "14"), hours=""), "Fill in for how many hours: every limit needs an end."),
        (filled(("00:00", "14"), when="daily"), "Fill in the last day: every limit needs an end."),
        (filled(("00:00", "14"), when="later"), "Fill in when it starts."),
        (
            filled(("00:00", "14"), when="later", starts_on="11/24/2026", starts_time="17:30"),
            "Write the day as dd-mm-yyyy, such as 24-11-2026.",
        ),
        (
            filled(("00:00", "14"), when="later", starts_on="28-03-2027", starts_time="02:30"),
            "The clock is set at this hour. Choose another time.",
        ),
        (filled(("25h", "14")), "Write hours and minutes, such as 17:30."),
        (filled(("00:00", "")), "Fill in the limit."),
        (filled(("", "14")), "Fill in from when."),
        (filled(("01:00", "14")), "The first period starts at 0 seconds, not at 3600."),
        (filled(("00:00", "14"), ("00:00", "12")), "Each period starts later than the one before"),
        (filled(("00:00", "1e300")), "is more than any connection gives"),
        (filled(("00:00", "nan")), "Enter a number."),
        (filled(("00:00", "-3")), "A limit is 0 or more"),
        (filled(("00:00", "14"), stack_level="12"), "requirement 206"),
        (filled(("", "")), "Fill in at least one limit."),
        (filled(("00:00", "14"), place="evse-9"), "Select a valid choice."),
    ],
)
def test_what_is_wrong_stands_beside_it(planner: Client, data: dict[str, Any], sentence: str) -> None:
    answer = planner.post(PAGE, data)

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not DesiredProfile.objects.exists()


def test_a_refusal_quotes_its_clause_beside_the_field(planner: Client, station: Station) -> None:
    Station.objects.update(ocpp_version="2.0.1")
    planner.post(PAGE, filled(("00:00", "14"), place="evse-0", stack_level="2"))

    answer = planner.post(PAGE, filled(("00:00", "14"), place="evse-1", stack_level="2"))

    sentence = "On level 2 a default already stands on EVSE 0; the station refuses a second one there."
    assert answer.context["form"].errors == {"stack_level": [f"{sentence} (OCPP 2.0.1 K01.FR.52/.53)"]}
    answer = planner.post(PAGE, filled(("00:00", "14"), ("01:00", "14.15")))
    rows = answer.context["rows"]
    assert rows[1].errors["limit"] == [
        "14.15 has more than one decimal; OCPP knows tenths. (OCPP 2.0.1 ChargingSchedulePeriodType)"
    ]


def test_a_limit_is_withdrawn_with_a_button(planner: Client) -> None:
    planner.post(PAGE, filled(("00:00", "14")))
    row = DesiredProfile.objects.get()
    url = f"{PAGE}{row.pk}/intrekken/"

    assert planner.get(url).status_code == 405
    assert planner.post(url).headers["Location"] == "/stations/NL-ALF-1/"
    row.refresh_from_db()
    assert (row.state, row.withdrawn_at is not None) == ("cleared", True)
    assert planner.post(url).status_code == 404


def test_who_may_not_plan_here_finds_nothing(planner: Client) -> None:
    planner.post(PAGE, filled(("00:00", "14")))
    row = DesiredProfile.objects.get()
    others = (
        make_staff(operator=make_operator("beta")), make_staff(role=Role.READER), make_official(), make_driver()
    )  # fmt: skip
    for user in others:
        planner.force_login(user)
        assert planner.get(PAGE).status_code == 404
        assert planner.post(f"{PAGE}{row.pk}/intrekken/").status_code == 404
    planner.logout()
    assert planner.get(PAGE).status_code == 302
