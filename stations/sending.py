"""Out of the sockets that this process holds: answers, and the commands that are claimed for their stations.

Everything here runs on the event loop and waits for nothing, as in stations.gateway.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings

from stations import commands, intake, presence
from stations.gathering import Job
from stations.ocpp.brakes import BrokenFrames, Pace

logger = logging.getLogger(__name__)

Send = Callable[[dict[str, Any]], Awaitable[None]]


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True, eq=False)
class Connection:
    """One socket of one station."""

    station_id: int
    identity: str
    version: str
    asgi_send: Send
    id: UUID = field(default_factory=uuid4)
    last_message_at: datetime = field(default_factory=_now)
    unanswered: int = 0
    # Frames in the second that began at `second`: the brake on a station that floods.
    second: int = 0
    frames: int = 0
    pace: Pace = field(default_factory=Pace)
    broken: BrokenFrames = field(default_factory=BrokenFrames)
    closing: bool = False
    closed_for: str = ""  # why we closed it; empty: the station did, or the line
    roomy: asyncio.Event | None = None

    def send(self, text: str) -> None:
        """Send now if the socket takes it; else as soon as it does, in order. Never waits, never raises."""
        if not self.closing:
            _start(self.asgi_send({"type": "websocket.send", "text": text}), self.identity)

    def close(self, code: int, reason: str) -> None:
        if not self.closing:
            self.closing = True
            self.closed_for = f"closed by us with {code} {reason}"
            _start(self.asgi_send({"type": "websocket.close", "code": code, "reason": reason}), self.identity)


class _Rest:
    """What is left of a coroutine that was started by hand and now waits for `future`."""

    def __init__(self, coroutine: Any, future: Any) -> None:
        self.coroutine, self.future = coroutine, future

    def __await__(self) -> Any:
        yield self.future
        yield from self.coroutine.__await__()


_tasks: set[asyncio.Task[None]] = set()


def _start(sending: Any, identity: str) -> None:
    """Run `sending` up to its first wait, which a socket with room never reaches: a task per answer costs 8 us."""
    try:
        future = sending.send(None)
    except StopIteration:
        return
    except Exception as error:  # noqa: BLE001 - the peer is gone; the reader of this socket will see it too
        logger.debug("%s: not sent: %s", identity, error)
        return
    task = asyncio.get_running_loop().create_task(_finish(_Rest(sending, future), identity))
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


async def _finish(rest: _Rest, identity: str) -> None:
    try:
        await rest
    except Exception as error:  # noqa: BLE001 - as above
        logger.debug("%s: not sent: %s", identity, error)


class Commands:
    """What waits for the stations that are connected here, claimed and sent."""

    def __init__(self, connections: dict[int, Connection], submit: Callable[[Job], None]) -> None:
        self._connections, self._submit = connections, submit
        self._looking: set[int] = set()
        self._is_claiming = False
        # Commands that left and were not answered yet, oldest first: (station, message id) -> the loop's time.
        self._asked: dict[tuple[int, str], float] = {}

    def look(self, station_ids: Iterable[int]) -> None:
        """Claim what waits for those of the stations that are connected here.

        One claim is on its way at a time: the next takes all that came up meanwhile. A storm comes in one by one, and
        a claim for one station costs as many statements as one for a thousand.
        """
        here = [pk for pk in station_ids if pk in self._connections]
        if here and not self._looking and not self._is_claiming:
            asyncio.get_running_loop().call_soon(self._claim)
        self._looking.update(here)

    def _claim(self) -> None:
        here = {pk: self._connections[pk].id for pk in self._looking if pk in self._connections}
        self._looking.clear()
        if not here:
            return
        self._is_claiming = True
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        future.add_done_callback(lambda claimed: self._claimed(here, claimed))
        self._submit(Job(work=lambda: intake.claim(here, _now()), token=future))

    def _claimed(self, here: dict[int, UUID], future: asyncio.Future[Any]) -> None:
        self._is_claiming = False
        if self._looking:
            self._claim()
        if future.exception() is not None:
            logger.error("Commands could not be claimed", exc_info=future.exception())
            return
        claimed: intake.Claimed = future.result()
        for station_id, reason in claimed.lost.items():
            self.close_lost(station_id, here[station_id], reason)
        sent_at = asyncio.get_running_loop().time()
        for station_id, message_id, text in claimed.frames:
            connection = self._connections.get(station_id)
            # A socket that closed in between: the end of its lease makes the command's outcome unknown.
            if connection is not None:
                self._asked[station_id, message_id] = sent_at
                connection.send(text)

    def is_answered(self, station_id: int, message_id: str) -> None:
        """An answer came: nothing is waited for any more."""
        self._asked.pop((station_id, message_id), None)

    def give_up_overdue(self) -> None:
        """What was not answered in time is unknown now, not when the caretaker comes by. Asks the database nothing."""
        latest = asyncio.get_running_loop().time() - settings.OCPP_CALL_TIMEOUT_S
        overdue = []
        for asked, asked_at in self._asked.items():
            if asked_at > latest:
                break  # the rest left later
            overdue.append(asked)
        for asked in overdue:
            del self._asked[asked]
        if overdue:
            stations = {station_id for station_id, _ in overdue}
            self._submit(Job(work=lambda: commands.give_up_overdue(stations, now=_now())))

    def close_lost(self, station_id: int, owner: UUID, reason: str) -> None:
        """Its lease is gone. A socket that came after it is another's."""
        connection = self._connections.get(station_id)
        if connection is not None and connection.id == owner:
            connection.close(1008 if reason in presence.EXPELLED else 1000, reason)
