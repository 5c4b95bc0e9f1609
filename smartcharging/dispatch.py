"""Desired against sent and reported: looks at the rows of a station and makes the next Command.

Safe to run twice and at once: every step is one transaction that holds the station's row, reads anew, and moves the
profile by a conditional update together with the command that goes with it. A process that dies between two steps
leaves rows from which the next run goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from django.db import transaction
from django.db.models import DateTimeField, DurationField, ExpressionWrapper, F, IntegerField, Q
from django.db.models.functions import Cast

from smartcharging.domain.answers import station_words
from smartcharging.domain.asking import clear_charging_profile, set_charging_profile
from smartcharging.domain.checking import ends_at, obstacles
from smartcharging.domain.profiles import Unit
from smartcharging.domain.reconcile import (
    Because,
    Do,
    Intent,
    Outcome,
    Progress,
    Reading,
    State,
    Step,
    Wish,
    next_step,
)
from smartcharging.domain.reconcile import Delivery as DeliveryMade
from smartcharging.freshness import LOOK_AGAIN, is_stale
from smartcharging.models import Delivery, DesiredProfile, ReportedSchedule
from smartcharging.readback import ORIGIN, ask, asked_evse, open_questions, take, untaken
from smartcharging.reasons import because_text, problem_text
from smartcharging.standing import abilities_of, installed_beside, profile_of
from stations import commands, presence
from stations.models import ChargingSession, Command, Presence, Station
from stations.ocpp.validation import SchemaViolation, UnknownAction

MAX_STEPS = 4  # of one profile in one run: answered, accepted, asked is the longest chain
# A station that does not say what it can take is asked all the same, after this long (rule 11).
CAPABILITIES_WAIT_S = 60
ENDED = DesiredProfile.State.CLEARED
NOT_THERE = (DesiredProfile.State.REFUSED, DesiredProfile.State.UNSUPPORTED)
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


def reconcile(station_id: int, now: datetime) -> int:
    """Take in what the station answered, and do the next step of each of its profiles. Returns the steps done."""
    done = _take_answers(station_id, now)
    rows = DesiredProfile.objects.filter(station_id=station_id).exclude(state=ENDED)
    keys = list(rows.order_by("pk").values_list("pk", flat=True))
    # First all that changes the station, then the questions: one answer then shows all of it.
    for may_read in (False, True):
        for key in keys:
            for _ in range(MAX_STEPS):
                if not _advance(key, station_id, now, may_read=may_read):
                    break
                done += 1
    return done


def unfinished(now: datetime) -> list[int]:
    """Stations with a profile to look after: not settled, settled before the station's last connection, or long ago."""
    over_at = ExpressionWrapper(
        F("start_schedule")
        + ExpressionWrapper(Cast("duration_s", IntegerField()) * timedelta(seconds=1), DurationField()),
        DateTimeField(),
    )
    over = Q(valid_to__lte=now) | Q(kind=DesiredProfile.Kind.ABSOLUTE, over_at__lte=now)
    of_session = Q(purpose=DesiredProfile.Purpose.TX)
    online = presence.online(now, "station__presence__")
    back = online & Q(settled_at__lt=F("station__presence__connected_at"))
    wanted = Q(withdrawn_at__isnull=True) & ~Q(state__in=NOT_THERE)
    long_ago = online & wanted & Q(settled_at__lte=now - LOOK_AGAIN)
    # An offline station has nothing to gain, but for what was on its way when it went.
    open_end = Q(settled_at__isnull=True) & (online | Q(state=DesiredProfile.State.SENT))
    rows = (
        DesiredProfile.objects.exclude(state=ENDED)
        .annotate(over_at=over_at)
        .filter(open_end | back | long_ago | (Q(withdrawn_at__isnull=True) & (over | of_session)))
    )
    return sorted(set(rows.values_list("station_id", flat=True)))


# ------------------------------------------------------------------------------------------------- what came back


