"""Requirement 206 judged from answers alone: every legal reading of the standard fits, nonsense fits none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from portal.compliance.checks import composites, readings, stacking, stacking_plan, stacking_readings
from portal.compliance.checks.composites import Period, Reported
from portal.compliance.checks.readings import Place, Setting, Standing
from portal.compliance.checks.stacking_plan import LEVELS, Stack
from portal.compliance.checks.stacking_readings import Step
from smartcharging.domain.profiles import Policy, Purpose, Transaction, Unit
from tests.factories import NOW

Answer = Callable[[Setting, Stack, Step], Reported]
TX_DEFAULT = Place(Purpose.TX_DEFAULT, 1, (1,))
STATION_MAX = Place(Purpose.STATION_MAX, 0, (0,))


def make_setting(**fields: Any) -> Setting:
    said: dict[str, Any] = {
        "version": "1.6",
        "evses": (1, 2),
        "phases": 3,
        "unit": "A",
        "ceiling": 16.0,
    }
    return Setting(**{**said, **fields})


def make_stack(place: Place = TX_DEFAULT, *, unit: Unit = "A", ceiling: float = 16.0) -> Stack:
    limits = stacking_plan.limits_below(ceiling, unit)
    assert limits is not None
    start = NOW - timedelta(seconds=stacking_plan.LEAD_S)
    return stacking_plan.stack_at(place, start=start, unit=unit, limits=limits, first_id=900_000)


def by_policy(**choices: Any) -> Answer:
    """A station that follows the standard, with these choices on what the standard leaves open."""

    def answer(setting: Setting, stack: Stack, step: Step) -> Reported:
        reading = readings.Reading(replace(Policy(), **choices), 3)
        asked = Reported("read", step.at, stacking_plan.ASKED_S, setting.unit)
        made = stacking_readings.expected(setting, stack, step.stack, replace(step, reported=asked), reading)
        periods = tuple(Period(p.start_s, 16.0 if p.limit is None else p.limit) for p in made.periods)
        return replace(made, periods=periods)

    return answer


def without_its_profiles(setting: Setting, stack: Stack, step: Step) -> Reported:
    return by_policy()(setting, stack, replace(step, levels=()))


def only(pick: Callable[[tuple[int, ...]], tuple[int, ...]]) -> Answer:
    """A station that minds only some of the levels that stand on it."""
    return lambda setting, stack, step: by_policy()(setting, stack, replace(step, levels=pick(step.levels)))


def lowest_of_all(setting: Setting, stack: Stack, step: Step) -> Reported:
    """Not the leading level but the lowest limit of all: no reading of the standard."""
    limit = min(stack.levels[level].limit for level in step.levels)
    return Reported("read", step.at, stacking_plan.ASKED_S, "A", (Period(0, limit),))


def constant(state: Any, limit: float | None = None) -> Answer:
    def answer(setting: Setting, _stack: Stack, step: Step) -> Reported:
        return Reported(state, step.at, stacking_plan.ASKED_S, setting.unit, (Period(0, limit),))

    return answer


def steps_of(setting: Setting, stack: Stack, answer: Answer) -> list[Step]:
    """A whole probe of one stack: all accepted, read, cleared from the top and read each time."""
    at, evse = NOW, stack.place.evse
    steps = [Step("install", 0, at, tuple(range(level)), level=level, evse=evse) for level in LEVELS]
    for top in reversed(LEVELS):
        levels = tuple(range(top + 1))
        for read_on in stack.place.read_on if top == max(LEVELS) else stack.place.read_on[:1]:
            at += timedelta(seconds=1)
            read = Step("read", 0, at, levels, evse=read_on)
            steps.append(replace(read, reported=answer(setting, stack, read)))
        steps.append(Step("clear", 0, at, levels[:-1], level=top, evse=evse))
    return steps


def judged(setting: Setting, answer: Answer, place: Place = TX_DEFAULT) -> stacking.StackFinding:
    stack = make_stack(place, unit=setting.unit, ceiling=setting.ceiling)
    return stacking.judge_stack(setting, stack, 0, steps_of(setting, stack, answer))


# ---------------------------------------------------------------- legal readings
CHARGING = (Transaction(7, 1, NOW - timedelta(hours=1)), Transaction(8, 2, NOW - timedelta(hours=1)))


@pytest.mark.parametrize("place", [STATION_MAX, TX_DEFAULT, Place(Purpose.TX_DEFAULT, 0, (1, 2))])
@pytest.mark.parametrize(
    "choices",
    [
        {},
        {"unit_conversion": "common_phases"},
        {"station_sum": "everest"},
        {"rounding": "none"},
        {"unit_conversion": "common_phases", "station_sum": "everest", "rounding": "none"},
    ],
    ids=["ours", "D6", "D12", "D14", "all three"],
)
def test_every_legal_reading_is_proven(place: Place, choices: dict[str, Any]) -> None:
    finding = judged(make_setting(), by_policy(**choices), place)
    assert (finding.verdict, finding.accepted, finding.seen, finding.returned) == ("proven", 6, 6, 5)


def limit_of_ours(unit: str, limit: float, phases: int) -> Standing:
    return Standing(
        0,
        {
            "chargingProfileId": 1000,
            "stackLevel": 0,
            "chargingProfilePurpose": "ChargePointMaxProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": {
                "startSchedule": "2026-01-01T00:00:00Z",
                "chargingRateUnit": unit,
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit, "numberPhases": phases}],
            },
        },
    )


@pytest.mark.parametrize("conversion", ["own_phases", "common_phases"])
def test_a_limit_in_watts_beside_the_probe_is_read_either_way(conversion: str) -> None:
    # 2300 W on one phase is 10 A by its own phases: lower than four of the levels.
    setting = make_setting(standing=(limit_of_ours("W", 2300, 1),))
    finding = judged(setting, by_policy(unit_conversion=conversion))
    assert finding.code != "206.fits_nothing"
    assert finding.verdict != "deviation"


@pytest.mark.parametrize("place", [STATION_MAX, TX_DEFAULT])
def test_left_out_while_idle_is_undecided(place: Place) -> None:
    finding = judged(make_setting(), without_its_profiles, place)
    assert (finding.verdict, finding.code) == ("undecided", "206.left_out_while_idle")


def test_left_out_by_policy_d9_is_undecided() -> None:
    finding = judged(make_setting(), by_policy(simulate_transaction=False))
    assert (finding.verdict, finding.code) == ("undecided", "206.left_out_while_idle")


@pytest.mark.parametrize("simulate", [True, False])
def test_within_a_transaction_d9_makes_no_difference(simulate: bool) -> None:
    finding = judged(make_setting(transactions=CHARGING), by_policy(simulate_transaction=simulate))
    assert finding.verdict == "proven"


def test_left_out_within_a_transaction_is_a_deviation() -> None:
    assert judged(make_setting(transactions=CHARGING), without_its_profiles).verdict == "deviation"


def test_a_relative_limit_of_ours_counts_from_now_or_not_at_all() -> None:
    relative = {**limit_of_ours("A", 8, 3).profile, "chargingProfileKind": "Relative"}
    setting = make_setting(standing=(Standing(0, relative),), ceiling=8.0)
    for simulate in (True, False):  # D8
        assert judged(setting, by_policy(simulate_transaction=simulate)).verdict != "deviation"


# ---------------------------------------------------------------- other ways to say the same
def in_watts(setting: Setting, stack: Stack, step: Step) -> Reported:
    amps = by_policy()(setting, stack, step)
    return replace(
        amps, unit="W", periods=tuple(Period(p.start_s, (p.limit or 0) * 690) for p in amps.periods)
    )


def rounded_down(setting: Setting, stack: Stack, step: Step) -> Reported:
    made = by_policy()(setting, stack, step)
    return replace(made, periods=tuple(Period(p.start_s, (p.limit or 0) - 0.1) for p in made.periods))


def a_clock_late(setting: Setting, stack: Stack, step: Step) -> Reported:
    made = by_policy()(setting, stack, step)
    return replace(made, start=made.start + timedelta(seconds=45))


def only_half_an_hour(setting: Setting, stack: Stack, step: Step) -> Reported:
    made = by_policy()(setting, stack, step)
    return replace(made, duration_s=1800, periods=tuple(p for p in made.periods if p.start_s < 1800))


@pytest.mark.parametrize("answer", [in_watts, rounded_down, a_clock_late, only_half_an_hour])
def test_the_same_said_otherwise_is_proven(answer: Answer) -> None:
    assert judged(make_setting(), answer).verdict == "proven"


def test_a_station_in_watts_is_proven() -> None:
    assert judged(make_setting(unit="W", ceiling=11_040.0), by_policy()).verdict == "proven"


# ---------------------------------------------------------------- no reading of the standard
@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        (only(lambda levels: levels[-1:] if len(levels) == 6 else ()), 1),  # keeps the last only
        (only(lambda levels: levels[:5]), 5),  # takes five, whatever it says
        (only(lambda levels: levels[:1]), 1),  # the first only
        (lowest_of_all, 1),
        (constant("read", 3.0), 0),
        (constant("read", 0.0), 0),
    ],
    ids=["last only", "five", "first only", "lowest of all", "3 A", "0 A"],
)
@pytest.mark.parametrize("place", [STATION_MAX, TX_DEFAULT])
def test_nonsense_fits_no_reading(answer: Answer, seen: int, place: Place) -> None:
    finding = judged(make_setting(), answer, place)
    assert finding.verdict == "deviation"
    assert finding.seen == seen or answer is lowest_of_all


def test_no_stacking_is_said_as_it_shows() -> None:
    finding = judged(make_setting(), only(lambda levels: levels[-1:] if len(levels) == 6 else ()))
    assert finding.code == "206.does_not_return"
    assert (finding.values["cleared"], finding.values["level"]) == (5, 4)


@pytest.mark.parametrize("state", ["rejected", "malformed", "unanswered"])
def test_answers_that_cannot_be_read_decide_nothing(state: str) -> None:
    finding = judged(make_setting(), constant(state))
    assert (finding.verdict, finding.code) == ("undecided", "206.unreadable")


def test_one_answer_that_cannot_be_read_decides_nothing() -> None:
    def answer(setting: Setting, stack: Stack, step: Step) -> Reported:
        return (constant("rejected") if len(step.levels) == 3 else by_policy())(setting, stack, step)

    assert judged(make_setting(), answer).code == "206.unreadable"


# ---------------------------------------------------------------- what was not accepted
@pytest.mark.parametrize(
    ("outcome", "reason", "verdict", "code"),
    [
        ("refused", "", "deviation", "206.refused"),
        ("refused", "InvalidStackLevel", "deviation", "206.refused"),
        ("refused", "DuplicateProfile", "undecided", "206.not_set"),
        ("refused", "RateLimitExceeded", "undecided", "206.not_set"),
        ("failed", "NotImplemented: no such action", "deviation", "206.refused"),
        ("failed", "NotSupported: ", "deviation", "206.refused"),
        ("failed", "InternalError: out of memory", "undecided", "206.not_set"),
        ("unanswered", "", "undecided", "206.no_answer"),
    ],
)
def test_a_level_that_was_not_accepted(outcome: Any, reason: str, verdict: str, code: str) -> None:
    steps = [
        Step("install", 0, NOW, tuple(range(level)), level=level, evse=1, outcome="accepted")
        for level in range(5)
    ]
    steps.append(Step("install", 0, NOW, tuple(range(5)), level=5, evse=1, outcome=outcome, reason=reason))
    finding = stacking.judge_stack(make_setting(), make_stack(), 0, steps)
    assert (finding.verdict, finding.code, finding.accepted) == (verdict, code, 5)


# ---------------------------------------------------------------- the whole
def whole(answers: dict[Purpose, Answer]) -> Any:
    setting = make_setting()
    stacks = [make_stack(STATION_MAX), make_stack(TX_DEFAULT)]
    steps = [
        replace(step, stack=number)
        for number, stack in enumerate(stacks)
        for step in steps_of(setting, stack, answers[stack.place.purpose])
    ]
    return stacking.judge(setting, stacks, steps), steps


def test_the_worst_of_the_stacks_counts() -> None:
    good, out, bad = by_policy(), without_its_profiles, constant("read", 3.0)
    verdicts = [
        whole({Purpose.STATION_MAX: one, Purpose.TX_DEFAULT: other})[0].verdict
        for one, other in [(good, good), (good, out), (good, bad), (bad, out)]
    ]
    assert verdicts == ["proven", "undecided", "deviation", "deviation"]


def test_figures_are_those_of_the_least() -> None:
    finding, steps = whole({Purpose.STATION_MAX: by_policy(), Purpose.TX_DEFAULT: constant("read", 3.0)})
    figures = {figure.key: (figure.value, figure.holds) for figure in finding.figures}
    assert figures["levels_seen_station_max"] == (6, True)
    assert figures["levels_seen_tx_default"] == (0, False)
    assert figures["levels_accepted_tx_default"] == (6, True)
    assert len(finding.steps) == len(steps)


def test_a_stack_that_is_missing_proves_nothing() -> None:
    setting = make_setting()
    stacks = [make_stack(STATION_MAX), make_stack(TX_DEFAULT)]
    steps = steps_of(setting, stacks[0], by_policy())
    assert stacking.judge(setting, stacks, steps).code == "206.incomplete"
    assert stacking.judge(setting, [], []).verdict == "undecided"


def test_steps_survive_storing() -> None:
    setting = make_setting(standing=(limit_of_ours("W", 9000, 3),), transactions=CHARGING)
    stack = make_stack()
    steps = steps_of(setting, stack, by_policy())
    assert readings.setting_from_json(readings.setting_to_json(setting)) == setting
    assert stacking_plan.from_json(stacking_plan.to_json(stack)) == stack
    assert [stacking_readings.step_from_json(stacking_readings.step_to_json(step)) for step in steps] == steps


# ---------------------------------------------------------------- the plan
@pytest.mark.parametrize("ceiling", [4.0, 6.0, 7.0, 10.0, 16.0, 25.0, 63.0])
def test_limits_lie_below_what_stands_and_well_apart(ceiling: float) -> None:
    limits = stacking_plan.limits_below(ceiling, "A")
    assert limits is not None
    assert min(limits) > 0
    assert max(limits) < ceiling
    assert min(b - a for a, b in zip(sorted(limits), sorted(limits)[1:], strict=False)) >= 0.5
    assert list(limits) not in (sorted(limits), sorted(limits, reverse=True))


@pytest.mark.parametrize(("ceiling", "unit"), [(3.0, "A"), (0.0, "A"), (1000.0, "W")])
def test_no_room_for_six_limits(ceiling: float, unit: Unit) -> None:
    assert stacking_plan.limits_below(ceiling, unit) is None


def test_each_level_has_a_window_of_its_own_and_an_end() -> None:
    stack = make_stack()
    ends = [stack.end_of(level) for level in LEVELS]
    assert ends == sorted(ends, reverse=True)
    for level in stack.levels:
        payload = stacking_plan.set_payload(stack, level, version="1.6")["csChargingProfiles"]
        assert payload["chargingSchedule"]["duration"] == 600 * (6 - level.level)
        assert "validTo" in payload


def test_ids_stay_within_the_range_of_probes() -> None:
    for probe_id in (1, 7, 99_999, 10**9):
        first = readings.first_id_of(probe_id, needed=24)
        assert 900_000 <= first <= 999_999 - 24


# ---------------------------------------------------------------- the configuration
@pytest.mark.parametrize(
    ("level", "profiles", "verdict"),
    [
        (9, 20, "substantiated"),
        (5, 6, "substantiated"),
        (5, None, "substantiated"),
        (4, 20, "undecided"),
        (9, 5, "undecided"),
        (None, 20, None),
    ],
)
def test_what_the_configuration_says(level: int | None, profiles: int | None, verdict: str | None) -> None:
    finding = stacking.judge_configuration(max_stack_level=level, max_profiles=profiles)
    assert (finding.verdict if finding else None) == verdict


# ---------------------------------------------------------------- answers as stations give them
@pytest.mark.parametrize(
    ("answer", "state", "limit"),
    [
        (None, "unanswered", None),
        ({"status": "Rejected"}, "rejected", None),
        ({"status": "Accepted"}, "empty", None),
        (
            {
                "status": "Accepted",
                "chargingSchedule": {
                    "chargingRateUnit": "A",
                    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": -1}],
                },
            },
            "no_limit",
            None,
        ),
        (
            {
                "status": "Accepted",
                "chargingSchedule": {
                    "duration": 8_638_204_637_958,
                    "chargingRateUnit": "A",
                    "chargingSchedulePeriod": [{"startPeriod": 0.0, "limit": 10}],
                },
            },
            None,
            10,
        ),
    ],
)
def test_odd_answers_have_a_name(answer: Any, state: str | None, limit: float | None) -> None:
    reported = composites.seen(answer, version="1.6", unit="A", at=NOW, asked_s=3600)
    assert state is None or reported.state == state
    if limit is not None and reported.is_readable:
        assert reported.limit_at(NOW.timestamp()) == limit
        assert reported.duration_s <= 3600
