"""The socket of a station: authenticate, accept, hand frames over. No business, and no waiting for an answer."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, NamedTuple

from channels.consumer import AsyncConsumer
from django.db import InterfaceError, OperationalError, close_old_connections

from stations import admitting, events, presence
from stations.admission import Caller, Doors, Refused, caller_of, is_worth_an_event, note_right, note_wrong
from stations.admitting import Admitted, NeedsSlowHash
from stations.gateway import gateway
from stations.gathering import Job
from stations.models import Station
from stations.sending import Connection, Send

logger = logging.getLogger(__name__)

# Best first. OCPP-J 1.6, 3.1.2: the server chooses from what the station offers.
SUBPROTOCOLS = {"ocpp2.1": "2.1", "ocpp2.0.1": "2.0.1", "ocpp1.6": "1.6"}
# Of these the server says no more. 1005 is all that it knows of a line that was cut, or that answered no ping.
CLOSE_REASONS = {
    1005: "without a word: closed, cut, or silent to pings",
    1009: "a frame was larger than is allowed",
}

# Their own few threads: many stations at once must not take those of the pages, and those with a chosen password
# (a slow hash) not those of the others.
_admission = ThreadPoolExecutor(max_workers=2, thread_name_prefix="admission")
_slow_hashes = ThreadPoolExecutor(max_workers=1, thread_name_prefix="slow-hash")
MAX_SLOW_HASHES = 100  # that wait at once: half a minute of work
_slow_waiting: set[int] = set()
doors = Doors()


class WrongAddress(AsyncConsumer):
    """Whoever connects elsewhere: the mistakes of set-ups, which are to be found by reading the answer."""

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Send) -> None:
        await receive()
        text = "Stations connect to /ocpp/ with their identity behind it and nothing else, as in /ocpp/NL-ABC-0001."
        await _refuse(send, Refused(404, text))


class StationConsumer(AsyncConsumer):
    """Hosted by Channels, but with a loop of its own instead of its dispatch.

    Stock dispatch awaits `aclose_old_connections()` before every message: a hop to the one thread that all share for
    the database, 6,470 messages a second instead of 16,500, and slow database work elsewhere stalls every station.
    This consumer never touches the ORM; the writer and the admission threads look after connections of their own.
    It needs no channel either: a nudge reaches the process, not the station.
    """

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Send) -> None:
        await receive()  # websocket.connect
        caller = caller_of(scope)
        try:
            doors.enter(caller.address)
        except Refused as refused:
            return await _refuse(send, refused)
        try:
            await _serve(scope, caller, receive, send)
        finally:
            doors.leave(caller.address)


async def _serve(scope: dict[str, Any], caller: Caller, receive: Any, send: Send) -> None:
    identity = scope["url_route"]["kwargs"]["identity"]
    try:
        version = _version(scope)
        admitted = await _admit(identity, _password_of(scope["headers"], identity), caller)
    except Refused as refused:
        await _note(refused, identity, caller)
        return await _refuse(send, refused)
    station = admitted.station
    connection = Connection(station.pk, station.identity, version, send)
    try:
        asked = _Asked(connection, admitted, caller.address)
        is_taken = await gateway.done(Job(together=_take_leases, item=asked, station_id=station.pk))
    except (OperationalError, InterfaceError):  # the writer has said so in the log
        return await _refuse(send, _away())
    if not is_taken:
        text = "The password, certificate or registration of this station was changed just now: try again."
        return await _refuse(send, Refused(503, text, retry_after_s=1))
    reason = "gone before it was let in"
    try:
        await send({"type": "websocket.accept", "subprotocol": f"ocpp{version}"})
        gateway.register(connection)
        reason = "the server stopped"
        reason = await _read(connection, receive)
    finally:
        gateway.unregister(connection, reason)


async def _read(connection: Connection, receive: Any) -> str:
    """Hand over frames until the socket closes; returns why it did."""
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            code = message.get("code") or 1005
            said = message.get("reason") or CLOSE_REASONS.get(code, "")
            return f"closed with {code} {said}".strip()
        text = message.get("text")
        if text is None:
            # OCPP-J speaks text; a binary frame is read as what it most likely is.
            text = message["bytes"].decode("utf-8", "replace")
        await gateway.receive(connection, text)


def _version(scope: dict[str, Any]) -> str:
    version = next((v for name, v in SUBPROTOCOLS.items() if name in scope["subprotocols"]), None)
    if version is None:
        names = ", ".join(SUBPROTOCOLS)
        raise Refused(400, f"No common sub-protocol: offer one of {names} in Sec-WebSocket-Protocol.")
    return version


async def _admit(identity: str, password: bytes | None, caller: Caller) -> Admitted:
    """The station, and what it showed. Raises Refused. A third of a second of hashing is done aside, and bounded."""
    loop = asyncio.get_running_loop()
    try:
        return await loop.run_in_executor(_admission, _judge, identity, password, caller)
    except NeedsSlowHash as needs:
        station = needs.station
    if len(_slow_waiting) >= MAX_SLOW_HASHES or station.pk in _slow_waiting:
        raise Refused(503, "Other passwords are being checked: try again.", retry_after_s=5)
    _slow_waiting.add(station.pk)
    try:
        return await loop.run_in_executor(_slow_hashes, _judge_slowly, station, password or b"", caller)
    finally:
        _slow_waiting.discard(station.pk)


def _judge(identity: str, password: bytes | None, caller: Caller) -> Admitted:
    close_old_connections()
    try:
        return _counted(
            lambda: admitting.judge(identity, password, caller, now=datetime.now(UTC)), identity, caller
        )
    except (OperationalError, InterfaceError) as error:
        logger.warning("The database is away, %s is asked to come back: %s", identity, error)
        raise _away() from None


def _away() -> Refused:
    return Refused(503, "The database is away: try again.", retry_after_s=5)


def _judge_slowly(station: Station, password: bytes, caller: Caller) -> Admitted:
    return _counted(lambda: admitting.judge_slowly(station, password, caller), station.identity, caller)


def _counted(judgement: Callable[[], Admitted], identity: str, caller: Caller) -> Admitted:
    """In the thread of the judgement: the next attempt finds it counted."""
    try:
        admitted = judgement()
    except Refused as refused:
        if refused.is_guess:
            note_wrong(identity, caller.address)
        raise
    note_right(identity, caller.address)
    return admitted


async def _note(refused: Refused, identity: str, caller: Caller) -> None:
    """In the log and among the station's events, at the 1st, 10th, 100th, ... time: not one for each attempt."""
    loop = asyncio.get_running_loop()
    reason = refused.reason or str(refused.status)
    count = await loop.run_in_executor(_admission, is_worth_an_event, identity, reason)
    if not count:
        return
    logger.info("%s from %s refused: %d %s", identity, caller.address, refused.status, refused.text)
    if refused.reason:
        data = {"reason": refused.reason, "address": caller.address, "count": count}
        await gateway.run(lambda: _record(identity, data))