def _take_answers(station_id: int, now: datetime) -> int:
    taken = 0
    for command in untaken(station_id):
        with transaction.atomic():
            station = _hold(station_id)
            answer = take(command, station=station, now=now)
            if answer is None:
                continue
            taken += 1
            for key, reading in answer.readings.items():
                row = DesiredProfile.objects.get(pk=key)
                _apply(row, station, _progress(row, station, now, reading=reading), now)
    return taken


def _hold(station_id: int) -> Station:
    """The station's row, held until the transaction ends: one reconciliation of a station at a time."""
    station: Station = Station.objects.select_for_update(no_key=True).get(pk=station_id)
    return station


# ------------------------------------------------------------------------------------------------------- one step


def _advance(key: int, station_id: int, now: datetime, *, may_read: bool) -> bool:
    """Do the next step of one profile; False: it waits."""
    with transaction.atomic():
        station = _hold(station_id)
        row = DesiredProfile.objects.get(pk=key)
        if _end(row, station, now):
            return True
        try:
            with transaction.atomic():
                return _apply(row, station, _progress(row, station, now, may_read=may_read), now)
        except (SchemaViolation, UnknownAction) as error:
            return _move(row, _cannot_be_said(row, error), now)


def _cannot_be_said(row: DesiredProfile, error: Exception) -> Step:
    """The station's OCPP version has no words for it: visible, and not tried again."""
    return Step(
        Do.NOTHING, State.UNSUPPORTED, row.attempts, settled=True, because=Because.OBSTACLE, words=str(error)
    )


def _apply(row: DesiredProfile, station: Station, progress: Progress, now: datetime) -> bool:
    """Write the step down and, in the same transaction, queue its command."""
    step = next_step(progress, now)
    if not step.changes or not _move(row, step, now):
        return False
    if progress.wish is Wish.STANDS and step.state in {State.ACCEPTED, State.CONFIRMED}:
        _retire_older(row, now)
    if step.do is Do.READ:
        ask(station, evse=asked_evse(row), unit=cast(Unit, str(row.unit)), now=now)
    elif step.do is not Do.NOTHING:
        _deliver(row, station, step.do, now)
    return True


def _move(row: DesiredProfile, step: Step, now: datetime) -> bool:
    same = DesiredProfile.objects.filter(
        pk=row.pk,
        state=row.state,
        attempts=row.attempts,
        next_attempt_at=row.next_attempt_at,
        withdrawn_at=row.withdrawn_at,
    )
    # Looking again is no news: what is known of it stays until the answer comes.
    keeps_reason = step.do is Do.READ and step.state == row.state
    changed = same.update(
        state=str(step.state),
        attempts=step.sends,
        next_attempt_at=step.wake_at,
        settled_at=now if step.settled else None,
        reason=row.reason if keeps_reason else because_text(step.because, step.words),
    )
    return changed == 1


def _deliver(row: DesiredProfile, station: Station, do: Do, now: datetime) -> None:
    command = commands.request(
        station=station,
        action="SetChargingProfile" if do is Do.SET else "ClearChargingProfile",
        payload=_payload(row, station, do),
        origin=ORIGIN,
        requested_by=row.requested_by,
        now=now,
    )
    intent = Delivery.Intent.SET if do is Do.SET else Delivery.Intent.CLEAR
    Delivery.objects.create(desired=row, command=command, intent=intent)


def _payload(row: DesiredProfile, station: Station, do: Do) -> dict[str, Any]:
    if do is Do.CLEAR:
        return clear_charging_profile(row.profile_id, ocpp=station.ocpp_version)
    profile = profile_of(row, station.ocpp_version)
    return set_charging_profile(profile, evse=row.evse_number, ocpp=station.ocpp_version)


# ---------------------------------------------------------------------------------------------- ends and successors


