"""Which clause of OCPP each rule on profiles is from, by version, and the reason code of a station's refusal. Pure.

1.6 is edition 2 with errata 4.0, 2.0.1 is edition 3 part 2, 2.1 has the errata of September 2025. A type or a
variable stands where the standard gives its rule no number. A rule without a clause is our own.
"""

from __future__ import annotations

from smartcharging.domain.profiles import Version
from smartcharging.domain.rules import Rule

_PROFILE = "ChargingProfileType"
_SCHEDULE = "ChargingScheduleType"
_PERIOD = "ChargingSchedulePeriodType"
_MODES = "table of limits and setpoints per operationMode"
_VERSIONS: tuple[Version, ...] = ("1.6", "2.0.1", "2.1")

# In 1.6, in 2.0.1, and in 2.1 where that differs from 2.0.1.
_CLAUSES: dict[Rule, tuple[str, str] | tuple[str, str, str]] = {
    Rule.LEVEL: ("ChargingProfile", _PROFILE),
    Rule.NO_PERIODS: ("7.13", _SCHEDULE),
    Rule.ONE_SCHEDULE: ("", "K01.FR.34"),
    Rule.MALFORMED: ("ChargingProfile", _PROFILE),
    Rule.NOT_IN_VERSION: ("ChargingProfile", _PROFILE),
    Rule.EXTERNAL: ("ChargingProfile", "K01.FR.22"),
    Rule.EXTERNAL_ID: ("", "K01.FR.05"),
    Rule.TOO_LONG: ("", _SCHEDULE),
    Rule.FIRST_PERIOD: ("7.14", "K01.FR.31"),
    Rule.ASCENDING: ("7.14", "K01.FR.35"),
    Rule.NOT_A_NUMBER: ("7.14", _PERIOD),
    Rule.NEGATIVE: ("7.14", _PERIOD),
    Rule.DECIMALS: ("7.14", _PERIOD),
    Rule.STATE_OF_CHARGE: ("", "", "LimitAtSoCType"),
    Rule.PHASES: ("7.14", _PERIOD),
    Rule.PHASES_SUPPORTED: ("", "K01.FR.45"),
    Rule.PHASES_DC: ("", "", "K01.FR.44"),
    Rule.PHASE_TO_USE: ("", _PERIOD),
    Rule.PHASE_TO_USE_ALONE: ("", "K01.FR.19/.48"),
    Rule.PHASE_SWITCHING: ("", "K01.FR.20/.48"),
    Rule.PHASE_CONFLICT: ("", "", "K01.FR.141"),
    Rule.STATION_MAX_EVSE: ("3.13.1", "K01"),
    Rule.STATION_MAX_RELATIVE: ("", "K01.FR.38"),
    Rule.TX_EVSE: ("3.13", "K01.FR.16"),
    Rule.TX_MISSING: ("", "K01.FR.03"),
    Rule.TX_NOT_RUNNING: ("5.16", "K01.FR.09"),
    Rule.TX_TRANSACTION: ("5.16", "K01.FR.33"),
    Rule.TRANSACTION_WITHOUT_TX: ("ChargingProfile", _PROFILE),
    Rule.STARTING_PURPOSE: ("3.13", "K05.FR.02"),
    Rule.STARTING_TRANSACTION: ("3.13", "K05"),
    Rule.UNKNOWN_EVSE: ("5.16, errata 3.39", "K01.FR.28"),
    Rule.START_MISSING: ("", "K01.FR.40"),
    Rule.START_NOT_ALLOWED: ("", "K01.FR.41"),
    Rule.RECURRENCY_MISSING: ("ChargingProfile", _PROFILE),
    Rule.PRIORITY_DURATION: ("", "", "K01.FR.70/.73"),
    Rule.PRIORITY_MODE: ("", "", "K01.FR.71"),
    Rule.DYNAMIC_PERIODS: ("", "", "K28.FR.01/.02"),
    Rule.DYNAMIC_ONLY: ("", "", "K01.FR.122"),
    Rule.DELAY_PURPOSE: ("", "", "K01.FR.95"),
    Rule.MODE_PURPOSE: ("", "", "K01.FR.111/.113/.114"),
    Rule.LIMIT_MISSING: ("", "", _MODES),
    Rule.SETPOINT_MISSING: ("", "", _MODES),
    Rule.NOT_IN_MODE: ("", "", _MODES),
    Rule.DISCHARGE_POSITIVE: ("", "", _PERIOD),
    Rule.SETPOINT_RANGE: ("", "", "V2X.05"),
    Rule.PHASE_LIMIT_PURPOSE: ("", "", "K01.FR.143/.144"),
    Rule.PHASE_VALUE_PURPOSE: ("", "", "V2X.10"),
    Rule.PHASE_LIMIT_ALONE: ("", "", "K01.FR.145/.146"),
    Rule.PHASE_VALUE_ALONE: ("", "", _PERIOD),
    Rule.CURVE_UNIT: ("", "", "Q08.FR.05"),
    Rule.CURVE_MISSING: ("", "", "Q08.FR.02"),
    Rule.SLEEP_MODE: ("", "", "K01.FR.126"),
    Rule.NO_SMART_CHARGING: ("5.16", "K01.FR.29"),
    Rule.UNIT: ("9.4 ChargingScheduleAllowedChargingRateUnit", "K01.FR.26"),
    Rule.PERIODS: ("9.4 ChargingScheduleMaxPeriods", "SmartChargingCtrlr.PeriodsPerSchedule"),
    Rule.STACK_LEVEL: ("9.4 ChargeProfileMaxStackLevel", "SmartChargingCtrlr.ProfileStackLevel"),
    Rule.PROFILES: ("9.4 MaxChargingProfilesInstalled", "SmartChargingCtrlr.Entries[ChargingProfiles]"),
    Rule.RESERVED_ID: ("", "", "K01.FR.81"),
    Rule.PURPOSE_UNSUPPORTED: ("", "", "K01.FR.120"),
    Rule.KIND_UNSUPPORTED: ("", "", "K01.FR.121"),
    Rule.MODE_UNSUPPORTED: ("", "", "K01.FR.115"),
    Rule.LOCAL_TIME_UNSUPPORTED: ("", "", "K01.FR.123"),
    Rule.DELAY_UNSUPPORTED: ("", "", "K01.FR.124"),
    Rule.SOC_UNSUPPORTED: ("", "", "K01.FR.125"),
    Rule.SLEEP_UNSUPPORTED: ("", "", "K01.FR.126"),
    Rule.DUPLICATE: ("", "K01.FR.06"),
    Rule.SAME_LEVEL: ("", "K01.FR.52/.53"),
    Rule.SAME_TRANSACTION_LEVEL: ("", "K01.FR.39"),
}

