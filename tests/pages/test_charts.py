"""What the drawings rest on: days of 23 and 25 hours, holes where nothing was measured, limits as they were then."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from django.utils import timezone

from portal.pages.charts import Path, Step, TimeAxis, day_of, value_axis
from portal.pages.limits import limits_of, profiles_of
from portal.pages.metering import Sample, highest_of, over_limit, power_steps, totals_of
from portal.pages.power_chart import PowerChart, power_drawings
from portal.pages.station_day import station_day
from smartcharging.models import Delivery
from tests.factories import make_command, make_station
from tests.pages.visiting import HOUR, want

MINUTE = dt.timedelta(minutes=1)


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


class TestDays:
    @pytest.mark.parametrize(
        ("at", "hours"), [("2026-03-29T12:00", 23), ("2026-07-01T12:00", 24), ("2026-10-25T12:00", 25)]
    )
    def test_length_of_the_day(self, at: str, hours: int) -> None:
        start, end = day_of(utc(at))
        assert end - start == hours * HOUR
        assert timezone.localtime(start).hour == timezone.localtime(end).hour == 0

    @pytest.mark.parametrize(
        ("at", "apart"), [("2026-03-29T12:00", 3), ("2026-07-01T12:00", 3), ("2026-10-25T12:00", 4)]
    )
    def test_hours_on_the_axis_are_those_of_the_clock(self, at: str, apart: int) -> None:
        start, end = day_of(utc(at))
        texts = [text for _, text in TimeAxis(start, end, 0, 100).ticks(8)]
        assert texts == [*(f"{hour:02d}:00" for hour in range(0, 24, apart)), "24:00"]

    def test_an_hour_that_comes_twice_takes_twice_the_room(self) -> None:
        start, end = day_of(utc("2026-10-25T12:00"))
        axis = TimeAxis(start, end, 0, 250)
        x = {text: axis.x(at) for at, text in axis.ticks(24)}
        assert x["04:00"] - x["00:00"] == pytest.approx(50)
        assert x["08:00"] - x["04:00"] == pytest.approx(40)

    @pytest.mark.django_db
    def test_table_of_a_long_day_tells_the_two_hours_apart(self) -> None:
        day = station_day(make_station(), is_online=True, now=utc("2026-10-25T22:30"))
        labels = [hour.label for hour in day.hours]
        assert labels[1:5] == ["01:00", "02:00 CEST", "02:00 CET", "03:00"]
        assert len(labels) == 25


class TestMeasured:
    def samples(self, *values: tuple[int, float], evse: int = 1) -> list[Sample]:
        return [
            Sample(evse, utc("2026-07-01T10:00") + minute * MINUTE, watts, 0.0) for minute, watts in values
        ]

    def test_sockets_are_added_up(self) -> None:
        both = sorted(
            self.samples((0, 4000), (1, 4000)) + self.samples((0, 3000), (1, 3500), evse=2),
            key=lambda s: s.at,
        )
        highest = highest_of(totals_of(both))
        assert highest is not None
        assert (highest.power_w, highest.at) == (7500, utc("2026-07-01T10:01"))

    def test_silence_is_a_hole(self) -> None:
        start = utc("2026-07-01T10:00")
        steps, back = power_steps(
            self.samples((0, 4000), (300, 4000)), start=start, end=start + 6 * HOUR, until=start + 6 * HOUR
        )
        assert back == []
        assert not any(start + HOUR <= step.start < start + 4 * HOUR for step in steps)
        assert steps[0].value == 4.0

    def test_after_the_end_of_a_session_no_power_is_assumed(self) -> None:
        start = utc("2026-07-01T10:00")
        ends = replace(self.samples((5, 0))[0], ends=True)
        steps, _ = power_steps(
            [*self.samples((0, 4000)), ends], start=start, end=start + HOUR, until=start + HOUR
        )
        assert max(step.end for step in steps) <= start + 6 * MINUTE

    def test_energy_given_back_is_drawn_apart(self) -> None:
        start = utc("2026-07-01T10:00")
        steps, back = power_steps(
            [Sample(1, start, 0.0, 3000.0)], start=start, end=start + HOUR, until=start + HOUR
        )
        assert {step.value for step in steps} == {0.0}
        assert {step.value for step in back} == {3.0}

    def test_over_the_limit_for_how_long_and_when_most(self) -> None:
        limit = [(utc("2026-07-01T09:00"), 8000.0)]
        over = over_limit(totals_of(self.samples((0, 7900), (1, 9000), (2, 9500), (3, 7000))), limit)
        assert over is not None
        assert (over.seconds, over.power_w, over.at) == (120, 9500, utc("2026-07-01T10:02"))

    def test_a_lower_limit_counts_a_minute_later(self) -> None:
        limit = [(utc("2026-07-01T09:00"), 11_000.0), (utc("2026-07-01T10:00"), 8000.0)]
        assert over_limit(totals_of(self.samples((0, 10_900), (2, 7900))), limit) is None
        assert over_limit(totals_of(self.samples((0, 10_900), (2, 10_900))), limit) is not None

    def test_meter_class_is_no_overload(self) -> None:
        assert over_limit(totals_of(self.samples((0, 8100))), [(utc("2026-07-01T09:00"), 8000.0)]) is None


class TestDrawing:
    def chart(self, **fields: object) -> PowerChart:
        start = utc("2026-07-01T00:00")
        chart = PowerChart(
            id="c",
            title="A finding.",
            start=start,
            end=start + 24 * HOUR,
            measured=[Step(start, start + HOUR, 4.0), Step(start + 2 * HOUR, start + 3 * HOUR, 5.0)],
            returned=[],
            limit=[Step(start, start + 24 * HOUR, 8.0)],
            connection_kw=17.25,
            connection_text="Connection",
            limit_text="12 A",
            limit_name="Evening",
            now=start + 12 * HOUR,
        )
        return replace(chart, **fields)  # type: ignore[arg-type]

    def paths(self, chart: PowerChart, css: str) -> list[Path]:
        wide, _ = power_drawings(chart)
        return [mark for mark in wide.marks if isinstance(mark, Path) and mark.css == css]

    def test_a_hole_parts_the_area(self) -> None:
        assert len(self.paths(self.chart(), "flow")) == 2

    def test_what_is_to_come_is_dashed(self) -> None:
        assert len(self.paths(self.chart(), "limit")) == 1
        assert len(self.paths(self.chart(), "limit limit--plan")) == 1
        assert self.paths(self.chart(now=None), "limit limit--plan") == []

    def test_given_back_hangs_below_zero(self) -> None:
        start = utc("2026-07-01T00:00")
        chart = self.chart(returned=[Step(start, start + HOUR, 3.0)])
        (zero,) = self.paths(chart, "axis")
        (area,) = self.paths(chart, "flow-2")
        floor = float(zero.d.split("L")[0].split()[1])
        assert float(area.d.split("V")[1].split("H")[0]) > floor

    @pytest.mark.parametrize(("lowest", "highest"), [(0, 0), (0, 17.9), (0, 0.4), (-4.2, 11.3), (0, 180)])
    def test_axis_holds_its_values_with_a_few_lines(self, lowest: float, highest: float) -> None:
        axis = value_axis(lowest=lowest, highest=highest, top=0, bottom=100)
        assert axis.low <= lowest
        assert axis.high >= highest
        assert 0 in axis.ticks()
        assert 2 <= len(axis.ticks()) <= 8


@pytest.mark.django_db
class TestLimitsAsTheyWere:
    def test_this_morning_knows_nothing_of_a_limit_set_at_noon(self) -> None:
        station = make_station()
        start = utc("2026-07-01T00:00")
        noon = start + 12 * HOUR
        row = want(station, start_schedule=start, duration_s=86_400, requested_at=noon)
        Delivery.objects.filter(desired=row).delete()
        command = make_command(
            station, "SetChargingProfile", state="accepted", sent_at=noon, answered_at=noon
        )
        Delivery.objects.create(desired=row, command=command, intent="set")
        limits = limits_of(
            station,
            profiles=profiles_of(station, since=start),
            active=[],
            others=[],
            start=start,
            end=start + 24 * HOUR,
        )
        assert [(item.start, item.limit_a) for item in limits.stretches] == [(start, 25.0), (noon, 12.0)]

    def test_a_withdrawn_limit_stays_in_the_past_it_had(self) -> None:
        station = make_station()
        start = utc("2026-07-01T00:00")
        gone = start + 6 * HOUR
        row = want(
            station,
            state="cleared",
            start_schedule=start,
            duration_s=86_400,
            requested_at=start,
            withdrawn_at=gone,
        )
        Delivery.objects.filter(desired=row).delete()
        for intent, at in (("set", start), ("clear", gone)):
            command = make_command(station, state="accepted", sent_at=at, answered_at=at)
            Delivery.objects.create(desired=row, command=command, intent=intent)
        limits = limits_of(
            station,
            profiles=profiles_of(station, since=start),
            active=[],
            others=[],
            start=start,
            end=start + 24 * HOUR,
        )
        assert [(item.start, item.limit_a) for item in limits.stretches] == [(start, 12.0), (gone, 25.0)]
