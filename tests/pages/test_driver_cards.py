"""Linking a card, on the driver's page and on the operator's: what each sees, and what is never shown."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from portal.accounts.models import User
from stations import claims
from stations.models import ChargingSession, Station, Token, TokenClaim
from stations.models.access import Role
from tests.factories import (
    make_driver,
    make_official,
    make_operator,
    make_session,
    make_staff,
    make_station,
    make_token,
)
from tests.pages.visiting import HOUR, queries_of, sees

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english", "no_brakes")]
MINE, NUMBER = "/mijn/passen/", "04A1B2C3D4E5F6"


@pytest.fixture
def no_brakes() -> None:
    cache.clear()


@pytest.fixture
def station() -> Station:
    return make_station("S-1")


@pytest.fixture
def card(station: Station) -> Token:
    return make_token(NUMBER, operator=station.site.operator, label="Blue card")


@pytest.fixture
def driver() -> User:
    return make_driver(email="kees@example.test", name="Kees")


@pytest.fixture
def operator(card: Token) -> User:
    return make_staff(operator=card.operator)


def posts(user: User, path: str, *, status: int = 302, **data: str) -> str:
    """The answer to a form, or the page that it leads to."""
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user)
    response = client.post(path, data)
    assert response.status_code == status, response.content.decode()[:500]
    if status == 302:
        response = client.get(response["Location"])
    return " ".join(response.content.decode().replace("\N{NO-BREAK SPACE}", " ").split())


def code_from(operator: User, card: Token, **data: str) -> str:
    """The code that the operator's page shows."""
    page = posts(operator, f"/passen/{card.pk}/code/", status=200, **data)
    found = re.search(r'laad-claim-code">([A-Z0-9-]+)<', page)
    assert found, "no code on the page"
    return found[1]


class TestByCode:
    def test_from_the_operator_s_page_to_the_driver_s_sessions(
        self, operator: User, driver: User, card: Token, station: Station
    ) -> None:
        page = posts(driver, f"{MINE}code/", code=code_from(operator, card))
        assert "Blue card is linked to your account." in page
        now = timezone.now()
        session = make_session(station, token=card, started_at=now, received_at=now)
        assert f"/mijn/sessies/{session.pk}/" in sees(driver, "/mijn/sessies/")

    def test_code_is_shown_once(self, operator: User, card: Token) -> None:
        code = code_from(operator, card)
        page = sees(operator, f"/passen/{card.pk}/")
        assert code not in page
        assert "A code was given out; it works until" in page

    def test_answer_with_the_code_is_kept_by_no_browser(self, operator: User, card: Token) -> None:
        client = Client()
        client.force_login(operator)
        assert "no-store" in client.post(f"/passen/{card.pk}/code/")["Cache-Control"]

    def test_day_from_which_sessions_are_shown(
        self, operator: User, driver: User, card: Token, station: Station
    ) -> None:
        start = timezone.now() - dt.timedelta(days=3)
        old = make_session(station, token=card, state="ended", started_at=start, received_at=start)
        day = f"{timezone.localdate() - dt.timedelta(days=10):%d-%m-%Y}"
        posts(driver, f"{MINE}code/", code=code_from(operator, card, held_since=day))
        assert f"/mijn/sessies/{old.pk}/" in sees(driver, "/mijn/sessies/")

    def test_day_that_is_still_to_come_is_refused(self, operator: User, card: Token) -> None:
        day = f"{timezone.localdate() + dt.timedelta(days=1):%d-%m-%Y}"
        page = posts(operator, f"/passen/{card.pk}/code/", status=422, held_since=day)
        assert "Give a day that has begun." in page
        assert not TokenClaim.objects.exists()

    @pytest.mark.parametrize("typed", ["AAAAA-BBBBB", "x", "'; --"])
    def test_wrong_code_says_no_more_than_that(self, driver: User, card: Token, typed: str) -> None:
        page = posts(driver, f"{MINE}code/", status=422, code=typed)
        assert "This code does not work." in page
        assert "Blue card" not in page

    def test_who_guesses_on_is_told_to_wait(self, driver: User) -> None:
        for guess in range(6):
            posts(driver, f"{MINE}code/", status=422, code=f"AAAAA-AAAA{guess}")
        assert "Wait 1 min, and try again." in posts(driver, f"{MINE}code/", status=422, code="AAAAA-CCCCC")

    def test_withdrawn_code(self, operator: User, driver: User, card: Token) -> None:
        code = code_from(operator, card)
        assert "The code does not work any more." in posts(operator, f"/passen/{card.pk}/code/intrekken/")
        posts(driver, f"{MINE}code/", status=422, code=code)

    def test_linked_card_gets_no_code(self, operator: User, driver: User, card: Token) -> None:
        Token.objects.filter(pk=card.pk).update(user=driver)
        page = posts(operator, f"/passen/{card.pk}/code/")
        assert "This card is linked to a driver. Undo that link first." in page


