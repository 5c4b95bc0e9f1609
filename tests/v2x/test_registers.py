"""What stands out in the registers of an EVSE: marked where it is, and nothing made whole."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2x.domain.registers import Interval, Mark, Sample, What, interval_of, marks_of, register_of, values_of

START = dt.datetime(2026, 11, 20, 23, tzinfo=dt.UTC)  # midnight in Amsterdam
END = START + dt.timedelta(hours=24)
POWER_W = 17_250.0


def at(minute: float) -> dt.datetime:
    return START + dt.timedelta(minutes=minute)


@dataclass(slots=True)
class Meter:
    """Writes down samples; what is not given is not sent."""

    samples: list[Sample]

    def __init__(self) -> None:
        self.samples = []

    def says(
        self,
        minute: float,
        wh: float | None = None,
        *,
        export: float | None = None,
        context: str = "Sample.Periodic",
        transaction: str = "t",
        number: int | None = None,
    ) -> Meter:
        number = len(self.samples) if number is None else number
        self.samples.append(Sample(at(minute), number, context, transaction, wh, export, None, None))
        return self

    def marks(self, *, until: dt.datetime | None = None, power_w: float = POWER_W) -> list[Mark]:
        end = until or self.samples[-1].at
        samples = sorted(self.samples, key=lambda s: s.at)
        return marks_of(
            samples,
            {"import": values_of(samples, "import"), "export": values_of(samples, "export")},
            interval=interval_of(samples),
            start=START,
            end=end,
            max_power_w=power_w,
        )

    def whats(self) -> list[What]:
        return [mark.what for mark in self.marks()]

    def rise_wh(self) -> float | None:
        return register_of("import", values_of(self.samples, "import"), self.marks()).rise_wh


def charging(minutes: int, *, since: int = 0, wh: float = 5_000_003, step_wh: float = 100) -> Meter:
    """A sample each minute of a car that charges with 6 kW."""
    meter = Meter()
    for minute in range(minutes + 1):
        meter.says(since + minute, wh + minute * step_wh)
    return meter


def test_a_register_that_rises_has_no_marks_and_its_energy_is_known() -> None:
    meter = charging(60)
    assert meter.marks() == []
    assert meter.rise_wh() == 6_000


def test_nothing_gives_nothing() -> None:
    assert Meter().marks(until=END) == []
    assert register_of("export", [], []).rise_wh is None


# ---------------------------------------------------------------- falls


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        (5_000_003, 40, What.RESET),
        (999_999_950, 20, What.ROLLOVER),
        (99_999_950, 20, What.ROLLOVER),
        (2**32 - 100, 50, What.ROLLOVER),
        (5_000_003, 4_999_003, What.COUNTED_BACK),
        (5_000_003, 5_000_000, What.COUNTED_BACK),
    ],
)
def test_a_fall_is_named_with_what_it_fell_from_and_to(before: float, after: float, what: What) -> None:
    meter = Meter().says(0, before).says(1, after).says(2, after + 50)
    assert meter.marks() == [Mark(what, at(0), at(1), "import", before, after)]
    assert meter.rise_wh() is None


def test_what_counts_back_all_the_while_is_one_mark() -> None:
    """A discharge of 4.6 kW, taken off the import each ten seconds."""
    meter = Meter().says(0, 5_000_003)
    for number in range(1, 31):
        meter.says(number / 6, 5_000_003 - 12.7 * number)
    meter.says(6, 4_999_800)
    (mark,) = meter.marks()
    assert (mark.what, mark.start, mark.end, mark.count) == (What.COUNTED_BACK, at(0), at(5), 30)
    assert mark.before_wh == 5_000_003
    assert mark.after_wh == pytest.approx(4_999_622)


def test_rounding_to_a_tenth_of_a_kwh_is_no_fall() -> None:
    meter = Meter().says(0, 5_000).says(1, 5_100).says(2, 5_060).says(3, 5_120)
    assert meter.marks() == []
    assert meter.rise_wh() == 120


def test_import_and_export_fall_apart() -> None:
    meter = Meter().says(0, 5_003, export=103).says(1, 5_010, export=3).says(2, 5_020, export=5)
    assert [(mark.what, mark.register) for mark in meter.marks()] == [(What.RESET, "export")]
    assert meter.rise_wh() == 17


def test_a_zero_that_the_next_reading_proves_wrong_is_not_counted() -> None:
    begin = Meter().says(0, 0, context="Transaction.Begin").says(1, 5_000_003).says(2, 5_000_103)
    assert begin.whats() == [What.PLACEHOLDER]
    assert begin.rise_wh() == 100
    between = Meter().says(0, 5_000_003).says(1, 0).says(2, 5_000_203)
    assert between.whats() == [What.PLACEHOLDER]
    assert between.rise_wh() == 200


def test_kwh_taken_for_wh_is_a_jump_and_a_fall() -> None:
    meter = Meter().says(0, 5_003).says(1, 5_003_100).says(2, 5_020)
    assert meter.whats() == [What.JUMP, What.COUNTED_BACK]
    assert meter.rise_wh() is None


# ---------------------------------------------------------------- doubles and order


def test_one_moment_with_two_values_is_marked_and_the_first_counts() -> None:
    meter = Meter().says(0, 5_003).says(1, 5_050).says(1, 7_000, context="Sample.Clock").says(2, 5_103)
    assert meter.whats() == [What.TWICE]
    assert meter.rise_wh() == 100


def test_one_moment_told_twice_alike_is_not() -> None:
    meter = Meter().says(0, 5_003).says(1, 5_050).says(1, 5_050, context="Sample.Clock").says(2, 5_103)
    assert meter.marks() == []


def test_samples_that_came_late_count_at_their_own_time() -> None:
    meter = charging(10)
    order = [0, 1, 8, 9, 2, 3, 4, 5, 6, 7, 10]  # minutes 2 and 3 came after 4 to 9
    meter.samples = [s._replace(number=order[n]) for n, s in enumerate(meter.samples)]
    assert meter.marks() == [Mark(What.LATE, at(2), at(3), count=2)]
    assert meter.rise_wh() == 1_000


def test_begin_and_end_that_come_with_the_stop_are_not_late() -> None:
    meter = Meter().says(0, 5_003, context="Transaction.Begin", number=9)
    meter.says(1, 5_103, number=1).says(2, 5_203, number=2)
    assert meter.marks() == []


# ---------------------------------------------------------------- gaps


def test_readings_missing_within_a_session_are_a_gap() -> None:
    meter = charging(20)
    for minute in range(60, 80):
        meter.says(minute, 5_009_003 + minute)
    assert [(mark.what, mark.start, mark.end) for mark in meter.marks()] == [(What.GAP, at(20), at(60))]
    assert meter.rise_wh() == 9_079, "the register counted on"


def test_one_reading_missed_is_no_gap() -> None:
    assert charging(20).says(22, 5_002_203).says(23, 5_002_303).marks() == []


def test_silence_between_sessions_is_no_gap_unless_the_register_rose_in_it() -> None:
    quiet = charging(20)
    quiet.samples += charging(20, since=600, wh=5_002_003).samples
    quiet.samples = [
        s._replace(number=n, transaction="a" if s.at < at(300) else "b") for n, s in enumerate(quiet.samples)
    ]
    assert quiet.marks() == []
    rose = charging(20)
    rose.samples += charging(20, since=600, wh=5_009_003).samples
    rose.samples = [
        s._replace(number=n, transaction="a" if s.at < at(300) else "b") for n, s in enumerate(rose.samples)
    ]
    assert [(mark.what, mark.start, mark.end) for mark in rose.marks()] == [(What.GAP, at(20), at(600))]


def test_who_reads_by_the_clock_reads_all_day() -> None:
    meter = Meter()
    for quarter in (*range(20, 40), *range(60, 80)):
        meter.says(quarter * 15, 5_000_003, context="Sample.Clock", transaction="")
    found = [(mark.start, mark.end) for mark in meter.marks(until=END)]
    assert found == [(START, at(300)), (at(39 * 15), at(900)), (at(79 * 15), END)]


def test_a_session_that_falls_silent_is_a_gap_until_now() -> None:
    meter = charging(20)
    assert [mark.what for mark in meter.marks(until=at(22))] == []
    assert [(mark.start, mark.end) for mark in meter.marks(until=at(80))] == [(at(20), at(80))]
    assert meter.says(21, 5_002_103, context="Transaction.End").marks(until=END) == []


def test_the_interval_is_what_the_readings_show() -> None:
    assert interval_of(charging(20).samples) == Interval(60.0, None)
    assert interval_of(charging(2).samples) == Interval(None, None), "too few to tell"


# ---------------------------------------------------------------- laws

powers = st.lists(st.floats(0, POWER_W), min_size=1, max_size=40)


@given(powers_w=powers, start_wh=st.floats(1, 1e9), order=st.randoms(use_true_random=False))
def test_a_register_that_only_rises_is_never_marked(
    powers_w: list[float], start_wh: float, order: random.Random
) -> None:
    meter = Meter().says(0, start_wh)
    wh = start_wh
    for minute, power_w in enumerate(powers_w, start=1):
        wh += power_w / 60
        meter.says(minute, wh)
    order.shuffle(meter.samples)
    whats = {mark.what for mark in meter.marks(until=at(len(powers_w)))}
    assert whats <= {What.LATE}


@given(values=st.lists(st.floats(0, 1e10), min_size=1, max_size=30))
def test_whatever_a_meter_says_energy_is_known_and_not_negative_or_unknown(values: list[float]) -> None:
    meter = Meter()
    for minute, wh in enumerate(values):
        meter.says(minute, wh)
    rise_wh = meter.rise_wh()
    assert rise_wh is None or rise_wh >= 0
    for mark in meter.marks():
        assert mark.start <= mark.end
        if mark.what in {What.RESET, What.ROLLOVER, What.COUNTED_BACK}:
            assert mark.before_wh is not None
            assert mark.after_wh is not None
            assert mark.after_wh < mark.before_wh
            assert rise_wh is None
