"""The limits of a station over a day as a page tells them: which limit when, which profile decides it, what comes next.

From our records: a profile counts from the moment the station accepted it until it was cleared, so that what is shown
of this morning is what stood this morning. The engine computes the limit; here is only who decided it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from operator import attrgetter

from django.db.models import Prefetch, Q

from smartcharging.domain.profiles import (
    Installed,
    LocalLimit,
    Purpose,
    Transaction,
    Unit,
    policy_for,
)
from smartcharging.domain.schedule import composite_schedule
from smartcharging.models import Delivery, DesiredProfile
from smartcharging.standing import STANDING, profile_of
from stations.models import ChargingSession, Command, Evse, Station

NOMINAL_V = 230.0
State = DesiredProfile.State


@dataclass(frozen=True, slots=True)
class Standing:
    """A profile that stood on the station, clipped to when it did."""

    desired: DesiredProfile
    installed: Installed

    @property
    def is_station_max(self) -> bool:
        return self.installed.profile.purpose is Purpose.STATION_MAX


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `start` until `end` the station may draw `limit_a` per phase, or `limit_w` in total.

    `winners` decide it: none where the connection itself is the limit, several where sockets have their own.
    """

    start: datetime
    end: datetime
    limit_a: float
    limit_w: float
    winners: tuple[DesiredProfile, ...]

    @property
    def same(self) -> tuple[float, tuple[int, ...]]:
        return self.limit_a, tuple(winner.pk for winner in self.winners)


@dataclass(frozen=True, slots=True)
class InForce:
    """A period of one profile: where it applies, whether or not it decides."""

    start: datetime
    end: datetime
    limit_a: float


@dataclass(frozen=True, slots=True)
class Limits:
    """What held and will hold in a window. `in_force`: per profile id the stretches where it has a period."""

    standing: tuple[Standing, ...]
    stretches: tuple[Stretch, ...]
    in_force: dict[int, tuple[InForce, ...]]

    def at(self, moment: datetime) -> Stretch | None:
        return next((item for item in self.stretches if item.start <= moment < item.end), None)

    def after(self, moment: datetime) -> list[Stretch]:
        return [item for item in self.stretches if item.start > moment]


@dataclass(frozen=True, slots=True)
class Question:
    """What the engine is asked about a station; `evse` 0 asks about the whole of it."""

    station: Station
    evse: int
    evse_count: int
    socket_a: float
    transactions: tuple[Transaction, ...]
    start: datetime
    duration_s: int

    @property
    def ceiling_a(self) -> float:
        """What the connection, or the socket on it, gives at most."""
        connection_a = float(self.station.connection_a)
        return min(connection_a, self.socket_a) if self.evse else connection_a

    @property
    def evses(self) -> range:
        return range(self.evse, self.evse + 1) if self.evse else range(1, self.evse_count + 1)

    def answer(
        self, installed: Sequence[Installed], *, unit: Unit, evse: int, local_a: float | None = None
    ) -> list[tuple[datetime, float | None]]:
        """Moments from which each limit holds; None where nothing limits."""
        composite = composite_schedule(
            installed=installed,
            now=self.start,
            duration_s=self.duration_s,
            unit=unit,
            evse=evse,
            evse_count=self.evse_count,
            transactions=self.transactions,
            defaults=LocalLimit(
                nominal_voltage=NOMINAL_V, phases=self.station.connection_phases, limit_a=local_a
            ),
            policy=policy_for("1.6" if self.station.ocpp_version == "1.6" else "2.0.1"),
        )
        return [
            (composite.start + timedelta(seconds=period.start_s), period.limit)
            for period in composite.periods
        ]


def limits_of(
    station: Station,
    *,
    profiles: Iterable[DesiredProfile],
    active: Iterable[ChargingSession],
    start: datetime,
    end: datetime,
    evse: int = 0,
) -> Limits:
    """The limits of `station` from `start` until `end`, or of one of its EVSEs.

    `profiles` come with their deliveries and commands prefetched, `station` with its EVSEs; `active` are the sessions
    that run now.
    """
    standing = tuple(
        item for profile in profiles if (item := standing_of(profile, station.ocpp_version)) is not None
    )
    evses = list(station.evses.all())
    question = Question(
        station=station,
        evse=evse,
        evse_count=max(1, len(evses)),
        socket_a=_socket_a(station, evses, evse),
        transactions=tuple(
            Transaction(_transaction_id(session), session.evse_number, session.started_at)
            for session in active
            if session.evse_number and session.started_at
        ),
        start=start,
        duration_s=int((end - start).total_seconds()),
    )
    in_force = {item.desired.pk: tuple(_alone(item, question, end)) for item in standing}
    return Limits(standing, tuple(_stretches(standing, in_force, question, end)), in_force)


def _socket_a(station: Station, evses: Sequence[Evse], number: int) -> float:
    """What the socket of one EVSE gives, or the largest of them; as much as the connection where none is known."""
    known = [evse.socket_a for evse in evses if number in (0, evse.number)]
    return float(max(known, default=station.connection_a))


def _transaction_id(session: ChargingSession) -> int | str:
    """A number in 1.6, as its profiles name it."""
    text = session.transaction_id or ""
    return int(text) if session.station.ocpp_version == "1.6" and text.isdigit() else text


