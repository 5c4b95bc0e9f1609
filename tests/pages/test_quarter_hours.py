"""Charts of long windows come from quarter-hours: the page says so, and its table and CSV are of the same source."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from portal.accounts.models import User
from portal.pages.charts import day_of
from portal.pages.driver.told import driver_session
from portal.pages.register_quarters import QuarterDay, quarters_of
from stations.models import ChargingSession, MeterReading, QuarterHour, Station
from stations.rollups import roll_up_again
from tests.factories import make_driver, make_official, make_session, make_staff, make_station, make_token
from tests.pages.visiting import sees

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

PAGE = "/stations/S-1/registers/"
START = dt.datetime(2025, 7, 1, 8, 0, tzinfo=dt.UTC)
QUARTER, MINUTE = dt.timedelta(minutes=15), dt.timedelta(minutes=1)


@pytest.fixture
def station() -> Station:
    return make_station("S-1")


def metered(station: Station, start: dt.datetime, end: dt.datetime, *, evse: int = 1, **more: Any) -> None:
    """Each five minutes, 100 Wh further, and 1,200 W; `more` for what is otherwise."""
    count = int((end - start) / (5 * MINUTE)) + 1
    MeterReading.objects.bulk_create(
        MeterReading(
            station=station,
            evse_number=evse,
            sampled_at=start + number * 5 * MINUTE,
            received_at=start,
            **{
                "context": "Sample.Periodic",
                "import_wh": 5_000_000.0 + 100 * number,
                "export_wh": 40.0,
                "import_w": 1_200.0,
                **more,
            },
        )
        for number in range(count)
    )


def rolled_up(station: Station) -> None:
    times = MeterReading.objects.filter(station=station).values_list("sampled_at", flat=True)
    roll_up_again(station, start=min(times) - QUARTER, end=max(times) + QUARTER)


def csv(user: Any, path: str, **query: Any) -> list[str]:
    client = Client()
    client.force_login(user)
    response = client.get(path, query)
    assert response.status_code == 200
    return response.content.decode().splitlines()


class TestRegisters:
    DAY: dict[str, Any] = {"day": "2025-07-01", "evse": 1}

    def test_a_day_that_is_over_comes_from_its_quarter_hours(self, station: Station) -> None:
        metered(station, START, START + 4 * QUARTER)
        rolled_up(station)
        page = sees(make_staff(), PAGE, **self.DAY)
        assert "Drawn from quarter-hours." in page
        assert "On 1 July: 1.20 kWh in; 0.00 kWh back; 5 quarter-hours with readings." in page
        assert '<span class="laad-small laad-muted">5</span>' in page  # rows of the table
        assert page.count(">0.30 kWh</td>") == 4

    def test_the_readings_are_a_step_away(self, station: Station) -> None:
        metered(station, START, START + 4 * QUARTER)
        rolled_up(station)
        page = sees(make_staff(), PAGE, **self.DAY)
        assert "view=readings" in page
        assert "Drawn from every reading of this day." in sees(
            make_staff(), PAGE, **self.DAY, view="readings"
        )

    def test_without_quarter_hours_the_readings_are_shown(self, station: Station) -> None:
        metered(station, START, START + 4 * QUARTER)
        assert "Drawn from every reading of this day." in sees(make_staff(), PAGE, **self.DAY)
        asked_for = sees(make_staff(), PAGE, **self.DAY, view="quarters")
        assert "This meter has no quarter-hours on this day" in asked_for

    def test_readings_that_are_no_longer_kept_leave_their_quarter_hours(self, station: Station) -> None:
        metered(station, START, START + 4 * QUARTER, evse=2)
        rolled_up(station)
        MeterReading.objects.all().delete()
        page = sees(make_official(), PAGE, day="2025-07-01")  # the meter is found as well
        assert "1.20 kWh in" in page

    def test_today_is_shown_reading_by_reading(self, station: Station) -> None:
        now = timezone.now()
        metered(station, now, now)
        rolled_up(station)
        assert "Drawn from every reading of this day." in sees(make_staff(), PAGE, evse=1)

    def test_the_csv_has_what_the_page_has(self, station: Station) -> None:
        metered(station, START, START + 4 * QUARTER)
        rolled_up(station)
        head, first, *rest = csv(make_staff(), "/stations/S-1/registers.csv", **self.DAY)
        assert head.startswith("starts_at,evse,import_wh,export_wh,import_fall")
        assert first.startswith("2025-07-01T08:00:00+00:00,1,300.0,0.0,,,1200.0,1200.0")
        assert len(rest) == 4
        readings = csv(make_staff(), "/stations/S-1/registers.csv", **self.DAY, view="readings")
        assert len(readings) == 1 + 13

    def test_a_register_that_fell_is_named_and_counts_as_unknown(self, station: Station) -> None:
        metered(station, START, START + QUARTER)
        metered(station, START + QUARTER + 5 * MINUTE, START + 2 * QUARTER, import_wh=20.0)
        rolled_up(station)
        page = sees(make_staff(), PAGE, **self.DAY)
        assert "Import (1.8.0) began again at 0" in page
        assert "quarter-hour that is not known" in page or "quarter-hours that are not known" in page

    @pytest.mark.parametrize(
        ("day", "quarters"), [("2025-03-30", 92), ("2025-07-01", 96), ("2025-10-26", 100)]
    )
    def test_a_day_of_the_clock_has_all_its_quarters_and_no_other(
        self, station: Station, day: str, quarters: int
    ) -> None:
        noon = dt.datetime.fromisoformat(f"{day}T12:00+00:00")
        start, end = day_of(noon)
        metered(station, start - QUARTER, end + QUARTER)
        rolled_up(station)
        shown = QuarterDay(quarters_of(station, evse=1, start=start, end=end), start, end)
        assert len(shown.grid) == len(shown.rows) == len(shown.lines) == quarters
        assert shown.totals[0].wh == quarters * 300
        assert (
            len({line.label for line in shown.lines}) == quarters
        )  # the hour that comes twice is told apart
        assert len(csv(make_staff(), "/stations/S-1/registers.csv", day=day, evse=1)) == 1 + quarters


LONG = dt.timedelta(hours=5)
BEGAN = START + 7 * MINUTE


@pytest.fixture
def driver() -> User:
    return make_driver()


class TestSession:
    def ended(self, station: Station, driver: User, length: dt.timedelta) -> ChargingSession:
        """One that began at seven past and was measured throughout."""
        metered(station, BEGAN, BEGAN + length)
        rolled_up(station)
        return make_session(
            station,
            token=make_token(user=driver),
            state="ended",
            started_at=BEGAN,
            ended_at=BEGAN + length,
            end_import_wh=9_000.0,
        )

    def test_a_long_one_is_drawn_from_quarter_hours_and_exact_at_both_ends(
        self, station: Station, driver: User
    ) -> None:
        before, after = BEGAN - 2 * MINUTE, BEGAN + LONG + MINUTE
        metered(
            station, before, before, import_w=99_000.0
        )  # of who charged there before, in the same quarter
        metered(station, after, after, import_w=98_000.0)
        power = driver_session(self.ended(station, driver, LONG), now=timezone.now()).power
        assert power.in_quarters
        assert {sample.import_w for sample in power.samples} == {1_200.0}
        assert power.highest is not None
        assert power.highest.power_w == 1_200.0
        # 08:15 to 13:00 in quarters; 08:07 and 08:12, 13:02 and 13:07 as they were read.
        assert len(power.samples) == 19 + 2 + 2

    def test_page_and_csv_say_the_same(self, station: Station, driver: User) -> None:
        path = f"/mijn/sessies/{self.ended(station, driver, LONG).pk}/"
        page = sees(driver, path)
        assert "Drawn from quarter-hours." in page
        assert "1.2 kW, in the quarter of an hour from" in page
        assert len(csv(driver, f"{path}vermogen.csv")) == 1 + 23

    def test_a_short_one_is_drawn_from_every_reading(self, station: Station, driver: User) -> None:
        session = self.ended(station, driver, dt.timedelta(hours=2))
        assert "Drawn from every reading." in sees(driver, f"/mijn/sessies/{session.pk}/")

    def test_as_long_as_its_last_quarters_are_to_be_made_the_readings_are_drawn(
        self, station: Station, driver: User
    ) -> None:
        session = self.ended(station, driver, LONG)
        QuarterHour.objects.filter(starts_at__gte=BEGAN + LONG - dt.timedelta(hours=1)).delete()
        power = driver_session(session, now=timezone.now()).power
        assert not power.in_quarters
        assert len(power.samples) == 61
