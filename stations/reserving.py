"""Reservations: asked of a station, answered, used by the driver they are for, or over. The only writer of Reservation.

asked -> active | refused | unknown; active -> used | cancelled | expired | removed. What the station says counts, also
when it comes late; that the time is over counts where it says nothing (1.6 has no message for it).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max, Q
from django.db.models.query import QuerySet

from stations import events
from stations.commands import ask
from stations.models import ChargingSession, Command, Reservation, Station, Token
from stations.ocpp.v16 import wire_time

State = Reservation.State
ATTEMPTS = 3  # two people who reserve at one station in the same moment take two numbers
# What a station that removed one says (2.0.1 ReservationUpdateStatusEnumType; 2.1 adds the last).
_OVER = {"Expired": State.EXPIRED, "Removed": State.REMOVED, "NoTransaction": State.EXPIRED}
# A question that never left, or was taken back, reserved nothing; one without an answer perhaps did.
_WITHOUT_ANSWER = {
    Command.State.EXPIRED: State.CANCELLED,
    Command.State.CANCELLED: State.CANCELLED,
    Command.State.UNKNOWN: State.UNKNOWN,
    Command.State.FAILED: State.REFUSED,
}


class CannotReserve(ValueError):
    """`field` is the argument that is wrong."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field = field


def reserve(
    *,
    station: Station,
    evse_number: int,
    token: Token,
    expires_at: datetime,
    requested_by: Any,
    now: datetime,
) -> Reservation:
    """Keep an EVSE (0: any of them) free for the holder of `token` until `expires_at`.

    Raises CannotReserve, or validation.SchemaViolation where the token does not fit the station's version.
    """
    if expires_at <= now:
        raise CannotReserve("expires_at", "must lie ahead")
    if not token.number():
        raise CannotReserve("token", "its number is not known here")
    with transaction.atomic():
        reservation = _numbered(
            Reservation(
                station=station,
                evse_number=evse_number,
                token=token,
                requested_by=requested_by,
                requested_at=now,
                expires_at=expires_at,
            )
        )
        reservation.command = ask(station, "ReserveNow", _payload(reservation, token), requested_by, now)
        reservation.save(update_fields=["command"])
    return reservation


def cancel(*, reservation: Reservation, requested_by: Any, now: datetime) -> Command:
    """Ask the station to let go of it; what it answers decides."""
    station = reservation.station
    with transaction.atomic():
        payload = {"reservationId": reservation.reservation_id}
        command = ask(station, "CancelReservation", payload, requested_by, now)
        Reservation.objects.filter(pk=reservation.pk).update(cancel_command=command)
    return command


def take_in(command: Command, *, now: datetime) -> None:
    """The answer to a ReserveNow or a CancelReservation."""
    status = str((command.response or {}).get("status", ""))
    if command.action == "ReserveNow":
        rows = Reservation.objects.filter(command=command, state__in=(State.ASKED, State.UNKNOWN))
        if command.state == Command.State.ACCEPTED:
            _move(rows, State.ACTIVE, now)
        else:
            _move(rows, State.REFUSED, now, refusal=status)
    elif command.action == "CancelReservation":
        # A refusal says that the station has no such reservation (1.6, 5.2; 2.0.1, H02.FR.01).
        done = State.CANCELLED if command.state == Command.State.ACCEPTED else State.REMOVED
        if command.state in (Command.State.ACCEPTED, Command.State.REFUSED):
            _move(_open().filter(cancel_command=command), done, now)


def take_in_update(station: Station, reservation_id: int, status: str, *, now: datetime) -> None:
    """ReservationStatusUpdate (2.x): it is over without having been used."""
    rows = _open().filter(station=station, reservation_id=reservation_id)
    if status in _OVER:
        _move(rows, _OVER[status], now)


def take_in_start(
    station: Station, *, transaction_id: str, reservation_id: int | None, now: datetime
) -> None:
    """A transaction began: the reservation that it names, or that was for this token on this EVSE, is used."""
    rows = _open().filter(station=station)
    if not rows.exists():
        return
    session = ChargingSession.objects.filter(station=station, transaction_id=transaction_id).first()
    if session is None:
        return
    if reservation_id is not None:
        rows = rows.filter(reservation_id=reservation_id)
    elif session.token_id is not None:
        rows = rows.filter(token_id=session.token_id, evse_number__in=(0, session.evse_number or 0))
    else:
        return
    _move(rows.filter(requested_at__lte=now), State.USED, now, session=session)


def tidy(now: datetime) -> None:
    """What nothing more will be heard of: the time is over, or the question was lost."""
    _move(_open().filter(expires_at__lte=now), State.EXPIRED, now)
    asked = Reservation.objects.filter(state=State.ASKED)
    for outcome, state in _WITHOUT_ANSWER.items():
        _move(asked.filter(command__state=outcome), state, now)
    _move(asked.filter(command__isnull=True), State.UNKNOWN, now)


def _open() -> QuerySet[Reservation]:
    return Reservation.objects.filter(state__in=Reservation.OPEN)


def _numbered(reservation: Reservation) -> Reservation:
    """Saved under the next number of its station."""
    rows = Reservation.objects.filter(station=reservation.station)
    for attempt in range(ATTEMPTS):
        reservation.reservation_id = (rows.aggregate(last=Max("reservation_id"))["last"] or 0) + 1
        try:
            with transaction.atomic():
                reservation.save(force_insert=True)
        except IntegrityError:
            if attempt == ATTEMPTS - 1:
                raise
        else:
            break
    return reservation


def _payload(reservation: Reservation, token: Token) -> dict[str, Any]:
    group = token.group.group_id if token.group else ""
    if reservation.station.ocpp_version == "1.6":
        payload: dict[str, Any] = {
            "connectorId": reservation.evse_number,
            "expiryDate": wire_time(reservation.expires_at),
            "idTag": token.number(),
            "reservationId": reservation.reservation_id,
        }
        return payload | ({"parentIdTag": group} if group else {})
    payload = {
        "id": reservation.reservation_id,
        "expiryDateTime": wire_time(reservation.expires_at),
        "idToken": {"idToken": token.number(), "type": token.kind},
    }
    if reservation.evse_number:
        payload["evseId"] = reservation.evse_number
    return payload | ({"groupIdToken": {"idToken": group, "type": "Central"}} if group else {})


def _move(rows: QuerySet[Reservation], state: str, now: datetime, **fields: Any) -> None:
    """Each of these to `state`, unless it got another one meanwhile."""
    for row in list(rows.filter(~Q(state=state))):
        ended_at = None if state in Reservation.OPEN else now
        still = Reservation.objects.filter(pk=row.pk, state=row.state)
        with transaction.atomic():
            if still.update(state=state, ended_at=ended_at, **fields):
                data = {"reservation": row.pk, "evse": row.evse_number, "state": str(state)}
                events.record(
                    station_id=row.station_id, kind=events.Kind.RESERVATION, at=now, now=now, data=data
                )
