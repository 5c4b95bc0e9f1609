"""Somebody else's system that takes webhooks: a real HTTP server, which refuses, hangs or sends on as it is told."""

from __future__ import annotations

import hmac
import json
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Message:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> Any:
        return json.loads(self.body)

    def is_signed_with(self, secret: str) -> bool:
        """As Standard Webhooks has who takes a message check it: by code of its own."""
        signed = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + self.body
        mac = hmac.new(b64decode(secret.removeprefix("whsec_")), signed, sha256).digest()
        given = [each.partition(",") for each in self.headers["webhook-signature"].split(" ")]
        return any(version == "v1" and text == b64encode(mac).decode() for version, _, text in given)


class Endpoint:
    """`answers` are given one after the other, the last for ever: a status, "hang", "drip", or an address to go to."""

    def __init__(self, *answers: int | str) -> None:
        self.answers: list[int | str] = list(answers or (204,))
        self.taken: list[Message] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/hook?key=1"

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def _answer(self) -> int | str:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                endpoint.taken.append(Message(self.path, headers, body))
                match endpoint._answer():
                    case "hang":
                        time.sleep(30)
                    case "drip":
                        self._drip()
                    case str(elsewhere):
                        self.send_response(302)
                        self.send_header("Location", elsewhere)
                        self.end_headers()
                    case int(status):
                        self.send_response(status)
                        self.end_headers()

            def _drip(self) -> None:
                """A byte now and then, so that no single wait is long."""
                for byte in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    time.sleep(0.2)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


@contextmanager
def listening(*answers: int | str) -> Iterator[Endpoint]:
    endpoint = Endpoint(*answers)
    try:
        yield endpoint
    finally:
        endpoint.stop()