_REASONS: dict[Rule, str] = {
    Rule.EXTERNAL: "UnsupportedPurpose",
    Rule.EXTERNAL_ID: "DuplicateProfile",
    Rule.RESERVED_ID: "InvalidProfileId",
    Rule.PHASES_DC: "NoPhaseForDC",
    Rule.PHASE_CONFLICT: "PhaseConflict",
    Rule.PHASE_LIMIT_PURPOSE: "PhaseConflict",
    Rule.PHASE_VALUE_PURPOSE: "PhaseConflict",
    Rule.PHASE_LIMIT_ALONE: "PhaseConflict",
    Rule.STATION_MAX_EVSE: "InvalidValue",
    Rule.STATION_MAX_RELATIVE: "InvalidValue",
    Rule.STARTING_PURPOSE: "InvalidValue",
    Rule.TX_EVSE: "InvalidValue",
    Rule.UNKNOWN_EVSE: "InvalidValue",
    Rule.TX_MISSING: "MissingParam",
    Rule.TX_NOT_RUNNING: "TxNotFound",
    Rule.TX_TRANSACTION: "TxNotFound",
    Rule.DYNAMIC_ONLY: "InvalidProfile",
    Rule.MODE_PURPOSE: "InvalidOperationMode",
    Rule.PRIORITY_MODE: "InvalidOperationMode",
    Rule.MODE_UNSUPPORTED: "InvalidOperationMode",
    Rule.CURVE_UNIT: "UnsupportedRateUnit",
    Rule.CURVE_MISSING: "NoFreqWattCurve",
    Rule.UNIT: "UnsupportedRateUnit",
    Rule.PURPOSE_UNSUPPORTED: "UnsupportedPurpose",
    Rule.KIND_UNSUPPORTED: "UnsupportedKind",
    Rule.LOCAL_TIME_UNSUPPORTED: "UnsupportedParam",
    Rule.DELAY_UNSUPPORTED: "UnsupportedParam",
    Rule.SOC_UNSUPPORTED: "UnsupportedParam",
    Rule.STACK_LEVEL: "InvalidStackLevel",
    Rule.SAME_TRANSACTION_LEVEL: "InvalidStackLevel",
    Rule.DUPLICATE: "DuplicateProfile",
    Rule.SAME_LEVEL: "DuplicateProfile",
}
# Of a schedule, where nothing more exact is said.
_SCHEDULE_RULES = (
    Rule.FIRST_PERIOD,
    Rule.ASCENDING,
    Rule.NOT_A_NUMBER,
    Rule.NEGATIVE,
    Rule.DECIMALS,
    Rule.PHASES,
    Rule.PHASES_SUPPORTED,
    Rule.PHASE_TO_USE,
    Rule.PHASE_TO_USE_ALONE,
    Rule.PHASE_SWITCHING,
    Rule.START_MISSING,
    Rule.START_NOT_ALLOWED,
    Rule.PERIODS,
    Rule.PRIORITY_DURATION,
    Rule.DYNAMIC_PERIODS,
    Rule.DELAY_PURPOSE,
    Rule.LIMIT_MISSING,
    Rule.SETPOINT_MISSING,
    Rule.NOT_IN_MODE,
    Rule.DISCHARGE_POSITIVE,
    Rule.SETPOINT_RANGE,
    Rule.PHASE_VALUE_ALONE,
    Rule.SLEEP_MODE,
    Rule.SLEEP_UNSUPPORTED,
)


def clause_of(rule: Rule, version: Version) -> str:
    """As in "OCPP 2.0.1 K01.FR.31"; empty where the rule is our own."""
    clauses = _CLAUSES.get(rule, ("", ""))
    text = clauses[min(_VERSIONS.index(version), len(clauses) - 1)]
    return f"OCPP {version} {text}" if text else ""


def reason_of(rule: Rule, version: Version) -> str:
    """The reasonCode of a 2.x station's refusal; 1.6 knows none."""
    if version == "1.6":
        return ""
    return _REASONS.get(rule, "InvalidSchedule" if rule in _SCHEDULE_RULES else "")
