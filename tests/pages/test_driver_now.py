"""Charging now: what a driver sees while the car charges, and while it does not."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from portal.accounts.driving import Preference
from portal.accounts.models import User
from portal.pages.driver.ready import Car, next_at, reached_at, ready_of
from portal.pages.limits import Stretch
from stations import events
from stations.models import ChargingSession, Station, Token
from tests.factories import make_driver, make_reading, make_session, make_station, make_tariff, make_token
from tests.pages.visiting import HOUR, MOST_QUERIES, queries_of, sees, want

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
NOW_PAGE = "/mijn/laden/"


@pytest.fixture
def driver() -> User:
    return make_driver()


@pytest.fixture
def card(driver: User) -> Token:
    return make_token(user=driver)


@pytest.fixture
def station() -> Station:
    return make_station("S-1", name="Square 12")


def charging(
    station: Station, card: Token, *, power_w: float | None = 7_360.0, soc: float | None = None
) -> ChargingSession:
    """A session that runs for an hour, with what was measured at its begin and just now."""
    now = timezone.now()
    session = make_session(station, token=card, started_at=now - HOUR, received_at=now - HOUR)
    make_reading(station, sampled_at=now - HOUR / 2, import_wh=3_000.0, import_w=power_w, soc_percent=soc)
    make_reading(station, sampled_at=now, import_wh=7_250.0, import_w=power_w, soc_percent=soc)
    return session


class TestRunning:
    def test_power_energy_cost_and_why(self, driver: User, card: Token, station: Station) -> None:
        make_tariff(price_per_kwh="0.4000")
        want(station, "Grid-aware", limit=12)
        charging(station, card)
        page = sees(driver, NOW_PAGE)
        assert "You are charging now" in page
        assert "Square 12" in page
        assert "7.4<small>kW</small>" in page
        assert "6.25 kWh" in page
        assert "€ 2.50" in page
        assert "The station has at most 12 A per phase now, for all its sockets (Grid-aware)." in page
        assert "Limit 12 A per phase: 8.3 kW of at most 11.0 kW." in page

    def test_bar_shows_power_and_limit_as_parts_of_what_the_socket_gives(
        self, driver: User, card: Token, station: Station
    ) -> None:
        want(station, limit=8)
        charging(station, card, power_w=2_760.0)
        page = sees(driver, NOW_PAGE)
        assert 'class="r-done" width="25"' in page
        assert 'class="r-limit" x="50"' in page

    def test_power_that_is_too_old_is_not_called_now(
        self, driver: User, card: Token, station: Station
    ) -> None:
        now = timezone.now()
        make_session(station, token=card, started_at=now - HOUR, received_at=now - HOUR)
        make_reading(station, sampled_at=now - HOUR / 2, import_wh=3_000.0, import_w=7_360.0)
        page = sees(driver, NOW_PAGE)
        assert "The power of this moment is not known" in page
        assert "7.4<small>" not in page

    def test_unknown_cost_says_why(self, driver: User, card: Token, station: Station) -> None:
        charging(station, card)
        page = sees(driver, NOW_PAGE)
        assert "Cost not known" in page
        assert "The operator gave no price for this session." in page

    def test_another_s_session_is_not_there(self, driver: User, card: Token, station: Station) -> None:
        charging(station, make_token("OTHER", user=make_driver()))
        assert "You are not charging now" in sees(driver, NOW_PAGE)

    def test_neither_is_one_whose_end_got_lost_long_ago(
        self, driver: User, card: Token, station: Station
    ) -> None:
        old = timezone.now() - dt.timedelta(days=8)
        make_session(station, token=card, started_at=old, received_at=old)
        assert "You are not charging now" in sees(driver, NOW_PAGE)

    def test_a_second_car_is_a_link(self, driver: User, card: Token, station: Station) -> None:
        charging(station, card)
        elsewhere = make_station("S-2", name="Lane 3")
        now = timezone.now()
        other = make_session(elsewhere, token=card, started_at=now - 2 * HOUR, received_at=now - 2 * HOUR)
        page = sees(driver, NOW_PAGE)
        assert "Also charging now" in page
        assert f"/mijn/sessies/{other.pk}/" in page

    def test_stream_is_of_its_session_and_the_part_comes_alone(
        self, driver: User, card: Token, station: Station
    ) -> None:
        session = charging(station, card)
        assert f'sse-connect="/live/?session={session.pk}&amp;since=' in sees(driver, NOW_PAGE)
        client = Client(headers={"HX-Request": "true", "Accept-Language": "en"})
        client.force_login(driver)
        part = client.get(NOW_PAGE).content.decode()
        assert "<html" not in part
        assert "You are charging now" in part

    @pytest.mark.parametrize("version", ["1.6", "2.1"])
    def test_few_queries_however_many_cars(self, driver: User, card: Token, version: str) -> None:
        station = make_station("S-7", version=version)
        want(station)
        charging(station, card)
        one = queries_of(driver, NOW_PAGE)
        for number in range(4):
            make_session(make_station(f"S-8{number}"), token=card, received_at=timezone.now())
        assert queries_of(driver, NOW_PAGE) <= min(one + 4, MOST_QUERIES)


class TestReady:
    @pytest.fixture
    def page(self, driver: User, card: Token, station: Station) -> str:
        Preference.objects.create(user=driver, battery_kwh=60, charge_to_percent=80)
        charging(station, card, power_w=10_000.0, soc=50.0)
        return sees(driver, NOW_PAGE)

    def test_from_how_full_it_is(self, page: str) -> None:
        # 30 % of 60 kWh is 18 kWh in the battery, so 20 kWh by the meter: two hours at 10 kW.
        ready = timezone.localtime(timezone.now() + 2 * HOUR)
        assert (
            f"<strong>{ready:%H:%M}</strong>" in page
            or f"<strong>{ready - dt.timedelta(minutes=1):%H:%M}" in page
        )
        assert "About: from 50% to 80%" in page

    def test_a_car_that_does_not_tell_says_so(self, driver: User, card: Token, station: Station) -> None:
        charging(station, card)
        assert "your car does not tell the station how full it is" in sees(driver, NOW_PAGE)

    def test_without_the_battery_it_leads_to_the_preferences(
        self, driver: User, card: Token, station: Station
    ) -> None:
        charging(station, card, soc=50.0)
        page = sees(driver, NOW_PAGE)
        assert "fill in how large the battery is" in page
        assert 'href="/mijn/voorkeuren/">To your preferences' in page

    def test_from_what_the_car_itself_asked(self, driver: User, card: Token) -> None:
        station = make_station("S-3", version="2.1")
        session = charging(station, card, power_w=11_000.0)
        at = session.started_at
        assert at is not None
        with transaction.atomic():
            events.record(
                station_id=station.pk,
                kind=events.Kind.EV_CHARGING_NEEDS,
                at=at,
                now=at,
                data={"evse": 1, "energy_wh": 28_250},
            )
        assert "About: the car asked for 22.00 kWh more." in sees(driver, NOW_PAGE)


class TestReckoning:
    """The reckoning itself, without a page."""

    START = dt.datetime(2026, 7, 1, 18, 0, tzinfo=dt.UTC)

    def course(self, *parts: tuple[float, float]) -> list[Stretch]:
        """(hours, limit in W) after one another."""
        course, at = [], self.START
        for hours, limit_w in parts:
            course.append(Stretch(at, at + hours * HOUR, limit_w / 690, limit_w, ()))
            at += hours * HOUR
        return course

    def test_waits_through_a_pause_and_goes_by_the_lower_of_limit_and_car(self) -> None:
        course = self.course((1, 4_000), (2, 0), (24, 11_000))
        assert reached_at(12_000, course, most_w=8_000, now=self.START) == self.START + 4 * HOUR

    def test_is_not_within_a_course_that_is_too_low(self) -> None:
        assert reached_at(50_000, self.course((24, 1_000)), most_w=8_000, now=self.START) is None

    def test_a_time_that_is_wanted_is_the_next_one_also_when_the_clock_is_set(self) -> None:
        before = dt.datetime(2026, 10, 24, 20, 0, tzinfo=dt.UTC)  # 22:00 in summer
        assert next_at(dt.time(7, 30), before) == dt.datetime(2026, 10, 25, 6, 30, tzinfo=dt.UTC)
        assert next_at(dt.time(23, 0), before) == dt.datetime(2026, 10, 24, 21, 0, tzinfo=dt.UTC)

    @pytest.mark.parametrize(
        ("ready_by", "says"), [("23:00", "In time: you wanted"), ("20:30", "later than you wanted")]
    )
    def test_against_what_was_wanted(self, ready_by: str, says: str) -> None:
        car = Car(
            battery_wh=60_000, charge_to_percent=80, soc_percent=50.0, asked_wh=None, most_w=10_000
        )  # two hours, so until 22:00 in Amsterdam
        ready = ready_of(
            car, self.course((24, 11_000)), ready_by=dt.time.fromisoformat(ready_by), now=self.START
        )
        assert ready.at == self.START + 2 * HOUR
        assert says in ready.text
        assert ready.is_late == (ready_by == "20:30")

    def test_full_enough_and_nothing_taken_yet(self) -> None:
        full = Car(battery_wh=60_000, charge_to_percent=80, soc_percent=90.0, asked_wh=None, most_w=1.0)
        assert "as full as you wanted" in ready_of(full, [], ready_by=None, now=self.START).text
        idle = Car(battery_wh=60_000, charge_to_percent=80, soc_percent=20.0, asked_wh=None, most_w=None)
        assert "has taken no power yet" in ready_of(idle, [], ready_by=None, now=self.START).text


class TestIdle:
    def test_without_a_card_it_says_how_to_get_one(self, driver: User) -> None:
        page = sees(driver, NOW_PAGE)
        assert "No card is linked to your account yet" in page
        assert 'href="/mijn/passen/"' in page

    def test_with_a_card_it_shows_the_last_session_and_looks_again_by_itself(
        self, driver: User, card: Token, station: Station
    ) -> None:
        now = timezone.now()
        session = make_session(
            station,
            token=card,
            state="ended",
            started_at=now - 3 * HOUR,
            ended_at=now - HOUR,
            end_import_wh=9_000.0,
        )
        page = sees(driver, NOW_PAGE)
        assert "Plug in, and hold your card before the station" in page
        assert f"/mijn/sessies/{session.pk}/" in page
        assert "8.00 kWh" in page
        assert 'hx-get="/mijn/laden/?idle=1" hx-trigger="every 15s"' in page

    def test_the_page_that_waits_is_drawn_anew_when_a_car_comes(
        self, driver: User, card: Token, station: Station
    ) -> None:
        client = Client(headers={"HX-Request": "true"})
        client.force_login(driver)
        assert "HX-Refresh" not in client.get(NOW_PAGE, {"idle": "1"})
        charging(station, card)
        assert client.get(NOW_PAGE, {"idle": "1"})["HX-Refresh"] == "true"


class TestNotices:
    @pytest.fixture
    def past(self, card: Token, station: Station) -> list[ChargingSession]:
        now = timezone.now()
        said: dict[str, Any] = {"token": card, "state": "ended", "end_import_wh": 9_000.0}
        return [
            make_session(
                station,
                started_at=now - hours * HOUR,
                ended_at=now - (hours - 1) * HOUR,
                end_reason=reason,
                **said,
            )
            for hours, reason in ((30, "EVDisconnected"), (5, "PowerLoss"))
        ]

    @pytest.mark.parametrize("path", [NOW_PAGE, "/mijn/sessies/"])
    def test_what_ended_and_what_went_wrong(
        self, driver: User, past: list[ChargingSession], path: str
    ) -> None:
        page = sees(driver, path)
        assert "Charged at Square 12" in page
        assert "Charging at Square 12 stopped too early" in page
        assert "The station lost its power." in page

    def test_only_the_kinds_that_were_chosen(self, driver: User, past: list[ChargingSession]) -> None:
        Preference.objects.create(user=driver, tell_ended=False)
        page = sees(driver, NOW_PAGE)
        assert "Charged at Square 12" not in page
        assert "stopped too early" in page

    def test_seen_is_seen_and_what_came_meanwhile_stays(
        self, driver: User, past: list[ChargingSession]
    ) -> None:
        client = Client(headers={"Accept-Language": "en"})
        client.force_login(driver)
        between = timezone.now() - 10 * HOUR
        client.post("/mijn/meldingen/gezien/", {"until": between.isoformat()})
        page = sees(driver, NOW_PAGE)
        assert "Charged at Square 12" not in page
        assert "stopped too early" in page
        client.post("/mijn/meldingen/gezien/", {"until": "nonsense"})
        assert "New for you" not in sees(driver, NOW_PAGE)

    def test_an_end_that_was_never_told(self, driver: User, card: Token, station: Station) -> None:
        start = timezone.now() - 9 * HOUR
        make_session(station, token=card, state="unclosed", started_at=start, over_by=start + HOUR)
        assert "The end of your session at Square 12 was never told" in sees(driver, NOW_PAGE)
