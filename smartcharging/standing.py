"""The rows of a station as the pure code wants them: what it is, what it can take, what should stand on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast

from django.db.models import Q
from django.db.models.query import QuerySet

from smartcharging.domain.external import External, external_limit
from smartcharging.domain.fields import MalformedProfile
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
from smartcharging.domain.rules import Abilities, Place
from smartcharging.domain.wire import parse_profile
from smartcharging.models import Comparison, DesiredProfile, ExternalLimit, ProfileReport
from stations.models import Capabilities, ChargingSession, Command, Station

State = DesiredProfile.State
ORIGIN = "limits"  # of the commands that dispatch and readback make
CHANGES = ("SetChargingProfile", "ClearChargingProfile")
PROBE_IDS = range(900_000, 1_000_000)  # a probe clears what it set, and puts back what stood there
SAME_MOMENT_S = 5
# In 2.1 a source is any text. No station is limited by as many at once, and each costs a composite of its own.
MOST_EXTERNAL = 50
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


@dataclass(frozen=True, slots=True)
class Beside:
    """What others have on a station. `is_whole`: all of it is known, as far as the station told."""

    installed: tuple[Installed, ...] = ()
    is_whole: bool = True


def beside(station: Station, at: datetime) -> Beside:
    """What limits the station at `at` and is not ours: limits of others, and profiles that it lists beside ours."""
    if station.ocpp_version == "1.6":
        return Beside()
    rows = list(_external_limits(station, at).order_by("-pk")[: MOST_EXTERNAL + 1])
    limits = [external_of(row, station) for row in reversed(rows[:MOST_EXTERNAL])]
    installed = [item for limit in limits for item in limit.installed]
    is_whole = len(rows) <= MOST_EXTERNAL and all(limit.is_whole for limit in limits)
    return Beside((*installed, *foreign(station)), is_whole)


def _external_limits(station: Station, at: datetime) -> QuerySet[ExternalLimit]:
    still = Q(cleared_at__isnull=True) | Q(cleared_at__gt=at)
    rows: QuerySet[ExternalLimit] = ExternalLimit.objects.filter(still, station=station)
    return rows.filter(since__lte=at + timedelta(seconds=SAME_MOMENT_S))


def external_of(row: ExternalLimit, station: Station) -> External:
    """A limit of others as profiles, of which the id is the row's, negative."""
    found = external_limit(
        row.schedules,
        key=row.pk,
        evse=row.evse_number,
        since=row.since,
        version=rules_of(station.ocpp_version),
        purpose=Purpose.LOCAL_GENERATION if row.is_local_generation else Purpose.EXTERNAL_CONSTRAINTS,
    )
    return found if row.is_whole else replace(found, is_whole=False)


def foreign(station: Station) -> Iterator[Installed]:
    """Profiles of others on the station's last list, unless profiles were changed by command since then."""
    report = complete_report(station)
    if report is None or _is_changed_since(report):
        return
    known = ids_of_ours(station)
    for row in report.profiles.all():
        is_known = row.profile_id is None or row.profile_id in known or row.profile_id in PROBE_IDS
        if is_known or row.profile.get("chargingProfilePurpose") == Purpose.EXTERNAL_CONSTRAINTS:
            continue  # the limits of others are told by NotifyChargingLimit, and when they are over
        try:
            profile = parse_profile(row.profile, rules_of(station.ocpp_version))
        except MalformedProfile:
            continue
        yield Installed(profile, row.evse_number)


def complete_report(station: Station) -> ProfileReport | None:
    """The last complete list of profiles."""
    rows = ProfileReport.objects.filter(station=station, state=ProfileReport.State.COMPLETE)
    return rows.order_by("-pk").first()


def ids_of_ours(station: Station) -> set[int]:
    """The profiles that we want on the station, or that may still stand there of those we wanted."""
    rows = DesiredProfile.objects.filter(station=station).exclude(state=State.CLEARED)
    return set(rows.values_list("profile_id", flat=True))


def _is_changed_since(report: ProfileReport) -> bool:
    """Others changed profiles by a command after the question. Our own commands touch ours alone."""
    later = Command.objects.filter(
        station_id=report.station_id, pk__gt=report.command_id, action__in=CHANGES, sent_at__isnull=False
    )
    return later.exclude(origin=ORIGIN).exists()


def facts_of(station: Station, now: datetime) -> StationFacts:
    """What the composite of this station depends on beside its profiles."""
    capabilities = _capabilities(station)
    return StationFacts(
        version=rules_of(station.ocpp_version),
        connection_a=station.connection_a,
        phases=(capabilities and capabilities.phases) or station.connection_phases,
        sockets=_sockets(station, capabilities),
        transactions=tuple(_transactions(station, now)),
        shows_defaults_idle=_shows_defaults_idle(station),
    )


def place_of(station: Station, now: datetime) -> Place:
    """Where a profile may stand on this station, by its own word and by its sessions."""
    capabilities = _capabilities(station)
    running = tuple((each.evse, str(each.id)) for each in _transactions(station, now))
    return Place(
        evses=frozenset(number for number, _ in _sockets(station, capabilities)),
        connection_a=station.connection_a,
        version=rules_of(station.ocpp_version),
        transactions=running,
        abilities=_abilities(capabilities),
    )


def place_among(place: Place, station: Station, profile_id: int, *, wished: bool) -> Place:
    """`place` with the other profiles of ours that stand there.

    `wished`: with those too that are yet to be sent, and with those of others that the station lists: before a limit
    is set, not before it is sent, when the station itself will say.
    """
    rows = DesiredProfile.objects.filter(station=station).exclude(profile_id=profile_id)
    counts = Q(state__in=(*STANDING, *UNCERTAIN))
    if wished:
        counts |= Q(withdrawn_at__isnull=True) & ~Q(state__in=(State.REFUSED, State.UNSUPPORTED))
    standing = list(rows.filter(counts).order_by("pk"))
    installed = [row for row in standing if row.state in STANDING or (wished and row.withdrawn_at is None)]
    ids = {row.profile_id for row in installed}
    leaving = {row.profile_id for row in standing} - ids
    others = foreign(station) if wished and place.version != "1.6" else ()
    there = (*installed_from(installed, station.ocpp_version), *others)
    return replace(place, installed=there, leaving=len(leaving))


def abilities_of(station: Station) -> Abilities:
    """What the station said that it can take, rule 11; nothing where it was not read."""
    return _abilities(_capabilities(station))


def _abilities(row: Capabilities | None) -> Abilities:
    if row is None:
        return Abilities()
    return Abilities(
        smart_charging=row.smart_charging,
        units=tuple(unit for unit in row.rate_units if unit in {"A", "W"}),
        max_periods=row.max_periods,
        max_stack_level=row.max_stack_level,
        max_profiles=row.max_profiles,
        phases=row.phases,
        phase_switching=row.ac_phase_switching,
        purposes=_said(row.supported_purposes),
        dynamic=row.dynamic_profiles,
        modes=_said(row.operation_modes),
        local_time=row.local_time,
    )


def _said(items: list[str] | None) -> tuple[str, ...] | None:
    return None if items is None else tuple(items)


def _sockets(station: Station, capabilities: Capabilities | None) -> tuple[tuple[int, float], ...]:
    """The station's EVSEs with the current of their sockets; as many as it said, where none is known by itself."""
    sockets = tuple((evse.number, float(evse.socket_a)) for evse in station.evses.order_by("number"))
    if sockets:
        return sockets
    count = (capabilities and capabilities.evse_count) or 1
    return tuple((number, float(station.connection_a)) for number in range(1, count + 1))


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
        reason_code="",
        reason_text="",
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
