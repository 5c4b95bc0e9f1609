"""All that decides the next step of a profile, read from the rows of its station."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from smartcharging import drifts
from smartcharging.domain.answers import station_words
from smartcharging.domain.checking import PASSING, problems
from smartcharging.domain.progress import Delivery as DeliveryMade
from smartcharging.domain.progress import Intent, Outcome, Progress, Reading, State, Wish
from smartcharging.domain.sayings import Words
from smartcharging.freshness import has_new_firmware, is_stale
from smartcharging.models import Delivery, DesiredProfile, ReportedSchedule
from smartcharging.profile_lists import listed_of
from smartcharging.readback import asked_evse, open_questions
from smartcharging.sayings import of_problem
from smartcharging.standing import ORIGIN, place_among, place_of, profile_of
from stations import presence
from stations.models import Command, Presence, Station

# A station that does not say what it can take is asked all the same, after this long (rule 11).
CAPABILITIES_WAIT_S = 60
OUTCOMES = {
    Command.State.QUEUED: Outcome.OPEN,
    Command.State.SENT: Outcome.OPEN,
    Command.State.ACCEPTED: Outcome.ACCEPTED,
    Command.State.REFUSED: Outcome.REFUSED,
    Command.State.FAILED: Outcome.FAILED,
    Command.State.UNKNOWN: Outcome.UNKNOWN,
    Command.State.EXPIRED: Outcome.NEVER_SENT,
    Command.State.CANCELLED: Outcome.NEVER_SENT,
}
# Codes of a CALLERROR that will be the same the next time (OCPP-J 1.6 4.2.3).
LASTING_ERRORS = ("NotImplemented", "NotSupported")


@dataclass(frozen=True, slots=True)
class Contact:
    """The station's line: is it there, since when, and may it be sent to."""

    online: bool
    ready: bool
    since: datetime | None


def progress_of(
    row: DesiredProfile,
    station: Station,
    now: datetime,
    *,
    reading: Reading | None = None,
    may_read: bool = True,
) -> Progress:
    """All that decides the next step of `row`, read from the rows."""
    contact = _contact(station, row, now)
    delivery = row.deliveries.select_related("command").first()
    listed, listed_words = listed_of(row, station, contact.since, now)
    return Progress(
        state=State(row.state),
        wish=_wish(row),
        sends=row.attempts,
        reads=_reads(row, contact, delivery),
        wake_at=row.next_attempt_at,
        online=contact.online,
        ready=contact.ready and not _is_place_taken(row, station),
        settled=row.settled_at is not None,
        stale=is_stale(row, contact.since, now),
        asked=asked_evse(row) in open_questions(station.pk),
        busy=not may_read or _is_busy(station),
        obstacle=_obstacle(row, station, now),
        delivery=_made(delivery),
        reading=reading,
        listed=listed,
        listed_words=listed_words,
        reconnected=_is_before(row.settled_at, contact.since),
        repairs=reading is None or drifts.is_repaired(row),  # decides only when something was read
        vanishes=row.purpose == DesiredProfile.Purpose.TX and _is_before(row.confirmed_at, station.booted_at),
        new_firmware=has_new_firmware(row),
    )


def _is_before(moment: datetime | None, other: datetime | None) -> bool:
    return moment is not None and other is not None and moment < other


def _contact(station: Station, row: DesiredProfile, now: datetime) -> Contact:
    line = Presence.objects.filter(presence.online(now), station=station).first()
    since = line.connected_at if line else None
    if since is not None and station.booted_at is not None:
        since = max(since, station.booted_at)
    read_at = _abilities_read_at(station)
    waited_since = max(filter(None, (since, row.requested_at)))
    waited = now >= waited_since + timedelta(seconds=CAPABILITIES_WAIT_S)
    return Contact(online=line is not None, ready=read_at is not None or waited, since=since)


def _abilities_read_at(station: Station) -> datetime | None:
    """When the station last said what it can take."""
    capabilities = getattr(station, "capabilities", None)
    return capabilities.read_at if capabilities else None


def _wish(row: DesiredProfile) -> Wish:
    if row.withdrawn_at is None:
        return Wish.STANDS
    is_withdrawal = row.state in (DesiredProfile.State.CLEARING, DesiredProfile.State.CLEARED)
    return Wish.WITHDRAWN if is_withdrawal else Wish.SUPERSEDED


def _reads(row: DesiredProfile, contact: Contact, delivery: Delivery | None) -> int:
    """Answers to our question since the last delivery and since the station connected."""
    rows = ReportedSchedule.objects.filter(
        station_id=row.station_id, evse_number=asked_evse(row), command__origin=ORIGIN
    ).exclude(comparison__verdict="equal")
    if delivery is not None:
        rows = rows.filter(command__pk__gt=delivery.command_id)
    if contact.since is not None:
        rows = rows.filter(read_at__gte=contact.since)
    return rows.count()


def _is_place_taken(row: DesiredProfile, station: Station) -> bool:
    """2.x refuses a second profile on a place (K01.FR.06): what is being withdrawn there goes first."""
    if station.ocpp_version == "1.6":
        return False
    leaving = DesiredProfile.objects.filter(
        station=station,
        evse_number=row.evse_number,
        purpose=row.purpose,
        stack_level=row.stack_level,
        state=DesiredProfile.State.CLEARING,
        settled_at__isnull=True,
    )
    return leaving.exclude(pk=row.pk).exists()


def _is_busy(station: Station) -> bool:
    """Profiles are on their way; what was asked now would be overtaken."""
    return Delivery.objects.filter(command__station=station, command__state__in=Command.OPEN).exists()


def _obstacle(row: DesiredProfile, station: Station, now: datetime) -> Words:
    """What OCPP or the station's own capabilities have against sending the profile now."""
    place = place_among(place_of(station, now), station, row.profile_id, wished=False)
    profile = profile_of(row, station.ocpp_version)
    found = problems(profile, evse=row.evse_number, place=place, now=now)
    return next((of_problem(problem) for problem in found if problem.rule not in PASSING), "")


def _made(delivery: Delivery | None) -> DeliveryMade | None:
    if delivery is None:
        return None
    command = delivery.command
    outcome = OUTCOMES[Command.State(command.state)]
    if outcome is Outcome.FAILED and command.error.startswith(LASTING_ERRORS):
        outcome = Outcome.IMPOSSIBLE
    words = command.error or station_words(command.response or {})
    return DeliveryMade(Intent(delivery.intent), outcome, words)
