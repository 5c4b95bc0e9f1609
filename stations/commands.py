"""The life of a command: request, claim, complete, lose, expire. The only writer of Command.

queued -> sent -> accepted | refused | failed | unknown, or queued -> expired | cancelled. A time-out is unknown, not a
refusal (rule 4); an answer that comes after it still counts.

A row never shows a token, password or key: its payload is masked from the start, and the whole of it is sealed beside
it until it leaves for the station.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import orjson
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Min, Q
from django.db.models.query import QuerySet

from stations import events, objections
from stations.models import Command, Station
from stations.nudges import nudge_gateways, nudge_pages
from stations.ocpp import bounds, directions, masking, validation
from stations.sealing import Unsealable, seal, unseal

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
        "NotEnabled",
        # 2.x: certificates, firmware, messages, tariffs, priority
        "InvalidCertificate",
        "RevokedCertificate",
        "NotSupportedMessageFormat",
        "NotSupportedPriority",
        "NotSupportedState",
        "LanguageNotSupported",
        "UnknownTransaction",
        "TxNotFound",
        "TooManyElements",
        "ConditionNotSupported",
        "NoCurrencyChange",
        "NoProfile",
    }
)
# Asking these again changes nothing at the station; a lost one is simply repeated (rule 4).
READS = frozenset(
    {
        "GetBaseReport",
        "GetChargingProfiles",
        "GetCompositeSchedule",
        "GetConfiguration",
        "GetDERControl",
        "GetDisplayMessages",
        "GetInstalledCertificateIds",
        "GetLocalListVersion",
        "GetMonitoringReport",
        "GetPeriodicEventStream",
        "GetReport",
        "GetTariffs",
        "GetTransactionStatus",
        "GetVariables",
        "ExtendedTriggerMessage",
        "TriggerMessage",
    }
)
# What a driver or a street notices at once, or what cannot be taken back: a person confirms it (rule 4).
CONSEQUENTIAL = frozenset(
    {
        "ChangeAvailability",
        "ClearCache",
        "DeleteCertificate",
        "PublishFirmware",
        "RemoteStartTransaction",
        "RemoteStopTransaction",
        "RequestBatterySwap",
        "RequestStartTransaction",
        "RequestStopTransaction",
        "Reset",
        "SetNetworkProfile",
        "SignedUpdateFirmware",
        "UnlockConnector",
        "UpdateFirmware",
    }
)
MAX_CLAIMED = 2000
# A person waits for these; what was not sent by then is not wanted any more (rule 4: never repeated by itself).
PATIENCE_S = 60.0
# Spelled out: SQLite takes a partial index only where its condition stands in the query itself, not in a parameter.
# Each gateway asks twice a second, and the table keeps all that was ever sent.
_IS_OPEN = ["stations_command.state IN ('queued', 'sent')"]
_IS_SENT = ["stations_command.state = 'sent'"]


def request(
    *,
    station: Station,
    action: str,
    payload: dict[str, Any],
    origin: str = "",
    requested_by: Any = None,
    now: datetime,
    expires_in_s: float = 300,
    check: bool = False,
) -> Command:
    """Ask `station` for `action`; commands of a station go out in order, one at a time.

    Raises validation.UnknownAction (directions.WrongDirection where only a station asks it) or
    validation.SchemaViolation, which names the field: nothing is queued that the station's version does not know.
    `check`: also raises objections.Objected, where an app above knows a rule that it
    breaks; for who writes the payload by hand.
    """
    if check:
        _check(station, action, payload)
        objections.heed(station, action, payload, now=now)
    return request_all(
        stations=[station],
        action=action,
        payload=payload,
        origin=origin,
        requested_by=requested_by,
        now=now,
        expires_in_s=expires_in_s,
    )[0]


def ask(
    station: Station,
    action: str,
    payload: dict[str, Any],
    requested_by: Any,
    now: datetime,
    *,
    origin: str = "person",
    patience_s: float = PATIENCE_S,
) -> Command:
    """`request` in the order in which services of people say it; somebody waits for it."""
    return request(
        station=station,
        action=action,
        payload=payload,
        origin=origin,
        requested_by=requested_by,
        now=now,
        expires_in_s=patience_s,
    )


@transaction.atomic
def request_all(
    *,
    stations: Sequence[Station],
    action: str,
    payload: dict[str, Any],
    origin: str = "",
    requested_by: Any = None,
    now: datetime,
    expires_in_s: float = 300,
) -> list[Command]:
    """Ask many stations the same; all or none. Raises as `request` does: the payload is checked once a version."""
    for station in {station.ocpp_version: station for station in stations}.values():
        _check(station, action, payload)
    masked, sealed = _masked_and_sealed(action, payload)
    queued = Command.objects.bulk_create(
        Command(
            station=station,
            action=action,
            payload=masked,
            sealed_payload=sealed,
            message_id=str(uuid4()),
            origin=origin,
            requested_by=requested_by,
            requested_at=now,
            expires_at=now + timedelta(seconds=expires_in_s),
        )
        for station in stations
    )
    station_ids = [station.pk for station in stations]
    nudge_gateways(station_ids)
    nudge_pages(station_ids)
    return queued


def _check(station: Station, action: str, payload: dict[str, Any]) -> None:
    """One command that cannot be written down would keep all others of its claim from their stations."""
    directions.check_to_station(station.ocpp_version, action)
    try:
        validation.check_request(station.ocpp_version, action, payload)
    except ValueError as error:  # jsonschema-rs, where it is to say what is wrong some 250 levels down
        if isinstance(error, validation.SchemaViolation):
            raise
        raise validation.SchemaViolation("", "nested too deep to be read", "FormatViolation") from None
    field, problem = bounds.unsayable(payload)
    if problem:
        raise validation.SchemaViolation(field, problem, "PropertyConstraintViolation")


def _masked_and_sealed(action: str, payload: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """What the row shows; and the whole sealed, "" where nothing in it is to be hidden, which is nearly always."""
    text = orjson.dumps(payload).decode()
    if masking.mask_text(text, action) is text:  # a tenth of the time of looking at each leaf
        return payload, ""
    masked = masking.mask_payload(action, payload)
    return (masked, seal(text)) if masked != payload else (payload, "")


def _whole(command: Command) -> dict[str, Any]:
    """The payload as it was asked, for who may still need it. Raises Unsealable."""
    if not command.sealed_payload:
        payload: dict[str, Any] = command.payload
        return payload
    whole: dict[str, Any] = orjson.loads(unseal(command.sealed_payload))
    return whole


def cancel(command: Command, *, now: datetime) -> bool:
    """Take back what was not sent yet. False: too late."""
    queued = Command.objects.filter(pk=command.pk, state=State.QUEUED)
    with transaction.atomic():
        cancelled = bool(queued.update(state=State.CANCELLED, answered_at=now, sealed_payload=""))
        if cancelled:
            nudge_pages([command.station_id])
    return cancelled


def withdraw_unsayable(station: Station, *, now: datetime) -> int:
    """The station speaks another version now: take back what waits for it in words that this version does not have.

    Who asked is told by a COMMAND_LOST event, and may ask again. Returns how many.
    """
    withdrawn = 0
    for command in Command.objects.filter(station=station, state=State.QUEUED):
        try:
            _check(station, command.action, _whole(command))
        except (validation.UnknownAction, validation.SchemaViolation, Unsealable) as problem:
            queued = Command.objects.filter(pk=command.pk, state=State.QUEUED)
            error = f"made for another version than OCPP {station.ocpp_version}: {problem}"
            if queued.update(
                state=State.CANCELLED,
                answered_at=now,
                sealed_payload="",
                error=masking.mask_description(error)[:500],
            ):
                command.state = State.CANCELLED
                _record(command, events.Kind.COMMAND_LOST, now)
                withdrawn += 1
    return withdrawn


def waiting(station_ids: Iterable[int] | None = None) -> set[int]:
    """Stations with a command to send and none outstanding; `station_ids` narrows the look."""
    rows = Command.objects.extra(where=_IS_OPEN)  # noqa: S610 - a text of ours
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
    Command.objects.filter(pk__in=ids, state=State.QUEUED).update(
        state=State.SENT, sent_at=now, sealed_payload=""
    )
    if rows:
        nudge_pages([row.station_id for row in rows])
    return [row for row in rows if _opened(row, now)]


def _opened(command: Command, now: datetime) -> bool:
    """The command with what it brings, for the one frame that is made of it; False: it cannot be opened, and failed."""
    command.state, command.sent_at = State.SENT, now
    try:
        command.payload = _whole(command)
    except Unsealable as problem:
        # SECRET_KEY was changed while it waited: it alone fails, the others of this claim go out.
        complete(
            station_id=command.station_id,
            message_id=command.message_id,
            error=f"InternalError: {problem}",
            now=now,
        )
        return False
    command.sealed_payload = ""
    return True


class Answer(NamedTuple):
    """What a station said to `message_id`: a CALLRESULT's payload, or what failed."""

    station_id: int
    message_id: str
    response: dict[str, Any] | None
    error: str
    now: datetime


