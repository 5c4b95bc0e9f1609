"""When a period applies: section 2 of the rules, one test per clause."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from smartcharging.domain.profiles import Purpose, Recurrency
from tests.domain.charging import (
    DAY,
    EXTERNAL,
    GENERATION,
    MAX,
    NOW,
    TX,
    TX_DEFAULT,
    at,
    charging,
    composite,
    daily,
    limits,
    profile,
    relative,
    weekly,
)

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def test_a_period_runs_to_the_next_one_and_the_last_to_the_end_of_the_schedule() -> None:
    """1.6 7.x, K01.FR.12."""
    item = profile(TX_DEFAULT, (0, 6), (60, 10), (120, 8), duration_s=300)
    assert limits(item) == [(0, 6.0), (60, 10.0), (120, 8.0), (300, 48.0)]


def test_a_schedule_without_duration_does_not_end() -> None:
    """1.6 5.16.4: a top profile with neither duration nor validTo never falls back."""
    top = profile(TX_DEFAULT, (0, 10), level=1)
    below = profile(TX_DEFAULT, (0, 6), level=0, id=2)
    assert limits(top, below, now=NOW + 400 * DAY) == [(0, 10.0)]


def test_a_period_at_or_past_the_duration_never_runs() -> None:
    """K01.FR.11."""
    item = profile(TX_DEFAULT, (0, 8), (240, 12), (250, 14), duration_s=240)
    assert limits(item) == [(0, 8.0), (240, 48.0)]


def test_a_schedule_begins_with_its_first_period() -> None:
    """K01.FR.31 wants it at 0; one that comes later leaves the time before it to others."""
    top = profile(TX_DEFAULT, (60, 10), (90, 12), level=1, start=at(30), id=1)
    assert limits(top, profile(TX_DEFAULT, (0, 6), id=2)) == [(0, 6.0), (90, 10.0), (120, 12.0)]


def test_a_schedule_has_periods() -> None:
    with pytest.raises(ValueError, match=r"^a charging schedule has at least one period$"):
        profile(TX_DEFAULT)


def test_a_schedule_of_no_duration_never_runs() -> None:
    assert limits(profile(TX_DEFAULT, (0, 8), duration_s=0)) == [(0, 48.0)]


def test_a_period_that_began_before_the_window_is_seen() -> None:
    """Section 4, libocpp issue 609."""
    item = profile(TX_DEFAULT, (0, 6), (1800, 10), start=at(-3000))
    assert limits(item) == [(0, 10.0)]


def test_validity_begins_with_validfrom_and_ends_just_before_validto() -> None:
    """K01.FR.36/.37 (D5): both clip, and both are changes inside a window."""
    item = profile(TX_DEFAULT, (0, 6), (600, 7), start=at(-600), valid_from=at(100), valid_to=at(200))
    assert limits(item) == [(0, 48.0), (100, 7.0), (200, 48.0)]
    assert limits(item, now=at(100), duration_s=1) == [(0, 7.0)]
    assert limits(item, now=at(200), duration_s=1) == [(0, 48.0)]


def test_an_absolute_schedule_in_the_future_waits() -> None:
    """K01.FR.30."""
    assert limits(profile(TX_DEFAULT, (0, 6), start=at(600))) == [(0, 48.0), (600, 6.0)]


def test_a_daily_schedule_repeats_and_a_weekly_one_too() -> None:
    """1.6 7.37."""
    day = daily(TX_DEFAULT, (0, 6), duration_s=60, start=NOW - 3 * DAY)
    assert limits(day, duration_s=86_460) == [(0, 6.0), (60, 48.0), (86_400, 6.0)]
    week = weekly(TX_DEFAULT, (0, 6), duration_s=60, start=NOW - 20 * DAY)
    assert limits(week, duration_s=2 * 86_400) == [(0, 48.0), (86_400, 6.0), (86_460, 48.0)]


def test_a_schedule_longer_than_its_recurrence_is_cut() -> None:
    item = daily(TX_DEFAULT, (0, 6), (100_000, 9), duration_s=1_000_000, start=NOW - DAY)
    assert limits(item, duration_s=2 * 86_400) == [(0, 6.0)]


def test_without_a_duration_the_last_period_runs_on_until_the_next_recurrence() -> None:
    item = daily(TX_DEFAULT, (0, 6), (36_000, 7), start=at(-300))
    assert limits(item, now=at(86_400 - 600), duration_s=900) == [(0, 7.0), (300, 6.0)]


def test_a_recurring_schedule_waits_for_its_start_unless_the_policy_extrapolates() -> None:
    """D3, K01.FR.30."""
    item = daily(TX_DEFAULT, (0, 6), duration_s=3600, start=NOW + 5 * DAY)
    assert limits(item) == [(0, 48.0)]
    assert limits(item, recurring_before_start="extrapolate") == [(0, 6.0)]


def test_relative_counts_from_the_start_of_the_transaction() -> None:
    """K01.FR.42."""
    item = relative(TX_DEFAULT, (0, 10), (300, 16))
    assert limits(item, transactions=(charging(since=at(-120)),)) == [(0, 10.0), (180, 16.0)]


def test_relative_counts_from_now_when_a_composite_is_asked_and_nobody_charges() -> None:
    """D8, K08.FR.06; without that imagined transaction it does not apply."""
    item = relative(TX_DEFAULT, (0, 10), (300, 16))
    assert limits(item) == [(0, 10.0), (300, 16.0)]
    assert limits(item, simulate_transaction=False) == [(0, 48.0)]


def test_absolute_without_startschedule_counts_from_the_start_of_charging() -> None:
    """D7, 1.6 7.13."""
    item = profile(TX, (0, 10), (300, 16), start=None)
    assert limits(item, transactions=(charging(since=at(-120)),)) == [(0, 10.0), (180, 16.0)]


def test_a_recurrencykind_on_an_absolute_profile_is_ignored() -> None:
    item = profile(TX_DEFAULT, (0, 6), duration_s=60, start=NOW - DAY, recurrency=Recurrency.DAILY)
    assert limits(item) == [(0, 48.0)]


def test_fractions_of_a_second_are_dropped_and_any_offset_is_read() -> None:
    """1.6 3.14."""
    start = datetime(2026, 3, 2, 11, 0, 10, 999_000, tzinfo=timezone(timedelta(hours=1)))
    item = profile(TX_DEFAULT, (0, 6), start=start)
    answer = composite(item, now=NOW + timedelta(milliseconds=900), duration_s=60)
    assert answer.start == NOW
    assert [period[:2] for period in answer.periods] == [(0, 48.0), (10, 6.0)]


def test_a_daily_schedule_keeps_24_hours_when_the_clock_is_set_forward() -> None:
    """D10: elapsed time; on 29 March 2026 the Netherlands skip 02:00-03:00, so 18:00 becomes 19:00."""
    at_six = datetime(2026, 3, 27, 18, tzinfo=AMSTERDAM)
    item = daily(TX_DEFAULT, (0, 6), duration_s=3600, start=at_six)
    sunday = datetime(2026, 3, 29, 0, tzinfo=AMSTERDAM).astimezone(UTC)
    elapsed = limits(item, now=sunday, duration_s=86_400)
    by_the_clock = limits(item, now=sunday, duration_s=86_400, timezone=AMSTERDAM)
    assert elapsed == [(0, 48.0), (18 * 3600, 6.0), (19 * 3600, 48.0)]  # 19:00 there
    assert by_the_clock == [
        (0, 48.0),
        (17 * 3600, 6.0),
        (18 * 3600, 48.0),
    ]  # 18:00 there, an hour was skipped


def test_by_the_wall_clock_a_day_of_25_hours_is_filled_to_its_end() -> None:
    """D10: on 25 October 2026 the clock is set back; the schedule of the day runs until the next one begins."""
    midnight = datetime(2026, 10, 24, 0, tzinfo=AMSTERDAM)
    item = daily(TX_DEFAULT, (0, 6), (23 * 3600, 16), start=midnight)
    sunday = datetime(2026, 10, 25, 0, tzinfo=AMSTERDAM).astimezone(UTC)
    answer = limits(item, now=sunday, duration_s=26 * 3600, timezone=AMSTERDAM)
    assert answer == [(0, 6.0), (23 * 3600, 16.0), (25 * 3600, 6.0)]


def test_by_the_wall_clock_an_hour_that_is_skipped_or_repeated_moves_the_next_run() -> None:
    """D10: a window that ends, or begins, in the hour between 24 hours and midnight."""
    forward = datetime(2026, 3, 29, 0, tzinfo=AMSTERDAM)
    item = daily(TX_DEFAULT, (0, 6), (3600, 9), start=forward)
    answer = limits(item, now=forward, duration_s=23 * 3600 + 1800, timezone=AMSTERDAM)
    assert answer == [(0, 6.0), (3600, 9.0), (23 * 3600, 6.0)]
    back = datetime(2026, 10, 24, 0, tzinfo=AMSTERDAM)
    item = daily(TX_DEFAULT, (0, 6), (3600, 9), start=back)
    half_past_11 = datetime(2026, 10, 25, 23, 30, tzinfo=AMSTERDAM)
    assert limits(item, now=half_past_11, timezone=AMSTERDAM) == [(0, 9.0), (1800, 6.0)]


def test_a_relative_max_profile_counts_from_the_first_transaction_of_the_station() -> None:
    """1.6 allows one (2.0.1: K01.FR.38); the station's charging began with the first of its transactions."""
    item = relative(MAX, (0, 10), (300, 16), evse=0)
    running = (charging(1, since=at(-60)), charging(2, since=at(-120)))
    assert limits(item, evse=0, evse_count=2, transactions=running) == [(0, 10.0), (180, 16.0)]


