"""Whether a profile can be set: what is wrong with it, and what the station's own capabilities have against it. Pure.

The rules are those of OCPP (composite-schedule rules on storing), requirement 206 and 207 name the capabilities.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from smartcharging.domain.profiles import ChargingProfile, Kind, Purpose, Recurrency

MOST_A = 1000
MOST_W = 1_000_000
MOST_PERIODS = 1024
LONGEST_S = 10 * 366 * 86_400
LOWEST_SHARE_A = 6  # IEC 61851: less than 6 A is no charging


class Rule(StrEnum):
    """What a profile can break."""

    CHOICE = "choice"
    NAME = "name"
    LEVEL = "level"
    NO_PERIODS = "no_periods"
    TOO_LONG = "too_long"
    FIRST_PERIOD = "first_period"
    ASCENDING = "ascending"
    NOT_A_NUMBER = "not_a_number"
    NEGATIVE = "negative"
    TOO_HIGH = "too_high"
    DECIMALS = "decimals"
    PHASES = "phases"
    STATION_MAX_EVSE = "station_max_evse"
    STATION_MAX_RELATIVE = "station_max_relative"
    TX_EVSE = "tx_evse"
    TX_TRANSACTION = "tx_transaction"
    TRANSACTION_WITHOUT_TX = "transaction_without_tx"
    UNKNOWN_EVSE = "unknown_evse"
    START_MISSING = "start_missing"
    START_NOT_ALLOWED = "start_not_allowed"
    RECURRENCY_MISSING = "recurrency_missing"
    LONGER_THAN_RECURRENCE = "longer_than_recurrence"
    DURATION = "duration"
    VALIDITY = "validity"
    NO_END = "no_end"
    HAS_ENDED = "has_ended"
    NO_SMART_CHARGING = "no_smart_charging"
    UNIT = "unit"
    PERIODS = "periods"
    STACK_LEVEL = "stack_level"
    PROFILES = "profiles"
    SAME_LEVEL = "same_level"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: the field, the rule, and the figures for its sentence."""

    field: str
    rule: Rule
    have: float | int | str = ""
    allowed: float | int | str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a profile is to stand: the station's EVSEs, its connection, its running transactions per EVSE."""

    evses: frozenset[int]
    connection_a: int
    transactions: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the station said it can take; None or empty: not said."""

    smart_charging: bool | None = None
    units: tuple[str, ...] = ()
    max_periods: int | None = None
    max_stack_level: int | None = None
    max_profiles: int | None = None


def faults(profile: ChargingProfile, *, evse: int, place: Place, now: datetime) -> Iterator[Problem]:
    """What is wrong with the profile itself, whatever the station can do."""
    yield from _period_faults(profile)
    yield from _place_faults(profile, evse, place)
    yield from _time_faults(profile, now)
    if not _has_end(profile) and not _is_low_default(profile, place):
        yield Problem("valid_to", Rule.NO_END, allowed=share_a(place))


def obstacles(profile: ChargingProfile, *, abilities: Abilities, installed: int) -> Iterator[Problem]:
    """What the station's capabilities have against it; `installed` other profiles stand there."""
    periods = len(profile.schedule.periods)
    if abilities.smart_charging is False:
        yield Problem("station", Rule.NO_SMART_CHARGING)
    if abilities.units and profile.schedule.unit not in abilities.units:
        yield Problem("unit", Rule.UNIT, profile.schedule.unit, ", ".join(abilities.units))
    if abilities.max_periods is not None and periods > abilities.max_periods:
        yield Problem("periods", Rule.PERIODS, periods, abilities.max_periods)
    if abilities.max_stack_level is not None and profile.stack_level > abilities.max_stack_level:
        yield Problem("stack_level", Rule.STACK_LEVEL, profile.stack_level, abilities.max_stack_level)
    if abilities.max_profiles is not None and installed >= abilities.max_profiles:
        yield Problem("station", Rule.PROFILES, installed, abilities.max_profiles)


