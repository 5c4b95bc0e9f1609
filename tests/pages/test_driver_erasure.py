"""Erasing a driver: after the term nothing tells who charged, and what rests on the sessions still holds."""

from __future__ import annotations

import datetime as dt
from io import StringIO
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.management import call_command

from portal.accounts import erasing
from portal.accounts.api_tokens import ApiToken
from portal.accounts.driving import Erasure, Preference
from portal.accounts.inviting import Invitation
from portal.accounts.models import User
from stations import claims
from stations.models import ChargingSession, Station, Token, TokenClaim
from tests.compliance.fakes import append_evidence, make_online_station
from tests.factories import (
    NOW,
    make_api_key,
    make_driver,
    make_operator,
    make_session,
    make_staff,
    make_token,
)

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
TERM = 14 * DAY


@pytest.fixture
def station() -> Station:
    return make_online_station("S-1")


@pytest.fixture
def driver() -> User:
    return make_driver(email="kees@example.test", password="long-enough-and-more", name="Kees")


@pytest.fixture
def card(driver: User) -> Token:
    return make_token(user=driver)


def ended(station: Station, card: Token | None, *, days_ago: int, **fields: Any) -> ChargingSession:
    said: dict[str, Any] = {
        "state": "ended",
        "started_at": NOW - days_ago * DAY,
        "ended_at": NOW - days_ago * DAY + dt.timedelta(hours=2),
        "end_import_wh": 9_000.0,
        "cost_incl_tax": "2.80",
        "cost_currency": "EUR",
        **fields,
    }
    return make_session(station, token=card, **said)


def carry_out(driver: User) -> Erasure:
    erasure = erasing.ask(user=driver, now=NOW)
    assert erasing.carry_out_due(NOW + TERM) == 1
    erasure.refresh_from_db()
    return erasure


def test_nothing_happens_before_its_date_and_it_can_be_taken_back(
    driver: User, card: Token, station: Station
) -> None:
    session = ended(station, card, days_ago=3)
    erasure = erasing.ask(user=driver, now=NOW)
    assert erasing.ask(user=driver, now=NOW + DAY) == erasure  # once asked is asked
    assert erasure.due_at == NOW + TERM
    assert erasing.carry_out_due(NOW + TERM - dt.timedelta(seconds=1)) == 0
    assert erasing.take_back(user=driver, now=NOW + DAY)
    assert erasing.carry_out_due(NOW + TERM) == 0
    session.refresh_from_db()
    assert session.token == card


def test_sessions_stay_and_nobody_can_tell_whose_they_were(
    driver: User, card: Token, station: Station
) -> None:
    sessions = [ended(station, card, days_ago=3), ended(station, card, days_ago=9)]
    other = ended(station, make_token("OTHER", user=make_driver()), days_ago=5)
    erasure = carry_out(driver)
    marks = set()
    for session in sessions:
        session.refresh_from_db()
        assert session.token is None
        assert (session.energy_wh, str(session.cost_incl_tax)) == (8_000.0, "2.80")
        marks.add(session.token_digest)
    assert len(marks) == 2  # not even that the two were of one driver
    assert not marks & {card.digest, ""}
    assert (erasure.state, erasure.sessions, erasure.cards) == ("done", 2, 1)
    card.refresh_from_db()
    assert (card.user, card.held_since) == (None, None)
    other.refresh_from_db()
    assert other.token is not None


def test_sessions_of_the_card_from_before_are_another_s(driver: User, card: Token, station: Station) -> None:
    Token.objects.filter(pk=card.pk).update(held_since=NOW - 5 * DAY)
    before = ended(station, card, days_ago=9)
    carry_out(driver)
    before.refresh_from_db()
    assert before.token == card


def test_the_account_says_no_more_who_it_was_and_opens_nothing(driver: User, card: Token) -> None:
    EmailAddress.objects.create(user=driver, email=driver.email, primary=True)
    make_api_key(driver)
    Preference.objects.create(user=driver, battery_kwh=60)
    claims.expect_charge(user=driver, number="OTHER", station=make_online_station("S-9"), now=NOW)
    Invitation.objects.create(
        email="Kees@example.test",
        role="reader",
        operator=make_operator(),
        invited_at=NOW,
        expires_at=NOW + DAY,
    )
    carry_out(driver)
    driver.refresh_from_db()
    assert not Invitation.objects.exists()
    assert "kees" not in f"{driver.email} {driver.name}".lower()
    assert not driver.is_active
    assert not driver.has_usable_password()
    for model in (EmailAddress, ApiToken, Preference):
        assert not model._base_manager.exists()
    claim = TokenClaim.objects.get(way="charge")
    assert (claim.user, claim.token_digest, claim.state) == (None, "", "withdrawn")


def test_who_works_for_a_party_keeps_the_account(station: Station) -> None:
    staff = make_staff(email="els@example.test", name="Els")
    card = make_token(user=staff)
    session = ended(station, card, days_ago=2)
    carry_out(staff)
    staff.refresh_from_db()
    session.refresh_from_db()
    assert (staff.name, staff.is_active, session.token) == ("Els", True, None)


def test_who_is_charging_is_erased_after_that(driver: User, card: Token, station: Station) -> None:
    due = NOW + TERM
    session = make_session(station, token=card, started_at=due, received_at=due)
    erasing.ask(user=driver, now=NOW)
    assert erasing.carry_out_due(due + dt.timedelta(hours=1)) == 0
    ChargingSession.objects.filter(pk=session.pk).update(state="ended", ended_at=due + dt.timedelta(hours=2))
    assert erasing.carry_out_due(due + dt.timedelta(hours=3)) == 1
    session.refresh_from_db()
    assert session.token is None


def test_a_session_whose_end_got_lost_holds_nothing_up(driver: User, card: Token, station: Station) -> None:
    make_session(station, token=card, started_at=NOW, received_at=NOW)
    carry_out(driver)


def test_evidence_still_verifies(driver: User, card: Token, station: Station) -> None:
    """It holds no card and no name, so that there is nothing in it to erase."""
    session = ended(station, card, days_ago=1)
    evidence = append_evidence(station, window=(NOW - DAY, NOW), now=NOW)
    carry_out(driver)
    session.refresh_from_db()
    assert session.token is None
    said = StringIO()
    call_command("verify_evidence", stdout=said)
    assert "concessie: 1 links hold" in said.getvalue()
    before = (evidence.hash, evidence.frames)
    evidence.refresh_from_db()
    assert (evidence.hash, evidence.frames) == before
    assert card.digest not in str(evidence.frames)
