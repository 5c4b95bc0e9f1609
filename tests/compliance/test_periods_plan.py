"""What the probe of 207 sets: twenty periods that can be told apart, below what stands, with an end of their own."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.compliance.checks import periods, periods_plan, periods_readings, readings
from portal.compliance.checks.composites import Period, Reported
from portal.compliance.checks.periods_plan import LEAD_S, LENGTHS_S, NEEDED, OFFSETS_S, TOTAL_S, Trial
from portal.compliance.checks.periods_readings import Step
from portal.compliance.checks.readings import Place, Setting
from smartcharging.domain.profiles import Purpose, Transaction, Unit
from tests.factories import NOW

STATION_MAX = Place(Purpose.STATION_MAX, 0, (0,))
CHARGING = (Transaction(7, 2, NOW - timedelta(hours=1)),)


def make_setting(
    ceiling: float = 16.0, *, unit: Unit = "A", transactions: tuple[Transaction, ...] = ()
) -> Setting:
    return Setting("1.6", (1, 2), 3, unit, ceiling, transactions=transactions)


def make_trial(place: Place = STATION_MAX, *, number: int = 0) -> Trial:
    limits = periods_plan.limits_below(16.0, unit="A", phases=3, trial=number)
    assert limits is not None
    return Trial(place, "A", 900_000 + number, limits)


@given(ceiling=st.floats(2.1, 400), trial=st.integers(0, 2), phases=st.sampled_from([1, 3]))
def test_limits_lie_below_what_stands_and_neighbours_differ(ceiling: float, trial: int, phases: int) -> None:
    limits = periods_plan.limits_below(ceiling, unit="A", phases=phases, trial=trial)
    assert limits is not None
    assert len(limits) == NEEDED
    assert 0 < min(limits) <= max(limits) < ceiling
    assert all(abs(later - earlier) >= 1 for earlier, later in itertools.pairwise(limits))
    in_watts = periods_plan.limits_below(ceiling * 230 * phases, unit="W", phases=phases, trial=trial)
    assert in_watts == pytest.approx([limit * 230 * phases for limit in limits])


@given(ceiling=st.floats(8.1, 400))
def test_no_limit_below_what_a_car_takes_where_there_is_room_above(ceiling: float) -> None:
    assert min(periods_plan.limits_below(ceiling, unit="A", phases=3) or ()) >= 6


@pytest.mark.parametrize(("ceiling", "unit"), [(2.0, "A"), (0.0, "A"), (1380.0, "W")])
def test_no_room(ceiling: float, unit: Unit) -> None:
    assert periods_plan.limits_below(ceiling, unit=unit, phases=3) is None


def test_two_kinds_never_hold_the_same() -> None:
    """What a station did not clear cannot pass for what it was given next."""
    first, second = make_trial(), make_trial(number=1)
    assert all(one != other for one, other in zip(first.limits, second.limits, strict=True))


def test_periods_are_unequal_and_end_within_two_hours() -> None:
    assert TOTAL_S + LEAD_S <= 7200
    assert all(one != other for one, other in itertools.pairwise(LENGTHS_S))


def test_a_profile_of_fewer_periods_is_as_long() -> None:
    trial, setting = make_trial(), make_setting()
    start = trial.start_at(NOW)
    for count in (1, 10, NEEDED):
        payload = periods_plan.set_payload(trial, setting, periods=count, start=start, version="1.6")
        schedule = payload["csChargingProfiles"]["chargingSchedule"]
        assert len(schedule["chargingSchedulePeriod"]) == count
        assert schedule["duration"] == TOTAL_S


@pytest.mark.parametrize("current", [0, 1, 10, 19])
def test_a_later_period_can_be_the_one_that_runs(current: int) -> None:
    start = make_trial().start_at(NOW, current=current)
    step = Step("read", 0, NOW, NEEDED, start)
    assert periods_readings.current_period(step) == current
    asked_until = NOW + timedelta(seconds=periods_plan.asked_s(current=current))
    assert asked_until == start + timedelta(seconds=TOTAL_S)


def test_a_profile_within_a_session_only_where_one_runs() -> None:
    idle = periods_plan.places(make_setting(), station_shows=True)
    assert [place.purpose for place in idle] == [Purpose.STATION_MAX, Purpose.TX_DEFAULT]
    charging = make_setting(transactions=CHARGING)
    *_, last = periods_plan.places(charging, station_shows=True)
    assert last == Place(Purpose.TX, 2, (2,))
    profile = make_trial(last).installed(charging, periods=NEEDED, start=NOW).profile
    assert profile.transaction_id == 7


# ---------------------------------------------------------------- what an answer shows
def answer(trial: Trial, *, count: int = NEEDED, current: int = 0) -> Step:
    """The station that keeps the first `count` periods, the last of which lasts."""
    start = trial.start_at(NOW, current=current)
    elapsed_s = int((NOW - start).total_seconds())
    kept = list(zip(OFFSETS_S, trial.limits, strict=True))[:count]
    running = [limit for offset_s, limit in kept if offset_s <= elapsed_s][-1]
    later = [Period(offset_s - elapsed_s, limit) for offset_s, limit in kept if offset_s > elapsed_s]
    reported = Reported("read", NOW, TOTAL_S - elapsed_s, "A", (Period(0, running), *later))
    return Step("read", 0, NOW, NEEDED, start, reported=reported)


def test_what_merely_lasts_is_no_period_of_its_own() -> None:
    trial, setting = make_trial(), make_setting()
    for count in range(1, NEEDED + 1):
        assert periods_readings.seen_in(setting, trial, answer(trial, count=count)) == set(range(count))
    beyond = answer(trial, count=10, current=10)
    assert periods_readings.seen_in(setting, trial, beyond) == frozenset()


@pytest.mark.parametrize(
    ("reads", "verdict", "code"),
    [
        ([answer(make_trial())], "proven", "207.proven"),
        ([answer(make_trial(), count=10), answer(make_trial(), current=10)], "undecided", "207.in_parts"),
        ([answer(make_trial(), count=10)], "undecided", "207.incomplete"),
        (
            [answer(make_trial(), count=10), answer(make_trial(), count=10, current=10)],
            "deviation",
            "207.missing",
        ),
    ],
    ids=["whole", "in parts", "one part", "cut"],
)
def test_parts_make_a_whole(reads: list[Step], verdict: str, code: str) -> None:
    trial = make_trial()
    installs = [Step("install", 0, NOW, NEEDED, step.start) for step in reads]
    steps = [step for pair in zip(installs, reads, strict=True) for step in pair]
    setting = make_setting(transactions=CHARGING)
    finding = periods.judge(setting, [trial], steps, stated=24)
    assert (finding.verdict, finding.code) == (verdict, code)
    stored = [periods_readings.step_to_json(step) for step in steps]
    assert [periods_readings.step_from_json(step) for step in stored] == steps
    assert periods_plan.from_json(periods_plan.to_json(trial)) == trial
    assert readings.setting_from_json(readings.setting_to_json(setting)) == setting
