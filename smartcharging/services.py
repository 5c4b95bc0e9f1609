"""What people want of a station's limits: set and withdraw. The only writer of new wishes.

Nothing is sent here: an event is recorded, and its receiver enqueues the reconciliation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.db.models.query import QuerySet
from django.utils.translation import gettext

from smartcharging.dispatch import start_withdrawal
from smartcharging.domain.checking import problems
from smartcharging.domain.rules import Problem, Rule
from smartcharging.models import DesiredProfile
from smartcharging.reasons import problem_text
from smartcharging.standing import place_among, place_of, profile_of
from stations import events
from stations.models import Station

# Probes have 900000 and up; what a station held before us is below 1000.
FIRST_ID, LAST_ID = 1000, 899_998
SAFE_ID = 899_999  # of the safe limit, on every station
# A station whose clock is behind holds it from now on all the same.
CLOCK_SLACK = timedelta(days=1)


class CannotSet(ValueError):
    """The profile cannot be set: `problem` says why, the text says it for people."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem_text(problem))
        self.problem = problem

    @property
    def field(self) -> str:
        """What is wrong, as in "periods[2].limit"."""
        return self.problem.field


@dataclass(frozen=True, slots=True)
class LimitPeriod:
    """From `start_s` on at most `limit`, in A per phase or W in total, on `phases` phases (None: not said)."""

    start_s: int
    limit: float
    phases: int | None = None


def set_profile(
    *,
    station: Station,
    evse_number: int = 0,
    name: str,
    purpose: str,
    kind: str,
    unit: str,
    periods: Sequence[LimitPeriod],
    stack_level: int,
    start_schedule: datetime | None = None,
    duration_s: int | None = None,
    recurrency: str = "",
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
    transaction_id: str = "",
    requested_by: Any = None,
    now: datetime,
) -> DesiredProfile:
    """Want this profile on `station`; what stood on the same place is superseded.

    `purpose`, `kind`, `unit`, `recurrency`: values of DesiredProfile's choices. Raises CannotSet for the first thing
    that is wrong, the station's own capabilities included (rule 11).
    """
    row = DesiredProfile(
        station=station,
        evse_number=evse_number,
        name=name.strip(),
        purpose=purpose,
        kind=kind,
        unit=unit,
        periods=[
            {"start_s": period.start_s, "limit": period.limit, "phases": period.phases} for period in periods
        ],
        stack_level=stack_level,
        start_schedule=_whole_second(start_schedule),
        duration_s=duration_s,
        recurrency=recurrency,
        valid_from=_whole_second(valid_from),
        valid_to=_whole_second(valid_to),
        transaction_id=transaction_id,
        requested_by=requested_by,
        requested_at=now,
    )
    with transaction.atomic():
        Station.objects.select_for_update(no_key=True).get(pk=station.pk)
        older = _on_same_place(row)
        row.profile_id = older.profile_id if older else _free_id(station)
        problem = problem_with(row, now)
        if problem is not None:
            raise CannotSet(problem)
        _supersede(row, older, now)
        row.save()
        _record_change(row, now)
    return row


def problem_with(row: DesiredProfile, now: datetime) -> Problem | None:
    """The first thing that is wrong with a wish that is not saved yet; None: nothing."""
    problem = _choice_problem(row) or _wish_problem(row) or _safe_problem(row)
    if problem is not None:
        return problem
    station = row.station
    place = place_among(place_of(station, now), station, row.profile_id or 0, wished=True)
    profile = profile_of(row, station.ocpp_version)
    return next(problems(profile, evse=row.evse_number, place=place, now=now), None)


def withdraw(desired: DesiredProfile, *, requested_by: Any, now: datetime) -> None:
    """No longer want it: it is cleared from the station by its exact id, and read back."""
    with transaction.atomic():
        Station.objects.select_for_update(no_key=True).get(pk=desired.station_id)
        row = DesiredProfile.objects.get(pk=desired.pk)
        if row.withdrawn_at is not None:
            return
        start_withdrawal(row, now=now)
        _record_change(row, now)
    desired.refresh_from_db()


def set_safe_default(*, station: Station, unit: str, limit: float, now: datetime) -> DesiredProfile | None:
    """Keep this low default per session on `station`, for ever and under all others (rule 12).

    None: somebody's own default stands on its place, or what stood there is still on its way out. What the station has
    against it, dispatch says, so that it is seen.
    """
    row = DesiredProfile(
        station=station,
        name=gettext("Safe limit"),
        profile_id=SAFE_ID,
        purpose=DesiredProfile.Purpose.TX_DEFAULT,
        kind=DesiredProfile.Kind.ABSOLUTE,
        unit=unit,
        periods=[{"start_s": 0, "limit": limit, "phases": None}],
        start_schedule=_whole_second(now - CLOCK_SLACK),
        requested_at=now,
    )
    with transaction.atomic():
        Station.objects.select_for_update(no_key=True).get(pk=station.pk)
        older = _on_same_place(row)
        if older is not None and (older.unit, older.periods) == (row.unit, row.periods):
            return older if older.profile_id == SAFE_ID else None
        earlier: QuerySet[DesiredProfile] = DesiredProfile.objects.filter(station=station, profile_id=SAFE_ID)
        is_leaving = earlier.filter(state=DesiredProfile.State.CLEARING).exists()
        if is_leaving or (older is not None and older.profile_id != SAFE_ID):
            return None
        _supersede(row, older, now)
        row.version = (earlier.aggregate(newest=Max("version"))["newest"] or 0) + 1
        row.save()
        _record_change(row, now)
    return row


