"""Energy of a session from the registers of its outlet."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stations.domain.registers import Fall, RegisterReading, RegisterSpan, register_span

START = dt.datetime(2026, 7, 1, 12, tzinfo=dt.UTC)
POWER_W = 17_250.0


def at(minute: float, wh: float, context: str = "Sample.Periodic") -> RegisterReading:
    return RegisterReading(START + dt.timedelta(minutes=minute), context, wh)


def begin(minute: float, wh: float) -> RegisterReading:
    return at(minute, wh, "Transaction.Begin")


def end(minute: float, wh: float) -> RegisterReading:
    return at(minute, wh, "Transaction.End")


def span(*readings: RegisterReading, has_ended: bool = True) -> RegisterSpan:
    return register_span(readings, has_ended=has_ended, max_power_w=POWER_W)


def test_begin_and_end_of_the_transaction_go_before_samples() -> None:
    assert span(at(1, 150), begin(0, 100), end(60, 900), at(59, 850)) == RegisterSpan(100, 900)


def test_while_it_runs_there_is_no_end() -> None:
    assert span(begin(0, 100), at(30, 500), has_ended=False) == RegisterSpan(100, None)


def test_without_begin_or_end_the_samples_of_one_context_count() -> None:
    assert span(at(0, 100), at(60, 900), end(61, 950)) == RegisterSpan(100, 900)
    assert span(at(5, 110, "Sample.Clock"), at(65, 880, "Sample.Clock"), at(6, 120)) == RegisterSpan(110, 880)


def test_contexts_are_never_mixed() -> None:
    assert span(at(0, 100), end(60, 900)) == RegisterSpan(None, 900)
    assert span(begin(0, 100), at(60, 900)) == RegisterSpan(100, None)


def test_a_placeholder_of_0_is_ignored_and_the_next_begin_counts() -> None:
    assert span(begin(0, 0), begin(0.1, 5_000_000), end(60, 5_009_000)) == RegisterSpan(5_000_000, 5_009_000)
    assert span(begin(0, 0), end(60, 5_009_000)) == RegisterSpan(None, 5_009_000)
    assert span(begin(0, 0), end(60, 9_000)) == RegisterSpan(0, 9_000), "17 kW can deliver this in an hour"


def test_an_end_of_0_is_a_placeholder_too() -> None:
    assert span(begin(0, 100), end(60, 0)) == RegisterSpan(100, None)
    assert span(begin(0, 0), end(60, 0)) == RegisterSpan(0, 0)


def test_a_sample_of_0_between_two_of_the_same_height_is_no_reset() -> None:
    readings = (begin(0, 5_000_000), at(20, 5_003_000), at(21, 0), at(22, 5_003_300), end(60, 5_009_000))
    assert span(*readings) == RegisterSpan(5_000_000, 5_009_000)


def test_nothing_gives_nothing() -> None:
    assert span() == RegisterSpan(None, None)


# ---------------------------------------------------------------- falls: named, never made whole

RESET = (begin(0, 5_000_000), at(20, 5_003_000), at(30, 500), at(50, 2_000), end(60, 3_000))
FALLS = {
    "reset": (RESET, Fall.RESET),
    "reset that ends above its begin": (
        (begin(0, 100), at(20, 5_000), at(21, 10), end(60, 2_000)),
        Fall.RESET,
    ),
    "reset that only begin and end tell of": ((begin(0, 5_000_000), end(60, 3_000)), Fall.RESET),
    "full at six digits of kWh": (
        (begin(0, 999_998_000), at(20, 999_999_900), at(30, 1_500), end(60, 7_000)),
        Fall.ROLLOVER,
    ),
    "full at 32 bits of Wh": ((begin(0, 2**32 - 3_000), end(60, 4_000)), Fall.ROLLOVER),
    "near its limit, but what it then lacks no car can have taken": (
        (begin(0, 999_900_000), end(60, 4_000)),
        Fall.RESET,
    ),
    "counts back": (
        (begin(0, 5_000_000), at(30, 5_004_000), at(50, 5_001_000), end(60, 5_002_000)),
        Fall.COUNTED_BACK,
    ),
    "counts back a little each time": (
        (begin(0, 5_000), *(at(minute, 5_000 - 8 * minute) for minute in range(1, 31)), end(60, 6_000)),
        Fall.COUNTED_BACK,
    ),
    "ends a little under its begin": ((begin(0, 5_060), end(60, 5_000)), Fall.COUNTED_BACK),
}


@pytest.mark.parametrize(("readings", "fall"), FALLS.values(), ids=FALLS)
def test_a_register_that_falls_leaves_the_energy_unknown_and_says_why(
    readings: tuple[RegisterReading, ...], fall: Fall
) -> None:
    assert span(*readings) == RegisterSpan(readings[0].wh, None, fall)
    assert span(*reversed(readings)) == RegisterSpan(readings[0].wh, None, fall), (
        "in whatever order they came"
    )


def test_a_fall_among_samples_counts_where_they_are_all_there_is() -> None:
    assert span(at(0, 4_000), at(20, 6_000), at(21, 0.0), at(40, 2_000)) == RegisterSpan(
        4_000, None, Fall.RESET
    )


def test_rounding_in_kwh_is_no_fall() -> None:
    """One message in Wh, the next in kWh with a decimal."""
    assert span(begin(0, 5_000), at(10, 5_100), at(11, 5_060), end(60, 9_000)) == RegisterSpan(5_000, 9_000)


def test_what_comes_after_the_end_is_not_of_the_session() -> None:
    assert span(begin(0, 5_000), end(60, 9_000), at(61, 0), at(62, 5)) == RegisterSpan(5_000, 9_000)


def test_a_clock_that_is_set_back_is_no_fall() -> None:
    """The station learns at 12:20 that it is 9:20; its register rises all the while."""
    arrived = (begin(0, 5_000), at(20, 8_000), at(-160, 8_100), end(-120, 14_000))
    assert span(*arrived) == RegisterSpan(5_000, 14_000)
    arrived = (at(0, 5_000), at(20, 8_000), at(-160, 8_100), end(-120, 14_000))
    assert span(*arrived) == RegisterSpan(5_000, 8_100), "the first and last sample as they came"


def test_a_late_message_hides_no_reset() -> None:
    """Offline: the sample that shows it comes after the end."""
    assert span(begin(0, 100), at(40, 400), end(60, 1_900), at(30, 5_000)).fall is Fall.RESET


def test_a_long_session_of_a_register_that_stands_still_takes_no_time() -> None:
    """An export register that stays at 0 all day is the usual one, and the writer waits for this."""
    still = [at(second / 6, 0) for second in range(8640)]
    started = dt.datetime.now(dt.UTC)
    assert span(begin(0, 0), *still, end(1440, 0)) == RegisterSpan(0, 0)
    assert dt.datetime.now(dt.UTC) - started < dt.timedelta(seconds=0.5)


powers = st.lists(st.floats(0, POWER_W), min_size=1, max_size=20)


def rising(start_wh: float, powers_w: list[float]) -> list[RegisterReading]:
    wh, readings = start_wh, [begin(0, start_wh)]
    for minute, power_w in enumerate(powers_w, start=1):
        wh += power_w / 60
        readings.append(at(minute, wh))
    return [*readings, end(len(powers_w), wh)]


@given(start_wh=st.floats(1, 1e9), powers_w=powers, order=st.randoms(use_true_random=False))
def test_whatever_the_order_of_the_readings_the_energy_is_the_same(
    start_wh: float, powers_w: list[float], order: random.Random
) -> None:
    readings = rising(start_wh, powers_w)
    last = readings[-1].wh
    order.shuffle(readings)
    assert span(*readings) == RegisterSpan(start_wh, last)


@given(start_wh=st.floats(1, 1e9), powers_w=powers, doubled=st.data())
def test_readings_that_are_doubled_change_nothing(
    start_wh: float, powers_w: list[float], doubled: st.DataObject
) -> None:
    readings = rising(start_wh, powers_w)
    again = doubled.draw(st.lists(st.sampled_from(readings)))
    assert span(*readings, *again) == span(*readings)


@given(
    values=st.lists(st.floats(0, 1e10), max_size=12),
    contexts=st.randoms(use_true_random=False),
    has_ended=st.booleans(),
)
def test_whatever_a_station_says_no_session_takes_less_than_nothing(
    values: list[float], contexts: random.Random, *, has_ended: bool
) -> None:
    kinds = ["Transaction.Begin", "Sample.Periodic", "Sample.Clock", "Transaction.End"]
    readings = [at(minute, wh, contexts.choice(kinds)) for minute, wh in enumerate(values)]
    found = span(*readings, has_ended=has_ended)
    assert found.start_wh is None or found.end_wh is None or found.end_wh >= found.start_wh
    assert found.fall is None or found.end_wh is None


@given(start_wh=st.floats(1e6, 1e9), powers_w=powers, left_wh=st.floats(1, 1e5))
def test_a_reset_is_never_added_up(start_wh: float, powers_w: list[float], left_wh: float) -> None:
    readings = rising(start_wh, powers_w)
    fallen = [RegisterReading(r.at, r.context, left_wh + r.wh - start_wh) for r in readings[1:]]
    assert span(readings[0], *fallen).end_wh is None
