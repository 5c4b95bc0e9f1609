"""What a driver chooses, sees of the own data, takes along, and asks to have erased."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from typing import Any

import pytest
from django.test import AsyncClient, Client
from django.utils import timezone

from portal.accounts.driving import Erasure, Preference
from portal.accounts.models import User
from stations.models import ChargingSession, Station, Token
from tests.factories import make_driver, make_reading, make_session, make_station, make_token
from tests.pages.visiting import HOUR, queries_of, sees

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
PREFERENCES, DATA = "/mijn/voorkeuren/", "/mijn/gegevens/"
CHOSEN = {"language": "", "tell_ended": "on", "battery_kwh": "", "charge_to_percent": "80", "ready_by": ""}


@pytest.fixture
def driver() -> User:
    return make_driver(email="kees@example.test", name="Kees Jansen", password="long-enough-and-more")


@pytest.fixture
def client_(driver: User) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(driver)
    return client


@pytest.fixture
def station() -> Station:
    return make_station("S-1", name="Square 12")


@pytest.fixture
def card(driver: User) -> Token:
    return make_token(user=driver, label="Blue card")


@pytest.fixture
def session(station: Station, card: Token) -> ChargingSession:
    start = dt.datetime(2026, 3, 3, 10, 0, tzinfo=dt.UTC)
    ended = make_session(
        station,
        token=card,
        state="ended",
        started_at=start,
        ended_at=start + 2 * HOUR,
        end_import_wh=9_000.0,
        cost_incl_tax="2.80",
        cost_currency="EUR",
    )
    make_reading(station, sampled_at=start + HOUR, import_w=4_000.0, import_wh=5_000.0)
    make_reading(station, sampled_at=start + 3 * HOUR, import_w=9_999.0)  # the next driver's
    return ended


class TestPreferences:
    def test_are_kept(self, client_: Client, driver: User) -> None:
        said = {**CHOSEN, "battery_kwh": "57.5", "ready_by": "0730", "tell_cards": "on"}
        assert client_.post(PREFERENCES, said).status_code == 302
        kept = Preference.objects.get(user=driver)
        assert (float(kept.battery_kwh or 0), kept.ready_by) == (57.5, dt.time(7, 30))
        assert (kept.tell_ended, kept.tell_failed, kept.tell_cards) == (True, False, True)
        page = sees(driver, PREFERENCES)
        assert 'value="57.5"' in page
        assert 'value="07:30"' in page

    @pytest.mark.parametrize(
        ("field", "value", "says"),
        [
            ("battery_kwh", "0", "greater than or equal to 1"),
            ("battery_kwh", "big", "Enter a number."),
            ("charge_to_percent", "101", "less than or equal to 100"),
            ("ready_by", "half past", "Write hours and minutes, such as 17:30."),
        ],
    )
    def test_bad_input_is_told_and_loses_nothing(
        self, client_: Client, field: str, value: str, says: str
    ) -> None:
        response = client_.post(PREFERENCES, {**CHOSEN, "battery_kwh": "57.5", field: value})
        page = response.content.decode()
        assert response.status_code == 422
        assert says in page
        assert f'value="{value}"' in page
        assert not Preference.objects.exists()

    def test_language_holds_at_once_and_at_the_next_sign_in(self, client_: Client, driver: User) -> None:
        page = client_.post(PREFERENCES, {**CHOSEN, "language": "nl"}, follow=True).content.decode()
        assert '<html lang="nl"' in page
        elsewhere = Client(headers={"Accept-Language": "en"})
        elsewhere.post("/account/login/", {"login": driver.email, "password": "long-enough-and-more"})
        assert '<html lang="nl"' in elsewhere.get("/privacy/").content.decode()

    def test_no_language_is_that_of_the_browser(self, client_: Client) -> None:
        client_.post(PREFERENCES, {**CHOSEN, "language": "nl"})
        page = client_.post(PREFERENCES, CHOSEN, follow=True).content.decode()
        assert '<html lang="en"' in page


class TestMyData:
    def test_all_that_is_known_stands_on_one_page(self, driver: User, session: ChargingSession) -> None:
        page = sees(driver, DATA)
        for known in (
            "Kees Jansen",
            "kees@example.test",
            "Blue card, Alpha",
            "1 session, on 3 Mar 2026: 8.00 kWh.",
        ):
            assert known in page

    def test_who_has_nothing_is_told_what_to_do(self, driver: User) -> None:
        page = sees(driver, DATA)
        assert "No card is linked." in page
        assert "None yet." in page

    def test_queries_do_not_grow_with_the_sessions(
        self, driver: User, card: Token, station: Station, session: ChargingSession
    ) -> None:
        few = queries_of(driver, DATA)
        for number in range(10):
            make_session(station, token=card, started_at=timezone.now() - number * HOUR)
        assert queries_of(driver, DATA) == few

    def test_json_holds_everything_of_the_driver_and_of_nobody_else(
        self, client_: Client, driver: User, session: ChargingSession, station: Station
    ) -> None:
        other = make_token("OTHER", user=make_driver())
        make_session(station, token=other, started_at=timezone.now())
        Preference.objects.create(user=driver, battery_kwh=60)
        response = client_.get(f"{DATA}gegevens.json")
        told = json.loads(response.getvalue())
        assert told["account"]["email"] == "kees@example.test"
        assert told["preferences"]["battery_kwh"] == "60.0"
        assert [card["name"] for card in told["cards"]] == ["Blue card"]
        (own,) = told["sessions"]
        assert (own["station"], own["import_wh"], own["cost"]) == ("S-1", 8_000.0, "2.80")
        (reading,) = own["readings"]
        assert (reading["import_w"], reading["sampled_at"]) == (4_000.0, "2026-03-03T11:00:00Z")
        assert told["beside_the_account"]["accounts.Preference"] == 1

    def test_json_tells_no_secret(self, client_: Client, card: Token, driver: User) -> None:
        text = client_.get(f"{DATA}gegevens.json").getvalue().decode()
        assert card.digest not in text
        assert driver.password not in text
        assert "04A1B2C3D4E5F6" not in text

    def test_readings_as_csv(self, client_: Client, session: ChargingSession) -> None:
        rows = list(csv.DictReader(io.StringIO(client_.get(f"{DATA}metingen.csv").getvalue().decode())))
        (row,) = rows
        assert (row["station"], row["evse"], row["import_w"], row["export_w"]) == ("S-1", "1", "4000.0", "")
        assert row["sampled_at"] == "2026-03-03T11:00:00+00:00"

    @pytest.mark.django_db(transaction=True)
    async def test_file_is_made_while_it_is_sent(self, driver: User, session: ChargingSession) -> None:
        client = AsyncClient()
        await client.aforce_login(driver)
        response: Any = await client.get(f"{DATA}gegevens.json")
        told = b"".join([piece async for piece in response.streaming_content])
        assert len(json.loads(told)["sessions"]) == 1


class TestErasure:
    def test_is_asked_for_and_taken_back(self, client_: Client, driver: User) -> None:
        assert client_.post(f"{DATA}wissen/").status_code == 422  # not by accident
        page = client_.post(f"{DATA}wissen/", {"sure": "on"}, follow=True).content.decode()
        erasure = Erasure.objects.get(user=driver)
        assert "Your data will be erased" in page
        assert f"{timezone.localtime(erasure.due_at):%H:%M}" in page
        assert erasure.due_at - erasure.asked_at == dt.timedelta(days=14)
        assert "Ask to erase my data" not in page
        page = client_.post(f"{DATA}wissen/intrekken/", follow=True).content.decode()
        assert "Nothing is erased." in page
        assert "Ask to erase my data" in page

    def test_term_is_a_setting(self, client_: Client, settings: Any) -> None:
        settings.ERASURE_AFTER_DAYS = 3
        assert "You can take it back for 3 days." in client_.get(DATA).content.decode()