def complete(
    *,
    station_id: int,
    message_id: str,
    response: dict[str, Any] | None = None,
    error: str = "",
    now: datetime,
) -> Command | None:
    """Take in one answer: see `complete_all`."""
    return complete_all([Answer(station_id, message_id, response, error, now)])[0]


@transaction.atomic
def complete_all(answers: Sequence[Answer]) -> list[Command | None]:
    """Take in answers, in their order. None: no such question is open, or another answer to it came before.

    An answer is stored masked; whoever wants to act on it is told by a COMMAND_ANSWERED event.
    """
    # Held until they are written: what gives up on a command at this moment is too late, or is passed over here.
    open_ = (
        Command.objects.select_for_update(of=("self",))
        .filter(state__in=(State.SENT, State.UNKNOWN), message_id__in=[each.message_id for each in answers])
        .select_related("station")
    )
    asked = {(command.station_id, command.message_id): command for command in open_}
    completed = [_completed(asked.pop((each.station_id, each.message_id), None), each) for each in answers]
    _write_answers([command for command in completed if command])
    events.record_all(
        _event(command, events.Kind.COMMAND_ANSWERED, answer.now)
        for command, answer in zip(completed, answers, strict=True)
        if command
    )
    return completed


def _completed(command: Command | None, answer: Answer) -> Command | None:
    if command is None:
        return None
    response, error = answer.response, answer.error
    if response is not None and not error:
        error = _schema_error(command, response)
    command.state = _state_of(command.action, response, error)
    command.response = masking.mask_payload(command.action, response) if response is not None else None
    command.error, command.answered_at = error, answer.now
    return command


