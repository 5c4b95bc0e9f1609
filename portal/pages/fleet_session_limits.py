"""Which limits stood at the stations of sessions, and which of them decided: for a page of sessions at once.

Who decides is smartcharging.domain.explain's, from the rows that the page of a session takes too (portal.pages.limits).
What others had on a station takes queries for each: where they had anything, a list says so and decides nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import (
    BooleanField,
    Exists,
    ExpressionWrapper,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
)
from django.db.models.functions import Coalesce

from portal.pages.limits import Standing, Window, facts_from, standing_of
from smartcharging.domain.explain import Explanation, Hardware, explain
from smartcharging.domain.profiles import Purpose
from smartcharging.in_force import HARDWARE
from smartcharging.models import Delivery, DesiredProfile, ExternalLimit, ProfileReport, ReportedProfile
from smartcharging.standing import PROBE_IDS
from stations.models import ChargingSession, Evse

State = ChargingSession.State
# Who decided is computed stretch by stretch: of a session longer than this its own page tells it.
LONGEST = timedelta(days=3)
SHORTEST = timedelta(minutes=1)
NEVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Around:
    """A per phase of the socket of a session (None: not known), and whether others had a limit there."""

    socket_a: float | None
    has_others: bool


@dataclass(frozen=True, slots=True)
class Held:
    """Names of the limits that `stood`, the highest level first, and of what `decided`, in order of time.

    Nothing `decided`: no limit stood, others had one too, or it is not known since when and where it charged.
    """

    stood: tuple[str, ...]
    decided: tuple[str, ...]
    has_others: bool


def limits_during(now: datetime) -> QuerySet[DesiredProfile]:
    """The limits that stood at the station of a session (the outer row) while it ran."""
    return DesiredProfile.objects.filter(
        Q(evse_number=0) | Q(evse_number=OuterRef("evse_number")),
        Q(withdrawn_at__isnull=True) | Q(withdrawn_at__gt=OuterRef("started_at")),
        Q(valid_to__isnull=True) | Q(valid_to__gt=OuterRef("started_at")),
        station=OuterRef("station"),
        confirmed_at__isnull=False,
        requested_at__lt=Coalesce(OuterRef("ended_at"), OuterRef("over_by"), now),
    ).order_by()


def _others_had_a_limit() -> ExpressionWrapper[Q]:
    told = ExternalLimit.objects.filter(
        Q(cleared_at__isnull=True) | Q(cleared_at__gt=OuterRef("started_at")),
        station=OuterRef("station"),
        since__lte=Coalesce(OuterRef("ended_at"), OuterRef("over_by"), NEVER),
    )
    lists = ProfileReport.objects.filter(
        station=OuterRef(OuterRef("station")), state=ProfileReport.State.COMPLETE
    )
    ours = DesiredProfile.objects.filter(
        station=OuterRef("report__station"), profile_id=OuterRef("profile_id")
    ).exclude(state=DesiredProfile.State.CLEARED)
    listed = ReportedProfile.objects.filter(
        ~Exists(ours),
        report=Subquery(lists.order_by("-pk").values("pk")[:1]),
        profile_id__isnull=False,
    ).exclude(profile_id__range=(PROBE_IDS.start, PROBE_IDS.stop - 1))
    # The limits of others are told by NotifyChargingLimit, and when they are over.
    listed = listed.exclude(profile__chargingProfilePurpose=Purpose.EXTERNAL_CONSTRAINTS)
    return ExpressionWrapper(Q(Exists(told)) | Q(Exists(listed)), output_field=BooleanField())


def _own_socket_a() -> Subquery:
    rows = Evse.objects.filter(station=OuterRef("station"), number=OuterRef("evse_number"))
    return Subquery(rows.values("socket_a")[:1])


# Made once: to put them together takes longer than the database does. Of a session, the row that they are asked of:
# whether others limited its station while it ran, or have a profile there by the station's own last list ...
OTHERS_HAD_A_LIMIT = _others_had_a_limit()
# ... and how much its socket can give, in A per phase.
OWN_SOCKET_A = _own_socket_a()


def held_of(
    sessions: Sequence[ChargingSession], around: Mapping[int, Around], *, now: datetime
) -> dict[int, Held]:
    """By session. They come with their stations; two queries."""
    by_station = _profiles(sessions)
    return {
        session.pk: _held(session, by_station[session.station_id], around[session.pk], now)
        for session in sessions
    }


def _profiles(sessions: Sequence[ChargingSession]) -> Mapping[int, list[DesiredProfile]]:
    """By station what was wanted there at some moment since the first of the sessions began."""
    rows = DesiredProfile.objects.filter(station__in={session.station_id for session in sessions})
    starts = [session.started_at for session in sessions if session.started_at]
    if starts:
        rows = rows.filter(Q(withdrawn_at__isnull=True) | Q(withdrawn_at__gte=min(starts)))
    deliveries = Delivery.objects.select_related("command").only(
        "desired", "intent", "command__state", "command__answered_at"
    )
    found = defaultdict(list)
    for row in rows.order_by("-stack_level", "pk").prefetch_related(Prefetch("deliveries", deliveries)):
        found[row.station_id].append(row)
    return found


def _held(
    session: ChargingSession, profiles: Sequence[DesiredProfile], around: Around, now: datetime
) -> Held:
    stood = tuple(dict.fromkeys(row.name for row in profiles if _stood(row, session, now)))
    start, end = session.started_at, session.until or now
    decided: tuple[str, ...] = ()
    if stood and start and not around.has_others and end - start <= LONGEST:
        decided = tuple(dict.fromkeys(_winners(session, profiles, around, (start, end))))
    return Held(stood, decided, around.has_others)


def _stood(row: DesiredProfile, session: ChargingSession, now: datetime) -> bool:
    """As `limits_during` finds it."""
    start, end = session.started_at, session.until or now
    if row.confirmed_at is None or start is None or row.requested_at >= end:
        return False
    if row.evse_number not in (0, session.evse_number or 0):
        return False
    return all(until is None or until > start for until in (row.withdrawn_at, row.valid_to))


def _winners(
    session: ChargingSession,
    profiles: Sequence[DesiredProfile],
    around: Around,
    span: tuple[datetime, datetime],
) -> Iterator[str]:
    """The names of what decided, one stretch after the other; nothing where its socket is not known."""
    evse, (start, end) = session.evse_number, span
    if not evse or around.socket_a is None:
        return
    station = session.station
    found = (standing_of(row, station.ocpp_version) for row in profiles)
    standing = [item for item in found if item is not None]
    active = [session] if session.state == State.ACTIVE else []
    facts = facts_from(station, sockets=[(evse, around.socket_a)], active=active)
    window = Window(facts, evse, start, max(end, start + SHORTEST))
    for told in explain([item.installed for item in standing], window.question("A"), facts):
        yield from _names(told, standing)


def _names(told: Explanation, standing: Sequence[Standing]) -> Iterator[str]:
    # By identity: a claim holds the very one that was asked about.
    names = {id(item.installed): item.desired.name for item in standing}
    for claim in told.winners:
        source = claim.source
        yield str(HARDWARE[source]) if isinstance(source, Hardware) else names[id(source)]
