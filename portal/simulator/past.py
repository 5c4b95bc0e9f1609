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
    """Readings at the interval: full current until the energy is in, nothing, then what the car gave back. Leaves the
    meter at the end."""
    taken_wh, given_wh = meter.taken_wh, meter.given_wh
    stretches = _stretches(session)
    at = session.started_at
    while (at := at + timedelta(seconds=session.sample_interval_s)) < session.ended_at:
        meter.taken_wh = taken_wh + sum(s.counted_wh(at) for s in stretches if s.current_a > 0)
        meter.given_wh = given_wh + sum(s.counted_wh(at) for s in stretches if s.current_a < 0)
        flowing_a = sum(s.current_a for s in stretches if s.begins <= at < s.ends)
        meter.flow(flowing_a, session.phases, 0)
        yield meter.sample(at, PERIODIC, offered_a=session.current_a if flowing_a >= 0 else 0.0, soc=None)
    meter.flow(0.0, session.phases, 0)
    meter.taken_wh = taken_wh + session.energy_wh
    meter.given_wh = given_wh + session.discharge_wh


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A time of one current, below 0 out of the car."""

    begins: datetime
    ends: datetime
    current_a: float
    energy_wh: float

    def counted_wh(self, at: datetime) -> float:
        length_s = (self.ends - self.begins).total_seconds()
        gone_s = min(max((at - self.begins).total_seconds(), 0.0), length_s)
        return self.energy_wh * gone_s / length_s if length_s else self.energy_wh


def _stretches(session: PastSession) -> list[_Stretch]:
    """Charging from the start on; giving back from the first reading at which the car had rested an interval.
    ValueError where they do not fit."""
    charging = _stretch(session, session.started_at, session.current_a, session.energy_wh)
    stretches = [charging]
    if session.discharge_wh:
        full_s = (charging.ends - session.started_at).total_seconds()
        rests_until_s = (full_s // session.sample_interval_s + 2) * session.sample_interval_s
        begins = session.started_at + timedelta(seconds=rests_until_s)
        stretches.append(_stretch(session, begins, -session.discharge_a, session.discharge_wh))
    if stretches[-1].ends > session.ended_at:
        raise ValueError(
            f"{session.energy_wh:g} Wh in and {session.discharge_wh:g} Wh out do not fit in the past session of "
            f"{session.started_at}"
        )
    return stretches


def _stretch(session: PastSession, begins: datetime, current_a: float, energy_wh: float) -> _Stretch:
    meter = Meter()
    meter.flow(current_a, session.phases, 0)
    lasts = timedelta(hours=energy_wh / abs(meter.power_w))
    return _Stretch(begins, begins + lasts, current_a, energy_wh)
