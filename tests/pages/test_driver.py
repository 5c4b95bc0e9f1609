"""The driver's pages: own sessions only, energy in and out apart, what it cost, and why it went as it went."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.accounts.models import User
from stations import events
from stations.models import ChargingSession, Station, Token
from tests.factories import (
    make_driver,
    make_official,
    make_reading,
    make_session,
    make_staff,
    make_station,
    make_tariff,
    make_token,
)
from tests.pages.visiting import HOUR, MOST_QUERIES, queries_of, sees, want

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
MINE = "/mijn/sessies/"


@pytest.fixture
def driver() -> User:
    return make_driver()


@pytest.fixture
def card(driver: User) -> Token:
    return make_token(user=driver)


@pytest.fixture
def station() -> Station:
    return make_station("S-1", name="Square 12")


def ended(
    station: Station, card: Token, *, day: dt.datetime, wh: float | None = 10_000.0, **fields: Any
) -> ChargingSession:
    """A session of two hours that charged `wh`; None: the station never told its last register."""
    said: dict[str, Any] = {
        "state": "ended",
        "started_at": day,
        "ended_at": day + 2 * HOUR,
        "end_import_wh": None if wh is None else 1_000.0 + wh,
        "end_reason": "EVDisconnected",
        **fields,
    }
    return make_session(station, token=card, **said)


def day(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


class TestMySessions:
    def test_only_my_own(self, driver: User, card: Token, station: Station) -> None:
        ended(station, card, day=day("2026-03-03T10:00"))
        other = make_driver()
        ended(
            make_station("X", name="Secret lane"),
            make_token("OTHER", user=other),
            day=day("2026-03-04T10:00"),
        )
        page = sees(driver, MINE)
        assert "Square 12" in page
        assert "Secret lane" not in page

    def test_who_has_none_is_told_how_to_get_one(self, driver: User) -> None:
        page = sees(driver, MINE)
        assert "You have no sessions yet" in page
        assert "Link your card to this account." in page
        assert 'href="/mijn/passen/"' in page

    def test_grouped_by_month_with_the_sum_of_each(self, driver: User, card: Token, station: Station) -> None:
        ended(station, card, day=day("2026-03-03T10:00"), wh=10_000)
        ended(station, card, day=day("2026-03-20T10:00"), wh=2_500)
        ended(station, card, day=day("2026-02-01T10:00"), wh=4_000)
        page = sees(driver, MINE)
        assert page.index("March 2026") < page.index("February 2026")
        assert "2 sessions, 12.50 kWh" in page
        assert "1 session, 4.00 kWh" in page

    def test_session_late_on_the_last_evening_belongs_to_the_dutch_month(
        self, driver: User, card: Token, station: Station
    ) -> None:
        ended(station, card, day=day("2026-06-30T22:30"))  # 00:30 on 1 July in Amsterdam
        page = sees(driver, MINE)
        assert "July 2026</h2>" in page
        assert "1 session, 10.00 kWh" in page

    def test_cost_by_the_tariff_of_that_day(self, driver: User, card: Token, station: Station) -> None:
        make_tariff(price_per_kwh="0.4000", valid_from=day("2026-01-01T00:00"))
        make_tariff(price_per_kwh="0.9000", valid_from=day("2026-06-01T00:00"))
        ended(station, card, day=day("2026-03-03T10:00"), wh=10_000)
        assert "€ 4.00" in sees(driver, MINE)

    def test_unknown_is_said_and_never_zero(self, driver: User, card: Token, station: Station) -> None:
        ended(station, card, day=day("2026-03-03T10:00"), wh=None)
        page = sees(driver, MINE)
        assert "unknown<small>no price known</small>" in page
        assert "0.00 kWh" not in page

    def test_running_session_stands_on_top_with_what_it_has_so_far(
        self, driver: User, card: Token, station: Station
    ) -> None:
        now = timezone.now()
        ended(station, card, day=now - 30 * HOUR)
        make_session(station, token=card, started_at=now - HOUR, start_import_wh=1_000.0)
        make_reading(station, sampled_at=now, import_wh=7_250.0)
        page = sees(driver, MINE)
        assert page.index("You are charging now") < page.index("Square 12<small>")
        assert "6.25 kWh" in page

    def test_period(self, driver: User, card: Token, station: Station) -> None:
        ended(station, card, day=day("2026-03-03T10:00"))
        ended(station, card, day=day("2025-02-01T10:00"))
        assert "February 2025</h2>" not in sees(driver, MINE, period="2026")
        assert "February 2025</h2>" in sees(driver, MINE, period="2025-02")
        assert "You did not charge in this period" in sees(driver, MINE, period="2019")
        assert "March 2026</h2>" in sees(driver, MINE, period="nonsense")

    def test_number_of_queries_does_not_grow(self, driver: User, card: Token, station: Station) -> None:
        ended(station, card, day=day("2026-03-03T10:00"))
        few = queries_of(driver, MINE)
        for number in range(1, 25):
            ended(station, card, day=day("2026-03-03T10:00") - number * 24 * HOUR)
        assert queries_of(driver, MINE) == few <= MOST_QUERIES

    def test_csv_keeps_in_and_out_apart_and_holds_no_formula(self, driver: User, card: Token) -> None:
        station = make_station("S-9", name="=HYPERLINK(1)")
        ended(station, card, day=day("2026-03-03T10:00"), start_export_wh=0.0, end_export_wh=1_800.0)
        client = Client()
        client.force_login(driver)
        response = client.get(f"{MINE}sessies.csv")
        head, line = response.content.decode().splitlines()
        assert response["Content-Type"].startswith("text/csv")
        assert head.startswith("start,end,place,station,charged_kwh,returned_kwh")
        assert line == "2026-03-03T11:00:00+01:00,2026-03-03T13:00:00+01:00,'=HYPERLINK(1),S-9,10.0,1.8,,,,"


class TestOneSession:
    @pytest.mark.parametrize("part", ["", "vermogen.csv"])
    def test_another_driver_an_official_and_the_operator_find_nothing(
        self, card: Token, station: Station, part: str
    ) -> None:
        session = ended(station, card, day=day("2026-03-03T10:00"))
        for user in (make_driver(), make_official(), make_staff()):
            sees(user, f"{MINE}{session.pk}/{part}", status=404)

    def test_both_registers_and_never_their_difference(
        self, driver: User, card: Token, station: Station
    ) -> None:
        session = ended(
            station,
            card,
            day=day("2026-03-03T10:00"),
            wh=13_300.0,
            start_export_wh=0.0,
            end_export_wh=1_800.0,
        )
        page = sees(driver, f"{MINE}{session.pk}/")
        assert "13.30<small>kWh</small>" in page
        assert "13.30 kWh" in page
        assert "1.80 kWh" in page
        assert "Ended: 13.30 kWh charged, 1.80 kWh given back" in page
        assert "11.50" not in page

    def test_cost_and_its_absence(self, driver: User, card: Token, station: Station) -> None:
        session = ended(station, card, day=day("2026-03-03T10:00"))
        assert "Cost not known" in sees(driver, f"{MINE}{session.pk}/")
        make_tariff(price_per_kwh="0.4200")
        page = sees(driver, f"{MINE}{session.pk}/")
        assert "€ 4.20" in page
        assert "€ 0.42" in page

    def test_story_of_a_session_that_was_slowed_down(
        self, driver: User, card: Token, station: Station
    ) -> None:
        now = timezone.now()
        want(station, "Grid-aware", limit=8, start_schedule=now - HOUR, duration_s=2 * 3600)
        session = make_session(station, token=card, started_at=now - 2 * HOUR, received_at=now - 2 * HOUR)
        with transaction.atomic():
            events.record(
                station_id=station.pk,
                kind=events.Kind.STATUS,
                at=now - dt.timedelta(minutes=30),
                now=now,
                data={"evse": 1, "connector": 1, "status": "SuspendedEV"},
            )
            events.record(
                station_id=station.pk,
                kind=events.Kind.STATUS,
                at=now - dt.timedelta(minutes=30),
                now=now,
                data={"evse": 2, "connector": 1, "status": "Faulted"},
            )
        page = sees(driver, f"{MINE}{session.pk}/")
        told = ["Started", "Slower: limit 8 A", "The car takes no power", "The limit ends"]
        places = [page.index(words) for words in told]
        assert places == sorted(places)
        assert "A fault" not in page  # that was the neighbour's socket
        assert "The station has at most 8 A per phase now, for all its sockets (Grid-aware)." in page

    def test_story_of_a_2x_station_comes_from_its_transaction(
        self, driver: User, card: Token, station: Station
    ) -> None:
        now = timezone.now()
        session = make_session(station, token=card, started_at=now - 2 * HOUR, received_at=now)
        told = [
            (events.Kind.SESSION_UPDATED, {"charging_state": "Charging"}),
            (events.Kind.STATUS, {"status": "Occupied"}),
            (events.Kind.SESSION_UPDATED, {"charging_state": "Charging"}),
            (events.Kind.SESSION_UPDATED, {"charging_state": "SuspendedEVSE"}),
        ]
        for minute, (kind, data) in enumerate(told):
            at = now - HOUR + dt.timedelta(minutes=minute)
            with transaction.atomic():
                events.record(station_id=station.pk, kind=kind, at=at, now=now, data={"evse": 1, **data})
        page = sees(driver, f"{MINE}{session.pk}/")
        assert page.count("<b>Charging</b>") == 1
        assert page.index("<b>Charging</b>") < page.index("<b>Waiting</b>")

    def test_ended_session_says_how_much_and_why_it_ended(
        self, driver: User, card: Token, station: Station
    ) -> None:
        session = ended(station, card, day=day("2026-03-03T10:00"))
        page = sees(driver, f"{MINE}{session.pk}/")
        assert "Ended: 10.00 kWh charged" in page
        assert "The plug was taken out." in page

    def test_power_now_and_when_it_is_too_old(self, driver: User, card: Token, station: Station) -> None:
        now = timezone.now()
        session = make_session(station, token=card, started_at=now - HOUR, received_at=now)
        make_reading(station, sampled_at=now - dt.timedelta(minutes=20), import_w=11_040.0)
        assert "The power of this moment is not known" in sees(driver, f"{MINE}{session.pk}/")
        make_reading(station, sampled_at=now, import_w=7_360.0)
        assert "7.4<small>kW</small>" in sees(driver, f"{MINE}{session.pk}/")

    def charging(self, station: Station, card: Token, *, power_w: float | None, cars: int = 1) -> str:
        """The address of a session that runs for an hour, on a station where `cars` charge."""
        began = timezone.now() - HOUR
        sessions = [
            make_session(station, evse_number=evse, token=card if evse == 1 else None, started_at=began)
            for evse in range(1, cars + 1)
        ]
        make_reading(station, sampled_at=timezone.now(), import_w=power_w, import_wh=5_000.0)
        return f"{MINE}{sessions[0].pk}/"

    def test_two_cars_share_what_the_station_may_draw(
        self, driver: User, card: Token, station: Station
    ) -> None:
        want(station, "Grid-aware", limit=20)
        page = sees(driver, self.charging(station, card, power_w=6_900, cars=2))
        assert "The station shares 20 A per phase between 2 cars (Grid-aware)." in page
        assert "The station as a whole has at most 20 A per phase (Grid-aware)." in page  # as it started
        assert page.index("What happened") < page.index("The limit of the station ends")
        assert "Full power" not in page

    def test_two_cars_share_the_connection(self, driver: User, card: Token, station: Station) -> None:
        page = sees(driver, self.charging(station, card, power_w=8_600, cars=2))
        assert "The station shares 25 A per phase between 2 cars (its connection)." in page
        assert "Full power" not in page

    def test_two_cars_on_a_large_connection_share_nothing(self, driver: User, card: Token) -> None:
        station = make_station("S-2", connection_a=63)
        page = sees(driver, self.charging(station, card, power_w=6_900, cars=2))
        assert "shares" not in page
        assert "It gives at most 11.0 kW; the car takes 6.9 kW." in page

    @pytest.mark.parametrize(
        ("power_w", "says"),
        [
            (10_900, "Full power: nothing limits this socket now."),
            (6_900, "No limit is set for this socket now. It gives at most 11.0 kW; the car takes 6.9 kW."),
            (None, "No limit is set for this socket now."),
        ],
    )
    def test_full_power_is_only_said_where_it_is_measured(
        self, driver: User, card: Token, station: Station, power_w: float | None, says: str
    ) -> None:
        page = sees(driver, self.charging(station, card, power_w=power_w))
        assert says in page
        assert ("Full power" in page) == says.startswith("Full power")

    def test_running_session_has_both_registers_from_its_readings(
        self, driver: User, card: Token, station: Station
    ) -> None:
        now = timezone.now()
        session = make_session(
            station, token=card, started_at=now - HOUR
        )  # 1.6: starts with its import alone
        make_reading(station, sampled_at=now - 2 * HOUR, import_wh=10.0, export_wh=40.0)  # before it began
        make_reading(station, sampled_at=now - HOUR / 2, import_wh=2_000.0, export_wh=90.0)
        make_reading(station, sampled_at=now, import_wh=4_500.0, export_wh=90.0)
        page = sees(driver, f"{MINE}{session.pk}/")
        assert "3.50 kWh" in page
        assert "0.00 kWh" in page
        assert "not measured by this station" not in page

    def test_export_that_is_never_sent_is_not_measured(
        self, driver: User, card: Token, station: Station
    ) -> None:
        page = sees(driver, self.charging(station, card, power_w=6_900))
        assert "4.00 kWh" in page
        assert "not measured by this station" in page

    def test_few_queries(self, driver: User, card: Token, station: Station) -> None:
        session = make_session(station, token=card, started_at=timezone.now() - HOUR)
        want(station)
        assert queries_of(driver, f"{MINE}{session.pk}/") <= MOST_QUERIES

    def test_power_as_csv(self, driver: User, card: Token, station: Station) -> None:
        session = ended(station, card, day=day("2026-03-03T10:00"))
        make_reading(station, sampled_at=day("2026-03-03T11:00"), import_w=11_040.0)
        make_reading(station, sampled_at=day("2026-03-03T15:00"), import_w=5.0)  # another's, later
        client = Client()
        client.force_login(driver)
        with CaptureQueriesContext(connection):
            lines = client.get(f"{MINE}{session.pk}/vermogen.csv").content.decode().splitlines()
        assert lines == [
            "sampled_at,import_w,export_w,limit_w",
            "2026-03-03T11:00:00+00:00,11040.0,0.0,11040.0",
        ]


def test_a_session_whose_end_was_never_told_shows_nothing_of_the_next_driver(
    driver: User, station: Station, card: Token
) -> None:
    start = timezone.now() - 9 * HOUR
    session = make_session(station, token=card, state="unclosed", started_at=start, over_by=start + HOUR)
    make_reading(station, sampled_at=start + HOUR / 2, import_w=3_456.0)
    make_reading(station, sampled_at=start + 2 * HOUR, import_w=9_876.0)
    page = sees(driver, f"{MINE}{session.pk}/")
    assert "Highest power: 3.5 kW" in page
    assert "9.9 kW" not in page, "what was measured after it is another driver's"
    assert "not known" in page
    assert "unknown" in sees(driver, MINE)
