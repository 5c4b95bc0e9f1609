"""Whether a profile can be set, before it is sent: the storing rules of OCPP by version, and two of our own. Pure.

`problems` is the one place that knows: the form, the API, raw commands and dispatch all ask it. The rules of the
periods are in `periods.py`, the clauses in `clauses.py`. Requirements 206 and 207 name the capabilities.

Our own rules, without a clause: every limit has an end, but a low default that stands under all others; and nothing is
set that would never count, or that no connection gives.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from smartcharging.domain.clauses import clause_of, reason_of
from smartcharging.domain.periods import LONGEST_S, period_problems, phases_to_use
from smartcharging.domain.profiles import AMSTERDAM, NOMINAL_V, ChargingProfile, Installed, Kind, Purpose
from smartcharging.domain.rules import Abilities, Place, Problem, Rule
from smartcharging.domain.storing import same_place, valid_together

LOWEST_SHARE_A = 6  # IEC 61851: less than 6 A is no charging
MOST_STACK_LEVEL = 1000
PURPOSES_21 = frozenset({Purpose.PRIORITY_CHARGING, Purpose.LOCAL_GENERATION})
# What was right when the profile was set, and that time or a session changes: dispatch answers it by withdrawing.
PASSING = frozenset({Rule.HAS_ENDED, Rule.NO_END, Rule.TX_NOT_RUNNING, Rule.TX_TRANSACTION})


def problems(
    profile: ChargingProfile, *, evse: int, place: Place, now: datetime, starting: bool = False
) -> Iterator[Problem]:
    """All that is wrong with setting `profile` on `evse` (the connector in 1.6; 0 is the station), the first thing
    to mend first.

    `starting`: it goes along with a RemoteStartTransaction or RequestStartTransaction. Problems name a field of the
    profile as in "periods[2].limit", and quote their clause.
    """
    for problem in _problems(profile, evse, place, now, starting=starting):
        yield replace(
            problem,
            clause=clause_of(problem.rule, place.version),
            reason=reason_of(problem.rule, place.version),
        )


def _problems(
    profile: ChargingProfile, evse: int, place: Place, now: datetime, *, starting: bool
) -> Iterator[Problem]:
    yield from _version_problems(profile, place)
    yield from period_problems(profile, evse=evse, place=place)
    yield from _place_problems(profile, evse, place)
    yield from _starting_problems(profile) if starting else _transaction_problems(profile, evse, place)
    yield from _time_problems(profile, place, now)
    if not starting and not _has_end(profile) and not _is_low_default(profile, place):
        yield Problem("valid_to", Rule.NO_END, allowed=share_a(place))
    yield from _ability_problems(profile, place.abilities)
    if place.version == "2.1":
        yield from _ability_problems_21(profile, place.abilities)
    if not starting:
        yield from _room_problems(profile, place)
        yield from _neighbour_problems(profile, evse, place)


def share_a(place: Place) -> int:
    """What each EVSE may draw, in A, without the connection being exceeded if all do: the low default that needs no
    end."""
    return max(LOWEST_SHARE_A, place.connection_a // max(1, len(place.evses)))


def ends_at(profile: ChargingProfile) -> datetime | None:
    """The moment from which the profile never counts again; None: it has no end of its own."""
    ends = [profile.valid_to] if profile.valid_to else []
    schedule = profile.schedule
    if profile.kind is Kind.ABSOLUTE and schedule.start and schedule.duration_s is not None:
        # In local time the start is what a clock at the station shows.
        start = schedule.start.replace(tzinfo=AMSTERDAM) if schedule.use_local_time else schedule.start
        ends.append(_after(start, schedule.duration_s))
    return min(ends, default=None)


def _after(start: datetime, seconds: int) -> datetime:
    try:
        return start.astimezone(UTC) + timedelta(seconds=seconds)
    except OverflowError:  # from the last years of the calendar, or for longer than there are
        return datetime.max.replace(tzinfo=UTC)


# ------------------------------------------------------------------------------------------- what the version knows


def _version_problems(profile: ChargingProfile, place: Place) -> Iterator[Problem]:
    version, purpose = place.version, profile.purpose
    if not 0 <= profile.stack_level <= MOST_STACK_LEVEL:
        yield Problem("stack_level", Rule.LEVEL, profile.stack_level)
    if purpose is Purpose.EXTERNAL_CONSTRAINTS:
        yield Problem("purpose", Rule.EXTERNAL)
    elif version != "2.1" and purpose in PURPOSES_21:
        yield Problem("purpose", Rule.NOT_IN_VERSION, str(purpose), version)
    if version == "2.1":
        yield from _problems_21(profile)
        return
    if profile.kind is Kind.DYNAMIC:
        yield Problem("kind", Rule.NOT_IN_VERSION, str(profile.kind), version)
    for field, wire in _newer_fields(profile):
        yield Problem(field, Rule.NOT_IN_VERSION, wire, version)


def _newer_fields(profile: ChargingProfile) -> Iterator[tuple[str, str]]:
    """What a profile says that only OCPP 2.1 knows: our field, and that of the wire."""
    schedule = profile.schedule
    said = {
        ("dynamic_updated_at", "dynUpdateTime"): profile.dynamic_updated_at is not None,
        ("dynamic_interval_s", "dynUpdateInterval"): profile.dynamic_interval_s is not None,
        ("max_offline_s", "maxOfflineDuration"): profile.max_offline_s is not None,
        ("invalid_after_offline", "invalidAfterOfflineDuration"): profile.invalid_after_offline,
        ("use_local_time", "useLocalTime"): schedule.use_local_time,
        ("randomized_delay_s", "randomizedDelay"): bool(schedule.randomized_delay_s),
        ("limit_at_soc", "limitAtSoC"): schedule.limit_at_soc is not None,
    }
    return (names for names, is_said in said.items() if is_said)


def _problems_21(profile: ChargingProfile) -> Iterator[Problem]:
    schedule = profile.schedule
    if profile.purpose is Purpose.PRIORITY_CHARGING and schedule.duration_s is not None:
        yield Problem("duration_s", Rule.PRIORITY_DURATION, schedule.duration_s)
    if profile.kind is Kind.DYNAMIC:
        if len(schedule.periods) != 1:
            yield Problem("periods", Rule.DYNAMIC_PERIODS, len(schedule.periods))
    else:
        for field, value in (
            ("dynamic_interval_s", profile.dynamic_interval_s),
            ("dynamic_updated_at", profile.dynamic_updated_at),
        ):
            if value is not None:
                yield Problem(field, Rule.DYNAMIC_ONLY)
    if schedule.randomized_delay_s and profile.purpose not in {Purpose.TX, Purpose.TX_DEFAULT}:
        yield Problem("randomized_delay_s", Rule.DELAY_PURPOSE)
    for field, seconds in (
        ("max_offline_s", profile.max_offline_s),
        ("dynamic_interval_s", profile.dynamic_interval_s),
        ("randomized_delay_s", schedule.randomized_delay_s),
    ):
        if seconds is not None and not 0 <= seconds <= LONGEST_S:
            yield Problem(field, Rule.DURATION, seconds)


# ------------------------------------------------------------------------------------------------- where it stands


def _place_problems(profile: ChargingProfile, evse: int, place: Place) -> Iterator[Problem]:
    if evse and evse not in place.evses:
        yield Problem("evse_number", Rule.UNKNOWN_EVSE, evse)
    if profile.purpose is Purpose.STATION_MAX and evse:
        yield Problem("evse_number", Rule.STATION_MAX_EVSE, evse)
    if profile.purpose is Purpose.STATION_MAX and profile.kind is Kind.RELATIVE:
        yield Problem("kind", Rule.STATION_MAX_RELATIVE)


def _starting_problems(profile: ChargingProfile) -> Iterator[Problem]:
    """The profile of a transaction that is yet to start: no other purpose, and no id to name."""
    if profile.purpose is not Purpose.TX:
        yield Problem("purpose", Rule.STARTING_PURPOSE)
    elif profile.transaction_id is not None:
        yield Problem("transaction_id", Rule.STARTING_TRANSACTION)


def _transaction_problems(profile: ChargingProfile, evse: int, place: Place) -> Iterator[Problem]:
    """A TxProfile is for a running transaction, of which 2.x wants the id; 1.6 takes the current one (D17)."""
    if profile.purpose is not Purpose.TX:
        if profile.transaction_id is not None:
            yield Problem("transaction_id", Rule.TRANSACTION_WITHOUT_TX)
        return
    running = {name for number, name in place.transactions if number == evse}
    if not evse:
        yield Problem("evse_number", Rule.TX_EVSE)
    elif profile.transaction_id is None and place.version != "1.6":
        yield Problem("transaction_id", Rule.TX_MISSING)
    elif not running:
        yield Problem("transaction_id", Rule.TX_NOT_RUNNING, evse)
    elif profile.transaction_id is not None and str(profile.transaction_id) not in running:
        yield Problem("transaction_id", Rule.TX_TRANSACTION, evse)


# ------------------------------------------------------------------------------------------------------------ when


def _time_problems(profile: ChargingProfile, place: Place, now: datetime) -> Iterator[Problem]:
    schedule = profile.schedule
    if (
        place.version != "1.6"
    ):  # where a schedule without a start counts from the start of charging (7.13, D7)
        if profile.kind is Kind.RELATIVE and schedule.start is not None:
            yield Problem("start_schedule", Rule.START_NOT_ALLOWED)
        if profile.kind in {Kind.ABSOLUTE, Kind.RECURRING} and schedule.start is None:
            yield Problem("start_schedule", Rule.START_MISSING)
    if profile.kind is Kind.RECURRING:
        yield from _recurrence_problems(profile)
    if schedule.duration_s is not None and not 0 < schedule.duration_s <= LONGEST_S:
        yield Problem("duration_s", Rule.DURATION, schedule.duration_s)
    if profile.valid_from and profile.valid_to and profile.valid_to <= profile.valid_from:
        yield Problem("valid_to", Rule.VALIDITY)
    end = ends_at(profile)
    if end is not None and end <= now:
        yield Problem("valid_to" if profile.valid_to == end else "duration_s", Rule.HAS_ENDED)


def _recurrence_problems(profile: ChargingProfile) -> Iterator[Problem]:
    if profile.recurrency is None:
        yield Problem("recurrency", Rule.RECURRENCY_MISSING)
        return
    every_s = 86_400 * profile.recurrency.days
    last_s = profile.schedule.periods[-1].start_s
    if last_s >= every_s:  # it is cut there, so this period would never run
        yield Problem("periods", Rule.LONGER_THAN_RECURRENCE, last_s, every_s)


def _has_end(profile: ChargingProfile) -> bool:
    """A recurrence only ends with its validity. A TxProfile and a PriorityCharging end with their transaction (1.6
    3.13.1, K02.FR.05), a Dynamic that is not updated ends after its duration (K28.FR.13)."""
    if profile.purpose in {Purpose.TX, Purpose.PRIORITY_CHARGING} or ends_at(profile) is not None:
        return True
    return profile.kind is Kind.DYNAMIC and profile.schedule.duration_s is not None


def _is_low_default(profile: ChargingProfile, place: Place) -> bool:
    """The one limit without an end is the low default that stands under the others."""
    if profile.purpose is not Purpose.TX_DEFAULT or profile.stack_level != 0:
        return False
    phases = place.abilities.phases or 3
    at_most = share_a(place) * (1 if profile.schedule.unit == "A" else NOMINAL_V * phases)
    return profile.schedule.duration_s is None and all(
        period.limit <= at_most and period.operation is None for period in profile.schedule.periods
    )


# --------------------------------------------------------------------------------------- what the station can take


def _ability_problems(profile: ChargingProfile, abilities: Abilities) -> Iterator[Problem]:
    schedule = profile.schedule
    if abilities.smart_charging is False:
        yield Problem("station", Rule.NO_SMART_CHARGING)
    if abilities.units and schedule.unit not in abilities.units:
        yield Problem("unit", Rule.UNIT, schedule.unit, ", ".join(abilities.units))
    if abilities.max_periods is not None and len(schedule.periods) > abilities.max_periods:
        yield Problem("periods", Rule.PERIODS, len(schedule.periods), abilities.max_periods)
    if abilities.max_stack_level is not None and profile.stack_level > abilities.max_stack_level:
        yield Problem("stack_level", Rule.STACK_LEVEL, profile.stack_level, abilities.max_stack_level)


def _ability_problems_21(profile: ChargingProfile, abilities: Abilities) -> Iterator[Problem]:
    schedule = profile.schedule
    if abilities.max_external_id is not None and profile.id <= abilities.max_external_id:
        yield Problem("id", Rule.RESERVED_ID, profile.id, abilities.max_external_id)
    beyond = profile.purpose in PURPOSES_21
    lacking = (
        ("purpose", Rule.PURPOSE_UNSUPPORTED, beyond, _holds(abilities.purposes, profile.purpose)),
        ("kind", Rule.KIND_UNSUPPORTED, profile.kind is Kind.DYNAMIC, abilities.dynamic),
        ("use_local_time", Rule.LOCAL_TIME_UNSUPPORTED, schedule.use_local_time, abilities.local_time),
        (
            "randomized_delay_s",
            Rule.DELAY_UNSUPPORTED,
            bool(schedule.randomized_delay_s),
            abilities.randomized_delay,
        ),
        ("limit_at_soc", Rule.SOC_UNSUPPORTED, schedule.limit_at_soc is not None, abilities.limit_at_soc),
    )
    for field, rule, is_asked, can in lacking:
        if is_asked and can is False:
            yield Problem(field, rule)


def _holds(said: tuple[str, ...] | None, purpose: Purpose) -> bool | None:
    return None if said is None else str(purpose) in said


def _room_problems(profile: ChargingProfile, place: Place) -> Iterator[Problem]:
    most = place.abilities.max_profiles
    others = {item.profile.id for item in place.installed if item.profile.id != profile.id}
    taken = len(others) + place.leaving
    if most is not None and taken >= most:
        yield Problem("station", Rule.PROFILES, taken, most)


# ------------------------------------------------------------------------------------------ what stands there already


def _neighbour_problems(profile: ChargingProfile, evse: int, place: Place) -> Iterator[Problem]:
    """In 1.6 a profile on the same place is replaced (5.16.3); 2.x refuses the second one."""
    if place.version == "1.6":
        return
    for item in place.installed:
        if item.profile.id != profile.id:
            yield from _clash(profile, evse, item, place)
        elif item.profile.purpose is Purpose.EXTERNAL_CONSTRAINTS:
            yield Problem("id", Rule.EXTERNAL_ID, profile.id)


def _clash(profile: ChargingProfile, evse: int, item: Installed, place: Place) -> Iterator[Problem]:
    other, level = item.profile, profile.stack_level
    if same_place(profile, other):
        across = profile.purpose is Purpose.TX_DEFAULT and evse != item.evse and 0 in {evse, item.evse}
        if across:
            yield Problem("stack_level", Rule.SAME_LEVEL, level, f"EVSE {item.evse}")
        elif profile.purpose is Purpose.TX:
            if str(profile.transaction_id) == str(other.transaction_id):
                yield Problem("stack_level", Rule.SAME_TRANSACTION_LEVEL, level, other.id)
        elif evse == item.evse and valid_together(profile, other):
            yield Problem("stack_level", Rule.DUPLICATE, level, other.id)
    elif place.version == "2.1" and (ours := phases_to_use(profile)) and _count_together(profile, evse, item):
        theirs = phases_to_use(other)
        if theirs and ours != theirs:
            yield Problem("phase_to_use", Rule.PHASE_CONFLICT, f"L{min(ours)}", f"L{min(theirs)}")


def _count_together(profile: ChargingProfile, evse: int, item: Installed) -> bool:
    """Whether both can limit one EVSE at one moment; of one purpose only one counts."""
    of_one_evse = evse == item.evse or 0 in {evse, item.evse}
    return (
        of_one_evse and profile.purpose is not item.profile.purpose and valid_together(profile, item.profile)
    )
