"""A half-open line: a station that has connected, and then neither speaks nor answers a ping."""

from __future__ import annotations

import socket

from tests.fakes.station import PASSWORD, basic


def open_and_say_nothing(port: int, identity: str) -> socket.socket:
    """Upgrade by hand; the TCP connection stays, and nobody reads it. Close it at the end."""
    line = ask_for_the_upgrade(port, identity)
    answer = line.recv(4096)
    assert answer.startswith(b"HTTP/1.1 101 "), answer
    return line


def ask_for_the_upgrade(port: int, identity: str) -> socket.socket:
    """The request is out, the answer not read."""
    line = socket.create_connection(("127.0.0.1", port), 5)
    head = {
        "Host": f"127.0.0.1:{port}",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol": "ocpp1.6",
        **basic(identity, PASSWORD),
    }
    lines = [f"GET /ocpp/{identity} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
    line.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    return line
