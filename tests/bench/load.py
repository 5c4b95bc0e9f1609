"""A load of stations on raw sockets: cheap enough to outrun a server on the other core.

Each station has one CALL outstanding, as OCPP-J asks. Frames carry a mask of zeros, which the protocol allows and
which leaves the payload as it is.
"""

from __future__ import annotations

import asyncio
import base64
import os
import struct
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import cast

PASSWORD = "bench-only-password-of-a-station"
SAMPLES = [
    ("Energy.Active.Import.Register", None, "Wh", "1234567.8"),
    ("Power.Active.Import", None, "W", "10876.5"),
    ("Current.Import", "L1", "A", "15.8"),
    ("Current.Import", "L2", "A", "15.9"),
    ("Current.Import", "L3", "A", "15.7"),
    ("Voltage", "L1-N", "V", "231.2"),
    ("Voltage", "L2-N", "V", "230.8"),
    ("Voltage", "L3-N", "V", "229.9"),
]
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def meter_values(number: int) -> bytes:
    """A MeterValues CALL of 8 samples (about 730 bytes), unlike that of any other `number`."""
    at = (EPOCH + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%SZ")
    samples = ",".join(
        f'{{"value":"{value}","measurand":"{name}",'
        + (f'"phase":"{phase}",' if phase else "")
        + f'"unit":"{unit}"}}'
        for name, phase, unit, value in SAMPLES
    )
    return (
        f'[2,"{number:x}","MeterValues",{{"connectorId":1,"transactionId":7,'
        f'"meterValue":[{{"timestamp":"{at}","sampledValue":[{samples}]}}]}}]'
    ).encode()


def text_frame(payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x81, 0x80 | size)
    else:
        head = struct.pack("!BBH", 0x81, 0x80 | 126, size)
    return head + b"\0\0\0\0" + payload


class LoadStation(asyncio.Protocol):
    """Sends one frame, waits for its answer, sends the next, until it is told to stop."""

    def __init__(self, identity: str, port: int, password: str) -> None:
        self.identity, self.port, self.password = identity, port, password
        self.open = asyncio.get_running_loop().create_future()
        self.number = 0
        self.answered = 0
        self.errors = 0
        self.running = False
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        basic = base64.b64encode(f"{self.identity}:{self.password}".encode()).decode()
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET /ocpp/{self.identity} HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Protocol: ocpp1.6",
            f"Authorization: Basic {basic}",
        ]
        self.transport.write(("\r\n".join(lines) + "\r\n\r\n").encode())

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.open.done():
            head, found, rest = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return
            status = head.split(b"\r\n", 1)[0]
            if b" 101 " not in status:
                self.open.set_exception(ConnectionError(status.decode()))
                return
            self.buffer = rest
            self.open.set_result(None)
        self._read_answers()

    def connection_lost(self, exc: Exception | None) -> None:
        self.running = False
        if not self.open.done():
            self.open.set_exception(exc or ConnectionError("closed"))

    def start(self, first: int) -> None:
        self.number, self.running = first, True
        self._send()

    def _read_answers(self) -> None:
        while len(self.buffer) >= 2:
            size, skip = self.buffer[1] & 0x7F, 2
            if size == 126:
                if len(self.buffer) < 4:
                    return
                size, skip = struct.unpack("!H", self.buffer[2:4])[0], 4
            if len(self.buffer) < skip + size:
                return
            opcode, payload = self.buffer[0] & 0x0F, self.buffer[skip : skip + size]
            self.buffer = self.buffer[skip + size :]
            if opcode == 1:
                self._answered(payload)
            elif opcode == 9:  # a ping, which carries at most 125 bytes; who never answers is cut off
                self.transport.write(bytes((0x8A, 0x80 | size)) + b"\0\0\0\0" + payload)

    def _answered(self, payload: bytes) -> None:
        if payload.startswith(b"[2,"):
            return  # the portal asks something; this load never answers
        if not payload.replace(b" ", b"").startswith(b"[3,"):
            self.errors += 1
        self.answered += 1
        if self.running:
            self._send()

    def _send(self) -> None:
        self.number += 1
        self.transport.write(text_frame(meter_values(self.number)))


def _given(station: LoadStation) -> LoadStation:
    """asyncio asks for a factory."""
    return station


async def connect(
    identities: list[str],
    *,
    port: int,
    password: str,
    at_once: int = 50,
    make: type[LoadStation] = LoadStation,
) -> list[LoadStation]:
    """Connect them all, `at_once` at a time. Raises ConnectionError with the status line of a refusal."""
    loop = asyncio.get_running_loop()
    stations: list[LoadStation] = []
    for start in range(0, len(identities), at_once):
        group = []
        for identity in identities[start : start + at_once]:
            station = make(identity, port, password)
            await loop.create_connection(partial(_given, station), "127.0.0.1", port)
            group.append(station)
        await asyncio.wait_for(asyncio.gather(*(station.open for station in group)), timeout=30)
        stations += group
    return stations