def _write_answers(answered: Sequence[Command]) -> None:
    """By the driver, one statement for all: bulk_update's CASE takes ten times as long for a fleet."""
    if not answered:
        return
    known = {field.name: field for field in Command._meta.concrete_fields}  # noqa: SLF001 - Django's own name
    fields = [known[name] for name in ("state", "response", "error", "answered_at", "id")]
    rows = [
        [field.get_db_prep_save(getattr(command, field.attname), connection) for field in fields]
        for command in answered
    ]
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE stations_command SET state = %s, response = %s, error = %s, answered_at = %s WHERE id = %s",
            rows,
        )


def lose(station_ids: Iterable[int], *, now: datetime) -> None:
    """The sockets that commands went out on are gone: their outcome is unknown."""
    _give_up(Command.objects.filter(station_id__in=list(station_ids), state=State.SENT), State.UNKNOWN, now)


def give_up_overdue(station_ids: Iterable[int], *, now: datetime) -> int:
    """Of these stations: what was sent and not answered in time is unknown. The gateway that sent it asks for this."""
    overdue = now - timedelta(seconds=settings.OCPP_CALL_TIMEOUT_S)
    sent = Command.objects.filter(station_id__in=list(station_ids), state=State.SENT, sent_at__lte=overdue)
    return _give_up(sent, State.UNKNOWN, now)


def expire(now: datetime) -> int:
    """Give up on what was never sent in time (expired) and on what was not answered in time (unknown)."""
    overdue = now - timedelta(seconds=settings.OCPP_CALL_TIMEOUT_S)
    sent = Command.objects.extra(where=_IS_SENT).filter(state=State.SENT, sent_at__lte=overdue)  # noqa: S610
    queued = Command.objects.extra(where=_IS_OPEN).filter(state=State.QUEUED, expires_at__lte=now)  # noqa: S610
    return _give_up(sent, State.UNKNOWN, now) + _give_up(queued, State.EXPIRED, now)


def _schema_error(command: Command, response: dict[str, Any]) -> str:
    """Empty, or why the answer cannot be taken at its word. An answer against its schema is not an answer."""
    try:
        validation.check_response(command.station.ocpp_version, command.action, response)
    except validation.SchemaViolation as violation:
        return f"{violation.code}: {violation}"
    return ""


def _state_of(action: str, response: dict[str, Any] | None, error: str) -> str:
    if error or response is None:
        return State.FAILED
    return State.REFUSED if _is_refusal(action, response.get("status")) else State.ACCEPTED


def _is_refusal(action: str, status: Any) -> bool:
    """NotFound is a refusal for who wants a thing away; for who asks what there is, it is the answer."""
    return status in REFUSALS or (status == "NotFound" and action not in READS)


def _give_up(rows: QuerySet[Command], state: str, now: datetime) -> int:
    found = list(rows.values_list("pk", flat=True))
    if not found:
        return 0
    with transaction.atomic():
        # Asked again and held: what was answered in between is not given up.
        given_up = list(rows.select_for_update(of=("self",)).filter(pk__in=found))
        ended_at = now if state == State.EXPIRED else None
        Command.objects.filter(pk__in=[command.pk for command in given_up]).update(
            state=state, answered_at=ended_at, sealed_payload=""
        )
        for command in given_up:
            command.state = state
        events.record_all(_event(command, events.Kind.COMMAND_LOST, now) for command in given_up)
        if given_up:
            nudge_gateways([command.station_id for command in given_up])
    return len(given_up)


def _record(command: Command, kind: str, now: datetime) -> None:
    events.record_all([_event(command, kind, now)])


def _event(command: Command, kind: str, now: datetime) -> events.Happening:
    data = {"command": command.pk, "action": command.action, "state": str(command.state)}
    return events.Happening(command.station_id, kind, now, now, data)