@pytest.mark.parametrize(
    ("purpose", "evse"), [(EXTERNAL, 1), (EXTERNAL, 0), (GENERATION, 1), (GENERATION, 0)]
)
def test_relative_counts_from_the_start_of_charging_for_every_purpose(purpose: Purpose, evse: int) -> None:
    """External constraints and generation of the EVSE and of the station."""
    item = relative(purpose, (0, 10), (300, 16), evse=evse, id=2)
    ahead = profile(TX_DEFAULT, (0, 20), id=1)
    added = 20.0 if purpose is GENERATION else 0.0
    answer = limits(ahead, item, transactions=(charging(since=at(-120)),))
    assert answer == [(0, added + 10.0), (180, added + 16.0)]


def test_without_even_an_imagined_transaction_a_relative_profile_never_counts() -> None:
    """D8, D9."""
    item = relative(MAX, (0, 10), evse=0)
    assert limits(item) == [(0, 10.0)]
    assert limits(item, simulate_transaction=False) == [(0, 48.0)]
    assert limits(item, simulate_transaction=False, txprofile_without_tx=True) == [(0, 10.0)]


def test_outside_its_periods_a_profile_is_not_there_and_the_next_level_leads() -> None:
    """1.6 5.16.4, 2.0.1 section 3.3."""
    levels = [
        profile(TX_DEFAULT, (0, 6 + level), level=level, id=level, duration_s=600 - 100 * level)
        for level in range(6)
    ]
    assert limits(*levels, duration_s=700) == [
        (0, 11.0), (100, 10.0), (200, 9.0), (300, 8.0), (400, 7.0), (500, 6.0), (600, 48.0),
    ]  # fmt: skip


def test_a_limit_of_0_is_a_limit() -> None:
    top = profile(TX_DEFAULT, (0, 0), level=1)
    assert limits(top, profile(TX_DEFAULT, (0, 16), id=2)) == [(0, 0.0)]
