"""A station under the test's control, on a plain websocket: it says and answers exactly what it is told."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from uuid import uuid4

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

PASSWORD = "a-password-of-tests-only"
ADDRESS = "ws://127.0.0.1:{port}/ocpp/{identity}"


def basic(identity: str, password: str | bytes) -> dict[str, str]:
    secret = password if isinstance(password, bytes) else password.encode()
    return {"Authorization": "Basic " + base64.b64encode(identity.encode() + b":" + secret).decode()}


@dataclass(frozen=True, slots=True)
class Question:
    """A CALL from the portal."""

    message_id: str
    action: str
    payload: dict[str, Any]


class FakeStation:
    """Open from the start; use it in a `with`. Pings are answered in the background, as by any station."""

    def __init__(
        self,
        port: int,
        identity: str,
        *,
        version: str = "1.6",
        password: str | bytes | None = PASSWORD,
        subprotocols: tuple[str, ...] = (),
        headers: dict[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.identity = identity
        self._open = ExitStack()
        self.socket = self._open.enter_context(
            connect(
                ADDRESS.format(port=port, identity=identity).replace("ws:", "wss:" if tls else "ws:"),
                ssl=tls,
                server_hostname="localhost" if tls else None,
                subprotocols=subprotocols or (f"ocpp{version}",),  # type: ignore[arg-type]
                additional_headers=(basic(identity, password) if password is not None else {})
                | (headers or {}),
                compression=None,
                proxy=None,
                ping_interval=None,
                max_size=None,
                max_queue=None,  # a station reads whatever comes, also while it speaks
                close_timeout=2,
            )
        )
        self.unread: list[list[Any]] = []

    def __enter__(self) -> FakeStation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    # ------------------------------------------------------------ out

    def send(self, frame: Any) -> None:
        """A text or bytes as they are, anything else as JSON."""
        self.socket.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))

    def call(self, action: str, payload: dict[str, Any], *, message_id: str = "") -> dict[str, Any]:
        """Ask, and give the payload of the answer. Raises AssertionError on a CALLERROR."""
        answer = self.ask(action, payload, message_id=message_id)
        assert answer[0] == 3, answer
        payload_out: dict[str, Any] = answer[2]
        return payload_out

    def ask(self, action: str, payload: dict[str, Any], *, message_id: str = "") -> list[Any]:
        """Ask, and give the whole frame of the answer, a CALLERROR too."""
        message_id = message_id or str(uuid4())
        self.send([2, message_id, action, payload])
        return self.answer_to(message_id)

    def answer(self, question: Question, payload: dict[str, Any]) -> None:
        self.send([3, question.message_id, payload])

    def answer_error(self, question: Question, code: str, description: str = "") -> None:
        self.send([4, question.message_id, code, description, {}])

    # ------------------------------------------------------------ in

    def answer_to(self, message_id: str, within_s: float = 60) -> list[Any]:
        return self._wait_for(lambda frame: frame[0] in (3, 4) and frame[1] == message_id, within_s)

    def question(self, action: str = "", within_s: float = 60) -> Question:
        """The next CALL of the portal (with this action); what comes before it is kept."""
        frame = self._wait_for(lambda one: one[0] == 2 and action in ("", one[2]), within_s)
        return Question(frame[1], frame[2], frame[3])

    def question_at_last(self, action: str) -> Question:
        """As question(); what is asked before it is refused at once. Unanswered it would hold up what comes after it
        for OCPP_CALL_TIMEOUT_S."""
        while (asked := self.question()).action != action:
            self.answer_error(asked, "NotSupported")
        return asked

    def is_asked(self, action: str = "", within_s: float = 0.3) -> bool:
        """Whether a CALL comes within this time; it is kept."""
        try:
            question = self.question(action, within_s)
        except TimeoutError:
            return False
        self.unread.insert(0, [2, question.message_id, question.action, question.payload])
        return True

    def is_answered(self, message_id: str, within_s: float = 0.3) -> bool:
        """Whether an answer to this id comes within this time; it is kept."""
        try:
            frame = self.answer_to(message_id, within_s)
        except TimeoutError:
            return False
        self.unread.insert(0, frame)
        return True

    def closed_with(self, within_s: float = 60) -> int:
        """The code of the close; frames that come before it are dropped. Raises TimeoutError while it is open."""
        deadline = time.monotonic() + within_s
        while True:
            try:
                self.socket.recv(timeout=max(0.0, deadline - time.monotonic()))
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else 1006

    # ------------------------------------------------------------ away

    def drop(self) -> None:
        """The line is cut: no close frame."""
        self.socket.socket.shutdown(socket.SHUT_RDWR)

    def _wait_for(self, wanted: Callable[[list[Any]], bool], within_s: float) -> list[Any]:
        for index, kept in enumerate(self.unread):
            if wanted(kept):
                return self.unread.pop(index)
        deadline = time.monotonic() + within_s
        while True:
            frame: list[Any] = json.loads(self.socket.recv(timeout=max(0.0, deadline - time.monotonic())))
            if wanted(frame):
                return frame
            self.unread.append(frame)


def coming_back(port: int, identity: str, *, within_s: float = 60, **how: Any) -> FakeStation:
    """As a real station does: who is asked to come back later (503) comes back."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            return FakeStation(port, identity, **how)
        except InvalidStatus as refused:
            if refused.response.status_code != 503 or time.monotonic() > deadline:
                raise
            time.sleep(0.5)
