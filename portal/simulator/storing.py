"""Which profiles a station takes: the storing rules of 1.6 (3.13, 5.16), 2.0.1 (K01) and 2.1 (K01, K28, Q)."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from portal.simulator.profiles import (
    CENTRAL_SETPOINT,
    CHARGING_ONLY,
    EXTERNAL_SETPOINT,
    MAX,
    PRIORITY,
    TX,
    TX_DEFAULT,
    Period,
    Running,
    StoredProfile,
)

MODES = (CHARGING_ONLY, CENTRAL_SETPOINT, EXTERNAL_SETPOINT)  # V2XChargingCtrlr.SupportedOperationModes

# What 2.1 may ask and this station does not do: field -> the reason code it gets.
UNABLE = {
    "randomizedDelay": "UnsupportedParam",  # K01.FR.124
    "limitAtSoC": "UnsupportedParam",  # K01.FR.125
    "evseSleep": "InvalidSchedule",  # K01.FR.126
    "phaseToUse": "InvalidSchedule",  # K01.FR.20: no ACPhaseSwitchingSupported
    "limit_L2": "PhaseConflict",  # K01.FR.142, .144: no car here names limits per phase
    "limit_L3": "PhaseConflict",
    "dischargeLimit_L2": "PhaseConflict",
    "dischargeLimit_L3": "PhaseConflict",
    "setpoint_L2": "PhaseConflict",
    "setpoint_L3": "PhaseConflict",
    "setpointReactive": "UnsupportedParam",
    "v2xBaseline": "UnsupportedParam",
    "v2xFreqWattCurve": "UnsupportedParam",
    "v2xSignalWattCurve": "UnsupportedParam",
}
Fault = tuple[str, str, bool]  # (reason code, what is wrong, whether it is)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a station states about itself, and holds callers to."""

    max_stack_level: int = 9
    max_periods: int = 24
    max_installed: int = 30
    units: tuple[str, ...] = ("A", "W")


class ProfileRefusedError(Exception):
    """A profile that does not fit; `reason` is a 2.x reason code."""

    def __init__(self, reason: str, why: str) -> None:
        super().__init__(f"{reason}: {why}")
        self.reason = reason
        self.why = why


def check(profile: StoredProfile, *, rules_of_16: bool) -> None:
    """The rules that need nothing but the profile itself; ProfileRefusedError names the first that is broken."""
    faults = [*_faults_of_place(profile), *_faults_of_schedule(profile, rules_of_16=rules_of_16)]
    faults += [] if rules_of_16 else _faults_of_2x(profile)
    faults += [fault for period in profile.periods for fault in _faults_of_period(period, profile.purpose)]
    for reason, why, wrong in faults:
        if wrong:
            raise ProfileRefusedError(reason, why)


def check_transaction(profile: StoredProfile, running: Running | None, *, rules_of_16: bool) -> None:
    """A TxProfile needs its transaction, which 2.x wants named (K01.FR.03, .09, .33)."""
    if running is not None and profile.transaction is None and not rules_of_16:
        raise ProfileRefusedError("MissingParam", "a TxProfile names its transaction (K01.FR.03)")
    if running is None or profile.transaction not in {None, running.transaction}:
        raise ProfileRefusedError("TxNotFound", "a TxProfile needs its transaction (K01.FR.09, .33)")


def same_place(a: StoredProfile, b: StoredProfile) -> bool:
    return (a.purpose, a.level, a.evse) == (b.purpose, b.level, b.evse)


def clash(a: StoredProfile, b: StoredProfile) -> bool:
    """Same purpose and level, valid at the same time, and on EVSEs that overlap (2.0.1, K01.FR.06, .39, .52)."""
    if (a.purpose, a.level) != (b.purpose, b.level) or (a.evse != b.evse and 0 not in {a.evse, b.evse}):
        return False
    return not (
        (a.valid_to and b.valid_from and a.valid_to <= b.valid_from)
        or (b.valid_to and a.valid_from and b.valid_to <= a.valid_from)
    )


