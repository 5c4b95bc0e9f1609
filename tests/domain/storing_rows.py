"""Every malformed profile of the storing rules: what is wrong, in which version, and by which clause.

Told in the words of `tests.domain.charging`, over a default that is good in all versions. The same rows go through the
API where it can say them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from smartcharging.domain.profiles import (
    NOTHING,
    ChargingPeriod,
    Installed,
    Kind,
    Operation,
    OperationMode,
    Purpose,
    Version,
)
from smartcharging.domain.rules import Abilities, Place, Rule
from tests.domain.charging import (
    DAY,
    EXTERNAL,
    MAX,
    NOW,
    TX,
    TX_DEFAULT,
    daily,
    profile,
    relative,
)

Mode = OperationMode
ALL: tuple[Version, ...] = ("1.6", "2.0.1", "2.1")
TWO: tuple[Version, ...] = ("2.0.1", "2.1")
NEWEST: tuple[Version, ...] = ("2.1",)
PRIORITY, GENERATION = Purpose.PRIORITY_CHARGING, Purpose.LOCAL_GENERATION
PLACE = Place(frozenset({1, 2}), connection_a=25, transactions=((1, "7"),))


@dataclass(frozen=True, slots=True)
class Row:
    """One profile and what is wrong with it: `clauses` by version, in the order of `versions`."""

    rule: Rule
    field: str
    new: Installed
    clauses: tuple[str, ...]
    versions: tuple[Version, ...] = ALL
    place: Place = PLACE
    starting: bool = False

    def __str__(self) -> str:
        return f"{self.rule}-{self.field}"


def good(purpose: Purpose = TX_DEFAULT, *periods: Any, evse: int = 1, **more: Any) -> Installed:
    """A profile that every station takes: an hour at most, from now on."""
    if more.get("kind") is not Kind.RECURRING:
        more.setdefault("duration_s", None if purpose is PRIORITY else 3600)
    return profile(purpose, *(periods or ((0, 10.0), (600, 12.5))), evse=evse, **more)


def of_tx(*periods: Any, evse: int = 1, **more: Any) -> Installed:
    return good(TX, *periods, evse=evse, **{"transaction_id": "7", **more})


def operating(
    mode: Mode, limit: float = NOTHING, *, phases: int | None = None, **said: Any
) -> ChargingPeriod:
    return ChargingPeriod(0, limit, phases, Operation(mode=mode, **said))


def with_schedule(item: Installed, **changes: Any) -> Installed:
    schedule = replace(item.profile.schedule, **changes)
    return replace(item, profile=replace(item.profile, schedule=schedule))


def one(
    purpose: Purpose, period: ChargingPeriod, *, unit: Any = "W", evse: int = 1, **more: Any
) -> Installed:
    """A profile of that one period."""
    item = (
        of_tx(unit=unit, evse=evse, **more) if purpose is TX else good(purpose, unit=unit, evse=evse, **more)
    )
    return with_schedule(item, periods=(period,))


def can(**said: Any) -> Place:
    return replace(PLACE, abilities=Abilities(**said))


def beside(*installed: Installed, **more: Any) -> Place:
    return replace(PLACE, installed=installed, **more)


def in_all(one_six: str, two: str) -> tuple[str, ...]:
    """The clause of 1.6, and that of 2.0.1 and 2.1."""
    return (one_six and f"OCPP 1.6 {one_six}", f"OCPP 2.0.1 {two}", f"OCPP 2.1 {two}")


def in_two(text: str) -> tuple[str, ...]:
    return in_all("", text)[1:]


def in_21(text: str) -> tuple[str, ...]:
    return in_two(text)[1:]


OURS = ("", "", "")
PERIOD, PROFILE = "ChargingSchedulePeriodType", "ChargingProfileType"
MODES = in_21("table of limits and setpoints per operationMode")
WHERE = [
    Row(Rule.STATION_MAX_EVSE, "evse_number", good(MAX, evse=1), in_all("3.13.1", "K01")),
    Row(
        Rule.STATION_MAX_RELATIVE,
        "kind",
        relative(MAX, (0, 6), evse=0, valid_to=NOW + DAY),
        in_all("", "K01.FR.38"),
    ),
    Row(Rule.UNKNOWN_EVSE, "evse_number", good(evse=3), in_all("5.16, errata 3.39", "K01.FR.28")),
    Row(Rule.EXTERNAL, "purpose", good(EXTERNAL, evse=0), in_all("ChargingProfile", "K01.FR.22")),
    Row(Rule.LEVEL, "stack_level", good(level=-1), in_all("ChargingProfile", PROFILE)),
    Row(Rule.TX_EVSE, "evse_number", of_tx(evse=0), in_all("3.13", "K01.FR.16")),
    Row(Rule.TX_NOT_RUNNING, "transaction_id", of_tx(evse=2), in_all("5.16", "K01.FR.09")),
    Row(Rule.TX_TRANSACTION, "transaction_id", of_tx(transaction_id="8"), in_all("5.16", "K01.FR.33")),
    Row(Rule.TX_MISSING, "transaction_id", of_tx(transaction_id=None), in_two("K01.FR.03"), TWO),
    Row(
        Rule.TRANSACTION_WITHOUT_TX,
        "transaction_id",
        good(transaction_id="7"),
        in_all("ChargingProfile", PROFILE),
    ),
    Row(Rule.STARTING_PURPOSE, "purpose", good(), in_all("3.13", "K05.FR.02"), starting=True),
    Row(Rule.STARTING_TRANSACTION, "transaction_id", of_tx(), in_all("3.13", "K05"), starting=True),
]
WHEN = [
    Row(Rule.START_MISSING, "start_schedule", good(start=None), in_two("K01.FR.40"), TWO),
    Row(
        Rule.START_NOT_ALLOWED,
        "start_schedule",
        with_schedule(relative(TX_DEFAULT, (0, 6), valid_to=NOW + DAY), start=NOW),
        in_two("K01.FR.41"),
        TWO,
    ),
    Row(
        Rule.RECURRENCY_MISSING,
        "recurrency",
        profile(TX_DEFAULT, (0, 6), kind=Kind.RECURRING, valid_to=NOW + DAY),
        in_all("ChargingProfile", PROFILE),
    ),
    Row(
        Rule.LONGER_THAN_RECURRENCE,
        "periods",
        daily(TX_DEFAULT, (0, 6), (86_400, 8), valid_to=NOW + 3 * DAY),
        OURS,
    ),
    Row(Rule.DURATION, "duration_s", good(duration_s=0), OURS),
    Row(Rule.DURATION, "duration_s", good(duration_s=2**31 - 1), OURS),
    Row(Rule.VALIDITY, "valid_to", good(valid_from=NOW + DAY, valid_to=NOW + DAY), OURS),
    Row(Rule.HAS_ENDED, "duration_s", good(start=NOW - DAY), OURS),
    Row(Rule.HAS_ENDED, "valid_to", daily(TX_DEFAULT, (0, 6), valid_to=NOW), OURS),
    Row(Rule.NO_END, "valid_to", good(duration_s=None, level=1), OURS),
    Row(Rule.NO_END, "valid_to", daily(TX_DEFAULT, (0, 13)), OURS),
    Row(Rule.NO_END, "valid_to", good(MAX, (0, 6), evse=0, duration_s=None), OURS),
]
PERIODS = [
    Row(Rule.FIRST_PERIOD, "periods[0].start_s", good(TX_DEFAULT, (60, 6)), in_all("7.14", "K01.FR.31")),
    Row(Rule.ASCENDING, "periods[1].start_s", good(TX_DEFAULT, (0, 6), (0, 7)), in_all("7.14", "K01.FR.35")),
    Row(Rule.ASCENDING, "periods[1].start_s", good(TX_DEFAULT, (0, 6), (-5, 7)), in_all("7.14", "K01.FR.35")),
    Row(
        Rule.TOO_LONG,
        "periods",
        good(TX_DEFAULT, *((second, 6) for second in range(1025))),
        in_all("", "ChargingScheduleType"),
    ),
    *(
        Row(rule, "periods[0].limit", good(TX_DEFAULT, (0, limit)), in_all("7.14", PERIOD))
        for rule, limit in (
            (Rule.NOT_A_NUMBER, float("nan")),
            (Rule.NOT_A_NUMBER, -float("inf")),
            (Rule.NEGATIVE, -0.1),
            (Rule.DECIMALS, 14.15),
        )
    ),
    Row(
        Rule.NOT_A_NUMBER,
        "periods[0].limit",
        good(TX_DEFAULT, (0, NOTHING)),
        in_all("7.14", PERIOD)[:2],
        ("1.6", "2.0.1"),
    ),
    Row(Rule.TOO_HIGH, "periods[0].limit", good(TX_DEFAULT, (0, 1e300)), OURS),
    Row(Rule.TOO_HIGH, "periods[0].limit", good(TX_DEFAULT, (0, 1000.1)), OURS),
    Row(Rule.DECIMALS, "min_charging_rate", good(min_charging_rate=0.25), in_all("7.14", PERIOD)),
    Row(Rule.PHASES, "periods[0].phases", good(TX_DEFAULT, (0, 6, 4)), in_all("7.14", PERIOD)),
    Row(Rule.PHASES, "periods[0].phases", good(TX_DEFAULT, (0, 6, 0)), in_all("7.14", PERIOD)),
    Row(
        Rule.PHASES_SUPPORTED,
        "periods[0].phases",
        good(TX_DEFAULT, (0, 6, 3)),
        in_two("K01.FR.45"),
        TWO,
        can(phases=1),
    ),
    Row(
        Rule.PHASES_DC,
        "periods[0].phases",
        good(TX_DEFAULT, (0, 6, 3)),
        in_21("K01.FR.44"),
        NEWEST,
        replace(PLACE, dc_evses=frozenset({1})),
    ),
    Row(
        Rule.PHASE_TO_USE,
        "periods[0].phase_to_use",
        one(TX_DEFAULT, operating(Mode.CHARGING_ONLY, 2300.0, phases=1, phase_to_use=4)),
        in_two(PERIOD),
        TWO,
    ),
    Row(
        Rule.PHASE_TO_USE_ALONE,
        "periods[0].phase_to_use",
        one(TX_DEFAULT, operating(Mode.CHARGING_ONLY, 2300.0, phase_to_use=2)),
        in_two("K01.FR.19/.48"),
        TWO,
    ),
    Row(
        Rule.PHASE_SWITCHING,
        "periods[0].phase_to_use",
        one(TX_DEFAULT, operating(Mode.CHARGING_ONLY, 2300.0, phases=1, phase_to_use=2)),
        in_two("K01.FR.20/.48"),
        TWO,
        can(phase_switching=False),
    ),
    Row(
        Rule.NOT_IN_VERSION,
        "periods[0].phase_to_use",
        one(TX_DEFAULT, operating(Mode.CHARGING_ONLY, 2300.0, phases=1, phase_to_use=2)),
        ("OCPP 1.6 ChargingProfile",),
        ("1.6",),
    ),
]
CAPABILITIES = [
    Row(
        Rule.NO_SMART_CHARGING,
        "station",
        good(),
        in_all("5.16", "K01.FR.29"),
        place=can(smart_charging=False),
    ),
    Row(
        Rule.UNIT,
        "unit",
        good(),
        in_all("9.4 ChargingScheduleAllowedChargingRateUnit", "K01.FR.26"),
        place=can(units=("W",)),
    ),
    Row(
        Rule.PERIODS,
        "periods",
        good(),
        in_all("9.4 ChargingScheduleMaxPeriods", "SmartChargingCtrlr.PeriodsPerSchedule"),
        place=can(max_periods=1),
    ),
    Row(
        Rule.STACK_LEVEL,
        "stack_level",
        good(level=9),
        in_all("9.4 ChargeProfileMaxStackLevel", "SmartChargingCtrlr.ProfileStackLevel"),
        place=can(max_stack_level=8),
    ),
    Row(
        Rule.PROFILES,
        "station",
        good(id=5),
        in_all("9.4 MaxChargingProfilesInstalled", "SmartChargingCtrlr.Entries[ChargingProfiles]"),
        place=beside(good(MAX, evse=0, id=4), leaving=1, abilities=Abilities(max_profiles=2)),
    ),
    Row(Rule.RESERVED_ID, "id", good(id=3), in_21("K01.FR.81"), NEWEST, can(max_external_id=3)),
    Row(
        Rule.PURPOSE_UNSUPPORTED,
        "purpose",
        good(GENERATION, evse=0),
        in_21("K01.FR.120"),
        NEWEST,
        can(purposes=("PriorityCharging",)),
    ),
    Row(
        Rule.KIND_UNSUPPORTED,
        "kind",
        good(TX_DEFAULT, (0, 6), kind=Kind.DYNAMIC),
        in_21("K01.FR.121"),
        NEWEST,
        can(dynamic=False),
    ),
    Row(
        Rule.MODE_UNSUPPORTED,
        "periods[0].operation_mode",
        one(TX, operating(Mode.CENTRAL_FREQUENCY, setpoint=-2000.0)),
        in_21("K01.FR.115"),
        NEWEST,
        can(modes=("CentralSetpoint",)),
    ),
    Row(
        Rule.LOCAL_TIME_UNSUPPORTED,
        "use_local_time",
        with_schedule(good(), use_local_time=True, duration_s=36_000),
        in_21("K01.FR.123"),
        NEWEST,
        can(local_time=False),
    ),
    Row(
        Rule.DELAY_UNSUPPORTED,
        "randomized_delay_s",
        with_schedule(good(), randomized_delay_s=60),
        in_21("K01.FR.124"),
        NEWEST,
        can(randomized_delay=False),
    ),
    Row(
        Rule.SOC_UNSUPPORTED,
        "limit_at_soc",
        with_schedule(good(), limit_at_soc=(80, 6.0)),
        in_21("K01.FR.125"),
        NEWEST,
        can(limit_at_soc=False),
    ),
    Row(
        Rule.SLEEP_UNSUPPORTED,
        "periods[0].evse_sleep",
        one(TX, operating(Mode.IDLE, evse_sleep=True)),
        in_21("K01.FR.126"),
        NEWEST,
        can(evse_sleep=False),
    ),
]
NEIGHBOURS = [
    Row(
        Rule.DUPLICATE,
        "stack_level",
        good(MAX, evse=0, id=2),
        in_two("K01.FR.06"),
        TWO,
        beside(good(MAX, evse=0, id=1, valid_to=NOW + DAY)),
    ),
    Row(
        Rule.SAME_LEVEL,
        "stack_level",
        good(evse=0, id=2),
        in_two("K01.FR.52/.53"),
        TWO,
        beside(good(evse=1, id=1)),
    ),
    Row(
        Rule.SAME_LEVEL,
        "stack_level",
        good(evse=1, id=2, valid_from=NOW + DAY, valid_to=NOW + 2 * DAY, start=NOW + DAY),
        in_two("K01.FR.52/.53"),
        TWO,
        beside(good(evse=0, id=1, valid_to=NOW + DAY)),
    ),
    Row(
        Rule.SAME_TRANSACTION_LEVEL,
        "stack_level",
        of_tx(id=2),
        in_two("K01.FR.39"),
        TWO,
        beside(of_tx(id=1)),
    ),
    Row(Rule.EXTERNAL_ID, "id", good(id=1), in_two("K01.FR.05"), TWO, beside(good(EXTERNAL, evse=0, id=1))),
    Row(
        Rule.PHASE_CONFLICT,
        "phase_to_use",
        one(TX, operating(Mode.CHARGING_ONLY, 2300.0, phases=1, phase_to_use=3), id=2),
        in_21("K01.FR.141"),
        NEWEST,
        beside(one(MAX, operating(Mode.CHARGING_ONLY, 2300.0, phases=1, phase_to_use=1), evse=0)),
    ),
]


def _mode(rule: Rule, field: str, clause: tuple[str, ...], item: Installed) -> Row:
    return Row(rule, field, item, clause, NEWEST)


OF_21 = [
    Row(
        Rule.NOT_IN_VERSION,
        "purpose",
        good(GENERATION, evse=0),
        ("OCPP 1.6 ChargingProfile", "OCPP 2.0.1 ChargingProfileType"),
        ("1.6", "2.0.1"),
    ),
    Row(
        Rule.NOT_IN_VERSION,
        "kind",
        good(TX_DEFAULT, (0, 6), kind=Kind.DYNAMIC),
        ("OCPP 1.6 ChargingProfile", "OCPP 2.0.1 ChargingProfileType"),
        ("1.6", "2.0.1"),
    ),
    Row(
        Rule.NOT_IN_VERSION,
        "periods[0]",
        one(TX, operating(Mode.CENTRAL_SETPOINT, 100.0, setpoint=-100.0)),
        ("OCPP 1.6 ChargingProfile", "OCPP 2.0.1 ChargingProfileType"),
        ("1.6", "2.0.1"),
    ),
    Row(
        Rule.NOT_IN_VERSION,
        "max_offline_s",
        good(max_offline_s=60),
        ("OCPP 1.6 ChargingProfile", "OCPP 2.0.1 ChargingProfileType"),
        ("1.6", "2.0.1"),
    ),
    _mode(Rule.PRIORITY_DURATION, "duration_s", in_21("K01.FR.70/.73"), good(PRIORITY, duration_s=60)),
    _mode(
        Rule.PRIORITY_MODE,
        "periods[0].operation_mode",
        in_21("K01.FR.71"),
        one(PRIORITY, operating(Mode.IDLE)),
    ),
    _mode(Rule.DYNAMIC_PERIODS, "periods", in_21("K28.FR.01/.02"), good(kind=Kind.DYNAMIC)),
    _mode(Rule.DYNAMIC_ONLY, "dynamic_interval_s", in_21("K01.FR.122"), good(dynamic_interval_s=60)),
    _mode(Rule.DYNAMIC_ONLY, "dynamic_updated_at", in_21("K01.FR.122"), good(dynamic_updated_at=NOW)),
    _mode(
        Rule.DELAY_PURPOSE,
        "randomized_delay_s",
        in_21("K01.FR.95"),
        with_schedule(good(MAX, evse=0), randomized_delay_s=60),
    ),
    _mode(Rule.DURATION, "max_offline_s", ("",), good(max_offline_s=-1)),
    _mode(
        Rule.STATE_OF_CHARGE,
        "limit_at_soc",
        in_21("LimitAtSoCType"),
        with_schedule(good(), limit_at_soc=(101, 6.0)),
    ),
    _mode(
        Rule.MODE_PURPOSE,
        "periods[0].operation_mode",
        in_21("K01.FR.111/.113/.114"),
        one(MAX, operating(Mode.EXTERNAL_LIMITS), evse=0),
    ),
    _mode(
        Rule.MODE_PURPOSE,
        "periods[0].operation_mode",
        in_21("K01.FR.111/.113/.114"),
        one(GENERATION, operating(Mode.CENTRAL_SETPOINT, setpoint=10.0), evse=0),
    ),
    _mode(Rule.LIMIT_MISSING, "periods[0].limit", MODES, good(TX_DEFAULT, (0, NOTHING))),
    _mode(Rule.LIMIT_MISSING, "periods[0].limit", MODES, one(TX, operating(Mode.CHARGING_ONLY))),
    _mode(
        Rule.SETPOINT_MISSING, "periods[0].setpoint", MODES, one(TX, operating(Mode.CENTRAL_SETPOINT, 100.0))
    ),
    _mode(Rule.SETPOINT_MISSING, "periods[0].setpoint", MODES, one(TX, operating(Mode.CENTRAL_FREQUENCY))),
    _mode(
        Rule.NOT_IN_MODE,
        "periods[0].discharge_limit",
        MODES,
        one(TX, operating(Mode.CHARGING_ONLY, 100.0, discharge_limit=-100.0)),
    ),
    _mode(Rule.NOT_IN_MODE, "periods[0].limit", MODES, one(TX, operating(Mode.IDLE, 100.0))),
    _mode(
        Rule.NOT_IN_MODE,
        "periods[0].setpoint_reactive",
        MODES,
        one(TX, operating(Mode.EXTERNAL_SETPOINT, setpoint_reactive=1.0)),
    ),
    _mode(
        Rule.DISCHARGE_POSITIVE,
        "periods[0].discharge_limit",
        in_21(PERIOD),
        one(TX, operating(Mode.CENTRAL_SETPOINT, setpoint=0.0, discharge_limit=0.1)),
    ),
    _mode(
        Rule.SETPOINT_RANGE,
        "periods[0].setpoint",
        in_21("V2X.05"),
        one(TX, operating(Mode.CENTRAL_SETPOINT, 100.0, setpoint=100.1)),
    ),
    _mode(
        Rule.SETPOINT_RANGE,
        "periods[0].setpoint",
        in_21("V2X.05"),
        one(TX, operating(Mode.CENTRAL_SETPOINT, setpoint=-100.1, discharge_limit=-100.0)),
    ),
    _mode(
        Rule.PHASE_LIMIT_PURPOSE,
        "periods[0].limit_l2",
        in_21("K01.FR.143/.144"),
        one(TX_DEFAULT, operating(Mode.CHARGING_ONLY, 100.0, limit_l2=50.0)),
    ),
    _mode(
        Rule.PHASE_LIMIT_ALONE,
        "periods[0].limit_l3",
        in_21("K01.FR.145/.146"),
        one(TX, operating(Mode.CENTRAL_SETPOINT, setpoint=5.0, limit_l3=50.0)),
    ),
    _mode(
        Rule.PHASE_VALUE_PURPOSE,
        "periods[0].setpoint_l2",
        in_21("V2X.10"),
        one(TX_DEFAULT, operating(Mode.CENTRAL_SETPOINT, setpoint=5.0, setpoint_l2=5.0)),
    ),
    _mode(
        Rule.PHASE_VALUE_ALONE,
        "periods[0].discharge_limit_l2",
        in_21(PERIOD),
        one(TX, operating(Mode.CENTRAL_SETPOINT, setpoint=0.0, discharge_limit_l2=-5.0)),
    ),
    _mode(Rule.CURVE_UNIT, "unit", in_21("Q08.FR.05"), one(TX, operating(Mode.LOCAL_FREQUENCY), unit="A")),
    *(
        _mode(
            Rule.CURVE_MISSING,
            "periods[0].frequency_curve",
            in_21("Q08.FR.02"),
            one(TX, operating(Mode.LOCAL_FREQUENCY, **said)),
        )
        for said in (
            {},
            {"baseline_w": 0.0, "frequency_curve": ((50.0, 0.0),)},
            {"frequency_curve": ((49.9, 0.0), (50.1, 1.0))},
        )
    ),
    _mode(
        Rule.NOT_A_NUMBER,
        "periods[0].frequency_curve",
        in_21(PERIOD),
        one(
            TX,
            operating(
                Mode.LOCAL_FREQUENCY, baseline_w=float("nan"), frequency_curve=((49.9, 0.0), (50.1, 1.0))
            ),
        ),
    ),
    _mode(
        Rule.SLEEP_MODE,
        "periods[0].evse_sleep",
        in_21("K01.FR.126"),
        one(TX, operating(Mode.EXTERNAL_LIMITS, evse_sleep=True)),
    ),
]
ROWS = [*WHERE, *WHEN, *PERIODS, *CAPABILITIES, *NEIGHBOURS, *OF_21]
