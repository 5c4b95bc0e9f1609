"""Charging profiles as the schedule engine sees them: one shape for OCPP 1.6, 2.0.1 and 2.1. Pure.

`wire.py` makes these from JSON, `storing.py` keeps the set a station holds, `schedule.py` computes with them.
What OCPP 2.1 adds to a period (setpoints, discharge limits, per-phase limits) is its `Operation`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

Unit = Literal["A", "W"]
Version = Literal["1.6", "2.0.1", "2.1"]

NOMINAL_V = 230.0
NOTHING = math.inf  # limits nothing; 0 is a limit and not "absent" (1.6 5.16.4)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def rules_of(ocpp_version: str) -> Version:
    """The version whose rules on profiles hold; of an unknown one those of 2.0.1."""
    if ocpp_version == "1.6":
        return "1.6"
    return "2.1" if ocpp_version == "2.1" else "2.0.1"


class Purpose(StrEnum):
    """ChargingProfilePurposeType; 1.6 calls the first one ChargePointMaxProfile."""

    STATION_MAX = "ChargingStationMaxProfile"
    EXTERNAL_CONSTRAINTS = "ChargingStationExternalConstraints"
    TX_DEFAULT = "TxDefaultProfile"
    TX = "TxProfile"
    PRIORITY_CHARGING = "PriorityCharging"  # 2.1: instead of Tx and TxDefault, while it is used (K21)
    LOCAL_GENERATION = "LocalGeneration"  # 2.1: added to the lowest limit (K27)


class Kind(StrEnum):
    """ChargingProfileKindType."""

    ABSOLUTE = "Absolute"
    RECURRING = "Recurring"
    RELATIVE = "Relative"
    DYNAMIC = "Dynamic"  # 2.1: one period, whose values the CSMS updates (K28)


class Recurrency(StrEnum):
    """RecurrencyKindType."""

    DAILY = "Daily"
    WEEKLY = "Weekly"

    @property
    def days(self) -> int:
        return 1 if self is Recurrency.DAILY else 7


class OperationMode(StrEnum):
    """OperationModeEnumType of 2.1: who decides on the power of an EVSE within its limits (Q)."""

    IDLE = "Idle"
    CHARGING_ONLY = "ChargingOnly"
    CENTRAL_SETPOINT = "CentralSetpoint"
    EXTERNAL_SETPOINT = "ExternalSetpoint"
    EXTERNAL_LIMITS = "ExternalLimits"
    CENTRAL_FREQUENCY = "CentralFrequency"
    LOCAL_FREQUENCY = "LocalFrequency"
    LOCAL_LOAD_BALANCING = "LocalLoadBalancing"


@dataclass(frozen=True, slots=True)
class Operation:
    """What a period says beyond its limit: OCPP 2.1, and `phase_to_use` of 2.0.1. None: not said.

    Values are in the unit of the schedule. Of a pair or triple, `..._l2` and `..._l3` are those of these phases; the
    plain value beside them is then that of L1 (K01.FR.143-.147). Discharge limits and setpoints that discharge are
    negative; a discharge limit is never above 0.
    """

    mode: OperationMode = OperationMode.CHARGING_ONLY
    limit_l2: float | None = None
    limit_l3: float | None = None
    discharge_limit: float | None = None
    discharge_limit_l2: float | None = None
    discharge_limit_l3: float | None = None
    setpoint: float | None = None
    setpoint_l2: float | None = None
    setpoint_l3: float | None = None
    setpoint_reactive: float | None = None  # positive: inductive
    phase_to_use: int | None = None
    evse_sleep: bool | None = None
    baseline_w: float | None = None
    frequency_curve: tuple[tuple[float, float], ...] = ()  # (Hz, W)
    signal_curve: tuple[tuple[int, float], ...] = ()  # (signal, W)


# The numbers of an Operation as ChargingSchedulePeriodType of 2.1 calls them.
OPERATION_ON_WIRE = {
    "limit_l2": "limit_L2",
    "limit_l3": "limit_L3",
    "discharge_limit": "dischargeLimit",
    "discharge_limit_l2": "dischargeLimit_L2",
    "discharge_limit_l3": "dischargeLimit_L3",
    "setpoint": "setpoint",
    "setpoint_l2": "setpoint_L2",
    "setpoint_l3": "setpoint_L3",
    "setpoint_reactive": "setpointReactive",
}


class ChargingPeriod(NamedTuple):
    """One ChargingSchedulePeriod: from `start_s` after the start of its schedule, at most `limit`.

    `limit` is in the unit of the schedule: A per phase, or W in total; NOTHING where a period of 2.1 names none. A
    negative one is an old way to say that the car may discharge so much, and not charge (2.1 data types).
    `phases` None: not said. `operation` None: a plain limit, as all of 1.6 are.
    A named tuple and not a dataclass, because a composite makes them by the hundred: a third of the time.
    """

    start_s: int
    limit: float
    phases: int | None = None
    operation: Operation | None = None


@dataclass(frozen=True, slots=True)
class ChargingSchedule:
    """A ChargingSchedule: at least one period, ascending by `start_s`; `duration_s` None: no end of its own.

    With `use_local_time`, `start` holds what a clock at the station shows, labelled UTC: it goes on the wire like
    that, as its offset is disregarded there. `is_plain`: its periods are limits and nothing else, as in 1.6.
    `is_valid`: no period lacks the limit that ChargingOnly needs (K01.FR.111); else the profile does not count.
    `starts`: the second that each period begins at. `limits`: of a schedule in A each period as a `limits.Limit`.
    """

    unit: Unit
    periods: tuple[ChargingPeriod, ...]
    start: datetime | None = None
    duration_s: int | None = None
    min_charging_rate: float | None = None
    use_local_time: bool = False  # 2.1
    randomized_delay_s: int | None = None  # 2.1, K01.FR.97
    limit_at_soc: tuple[int, float] | None = None  # 2.1: from this state of charge (%), at most this
    is_plain: bool = field(init=False, compare=False, repr=False)
    is_valid: bool = field(init=False, compare=False, repr=False)
    starts: tuple[int, ...] = field(init=False, compare=False, repr=False)
    limits: tuple[tuple[float, float, int | None], ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not self.periods:
            raise ValueError("a charging schedule has at least one period")
        # Once here and not at each question: a composite asks many schedules, each many times.
        is_plain = all(period.operation is None and 0 <= period.limit < NOTHING for period in self.periods)
        object.__setattr__(self, "is_plain", is_plain)
        object.__setattr__(self, "is_valid", is_plain or not any(map(_lacks_limit, self.periods)))
        object.__setattr__(self, "starts", tuple([period[0] for period in self.periods]))
        limits = (
            [(limit, NOTHING, phases) for _, limit, phases, _ in self.periods] if self.unit == "A" else []
        )
        object.__setattr__(self, "limits", tuple(limits))


def _lacks_limit(period: ChargingPeriod) -> bool:
    is_charging_only = period.operation is None or period.operation.mode is OperationMode.CHARGING_ONLY
    return is_charging_only and period.limit == NOTHING


@dataclass(frozen=True, slots=True)
class ChargingProfile:
    """A ChargingProfile with its one schedule (three only for ISO 15118, K01.FR.34).

    `valid_to` is exclusive (K01.FR.37). `transaction_id` is a number in 1.6, a string in 2.x.
    """

    id: int
    stack_level: int
    purpose: Purpose
    kind: Kind
    schedule: ChargingSchedule
    recurrency: Recurrency | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    transaction_id: int | str | None = None
    dynamic_updated_at: datetime | None = None  # 2.1 dynUpdateTime
    dynamic_interval_s: int | None = None  # 2.1 dynUpdateInterval
    max_offline_s: int | None = None  # 2.1 maxOfflineDuration; 0: at once
    invalid_after_offline: bool = False  # 2.1 invalidAfterOfflineDuration


@dataclass(frozen=True, slots=True)
class Installed:
    """A profile as a station holds it. `evse` is the connector in 1.6; 0 is the whole station."""

    profile: ChargingProfile
    evse: int
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Transaction:
    """A running transaction; `start` is the moment that energy may flow, where known (K01.FR.42).

    `has_priority`: PriorityCharging profiles are in use for it (2.1 UsePriorityCharging, K21).
    """

    id: int | str
    evse: int
    start: datetime
    has_priority: bool = False


@dataclass(frozen=True, slots=True)
class Outages:
    """When the station had no connection: the one that goes on began at `since` (None: it is online).

    `earlier`: from and to of those that are over, as far as known; 2.1 invalidAfterOfflineDuration looks back.
    """

    since: datetime | None = None
    earlier: tuple[tuple[datetime, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class LocalLimit:
    """What one EVSE can do by itself: counts where no profile does. Unknown limits are None.

    `nominal_voltage` is the line voltage in V, never a measured one (1.6 7.14, K01.FR.50). `phases` is
    assumed where a period does not name a number: 3 for AC (1.6 7.14, K01.FR.49).
    """

    nominal_voltage: float = NOMINAL_V
    phases: int = 3
    limit_a: float | None = None
    limit_w: float | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """The points on which implementations differ. The defaults are this project's decisions.

    Dn is the number of the disagreement in the project's rules. Settled without an option: D5 (ends are
    exclusive), D7 (Absolute without startSchedule counts from the start of charging), D11 (equal neighbours are
    merged), D16 (the answer repeats no startSchedule), D17 (a TxProfile without transactionId is for the
    current transaction). D1 (no profile applies) is the caller's LocalLimit. What OCPP 2.1 leaves open is settled
    in `operations.py` and, for offline stations, in `stacks.py`.
    """

    txdefault_scope: Literal["per_level", "own_first"] = "per_level"  # D2: EVSE 0 against own
    recurring_before_start: Literal["wait", "extrapolate"] = "wait"  # D3: K01.FR.30
    min_rate_raises: bool = False  # D4: minChargingRate informs, it raises nothing (K01.FR.21)
    unit_conversion: Literal["own_phases", "common_phases"] = "own_phases"  # D6: K01.FR.50
    simulate_transaction: bool = True  # D8, D9: none runs, so act as if one starts now (K08.FR.06)
    txprofile_without_tx: bool = False  # D9: should that imagined transaction have the TxProfiles too?
    timezone: tzinfo | None = None  # D10: None = 24 h are 24 h; else Recurring follows this zone's wall clock
    local_time: tzinfo = AMSTERDAM  # 2.1 useLocalTime: what the clock at the station shows
    station_sum: Literal["unit_first", "everest"] = "unit_first"  # D12: EVerest adds A and W apart
    cap_by_local_limit: bool = False  # D13: for a simulator; a station reports what its profiles say
    rounding: Literal["down", "none"] = "down"  # D14: to 0.1, down, so as never to exceed the lowest limit
    dynamic_from: Literal["update", "question"] = "update"  # D15: K28.FR.13; EVerest counts from the question
    names_assumed_phases: bool = False  # 2.x answers the assumed number of phases, 1.6 leaves it out


def policy_for(version: Version) -> Policy:
    """This project's decisions for one OCPP version."""
    return Policy(names_assumed_phases=version != "1.6")


@dataclass(frozen=True, slots=True)
class CompositeSchedule:
    """The answer to GetCompositeSchedule: `periods[0].start_s` is 0, neighbours differ.

    A limit of None means that nothing is known to limit the EVSE. There is no startSchedule beside `start`
    (1.6 errata 3.57; D16).
    """

    start: datetime
    duration_s: int
    unit: Unit
    periods: tuple[CompositePeriod, ...]


class CompositePeriod(NamedTuple):
    """A stretch of the answer: from `start_s` after its start, at most `limit` (None: no limit known).

    `operation`: what 2.1 reports beside it; None where that is nothing but ChargingOnly.
    """

    start_s: int
    limit: float | None
    phases: int | None
    operation: Operation | None = None