class TestByCharge:
    def test_waits_and_then_is_linked(self, driver: User, card: Token, station: Station) -> None:
        page = posts(driver, f"{MINE}laden/", number=NUMBER, station="s-1")
        assert "Start charging at S-1 before" in page
        assert 'hx-trigger="every 5s"' in page
        now = timezone.now()
        make_session(station, token=card, started_at=now, received_at=now)
        claims.look_after(now)
        page = sees(driver, MINE)
        assert "Blue card" in page
        assert "every 5s" not in page

    def test_answers_alike_whether_there_is_such_a_card_or_not(
        self, driver: User, card: Token, station: Station
    ) -> None:
        known = posts(driver, f"{MINE}laden/", number=NUMBER, station="S-1")
        unknown = posts(make_driver(name="Kees"), f"{MINE}laden/", number="NO-SUCH-CARD", station="S-1")

        def plain(page: str) -> str:
            without = re.sub(r'name="csrfmiddlewaretoken" value="\w+"|\d\d:\d\d|user\d+@|kees@', "", page)
            return re.sub(r'<div class="laad-menu__panel">.*?</p>', "", without)

        assert plain(known) == plain(unknown)

    def test_what_came_of_it_when_nothing_was_charged(
        self, driver: User, card: Token, station: Station
    ) -> None:
        posts(driver, f"{MINE}laden/", number=NUMBER, station="S-1")
        claims.look_after(timezone.now() + dt.timedelta(minutes=6))
        page = sees(driver, MINE)
        assert "No charge with that card began at S-1 in time." in page
        assert "ask your operator for a code" in page

    def test_card_of_somebody_else_says_what_to_do(self, driver: User, card: Token, station: Station) -> None:
        Token.objects.filter(pk=card.pk).update(user=make_driver())
        posts(driver, f"{MINE}laden/", number=NUMBER, station="S-1")
        now = timezone.now()
        make_session(station, token=card, started_at=now, received_at=now)
        claims.look_after(now)
        page = sees(driver, MINE)
        assert "This card is linked to another account. Ask Alpha to undo that link" in page
        assert "Blue card" not in page

    def test_unknown_station_is_said(self, driver: User) -> None:
        page = posts(driver, f"{MINE}laden/", status=422, number=NUMBER, station="NOWHERE")
        assert "We know no station with this number." in page
        assert not TokenClaim.objects.exists()

    def test_waiting_can_be_stopped(self, driver: User, station: Station) -> None:
        posts(driver, f"{MINE}laden/", number=NUMBER, station="S-1")
        assert "Start charging" not in posts(driver, f"{MINE}laden/stop/")


