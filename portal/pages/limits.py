"""The limits of a station over a day as a page tells them: which limit when, which profile decides it, what comes next.

From our records: a profile counts from the moment the station accepted it until it was cleared, so that what is shown
of this morning is what stood this morning. The engine computes the limit, as it does for smartcharging.services; here
is only who decided it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from operator import attrgetter

from django.db.models import Prefetch, Q

from smartcharging.domain.judging import Question, StationFacts, expected_periods
from smartcharging.domain.profiles import Installed, Purpose, Transaction, Unit, rules_of
from smartcharging.models import Delivery, DesiredProfile
from smartcharging.standing import STANDING, profile_of, transaction_id_of
from stations.models import ChargingSession, Command, Station

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
    def names(self) -> str:
        """Of the profiles that decide it."""
        return ", ".join(winner.name for winner in self.winners)

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

    def station_changes(self) -> list[datetime]:
        """The moments at which the limit of the station as a whole may change, in order."""
        runs = [
            run for item in self.standing if item.is_station_max for run in self.in_force[item.desired.pk]
        ]
        return sorted({moment for run in runs for moment in (run.start, run.end)})

    def station_max(self, moment: datetime) -> tuple[DesiredProfile, float] | None:
        """The profile that limits the station as a whole at `moment`, with its limit in A per phase."""
        return _highest(
            [
                (item, run.limit_a)
                for item in self.standing
                if item.is_station_max
                for run in self.in_force[item.desired.pk]
                if run.start <= moment < run.end
            ]
        )


@dataclass(frozen=True, slots=True)
class Window:
    """What is looked at: an EVSE of a station (0: the whole of it), from `start` until `end`."""

    facts: StationFacts
    evse: int
    start: datetime
    end: datetime

    @property
    def ceiling_a(self) -> float:
        """What the connection, or the socket on it, gives at most."""
        return self.facts.socket_a(self.evse) if self.evse else self.facts.connection_a

    @property
    def evses(self) -> Sequence[int]:
        return (self.evse,) if self.evse else [number for number, _ in self.facts.sockets] or (1,)

    def answer(
        self, installed: Sequence[Installed], *, unit: Unit, evse: int, capped: bool = False
    ) -> list[tuple[datetime, float | None]]:
        """Moments from which each limit holds; None where nothing limits."""
        duration_s = int((self.end - self.start).total_seconds())
        question = Question(evse, self.start, duration_s, unit)
        start = self.start.replace(microsecond=0)
        return [
            (start + timedelta(seconds=period.start_s), period.limit)
            for period in expected_periods(installed, question, self.facts, capped=capped)
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
    window = Window(_facts(station, active), evse, start, end)
    in_force = {item.desired.pk: tuple(_alone(item, window)) for item in standing}
    return Limits(standing, tuple(_stretches(standing, in_force, window)), in_force)


def _facts(station: Station, active: Iterable[ChargingSession]) -> StationFacts:
    """As smartcharging.standing.facts_of, from rows that are here already."""
    return StationFacts(
        version=rules_of(station.ocpp_version),
        connection_a=float(station.connection_a),
        phases=station.connection_phases,
        sockets=tuple((evse.number, float(evse.socket_a)) for evse in station.evses.all()),
        transactions=tuple(
            Transaction(
                transaction_id_of(session.transaction_id or "", station.ocpp_version),
                session.evse_number,
                session.started_at,
            )
            for session in active
            if session.evse_number and session.started_at
        ),
    )


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


def _alone(item: Standing, window: Window) -> Iterator[InForce]:
    """Where this profile has a period of its own: what the engine answers when it is the only one."""
    answer = window.answer([item.installed], unit="A", evse=item.installed.evse or 1)
    for (start, limit_a), until in zip(answer, [at for at, _ in answer[1:]] + [window.end], strict=True):
        if limit_a is not None:
            yield InForce(start, until, limit_a)


def _stretches(
    standing: Sequence[Standing], in_force: dict[int, tuple[InForce, ...]], window: Window
) -> Iterator[Stretch]:
    """Between two moments at which anything changes, the limit of what is looked at and who decides it."""
    installed = [item.installed for item in standing]
    amps = window.answer(installed, unit="A", evse=window.evse, capped=True)
    watts = window.answer(installed, unit="W", evse=window.evse, capped=True)
    changes = {at for at, _ in (*amps, *watts)} | {
        moment for runs in in_force.values() for run in runs for moment in (run.start, run.end)
    }
    moments = sorted(at for at in {*changes, window.start, window.end} if window.start <= at <= window.end)
    pieces = []
    for start, until in pairwise(moments):
        limit_a = _value_at(amps, start)
        leading = _leading(standing, in_force, start, window.evses)
        winners = _winners(leading, limit_a, window.ceiling_a)
        pieces.append(Stretch(start, until, limit_a, _value_at(watts, start), winners))
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
    standing: Sequence[Standing],
    in_force: dict[int, tuple[InForce, ...]],
    moment: datetime,
    evses: Sequence[int],
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