def _record(identity: str, data: dict[str, Any]) -> None:
    station = Station.objects.filter(identity=identity).first()
    if station is not None:
        now = datetime.now(UTC)
        events.record(station_id=station.pk, kind=events.Kind.CONNECTION_REFUSED, at=now, now=now, data=data)


def _password_of(headers: list[tuple[bytes, bytes]], identity: str) -> bytes | None:
    """The Basic password as raw bytes (some stations' are not UTF-8), where the user name is the identity."""
    header = next((value for name, value in headers if name == b"authorization"), b"")
    scheme, _, encoded = header.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        decoded = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return None
    # The identity itself may hold a colon (OCPP-J 1.6, 6.2 has the user name equal to it), so it is not split there.
    name = identity.encode() + b":"
    return decoded.removeprefix(name) if decoded.startswith(name) else None


class _Asked(NamedTuple):
    """A station before the door, with what it showed."""

    connection: Connection
    admitted: Admitted
    address: str


def _take_leases(asked: Sequence[_Asked]) -> list[bool]:
    """Of each, in the writer: False where what it was let in by holds no more."""
    now = datetime.now(UTC)
    holds = admitting.who_still_holds([each.admitted for each in asked])
    let_in = [each for each, still in zip(asked, holds, strict=True) if still]
    presence.take(
        [
            presence.Lease(
                each.admitted.station, each.connection.id, gateway.id, each.connection.version, each.address
            )
            for each in let_in
        ],
        now=now,
    )
    admitting.settle([each.admitted for each in let_in], now=now)
    return holds


async def _refuse(send: Send, refused: Refused) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    if refused.status == 401:
        headers.append((b"www-authenticate", b'Basic realm="OCPP"'))
    if refused.retry_after_s:
        headers.append((b"retry-after", str(refused.retry_after_s).encode()))
    await send({"type": "websocket.http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": refused.text.encode()})
