"""Energy of a session from the registers of its outlet."""

from __future__ import annotations

import datetime as dt
import random

from hypothesis import given
from hypothesis import strategies as st

from stations.domain.registers import RegisterReading, RegisterSpan, register_span

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


def test_nothing_gives_nothing() -> None:
    assert span() == RegisterSpan(None, None)


@given(
    start_wh=st.floats(1, 1e9),
    powers_w=st.lists(st.floats(0, POWER_W), min_size=1, max_size=20),
    order=st.randoms(use_true_random=False),
)
def test_whatever_the_order_of_the_readings_the_energy_is_the_same(
    start_wh: float, powers_w: list[float], order: random.Random
) -> None:
    wh, readings = start_wh, [begin(0, start_wh)]
    for minute, power_w in enumerate(powers_w, start=1):
        wh += power_w / 60
        readings.append(at(minute, wh))
    readings.append(end(len(powers_w), wh))
    order.shuffle(readings)
    found = span(*readings)
    assert found == RegisterSpan(start_wh, wh)
