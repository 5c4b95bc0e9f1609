"""The life of a command: request, claim, complete, lose, expire. The only writer of Command.

queued -> sent -> accepted | refused | failed | unknown, or queued -> expired | cancelled. A time-out is unknown, not a
refusal (rule 4); an answer that comes after it still counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Min, Q
from django.db.models.query import QuerySet

from stations import events
from stations.models import Command, Station
from stations.nudges import nudge_gateways
from stations.ocpp import bounds, masking, validation

State = Command.State
# A response's status that means "no"; any other, or none at all, means that the station did what was asked.
REFUSALS = frozenset(
    {
        "Rejected",
        "NotSupported",
        "NotImplemented",
        "Unknown",
        "UnknownConnector",
        "UnlockFailed",
        "OngoingAuthorizedTransaction",
        "VersionMismatch",
        "UnknownMessageId",
        "UnknownVendorId",
        "Faulted",
        "Occupied",
        "Unavailable",
        "Failed",
        "NoProfiles",
        "NotEnabled",
    }
)
MAX_CLAIMED = 2000


def request(
    *,
    station: Station,
    action: str,
    payload: dict[str, Any],
    origin: str = "",
    requested_by: Any = None,
    now: datetime,
    expires_in_s: float = 300,
) -> Command:
    """Ask `station` for `action`; commands of a station go out in order, one at a time.

    Raises validation.UnknownAction or validation.SchemaViolation, which names the field: nothing is queued that the
    station's version does not know.
    """
    _check(station, action, payload)
    with transaction.atomic():
        command = Command.objects.create(
            station=station,
            action=action,
            payload=payload,
            message_id=str(uuid4()),
            origin=origin,
            requested_by=requested_by,
            requested_at=now,
            expires_at=now + timedelta(seconds=expires_in_s),
        )
        nudge_gateways([station.pk])
    return command


def _check(station: Station, action: str, payload: dict[str, Any]) -> None:
    """One command that cannot be written down would keep all others of its claim from their stations."""
    try:
        validation.check_request(station.ocpp_version, action, payload)
    except ValueError as error:  # jsonschema-rs, where it is to say what is wrong some 250 levels down
        if isinstance(error, validation.SchemaViolation):
            raise
        raise validation.SchemaViolation("", "nested too deep to be read", "FormatViolation") from None
    field, problem = bounds.unsayable(payload)
    if problem:
        raise validation.SchemaViolation(field, problem, "PropertyConstraintViolation")


def cancel(command: Command, *, now: datetime) -> bool:
    """Take back what was not sent yet. False: too late."""
    queued = Command.objects.filter(pk=command.pk, state=State.QUEUED)
    with transaction.atomic():
        cancelled = bool(queued.update(state=State.CANCELLED, answered_at=now))
        if cancelled:
            _forget_secrets(command)
    return cancelled


def waiting(station_ids: Iterable[int] | None = None) -> set[int]:
    """Stations with a command to send and none outstanding; `station_ids` narrows the look."""
    rows = Command.objects.filter(state__in=Command.OPEN)
    if station_ids is not None:
        rows = rows.filter(station_id__in=list(station_ids))
    first = rows.values("station_id").annotate(sent=Min("id", filter=Q(state=State.SENT)))
    return set(first.filter(sent__isnull=True).values_list("station_id", flat=True))


@transaction.atomic
def claim(station_ids: Iterable[int], *, now: datetime) -> list[Command]:
    """The oldest queued command of each of these stations, marked as sent: durable before a byte leaves.

    Call it for stations whose socket is held here. A station with a command outstanding, or none queued, is not in it.
    """
    free = waiting(station_ids)
    oldest = (
        Command.objects.filter(station_id__in=free, state=State.QUEUED, expires_at__gt=now)
        .values("station_id")
        .annotate(first=Min("id"))
        .values_list("first", flat=True)[:MAX_CLAIMED]
    )
    # Held until they are marked: what is cancelled at this moment is either too late, or not in it.
    rows = list(Command.objects.select_for_update().filter(pk__in=list(oldest), state=State.QUEUED))
    ids = [row.pk for row in rows]
    Command.objects.filter(pk__in=ids, state=State.QUEUED).update(state=State.SENT, sent_at=now)
    for row in rows:
        row.state, row.sent_at = State.SENT, now
        _forget_secrets(row)
    return rows


def _forget_secrets(command: Command) -> None:
    """What leaves now, or never will, need not be kept: from here on the row shows a token or a password masked.

    A claimed command itself still has it, for the one frame that is made of it.
    """
    masked = masking.mask_payload(command.action, command.payload)
    if masked != command.payload:
        Command.objects.filter(pk=command.pk).update(payload=masked)


def complete(
    *,
    station_id: int,
    message_id: str,
    response: dict[str, Any] | None = None,
    error: str = "",
    now: datetime,
) -> Command | None:
    """Take in the answer to `message_id`: a CALLRESULT's payload, or what failed. None: no such question is open.

    The answer is stored masked; whoever wants to act on it is told by a COMMAND_ANSWERED event.
    """
    command = _answerable(station_id).filter(message_id=message_id).select_related("station").first()
    if command is None:
        return None
    if response is not None and not error:
        error = _schema_error(command, response)
    state = _state_of(response, error)
    response = masking.mask_payload(command.action, response) if response is not None else None
    changed = (
        _answerable(station_id)
        .filter(pk=command.pk)
        .update(state=state, response=response, error=error, answered_at=now)
    )
    if not changed:
        return None
    command.state, command.response, command.error, command.answered_at = state, response, error, now
    _record(command, events.Kind.COMMAND_ANSWERED, now)
    return command


def lose(station_id: int, *, now: datetime) -> None:
    """The socket that a command went out on is gone: its outcome is unknown."""
    _give_up(Command.objects.filter(station_id=station_id, state=State.SENT), State.UNKNOWN, now)


def expire(now: datetime) -> int:
    """Give up on what was never sent in time (expired) and on what was not answered in time (unknown)."""
    overdue = now - timedelta(seconds=settings.OCPP_CALL_TIMEOUT_S)
    lost = _give_up(Command.objects.filter(state=State.SENT, sent_at__lte=overdue), State.UNKNOWN, now)
    return lost + _give_up(
        Command.objects.filter(state=State.QUEUED, expires_at__lte=now), State.EXPIRED, now
    )


def _answerable(station_id: int) -> QuerySet[Command]:
    return Command.objects.filter(station_id=station_id, state__in=(State.SENT, State.UNKNOWN))


def _schema_error(command: Command, response: dict[str, Any]) -> str:
    """Empty, or why the answer cannot be taken at its word. An answer against its schema is not an answer."""
    try:
        validation.check_response(command.station.ocpp_version, command.action, response)
    except validation.SchemaViolation as violation:
        return f"{violation.code}: {violation}"
    return ""


def _state_of(response: dict[str, Any] | None, error: str) -> str:
    if error or response is None:
        return State.FAILED
    return State.REFUSED if response.get("status") in REFUSALS else State.ACCEPTED


def _give_up(rows: QuerySet[Command], state: str, now: datetime) -> int:
    given_up = 0
    with transaction.atomic():
        for command in rows.select_related("station"):
            still = Command.objects.filter(pk=command.pk, state=command.state)
            if still.update(state=state, answered_at=now if state == State.EXPIRED else None):
                command.state = state
                _forget_secrets(command)
                _record(command, events.Kind.COMMAND_LOST, now)
                nudge_gateways([command.station_id])
                given_up += 1
    return given_up


def _record(command: Command, kind: str, now: datetime) -> None:
    data = {"command": command.pk, "action": command.action, "state": str(command.state)}
    events.record(station_id=command.station_id, kind=kind, at=now, now=now, data=data)
