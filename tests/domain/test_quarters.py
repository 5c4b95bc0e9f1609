"""What a quarter of an hour says of its readings, and what a day of quarters adds up to."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stations.domain.quarters import QUARTER, Energy, Reading, quarter_of, quarters_touched, roll_up
from stations.domain.registers import Fall

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
NOON = dt.datetime(2026, 7, 1, 12, tzinfo=dt.UTC)
MOST_W = 17_250.0


def reading(minutes: float, import_wh: float | None, *, context: str = "Sample.Periodic") -> Reading:
    return Reading(NOON + dt.timedelta(minutes=minutes), context, import_wh, None, None, None)


def energy(*readings: Reading) -> Energy:
    quarter = roll_up(list(readings), NOON, max_power_w=MOST_W)
    assert quarter is not None
    return quarter.imported


def test_a_quarter_counts_from_the_last_register_before_it_to_the_last_one_in_it() -> None:
    assert energy(reading(-1, 1000), reading(4, 1100), reading(14, 1500)) == Energy(500)
    assert energy(reading(0, 1000), reading(15, 1500)) == Energy(500)


def test_what_was_not_read_in_time_is_not_known() -> None:
    assert energy(reading(-16, 1000), reading(5, 1500)) == Energy()
    assert energy(reading(5, 1500)) == Energy()
    assert energy(reading(0, 1500)) == Energy()


def test_a_register_that_says_the_same_after_a_silence_took_nothing_in_it() -> None:
    assert energy(reading(-600, 1000), reading(5, 1000), reading(10, 1300)) == Energy(300)


def test_a_fall_is_marked_and_not_mended() -> None:
    assert energy(reading(-1, 900_000), reading(5, 10), reading(10, 300)) == Energy(fall=Fall.RESET)
    assert energy(reading(-1, 9_999_950), reading(5, 20)).fall == Fall.ROLLOVER
    assert energy(reading(-1, 9_000), reading(5, 8_900)).fall == Fall.COUNTED_BACK


def test_readings_of_one_context_are_never_taken_from_those_of_another() -> None:
    clock = [reading(0, 1000, context="Sample.Clock"), reading(15, 1500, context="Sample.Clock")]
    # In whole kWh: the other context is rounded.
    quarter = roll_up([*clock[:1], reading(7, 1000), reading(14, 2000), *clock[1:]], NOON, max_power_w=MOST_W)
    assert quarter is not None
    assert (quarter.context, quarter.imported, quarter.samples) == ("Sample.Clock", Energy(500), 3)


def test_the_begin_of_a_transaction_is_where_its_first_quarter_starts() -> None:
    begun = reading(3, 1000, context="Transaction.Begin")
    quarter = roll_up(
        [reading(-900, 1000, context="Transaction.End"), begun, reading(10, 1400)], NOON, max_power_w=MOST_W
    )
    assert quarter is not None
    assert (quarter.context, quarter.imported) == ("", Energy(400))


def test_powers_are_those_of_the_samples_in_it() -> None:
    rows = [
        Reading(NOON + dt.timedelta(minutes=at), "Sample.Periodic", None, None, power, None)
        for at, power in ((-1, 9000.0), (0, 1000.0), (14, 3000.0), (15, 9000.0))
    ]
    quarter = roll_up(rows, NOON, max_power_w=MOST_W)
    assert quarter is not None
    assert (quarter.mean_import_w, quarter.max_import_w, quarter.max_export_w) == (2000.0, 3000.0, None)


@pytest.mark.parametrize(
    ("day", "quarters"),
    [(dt.date(2026, 3, 29), 92), (dt.date(2026, 10, 25), 100), (dt.date(2026, 7, 1), 96)],
)
def test_a_day_of_quarters_adds_up_to_the_rise_of_the_register(day: dt.date, quarters: int) -> None:
    start = dt.datetime.combine(day, dt.time(), AMSTERDAM).astimezone(dt.UTC)
    end = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), AMSTERDAM).astimezone(dt.UTC)
    count = int((end - start).total_seconds() // 60)
    rows = [
        Reading(start + dt.timedelta(minutes=minute), "Sample.Clock", 1000.0 + minute * 7, None, None, None)
        for minute in range(count + 1)
    ]
    starts = sorted({quarter_of(row.at) for row in rows[:-1]})
    rolled = [roll_up(rows, quarter, max_power_w=MOST_W) for quarter in starts]
    assert len(starts) == quarters
    assert sum(quarter.imported.wh or 0 for quarter in rolled if quarter) == count * 7


@given(
    gaps_s=st.lists(st.integers(1, 900), min_size=2, max_size=80),
    rises_wh=st.lists(st.integers(0, 50), min_size=80, max_size=80),
)
def test_where_no_reading_is_missed_nothing_is_lost(gaps_s: list[int], rises_wh: list[int]) -> None:
    at, wh = NOON, 1000.0
    rows = [Reading(at, "Sample.Periodic", wh, None, None, None)]
    for gap_s, rise_wh in zip(gaps_s, rises_wh, strict=False):
        at, wh = at + dt.timedelta(seconds=gap_s), wh + rise_wh
        rows.append(Reading(at, "Sample.Periodic", wh, None, None, None))
    starts = {start for row in rows for start in quarters_touched(row.at)}
    rolled = [roll_up(rows, start, max_power_w=MOST_W) for start in sorted(starts)]
    assert sum(quarter.imported.wh or 0 for quarter in rolled if quarter) == wh - 1000.0
    assert all((start.minute % 15, start.second) == (0, 0) for start in starts)
    assert all(quarter.start + QUARTER > NOON for quarter in rolled if quarter)
