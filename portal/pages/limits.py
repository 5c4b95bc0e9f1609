"""The limits of a station over a day as a page tells them: which limit when, which profile decides it, what comes next.

From our records: a profile counts from the moment the station accepted it until it was cleared, so that what is shown
of this morning is what stood this morning. The limit and who wins are smartcharging.domain.explain's; here they meet
the rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from django.db.models import Prefetch, Q

from smartcharging.domain.comparing import limit_at
from smartcharging.domain.explain import Claim, Explanation, Hardware, Outcome, explain
from smartcharging.domain.judging import Question, StationFacts, expected_periods
from smartcharging.domain.profiles import CompositePeriod, Installed, Purpose, Transaction, Unit, rules_of
from smartcharging.in_force import Other
from smartcharging.models import Delivery, DesiredProfile
from smartcharging.standing import STANDING, profile_of, transaction_id_of
from stations.models import ChargingSession, Command, Station

State = DesiredProfile.State
# A claim with one of these leads its purpose, whether or not it is the lowest.
LEADING = frozenset({Outcome.WINS, Outcome.HIGHER})
Owner = DesiredProfile | str
"""Whose each profile is: ours, or that of others, by name."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A profile that stood on the station, clipped to when it did."""

    desired: DesiredProfile
    installed: Installed

    @property
    def is_station_max(self) -> bool:
        return self.installed.profile.purpose is Purpose.STATION_MAX


class Winner(NamedTuple):
    """A profile that decides: ours (`desired`), or what others have on the station."""

    name: str
    desired: DesiredProfile | None
    is_of_station: bool


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `start` until `end` the station may draw `limit_a` per phase, or `limit_w` in total.

    `winners` decide it: none where the hardware itself is the limit, several where sockets have their own.
    """

    start: datetime
    end: datetime
    limit_a: float
    limit_w: float
    winners: tuple[Winner, ...]

    @property
    def names(self) -> str:
        """Of the profiles that decide it."""
        return ", ".join(winner.name for winner in self.winners)


class Source(NamedTuple):
    """What limits: a profile of ours (`desired`), of others (`other`, its name), the connection or a socket.

    `evse` is where: 0 for the whole station.
    """

    desired: DesiredProfile | None
    other: str
    hardware: Hardware | None
    evse: int

    @property
    def name(self) -> str:
        """Of a profile; empty for hardware."""
        return self.desired.name if self.desired else self.other


class Said(NamedTuple):
    """What a source would allow by itself, in A per phase (None: it names no limit), and what became of it."""

    source: Source
    limit_a: float | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Piece:
    """From `start` until `end` nothing changes: neither the limit, nor who says what."""

    start: datetime
    end: datetime
    limit_a: float
    said: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class InForce:
    """A period of one profile: where it applies, whether or not it decides."""

    start: datetime
    end: datetime
    limit_a: float


@dataclass(frozen=True, slots=True)
class Limits:
    """What held and will hold in a window.

    `in_force`: per profile the stretches where it has a period. `pieces`: all that is said of the limit, and by whom.
    """

    standing: tuple[Standing, ...]
    stretches: tuple[Stretch, ...]
    in_force: dict[int, tuple[InForce, ...]]
    pieces: tuple[Piece, ...]

    def at(self, moment: datetime) -> Stretch | None:
        return next((item for item in self.stretches if item.start <= moment < item.end), None)

    def piece_at(self, moment: datetime) -> Piece | None:
        return next((item for item in self.pieces if item.start <= moment < item.end), None)

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
        piece = self.piece_at(moment)
        for source, limit_a, outcome in piece.said if piece else ():
            row = source.desired
            if row is None or limit_a is None or outcome not in LEADING:
                continue
            if row.purpose == DesiredProfile.Purpose.STATION_MAX:
                return row, limit_a
        return None


@dataclass(frozen=True, slots=True)
class Window:
    """What is looked at: an EVSE of a station (0: the whole of it), from `start` until `end`."""

    facts: StationFacts
    evse: int
    start: datetime
    end: datetime

    def question(self, unit: Unit) -> Question:
        return Question(self.evse, self.start, int((self.end - self.start).total_seconds()), unit)

    def moment(self, second: int) -> datetime:
        """So many seconds after the window's start, by whole seconds as stations count; at most its end."""
        return min(self.start.replace(microsecond=0) + timedelta(seconds=second), self.end)

    def second(self, moment: datetime) -> int:
        """The other way round."""
        return int((moment - self.start.replace(microsecond=0)).total_seconds())