class TestLettingGo:
    def test_driver_is_asked_first_and_then_sees_no_session(
        self, driver: User, card: Token, station: Station
    ) -> None:
        Token.objects.filter(pk=card.pk).update(user=driver)
        make_session(station, token=card)
        path = f"{MINE}{card.pk}/loskoppelen/"
        assert "Unlink Blue card?" in sees(driver, path)
        posts(driver, path, status=422)
        assert ChargingSession.objects.of_driver(driver).exists()
        assert "Blue card is unlinked." in posts(driver, path, sure="on")
        assert not ChargingSession.objects.of_driver(driver).exists()

    def test_operator_undoes_a_wrong_link_without_learning_whose_it_was(
        self, operator: User, driver: User, card: Token
    ) -> None:
        posts(driver, f"{MINE}code/", code=code_from(operator, card))
        page = sees(operator, f"/passen/{card.pk}/")
        assert "Undo the link" in page
        assert "kees" not in page.lower()
        posts(operator, f"/passen/{card.pk}/ongedaan/", status=422)
        page = posts(operator, f"/passen/{card.pk}/ongedaan/", sure="on")
        assert "The link is undone." in page
        assert str(operator) in page
        assert "No card is linked yet" in sees(driver, MINE)


class TestDriverList:
    def test_card_with_its_state_and_its_own_sessions_alone(
        self, driver: User, card: Token, station: Station
    ) -> None:
        now = timezone.now()
        Token.objects.filter(pk=card.pk).update(user=driver, held_since=now - 24 * HOUR, blocked=True)
        for hours in (1, 2, 48):
            make_session(station, token=card, started_at=now - hours * HOUR, received_at=now)
        page = sees(driver, MINE)
        assert "Blocked: ask Alpha what to do." in page
        assert re.search(r'data-label="Sessions">2<', page)

    def test_number_is_nowhere(self, driver: User, card: Token) -> None:
        Token.objects.filter(pk=card.pk).update(user=driver)
        page = sees(driver, MINE)
        assert NUMBER not in page
        assert card.digest[:8] not in page

    def test_queries_do_not_grow(self, driver: User, card: Token) -> None:
        Token.objects.filter(pk=card.pk).update(user=driver)
        one = queries_of(driver, MINE)
        for number in range(5):
            make_token(f"T{number}", user=driver)
        assert queries_of(driver, MINE) == one


class TestOperatorList:
    def test_filter(self, operator: User, driver: User, card: Token) -> None:
        linked = make_token("B", operator=card.operator, user=driver, label="Red card")
        waiting = make_token("C", operator=card.operator, label="Green card")
        claims.issue_code(token=waiting, issued_by=operator, held_since=None, now=timezone.now())

        def shown(**query: Any) -> set[str]:
            page = sees(operator, "/passen/", **query)
            return {label for label in ("Blue card", "Red card", "Green card") if label in page}

        assert shown() == {"Blue card", "Red card", "Green card"}
        assert shown(linked="yes") == {linked.label}
        assert shown(linked="no") == {"Blue card", "Green card"}
        assert shown(linked="code") == {waiting.label}
        assert shown(q="red") == {"Red card"}
        assert "No card is like that" in sees(operator, "/passen/", q="violet")

    def test_another_operator_s_cards_are_not_there(self, card: Token) -> None:
        rival = make_staff(operator=make_operator("beta"))
        assert "There are no cards yet" in sees(rival, "/passen/")
        sees(rival, f"/passen/{card.pk}/", status=404)

    @pytest.mark.parametrize("role", [Role.READER, Role.PLANNER])
    def test_who_may_not_operate_reads_and_changes_nothing(self, card: Token, role: Role) -> None:
        reader = make_staff(operator=card.operator, role=role)
        assert "Make a code</button>" not in sees(reader, f"/passen/{card.pk}/")
        posts(reader, f"/passen/{card.pk}/code/", status=404)

    def test_officials_and_drivers_see_no_cards(self, driver: User, card: Token) -> None:
        for user in (driver, make_official()):
            sees(user, "/passen/", status=404)
            sees(user, f"/passen/{card.pk}/", status=404)
