"""A fleet on raw sockets (tests/bench/load.py): it answers commands, comes back by itself, and is counted."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from stations.credentials import hash_secret
from stations.models import Station
from tests.bench.load import PASSWORD, LoadStation, meter_values, text_frame
from tests.factories import make_site

BOOT = b'[2,"boot","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]'
ASKED = re.compile(rb'^\[2,"([^"]+)","(\w+)"')


def make_fleet(prefix: str, count: int) -> list[str]:
    site = make_site()
    secret = hash_secret(PASSWORD.encode(), kind=Station.Secret.GENERATED)
    identities = [f"{prefix}-{number:04}" for number in range(count)]
    Station.objects.bulk_create(
        Station(site=site, identity=identity, ocpp_version="1.6", secret_hash=secret)
        for identity in identities
    )
    return identities


class FleetStation(LoadStation):
    """Answers what it is asked, and says when its line is lost."""

    def __init__(self, identity: str, port: int, password: str) -> None:
        super().__init__(identity, port, password)
        self.lost = asyncio.get_running_loop().create_future()
        self.asked: list[str] = []
        self.unanswered = 0  # frames that wait for their answer

    def say(self, frame: bytes) -> None:
        self.unanswered += 1
        self.transport.write(text_frame(frame))

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if not self.lost.done():
            self.lost.set_result(None)

    def _answered(self, payload: bytes) -> None:
        asked = ASKED.match(payload)
        if asked is None:
            self.unanswered -= 1
            super()._answered(payload)
            return
        message_id, action = asked.groups()
        self.asked.append(action.decode())
        if action == b"ClearCache":
            answer = b'[3,"%s",{"status":"Accepted"}]' % message_id
        else:
            answer = b'[4,"%s","NotImplemented","",{}]' % message_id
        self.transport.write(text_frame(answer))


@dataclass(slots=True)
class Member:
    """One station through all its connections."""

    identity: str
    ports: list[int]
    every_s: float  # a sample this often
    line: FleetStation | None = None
    said: int = 0
    answered: int = 0
    errors: int = 0
    lines: int = 0  # that it had so far
    unanswered: int = 0  # frames that a line which was not lost never had its answer to
    asked: list[str] = field(default_factory=list)

    async def live(self, stop: asyncio.Event) -> None:
        """Connect, boot, send samples; when the line is lost, come back with a growing pause."""
        pause_s, turn = 0.2, 0
        while not stop.is_set():
            line = await self._connect(self.ports[turn % len(self.ports)])
            turn += 1
            if line is None:
                await asyncio.sleep(pause_s * random.uniform(0.5, 1.5))
                pause_s = min(4.0, 2 * pause_s)
                continue
            pause_s, self.line = 0.2, line
            self.lines += 1
            await self._work(line, stop)
            self.line = None
            self.answered += line.answered
            self.errors += line.errors
            self.unanswered += 0 if line.lost.done() else line.unanswered
            self.asked += line.asked
            line.transport.abort()

    async def _connect(self, port: int) -> FleetStation | None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(30):
                _, line = await loop.create_connection(
                    lambda: FleetStation(self.identity, port, PASSWORD), "127.0.0.1", port
                )
                await line.open
        except (OSError, TimeoutError):
            return None
        return line

    async def _work(self, line: FleetStation, stop: asyncio.Event) -> None:
        line.say(BOOT)
        stopped = asyncio.ensure_future(stop.wait())
        pause_s = random.uniform(0, self.every_s)
        while not (line.lost.done() or stop.is_set()):
            await asyncio.wait({line.lost, stopped}, timeout=pause_s, return_when=asyncio.FIRST_COMPLETED)
            pause_s = self.every_s
            if not line.unanswered and not line.lost.done() and not stop.is_set():
                self.said += 1
                line.say(meter_values(self.said))
        if stop.is_set():
            await _answered(line)
        stopped.cancel()

    @property
    def is_back(self) -> bool:
        """Its line of now has had an answer: it is booted."""
        return self.line is not None and self.line.answered > 0 and not self.line.lost.done()


async def _answered(line: FleetStation, within_s: float = 30) -> None:
    """The last frame gets its answer too."""
    for _ in range(int(within_s / 0.05)):
        if not line.unanswered or line.lost.done():
            return
        await asyncio.sleep(0.05)


async def are_back(members: list[Member], within_s: float) -> float:
    """Wait until all are booted again; gives the seconds. Raises TimeoutError."""
    began = time.monotonic()
    await asyncio.sleep(0.1)
    async with asyncio.timeout(within_s):
        while not all(member.is_back for member in members):  # noqa: ASYNC110 - two thousand of them, each in its way
            await asyncio.sleep(0.05)
    return time.monotonic() - began


@contextlib.contextmanager
def alive(members: list[Member], within_s: float) -> Iterator[None]:
    """They live in a thread of their own, so that the test may ask the database; all are here at the begin."""
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(target=loop.run_forever, name="fleet", daemon=True)
    thread.start()

    async def live() -> None:
        await asyncio.gather(*(member.live(stop) for member in members))

    living = asyncio.run_coroutine_threadsafe(live(), loop)
    try:
        asyncio.run_coroutine_threadsafe(are_back(members, within_s), loop).result()
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        living.result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
