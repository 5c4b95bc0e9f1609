"""A station's past: sessions from when it had no connection, told through the socket once it has one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.simulator.dialect import CHARGING, SUSPENDED_EV, Dialect, Transaction
from portal.simulator.metering import BEGIN, END, PERIODIC, Meter, Sample
from portal.simulator.spec import PastSession
from portal.simulator.wire import Message


@dataclass(frozen=True, slots=True)
class _Told:
    at: datetime
    message: Message


def tell(sessions: Iterable[PastSession], meters: dict[int, Meter], dialect: Dialect) -> list[Message]:
    """Every message those sessions left, over all sockets in the order of their time. The meters move on, so
    that what happens next counts from there. ValueError where sessions of a socket overlap."""
    told: list[_Told] = []
    ends: dict[int, datetime] = {}
    for session in sorted(sessions, key=lambda session: session.started_at):
        if session.evse in ends and session.started_at < ends[session.evse]:
            raise ValueError(f"two past sessions at socket {session.evse} overlap at {session.started_at}")
        ends[session.evse] = session.ended_at
        told += _session(session, meters[session.evse], dialect)
    return [one.message for one in sorted(told, key=lambda one: one.at)]


def _session(session: PastSession, meter: Meter, dialect: Dialect) -> Iterator[_Told]:
    tx = Transaction(
        evse=session.evse,
        token=session.token,
        started_at=session.started_at,
        import_wh=meter.import_wh,
        state=CHARGING,
    )
    begin = meter.sample(session.started_at, BEGIN, offered_a=session.current_a, soc=None)
    yield _Told(begin.at, dialect.started(tx, begin, offline=True, refused=lambda: None))
    for sample in _samples(session, meter):
        tx.state = CHARGING if sample.power_w else SUSPENDED_EV
        message = dialect.sampled(tx, sample, offline=True)
        if message is not None:
            yield _Told(sample.at, message)
    end = meter.sample(session.ended_at, END, offered_a=0.0, soc=None)
    yield _Told(end.at, dialect.ended(tx, end, "EVDisconnected", offline=True))


def _samples(session: PastSession, meter: Meter) -> Iterator[Sample]:
    """Readings at the interval: full current until the energy is in, none after. Leaves the meter at the end."""
    start_wh, at = meter.import_wh, session.started_at
    meter.flow(session.current_a, session.phases, 0)
    full_s = session.energy_wh / meter.power_w * 3600
    length_s = (session.ended_at - session.started_at).total_seconds()
    if full_s > length_s:
        raise ValueError(f"{session.energy_wh:g} Wh does not fit in the past session of {session.started_at}")
    while (at := at + timedelta(seconds=session.sample_interval_s)) < session.ended_at:
        charged_s = min((at - session.started_at).total_seconds(), full_s)
        meter.import_wh = start_wh + session.energy_wh * charged_s / full_s
        charging = charged_s < full_s
        meter.flow(session.current_a if charging else 0.0, session.phases, 0)
        yield meter.sample(at, PERIODIC, offered_a=session.current_a, soc=None)
    meter.flow(0.0, session.phases, 0)
    meter.import_wh = start_wh + session.energy_wh