def share_a(place: Place) -> int:
    """What each EVSE may draw, in A, without the connection being exceeded if all do: the low default of rule 12."""
    return max(LOWEST_SHARE_A, place.connection_a // max(1, len(place.evses)))


def ends_at(profile: ChargingProfile) -> datetime | None:
    """The moment from which the profile never counts again; None: it has no end of its own."""
    ends = [profile.valid_to] if profile.valid_to else []
    schedule = profile.schedule
    if profile.kind is Kind.ABSOLUTE and schedule.start and schedule.duration_s is not None:
        ends.append(schedule.start + timedelta(seconds=schedule.duration_s))
    return min(ends, default=None)


def _period_faults(profile: ChargingProfile) -> Iterator[Problem]:
    periods = profile.schedule.periods
    if len(periods) > MOST_PERIODS:
        yield Problem("periods", Rule.TOO_LONG, len(periods), MOST_PERIODS)
        return
    if periods[0].start_s != 0:  # K01.FR.31
        yield Problem("periods[0].start_s", Rule.FIRST_PERIOD, periods[0].start_s)
    for at, period in enumerate(periods):
        if at and period.start_s <= periods[at - 1].start_s:
            yield Problem(f"periods[{at}].start_s", Rule.ASCENDING, period.start_s, periods[at - 1].start_s)
        if period.start_s > LONGEST_S:
            yield Problem(f"periods[{at}].start_s", Rule.DURATION, period.start_s)
        if period.phases not in (None, 1, 2, 3):
            yield Problem(f"periods[{at}].phases", Rule.PHASES, str(period.phases))
        yield from _limit_faults(f"periods[{at}].limit", period.limit, profile.schedule.unit)


def _limit_faults(field: str, limit: float, unit: str) -> Iterator[Problem]:
    most = MOST_A if unit == "A" else MOST_W
    if not math.isfinite(limit):
        yield Problem(field, Rule.NOT_A_NUMBER, str(limit))
    elif limit < 0:
        yield Problem(field, Rule.NEGATIVE, limit)
    elif limit > most:
        yield Problem(field, Rule.TOO_HIGH, limit, most)
    elif abs(limit * 10 - round(limit * 10)) > 1e-6:  # the schema's multipleOf 0.1
        yield Problem(field, Rule.DECIMALS, limit)


def _place_faults(profile: ChargingProfile, evse: int, place: Place) -> Iterator[Problem]:
    if evse and evse not in place.evses:  # K01.FR.28
        yield Problem("evse_number", Rule.UNKNOWN_EVSE, evse)
    if profile.purpose is Purpose.STATION_MAX and evse:  # 1.6 3.13.1
        yield Problem("evse_number", Rule.STATION_MAX_EVSE, evse)
    if profile.purpose is Purpose.STATION_MAX and profile.kind is Kind.RELATIVE:  # K01.FR.38
        yield Problem("kind", Rule.STATION_MAX_RELATIVE)
    if profile.purpose is not Purpose.TX:
        if profile.transaction_id is not None:
            yield Problem("transaction_id", Rule.TRANSACTION_WITHOUT_TX)
    elif not evse:
        yield Problem("evse_number", Rule.TX_EVSE)
    elif (evse, str(profile.transaction_id)) not in place.transactions:  # K01.FR.03/.09/.33
        yield Problem("transaction_id", Rule.TX_TRANSACTION, evse)


def _time_faults(profile: ChargingProfile, now: datetime) -> Iterator[Problem]:
    schedule = profile.schedule
    if profile.kind is Kind.RELATIVE:
        if schedule.start is not None:  # K01.FR.41
            yield Problem("start_schedule", Rule.START_NOT_ALLOWED)
    elif schedule.start is None:  # K01.FR.40
        yield Problem("start_schedule", Rule.START_MISSING)
    if profile.kind is Kind.RECURRING:
        yield from _recurrence_faults(profile)
    if schedule.duration_s is not None and not 0 < schedule.duration_s <= LONGEST_S:
        yield Problem("duration_s", Rule.DURATION, schedule.duration_s)
    if profile.valid_from and profile.valid_to and profile.valid_to <= profile.valid_from:
        yield Problem("valid_to", Rule.VALIDITY)
    end = ends_at(profile)
    if end is not None and end <= now:
        yield Problem("valid_to" if profile.valid_to == end else "duration_s", Rule.HAS_ENDED)


def _recurrence_faults(profile: ChargingProfile) -> Iterator[Problem]:
    if profile.recurrency is None:
        yield Problem("recurrency", Rule.RECURRENCY_MISSING)
        return
    every_s = 86_400 * (1 if profile.recurrency is Recurrency.DAILY else 7)
    last_s = max((period.start_s for period in profile.schedule.periods), default=0)
    if last_s >= every_s:
        yield Problem("periods", Rule.LONGER_THAN_RECURRENCE, last_s, every_s)


def _has_end(profile: ChargingProfile) -> bool:
    """Rule 12. A recurrence only ends with its validity; a TxProfile ends with its transaction (1.6 3.13.1)."""
    return profile.purpose is Purpose.TX or ends_at(profile) is not None


def _is_low_default(profile: ChargingProfile, place: Place) -> bool:
    """Rule 12: the one limit without an end is the low default that stands under the others."""
    if profile.purpose is not Purpose.TX_DEFAULT or profile.stack_level != 0 or profile.schedule.unit != "A":
        return False
    return profile.schedule.duration_s is None and all(
        period.limit <= share_a(place) for period in profile.schedule.periods
    )
