"""What the writer does for a frame: log it, handle it, answer it; all in one transaction.

Each function here returns a piece of work, which runs in the writer's thread and gives (answer or None, look): the
text to send back once it is durable, and whether the station has become free for its next command.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction

from stations import commands, events, handlers, presence
from stations.models import Command, Frame, Station
from stations.ocpp import bounds, masking, rpc, validation

logger = logging.getLogger(__name__)

Answer = tuple[str | None, bool]
In, Out = Frame.Direction.IN, Frame.Direction.OUT
# A station says at once that it could not read an answer.
UNREAD_WITHIN = timedelta(minutes=10)


class Peer(Protocol):
    """Who a frame came from."""

    station_id: int
    identity: str
    version: str


class Claimed(NamedTuple):
    """Frames to send, as (station id, message id, text); and the sockets here whose lease is gone, with the reason."""

    frames: list[tuple[int, str, str]]
    lost: dict[int, str]


class Called(NamedTuple):
    """A CALL of a station; `received_s` is of the monotonic clock."""

    peer: Peer
    call: rpc.Call
    text: str
    now: datetime
    received_s: float


class Answered(NamedTuple):
    """A frame that answers a question of ours."""

    peer: Peer
    frame: rpc.CallResult | rpc.CallError
    text: str
    now: datetime


def work_of(
    peer: Peer, frame: rpc.Send | rpc.CallResultError, text: str, now: datetime
) -> Callable[[], Answer]:
    """The work for a frame that asks and answers nothing: for those, see `take_calls` and `take_answers`."""
    if peer.version != "2.1":
        return refusal_of(peer, rpc.only_of_21(frame), text, now)
    if isinstance(frame, rpc.Send):
        return lambda: _take_sent(peer, frame, text, now)
    return lambda: _note_unread(peer, frame, text, now)


def refusal_of(peer: Peer, broken: rpc.BrokenFrame, text: str, now: datetime) -> Callable[[], Answer]:
    """The work for a text that is not a frame: an event, and a CALLERROR where the standard asks for one."""
    return lambda: _refuse(peer, broken, text, now)


def record_flood(peer: Peer, flooding_s: int, now: datetime) -> None:
    """The station was shown out: it sent more frames than are allowed, second after second."""
    data = {"frames_per_s": settings.OCPP_MAX_FRAMES_PER_S, "seconds": flooding_s}
    events.record(station_id=peer.station_id, kind=events.Kind.FLOODED, at=now, now=now, data=data)


def record_left_out(peer: Peer, left_out: int, now: datetime) -> None:
    """Broken frames that were counted instead of kept: one line in the log and one event stand for them all."""
    text = f"({left_out} further frames could not be read; counted, not kept)"
    code = rpc.spelled("FormatViolation", peer.version)
    data = {"code": code, "description": text, "left_out": left_out}
    events.record(station_id=peer.station_id, kind=events.Kind.BAD_FRAME, at=now, now=now, data=data)
    _log(peer, In, Frame.Kind.BROKEN, action="", message_id="", text=text, now=now)


def claim(held: dict[int, UUID], now: datetime) -> Claimed:
    """Claim the next command of each station, logged as sent.

    `held`: the connection on which this process holds each station. Where another process has the lease by now, the
    socket here is dead without knowing it, and a command sent to it would be lost.
    """
    owned, lost = presence.sort_out(held)
    claimed = commands.claim(owned, now=now)
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
    return Claimed([(command.station_id, command.message_id, text) for command, text in frames], lost)


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


def take_calls(calls: Sequence[Called]) -> list[Answer]:
    """What stations ask, at most one CALL of each: their rows are read once for all, and the frames written so.

    One that cannot be answered fails alone.
    """
    stations = Station.objects.in_bulk([called.peer.station_id for called in calls])
    answered = [_answer_call(called, stations) for called in calls]
    Frame.objects.bulk_create(frame for _, frames in answered for frame in frames)
    return [(answer, False) for answer, _ in answered]


def _answer_call(called: Called, stations: Mapping[int, Station]) -> tuple[str, list[Frame]]:
    """The answer; and question and answer as they are to be written down."""
    peer, call, text, now, received_s = called
    kind, answer = Frame.Kind.RESULT, ""
    try:
        # A savepoint: what a handler wrote before it gave up is undone, and the frame log is not.
        with transaction.atomic():
            answer = rpc.result_text(call.message_id, _reply(peer, call, stations, now))
    except rpc.CallFailed as failed:
        kind, answer = Frame.Kind.ERROR, rpc.error_text(call.message_id, failed, peer.version)
        _record_bad_frame(peer, failed, now)
    # How long the station waited for it, but for the commit.
    made = now + timedelta(seconds=time.monotonic() - received_s)
    about = {"action": call.action, "message_id": call.message_id}
    question = _frame(peer, In, Frame.Kind.CALL, **about, text=text, now=now)
    return answer, [question, _frame(peer, Out, kind, **about, text=answer, now=made)]


def _reply(peer: Peer, call: rpc.Call, stations: Mapping[int, Station], now: datetime) -> dict[str, Any]:
    """The payload of the CALLRESULT. Raises CallFailed."""
    with _named(peer, call):
        _check(peer, call)
        station = stations[peer.station_id]
        return handlers.handle(station, peer.version, call.action, call.payload, now=now)


@contextmanager
def _named(peer: Peer, frame: rpc.Call | rpc.Send) -> Iterator[None]:
    """What goes wrong has a code: a bug of ours has one too, or the station would wait in vain."""
    try:
        yield
    except (rpc.CallFailed, OperationalError, InterfaceError):
        raise
    except RecursionError:
        raise rpc.CallFailed("FormatViolation", "nested too deep to be read") from None
    except Exception:
        logger.exception("%s: %s could not be handled", peer.identity, frame.action)
        raise rpc.CallFailed("InternalError", "the message could not be handled") from None


def _take_sent(peer: Peer, send: rpc.Send, text: str, now: datetime) -> Answer:
    """A SEND (2.1): whatever is wrong with it, nobody waits to hear it; the event says it."""
    try:
        with transaction.atomic(), _named(peer, send):
            _check(peer, send)
            handlers.take_in(Station.objects.get(pk=peer.station_id), send.action, send.payload, now=now)
    except rpc.CallFailed as failed:
        _record_bad_frame(peer, failed, now)
    _log(peer, In, Frame.Kind.CALL, action=send.action, message_id=send.message_id, text=text, now=now)
    return None, False


def _note_unread(peer: Peer, error: rpc.CallResultError, text: str, now: datetime) -> Answer:
    """A CALLRESULTERROR (2.1): which answer of ours it was is in the frame log."""
    message_id = _storable(error.message_id)
    answers = Frame.objects.filter(
        station_id=peer.station_id, direction=Out, message_id=message_id, at__gte=now - UNREAD_WITHIN
    )
    action = answers.order_by("-at").values_list("action", flat=True).first() or ""
    data = {
        "action": action,
        "code": _storable(masking.mask_description(error.code[:50])),
        "description": _storable(masking.mask_description(error.description[:255])),
    }
    events.record(station_id=peer.station_id, kind=events.Kind.ANSWER_UNREAD, at=now, now=now, data=data)
    _log(peer, In, Frame.Kind.ERROR, action=action, message_id=message_id, text=text, now=now)
    return None, False


def _check(peer: Peer, call: rpc.Call | rpc.Send) -> None:
    try:
        if isinstance(call, rpc.Send):
            validation.check_sent(peer.version, call.action, call.payload)
        else:
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


def take_answers(answers: Sequence[Answered]) -> list[Answer]:
    """What stations answered, of many of them in a few statements: a whole fleet answers within the same second."""
    told = [_answer_told(*answered) for answered in answers]
    completed = commands.complete_all(told)
    Frame.objects.bulk_create(
        _frame(
            answered.peer,
            In,
            Frame.Kind.RESULT if isinstance(answered.frame, rpc.CallResult) else Frame.Kind.ERROR,
            action=command.action if command else "",
            message_id=answer.message_id,
            text=answered.text,
            now=answer.now,
        )
        for answered, answer, command in zip(answers, told, completed, strict=True)
    )
    for answered, answer, command in zip(answers, told, completed, strict=True):
        if command is None:
            unasked = rpc.CallFailed("ProtocolError", f"an answer to no open question: {answer.message_id}")
            _record_bad_frame(answered.peer, unasked, answer.now)
        else:
            handlers.on_answer(command, now=answer.now)
    return [(None, command is not None) for command in completed]


def _answer_told(
    peer: Peer, frame: rpc.CallResult | rpc.CallError, text: str, now: datetime
) -> commands.Answer:
    response, error = _answer_of(frame, text)
    return commands.Answer(peer.station_id, _storable(frame.message_id), response, error, now)


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
    """Write the frame down."""
    _frame(peer, direction, kind, action=action, message_id=message_id, text=text, now=now).save(
        force_insert=True
    )


def _frame(
    peer: Peer, direction: str, kind: str, *, action: str, message_id: str, text: str, now: datetime
) -> Frame:
    """The row of a frame, masked."""
    return Frame(
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
