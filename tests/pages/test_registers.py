"""The page of a station's two registers, as people read it: the day in a sentence, what stands out, table and CSV."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from portal.compliance.models import ConcessionRequirement, Requirement, RequirementSet
from portal.pages.charts import Path
from portal.pages.register_chart import register_axis
from portal.pages.registers import RegisterDay
from stations.models import MeterReading, Station
from tests.factories import make_driver, make_official, make_reading, make_staff, make_station
from tests.pages.visiting import MOST_QUERIES, queries_of, sees
from v2x.registers import register_series

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

MIDNIGHT = dt.datetime(2026, 7, 1, 22, tzinfo=dt.UTC)  # 2 July in Amsterdam
PAGE = "/stations/S-1/registers/"
DAY: dict[str, Any] = {"day": "02-07-2026"}


@pytest.fixture
def station() -> Station:
    return make_station("S-1")


def measure(station: Station, *rows: tuple[float, float, float], evse: int = 1, **more: Any) -> None:
    """(minute of the day, import in Wh, export in Wh), in the order in which they came."""
    said = {"station": station, "evse_number": evse, "context": "Sample.Periodic", "transaction_id": "t"}
    MeterReading.objects.bulk_create(
        MeterReading(
            sampled_at=(at := MIDNIGHT + dt.timedelta(minutes=minute)),
            received_at=at,
            import_wh=import_wh,
            export_wh=export_wh,
            **{**said, **more},
        )
        for minute, import_wh, export_wh in rows
    )


def charging(station: Station, minutes: range, *, since_wh: float = 5_000_003, evse: int = 1) -> None:
    rows = [(minute, since_wh + 100 * (minute - minutes[0]), 103) for minute in minutes]
    measure(station, *rows, evse=evse, import_w=6_000)


def test_the_day_in_a_sentence(station: Station) -> None:
    charging(station, range(60, 121))
    charging(station, range(160, 181), since_wh=5_010_003)
    measure(station, (181, 5_012_003, 303), (182, 5_012_003, 503), export_w=12_000)
    page = sees(make_staff(), PAGE, **DAY)
    # No car has left, and still nothing was read until midnight.
    assert "On 2 July: 12.00 kWh in, 0.40 kWh back; 2 gaps, 21 h 38 min together." in page
    assert "02:00–02:40" in page
    assert "No readings for 40 min." in page
    assert "Register 1.8.0" in page
    assert "Register 2.8.0" in page


def test_a_session_that_ends_is_no_gap(station: Station) -> None:
    charging(station, range(60, 121))
    measure(station, (121, 5_006_003, 103), context="Transaction.End")
    page = sees(make_staff(), PAGE, **DAY)
    assert "On 2 July: 6.00 kWh in, 0.00 kWh back; no gaps." in page
    assert "Nothing. No register counted back" in page


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([(0, 5_000_003, 3), (1, 20, 3)], "Import (1.8.0) began again at 0: from 5,000.00 kWh to 0.02 kWh."),
        ([(0, 999_999_950, 3), (1, 20, 3)], "Import (1.8.0) was full and began again"),
        (
            [(0, 5_000_003, 3), (1, 4_998_003, 3)],
            "Import (1.8.0) counted back: from 5,000.00 kWh to 4,998.00 kWh.",
        ),
        ([(0, 5_003, 50_003), (1, 5_003, 3)], "Export (2.8.0) began again at 0"),
        ([(0, 5_003, 3), (1, 5_003_000, 3)], "more than the connection can deliver in 60 s"),
        ([(0, 5_003, 3), (1, 0, 3), (2, 5_103, 3)], "said 0, and the next reading proves that wrong"),
    ],
)
def test_what_a_register_does_but_rise_is_named(
    station: Station, rows: list[tuple[float, float, float]], words: str
) -> None:
    measure(station, *rows)
    assert words in sees(make_staff(), PAGE, **DAY)


def test_of_a_register_that_fell_the_energy_is_unknown_and_both_values_are_shown(station: Station) -> None:
    measure(station, (0, 5_000_003, 3), (1, 20, 203))
    page = sees(make_staff(), PAGE, **DAY)
    assert "in not known (the register began again at 0), 0.20 kWh back" in page
    assert "<strong>unknown</strong>" in page
    assert "from 5,000.00 kWh to 0.02 kWh" in page


def test_readings_that_came_late_are_counted_at_their_own_time(station: Station) -> None:
    measure(station, (0, 5_003, 3), (3, 5_303, 3), (1, 5_103, 3), (2, 5_203, 3))
    page = sees(make_staff(), PAGE, **DAY)
    assert "2 readings came after one of a later time." in page
    assert "0.30 kWh in" in page


class TestChoosing:
    def test_without_a_choice_it_is_today_and_the_meter_that_measured(self, station: Station) -> None:
        make_reading(station, evse_number=2, sampled_at=timezone.now(), import_wh=7_000.0)
        page = sees(make_staff(), PAGE)
        assert '<option value="2" selected>Socket B</option>' in page
        assert "7.00 kWh" in page
        assert "Day after" not in page

    def test_a_day_without_readings_says_so(self, station: Station) -> None:
        charging(station, range(5))
        page = sees(make_staff(), PAGE, day="2026-07-03")
        assert "This meter sent no readings on this day" in page
        assert "day=2026-07-02" in page
        assert "day=2026-07-04" in page

    def test_another_meter_is_another_page(self, station: Station) -> None:
        charging(station, range(5))
        assert "no readings on this day" in sees(make_staff(), PAGE, **DAY, evse=2)
        charging(station, range(5), evse=0)
        assert "0.40 kWh in" in sees(make_staff(), PAGE, **DAY, evse=0)

    @pytest.mark.parametrize("day", ["31-02-2026", "gisteren", "2999-01-01", "0001-01-01", "1'--"])
    def test_a_day_that_is_none_is_no_error_page(self, station: Station, day: str) -> None:
        page = sees(make_staff(), PAGE, day=day, evse="x", page="y")
        assert "no readings on this day" in page
        if not day[0].isdigit() or day.startswith("31"):
            assert "Write the day as dd-mm-yyyy" in page

    def test_only_what_stands_out(self, station: Station) -> None:
        charging(station, range(60))
        measure(station, (60, 20, 3), (61, 20, 3), context="Transaction.End")
        page = sees(make_staff(), PAGE, **DAY, only="on")
        assert ">01:00</th>" in page
        assert ">00:15</th>" not in page

    def test_nothing_stands_out(self, station: Station) -> None:
        charging(station, range(60))
        measure(station, (60, 5_005_953, 103), context="Transaction.End")
        assert "Nothing stands out in this day" in sees(make_staff(), PAGE, **DAY, only="on")


def test_the_table_runs_from_the_first_reading_to_the_last(station: Station) -> None:
    charging(station, range(60, 121))
    page = sees(make_staff(), PAGE, **DAY)
    rows = re.findall(r'role="rowheader">([^<]+)<', page)
    assert (rows[0], rows[-1]) == ("01:00", "02:00")


def test_what_is_proven_of_the_registers_stands_beside_them(station: Station) -> None:
    of_set = RequirementSet.objects.create(name="Set", version="1", imported_at=MIDNIGHT)
    requirement = Requirement.objects.create(
        requirement_set=of_set, code="211", title="Registratie V2x", subject="station", obligation="wens"
    )
    ConcessionRequirement.objects.create(concession=station.site.concession, requirement=requirement)
    charging(station, range(60, 121))
    page = sees(make_staff(), PAGE, **DAY)
    assert "211 Registratie V2x" in page
    assert "Not assessed" in page
    assert "Nothing is known of this yet." in page


class TestDaysOfTheClock:
    @pytest.mark.parametrize(("day", "quarters"), [("2026-03-29", 92), ("2026-10-25", 100)])
    def test_a_day_has_as_many_quarters_as_it_has(self, station: Station, day: str, quarters: int) -> None:
        noon = dt.datetime.fromisoformat(f"{day}T12:00+00:00")
        # In the first and the last quarter of either day.
        for hours in (-14, -13, 0, 9.9, 10.9):
            make_reading(station, sampled_at=noon + dt.timedelta(hours=hours), import_wh=5_000.0 + hours)
        page = sees(make_staff(), PAGE, day=day)
        assert f'<span class="laad-small laad-muted">{quarters}</span>' in page

    def test_the_hour_that_comes_twice_is_told_apart(self, station: Station) -> None:
        for hour, minute in ((0, 50), (1, 5)):
            at = dt.datetime(2026, 10, 25, hour, minute, tzinfo=dt.UTC)
            make_reading(station, sampled_at=at, import_wh=5_000.0)
        page = sees(make_staff(), PAGE, day="2026-10-25")
        assert "02:45 CEST" in page
        assert "02:00 CET" in page

    def test_readings_of_the_next_day_are_not_of_this_one(self, station: Station) -> None:
        charging(station, range(1437, 1445))
        assert "0.20 kWh in" in sees(make_staff(), PAGE, **DAY)


class TestCsv:
    def rows(self, user: Any, **query: Any) -> list[str]:
        client = Client()
        client.force_login(user)
        response = client.get("/stations/S-1/registers.csv", {**DAY, **query})
        assert response.status_code == 200
        return response.content.decode().splitlines()

    def test_every_reading_as_it_came_with_what_stands_out(self, station: Station) -> None:
        measure(station, (0, 5_000_003, 3), (1, 20, 3), import_w=6_000)
        head, first, second = self.rows(make_official(), evse=1)
        assert head == "sampled_at,evse,context,import_wh,export_wh,import_w,export_w,stands_out"
        assert first == "2026-07-01T22:00:00+00:00,1,Sample.Periodic,5000003.0,3.0,6000.0,,"
        assert second == "2026-07-01T22:01:00+00:00,1,Sample.Periodic,20.0,3.0,6000.0,,reset"

    def test_a_context_of_the_stations_own_is_no_formula(self, station: Station) -> None:
        measure(station, (0, 5_003, 3), context="=cmd|'/c'!A1")
        assert "'=cmd" in self.rows(make_staff())[1]


def test_an_official_sees_registers_and_no_session(station: Station) -> None:
    charging(station, range(60))
    MeterReading.objects.update(transaction_id="secret-session")
    page = sees(make_official(), PAGE, **DAY)
    assert "5.90 kWh in" in page
    assert "secret-session" not in page
    sees(make_driver(), PAGE, status=404)


def test_the_station_page_leads_here(station: Station) -> None:
    assert f'href="{PAGE}"' in sees(make_official(), "/stations/S-1/")


def test_number_of_queries_does_not_grow_with_the_readings(station: Station) -> None:
    staff = make_staff()
    charging(station, range(2))
    few = queries_of(staff, f"{PAGE}?day=2026-07-02")
    charging(station, range(3, 900))
    many = queries_of(staff, f"{PAGE}?day=2026-07-02")
    assert many == few
    assert many <= MOST_QUERIES


def test_the_drawing_of_a_long_day_stays_small(station: Station) -> None:
    measure(station, *[(n / 6, 5_000_003 + 25 * n, 3 + 10 * (n % 2)) for n in range(2_000)], import_w=9_000)
    now = MIDNIGHT + dt.timedelta(days=2)
    end = MIDNIGHT + dt.timedelta(days=1)
    day = RegisterDay(register_series(station, evse=1, start=MIDNIGHT, end=end, now=now), now)
    wide, narrow = day.drawings
    assert sum(len(mark.d) for mark in wide.marks if isinstance(mark, Path)) < 40_000
    assert narrow.width < 400
    assert wide.title.startswith("Power and both registers. On 2 July")


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        ([], 0, 0.1),
        ([12_345.6], 12_345.6, 12_345.7),
        ([12_345.2, 12_360.9], 12_340, 12_370),
        ([0, 9_906], 0, 10_000),
    ],
)
def test_a_scale_holds_its_values_wherever_they_lie(values: list[float], low: float, high: float) -> None:
    axis = register_axis(values, top=0, bottom=70)
    assert axis.low == pytest.approx(low)
    assert axis.high == pytest.approx(high)
    assert len(axis.ticks()) <= 4
