"""A socket that is kept for a card, and messages that are triggered, in every version."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from portal.simulator.cars import Car
from tests.simulator.conftest import Connect
from tests.simulator.csms import Csms, Payload
from tests.simulator.desk import Desk


async def reserve(
    csms: Csms, version: str, *, evse: int = 1, number: int = 5, until: datetime | None = None
) -> str:
    until_text = (until or datetime.now(UTC) + timedelta(hours=10)).isoformat()
    if version == "1.6":
        asked: Payload = {
            "connectorId": evse,
            "expiryDate": until_text,
            "idTag": "MINE",
            "reservationId": number,
        }
    else:
        token = {"idToken": "MINE", "type": "ISO14443"}
        asked = {"id": number, "expiryDateTime": until_text, "idToken": token, "evseId": evse}
    return str((await csms.ask("ReserveNow", asked))["status"])


async def told_reserved(csms: Csms, version: str) -> None:
    if version == "1.6":
        await csms.sees("StatusNotification", connectorId=1, status="Reserved")
    else:
        await csms.sees("StatusNotification", evseId=1, connectorStatus="Reserved")


async def test_a_reserved_socket_is_for_one_card(
    csms: Csms, connect: Connect, desk: Desk, version: str
) -> None:
    station = await connect()
    assert await reserve(csms, version) == "Accepted"
    await told_reserved(csms, version)
    assert await reserve(csms, version, number=6) == "Occupied"
    assert await desk.starts(1, "OTHER") == "Rejected"
    assert not await station.plug_in(1, Car(), "OTHER")
    assert await desk.starts(1, "mine") == "Accepted"
    if version == "1.6":
        start = await csms.sees("StartTransaction", connectorId=1)
    else:
        start = await csms.sees("TransactionEvent", eventType="Started")
    assert start.payload["reservationId"] == 5


async def test_a_reservation_is_let_go(csms: Csms, connect: Connect, desk: Desk, version: str) -> None:
    station = await connect()
    assert await reserve(csms, version) == "Accepted"
    assert (await csms.ask("CancelReservation", {"reservationId": 4}))["status"] == "Rejected"
    assert (await csms.ask("CancelReservation", {"reservationId": 5}))["status"] == "Accepted"
    assert await station.plug_in(1, Car(), "OTHER")


async def test_a_reservation_ends_by_itself(csms: Csms, connect: Connect, version: str) -> None:
    station = await connect(speed=60)
    in_a_minute = station.clock.now() + timedelta(minutes=1)
    assert await reserve(csms, version, until=in_a_minute) == "Accepted"
    if version == "1.6":
        await csms.sees("StatusNotification", connectorId=1, status="Available", times=2)
    else:
        await csms.sees("StatusNotification", evseId=1, connectorStatus="Available", times=2)
        over = await csms.sees("ReservationStatusUpdate", reservationId=5)
        assert over.payload["reservationUpdateStatus"] == "Expired"


async def test_what_cannot_be_reserved_is_refused(csms: Csms, connect: Connect, version: str) -> None:
    station = await connect()
    assert await reserve(csms, version, evse=9) == "Rejected"
    assert await reserve(csms, version, until=datetime.now(UTC) - timedelta(hours=10)) == "Rejected"
    await station.plug_in(1, Car())
    assert await reserve(csms, version) == "Occupied"


@pytest.mark.parametrize("message", ["LogStatusNotification", "FirmwareStatusNotification"])
async def test_a_triggered_message_really_comes(
    csms: Csms, connect: Connect, version: str, message: str
) -> None:
    await connect()
    action = "ExtendedTriggerMessage" if version == "1.6" else "TriggerMessage"
    assert (await csms.ask(action, {"requestedMessage": message}))["status"] == "Accepted"
    await csms.sees(message, status="Idle")


async def test_the_memory_of_cards_is_emptied(csms: Csms, connect: Connect) -> None:
    await connect()
    assert (await csms.ask("ClearCache"))["status"] == "Accepted"
