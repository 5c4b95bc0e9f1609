"""A day of readings made as wide as a screen: nothing between two readings is lost that a line would show."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from v2x.domain.registers import Interval, Sample
from v2x.domain.series import columns_of, lines_of, powers_of

START = dt.datetime(2026, 11, 20, 23, tzinfo=dt.UTC)
END = START + dt.timedelta(hours=24)
EACH_MINUTE = Interval(60.0, None)


def at(minute: float) -> dt.datetime:
    return START + dt.timedelta(minutes=minute)


def sample(
    minute: float, import_w: float | None = None, export_w: float | None = None, **more: Any
) -> Sample:
    said = Sample(at(minute), 0, "Sample.Periodic", "t", None, None, import_w, export_w)
    return said._replace(**more)


def powers(*samples: Sample, until: dt.datetime = END) -> list[tuple[float, float, float]]:
    """(minute, import, export) of columns of four minutes."""
    found = powers_of(samples, start=START, end=END, columns=360, interval=EACH_MINUTE, until=until)
    return [
        ((column.start - START).total_seconds() / 60, column.import_w, column.export_w) for column in found
    ]


def test_a_column_has_the_mean_and_the_most_of_what_was_measured_in_it() -> None:
    samples = [sample(0, 6_000, 0), sample(1, 0, 3_000), sample(2, 0, 9_000)]
    (column, *_) = powers_of(samples, start=START, end=END, columns=360, interval=EACH_MINUTE, until=END)
    assert (column.import_w, column.most_import_w) == (2_000, 6_000)
    assert (column.export_w, column.most_export_w) == (4_000, 9_000), "apart: never taken off one another"


def test_a_power_holds_until_the_next_is_due_and_then_it_is_a_hole() -> None:
    assert powers(sample(0, 6_000)) == [(0, 6_000, 0)]
    assert powers(sample(3.5, 6_000), sample(12.5, 6_000)) == [(0, 6_000, 0), (4, 6_000, 0), (12, 6_000, 0)]


def test_after_the_end_of_a_transaction_there_is_no_power() -> None:
    ends = sample(3.6, context="Transaction.End")
    assert powers(sample(3.5, 6_000), ends) == [(0, 6_000, 0)]


def test_what_is_to_come_is_not_drawn() -> None:
    assert powers(sample(3.5, 6_000), until=at(4)) == [(0, 6_000, 0)]


def test_a_line_ends_where_readings_are_missing() -> None:
    values = [(at(0), 10), (at(1), 20), (at(61), 90), (at(62), 95)]
    lines = lines_of(values, start=START, end=END, columns=360, parted_at=[at(1)])
    assert lines == [values[:2], values[2:]]
    assert lines_of(values, start=START, end=END, columns=360) == [values]
    assert lines_of([], start=START, end=END, columns=360) == []


def test_rows_of_the_table_cover_the_day_up_to_now() -> None:
    samples = [sample(1, 6_000, import_wh=10.0), sample(14, 4_000, import_wh=20.0), sample(31, export_wh=5.0)]
    quarter = dt.timedelta(minutes=15)
    first, second, third = columns_of(samples, start=START, until=at(32), width=quarter)
    assert (first.import_w, first.import_wh, first.export_wh) == (5_000, 20, None)
    assert (second.import_w, second.import_wh) == (None, None)
    assert (third.start, third.end, third.export_wh) == (at(30), at(45), 5)
    assert columns_of(samples, start=START, until=START - quarter, width=quarter) == []


@given(wh=st.lists(st.floats(0, 1e9), min_size=1, max_size=300))
def test_first_last_lowest_and_highest_of_each_column_stay(wh: list[float]) -> None:
    values = [(at(number * 0.5), value) for number, value in enumerate(wh)]
    (line,) = lines_of(values, start=START, end=END, columns=24)
    assert line == sorted(line)
    assert set(line) <= set(values)
    for hour in range(3):
        inside = [value for moment, value in values if at(hour * 60) <= moment < at(hour * 60 + 60)]
        drawn = [value for moment, value in line if at(hour * 60) <= moment < at(hour * 60 + 60)]
        if inside:
            assert (drawn[0], min(drawn), max(drawn), drawn[-1]) == (
                inside[0],
                min(inside),
                max(inside),
                inside[-1],
            )
    assert len(line) <= 24 * 4
