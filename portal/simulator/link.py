"""The station's websocket: connects, comes back, sends one CALL at a time and answers the CSMS meanwhile.

The two directions share nothing: an answer to the CSMS never waits for an answer from it (requirement 205).
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import logging
import uuid
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from portal.simulator.clock import Clock
from portal.simulator.ways import BASIC, CERTIFICATE, TLS, Way, Ways
from portal.simulator.wire import CALL, ERROR, RESULT, CallError, Message, Payload, Version, encode

CALL_TIMEOUT_S = 30.0  # real seconds: the network does not run faster with the clock
ATTEMPTS = 3  # TransactionMessageAttempts: after so many CALLERRORs a queued message is dropped
LONGEST_PAUSE_S = 60.0

ADVICE = {
    400: "the CSMS speaks none of the offered OCPP versions; choose another with --ocpp",
    401: "wrong password; pass the one that add_station printed with --password",
    404: "the CSMS does not know this station; register it first with `manage.py add_station`",
}

Log = logging.LoggerAdapter[logging.Logger]


class OfflineError(Exception):
    """The message could not be delivered: there is no connection, or it broke before the answer came."""


class StationRefusedError(Exception):
    """The CSMS refused the very first handshake for a reason that waiting does not cure."""

    def __init__(self, status: int, advice: str) -> None:
        super().__init__(f"HTTP {status}: {advice}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a CALL of the CSMS, and what the station does once that answer is out."""

    payload: Payload
    then: Callable[[], Awaitable[None]] | None = None


@dataclass(slots=True)
class _Outgoing:
    message: Message
    durable: bool
    message_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    failures: int = 0
    done: asyncio.Future[Payload] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


def _fail(item: _Outgoing) -> None:
    """End the wait for an answer that will not come."""
    if not item.done.done():
        item.done.set_exception(OfflineError(item.message.action))
        item.done.exception()  # marked as seen: a caller that left does not matter


def address(url: str, identity: str) -> str:
    """The full address of a station: the identity is appended unless the URL already ends with it."""
    base = url.rstrip("/")
    part = quote(identity, safe="")
    return base if base.rsplit("/", 1)[-1] in {identity, part} else f"{base}/{part}"