def limits_of(
    station: Station,
    *,
    profiles: Iterable[DesiredProfile],
    active: Iterable[ChargingSession],
    others: Iterable[Other],
    start: datetime,
    end: datetime,
    evse: int = 0,
) -> Limits:
    """The limits of `station` from `start` until `end`, or of one of its EVSEs.

    `profiles` come with their deliveries and commands prefetched, `station` with its EVSEs; `active` are the sessions
    that run now; `others`: what others have there.
    """
    standing = tuple(
        item for profile in profiles if (item := standing_of(profile, station.ocpp_version)) is not None
    )
    sockets = ((each.number, float(each.socket_a)) for each in station.evses.all())
    window = Window(facts_from(station, sockets=sockets, active=active), evse, start, end)
    owners: list[tuple[Installed, Owner]] = [(item.installed, item.desired) for item in standing]
    owners += [(other.installed, other.name) for other in others]
    installed = [item for item, _ in owners]
    explained = explain(installed, window.question("A"), window.facts)
    watts = expected_periods(installed, window.question("W"), window.facts, capped=True)
    pieces = tuple(_pieces(explained, owners, window))
    in_force = dict.fromkeys((item.desired.pk for item in standing), ()) | _in_force(pieces)
    return Limits(standing, tuple(_stretches(pieces, watts, window)), in_force, pieces)


def facts_from(
    station: Station, *, sockets: Iterable[tuple[int, float]], active: Iterable[ChargingSession]
) -> StationFacts:
    """As smartcharging.standing.facts_of, from rows that are here already. `sockets`: EVSE and its A per phase."""
    return StationFacts(
        version=rules_of(station.ocpp_version),
        connection_a=float(station.connection_a),
        phases=station.connection_phases,
        sockets=tuple(sockets),
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


def _in_force(pieces: Iterable[Piece]) -> dict[int, tuple[InForce, ...]]:
    """Where each profile has a period, with the limit it would set by itself; one claim for a default on every EVSE."""
    runs: dict[int, list[tuple[datetime, datetime, float]]] = {}
    for piece in pieces:
        seen = set()
        for source, limit_a, _outcome in piece.said:
            if source.desired is None or limit_a is None or source.desired.pk in seen:
                continue
            seen.add(source.desired.pk)
            own = runs.setdefault(source.desired.pk, [])
            if own and own[-1][1:] == (piece.start, limit_a):
                own[-1] = own[-1][0], piece.end, limit_a
            else:
                own.append((piece.start, piece.end, limit_a))
    return {pk: tuple(InForce(*run) for run in own) for pk, own in runs.items()}


def _stretches(
    pieces: Iterable[Piece], watts: Sequence[CompositePeriod], window: Window
) -> Iterator[Stretch]:
    """Where the limit or who decides it changes; claims that lose come and go within a stretch."""
    for (limit_a, winners), group in groupby(pieces, key=_decided):
        run = list(group)
        limit_w = limit_at(watts, window.second(run[0].start))
        profiles = [said.source for said in winners if said.source.hardware is None]
        yield Stretch(
            start=run[0].start,
            end=run[-1].end,
            limit_a=limit_a,
            limit_w=math.inf if limit_w is None else limit_w,
            winners=tuple(
                dict.fromkeys(Winner(each.name, each.desired, each.evse == 0) for each in profiles)
            ),
        )


def _decided(piece: Piece) -> tuple[float, tuple[Said, ...]]:
    return piece.limit_a, tuple(said for said in piece.said if said.outcome is Outcome.WINS)


def _pieces(
    explained: Iterable[Explanation], owners: Iterable[tuple[Installed, Owner]], window: Window
) -> Iterator[Piece]:
    # By identity: to hash a profile is to hash all its periods, and a claim holds the very one that was asked about.
    owner_of = {id(item): owner for item, owner in owners}
    sources: dict[tuple[int, int], Source] = {}

    def source_of(claim: Claim) -> Source:
        key = id(claim.source), claim.evse
        if key not in sources:
            sources[key] = _source(claim, owner_of.get(key[0], ""))
        return sources[key]

    for told in explained:
        said = tuple(Said(source_of(claim), claim.limit, claim.outcome) for claim in told.claims)
        limit_a = math.inf if told.limit is None else told.limit
        yield Piece(window.moment(told.start_s), window.moment(told.end_s), limit_a, said)


def _source(claim: Claim, owner: Owner) -> Source:
    if isinstance(claim.source, Hardware):
        return Source(None, "", claim.source, claim.evse)
    if isinstance(owner, str):
        return Source(None, owner, None, claim.evse)
    return Source(owner, "", None, claim.evse)
