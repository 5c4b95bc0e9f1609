"""How the answer to GetCompositeSchedule is written: section 4 of the rules."""

from __future__ import annotations

import pytest

from smartcharging.domain.schedule import MAX_DURATION_S
from tests.domain.charging import MAX, NOW, TX_DEFAULT, at, composite, daily, limits, profile, with_phases


def test_the_window_starts_at_0_and_says_nothing_past_its_end() -> None:
    item = profile(TX_DEFAULT, (0, 6), (60, 7), (120, 8), start=at(-30))
    answer = composite(item, duration_s=90)
    assert (answer.start, answer.duration_s, answer.unit) == (NOW, 90, "A")
    assert [period[:2] for period in answer.periods] == [(0, 6.0), (30, 7.0)]


def test_a_duration_of_0_asks_for_this_instant() -> None:
    """libocpp issue 1169."""
    item = profile(TX_DEFAULT, (0, 6), (1, 7))
    answer = composite(item, duration_s=0)
    assert (answer.duration_s, [period[:2] for period in answer.periods]) == (0, [(0, 6.0)])


def test_a_very_long_duration_is_clamped() -> None:
    item = daily(TX_DEFAULT, (0, 6), duration_s=60)
    answer = composite(item, duration_s=10**12)
    assert answer.duration_s == MAX_DURATION_S
    assert len(answer.periods) == 2 * MAX_DURATION_S // 86_400


def test_equal_neighbours_are_merged_also_across_levels_and_after_rounding() -> None:
    """D11: a change of stack level alone is no change of limit."""
    top = profile(TX_DEFAULT, (0, 16.04), level=1, id=1, duration_s=60)
    below = profile(TX_DEFAULT, (0, 16.0), level=0, id=2)
    assert limits(top, below) == [(0, 16.0)]


def test_the_same_limit_on_other_phases_is_a_change() -> None:
    assert with_phases(profile(MAX, (0, 20, 2), (60, 20, 3), evse=0)) == [(0, 20.0, 2), (60, 20.0, 3)]


@pytest.mark.parametrize(
    ("watts", "phases", "amps"),
    [(2000, 1, 8.6), (1800, 2, 3.9), (1600, 3, 2.3), (1200, None, 1.7), (6900, 3, 10.0), (230, 3, 0.3)],
)
def test_a_converted_limit_is_rounded_down_to_a_tenth(watts: float, phases: int | None, amps: float) -> None:
    """D14."""
    assert limits(profile(TX_DEFAULT, (0, watts, phases), unit="W")) == [(0, amps)]


@pytest.mark.parametrize("phases", [1, 2, 3])
def test_rounding_down_costs_nothing_on_the_way_there_and_back(phases: int) -> None:
    """D14: every tenth of a kW up to 22 kW comes out as it went in."""
    for tenths in range(1, 221):
        item = profile(TX_DEFAULT, (0, tenths * 100.0, phases), unit="W")
        assert limits(item, unit="W") == [(0, tenths * 100.0)]


@pytest.mark.parametrize("amps", [0.1, 0.3, 0.7, 1.1, 6.1, 9.7, 16.3, 31.9])
def test_a_limit_of_one_decimal_is_not_rounded(amps: float) -> None:
    assert limits(profile(TX_DEFAULT, (0, amps))) == [(0, amps)]


def test_rounding_can_be_left_out_to_compare_with_a_station_that_does_not() -> None:
    """D14: EVerest."""
    item = profile(TX_DEFAULT, (0, 2000, 1), unit="W")
    assert limits(item, rounding="none") == [(0, 2000 / 230)]
