"""A charging station: sockets, cars, profiles and a link, and what it does with them as time passes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime, timedelta
from typing import Any

from portal.simulator import flowing, past
from portal.simulator.cars import Car, PluggedCar
from portal.simulator.clock import Clock
from portal.simulator.dialect import AVAILABLE, UNAVAILABLE, Dialect, Transaction
from portal.simulator.link import Link, Log, OfflineError
from portal.simulator.memory import Memory
from portal.simulator.metering import BEGIN, CLOCK, END, PERIODIC, TRIGGER
from portal.simulator.profiles import Running, external_limit
from portal.simulator.schedules import Schedules
from portal.simulator.sockets import Permission, Socket
from portal.simulator.spec import StationSpec
from portal.simulator.storing import ProfileRefusedError
from portal.simulator.wire import V16, CallError, Message, Payload, instant

TICK_S = 1.0
BOOT_RETRY_S = 60.0


class Station:
    """The parts a message of the CSMS acts upon. All methods belong to the event loop that runs it."""

    def __init__(
        self,
        spec: StationSpec,
        *,
        dialect: Dialect,
        schedules: Schedules,
        link: Link,
        clock: Clock,
        log: Log,
        sockets: dict[int, Socket],
        memory: Memory,
    ) -> None:
        self.spec = spec
        self.dialect = dialect
        self.schedules = schedules
        self.link = link
        self.clock = clock
        self.sockets = sockets
        self.memory = memory
        self.reset_when_idle = False
        self.each_tick: list[Callable[[], None]] = []
        self.before_boot: Callable[[], None] = lambda: None
        self.admits_offline: Callable[[str], bool] = lambda _token: True
        self._offline_since: datetime | None = None
        self._log = log
        self._boot_reason = "PowerUp"
        self._station_reported = ""
        self._tasks: set[asyncio.Task[Any]] = set()
        self._aligned_slot: int | None = None
        link.opened = self._opened

    # Living

    async def run(self) -> None:
        """Until cancelled; StationRefusedError when the CSMS turns it away at the door."""
        self._end_what_was_cut_off()
        meters = {evse: socket.meter for evse, socket in self.sockets.items()}
        for message in past.tell(self.spec.past, meters, self.dialect):
            self.link.keep(message)
        for evse, car in self.spec.cars:
            self.spawn(self._arrive(evse, car))
        jobs = [self.link.run(), self._live(), self._heartbeats()]
        tasks = [asyncio.create_task(job) for job in jobs]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in [*tasks, *self._tasks]:
                task.cancel()
            await asyncio.gather(*tasks, *self._tasks, return_exceptions=True)

    def _end_what_was_cut_off(self) -> None:
        """The power went while a car charged: what was open ended there and then."""
        for tx, at in self.memory.recall(self.sockets):
            if self.dialect.version is V16 and tx.number is None:
                continue  # the CSMS never numbered it
            sample = self.sockets[tx.evse].meter.sample(at, END, offered_a=0.0, soc=None)
            self.link.keep(self.dialect.ended(tx, sample, "PowerLoss", offline=True))

    def spawn(self, job: Coroutine[Any, Any, Any]) -> None:
        """Start something that outlives the message that asked for it."""
        task = asyncio.create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._spawned)

    def _spawned(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._log.error("a job failed: %r", task.exception())

    async def _arrive(self, evse: int, car: Car) -> None:
        """A car of the description comes `after_s` after the first boot was accepted."""
        while not self.link.registered:
            await self.clock.sleep(TICK_S)
        await self.clock.sleep(car.after_s)
        await self.plug_in(evse, car, car.token)

    async def _live(self) -> None:
        before = self.clock.now()
        while True:
            await self.clock.sleep(TICK_S)
            now = self.clock.now()
            dt_s = min(max((now - before).total_seconds(), 0.0), 60.0)
            before = now
            self._count_offline(now)
            self._flow(dt_s)
            self._expire()
            for follow in self.each_tick:
                follow()
            self._report_samples()
            self.report_statuses()
            self.memory.keep(self.sockets.values(), now)
            if self.reset_when_idle and not any(s.transaction for s in self.sockets.values()):
                self.reset_when_idle = False
                self.spawn(self.reboot("SoftReset", boot_reason="ScheduledReset"))

    async def _heartbeats(self) -> None:
        while True:
            await self.clock.sleep(max(1, self.dialect.heartbeat_interval_s))
            if self.link.registered:
                self.spawn(self.heartbeat())

    async def heartbeat(self) -> None:
        try:
            answer = await self.link.call(self.dialect.heartbeat())
            self._follow(answer)
        except (OfflineError, CallError):
            return  # the next one comes

    # Booting

    async def _opened(self) -> None:
        if not self.link.registered:
            await self._register()
            self._tell_limit()
        self.repeat_statuses()

    async def _register(self) -> None:
        """BootNotification until Accepted, at the pace the CSMS asks (1.6, 4.2; 2.0.1, B02/B03)."""
        while not self.link.registered:
            wait_s = BOOT_RETRY_S
            try:
                answer = await self.link.call(self.dialect.boot(self._boot_reason), before_registration=True)
            except CallError as error:
                self._log.warning("BootNotification: %s", error)
            else:
                wait_s = float(answer.get("interval") or BOOT_RETRY_S)
                self._follow(answer)
                self._log.info("boot %s", answer.get("status"))
                if answer.get("status") == "Accepted":
                    self.dialect.heartbeat_interval_s = int(wait_s)
                    self.link.registered = True
                    return
            await self.clock.sleep(wait_s)

    def _follow(self, answer: Payload) -> None:
        try:
            self.clock.follow(instant(str(answer.get("currentTime")), version=self.dialect.version))
        except CallError:
            self._log.warning("the CSMS told no time: %s", answer.get("currentTime"))

    async def boot_again(self) -> None:
        await self.link.call(self.dialect.boot("Triggered"), before_registration=True)

    async def reboot(self, reason: str = "HardReset", *, boot_reason: str = "RemoteReset") -> None:
        """End what runs, go dark for `boot_s`, come back with the profiles that were stored."""
        self._log.info("rebooting")
        for socket in self.sockets.values():
            socket.permission = None
            self.stop(socket, reason)
        await self.link.drain(timeout_s=2)
        self.link.registered = False
        await self.link.disconnect()
        await self.clock.sleep(self.spec.boot_s)
        self.schedules.load()
        self.before_boot()
        self._boot_reason = boot_reason
        self.link.reconnect()

    async def power_off(self) -> None:
        """End what runs and give the CSMS two seconds to hear of it."""
        for socket in self.sockets.values():
            self.stop(socket, "PowerLoss")
        await self.link.drain(timeout_s=2)

    # Cars and transactions

    async def plug_in(self, evse: int, car: Car, token: str | None = None) -> bool:
        """A car arrives; with a token that is accepted, or a remote start that waits, a transaction begins."""
        socket = self.sockets[evse]
        if socket.car is not None:
            raise ValueError(f"socket {evse} has a car already")
        socket.car, socket.finished = PluggedCar(car), False
        self.report_statuses()
        if socket.permission is not None:
            permission, socket.permission = socket.permission, None
            self.start(socket, permission, remote=True)
        elif token is not None and socket.operative:
            await self._present(socket, token)
        return socket.transaction is not None

    async def _present(self, socket: Socket, token: str) -> None:
        """Hold a token to the reader; by the time the CSMS has answered the car may be gone."""
        if not socket.takes(token):
            self._log.info("socket %s is reserved for another card", socket.evse)
            return
        if await self._authorize(token) and socket.car is not None and socket.transaction is None:
            self.start(socket, Permission(token, self.clock.now()), remote=False)

    async def unplug(self, evse: int) -> None:
        """The car leaves; its transaction ends."""
        socket = self.sockets[evse]
        self.stop(socket, "EVDisconnected")
        socket.car, socket.finished = None, False
        self.report_statuses()

    async def _authorize(self, token: str) -> bool:
        """Without a connection its own list decides, and what it does with unknown tokens."""
        if not self.link.registered:
            return self.admits_offline(token)
        try:
            return self.dialect.token_accepted(await self.link.call(self.dialect.authorize(token)))
        except OfflineError:
            return self.admits_offline(token)
        except CallError:
            return False

    def start(self, socket: Socket, permission: Permission, *, remote: bool) -> Transaction:
        now = self.clock.now()
        tx = Transaction(
            evse=socket.evse,
            token=permission.token,
            started_at=now,
            import_wh=socket.meter.import_wh,
            remote=remote,
            remote_start_id=permission.remote_start_id,
            reservation_id=socket.reservation.number if socket.reservation else None,
        )
        socket.reservation = None
        socket.transaction = tx
        self.link.keep(
            self.dialect.started(
                tx,
                socket.sample(now, BEGIN),
                offline=self._offline,
                refused=lambda: self._token_refused(socket, tx),
            )
        )
        tx.next_sample_at = now + timedelta(seconds=self.dialect.sample_interval_s)
        if permission.profile is not None:
            self._install_for(socket, tx, permission.profile)
        self._flow(0.0)
        return tx

    def _install_for(self, socket: Socket, tx: Transaction, wire: Payload) -> None:
        """The TxProfile that came with a remote start."""
        try:
            if self.dialect.version is not V16:  # 2.x names the transaction from here on (F01.FR.11)
                wire = wire | {"transactionId": tx.key}
            profile = self.dialect.read_profile(socket.evse, wire)
            self.schedules.install(profile, self.as_running(tx))
        except (ProfileRefusedError, CallError) as error:
            self._log.warning("the profile of the remote start was not taken: %s", error)

    def _token_refused(self, socket: Socket, tx: Transaction) -> None:
        if socket.transaction is tx:
            self.stop(socket, "DeAuthorized")

    def stop(self, socket: Socket, reason: str) -> None:
        """End the transaction of a socket, if it has one. `reason` in the words of 1.6."""
        tx = socket.transaction
        if tx is None:
            return
        sample = socket.sample(self.clock.now(), END)
        socket.stop()
        tx.state = socket.status
        self.link.keep(self.dialect.ended(tx, sample, reason, offline=self._offline))
        self.schedules.transaction_ended(socket.evse)
        self.report_statuses()

    @property
    def _offline(self) -> bool:
        return not (self.link.online and self.link.registered)

    def note(self, text: str, *details: object) -> None:
        self._log.info(text, *details)

    # Charging

    def as_running(self, tx: Transaction) -> Running:
        """Floored to the second like every moment of a schedule: a composite asked at once must see it."""
        started_at = tx.started_at.replace(microsecond=0)
        return Running(self.dialect.transaction_name(tx), started_at, priority=tx.priority)

    def running(self) -> dict[int, Running]:
        return {
            evse: self.as_running(socket.transaction)
            for evse, socket in self.sockets.items()
            if socket.transaction is not None
        }

    def _flow(self, dt_s: float) -> None:
        flowing.flow(self.sockets, self.schedules, self.running(), now=self.clock.now(), dt_s=dt_s)

    def limit_externally(self, amperes: float | None) -> None:
        """An energy system on the spot, or the grid operator, limits the whole station per phase; None: no longer."""
        before, at = self.schedules.external, self.clock.now().replace(microsecond=0)
        self.schedules.external = None if amperes is None else external_limit(amperes, at)
        if self.schedules.external is not None:
            self._tell_limit()
        elif before is not None:
            self._keep(self.dialect.limit_cleared())

    def _tell_limit(self) -> None:
        limit = self.schedules.external
        if limit is not None:
            self._keep(self.dialect.limit_set(limit.wire))

    def _count_offline(self, now: datetime) -> None:
        self._offline_since = (self._offline_since or now) if self._offline else None
        offline_s = (now - self._offline_since).total_seconds() if self._offline_since else 0.0
        self.schedules.note_offline(offline_s)

    def _expire(self) -> None:
        now = self.clock.now()
        for socket in self.sockets.values():
            if socket.permission is not None and now >= socket.permission.until:
                socket.permission = None

    # Reporting

    def report_statuses(self) -> None:
        """Tell what changed since it was last told; while offline nothing is, and all of it afterwards."""
        for socket in self.sockets.values():
            self._report_state(socket)
        if self._offline:
            return
        now = self.clock.now()
        if self.dialect.reports_station_status:
            out = all(not socket.operative for socket in self.sockets.values())
            status = UNAVAILABLE if out else AVAILABLE
            if self._station_reported != status:
                self._station_reported = status
                self.link.tell(self.dialect.status(0, status, now))
        for socket in self.sockets.values():
            name = self.dialect.status_name(socket.status)
            if socket.reported != name:
                socket.reported = name
                self.link.tell(self.dialect.status(socket.evse, socket.status, now))

    def repeat_statuses(self, evses: list[int] | None = None) -> None:
        """Tell the status of those sockets again, of the whole station for None."""
        if evses is None:
            self._station_reported = ""
        for evse in evses or self.sockets:
            self.sockets[evse].reported = ""
        self.report_statuses()

    def _report_state(self, socket: Socket) -> None:
        tx = socket.transaction
        if tx is not None and tx.state != socket.status:
            tx.state = socket.status
            sample = socket.sample(self.clock.now(), PERIODIC)
            self._keep(self.dialect.state_changed(tx, sample, offline=self._offline))

    def _keep(self, message: Message | None) -> None:
        if message is not None:
            self.link.keep(message)

    def _report_samples(self) -> None:
        now = self.clock.now()
        for socket in self.sockets.values():
            tx = socket.transaction
            interval_s = self.dialect.sample_interval_s
            if tx is not None and tx.next_sample_at is not None and now >= tx.next_sample_at and interval_s:
                tx.next_sample_at = now + timedelta(seconds=interval_s)
                sample = socket.sample(now, PERIODIC)
                self._keep(self.dialect.sampled(tx, sample, offline=self._offline))
        interval_s = self.dialect.aligned_interval_s
        slot = int(now.timestamp() // interval_s) if interval_s else None
        if slot != self._aligned_slot and self._aligned_slot is not None and slot is not None:
            self.report_readings(self.sockets, CLOCK)
        self._aligned_slot = slot

    def report_readings(self, evses: Iterable[int], context: str = TRIGGER) -> None:
        """MeterValues of those sockets, now; on the clock inside a transaction of 2.x a TransactionEvent."""
        for evse in evses:
            socket = self.sockets[evse]
            sample, tx = socket.sample(self.clock.now(), context), socket.transaction
            if tx is not None and context == CLOCK:
                self._keep(self.dialect.sampled(tx, sample, offline=self._offline))
            else:
                self._keep(self.dialect.measured(evse, [sample], tx))

    def report_transactions(self, evses: Iterable[int]) -> None:
        """The TransactionEvents a CSMS asked for (2.x, F06)."""
        for evse in evses:
            socket = self.sockets[evse]
            if socket.transaction is not None:
                sample = socket.sample(self.clock.now(), TRIGGER)
                self._keep(self.dialect.sampled(socket.transaction, sample, offline=self._offline))