def profiles_of(station: Station, *, since: datetime) -> list[DesiredProfile]:
    """The profiles of `station` that were wanted at some moment from `since` on, with what was sent for them."""
    rows = DesiredProfile.objects.filter(station=station).filter(
        Q(withdrawn_at__isnull=True) | Q(withdrawn_at__gte=since)
    )
    deliveries = Prefetch("deliveries", queryset=Delivery.objects.select_related("command"))
    return list(rows.prefetch_related(deliveries).order_by("evse_number", "-stack_level", "pk"))


def standing_of(desired: DesiredProfile, ocpp_version: str) -> Standing | None:
    """The profile clipped to when the station had it; None if it never did."""
    stood = _stood(desired)
    if stood is None:
        return None
    since, until = stood
    profile = profile_of(desired, ocpp_version)
    clipped = replace(
        profile,
        valid_from=max(since, profile.valid_from or since),
        valid_to=min((moment for moment in (until, profile.valid_to) if moment), default=None),
    )
    return Standing(desired, Installed(clipped, desired.evse_number))


def _stood(desired: DesiredProfile) -> tuple[datetime, datetime | None] | None:
    """From the first accepted SetChargingProfile until the accepted ClearChargingProfile."""
    accepted = [
        (delivery.intent, delivery.command.answered_at)
        for delivery in desired.deliveries.all()
        if delivery.command.state == Command.State.ACCEPTED and delivery.command.answered_at
    ]
    since = min((at for intent, at in accepted if intent == Delivery.Intent.SET), default=None)
    if since is None and desired.state in (*STANDING, State.CLEARING):
        since = desired.settled_at or desired.requested_at
    if since is None:
        return None
    until = max((at for intent, at in accepted if intent == Delivery.Intent.CLEAR), default=None)
    if until is None and desired.state != State.CLEARING:
        until = desired.withdrawn_at
    return since, until


def _alone(item: Standing, question: Question, end: datetime) -> Iterator[InForce]:
    """Where this profile has a period of its own: what the engine answers when it is the only one."""
    evse = item.installed.evse or 1
    answer = question.answer([item.installed], unit="A", evse=evse)
    for (start, limit_a), until in zip(answer, [at for at, _ in answer[1:]] + [end], strict=True):
        if limit_a is not None:
            yield InForce(start, until, limit_a)


def _stretches(
    standing: Sequence[Standing],
    in_force: dict[int, tuple[InForce, ...]],
    question: Question,
    end: datetime,
) -> Iterator[Stretch]:
    """Between two moments at which anything changes, the limit of the whole station and who decides it."""
    installed = [item.installed for item in standing]
    amps = question.answer(installed, unit="A", evse=question.evse, local_a=question.socket_a)
    watts = question.answer(installed, unit="W", evse=question.evse, local_a=question.socket_a)
    changes = {at for at, _ in (*amps, *watts)} | {
        moment for runs in in_force.values() for run in runs for moment in (run.start, run.end)
    }
    moments = sorted(moment for moment in {*changes, question.start, end} if question.start <= moment <= end)
    ceiling_w = question.ceiling_a * question.station.connection_phases * NOMINAL_V
    pieces = []
    for start, until in pairwise(moments):
        limit_a = min(_value_at(amps, start), question.ceiling_a)
        leading = _leading(standing, in_force, start, question.evses)
        winners = _winners(leading, limit_a, question.ceiling_a)
        pieces.append(Stretch(start, until, limit_a, min(_value_at(watts, start), ceiling_w), winners))
    for _, group in groupby(pieces, key=attrgetter("same")):
        run = list(group)
        yield replace(run[0], end=run[-1].end)


def _value_at(answer: Sequence[tuple[datetime, float | None]], moment: datetime) -> float:
    value = next((limit for at, limit in reversed(answer) if at <= moment), None)
    return float("inf") if value is None else value


@dataclass(frozen=True, slots=True)
class Leading:
    """Who leads at one moment: the station's Max, and per EVSE its TxProfile or else its TxDefaultProfile."""

    station_max: tuple[DesiredProfile, float] | None
    per_evse: tuple[tuple[DesiredProfile, float] | None, ...]


def _leading(
    standing: Sequence[Standing], in_force: dict[int, tuple[InForce, ...]], moment: datetime, evses: range
) -> Leading:
    running = [
        (item, run.limit_a)
        for item in standing
        for run in in_force[item.desired.pk]
        if run.start <= moment < run.end
    ]
    station_max = _highest([pair for pair in running if pair[0].is_station_max])
    per_evse = tuple(
        _highest(
            [pair for pair in running if not pair[0].is_station_max and pair[0].installed.evse in (0, evse)]
        )
        for evse in evses
    )
    return Leading(station_max, per_evse)


def _highest(pairs: Sequence[tuple[Standing, float]]) -> tuple[DesiredProfile, float] | None:
    """A TxProfile before any TxDefaultProfile, then the highest level, then the socket's own (K02.FR.04, D2)."""
    best = max(
        pairs,
        key=lambda pair: (
            pair[0].installed.profile.purpose is Purpose.TX,
            pair[0].installed.profile.stack_level,
            pair[0].installed.evse,
        ),
        default=None,
    )
    return None if best is None else (best[0].desired, best[1])


def _winners(leading: Leading, limit_a: float, ceiling_a: float) -> tuple[DesiredProfile, ...]:
    """Whose limit it is that is kept; nobody's where the connection or socket is as low."""
    if leading.station_max is not None and leading.station_max[1] <= limit_a:
        return (leading.station_max[0],)
    if limit_a >= ceiling_a:
        return ()
    return tuple({pair[0].pk: pair[0] for pair in leading.per_evse if pair is not None}.values())
