"""Linking a card to a driver: by a code of the operator, by a charge, and what is never told or taken."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.cache import cache

from portal.accounts.models import User
from stations import claims
from stations.claims import CannotLink
from stations.credentials import digest_token
from stations.events import Kind
from stations.models import ChargingSession, Event, Station, Token, TokenClaim
from tests.factories import NOW, make_driver, make_session, make_staff, make_station, make_token

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_brakes", "english")]
MINUTE = dt.timedelta(minutes=1)
NUMBER = "04A1B2C3D4E5F6"


@pytest.fixture
def no_brakes() -> None:
    cache.clear()


@pytest.fixture
def station() -> Station:
    return make_station("S-1")


@pytest.fixture
def card(station: Station) -> Token:
    return make_token(NUMBER, operator=station.site.operator)


@pytest.fixture
def driver() -> User:
    return make_driver()


def holder(card: Token) -> User | None:
    card.refresh_from_db()
    return card.user


def code_of(card: Token, *, now: dt.datetime = NOW, since: dt.datetime | None = None) -> str:
    return claims.issue_code(token=card, issued_by=make_staff(), held_since=since, now=now)


def use(code: str, user: User, *, now: dt.datetime = NOW, address: str = "192.0.2.1") -> Token:
    return claims.link_by_code(user=user, code=code, address=address, now=now)


class TestCode:
    @pytest.mark.parametrize("typed", ["{}", " {} ", "{lower}", "{plain}"])
    def test_works_however_it_is_typed(self, card: Token, driver: User, typed: str) -> None:
        code = code_of(card)
        use(typed.format(code, lower=code.lower(), plain=code.replace("-", " ")), driver)
        assert holder(card) == driver

    def test_is_kept_as_a_hash_alone(self, card: Token) -> None:
        code = code_of(card)
        row = TokenClaim.objects.values().get()
        assert code.replace("-", "") not in str(row)
        assert len(code.replace("-", "")) == 10

    def test_works_once_and_not_after_its_time(self, card: Token, driver: User) -> None:
        code = code_of(card)
        use(code, driver)
        claims.unlink(token=card, by=None, now=NOW)
        with pytest.raises(CannotLink, match="does not work"):
            use(code, driver)
        late = code_of(card)
        with pytest.raises(CannotLink, match="does not work"):
            use(late, driver, now=NOW + claims.CODE_LASTS)
        assert holder(card) is None

    def test_a_new_one_takes_the_place_of_the_one_before(self, card: Token, driver: User) -> None:
        first, second = code_of(card), code_of(card)
        with pytest.raises(CannotLink, match="does not work"):
            use(first, driver)
        use(second, driver)
        assert holder(card) == driver

    def test_withdrawn_one_does_not_work(self, card: Token, driver: User) -> None:
        code = code_of(card)
        assert claims.withdraw_code(token=card, now=NOW)
        with pytest.raises(CannotLink, match="does not work"):
            use(code, driver)

    def test_of_a_card_that_became_another_s_says_what_to_do_and_still_works_then(
        self, card: Token, driver: User
    ) -> None:
        code = code_of(card)
        Token.objects.filter(pk=card.pk).update(user=make_driver())
        with pytest.raises(CannotLink, match="Ask Alpha to undo that link"):
            use(code, driver)
        claims.unlink(token=card, by=None, now=NOW)
        use(code, driver)
        assert holder(card) == driver

    def test_none_is_made_for_a_card_that_has_a_driver(self, card: Token, driver: User) -> None:
        use(code_of(card), driver)
        with pytest.raises(CannotLink, match="another account"):
            code_of(card)

    def test_of_a_blocked_card_links_nothing(self, card: Token, driver: User) -> None:
        code = code_of(card)
        Token.objects.filter(pk=card.pk).update(blocked=True)
        with pytest.raises(CannotLink, match="blocked"):
            use(code, driver)
        assert holder(card) is None

    def test_who_guesses_is_slowed_and_a_right_code_waits_too(self, card: Token, driver: User) -> None:
        code = code_of(card)
        for guess in range(6):
            with pytest.raises(CannotLink, match="does not work"):
                use(f"AAAAA-AAAA{guess}", driver)
        with pytest.raises(CannotLink, match="Too many wrong codes"):
            use(code, driver)
        assert holder(card) is None
        assert use(code, make_driver(), address="198.51.100.7") == card  # others are not slowed

    def test_many_accounts_at_one_address_are_slowed_together(self, card: Token) -> None:
        for guess in range(21):
            with pytest.raises(CannotLink, match="does not work"):
                use(f"BBBBB-BBB{guess:02}", make_driver())
        with pytest.raises(CannotLink, match="Too many"):
            use(code_of(card), make_driver())


class TestCharge:
    def expect(self, driver: User, station: Station, number: str = NUMBER) -> TokenClaim:
        return claims.expect_charge(user=driver, number=number, station=station, now=NOW)

    def charge(
        self,
        station: Station,
        card: Token,
        *,
        after: dt.timedelta = MINUTE,
        told: dt.timedelta = dt.timedelta(),
    ) -> ChargingSession:
        """A charge that began so long after NOW, and was told so much later still."""
        began = NOW + after
        return make_session(station, token=card, started_at=began, received_at=began + told)

    def test_links_the_card_and_writes_it_down(self, driver: User, station: Station, card: Token) -> None:
        claim = self.expect(driver, station, "04a1 b2c3 d4e5 f6")
        session = self.charge(station, card)
        assert claims.look_after(NOW + 2 * MINUTE) == 1
        claim.refresh_from_db()
        assert (holder(card), claim.state, claim.session) == (driver, "linked", session)
        event = Event.objects.get(kind=Kind.CARD_LINKED)
        assert (event.station, event.data) == (station, {"claim": claim.pk})
        assert list(ChargingSession.objects.of_driver(driver)) == [session]

    @pytest.mark.parametrize(
        ("after", "told"),
        [
            (-MINUTE, dt.timedelta()),  # before it was said
            (6 * MINUTE, dt.timedelta()),  # too late
            (-2 * MINUTE, 3 * MINUTE),  # told late: who saw it happen could have said so
        ],
    )
    def test_another_moment_shows_nothing(
        self, driver: User, station: Station, card: Token, after: dt.timedelta, told: dt.timedelta
    ) -> None:
        claim = self.expect(driver, station)
        self.charge(station, card, after=after, told=told)
        claims.look_after(NOW + 10 * MINUTE)
        claim.refresh_from_db()
        assert (holder(card), claim.state) == (None, "expired")

    def test_neither_does_another_station_or_card(self, driver: User, station: Station, card: Token) -> None:
        self.expect(driver, station)
        self.charge(make_station("S-2"), card)
        self.charge(station, make_token("ANOTHER"))
        assert claims.look_after(NOW + 2 * MINUTE) == 0
        assert not Token.objects.filter(user=driver).exists()

    def test_a_number_that_is_no_card_is_answered_like_any_other(
        self, driver: User, station: Station
    ) -> None:
        claim = self.expect(driver, station, "NO-SUCH-CARD")
        assert (claim.state, claim.token) == ("open", None)
        assert claim.token_digest == digest_token("NO-SUCH-CARD")

    def test_a_card_of_somebody_else_stays_theirs(self, driver: User, station: Station, card: Token) -> None:
        other = make_driver()
        Token.objects.filter(pk=card.pk).update(user=other)
        claim = self.expect(driver, station)
        self.charge(station, card)
        claims.look_after(NOW + 2 * MINUTE)
        claim.refresh_from_db()
        assert (holder(card), claim.state, claim.refusal) == (other, "refused", "taken")
        assert not Event.objects.filter(kind=Kind.CARD_LINKED).exists()

    def test_a_blocked_card_stays_nobody_s(self, driver: User, station: Station, card: Token) -> None:
        Token.objects.filter(pk=card.pk).update(blocked=True)
        claim = self.expect(driver, station)
        self.charge(station, card)
        claims.look_after(NOW + 2 * MINUTE)
        claim.refresh_from_db()
        assert (holder(card), claim.refusal) == (None, "blocked")

    def test_one_is_waited_for_at_a_time_and_five_a_day(self, driver: User, station: Station) -> None:
        for _time in range(5):
            self.expect(driver, station)
        assert TokenClaim.objects.filter(user=driver, state="open").count() == 1
        with pytest.raises(CannotLink, match="five times"):
            self.expect(driver, station)

    def test_what_was_cancelled_links_nothing(self, driver: User, station: Station, card: Token) -> None:
        self.expect(driver, station)
        assert claims.cancel_charge(user=driver, now=NOW)
        self.charge(station, card)
        assert claims.look_after(NOW + 2 * MINUTE) == 0
        assert holder(card) is None


class TestSince:
    """What a driver sees of a card that had a life before."""

    @pytest.fixture
    def sessions(self, station: Station, card: Token) -> list[ChargingSession]:
        return [
            make_session(station, token=card, started_at=NOW + day * dt.timedelta(days=1), state="ended")
            for day in (-30, -3, 1)
        ]

    def seen(self, driver: User) -> list[ChargingSession]:
        return list(ChargingSession.objects.of_driver(driver).order_by("started_at"))

    def test_nothing_from_before_the_link(
        self, driver: User, card: Token, sessions: list[ChargingSession]
    ) -> None:
        use(code_of(card), driver)
        assert self.seen(driver) == sessions[2:]

    def test_from_the_day_that_the_operator_gave(
        self, driver: User, card: Token, sessions: list[ChargingSession]
    ) -> None:
        use(code_of(card, since=NOW - dt.timedelta(days=7)), driver)
        assert self.seen(driver) == sessions[1:]

    def test_all_of_a_card_that_was_given_in_the_administration(
        self, driver: User, card: Token, sessions: list[ChargingSession]
    ) -> None:
        Token.objects.filter(pk=card.pk).update(user=driver)
        assert self.seen(driver) == sessions

    def test_nothing_any_more_once_it_is_undone(
        self, driver: User, card: Token, sessions: list[ChargingSession]
    ) -> None:
        use(code_of(card), driver)
        operator = make_staff()
        assert claims.unlink(token=card, by=operator, now=NOW)
        assert self.seen(driver) == []
        claim = TokenClaim.objects.get(state="undone")
        assert (claim.user, claim.undone_by, claim.undone_at) == (driver, operator, NOW)
        assert not claims.unlink(token=card, by=operator, now=NOW)


def test_the_round_ends_codes_that_are_over(card: Token) -> None:
    code_of(card)
    assert claims.look_after(NOW) == 0
    assert claims.look_after(NOW + claims.CODE_LASTS) == 1
    assert TokenClaim.objects.get().state == "expired"
