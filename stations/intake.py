"""What the writer does for a frame: log it, handle it, answer it; all in one transaction.

Each function here returns a piece of work, which runs in the writer's thread and gives (answer or None, look): the
text to send back once it is durable, and whether the station has become free for its next command.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction

from stations import commands, events, handlers, presence
from stations.models import Command, Frame, Station
from stations.ocpp import bounds, masking, rpc, validation

logger = logging.getLogger(__name__)

Answer = tuple[str | None, bool]
In, Out = Frame.Direction.IN, Frame.Direction.OUT


class Peer(Protocol):
    """Who a frame came from."""

    station_id: int
    identity: str
    version: str


def work_of(
    peer: Peer, frame: rpc.Call | rpc.CallResult | rpc.CallError, text: str, now: datetime
) -> Callable[[], Answer]:
    """The work for a frame that could be read."""
    if isinstance(frame, rpc.Call):
        return lambda: _answer_call(peer, frame, text, now)
    return lambda: _take_answer(peer, frame, text, now)


def refusal_of(peer: Peer, broken: rpc.BrokenFrame, text: str, now: datetime) -> Callable[[], Answer]:
    """The work for a text that is not a frame: an event, and a CALLERROR where the standard asks for one."""
    return lambda: _refuse(peer, broken, text, now)


def claim(held: dict[int, UUID], now: datetime) -> list[tuple[int, str]]:
    """Claim the next command of each station: (station id, frame), logged as sent.

    `held`: the connection on which this process holds each station. Where another process has the lease by now, the
    socket here is dead without knowing it, and a command sent to it would be lost.
    """
    claimed = commands.claim(presence.owned(held), now=now)
    frames = [(command, text) for command in claimed if (text := _text_of(command, now))]
    Frame.objects.bulk_create(
        Frame(
            station_id=command.station_id,
            at=now,
            direction=Out,
            kind=Frame.Kind.CALL,
            action=command.action,
            message_id=command.message_id,
            text=masking.mask_text(text, command.action),
        )
        for command, text in frames
    )
    return [(command.station_id, text) for command, text in frames]


def _text_of(command: Command, now: datetime) -> str:
    """The frame; empty where it cannot be written: that command has failed, and the others of its claim go out."""
    try:
        return rpc.call_text(command.message_id, command.action, command.payload)
    except TypeError as error:
        logger.warning("Command %d cannot be written: %s", command.pk, error)
        commands.complete(
            station_id=command.station_id,
            message_id=command.message_id,
            error=f"FormatViolation: {error}"[:500],
            now=now,
        )
        return ""


def _answer_call(peer: Peer, call: rpc.Call, text: str, now: datetime) -> Answer:
    kind, answer = Frame.Kind.RESULT, ""
    try:
        # A savepoint: what a handler wrote before it gave up is undone, and the frame log is not.
        with transaction.atomic():
            answer = rpc.result_text(call.message_id, _reply(peer, call, now))
    except rpc.CallFailed as failed:
        kind, answer = Frame.Kind.ERROR, rpc.error_text(call.message_id, failed, peer.version)
        _record_bad_frame(peer, failed, now)
    _log(peer, In, Frame.Kind.CALL, action=call.action, message_id=call.message_id, text=text, now=now)
    _log(peer, Out, kind, action=call.action, message_id=call.message_id, text=answer, now=now)
    return answer, False


def _reply(peer: Peer, call: rpc.Call, now: datetime) -> dict[str, Any]:
    """The payload of the CALLRESULT. Raises CallFailed; a bug of ours is one too, or the station would wait in vain."""
    try:
        _check(peer, call)
        station = Station.objects.get(pk=peer.station_id)
        return handlers.handle(station, peer.version, call.action, call.payload, now=now)
    except (rpc.CallFailed, OperationalError, InterfaceError):
        raise
    except RecursionError:
        raise rpc.CallFailed("FormatViolation", "nested too deep to be read") from None
    except Exception:
        logger.exception("%s: %s could not be handled", peer.identity, call.action)
        raise rpc.CallFailed("InternalError", "the message could not be handled") from None


def _check(peer: Peer, call: rpc.Call) -> None:
    try:
        validation.check_request(peer.version, call.action, call.payload)
    except validation.UnknownAction as unknown:
        raise rpc.CallFailed("NotImplemented", str(unknown)) from None
    except validation.SchemaViolation as violation:
        raise rpc.CallFailed(violation.code, str(violation), {"field": violation.field}) from None
    except ValueError:  # jsonschema-rs, where it is to say what is wrong some 250 levels down
        raise rpc.CallFailed("FormatViolation", "nested too deep to be read") from None
    field = bounds.impossible_number(call.payload)
    if field:
        problem = f"{field}: a number that is not possible here"
        raise rpc.CallFailed("PropertyConstraintViolation", problem, {"field": field})


def _take_answer(peer: Peer, frame: rpc.CallResult | rpc.CallError, text: str, now: datetime) -> Answer:
    message_id = _storable(frame.message_id)
    response, error = _answer_of(frame, text)
    command = commands.complete(
        station_id=peer.station_id, message_id=message_id, response=response, error=error, now=now
    )
    kind = Frame.Kind.RESULT if isinstance(frame, rpc.CallResult) else Frame.Kind.ERROR
    action = command.action if command else ""
    _log(peer, In, kind, action=action, message_id=message_id, text=text, now=now)
    if command is None:
        unasked = rpc.CallFailed("ProtocolError", f"an answer to no open question: {message_id}")
        _record_bad_frame(peer, unasked, now)
    else:
        handlers.on_answer(command, now=now)
    return None, command is not None


def _answer_of(frame: rpc.CallResult | rpc.CallError, text: str) -> tuple[dict[str, Any] | None, str]:
    """What was answered, or what went wrong."""
    if isinstance(frame, rpc.CallError):
        return None, _storable(masking.mask_description(f"{frame.code}: {frame.description}"[:500]))
    if "\\u0000" in text or "\x00" in text:
        return None, "PropertyConstraintViolation: a text holds a NUL character"
    return frame.payload, ""


def _refuse(peer: Peer, broken: rpc.BrokenFrame, text: str, now: datetime) -> Answer:
    _record_bad_frame(peer, broken, now)
    _log(peer, In, Frame.Kind.BROKEN, action="", message_id=broken.message_id, text=text, now=now)
    if not broken.answerable:
        return None, False
    answer = rpc.error_text(broken.message_id, broken, peer.version)
    _log(peer, Out, Frame.Kind.ERROR, action="", message_id=broken.message_id, text=answer, now=now)
    return answer, False


def _record_bad_frame(peer: Peer, failed: rpc.CallFailed, now: datetime) -> None:
    # A schema's words quote the value that it refuses, be it a token or a NUL.
    description = _storable(masking.mask_description(failed.description))
    data = {"code": rpc.spelled(failed.code, peer.version), "description": description}
    events.record(station_id=peer.station_id, kind=events.Kind.BAD_FRAME, at=now, now=now, data=data)


def _log(
    peer: Peer, direction: str, kind: str, *, action: str, message_id: str, text: str, now: datetime
) -> None:
    """Write the frame down, masked."""
    Frame.objects.create(
        station_id=peer.station_id,
        at=now,
        direction=direction,
        kind=kind,
        action=_storable(action)[:50],
        message_id=_storable(message_id)[:36],
        text=_storable(masking.mask_text(text, action)[: settings.OCPP_MAX_FRAME_BYTES]),
    )


def _storable(text: str) -> str:
    """A NUL, which PostgreSQL's text does not take, is shown as what it is."""
    return text.replace("\x00", "\\u0000")
