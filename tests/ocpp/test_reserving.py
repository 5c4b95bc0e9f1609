"""Reservations: what is asked of a station, what it answers, and how they end."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from stations import commands, reserving
from stations.credentials import digest_token
from stations.models import Command, Reservation, Station, Token, TokenGroup
from stations.sealing import seal
from tests.factories import NOW, make_station
from tests.ocpp.conversation import answer, happened, minutes, say, wire

pytestmark = pytest.mark.django_db
NUMBER = "04A1B2C3D4E5"
VERSIONS = ["1.6", "2.0.1", "2.1"]


def card(station: Station, **fields: Any) -> Token:
    said = {"digest": digest_token(NUMBER), "sealed_number": seal(NUMBER), **fields}
    return Token.objects.create(operator=station.site.operator, **said)


def reserve(station: Station, token: Token, *, evse: int = 1) -> Reservation:
    return reserving.reserve(
        station=station,
        evse_number=evse,
        token=token,
        expires_at=minutes(30),
        requested_by=None,
        now=NOW,
    )


def reserved(version: str) -> tuple[Station, Reservation]:
    """A station that accepted it."""
    station = make_station(version=version)
    reservation = reserve(station, card(station))
    answer(Command.objects.get(), {"status": "Accepted"})
    reservation.refresh_from_db()
    return station, reservation


def starts(station: Station, token: str, **more: Any) -> None:
    if station.ocpp_version == "1.6":
        payload: dict[str, Any] = {
            "connectorId": 1,
            "idTag": token,
            "meterStart": 0,
            "timestamp": wire(minutes(1)),
        }
        say(station, "StartTransaction", payload | more, now=minutes(1))
        return
    payload = {
        "eventType": "Started",
        "timestamp": wire(minutes(1)),
        "triggerReason": "Authorized",
        "seqNo": 0,
        "transactionInfo": {"transactionId": "T1"},
        "evse": {"id": 1, "connectorId": 1},
        "idToken": {"idToken": token, "type": "ISO14443"},
    }
    say(station, "TransactionEvent", payload | more, now=minutes(1))


def test_it_is_asked_with_the_group_of_the_card() -> None:
    station = make_station()
    group = TokenGroup.objects.create(operator=station.site.operator, name="Vans", group_id="G1")
    reserve(station, card(station, group=group))
    (claimed,) = commands.claim([station.pk], now=NOW)
    assert claimed.payload == {
        "connectorId": 1,
        "expiryDate": wire(minutes(30)),
        "idTag": NUMBER,
        "parentIdTag": "G1",
        "reservationId": 1,
    }


def test_each_has_its_number_at_its_station() -> None:
    first, second = make_station(), make_station()
    token = card(first)
    assert [reserve(first, token).reservation_id for _ in range(3)] == [1, 2, 3]
    assert reserve(second, token).reservation_id == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_the_station_decides(version: str) -> None:
    station, reservation = reserved(version)
    assert reservation.state == "active"
    assert reservation.token is not None
    other = reserve(station, reservation.token, evse=2)
    assert other.command is not None
    answer(other.command, {"status": "Occupied"}, state="refused")
    other.refresh_from_db()
    assert (other.state, other.refusal) == ("refused", "Occupied")
    assert [one["state"] for one in happened(station, "reservation")] == ["active", "refused"]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_driver_comes_and_it_is_used(version: str) -> None:
    station, reservation = reserved(version)
    starts(station, "ANOTHER")
    reservation.refresh_from_db()
    assert reservation.state == "active"
    more: dict[str, Any] = (
        {"meterStart": 5} if version == "1.6" else {"transactionInfo": {"transactionId": "T2"}}
    )
    starts(station, NUMBER, **more)
    reservation.refresh_from_db()
    assert reservation.state == "used"
    assert reservation.session is not None
    assert reservation.session.evse_number == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_the_number_of_the_reservation_says_enough(version: str) -> None:
    """Another card of the same group used it: the station knows, we need not."""
    station, reservation = reserved(version)
    starts(station, "ANOTHER", reservationId=reservation.reservation_id)
    reservation.refresh_from_db()
    assert reservation.state == "used"


@pytest.mark.parametrize(
    ("said", "state"), [("Expired", "expired"), ("Removed", "removed"), ("NoTransaction", "expired")]
)
def test_a_station_of_2x_says_that_it_is_over(said: str, state: str) -> None:
    version = "2.1" if said == "NoTransaction" else "2.0.1"
    station, reservation = reserved(version)
    say(station, "ReservationStatusUpdate", {"reservationId": 1, "reservationUpdateStatus": said})
    reservation.refresh_from_db()
    assert reservation.state == state


@pytest.mark.parametrize(("said", "state"), [("Accepted", "cancelled"), ("Rejected", "removed")])
def test_it_is_let_go(said: str, state: str) -> None:
    _, reservation = reserved("1.6")
    command = reserving.cancel(reservation=reservation, requested_by=None, now=NOW)
    answer(command, {"status": said}, state="accepted" if said == "Accepted" else "refused")
    reservation.refresh_from_db()
    assert reservation.state == state


def test_its_time_is_over_where_the_station_says_nothing() -> None:
    _, reservation = reserved("1.6")
    reserving.tidy(minutes(29))
    reservation.refresh_from_db()
    assert reservation.state == "active"
    reserving.tidy(minutes(31))
    reservation.refresh_from_db()
    assert (reservation.state, reservation.ended_at) == ("expired", minutes(31))


@pytest.mark.parametrize(("command", "state"), [("expired", "cancelled"), ("unknown", "unknown")])
def test_a_question_that_got_lost(command: str, state: str) -> None:
    station = make_station()
    reservation = reserve(station, card(station))
    Command.objects.update(state=command)
    reserving.tidy(minutes(2))
    reservation.refresh_from_db()
    assert reservation.state == state


def test_a_late_answer_still_counts() -> None:
    station = make_station()
    reservation = reserve(station, card(station))
    Command.objects.update(state="unknown")
    reserving.tidy(minutes(2))
    answer(Command.objects.get(), {"status": "Accepted"})
    reservation.refresh_from_db()
    assert reservation.state == "active"


@pytest.mark.parametrize(
    ("fields", "until", "field"),
    [({"sealed_number": ""}, minutes(5), "token"), ({}, NOW - dt.timedelta(minutes=1), "expires_at")],
)
def test_what_cannot_be_reserved_is_said_by_field(
    fields: dict[str, str], until: dt.datetime, field: str
) -> None:
    station = make_station()
    with pytest.raises(reserving.CannotReserve) as cannot:
        reserving.reserve(
            station=station,
            evse_number=1,
            token=card(station, **fields),
            expires_at=until,
            requested_by=None,
            now=NOW,
        )
    assert cannot.value.field == field
    assert not Reservation.objects.exists()
