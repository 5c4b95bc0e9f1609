"""Laws of tariffs, for any tariff and any session."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from stations.domain.tariff import Period, parse, price

ZONE = ZoneInfo("Europe/Amsterdam")
# Around the day on which an hour comes twice.
START = dt.datetime(2026, 10, 24, 20, tzinfo=dt.UTC)
Raw = dict[str, Any]

amounts = st.integers(-200, 500).map(lambda cents: cents / 100)
times = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 30]))


@st.composite
def components(draw: st.DrawFn) -> list[Raw]:
    kinds = draw(
        st.lists(st.sampled_from(["ENERGY", "FLAT", "TIME", "PARKING_TIME"]), min_size=1, unique=True)
    )
    return [
        {
            "type": kind,
            "price": draw(amounts),
            "vat": draw(st.sampled_from([0, 9, 21])),
            "step_size": draw(st.sampled_from([1, 60, 900, 1000])),
        }
        for kind in kinds
    ]


restrictions = st.fixed_dictionaries(
    {},
    optional={
        "start_time": times,
        "end_time": times,
        "day_of_week": st.lists(st.sampled_from(["SATURDAY", "SUNDAY"]), unique=True),
        "min_kwh": st.integers(0, 20),
        "max_kwh": st.integers(21, 40),
        "min_duration": st.integers(0, 7200),
        "max_duration": st.integers(7201, 40000),
    },
)
elements = st.lists(
    st.fixed_dictionaries({"price_components": components()}, optional={"restrictions": restrictions}),
    min_size=1,
    max_size=4,
)
tariffs = st.builds(
    lambda found, taxes: {"currency": "EUR", "elements": found, "tax_included": taxes},
    elements,
    st.sampled_from(["YES", "NO", "N/A"]),
)


@st.composite
def sessions(draw: st.DrawFn, *, gives_back: bool = False) -> list[Period]:
    periods, at = [], START
    for _ in range(draw(st.integers(1, 5))):
        end = at + dt.timedelta(minutes=draw(st.integers(1, 240)))
        wh = draw(st.integers(-8_000 if gives_back else 0, 20_000))
        periods.append(Period(at, end, Decimal(wh) / 1000, is_charging=wh != 0))
        at = end
    return periods


@settings(deadline=None)
@given(tariffs, sessions(), st.integers(0, 4), st.integers(1, 99))
def test_splitting_a_period_in_which_nothing_changes_changes_no_cost(
    raw: Raw, periods: list[Period], which: int, percent: int
) -> None:
    tariff = parse(raw)
    cut = periods[which % len(periods)]
    moment = cut.start + (cut.end - cut.start) * percent / 100
    share = cut.energy_kwh * percent / 100
    halves = [
        Period(cut.start, moment, share, cut.is_charging),
        Period(moment, cut.end, cut.energy_kwh - share, cut.is_charging),
    ]
    index = periods.index(cut)
    split = [*periods[:index], *halves, *periods[index + 1 :]]
    whole, parts = price(tariff, periods, zone=ZONE), price(tariff, split, zone=ZONE)
    # A moment is a whole microsecond, so an hour may be one shorter: a cent where that is on its edge.
    assert abs(whole.incl_tax - parts.incl_tax) <= Decimal("0.01") or _is_on_a_step(raw)


def _is_on_a_step(raw: Raw) -> bool:
    """A microsecond may be what makes a new step."""
    return any(part["step_size"] > 1 for element in raw["elements"] for part in element["price_components"])


@settings(deadline=None)
@given(tariffs, sessions(gives_back=True), amounts, st.integers(0, 300))
def test_never_below_the_least_nor_above_the_most(
    raw: Raw, periods: list[Period], least: float, room_cents: int
) -> None:
    most = Decimal(str(least)) + Decimal(room_cents) / 100
    limits = {"min_price": {"before_taxes": least}, "max_price": {"before_taxes": float(most)}}
    found = price(parse({**raw, **limits}), periods, zone=ZONE)
    assert Decimal(str(least)) <= found.excl_tax <= most


@settings(deadline=None)
@given(tariffs, sessions())
def test_an_element_behind_one_that_always_holds_says_nothing(raw: Raw, periods: list[Period]) -> None:
    """The order decides: whatever stands behind an element without restrictions that prices all is never reached."""
    everything = [
        {"type": kind, "price": 1, "step_size": 1} for kind in ("ENERGY", "FLAT", "TIME", "PARKING_TIME")
    ]
    first = {"price_components": everything}
    alone = price(parse({**raw, "elements": [first]}), periods, zone=ZONE)
    assert price(parse({**raw, "elements": [first, *raw["elements"]]}), periods, zone=ZONE) == alone


@settings(deadline=None)
@given(tariffs, sessions(gives_back=True))
def test_the_total_is_its_lines_and_its_taxes(raw: Raw, periods: list[Period]) -> None:
    found = price(parse(raw), periods, zone=ZONE)
    assert abs(sum((line.excl_tax for line in found.lines), Decimal(0)) - found.excl_tax) < Decimal("0.01")
    assert sum((tax.amount for tax in found.taxes), Decimal(0)) in {found.tax, Decimal(0)}


@settings(deadline=None)
@given(tariffs, sessions())
def test_of_each_dimension_all_is_told_or_free(raw: Raw, periods: list[Period]) -> None:
    found = price(parse(raw), periods, zone=ZONE)
    used = sum((line.quantity for line in found.lines if line.dimension == "ENERGY"), Decimal(0))
    assert used <= sum((period.energy_kwh for period in periods), Decimal(0))
    assert all(line.billed >= line.quantity for line in found.lines)