def _faults_of_place(profile: StoredProfile) -> list[Fault]:
    purpose, evse = profile.purpose, profile.evse
    relative = profile.kind == "Relative"
    return [
        ("UnsupportedPurpose", purpose, purpose not in {MAX, TX_DEFAULT, TX, PRIORITY}),
        ("InvalidProfile", "a maximum is for the whole station", purpose == MAX and evse != 0),
        ("InvalidProfile", "a maximum is not Relative", purpose == MAX and relative),
        ("InvalidProfile", "a TxProfile is for one EVSE", purpose == TX and evse == 0),
    ]


def _faults_of_schedule(profile: StoredProfile, *, rules_of_16: bool) -> list[Fault]:
    starts = [period.start_s for period in profile.periods]
    kind, start = profile.kind, profile.start
    # 1.6: Absolute without a start is relative to the transaction (7.13); 2.x refuses (K01.FR.40).
    needs_start = kind == "Recurring" or (kind == "Absolute" and not rules_of_16)
    ascending = all(a < b for a, b in itertools.pairwise(starts))
    return [
        ("InvalidSchedule", "one schedule per profile", profile.schedules != 1),
        ("InvalidSchedule", "first startPeriod is not 0", starts[:1] != [0]),
        ("InvalidSchedule", "startPeriods do not ascend", not ascending),
        ("InvalidSchedule", "Relative has no startSchedule", kind == "Relative" and start is not None),
        ("InvalidSchedule", "startSchedule is missing", needs_start and start is None),
        ("InvalidSchedule", "recurrencyKind is missing", kind == "Recurring" and not profile.recurrence_s),
    ]


def _faults_of_2x(profile: StoredProfile) -> list[Fault]:
    dynamic = profile.kind == "Dynamic"
    updates = {"dynUpdateTime", "dynUpdateInterval"} & profile.wire.keys()
    lasts = profile.duration_s is not None
    return [
        # K11.FR.06: those are the station's own, for limits from outside.
        ("InvalidProfileId", "ids below 0 are for external limits", profile.profile_id < 0),
        ("InvalidProfile", "only Dynamic profiles are updated (K01.FR.122)", bool(updates) and not dynamic),
        ("InvalidSchedule", "Dynamic has one period (K28.FR.01)", dynamic and len(profile.periods) != 1),
        ("InvalidSchedule", "priority has no end (K01.FR.70)", profile.purpose == PRIORITY and lasts),
        *((UNABLE[name], f"no {name} here", True) for name in sorted(profile.unable)),
    ]


def _faults_of_period(period: Period, purpose: str) -> list[Fault]:
    """Limits that are none, and what an operation mode of 2.1 does not go with (Q, table of limits and setpoints)."""
    limit, discharge, setpoint = period.limit, period.discharge, period.setpoint
    mode = period.mode or CHARGING_ONLY
    values = [value for value in (limit, discharge, setpoint) if value is not None]
    low = -math.inf if discharge is None else discharge
    high = math.inf if limit is None else limit
    only = mode == CHARGING_ONLY
    return [
        ("InvalidOperationMode", f"no {mode} here (K01.FR.115)", mode not in MODES),
        ("InvalidOperationMode", f"no {mode} in it (K01.FR.114)", purpose in {MAX, PRIORITY} and not only),
        ("InvalidSchedule", "a limit that is no limit", not all(map(math.isfinite, values))),
        ("InvalidSchedule", "a limit below 0", limit is not None and limit < 0),
        ("InvalidSchedule", "a limit is missing", only and limit is None),
        ("InvalidSchedule", "ChargingOnly gives nothing back", only and discharge is not None),
        ("InvalidSchedule", "no setpoint in this mode", mode != CENTRAL_SETPOINT and setpoint is not None),
        ("InvalidSchedule", "a setpoint is missing", mode == CENTRAL_SETPOINT and setpoint is None),
        (
            "InvalidSchedule",
            "outside its limits (V2X.05)",
            setpoint is not None and not low <= setpoint <= high,
        ),
    ]
