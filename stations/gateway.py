"""The sockets that this process holds: frames in, answers and commands out.

Everything here runs on the event loop and never waits for a station or for the database: an answer is just another
frame (rule 2), the two directions share no lock (rule 3), and what must be written first goes through the writer,
which calls back.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from django.conf import settings

from stations import commands, intake, nudges, presence
from stations.gathering import Job
from stations.ingest import Writer
from stations.ocpp import masking, rpc
from stations.ocpp.bounds import OUTLETS
from stations.ocpp.readings import rows_of
from stations.ocpp.validation import request_validator
from stations.sending import Commands, Connection

logger = logging.getLogger(__name__)

POLL_S = 0.5  # rows that no nudge told of: another process without a channel layer, or a nudge that was lost
RELEASED = 100  # leases of dead gateways that are ended in one piece of work
MAX_UNANSWERED = 64  # frames of one station in the writer's queue; then its socket waits


def _now() -> datetime:
    return datetime.now(UTC)


class Gateway:
    """One per process. `start` and `stop` are called on its loop."""

    def __init__(self) -> None:
        self.id = uuid4()
        self.connections: dict[int, Connection] = {}
        self.writer = Writer(self._released)
        self._commands = Commands(self.connections, self.writer.submit)
        # Sockets with broken frames that were only counted so far.
        self._counted: set[Connection] = set()
        self._renewed_at = 0.0

    async def start(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.writer.start()
        self._stop_listening = nudges.listen_to_gateways(self._nudged)
        self._rounds = [
            self.loop.create_task(self._every(POLL_S, self._poll)),
            self.loop.create_task(self._every(presence.RENEWAL_S, self._renew)),
        ]

    async def stop(self) -> None:
        """Close the sockets so that stations go elsewhere, write what waits, and give the leases back."""
        self._stop_listening()
        for round_ in self._rounds:
            round_.cancel()
        held = list(self.connections)
        for connection in list(self.connections.values()):
            connection.close(1012, "the server restarts")
        self.connections.clear()
        self.writer.submit(Job(work=lambda: presence.end_all_of(self.id, held, _now())))
        await asyncio.to_thread(self.writer.stop)

    # ------------------------------------------------------------ sockets come and go

    async def run(self, work: Callable[[], Any]) -> Any:
        """Run `work` in the writer's transaction and return its result once that is durable."""
        return await self.done(Job(work=work))

    async def done(self, job: Job) -> Any:
        """The result of the job, once it is durable."""
        future: asyncio.Future[Any] = self.loop.create_future()
        job.token = future
        self.writer.submit(job)
        return await future

    def register(self, connection: Connection) -> None:
        """A station has one socket: the new one wins, since the old may be half open."""
        old = self.connections.get(connection.station_id)
        self.connections[connection.station_id] = connection
        if old is not None:
            old.close(1000, "the station has connected again")
        self._commands.look([connection.station_id])

    def unregister(self, connection: Connection, reason: str) -> None:
        connection.closing = True
        if self.connections.get(connection.station_id) is connection:
            del self.connections[connection.station_id]
        self._sum_up(connection)
        ending = presence.Ending(connection.station_id, connection.id, connection.closed_for or reason)
        self.writer.submit(Job(together=_end_leases, item=ending, station_id=connection.station_id))

    # ------------------------------------------------------------ frames in

    async def receive(self, connection: Connection, text: str) -> None:
        """Take in one frame. Waits only where the station is faster than the database (or than is decent)."""
        if connection.closing:
            return  # what it says now gets no answer any more, so it will say it again
        connection.last_message_at = now = _now()
        self._take_in(connection, text, now)
        connection.frames += 1
        if now.second != connection.second:
            self._begin_second(connection, now.second)
        elif connection.frames > settings.OCPP_MAX_FRAMES_PER_S:
            await asyncio.sleep(1 - now.microsecond / 1e6)
        if connection.unanswered >= MAX_UNANSWERED or self.writer.is_full:
            await self._wait_for_room(connection)

    def _begin_second(self, connection: Connection, second: int) -> None:
        """The brake holds a flood at the allowed rate; a station that goes on pushing against it is shown out."""
        was_over = connection.frames > settings.OCPP_MAX_FRAMES_PER_S
        flooding_s = connection.pace.next_second(
            passed_s=(second - connection.second) % 60, was_over=was_over
        )
        connection.second, connection.frames = second, 0
        if flooding_s >= settings.OCPP_FLOOD_S:
            connection.close(1008, f"too many frames: at most {settings.OCPP_MAX_FRAMES_PER_S} a second")
            peer, now = connection, _now()
            work = lambda: intake.record_flood(peer, flooding_s, now)  # noqa: E731
            self.writer.submit(Job(work=work, station_id=peer.station_id))

    def _take_in(self, connection: Connection, text: str, now: datetime) -> None:
        try:
            frame = rpc.parse(text)
        except rpc.BrokenFrame as broken:
            return self._refuse(connection, text, broken, now)
        if isinstance(frame, rpc.Call) and frame.action == "MeterValues":
            return self._take_in_readings(connection, frame, text, now)
        if not isinstance(frame, rpc.Call):
            self._commands.is_answered(connection.station_id, frame.message_id)
        if isinstance(frame, rpc.CallResult | rpc.CallError):
            answered = intake.Answered(connection, frame, text, now)
            return self._submit(connection, Job(together=intake.take_answers, item=answered))
        if isinstance(frame, rpc.Call):
            return self._take_in_call(connection, frame, text, now)
        return self._submit(connection, Job(work=intake.work_of(connection, frame, text, now)))

    def _take_in_call(self, connection: Connection, call: rpc.Call, text: str, now: datetime) -> None:
        called = intake.Called(connection, call, text, now, time.monotonic())
        self._submit(connection, Job(together=intake.take_calls, item=called))

    def _take_in_readings(self, connection: Connection, frame: rpc.Call, text: str, now: datetime) -> None:
        """The path that every sample takes: no row is read, the reading keeps the message, the answer is empty."""
        payload = frame.payload
        if not request_validator(connection.version, "MeterValues").is_valid(payload):
            return self._take_in_call(connection, frame, text, now)
        evse_number = payload["connectorId"] if connection.version == "1.6" else payload["evseId"]
        if evse_number not in OUTLETS:
            return self._take_in_call(connection, frame, text, now)
        is_open = _is_open(text)
        try:
            rows = rows_of(
                payload["meterValue"],
                station_id=connection.station_id,
                evse_number=evse_number,
                transaction_id=str(payload.get("transactionId", "")),
                received_at=now,
                # PostgreSQL takes no NUL: without an answer the station would repeat its sample for ever.
                message_id=frame.message_id.replace("\x00", "\ufffd") if is_open else frame.message_id,
                # Only customData leaves room for a token in a message that its schema accepts.
                message=masking.mask_text(text, "MeterValues") if is_open else text,
            )
        except rpc.CallFailed as failed:
            broken = rpc.BrokenFrame(failed.code, failed.description, message_id=frame.message_id)
            return self._refuse(connection, text, broken, now)
        connection.unanswered += 1
        answer = (connection, rpc.result_text(frame.message_id, {}))
        return self.writer.submit(Job(rows=rows, station_id=connection.station_id, token=answer))

    def _refuse(self, connection: Connection, text: str, broken: rpc.BrokenFrame, now: datetime) -> None:
        if not connection.broken.is_kept(now):
            # Counted, and written down as one sum: a station gone mad must not cost three rows for each of its frames.
            self._counted.add(connection)
            if broken.answerable:
                connection.send(rpc.error_text(broken.message_id, broken, connection.version))
            return
        if connection.broken.left_out:
            self._sum_up(connection)
        self._submit(connection, Job(work=intake.refusal_of(connection, broken, text, now)))

    def _sum_up(self, connection: Connection) -> None:
        """Write down how many broken frames were only counted."""
        self._counted.discard(connection)
        left_out, now = connection.broken.take_left_out(), _now()
        if left_out:
            work = lambda: intake.record_left_out(connection, left_out, now)  # noqa: E731
            self.writer.submit(Job(work=work, station_id=connection.station_id))

    def _submit(self, connection: Connection, job: Job) -> None:
        connection.unanswered += 1
        job.station_id, job.token = connection.station_id, (connection, None)
        self.writer.submit(job)

    async def _wait_for_room(self, connection: Connection) -> None:
        connection.roomy = asyncio.Event()
        if connection.unanswered:
            await connection.roomy.wait()
        connection.roomy = None

    # ------------------------------------------------------------ answers and commands out

    def _released(self, jobs: Sequence[Job]) -> None:
        """In the writer's thread, after a commit."""
        try:
            self.loop.call_soon_threadsafe(self._answer, jobs)
        except RuntimeError:  # the loop is closed: the process is going down, and stations will ask again
            logger.debug("%d answers not sent: the loop is closed", len(jobs))

    def _answer(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            if isinstance(job.token, tuple):
                self._answer_frame(job, *job.token)
            elif job.token is not None:
                _settle(job.token, job)
            elif job.error is not None:
                logger.error("A round of the gateway failed", exc_info=job.error)

    def _answer_frame(self, job: Job, connection: Connection, text: str | None) -> None:
        connection.unanswered -= 1
        if connection.roomy is not None and connection.unanswered < MAX_UNANSWERED // 2:
            connection.roomy.set()
        if job.error is not None:
            logger.error("%s: a frame was not taken in", connection.identity, exc_info=job.error)
            return
        if text is None:
            text, look = job.result
            if look:
                self._commands.look([connection.station_id])
        if text is not None:
            connection.send(text)

    def _nudged(self, station_ids: frozenset[int]) -> None:
        """From any thread: these stations have a command waiting."""
        self.loop.call_soon_threadsafe(self._commands.look, station_ids)

    # ------------------------------------------------------------ rounds

    async def _every(self, seconds: float, round_: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await round_()
            except Exception:
                logger.exception("A round of the gateway failed; the next is in %s s", seconds)

    async def _poll(self) -> None:
        self._commands.give_up_overdue()
        now = _now()
        for connection in [one for one in self._counted if one.broken.is_due(now)]:
            self._sum_up(connection)
        if self.connections:
            self._commands.look(await self.run(commands.waiting))

    async def _renew(self) -> None:
        held = {pk: (one.id, one.last_message_at) for pk, one in self.connections.items()}
        lost: dict[int, str] = await self.run(lambda: presence.renew(held=held, now=_now()))
        for station_id, reason in lost.items():
            self._commands.close_lost(station_id, held[station_id][0], reason)
        await self._release_dead()

    async def _release_dead(self) -> None:
        """Those who live end the leases of a gateway that died.

        Not right after the database was away for all: then its other gateways have not renewed theirs yet either.
        """
        before, self._renewed_at = self._renewed_at, self.loop.time()
        if self._renewed_at - before >= 2 * presence.RENEWAL_S:
            return
        # A few at a time, so that the stations here do not wait for it.
        while await self.run(lambda: presence.release_dead(_now(), at_most=RELEASED)) == RELEASED:
            pass


def _is_open(text: str) -> bool:
    """Whether the frame may hold a vendor's own fields, or a NUL; a backslash can hide a letter of their key."""
    return "customData" in text or "\\" in text


def _end_leases(endings: Sequence[presence.Ending]) -> list[None]:
    """In the writer: a fleet loses its line at once."""
    presence.end(endings, now=_now())
    return [None] * len(endings)


def _settle(future: asyncio.Future[Any], job: Job) -> None:
    if future.done():
        return
    if job.error is not None:
        future.set_exception(job.error)
    else:
        future.set_result(job.result)


gateway = Gateway()