def _end(row: DesiredProfile, station: Station, now: datetime) -> bool:
    """Withdraw a profile whose time is over: it only takes up room on the station."""
    if row.withdrawn_at is not None or not _is_over(row, station, now):
        return False
    gone_by_itself = row.purpose == DesiredProfile.Purpose.TX  # 1.6 3.13.1, K02.FR.05
    start_withdrawal(row, now=now, gone_by_itself=gone_by_itself)
    return True


def _is_over(row: DesiredProfile, station: Station, now: datetime) -> bool:
    end = ends_at(profile_of(row, station.ocpp_version))
    if end is not None and end <= now:
        return True
    if row.purpose != DesiredProfile.Purpose.TX:
        return False
    sessions = ChargingSession.objects.filter(station=station, transaction_id=row.transaction_id)
    return sessions.exists() and not sessions.filter(state=ChargingSession.State.ACTIVE).exists()


def start_withdrawal(row: DesiredProfile, *, now: datetime, gone_by_itself: bool = False) -> None:
    """No longer wanted: to be cleared from the station, unless it cannot stand there. In a transaction."""
    was_sent = _versions(row).filter(deliveries__isnull=False).exists()
    to_clear = was_sent and not gone_by_itself
    state = DesiredProfile.State.CLEARING if to_clear else DesiredProfile.State.CLEARED
    because = Because.NONE if was_sent else Because.NEVER_THERE
    settled_at = None if to_clear else now
    _retire_older(row, now)  # one id, one command to clear it
    DesiredProfile.objects.filter(pk=row.pk, withdrawn_at__isnull=True).update(
        withdrawn_at=now,
        state=state,
        attempts=0,
        next_attempt_at=None,
        settled_at=settled_at,
        reason=because_text(because, ""),
    )


def _versions(row: DesiredProfile) -> Any:
    """This row and the older ones whose id it took over and that may still stand on the station."""
    return DesiredProfile.objects.filter(
        station_id=row.station_id, profile_id=row.profile_id, version__lte=row.version
    ).exclude(state=ENDED)


def _retire_older(row: DesiredProfile, now: datetime) -> None:
    """The station took the newer version, which has the same id: the older ones are gone (1.6 5.16, K01.FR.05)."""
    _versions(row).filter(version__lt=row.version).update(
        state=ENDED, settled_at=now, reason=because_text(Because.REPLACED, "")
    )


# -------------------------------------------------------------------------------------------------------- progress


def _progress(
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
        obstacle=_obstacle(row, station),
        delivery=_made(delivery),
        reading=reading,
    )


def _contact(station: Station, row: DesiredProfile, now: datetime) -> Contact:
    line = Presence.objects.filter(presence.online(now), station=station).first()
    since = line.connected_at if line else None
    if since is not None and station.booted_at is not None:
        since = max(since, station.booted_at)
    read_at = abilities_read_at(station)
    waited_since = max(filter(None, (since, row.requested_at)))
    waited = now >= waited_since + timedelta(seconds=CAPABILITIES_WAIT_S)
    return Contact(online=line is not None, ready=read_at is not None or waited, since=since)


def abilities_read_at(station: Station) -> datetime | None:
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


def _obstacle(row: DesiredProfile, station: Station) -> str:
    """What the station's own capabilities have against the profile, in words."""
    found = obstacles(
        profile_of(row, station.ocpp_version),
        abilities=abilities_of(station),
        installed=installed_beside(station, row.profile_id),
    )
    return next((problem_text(problem) for problem in found), "")


def _made(delivery: Delivery | None) -> DeliveryMade | None:
    if delivery is None:
        return None
    command = delivery.command
    outcome = OUTCOMES[Command.State(command.state)]
    if outcome is Outcome.FAILED and command.error.startswith(LASTING_ERRORS):
        outcome = Outcome.IMPOSSIBLE
    words = command.error or station_words(command.response or {})
    return DeliveryMade(Intent(delivery.intent), outcome, words)
