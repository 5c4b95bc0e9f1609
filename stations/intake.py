"""What the writer does for a frame: log it, handle it, answer it; all in one transaction.

Each function here returns a piece of work, which runs in the writer's thread and gives (answer or None, look): the
text to send back once it is durable, and whether the station has become free for its next command.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Protocol

from django.conf import settings

from stations import commands, events, handlers
from stations.models import Frame, Station
from stations.ocpp import masking, rpc, validation

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


def claim(station_ids: Iterable[int], now: datetime) -> list[tuple[int, str]]:
    """Claim the next command of each station: (station id, frame), logged as sent."""
    claimed = commands.claim(station_ids, now=now)
    frames = [
        (command, rpc.call_text(command.message_id, command.action, command.payload)) for command in claimed
    ]
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


def _answer_call(peer: Peer, call: rpc.Call, text: str, now: datetime) -> Answer:
    kind, answer = Frame.Kind.RESULT, ""
    try:
        answer = rpc.result_text(call.message_id, _handled(peer, call, now))
    except rpc.CallFailed as failed:
        kind, answer = Frame.Kind.ERROR, rpc.error_text(call.message_id, failed, peer.version)
        _record_bad_frame(peer, failed, now)
    _log(peer, In, Frame.Kind.CALL, action=call.action, message_id=call.message_id, text=text, now=now)
    _log(peer, Out, kind, action=call.action, message_id=call.message_id, text=answer, now=now)
    return answer, False


def _handled(peer: Peer, call: rpc.Call, now: datetime) -> dict[str, object]:
    try:
        validation.check_request(peer.version, call.action, call.payload)
    except validation.UnknownAction as unknown:
        raise rpc.CallFailed("NotImplemented", str(unknown)) from None
    except validation.SchemaViolation as violation:
        raise rpc.CallFailed(violation.code, str(violation), {"field": violation.field}) from None
    station = Station.objects.get(pk=peer.station_id)
    return handlers.handle(station, peer.version, call.action, call.payload, now=now)


def _take_answer(peer: Peer, frame: rpc.CallResult | rpc.CallError, text: str, now: datetime) -> Answer:
    if isinstance(frame, rpc.CallResult):
        kind, response, error = Frame.Kind.RESULT, frame.payload, ""
    else:
        kind, response, error = Frame.Kind.ERROR, None, f"{frame.code}: {frame.description}"[:500]
    command = commands.complete(
        station_id=peer.station_id, message_id=frame.message_id, response=response, error=error, now=now
    )
    action = command.action if command else ""
    _log(peer, In, kind, action=action, message_id=frame.message_id, text=text, now=now)
    if command is None:
        unasked = rpc.CallFailed("ProtocolError", f"an answer to no open question: {frame.message_id}")
        _record_bad_frame(peer, unasked, now)
    else:
        handlers.on_answer(command, now=now)
    return None, command is not None


def _refuse(peer: Peer, broken: rpc.BrokenFrame, text: str, now: datetime) -> Answer:
    _record_bad_frame(peer, broken, now)
    _log(peer, In, Frame.Kind.BROKEN, action="", message_id=broken.message_id, text=text, now=now)
    if not broken.answerable:
        return None, False
    answer = rpc.error_text(broken.message_id, broken, peer.version)
    _log(peer, Out, Frame.Kind.ERROR, action="", message_id=broken.message_id, text=answer, now=now)
    return answer, False


def _record_bad_frame(peer: Peer, failed: rpc.CallFailed, now: datetime) -> None:
    data = {"code": rpc.spelled(failed.code, peer.version), "description": failed.description}
    events.record(station_id=peer.station_id, kind=events.Kind.BAD_FRAME, at=now, now=now, data=data)


def _log(
    peer: Peer, direction: str, kind: str, *, action: str, message_id: str, text: str, now: datetime
) -> None:
    """Write the frame down, masked. A NUL, which PostgreSQL's text does not take, is shown as what it is."""
    shown = masking.mask_text(text, action)[: settings.OCPP_MAX_FRAME_BYTES].replace("\x00", "\\u0000")
    Frame.objects.create(
        station_id=peer.station_id,
        at=now,
        direction=direction,
        kind=kind,
        action=action[:50],
        message_id=message_id[:36],
        text=shown,
    )
