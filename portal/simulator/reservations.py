"""Sockets that are kept free for a card: ReserveNow and CancelReservation, and how a reservation ends."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from portal.simulator.link import Reply
from portal.simulator.sockets import Reservation, Socket
from portal.simulator.station import Station
from portal.simulator.wire import V16, Message, Payload, instant


class Reservations:
    """Looks each second whether one is over; 2.x tells the CSMS then, 1.6 has no message for it."""

    def __init__(self, station: Station) -> None:
        self._station = station
        station.each_tick.append(self._end_what_is_over)

    def handlers(self) -> dict[str, Callable[[Payload], Reply]]:
        return {"ReserveNow": self._reserve_now, "CancelReservation": self._cancel}

    def _reserve_now(self, payload: Payload) -> Reply:
        version = self._station.dialect.version
        if version is V16:
            evse, expires, token = payload["connectorId"], payload["expiryDate"], payload["idTag"]
            number = payload["reservationId"]
            if evse == 0:  # ReserveConnectorZeroSupported is not among its keys (1.6, 5.13)
                return Reply({"status": "Rejected"})
        else:
            evse, expires = payload.get("evseId"), payload["expiryDateTime"]
            token, number = payload["idToken"]["idToken"], payload["id"]
        until = instant(expires, version=version)
        if until <= self._station.clock.now():
            return Reply({"status": "Rejected"})
        return self._answer(evse, Reservation(number, token, until))

    def _answer(self, evse: int | None, wanted: Reservation) -> Reply:
        sockets = self._station.sockets
        if evse is not None and evse not in sockets:
            return Reply({"status": "Rejected"})
        standing = self._find(wanted.number)
        asked = [sockets[evse]] if evse is not None else list(sockets.values())
        free = [socket for socket in asked if _is_free(socket, wanted.number)]
        if not free:
            out = all(not socket.operative for socket in asked)
            return Reply({"status": "Unavailable" if out else "Occupied"})
        if standing is not None:  # the same number again replaces it (1.6, 5.13; 2.0.1, H01.FR.02)
            standing.reservation = None
        free[0].reservation = wanted
        return _then("Accepted", self._station.report_statuses)

    def _cancel(self, payload: Payload) -> Reply:
        socket = self._find(payload["reservationId"])
        if socket is None:
            return Reply({"status": "Rejected"})
        socket.reservation = None
        return _then("Accepted", self._station.report_statuses)

    def _find(self, number: int) -> Socket | None:
        sockets = self._station.sockets.values()
        return next((one for one in sockets if one.reservation and one.reservation.number == number), None)

    def _end_what_is_over(self) -> None:
        now = self._station.clock.now()
        for socket in self._station.sockets.values():
            held = socket.reservation
            if held is None:
                continue
            if held.until <= now:
                self._end(socket, held, "Expired")
            elif not socket.operative:
                self._end(socket, held, "Removed")

    def _end(self, socket: Socket, held: Reservation, why: str) -> None:
        socket.reservation = None
        if self._station.dialect.version is not V16:
            told = {"reservationId": held.number, "reservationUpdateStatus": why}
            self._station.link.tell(Message("ReservationStatusUpdate", partial(dict, told)))
        self._station.report_statuses()


def _is_free(socket: Socket, number: int) -> bool:
    own = socket.reservation is None or socket.reservation.number == number
    return own and socket.free and socket.car is None


def _then(word: str, job: Callable[[], Any]) -> Reply:
    async def then() -> None:
        job()

    return Reply({"status": word}, then)


# ---------------------------------------------------------------- triggers
def status_messages(station: Station) -> dict[str, Callable[[], Any]]:
    """Notifications that a CSMS can trigger and that have nothing to tell: "Idle" (1.6, 6.18; 2.0.1, L01, N01)."""
    names = {
        "1.6": ("DiagnosticsStatusNotification", "LogStatusNotification"),
        "2.0.1": ("LogStatusNotification", "PublishFirmwareStatusNotification"),
    }
    own = names["1.6" if station.dialect.version is V16 else "2.0.1"]
    return {name: partial(_tell_idle, station, name) for name in own}


def _tell_idle(station: Station, action: str) -> None:
    station.link.tell(Message(action, lambda: {"status": "Idle"}))
