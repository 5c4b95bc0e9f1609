"""A small CSMS on loopback: it answers, asks, remembers, and holds every frame of the station against the schema."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

import jsonschema_rs
import ocpp
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

Payload = dict[str, Any]
FOLDERS = {"ocpp1.6": ("v16", ""), "ocpp2.0.1": ("v201", "Request"), "ocpp2.1": ("v21", "Request")}
PATIENCE_S = 60.0


class RefusedError(Exception):
    """The station answered with a CALLERROR."""


@dataclass
class Call:
    action: str
    payload: Payload
    message_id: str
    connection: int


@cache
def validator(folder: str, name: str) -> jsonschema_rs.Draft4Validator:
    path = Path(ocpp.__file__).parent / folder / "schemas" / f"{name}.json"
    return jsonschema_rs.Draft4Validator(
        json.loads(path.read_text(encoding="utf-8-sig")), validate_formats=False
    )


@dataclass
class Csms:
    password: str = "secret"
    stations: tuple[str, ...] = ("ST-1",)
    subprotocol: str = "ocpp1.6"
    boots: list[str] = field(default_factory=list)  # statuses to give first; then Accepted
    bad_tokens: set[str] = field(default_factory=set)
    withheld: set[str] = field(default_factory=set)  # actions that get no answer yet
    answers: dict[str, Payload] = field(default_factory=dict)  # what to answer to an action, else the usual
    calls: list[Call] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    frames: list[Any] = field(default_factory=list)
    connections: int = 0
    url: str = ""
    socket: ServerConnection | None = None
    _server: Server | None = None
    _open: dict[str, tuple[str, asyncio.Future[Payload]]] = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _numbers: int = 100

    async def start(self) -> None:
        self._server = await serve(
            self._serve,
            "127.0.0.1",
            0,
            process_request=self._admit,
            subprotocols=[self.subprotocol],  # type: ignore[list-item]
            close_timeout=1,
        )
        port = next(iter(self._server.sockets)).getsockname()[1]
        self.url = f"ws://127.0.0.1:{port}/ocpp"

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        identity = request.path.rsplit("/", 1)[-1]
        if identity not in self.stations:
            return connection.respond(HTTPStatus.NOT_FOUND, "unknown\n")
        expected = base64.b64encode(f"{identity}:{self.password}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {expected}":
            return connection.respond(HTTPStatus.UNAUTHORIZED, "password\n")
        return None

    async def _serve(self, socket: ServerConnection) -> None:
        self.socket = socket
        self.connections += 1
        number = self.connections
        try:
            async for text in socket:
                await self._read(socket, json.loads(text), number)
        except ConnectionClosed:
            pass
        finally:
            if self.socket is socket:
                self.socket = None
            self._wake()

    def _wake(self) -> None:
        self._news.set()

    async def _read(self, socket: ServerConnection, frame: list[Any], number: int) -> None:
        self.frames.append(frame)
        folder, suffix = FOLDERS[self.subprotocol]
        if frame[0] == 2:
            _, message_id, action, payload = frame
            self._check(folder, f"{action}{suffix}", payload)
            self.calls.append(Call(action, payload, message_id, number))
            if action not in self.withheld:
                await socket.send(json.dumps([3, message_id, self._answer(action, payload)]))
        elif frame[1] in self._open:
            action, answer = self._open.pop(frame[1])
            if frame[0] == 3:
                self._check(folder, f"{action}Response", frame[2])
                answer.set_result(frame[2])
            else:
                answer.set_exception(RefusedError(frame[2]))
        self._wake()

    def _check(self, folder: str, name: str, payload: Payload) -> None:
        self.faults += [
            f"{name}: {error.message} at {error.instance_path}"
            for error in validator(folder, name).iter_errors(payload)
        ]

    def _answer(self, action: str, payload: Payload) -> Payload:
        if action in self.answers:
            return self.answers[action]
        token = str(payload.get("idTag") or payload.get("idToken", {}).get("idToken", ""))
        status = {"status": "Invalid" if token in self.bad_tokens else "Accepted"}
        now = datetime.now(UTC).isoformat()
        if action == "BootNotification":
            return {
                "status": self.boots.pop(0) if self.boots else "Accepted",
                "currentTime": now,
                "interval": 300,
            }
        if action == "Heartbeat":
            return {"currentTime": now}
        if action == "StartTransaction":
            self._numbers += 1
            return {"transactionId": self._numbers, "idTagInfo": status}
        if action in {"Authorize", "TransactionEvent"} and token:
            return {"idTagInfo" if self.subprotocol == "ocpp1.6" else "idTokenInfo": status}
        return {}

    # What a test does

    async def ask(self, action: str, payload: Payload | None = None) -> Payload:
        """Send a CALL and wait for its answer; RefusedError(code) on a CALLERROR."""
        assert self.socket is not None, "the station is not connected"
        message_id = str(uuid.uuid4())
        answer: asyncio.Future[Payload] = asyncio.get_running_loop().create_future()
        self._open[message_id] = (action, answer)
        await self.socket.send(json.dumps([2, message_id, action, payload or {}]))
        return await asyncio.wait_for(answer, PATIENCE_S)

    async def send(self, text: str) -> None:
        assert self.socket is not None
        await self.socket.send(text)

    async def release(self, call: Call) -> None:
        """Give the answer that was withheld."""
        assert self.socket is not None
        await self.socket.send(json.dumps([3, call.message_id, self._answer(call.action, call.payload)]))

    def seen(self, action: str, **wanted: Any) -> list[Call]:
        return [
            call
            for call in self.calls
            if call.action == action
            and all(call.payload.get(name) == value for name, value in wanted.items())
        ]

    async def sees(self, action: str, *, times: int = 1, **wanted: Any) -> Call:
        """Wait for the nth CALL like that and return it."""
        await self.until(lambda: len(self.seen(action, **wanted)) >= times, f"{times}x {action} {wanted}")
        return self.seen(action, **wanted)[times - 1]

    async def until(
        self, true: Callable[[], object], what: str = "it", *, patience_s: float = PATIENCE_S
    ) -> None:
        try:
            async with asyncio.timeout(patience_s):
                while not true():
                    self._news.clear()
                    with contextlib.suppress(
                        TimeoutError
                    ):  # the station's own state may change without a frame
                        await asyncio.wait_for(self._news.wait(), 0.05)
        except TimeoutError:
            told = [(call.action, call.payload) for call in self.calls]
            raise AssertionError(f"never saw {what}; saw {told}") from None
