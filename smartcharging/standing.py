"""The rows of a station as the pure code wants them: what it is, what it can take, what should stand on it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import cast

from django.db.models import Q

from smartcharging.domain.checking import Abilities, Place
from smartcharging.domain.judging import StationFacts
from smartcharging.domain.profiles import (
    ChargingPeriod,
    ChargingProfile,
    ChargingSchedule,
    Installed,
    Kind,
    Purpose,
    Recurrency,
    Transaction,
    Unit,
    rules_of,
)
from smartcharging.models import Comparison, DesiredProfile
from stations.models import Capabilities, ChargingSession, Station

State = DesiredProfile.State
PURPOSES = {
    DesiredProfile.Purpose.STATION_MAX: Purpose.STATION_MAX,
    DesiredProfile.Purpose.TX_DEFAULT: Purpose.TX_DEFAULT,
    DesiredProfile.Purpose.TX: Purpose.TX,
}
KINDS = {
    DesiredProfile.Kind.ABSOLUTE: Kind.ABSOLUTE,
    DesiredProfile.Kind.RECURRING: Kind.RECURRING,
    DesiredProfile.Kind.RELATIVE: Kind.RELATIVE,
}
RECURRENCIES = {
    DesiredProfile.Recurrency.DAILY: Recurrency.DAILY,
    DesiredProfile.Recurrency.WEEKLY: Recurrency.WEEKLY,
}
# The station took it, and nothing since says that it is gone. A drifted one should stand there.
STANDING = (State.ACCEPTED, State.CONFIRMED, State.DRIFTED)
# It may stand there: an answer that never came, or a withdrawal that is under way.
UNCERTAIN = (State.UNKNOWN, State.CLEARING)


def profile_of(row: DesiredProfile, ocpp_version: str) -> ChargingProfile:
    """The row as a charging profile of OCPP."""
    schedule = ChargingSchedule(
        unit=cast(Unit, str(row.unit)),
        periods=tuple(
            ChargingPeriod(period["start_s"], period["limit"], period.get("phases")) for period in row.periods
        ),
        start=row.start_schedule,
        duration_s=row.duration_s,
    )
    return ChargingProfile(
        id=row.profile_id,
        stack_level=row.stack_level,
        purpose=PURPOSES[DesiredProfile.Purpose(row.purpose)],
        kind=KINDS[DesiredProfile.Kind(row.kind)],
        schedule=schedule,
        recurrency=RECURRENCIES[DesiredProfile.Recurrency(row.recurrency)] if row.recurrency else None,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        transaction_id=transaction_id_of(row.transaction_id, ocpp_version) if row.transaction_id else None,
    )


def installed_from(rows: Iterable[DesiredProfile], ocpp_version: str) -> list[Installed]:
    """The rows as a station holds them, oldest first."""
    return [
        Installed(profile_of(row, ocpp_version), row.evse_number, row.requested_at)
        for row in sorted(rows, key=lambda row: row.pk)
    ]


def standing_profiles(station: Station) -> list[DesiredProfile]:
    """Profiles that should stand on the station now, as far as it said: accepted and not cleared."""
    return list(DesiredProfile.objects.filter(station=station, state__in=STANDING).order_by("pk"))


def installed_beside(station: Station, profile_id: int) -> int:
    """How many other profiles of ours stand on the station, or may."""
    rows = DesiredProfile.objects.filter(station=station, state__in=(*STANDING, *UNCERTAIN))
    return rows.exclude(profile_id=profile_id).values("profile_id").distinct().count()


def facts_of(station: Station, now: datetime) -> StationFacts:
    """What the composite of this station depends on beside its profiles."""
    capabilities = _capabilities(station)
    sockets = tuple((evse.number, float(evse.socket_a)) for evse in station.evses.order_by("number"))
    if not sockets:
        count = (capabilities and capabilities.evse_count) or 1
        sockets = tuple((number, float(station.connection_a)) for number in range(1, count + 1))
    return StationFacts(
        version=rules_of(station.ocpp_version),
        connection_a=station.connection_a,
        phases=(capabilities and capabilities.phases) or station.connection_phases,
        sockets=sockets,
        transactions=tuple(_transactions(station, now)),
        shows_defaults_idle=_shows_defaults_idle(station),
    )


def place_of(station: Station, now: datetime) -> Place:
    """Where a profile may stand on this station."""
    facts = facts_of(station, now)
    running = tuple((transaction.evse, str(transaction.id)) for transaction in facts.transactions)
    return Place(frozenset(number for number, _ in facts.sockets), station.connection_a, running)


def abilities_of(station: Station) -> Abilities:
    """What the station said that it can take, rule 11; nothing where it was not read."""
    row = _capabilities(station)
    if row is None:
        return Abilities()
    return Abilities(
        smart_charging=row.smart_charging,
        units=tuple(unit for unit in row.rate_units if unit in {"A", "W"}),
        max_periods=row.max_periods,
        max_stack_level=row.max_stack_level,
        max_profiles=row.max_profiles,
    )


def _capabilities(station: Station) -> Capabilities | None:
    return Capabilities.objects.filter(station=station).first()


def _transactions(station: Station, now: datetime) -> list[Transaction]:
    """The running transactions, the newest of each EVSE."""
    sessions = ChargingSession.objects.filter(station=station, state=ChargingSession.State.ACTIVE)
    newest = {
        session.evse_number: session
        for session in sessions.order_by("started_at", "pk")
        if session.evse_number and session.transaction_id
    }
    return [
        Transaction(
            transaction_id_of(session.transaction_id, station.ocpp_version), number, session.started_at or now
        )
        for number, session in newest.items()
    ]


def transaction_id_of(text: str, ocpp_version: str) -> int | str:
    """1.6 counts transactions; a text there is kept as it is, and matches none."""
    return int(text) if ocpp_version == "1.6" and text.lstrip("-").isdigit() else text


def _shows_defaults_idle(station: Station) -> bool:
    """Whether it once answered by our own reading, without a transaction, where only a default limit stood (D9)."""
    seen = Comparison.objects.filter(
        reported__station=station,
        reported__evse_number__gt=0,
        verdict=Comparison.Verdict.EQUAL,
        reason="",
    ).select_related("reported")[:20]
    defaults = DesiredProfile.objects.filter(
        station=station, purpose=DesiredProfile.Purpose.TX_DEFAULT, settled_at__isnull=False
    )
    if not defaults.exists():
        return False
    return any(
        any(period["limit"] is not None for period in comparison.expected)
        and not _was_charging(station, comparison.reported.evse_number, comparison.reported.read_at)
        for comparison in seen
    )


def _was_charging(station: Station, evse_number: int, at: datetime) -> bool:
    return (
        ChargingSession.objects.filter(
            station=station, evse_number=evse_number, started_at__lte=at + timedelta(seconds=5)
        )
        .filter(Q(ended_at__isnull=True) | Q(ended_at__gte=at - timedelta(seconds=5)))
        .exists()
    )
