"""Desired against sent and reported: looks at the rows of a station and makes the next Command.

Safe to run twice and at once: every step is one transaction that holds the station's row, reads anew, and moves the
profile by a conditional update together with the command that goes with it. A process that dies between two steps
leaves rows from which the next run goes on.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

from django.db import transaction
from django.db.models import DateTimeField, DurationField, ExpressionWrapper, F, IntegerField, Q
from django.db.models.functions import Cast

from smartcharging import drifts
from smartcharging.domain.asking import clear_charging_profile, set_charging_profile
from smartcharging.domain.checking import ends_at
from smartcharging.domain.profiles import Unit
from smartcharging.domain.progress import (
    Because,
    Do,
    Progress,
    State,
    Step,
    Wish,
)
from smartcharging.domain.reconcile import next_step
from smartcharging.domain.sayings import Words
from smartcharging.freshness import LOOK_AGAIN
from smartcharging.models import Delivery, DesiredProfile, ProfileReport
from smartcharging.profile_lists import ask_for_list, take_lists
from smartcharging.progress import progress_of
from smartcharging.readback import ask, asked_evse, take, untaken
from smartcharging.sayings import because
from smartcharging.standing import ORIGIN, profile_of
from stations import commands, presence
from stations.models import ChargingSession, Station
from stations.ocpp.validation import SchemaViolation, UnknownAction

MAX_STEPS = 4  # of one profile in one run: answered, accepted, asked is the longest chain
ENDED = DesiredProfile.State.CLEARED
NOT_THERE = (DesiredProfile.State.REFUSED, DesiredProfile.State.UNSUPPORTED)


def reconcile(station_id: int, now: datetime) -> int:
    """Take in what the station answered, and do the next step of each of its profiles. Returns the steps done."""
    done = _take_lists(station_id, now) + _take_answers(station_id, now)
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
    connected = Q(settled_at__lt=F("station__presence__connected_at"))
    back = online & (connected | Q(settled_at__lt=F("station__booted_at")))  # a socket may outlive a reset
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


def _take_lists(station_id: int, now: datetime) -> int:
    if not ProfileReport.objects.filter(station_id=station_id, state=ProfileReport.State.ASKED).exists():
        return 0
    with transaction.atomic():
        return take_lists(_hold(station_id), now)


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
                _apply(row, station, progress_of(row, station, now, reading=reading), now)
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
                return _apply(row, station, progress_of(row, station, now, may_read=may_read), now)
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
    _keep_drift(row, station, step, now)
    if step.do is Do.LIST:
        ask_for_list(station, now)
    elif step.do is Do.READ:
        ask(station, evse=asked_evse(row), unit=cast(Unit, str(row.unit)), now=now)
    elif step.do is not Do.NOTHING:
        _deliver(row, station, step.do, now)
    return True


def _keep_drift(row: DesiredProfile, station: Station, step: Step, now: datetime) -> None:
    """What is found gone is written down, and how that ended."""
    if step.state is State.DRIFTED and row.state != DesiredProfile.State.DRIFTED:
        drifts.record_found(row, station, because(step.because, step.words), now)
    elif step.state is State.CONFIRMED:
        drifts.record_end(row, now, stands=True)


def _move(row: DesiredProfile, step: Step, now: datetime) -> bool:
    same = DesiredProfile.objects.filter(
        pk=row.pk,
        state=row.state,
        attempts=row.attempts,
        next_attempt_at=row.next_attempt_at,
        withdrawn_at=row.withdrawn_at,
    )
    # Looking again is no news: what is known of it stays until the answer comes.
    looks = step.do is Do.READ or (step.do is Do.LIST and step.because is Because.NONE)
    keeps_reason = looks and step.state == row.state
    changes: dict[str, Any] = {} if keeps_reason else _reason(step.because, step.words)
    if step.state is State.CONFIRMED:
        changes["confirmed_at"] = now
    changed = same.update(
        state=str(step.state),
        attempts=step.sends,
        next_attempt_at=step.wake_at,
        settled_at=now if step.settled else None,
        **changes,
    )
    return changed == 1


def _reason(code: Because, words: Words = "") -> dict[str, Any]:
    said = because(code, words)
    return {"reason_code": said.code, "reason_values": dict(said.values), "reason_text": ""}


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
    settled_at = None if to_clear else now
    _retire_older(row, now)  # one id, one command to clear it
    drifts.record_end(row, now, stands=False)
    DesiredProfile.objects.filter(pk=row.pk, withdrawn_at__isnull=True).update(
        withdrawn_at=now,
        state=state,
        attempts=0,
        next_attempt_at=None,
        settled_at=settled_at,
        **_reason(Because.NONE if was_sent else Because.NEVER_THERE),
    )


def _versions(row: DesiredProfile) -> Any:
    """This row and the older ones whose id it took over and that may still stand on the station."""
    return DesiredProfile.objects.filter(
        station_id=row.station_id, profile_id=row.profile_id, version__lte=row.version
    ).exclude(state=ENDED)


def _retire_older(row: DesiredProfile, now: datetime) -> None:
    """The station took the newer version, which has the same id: the older ones are gone (1.6 5.16, K01.FR.05)."""
    _versions(row).filter(version__lt=row.version).update(
        state=ENDED, settled_at=now, **_reason(Because.REPLACED)
    )
