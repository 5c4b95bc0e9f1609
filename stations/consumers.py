"""The socket of a station: authenticate, accept, hand frames over. No business, and no waiting for an answer."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from channels.consumer import AsyncConsumer
from django.db import close_old_connections

from stations import presence
from stations.credentials import verify_secret
from stations.gateway import Connection, Send, gateway
from stations.models import Station

logger = logging.getLogger(__name__)

# Best first. OCPP-J 1.6, 3.1.2: the server chooses from what the station offers.
SUBPROTOCOLS = {"ocpp2.0.1": "2.0.1", "ocpp1.6": "1.6"}
# Of these the server says no more. 1005 is all that it knows of a line that was cut, or that answered no ping.
CLOSE_REASONS = {
    1005: "without a word: closed, cut, or silent to pings",
    1009: "a frame was larger than is allowed",
}

# Its own few threads: many stations at once with a slow password hash must not take those of the pages.
_admission = ThreadPoolExecutor(max_workers=2, thread_name_prefix="admission")


class Refused(Exception):
    """A station that is not let in, with the HTTP status that it gets instead of an upgrade."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class StationConsumer(AsyncConsumer):
    """Hosted by Channels, but with a loop of its own instead of its dispatch.

    Stock dispatch awaits `aclose_old_connections()` before every message: a hop to the one thread that all share for
    the database, 6,470 messages a second instead of 16,500, and slow database work elsewhere stalls every station.
    This consumer never touches the ORM; the writer and the admission threads look after connections of their own.
    It needs no channel either: a nudge reaches the process, not the station.
    """

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Send) -> None:
        await receive()  # websocket.connect
        try:
            station, version = await _admit(scope)
        except Refused as refused:
            logger.info("%s refused: %d %s", scope["path"], refused.status, refused.text)
            return await _refuse(send, refused)
        connection = Connection(station.pk, station.identity, version, send)
        await gateway.run(lambda: _take_lease(connection, station))
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


async def _admit(scope: dict[str, Any]) -> tuple[Station, str]:
    """The station and the version to speak with it. Raises Refused."""
    version = next((v for name, v in SUBPROTOCOLS.items() if name in scope["subprotocols"]), None)
    if version is None:
        names = ", ".join(SUBPROTOCOLS)
        raise Refused(400, f"No common sub-protocol: offer one of {names} in Sec-WebSocket-Protocol.")
    identity = scope["url_route"]["kwargs"]["identity"]
    password = _password_of(scope["headers"], identity)
    loop = asyncio.get_running_loop()
    station: Station = await loop.run_in_executor(_admission, _verified, identity, password)
    return station, version


def _verified(identity: str, password: bytes | None) -> Station:
    close_old_connections()
    station: Station | None = Station.objects.filter(identity=identity).first()
    if station is None:
        raise Refused(404, "No such station here: register it first (manage.py add_station).")
    if password is None:
        raise Refused(401, "Basic authentication asked: the station's identity and its password.")
    if not verify_secret(station, password):
        raise Refused(401, "Wrong password for this station.")
    return station


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


def _take_lease(connection: Connection, station: Station) -> None:
    presence.take(
        station=station,
        connection=connection.id,
        gateway=gateway.id,
        version=connection.version,
        now=datetime.now(UTC),
    )


async def _refuse(send: Send, refused: Refused) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    if refused.status == 401:
        headers.append((b"www-authenticate", b'Basic realm="OCPP"'))
    await send({"type": "websocket.http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": refused.text.encode()})
