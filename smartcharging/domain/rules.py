"""What a charging profile can break, and where it is to stand: the words of `checking.py`. Pure.

`clauses.py` says which clause of the standard each rule is from, and the reason code that a station gives for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from smartcharging.domain.profiles import Installed, Version


class Rule(StrEnum):
    """What a profile can break. The value is the code that the API gives."""

    CHOICE = "choice"
    NAME = "name"
    LEVEL = "level"
    NO_PERIODS = "no_periods"
    ONE_SCHEDULE = "one_schedule"
    MALFORMED = "malformed"
    # what the version knows
    NOT_IN_VERSION = "not_in_version"
    EXTERNAL = "external"
    EXTERNAL_ID = "external_id"
    # the periods
    TOO_LONG = "too_long"
    FIRST_PERIOD = "first_period"
    ASCENDING = "ascending"
    NOT_A_NUMBER = "not_a_number"
    NEGATIVE = "negative"
    TOO_HIGH = "too_high"
    DECIMALS = "decimals"
    STATE_OF_CHARGE = "state_of_charge"
    # phases
    PHASES = "phases"
    PHASES_SUPPORTED = "phases_supported"
    PHASES_DC = "phases_dc"
    PHASE_TO_USE = "phase_to_use"
    PHASE_TO_USE_ALONE = "phase_to_use_alone"
    PHASE_SWITCHING = "phase_switching"
    PHASE_CONFLICT = "phase_conflict"
    # where it stands
    STATION_MAX_EVSE = "station_max_evse"
    STATION_MAX_RELATIVE = "station_max_relative"
    TX_EVSE = "tx_evse"
    TX_MISSING = "tx_missing"
    TX_NOT_RUNNING = "tx_not_running"
    TX_TRANSACTION = "tx_transaction"
    TRANSACTION_WITHOUT_TX = "transaction_without_tx"
    STARTING_PURPOSE = "starting_purpose"
    STARTING_TRANSACTION = "starting_transaction"
    UNKNOWN_EVSE = "unknown_evse"
    # when
    START_MISSING = "start_missing"
    START_NOT_ALLOWED = "start_not_allowed"
    RECURRENCY_MISSING = "recurrency_missing"
    LONGER_THAN_RECURRENCE = "longer_than_recurrence"
    DURATION = "duration"
    VALIDITY = "validity"
    NO_END = "no_end"
    HAS_ENDED = "has_ended"
    # OCPP 2.1
    PRIORITY_DURATION = "priority_duration"
    PRIORITY_MODE = "priority_mode"
    DYNAMIC_PERIODS = "dynamic_periods"
    DYNAMIC_ONLY = "dynamic_only"
    DELAY_PURPOSE = "delay_purpose"
    MODE_PURPOSE = "mode_purpose"
    LIMIT_MISSING = "limit_missing"
    SETPOINT_MISSING = "setpoint_missing"
    NOT_IN_MODE = "not_in_mode"
    DISCHARGE_POSITIVE = "discharge_positive"
    SETPOINT_RANGE = "setpoint_range"
    PHASE_LIMIT_PURPOSE = "phase_limit_purpose"
    PHASE_VALUE_PURPOSE = "phase_value_purpose"
    PHASE_LIMIT_ALONE = "phase_limit_alone"
    PHASE_VALUE_ALONE = "phase_value_alone"
    CURVE_UNIT = "curve_unit"
    CURVE_MISSING = "curve_missing"
    SLEEP_MODE = "sleep_mode"
    # what the station can take
    NO_SMART_CHARGING = "no_smart_charging"
    UNIT = "unit"
    PERIODS = "periods"
    STACK_LEVEL = "stack_level"
    PROFILES = "profiles"
    RESERVED_ID = "reserved_id"
    PURPOSE_UNSUPPORTED = "purpose_unsupported"
    KIND_UNSUPPORTED = "kind_unsupported"
    MODE_UNSUPPORTED = "mode_unsupported"
    LOCAL_TIME_UNSUPPORTED = "local_time_unsupported"
    DELAY_UNSUPPORTED = "delay_unsupported"
    SOC_UNSUPPORTED = "soc_unsupported"
    SLEEP_UNSUPPORTED = "sleep_unsupported"
    # what stands there already
    DUPLICATE = "duplicate"
    SAME_LEVEL = "same_level"
    SAME_TRANSACTION_LEVEL = "same_transaction_level"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: the field, the rule, and the figures for its sentence.

    `clause` is as in "OCPP 2.0.1 K01.FR.31"; empty where the rule is our own. `reason` is the reason code that
    stations give with a refusal, where there is one.
    """

    field: str
    rule: Rule
    have: float | int | str = ""
    allowed: float | int | str = ""
    clause: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the station said it can take; None or empty: not said, so nothing is held against a profile."""

    smart_charging: bool | None = None
    units: tuple[str, ...] = ()
    max_periods: int | None = None
    max_stack_level: int | None = None
    max_profiles: int | None = None
    phases: int | None = None
    phase_switching: bool | None = None  # 2.x ACPhaseSwitchingSupported
    # OCPP 2.1
    purposes: tuple[str, ...] | None = None  # beyond those of 2.0.1
    dynamic: bool | None = None
    modes: tuple[str, ...] | None = None  # beyond ChargingOnly
    local_time: bool | None = None
    randomized_delay: bool | None = None
    limit_at_soc: bool | None = None
    evse_sleep: bool | None = None
    max_external_id: int | None = None  # MaxExternalConstraintsId: ids up to here are not the CSMS's


@dataclass(frozen=True, slots=True)
class Place:
    """Where a profile is to stand: the station's EVSEs, its connection, what runs and what stands there.

    `transactions`: (EVSE, id) of those that run. `installed`: profiles that stand there, or are wanted there.
    `leaving`: how many more may still take up room. `dc_evses`: those known to be DC.
    """

    evses: frozenset[int]
    connection_a: int
    version: Version = "1.6"
    transactions: tuple[tuple[int, str], ...] = ()
    installed: tuple[Installed, ...] = ()
    leaving: int = 0
    abilities: Abilities = Abilities()
    dc_evses: frozenset[int] = frozenset()
