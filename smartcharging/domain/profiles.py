"""Charging profiles as the schedule engine sees them: one shape for OCPP 1.6 and 2.0.1. Pure.

`wire.py` makes these from JSON, `storing.py` keeps the set a station holds, `schedule.py` computes with them.
What OCPP 2.1 adds (setpoints, discharge limits, per-phase limits, Dynamic profiles) becomes further fields
with a default of None: nothing here needs another name for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Literal, NamedTuple

Unit = Literal["A", "W"]
Version = Literal["1.6", "2.0.1"]

NOMINAL_V = 230.0


def rules_of(ocpp_version: str) -> Version:
    """The version whose rules on profiles hold: 2.1 kept those of 2.0.1."""
    return "1.6" if ocpp_version == "1.6" else "2.0.1"


class Purpose(StrEnum):
    """ChargingProfilePurposeType; 1.6 calls the first one ChargePointMaxProfile."""

    STATION_MAX = "ChargingStationMaxProfile"
    EXTERNAL_CONSTRAINTS = "ChargingStationExternalConstraints"
    TX_DEFAULT = "TxDefaultProfile"
    TX = "TxProfile"


class Kind(StrEnum):
    """ChargingProfileKindType."""

    ABSOLUTE = "Absolute"
    RECURRING = "Recurring"
    RELATIVE = "Relative"


class Recurrency(StrEnum):
    """RecurrencyKindType."""

    DAILY = "Daily"
    WEEKLY = "Weekly"

    @property
    def days(self) -> int:
        return 1 if self is Recurrency.DAILY else 7


class ChargingPeriod(NamedTuple):
    """One ChargingSchedulePeriod: from `start_s` after the start of its schedule, at most `limit`.

    `limit` is in the unit of the schedule: A per phase, or W in total. `phases` None: not said.
    A named tuple and not a dataclass, because a composite makes them by the hundred: a third of the time.
    """

    start_s: int
    limit: float
    phases: int | None = None


@dataclass(frozen=True, slots=True)
class ChargingSchedule:
    """A ChargingSchedule: at least one period, ascending by `start_s`; `duration_s` None: no end of its own."""

    unit: Unit
    periods: tuple[ChargingPeriod, ...]
    start: datetime | None = None
    duration_s: int | None = None
    min_charging_rate: float | None = None

    def __post_init__(self) -> None:
        if not self.periods:
            raise ValueError("a charging schedule has at least one period")


@dataclass(frozen=True, slots=True)
class ChargingProfile:
    """A ChargingProfile with its one schedule (three only for ISO 15118, K01.FR.35).

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


@dataclass(frozen=True, slots=True)
class Installed:
    """A profile as a station holds it. `evse` is the connector in 1.6; 0 is the whole station."""

    profile: ChargingProfile
    evse: int
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Transaction:
    """A running transaction; `start` is the moment that energy may flow, where known (K01.FR.42)."""

    id: int | str
    evse: int
    start: datetime


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
    current transaction). D1 (no profile applies) is the caller's LocalLimit; D15 belongs to OCPP 2.1.
    """

    txdefault_scope: Literal["per_level", "own_first"] = "per_level"  # D2: EVSE 0 against own
    recurring_before_start: Literal["wait", "extrapolate"] = "wait"  # D3: K01.FR.30
    min_rate_raises: bool = False  # D4: minChargingRate informs, it raises nothing (K01.FR.21)
    unit_conversion: Literal["own_phases", "common_phases"] = "own_phases"  # D6: K01.FR.50
    simulate_transaction: bool = True  # D8, D9: none runs, so act as if one starts now (K08.FR.06)
    txprofile_without_tx: bool = False  # D9: should that imagined transaction have the TxProfiles too?
    timezone: tzinfo | None = None  # D10: None = 24 h are 24 h; else Recurring follows this zone's wall clock
    station_sum: Literal["unit_first", "everest"] = "unit_first"  # D12: EVerest adds A and W apart
    cap_by_local_limit: bool = False  # D13: for a simulator; a station reports what its profiles say
    rounding: Literal["down", "none"] = "down"  # D14: to 0.1, down, so as never to exceed the lowest limit
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
    """A stretch of the answer: from `start_s` after its start, at most `limit` (None: no limit known)."""

    start_s: int
    limit: float | None
    phases: int | None