class Link:
    """One station's connection. `registered` opens the way for all but BootNotification."""

    def __init__(
        self,
        *,
        url: str,
        identity: str,
        password: str | bytes | None,
        version: Version,
        clock: Clock,
        log: Log,
    ) -> None:
        self.password = password
        self.ways = Ways(Way(url, TLS if url.startswith("wss:") else BASIC))
        self._identity = identity
        self._version = version
        self._clock = clock
        self._log = log
        self._socket: ClientConnection | None = None
        self._registered = False
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._wake = asyncio.Event()
        self._acknowledged = asyncio.Event()
        self._first: deque[_Outgoing] = deque()
        self._calls: deque[_Outgoing] = deque()
        self._journal: deque[_Outgoing] = deque()
        self._kept: list[Message] = []
        self._waiting: _Outgoing | None = None
        self._afterwards: set[asyncio.Future[None]] = set()
        self._ever_open = False
        self.answer: Callable[[str, Payload], Reply] | None = None
        self.opened: Callable[[], Awaitable[None]] | None = None

    @property
    def _url(self) -> str:
        return address(self.ways.now.url, self._identity)

    @property
    def online(self) -> bool:
        return self._socket is not None

    @property
    def registered(self) -> bool:
        return self._registered

    @registered.setter
    def registered(self, value: bool) -> None:
        self._registered = value
        self._wake.set()

    @property
    def owed(self) -> int:
        """How many durable messages the CSMS has not acknowledged yet."""
        return len(self._kept) + len(self._journal)

    def keep(self, message: Message) -> None:
        """Deliver in order, whatever it takes: over disconnects, until the CSMS has answered."""
        self._kept.append(message)
        self._wake.set()

    async def call(self, message: Message, *, before_registration: bool = False) -> Payload:
        """Send and return the answer. OfflineError without a connection, CallError on a CALLERROR."""
        if self._socket is None:
            raise OfflineError(message.action)
        item = _Outgoing(message, durable=False)
        (self._first if before_registration else self._calls).append(item)
        self._wake.set()
        return await item.done

    def tell(self, message: Message) -> None:
        """Send if there is a connection, forget it otherwise; nobody waits for the answer."""
        if self._socket is not None:
            item = _Outgoing(message, durable=False)
            item.done.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._calls.append(item)
            self._wake.set()

    async def drain(self, timeout_s: float) -> None:
        """Wait, at most so many real seconds, until every durable message is acknowledged."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while self.owed and self.online:
                    self._acknowledged.clear()
                    await self._acknowledged.wait()

    async def disconnect(self) -> None:
        """Drop the connection and stay away until `reconnect`."""
        self._wanted.clear()
        if self._socket is not None:
            await self._socket.close()

    def reconnect(self) -> None:
        self._wanted.set()

    async def run(self) -> None:
        """Hold the connection until cancelled. StationRefusedError if the first handshake is refused for good."""
        failures = 0
        while True:
            await self._wanted.wait()
            try:
                async with self._connect() as socket:
                    failures = 0
                    self.ways.worked()
                    if self._wanted.is_set():
                        await self._serve(socket)
            except InvalidStatus as error:
                self._refused(error.response.status_code)
                self.ways.failed()
            except (OSError, TimeoutError, InvalidHandshake) as error:
                self._log.warning("cannot reach %s, trying again (%s)", self._url, error)
                self.ways.failed()
            if self._wanted.is_set():
                failures += 1
                await self._clock.sleep(min(2.0 ** (failures - 1), LONGEST_PAUSE_S))

    def _connect(self) -> connect:
        headers = {}
        way = self.ways.now
        if self.password is not None and way.profile < CERTIFICATE:
            password = self.password if isinstance(self.password, bytes) else self.password.encode()
            secret = base64.b64encode(f"{self._identity}:".encode() + password).decode()
            headers["Authorization"] = f"Basic {secret}"
        return connect(
            self._url,
            subprotocols=[Subprotocol(self._version.subprotocol)],
            additional_headers=headers,
            ssl=self.ways.trust.context(way.profile) if way.url.startswith("wss:") else None,
            compression=None,
            proxy=None,
            close_timeout=2,
            max_size=4 * 2**20,
        )

    def _refused(self, status: int) -> None:
        advice = ADVICE.get(status, "the CSMS refused the connection; is the address right?")
        if status in ADVICE and not self._ever_open:
            raise StationRefusedError(status, advice)
        self._log.warning("refused with HTTP %s: %s", status, advice)

    async def _serve(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ever_open = True
        self._log.info("connected as %s", socket.subprotocol)
        tasks = [asyncio.create_task(self._send_all(socket))]
        if self.opened is not None:
            tasks.append(asyncio.ensure_future(self._report_open(self.opened)))
        try:
            async for frame in socket:
                await self._receive(socket, frame)
        except ConnectionClosed as error:
            self._log.info("connection lost (%s)", error)
        finally:
            self._socket = None
            for task in [*tasks, *self._afterwards]:
                task.cancel()
            await asyncio.gather(*tasks, *self._afterwards, return_exceptions=True)
            self._fail_calls()

    async def _report_open(self, opened: Callable[[], Awaitable[None]]) -> None:
        with contextlib.suppress(OfflineError, CallError):
            await opened()

    def _fail_calls(self) -> None:
        for item in [*self._first, *self._calls]:
            _fail(item)
        self._first.clear()
        self._calls.clear()

    def _next(self) -> _Outgoing | None:
        """Boot before all else, then calls of the moment, then the journal in its order."""
        self._journal.extend(_Outgoing(message, durable=True) for message in self._kept)
        self._kept.clear()
        if self._first:
            return self._first.popleft()
        if not self._registered:
            return None
        if self._calls:
            return self._calls.popleft()
        return self._journal[0] if self._journal else None

    async def _send_all(self, socket: ClientConnection) -> None:
        try:
            while self._socket is socket:
                self._wake.clear()
                item = self._next()
                if item is None:
                    await self._wake.wait()
                else:
                    await self._deliver(socket, item)
        except ConnectionClosed:
            return  # the reader sees it too, and ends the connection
        except Exception:  # noqa: BLE001  (a station that can no longer speak must not look alive)
            self._log.exception("sending failed; starting a new connection")
            await socket.close()

    async def _deliver(self, socket: ClientConnection, item: _Outgoing) -> None:
        if item.done.done():  # a durable message, sent again
            item.done = asyncio.get_running_loop().create_future()
        self._waiting = item
        try:
            frame = [CALL, item.message_id, item.message.action, item.message.build()]
            await socket.send(encode(frame))
            # Not wait_for: up to Python 3.11 it loses a cancellation that comes together with the answer.
            async with asyncio.timeout(CALL_TIMEOUT_S):
                payload = await asyncio.shield(item.done)
        except CallError as error:
            self._refused_by_csms(item, error)
        except TimeoutError:
            self._log.warning("%s got no answer", item.message.action)
            _fail(item)
        except (asyncio.CancelledError, ConnectionClosed):
            _fail(item)
            raise
        else:
            self._delivered(item, payload)
        finally:
            self._waiting = None

    def _delivered(self, item: _Outgoing, payload: Payload) -> None:
        if item.durable:
            self._journal.popleft()
            self._acknowledged.set()
        item.message.answered(payload)

    def _refused_by_csms(self, item: _Outgoing, error: CallError) -> None:
        item.failures += 1
        self._log.warning("%s was refused: %s", item.message.action, error)
        if item.durable and item.failures >= ATTEMPTS:
            self._journal.popleft()
            self._acknowledged.set()

    async def _receive(self, socket: ClientConnection, text: str | bytes) -> None:
        try:
            frame: Any = json.loads(text)
        except ValueError:
            frame = None
        kind = frame[0] if isinstance(frame, list) and frame else None
        if kind == CALL and len(frame) == 4 and isinstance(frame[1], str) and isinstance(frame[2], str):
            await self._answer(socket, frame[1], frame[2], frame[3])
        elif kind in {RESULT, ERROR} and len(frame) >= 3:
            self._settle(kind, frame)
        else:
            await self._unreadable(socket, frame)

    def _settle(self, kind: int, frame: list[Any]) -> None:
        item = self._waiting
        if item is None or frame[1] != item.message_id or item.done.done():
            self._log.warning("an answer to nothing: %s", str(frame[1])[:40])
        elif kind == RESULT and isinstance(frame[2], dict):
            item.done.set_result(frame[2])
        else:
            item.done.set_exception(CallError(str(frame[2]), str(frame[3]) if len(frame) > 3 else ""))

    async def _unreadable(self, socket: ClientConnection, frame: object) -> None:
        """A CALL with a readable id gets a CALLERROR; else "-1" in 2.x (part 4, 4.2.3), silence in 1.6."""
        self._log.warning("a frame that is no OCPP message")
        has_id = isinstance(frame, list) and len(frame) > 1 and frame[0] == CALL and isinstance(frame[1], str)
        if has_id and isinstance(frame, list):
            await self._send_error(socket, frame[1], CallError(self._version.format_code, "not a CALL"))
        elif self._version.request_suffix:
            await self._send_error(socket, "-1", CallError("RpcFrameworkError", "not an OCPP message"))

    async def _answer(self, socket: ClientConnection, message_id: str, action: str, payload: object) -> None:
        try:
            reply = self._reply(action, payload)
        except CallError as error:
            await self._send_error(socket, message_id, error)
            return
        await socket.send(encode([RESULT, message_id, reply.payload]))
        if reply.then is not None:
            task = asyncio.ensure_future(self._report_open(reply.then))
            self._afterwards.add(task)
            task.add_done_callback(self._afterwards.discard)

    def _reply(self, action: str, payload: object) -> Reply:
        if not self._version.knows(action):
            raise CallError("NotImplemented", action[:50])
        checked = self._version.check_request(action, payload)
        if self.answer is None:
            raise CallError("NotSupported", action)
        try:
            return self.answer(action, checked)
        except CallError:
            raise
        except Exception:  # noqa: BLE001  (whatever breaks, the CSMS is owed an answer)
            self._log.exception("%s could not be answered", action)
            raise CallError("InternalError", action) from None

    async def _send_error(self, socket: ClientConnection, message_id: str, error: CallError) -> None:
        await socket.send(encode([ERROR, message_id, error.code, error.description, {}]))
