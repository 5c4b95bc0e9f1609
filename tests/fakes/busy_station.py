"""A station that charges without end, as fast as it is answered, and remembers what was acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage
from websockets.typing import Subprotocol

from tests.fakes.station import ADDRESS, PASSWORD, basic

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
SAMPLES = 5  # of each transaction, between its start and its stop


class BusyStation:
    """Its memory outlives its connections: the message that was not acknowledged is the first of the next one.

    `repeats_with_new_id`: some stations repeat under the same message id, others under a new one (rule 5).
    """

    def __init__(self, identity: str, version: str, *, repeats_with_new_id: bool) -> None:
        self.identity, self.version = identity, version
        self.repeats_with_new_id = repeats_with_new_id
        self.pending: list[Any] | None = None
        self.step = 0  # 0 is the start of a transaction, 1 to SAMPLES its samples, then its stop
        self.at = BEGIN
        self.transaction: int | str = 0
        self.repeated = 0
        self.connected = 0
        self.pace_s = 0.0  # between an answer and the next message
        self.slowest_s = 0.0  # the longest wait for an answer, within one connection
        # What was acknowledged: the times of it.
        self.starts: list[datetime] = []
        self.samples: list[datetime] = []
        self.stops: list[datetime] = []

    async def charge(self, port: int, stop: asyncio.Event) -> None:
        """Go on until `stop`, or until the line is lost."""
        try:
            async with connect(
                ADDRESS.format(port=port, identity=self.identity),
                subprotocols=[Subprotocol(f"ocpp{self.version}")],
                additional_headers=basic(self.identity, PASSWORD),
                compression=None,
                proxy=None,
            ) as socket:
                self.connected += 1
                await self._send_what_was_lost(socket)
                while not stop.is_set():
                    self.pending = self._next_message()
                    await self._deliver(socket)
                    if self.pace_s:
                        await asyncio.sleep(self.pace_s)
        except (ConnectionClosed, InvalidMessage, OSError):  # cut, also in the middle of a handshake
            return

    async def keep_charging(self, ports: list[int], stop: asyncio.Event) -> None:
        """Go on until `stop`, connecting again and again with a growing pause, at one of `ports` after the other."""
        pause_s, turn = 0.1, 0
        while not (stop.is_set() and self.pending is None):
            connected = self.connected
            with contextlib.suppress(InvalidHandshake, TimeoutError):
                await self.charge(ports[turn % len(ports)], stop)
            turn += 1
            pause_s = 0.1 if self.connected > connected else min(2.0, 2 * pause_s)
            if not stop.is_set() or self.pending is not None:
                await asyncio.sleep(pause_s * random.uniform(0.5, 1.5))

    async def _send_what_was_lost(self, socket: ClientConnection) -> None:
        if self.pending is None:
            return
        self.repeated += 1
        if self.repeats_with_new_id:
            self.pending[1] = str(uuid4())
        await self._deliver(socket)

    async def _deliver(self, socket: ClientConnection) -> None:
        assert self.pending is not None
        began = time.monotonic()
        await socket.send(json.dumps(self.pending))
        while (answer := json.loads(await socket.recv()))[0] == 2:
            await socket.send(json.dumps(self._obey(answer)))
        self.slowest_s = max(self.slowest_s, time.monotonic() - began)
        assert answer[0] == 3, (self.pending, answer)
        assert answer[1] == self.pending[1]
        self._acknowledged(answer[2])

    @staticmethod
    def _obey(question: list[Any]) -> list[Any]:
        if question[2] == "ClearCache":
            return [3, question[1], {"status": "Accepted"}]
        return [4, question[1], "NotImplemented", "", {}]

    def _acknowledged(self, answer: dict[str, Any]) -> None:
        if self.step == 0:
            self.starts.append(self.at)
            self.transaction = answer.get("transactionId", self.transaction)
        elif self.step <= SAMPLES:
            self.samples.append(self.at)
        else:
            self.stops.append(self.at)
        self.step = (self.step + 1) % (SAMPLES + 2)
        self.pending = None

    def _next_message(self) -> list[Any]:
        self.at += timedelta(seconds=1)
        action, payload = self._message_16() if self.version == "1.6" else self._message_201()
        return [2, str(uuid4()), action, payload]

    def _message_16(self) -> tuple[str, dict[str, Any]]:
        at = self.at.isoformat()
        if self.step == 0:
            return "StartTransaction", {"connectorId": 1, "idTag": "A", "meterStart": 1, "timestamp": at}
        if self.step > SAMPLES:
            return "StopTransaction", {"transactionId": self.transaction, "meterStop": 9, "timestamp": at}
        sample = {"timestamp": at, "sampledValue": [{"value": "5"}]}
        return "MeterValues", {
            "connectorId": 1,
            "transactionId": self.transaction,
            "meterValue": [sample],
        }

    def _message_201(self) -> tuple[str, dict[str, Any]]:
        at = self.at.isoformat()
        if self.step == 0:
            self.transaction = str(uuid4())
        kind = "Started" if self.step == 0 else "Ended" if self.step > SAMPLES else "Updated"
        event: dict[str, Any] = {
            "eventType": kind,
            "timestamp": at,
            "triggerReason": "MeterValuePeriodic",
            "seqNo": self.step,
            "transactionInfo": {"transactionId": self.transaction},
            "evse": {"id": 1},
        }
        if kind == "Updated":
            event["meterValue"] = [{"timestamp": at, "sampledValue": [{"value": 5.0}]}]
        return "TransactionEvent", event
