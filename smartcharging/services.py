"""What people want of a station's limits: set, withdraw, and ask what counts. The only writer of new wishes.

Nothing is sent here: an event is recorded, and its receiver enqueues the reconciliation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.db.models.query import QuerySet
from django.utils.translation import gettext_lazy as _

from smartcharging.dispatch import start_withdrawal
from smartcharging.domain.checking import Problem, Rule, faults, obstacles
from smartcharging.domain.judging import Question, StationFacts, expected_periods
from smartcharging.domain.profiles import CompositeSchedule, Installed, Policy, Unit, policy_for
from smartcharging.domain.schedule import stacks_for, sweep, window_from
from smartcharging.domain.stacks import Situation
from smartcharging.models import DesiredProfile
from smartcharging.reasons import problem_text
from smartcharging.standing import (
    abilities_of,
    facts_of,
    installed_beside,
    installed_from,
    place_of,
    profile_of,
    standing_profiles,
)
from stations import events
from stations.models import Station

# Probes have 900000 and up; what a station held before us is below 1000.
FIRST_ID, LAST_ID = 1000, 899_999
LOOK_AHEAD_S = 7 * 86_400


class CannotSet(ValueError):
    """The profile cannot be set. The text is for people; `field` is what is wrong, as in "periods[2].limit"."""

    def __init__(self, text: str, field: str = "") -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True, slots=True)
class LimitPeriod:
    """From `start_s` on at most `limit`, in A per phase or W in total, on `phases` phases (None: not said)."""

    start_s: int
    limit: float
    phases: int | None = None


@dataclass(frozen=True, slots=True)
class LimitNow:
    """What limits an EVSE (0: the station) at `at`, by our own records.

    `limit` None: nothing is known to limit it. `winner` None: no profile does, but the hardware. `until` None: no
    change within a week; `next_limit` is what counts from then on.
    """

    evse_number: int
    at: datetime
    limit: float | None
    unit: Unit
    winner: DesiredProfile | None
    until: datetime | None
    next_limit: float | None

    @property
    def name(self) -> str:
        """The profile that wins, or that there is none."""
        return self.winner.name if self.winner else str(_("the connection and the socket"))


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
            raise CannotSet(problem_text(problem), problem.field)
        _supersede(row, older, now)
        row.save()
        _record_change(row, now)
    return row


def problem_with(row: DesiredProfile, now: datetime) -> Problem | None:
    """The first thing that is wrong with a wish that is not saved yet; None: nothing."""
    choices = _choice_problem(row)
    if choices is not None:
        return choices
    station = row.station
    profile = profile_of(row, station.ocpp_version)
    wrong = next(faults(profile, evse=row.evse_number, place=place_of(station, now), now=now), None)
    if wrong is not None:
        return wrong
    beside = installed_beside(station, row.profile_id or 0)
    found = obstacles(profile, abilities=abilities_of(station), installed=beside)
    return next(found, None) or _double_default(row)


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


def look_again(station: Station) -> None:
    """Something else touched the station: what stands there by our records is read back, and repaired, once more."""
    rows = DesiredProfile.objects.filter(
        station=station, state__in=(DesiredProfile.State.CONFIRMED, DesiredProfile.State.ACCEPTED)
    )
    rows.update(state=DesiredProfile.State.ACCEPTED, attempts=0, settled_at=None, next_attempt_at=None)


def composite_of(
    station: Station, *, evse_number: int, start: datetime, duration_s: int, unit: Unit
) -> CompositeSchedule:
    """Our composite of what stands on the station by our records; a limit of None: none of ours counts then."""
    question = Question(evse_number, start, duration_s, unit)
    installed = installed_from(standing_profiles(station), station.ocpp_version)
    periods = expected_periods(installed, question, facts_of(station, start))
    return CompositeSchedule(start, duration_s, unit, periods)


def limit_now(station: Station, evse_number: int, now: datetime) -> LimitNow:
    """The limit at `now`, in A per phase, and which profile sets it; within what socket and connection can do."""
    rows = standing_profiles(station)
    facts = facts_of(station, now)
    question = Question(evse_number, now, LOOK_AHEAD_S, "A")
    installed = installed_from(rows, station.ocpp_version)
    periods = expected_periods(installed, question, facts, capped=True)
    first, later = periods[0], periods[1:]
    winner_id = _winner(installed, question, facts, first.limit)
    return LimitNow(
        evse_number=evse_number,
        at=now,
        limit=first.limit,
        unit="A",
        winner=next((row for row in rows if row.profile_id == winner_id), None),
        until=now.replace(microsecond=0) + timedelta(seconds=later[0].start_s) if later else None,
        next_limit=later[0].limit if later else None,
    )


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
    used: QuerySet[DesiredProfile] = DesiredProfile.objects.filter(station=station)
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
    if not 0 <= row.stack_level <= 1000:
        return Problem("stack_level", Rule.LEVEL, row.stack_level)
    if not row.periods:
        return Problem("periods", Rule.NO_PERIODS)
    if len(row.transaction_id) > 36:
        return Problem("transaction_id", Rule.TX_TRANSACTION, row.evse_number)
    return None


def _double_default(row: DesiredProfile) -> Problem | None:
    """2.x refuses a default on EVSE 0 and one on an EVSE at the same level (K01.FR.52/.53)."""
    if row.station.ocpp_version == "1.6" or row.purpose != DesiredProfile.Purpose.TX_DEFAULT:
        return None
    others = DesiredProfile.objects.current().filter(
        station=row.station, purpose=row.purpose, stack_level=row.stack_level
    )
    others = others.exclude(evse_number=0) if row.evse_number == 0 else others.filter(evse_number=0)
    other = others.first()
    if other is None:
        return None
    place = f"EVSE {other.evse_number}"
    return Problem("stack_level", Rule.SAME_LEVEL, row.stack_level, place)


def _whole_second(moment: datetime | None) -> datetime | None:
    """Stations drop fractions of a second (1.6 3.14); so do we, before they can differ."""
    return moment.replace(microsecond=0) if moment else None


# ----------------------------------------------------------------------------------------------------- which one wins


def _winner(
    installed: list[Installed], question: Question, facts: StationFacts, limit: float | None
) -> int | None:
    """The id of the profile that sets `limit` now: of those that lead their purpose, the one that gives it alone."""
    policy: Policy = replace(policy_for(facts.version), names_assumed_phases=False)
    window = window_from(question.start, 0)
    situation = Situation(installed, facts.transactions, window, policy)
    count = max((number for number, _ in facts.sockets), default=1)
    stacks = stacks_for(situation, question.evse, count)
    _start, leading = next(sweep(stacks, window, policy, lambda item, periods: [item] * len(periods)))
    leaders = [item for item in reversed(leading) if item is not None]  # the station's own limit first
    now = replace(question, duration_s=0)
    alone = {item.profile.id: expected_periods([item], now, facts)[0].limit for item in leaders}
    return next((key for key, value in alone.items() if value == limit), None)