def safe_default_of(station: Station) -> DesiredProfile | None:
    """The safe limit that is wanted there."""
    found: DesiredProfile | None = (
        DesiredProfile.objects.current().filter(station=station, profile_id=SAFE_ID).first()
    )
    return found


def look_again(station: Station) -> None:
    """Something else touched the station: what stands there by our records is read back, and repaired, once more."""
    rows = DesiredProfile.objects.filter(
        station=station, state__in=(DesiredProfile.State.CONFIRMED, DesiredProfile.State.ACCEPTED)
    )
    rows.update(state=DesiredProfile.State.ACCEPTED, attempts=0, settled_at=None, next_attempt_at=None)


# -------------------------------------------------------------------------------------------------------- the wishes


def _on_same_place(row: DesiredProfile) -> DesiredProfile | None:
    return (
        DesiredProfile.objects.current()
        .filter(
            station=row.station,
            evse_number=row.evse_number,
            purpose=row.purpose,
            stack_level=row.stack_level,
            transaction_id=row.transaction_id,
        )
        .first()
    )


def _free_id(station: Station) -> int:
    """The next id of our range on this station; ids of long ago come round again."""
    used: QuerySet[DesiredProfile] = DesiredProfile.objects.filter(station=station, profile_id__lte=LAST_ID)
    highest = used.aggregate(highest=Max("profile_id"))["highest"]
    if highest is None:
        return FIRST_ID
    if highest < LAST_ID:
        return int(highest) + 1
    taken = set(used.exclude(state=DesiredProfile.State.CLEARED).values_list("profile_id", flat=True))
    return next(number for number in range(FIRST_ID, LAST_ID + 1) if number not in taken)


def _supersede(row: DesiredProfile, older: DesiredProfile | None, now: datetime) -> None:
    """The same id again, so that the station replaces the profile by itself (1.6 5.16, K01.FR.05)."""
    if older is None:
        return
    row.version = older.version + 1
    DesiredProfile.objects.filter(pk=older.pk, withdrawn_at__isnull=True).update(withdrawn_at=now)


def _record_change(row: DesiredProfile, now: datetime) -> None:
    events.record(
        station_id=row.station_id, kind=events.Kind.LIMIT_CHANGED, at=now, now=now, data={"desired": row.pk}
    )


def _choice_problem(row: DesiredProfile) -> Problem | None:
    """A value that is none of the choices, a name that is missing or too long."""
    choices = {
        "purpose": DesiredProfile.Purpose.values,
        "kind": DesiredProfile.Kind.values,
        "unit": DesiredProfile.Unit.values,
        "recurrency": ["", *DesiredProfile.Recurrency.values],
    }
    for field, values in choices.items():
        if getattr(row, field) not in values:
            return Problem(field, Rule.CHOICE, str(getattr(row, field)), ", ".join(filter(None, values)))
    if not 0 < len(row.name) <= 100:
        return Problem("name", Rule.NAME, len(row.name), 100)
    if not row.periods:
        return Problem("periods", Rule.NO_PERIODS)
    if len(row.transaction_id) > 36:
        return Problem("transaction_id", Rule.TX_TRANSACTION, row.evse_number)
    return None


def _wish_problem(row: DesiredProfile) -> Problem | None:
    """What 1.6 leaves open and we do not: a wish says when it starts, and of which session it is."""
    if row.station.ocpp_version != "1.6":
        return None
    is_relative = row.kind == DesiredProfile.Kind.RELATIVE
    if (row.start_schedule is None) != is_relative:
        rule = Rule.START_NOT_ALLOWED if is_relative else Rule.START_MISSING
        return Problem("start_schedule", rule)
    if row.purpose == DesiredProfile.Purpose.TX and not row.transaction_id:
        return Problem("transaction_id", Rule.TX_MISSING)
    return None


def _safe_problem(row: DesiredProfile) -> Problem | None:
    """The place of the safe limit is taken as long as that is wanted; in 1.6 too, where it would be replaced."""
    older = _on_same_place(row)
    if older is None or older.profile_id != SAFE_ID:
        return None
    return Problem("stack_level", Rule.DUPLICATE, row.stack_level, SAFE_ID)


def _whole_second(moment: datetime | None) -> datetime | None:
    """Stations drop fractions of a second (1.6 3.14); so do we, before they can differ."""
    return moment.replace(microsecond=0) if moment else None
