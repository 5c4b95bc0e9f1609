"""Guessing is slowed where it happens, and nobody else is; what a proxy says counts only from the proxy."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.core.cache import cache

from stations import admission, admitting, consumers, credentials
from stations.admission import ADDRESS, PAIR, Caller, Doors, Refused, through_proxy
from stations.models import Station
from tests.factories import NOW, make_station

PASSWORD = "the-right-one-of-tests"
ATTACKER, ELSEWHERE = Caller("203.0.113.9", is_secure=False), Caller("198.51.100.7", is_secure=False)


@pytest.fixture(autouse=True)
def _own_cache(settings: Any) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "LOCATION": "admission",
            "OPTIONS": {"MAX_ENTRIES": 100_000},
        }
    }
    cache.clear()


def attempt(identity: str, password: str, caller: Caller) -> int:
    """The status that this attempt gets; 101 is in."""
    try:
        consumers._counted(lambda: _judged(identity, password.encode(), caller), identity, caller)
    except Refused as refused:
        return refused.status
    return 101


def _judged(identity: str, password: bytes, caller: Caller) -> admitting.Admitted:
    try:
        return admitting.judge(identity, password, caller, now=NOW)
    except admitting.NeedsSlowHash as needs:
        return admitting.judge_slowly(needs.station, password, caller)


# ---------------------------------------------------------------- guessing
@pytest.mark.django_db
def test_wrong_passwords_get_a_pause_that_grows() -> None:
    station = make_station(password=PASSWORD)
    statuses = [attempt(station.identity, f"wrong-{n}", ATTACKER) for n in range(6)]
    assert statuses == [401] * 4 + [429] * 2
    assert [PAIR.pause_s(wrong) for wrong in (3, 4, 5, 6, 13, 500)] == [0, 1, 2, 4, 300, 300]


@pytest.mark.django_db
def test_the_pause_is_told() -> None:
    station = make_station(password=PASSWORD)
    for n in range(4):
        attempt(station.identity, f"wrong-{n}", ATTACKER)
    with pytest.raises(Refused) as refused:
        admitting.judge(station.identity, b"wrong", ATTACKER, now=NOW)
    assert (refused.value.status, refused.value.retry_after_s) == (429, 1)
    assert "try again after 1 s" in refused.value.text


@pytest.mark.django_db
@pytest.mark.parametrize("kind", [Station.Secret.GENERATED, Station.Secret.CHOSEN])
def test_the_station_itself_comes_in_while_another_guesses(kind: str) -> None:
    secret = credentials.hash_secret(PASSWORD.encode(), kind=kind)
    station = make_station(secret_kind=kind, secret_hash=secret)
    for n in range(20):
        attempt(station.identity, f"wrong-{n}", ATTACKER)
    assert attempt(station.identity, PASSWORD, ELSEWHERE) == 101


@pytest.mark.django_db
def test_a_chosen_password_is_not_tried_during_the_pause() -> None:
    """Else the pause would stop nobody who guesses right."""
    secret = credentials.hash_secret(PASSWORD.encode(), kind=Station.Secret.CHOSEN)
    station = make_station(secret_kind=Station.Secret.CHOSEN, secret_hash=secret)
    for n in range(6):
        attempt(station.identity, f"wrong-{n}", ATTACKER)
    assert attempt(station.identity, PASSWORD, ATTACKER) == 429


@pytest.mark.django_db
def test_who_looks_for_identities_is_slowed_over_all_of_them() -> None:
    statuses = [attempt(f"NL-GUESS-{n}", "x", ATTACKER) for n in range(ADDRESS.free + 5)]
    assert statuses[: ADDRESS.free] == [404] * ADDRESS.free
    assert statuses[-1] == 429
    station = make_station(password=PASSWORD)
    assert attempt(station.identity, PASSWORD, ATTACKER) == 101, "its password cannot have been guessed"


@pytest.mark.django_db
def test_the_same_unknown_identity_is_slowed_soon() -> None:
    assert [attempt("NL-NOBODY", "x", ATTACKER) for _ in range(6)] == [404] * 4 + [429] * 2


@pytest.mark.django_db
def test_a_wrong_guess_at_a_chosen_password_seldom_costs_a_slow_hash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret = credentials.hash_secret(PASSWORD.encode(), kind=Station.Secret.CHOSEN)
    station = make_station(secret_kind=Station.Secret.CHOSEN, secret_hash=secret)
    undecided = sum(credentials.verify_cheaply(station, f"wrong-{n}".encode()) is None for n in range(1000))
    assert undecided < 30
    began = time.process_time()
    assert credentials.verify_secret(station, PASSWORD.encode())
    first = time.process_time() - began
    began = time.process_time()
    assert credentials.verify_secret(station, PASSWORD.encode())
    assert time.process_time() - began < first / 10


@pytest.mark.django_db
def test_two_thousand_good_stations_from_one_address_are_not_slowed() -> None:
    doors = Doors()
    stations = [make_station(password=PASSWORD, evses=0) for _ in range(20)]
    for _ in range(100):
        for station in stations:
            doors.enter(ATTACKER.address)
            assert attempt(station.identity, PASSWORD, ATTACKER) == 101
    assert doors.total == 2000


def test_events_are_counted_not_one_for_each_attempt() -> None:
    told = [count for _ in range(1000) if (count := admission.is_worth_an_event("NL-1", "password"))]
    assert told == [1, 10, 100, 1000]


@pytest.mark.django_db
def test_without_a_cache_stations_still_come_in(settings: Any) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }
    station = make_station(password=PASSWORD)
    began = time.monotonic()
    assert attempt(station.identity, "wrong", ATTACKER) == 401
    assert attempt(station.identity, PASSWORD, ATTACKER) == 101
    assert time.monotonic() - began < 20


# ---------------------------------------------------------------- room
def test_there_is_room_for_so_many_in_all_and_from_one_address(settings: Any) -> None:
    settings.OCPP_MAX_CONNECTIONS, settings.OCPP_MAX_CONNECTIONS_PER_ADDRESS = 3, 2
    doors = Doors()
    doors.enter("a")
    doors.enter("a")
    with pytest.raises(Refused) as too_many:
        doors.enter("a")
    assert (too_many.value.status, too_many.value.retry_after_s) == (429, 60)
    doors.enter("b")
    with pytest.raises(Refused) as full:
        doors.enter("c")
    assert full.value.status == 503
    doors.leave("a")
    doors.enter("c")
    assert doors.by_address == {"a": 1, "b": 1, "c": 1}


# ---------------------------------------------------------------- the proxy
def scope_of(address: str, *headers: tuple[str, str]) -> dict[str, Any]:
    return {
        "type": "websocket",
        "scheme": "ws",
        "client": (address, 4711),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
    }


SAID = (
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-For", "203.0.113.200, 192.0.2.55"),
    ("X-Client-Verify", "SUCCESS"),
    ("X-Client-Certificate", "the-certificate"),
)


@pytest.fixture
def proxied(settings: Any) -> Any:
    settings.TRUSTED_PROXY = True
    settings.TRUSTED_PROXY_ADDRESSES = ["127.0.0.1", "::1", "10.1.0.0/16"]
    return settings


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.1.200.3"])
def test_the_proxy_is_taken_at_its_word(proxied: Any, address: str) -> None:
    caller = admission.caller_of(through_proxy(scope_of(address, *SAID)))
    assert caller == Caller("192.0.2.55", is_secure=True, certificate="the-certificate")


@pytest.mark.parametrize("address", ["192.0.2.9", "10.2.0.1", "", "unix:"])
def test_nobody_else_is(proxied: Any, address: str) -> None:
    scope = through_proxy(scope_of(address, *SAID, ("authorization", "Basic x")))
    assert admission.caller_of(scope) == Caller(address, is_secure=False)
    assert scope["headers"] == [(b"authorization", b"Basic x")]


def test_without_trusted_proxy_nobody_is(settings: Any) -> None:
    settings.TRUSTED_PROXY = False
    caller = admission.caller_of(through_proxy(scope_of("127.0.0.1", *SAID)))
    assert caller == Caller("127.0.0.1", is_secure=False)


@pytest.mark.parametrize("verify", ["NONE", "FAILED:self-signed certificate", ""])
def test_a_certificate_that_the_proxy_did_not_verify_is_none(proxied: Any, verify: str) -> None:
    said = (*SAID[:2], ("X-Client-Verify", verify), SAID[3])
    assert admission.caller_of(through_proxy(scope_of("127.0.0.1", *said))).certificate == ""


def test_a_consumer_that_went_by_no_proxy_believes_no_header() -> None:
    """Whoever hosts it without portal.asgi gets less, not more."""
    assert admission.caller_of(scope_of("127.0.0.1", *SAID)) == Caller("127.0.0.1", is_secure=False)


# ---------------------------------------------------------------- profiles
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("profile", "is_secure", "status"),
    [(0, False, 101), (1, False, 101), (1, True, 101), (2, False, 403), (2, True, 101), (3, True, 403)],
)
def test_less_than_the_profile_that_is_set_is_refused(profile: int, is_secure: bool, status: int) -> None:
    station = make_station(password=PASSWORD, security_profile=profile)
    assert attempt(station.identity, PASSWORD, Caller("192.0.2.1", is_secure=is_secure)) == status
