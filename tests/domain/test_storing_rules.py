"""Every rule on storing a profile, by version: what is refused, and by which clause. And what is not refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from smartcharging.domain.checking import problems, share_a
from smartcharging.domain.profiles import NOTHING, Installed, Kind, Version
from smartcharging.domain.rules import Abilities, Place, Problem, Rule
from tests.domain.charging import DAY, EXTERNAL, MAX, NOW, TX, TX_DEFAULT, daily, relative
from tests.domain.storing_rows import (
    ALL,
    GENERATION,
    NEWEST,
    PLACE,
    PRIORITY,
    ROWS,
    TWO,
    Mode,
    Row,
    beside,
    can,
    good,
    of_tx,
    one,
    operating,
    with_schedule,
)


def found(new: Installed, version: Version, place: Place = PLACE, *, starting: bool = False) -> list[Problem]:
    place = replace(place, version=version)
    return list(problems(new.profile, evse=new.evse, place=place, now=NOW, starting=starting))


@pytest.mark.parametrize(
    ("row", "version", "clause"),
    [
        pytest.param(row, version, clause, id=f"{row}-{version}-{at}")
        for at, row in enumerate(ROWS)
        for version, clause in zip(row.versions, row.clauses, strict=True)
    ],
)
def test_a_malformed_profile_is_refused_by_its_clause(row: Row, version: Version, clause: str) -> None:
    problem = found(row.new, version, row.place, starting=row.starting)[0]

    assert (problem.rule, problem.field, problem.clause) == (row.rule, row.field, clause)


@pytest.mark.parametrize(
    ("row", "version"),
    [
        pytest.param(row, version, id=f"{row}-{version}-{at}")
        for at, row in enumerate(ROWS)
        for version in ALL
        if version not in row.versions
    ],
)
def test_a_rule_of_another_version_is_not_held_against_it(row: Row, version: Version) -> None:
    broken = found(row.new, version, row.place, starting=row.starting)

    assert (row.rule, row.field) not in {(problem.rule, problem.field) for problem in broken}


def test_every_rule_has_a_row() -> None:
    """But those that a ChargingProfile cannot break: of the wish, and of the JSON that it is read from."""
    of_the_wish = {Rule.CHOICE, Rule.NAME}
    of_the_json = {Rule.NO_PERIODS, Rule.ONE_SCHEDULE, Rule.MALFORMED}
    assert set(Rule) - {row.rule for row in ROWS} == of_the_wish | of_the_json


@pytest.mark.parametrize("version", ALL)
@pytest.mark.parametrize(
    "new",
    [
        good(),
        good(MAX, evse=0),
        good(evse=0, level=5, unit="W"),
        good(TX_DEFAULT, (0, 0.0)),
        good(TX_DEFAULT, (0, 6, 1), (1, 1000.0, 3)),
        good(TX_DEFAULT, (0, share_a(PLACE)), duration_s=None),
        good(TX_DEFAULT, (0, 6), (10**6, 8)),  # a period past the end never runs (K01.FR.11)
        of_tx(),
        of_tx(duration_s=None),
        relative(TX, (0, 6), transaction_id="7"),
        relative(TX_DEFAULT, (0, 6), valid_to=NOW + DAY),
        daily(TX_DEFAULT, (0, 6), (86_399, 8), valid_to=NOW + DAY),
    ],
)
def test_a_good_profile_is_taken_by_every_version(version: Version, new: Installed) -> None:
    assert found(new, version) == []


def test_16_leaves_open_of_which_session_and_from_when() -> None:
    """D17: the current one; 7.13: from the start of charging."""
    assert found(of_tx(transaction_id=None), "1.6") == []
    assert found(good(start=None, valid_to=NOW + DAY), "1.6") == []


@pytest.mark.parametrize("version", ALL)
def test_what_starts_a_session_names_none_and_needs_none_running(version: Version) -> None:
    new = relative(TX, (0, 6), evse=2)

    assert found(new, version, starting=True) == []


@pytest.mark.parametrize("version", TWO)
def test_a_second_profile_of_one_level_is_taken_where_they_never_meet(version: Version) -> None:
    first = good(id=1, valid_to=NOW + DAY)
    taken = [
        good(id=2, valid_from=NOW + DAY, start=NOW + DAY),
        good(id=2, level=1),
        good(id=2, evse=2),
        good(id=1),  # replaces it (K01.FR.05)
        good(MAX, evse=0, id=2),
    ]

    assert [found(new, version, beside(first)) for new in taken] == [[]] * len(taken)
    assert found(of_tx(id=2, level=1), version, beside(of_tx(id=1))) == []


def test_on_16_the_second_one_replaces_the_first() -> None:
    """5.16.3"""
    assert found(good(id=2), "1.6", beside(good(id=1))) == []


def test_a_profile_that_replaces_another_takes_no_more_room() -> None:
    place = beside(good(id=1), good(MAX, evse=0, id=2), abilities=Abilities(max_profiles=2))

    assert found(good(id=1), "1.6", place) == []


def test_what_a_station_did_not_say_is_not_held_against_a_profile() -> None:
    new = with_schedule(
        one(TX, operating(Mode.IDLE, evse_sleep=True)),
        use_local_time=True,
        duration_s=36_000,
        randomized_delay_s=60,
    )

    assert found(new, "2.1") == []
    assert found(new, "2.1", can(local_time=True, randomized_delay=True, evse_sleep=True)) == []


@pytest.mark.parametrize(
    "new",
    [
        one(TX, operating(Mode.CHARGING_ONLY, 100.0, limit_l2=50.0, limit_l3=0.0)),
        one(TX, operating(Mode.CENTRAL_SETPOINT, 100.0, setpoint=100.0)),
        one(
            TX,
            operating(Mode.CENTRAL_SETPOINT, setpoint=-100.0, discharge_limit=-100.0, setpoint_reactive=2.0),
        ),
        one(TX, operating(Mode.CENTRAL_FREQUENCY, setpoint=0.0)),
        one(TX, operating(Mode.EXTERNAL_SETPOINT, 100.0, discharge_limit=0.0)),
        one(TX_DEFAULT, operating(Mode.EXTERNAL_LIMITS)),
        one(TX_DEFAULT, operating(Mode.LOCAL_LOAD_BALANCING)),
        one(
            TX,
            operating(
                Mode.LOCAL_FREQUENCY, baseline_w=0.0, frequency_curve=((49.98, 1234.56), (50.02, -1.5))
            ),
        ),
        one(TX, operating(Mode.IDLE, evse_sleep=True)),
        one(TX, operating(Mode.CHARGING_ONLY, 2300.0, phases=1, phase_to_use=2)),
        good(PRIORITY),
        good(GENERATION, evse=0),
        one(GENERATION, operating(Mode.EXTERNAL_LIMITS), evse=0),
        good(TX_DEFAULT, (0, 6), kind=Kind.DYNAMIC, start=None, dynamic_interval_s=60),
        with_schedule(
            good(), randomized_delay_s=60, use_local_time=True, duration_s=36_000, limit_at_soc=(80, 6.0)
        ),
        good(max_offline_s=0, invalid_after_offline=True),
    ],
)
def test_what_21_adds_is_taken_by_21(new: Installed) -> None:
    assert found(new, "2.1") == []


def test_dc_has_no_phases_and_201_ignores_them() -> None:
    """K01.FR.44; 0 phases is how some say so."""
    place = replace(PLACE, dc_evses=frozenset({1}))

    assert found(good(TX_DEFAULT, (0, 6, 0)), "2.0.1", place) == []
    assert found(good(), "2.1", place) == []


@pytest.mark.parametrize("version", NEWEST)
def test_profiles_of_one_purpose_do_not_conflict_over_a_phase(version: Version) -> None:
    """Only one of them counts."""
    first = one(TX_DEFAULT, operating(Mode.CHARGING_ONLY, 2300.0, phases=1, phase_to_use=1), id=1)
    second = one(TX_DEFAULT, operating(Mode.CHARGING_ONLY, 2300.0, phases=1, phase_to_use=2), id=2, level=1)

    assert found(second, version, beside(first)) == []


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        (good(EXTERNAL, evse=0), "UnsupportedPurpose"),
        (of_tx(transaction_id=None), "MissingParam"),
        (of_tx(evse=2), "TxNotFound"),
        (good(MAX, evse=1), "InvalidValue"),
        (good(TX_DEFAULT, (60, 6)), "InvalidSchedule"),
        (good(TX_DEFAULT, (0, NOTHING)), "InvalidSchedule"),
        (good(dynamic_interval_s=60), "InvalidProfile"),
    ],
)
def test_a_problem_has_the_reason_code_that_a_station_gives(new: Installed, reason: str) -> None:
    assert found(new, "2.1")[0].reason == reason
    assert found(new, "1.6") == [] or found(new, "1.6")[0].reason == ""


def test_a_schedule_in_local_time_ends_by_the_clock_at_the_station() -> None:
    """Ten o'clock there is nine o'clock UTC in winter."""
    new = with_schedule(good(), use_local_time=True)

    assert [problem.rule for problem in found(new, "2.1")] == [Rule.HAS_ENDED]
    assert found(with_schedule(good(), use_local_time=True, duration_s=3601), "2.1") == []


@pytest.mark.parametrize("version", ALL)
def test_the_last_years_of_the_calendar_break_nothing(version: Version) -> None:
    last = datetime(9999, 12, 31, 23, tzinfo=UTC)

    assert found(good(start=last, duration_s=7200), version) == []
    assert [each.rule for each in found(good(start=last, duration_s=10**15), version)] == [Rule.DURATION]
    assert found(with_schedule(good(start=last), use_local_time=True, duration_s=7200), "2.1") == []
