"""The numbers of the charts: who gets them, holes as null, hours as the clock has them, parts told more finely."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from portal.pages.metering import Sample
from portal.pages.power_series import offsets, phases_of, series, window
from stations.models import ChargingSession, MeterReading, Station
from stations.rollups import roll_up_again
from tests.factories import (
    make_driver,
    make_operator,
    make_reading,
    make_session,
    make_staff,
    make_station,
    make_token,
)
from tests.pages.visiting import HOUR, MOST_QUERIES, queries_of, sees, want

MINUTE = dt.timedelta(minutes=1)
NOON = dt.datetime(2026, 7, 1, 12, 0, tzinfo=dt.UTC)


def numbers(user: Any, path: str, **query: Any) -> dict[str, Any]:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user)
    answer = client.get(path, query)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "no-store"
    told: dict[str, Any] = json.loads(answer.content)
    return told


def told(
    *samples: tuple[int, float],
    start: dt.datetime = NOON,
    hours: int = 24,
    first: dt.datetime | None = None,
    last: dt.datetime | None = None,
) -> dict[str, Any]:
    """The series of one socket with these powers in W, each so many minutes after `start`."""
    end = start + hours * HOUR
    asked = window(start, end, first=_text(first), last=_text(last))
    own = [Sample(1, start + minute * MINUTE, watts, 0.0) for minute, watts in samples]
    return series(asked, own, phases=None, limits=[], connection_w=None, measured_until=end, now=end)


def _text(at: dt.datetime | None) -> str:
    return str(int(at.timestamp())) if at else ""


class TestGrid:
    def test_a_value_stands_at_its_moment_in_kw(self) -> None:
        found = told((0, 4000), (1, 5500))
        assert found["step_s"] == 60
        assert found["from"] == found["start"] == NOON.timestamp()
        assert found["import_kw"][:3] == [4.0, 5.5, 5.5]
        assert len(found["import_kw"]) == 24 * 60
        assert found["export_kw"] is None

    def test_silence_is_null_and_never_zero(self) -> None:
        row = told((0, 4000), (300, 0))["import_kw"]
        assert row[15] == 4.0
        assert row[16:300] == [None] * 284
        assert row[300] == 0.0

    def test_a_part_is_told_more_finely_and_keeps_what_held_before_it(self) -> None:
        part = told((0, 4000), (20, 6000), first=NOON + 10 * MINUTE, last=NOON + 34 * MINUTE)
        assert part["step_s"] == 1
        assert part["from"] == (NOON + 10 * MINUTE).timestamp()
        assert part["import_kw"][0] == 4.0
        assert part["import_kw"][329:332] == [4.0, 4.0, None]  # a sample holds for 15 min and a half
        assert part["import_kw"][600] == 6.0

    @pytest.mark.parametrize(
        ("first", "last"),
        [("x", "y"), ("-5", "1e9"), ("9" * 40, ""), ("99999999999", "0"), ("", "0"), ("٣", "²")],
    )
    def test_what_is_no_moment_within_the_chart_asks_for_all_of_it(self, first: str, last: str) -> None:
        asked = window(NOON, NOON + HOUR, first=first, last=last)
        assert (asked.first, asked.last) == (NOON, NOON + HOUR)

    @pytest.mark.parametrize("hours", [1, 23, 24, 25, 24 * 7, 24 * 90])
    def test_there_are_never_more_points_than_a_screen_has(self, hours: int) -> None:
        assert len(told((0, 1.0), hours=hours)["import_kw"]) <= 1440


class TestClock:
    @pytest.mark.parametrize(
        ("day", "hours", "expected"),
        [
            ("2026-03-28T23:00", 23, [(0, 3600, "CET"), (2, 7200, "CEST")]),
            ("2026-06-30T22:00", 24, [(0, 7200, "CEST")]),
            ("2026-10-24T22:00", 25, [(0, 7200, "CEST"), (3, 3600, "CET")]),
        ],
    )
    def test_the_day_on_which_the_clock_is_set(
        self, day: str, hours: int, expected: list[tuple[int, int, str]]
    ) -> None:
        start = dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC)
        found = list(offsets(start, start + hours * HOUR))
        assert found == [
            [int((start + hour * HOUR).timestamp()), ahead, name] for hour, ahead, name in expected
        ]

    def test_a_session_that_begins_within_the_hour_has_its_own_begin(self) -> None:
        start = dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC)
        assert list(offsets(start, start + 2 * HOUR)) == [
            [int(start.timestamp()), 7200, "CEST"],
            [int((start + 30 * MINUTE).timestamp()), 3600, "CET"],
        ]


@pytest.mark.django_db
class TestStation:
    @pytest.fixture
    def station(self) -> Station:
        return make_station("S-1", connection_a=25, connection_phases=3)

    def test_today_with_limits_and_who_decides_them(self, station: Station) -> None:
        now = timezone.now()
        want(station, "Evening", start_schedule=now - 5 * MINUTE, requested_at=now - 5 * MINUTE)
        make_reading(station, sampled_at=now - MINUTE, import_w=4000.0)
        found = numbers(make_staff(), "/stations/S-1/vermogen.json")
        assert found["connection_kw"] == 17.25
        assert found["start"] < found["now"] < found["end"]
        assert 4.0 in found["import_kw"]
        assert found["import_kw"][-1] is None
        held = next(item for item in found["limits"] if item["from"] <= found["now"] < item["until"])
        assert (held["by"], held["decides"], held["limit_a"], held["limit_kw"]) == (
            "Evening",
            True,
            12.0,
            8.28,
        )
        whole = [(item["from"], item["until"]) for item in found["limits"]]
        assert whole[0][0] == found["start"]
        assert whole[-1][1] == found["end"]

    def test_without_a_profile_the_hardware_limits(self, station: Station) -> None:
        (only,) = numbers(make_staff(), "/stations/S-1/vermogen.json")["limits"]
        assert (only["by"], only["decides"]) == ("the connection and the sockets", False)

    def test_phases_by_the_voltage_that_was_measured_or_else_by_230_v(self, station: Station) -> None:
        at = timezone.now() - MINUTE
        three: dict[str, Any] = {f"import_l{phase}_a": 10.0 for phase in (1, 2, 3)}
        make_reading(station, sampled_at=at, import_w=6900.0, **three)
        found = numbers(make_staff(), "/stations/S-1/vermogen.json")
        assert found["phases_by"] == "nominal"
        assert [max(value or 0 for value in row) for row in found["phases_kw"]] == [2.3, 2.3, 2.3]
        MeterReading.objects.update(import_l2_a=None, voltage_l1_v=240.0, voltage_l3_v=220.0)
        found = numbers(make_staff(), "/stations/S-1/vermogen.json")
        assert found["phases_by"] == "measured"
        assert [
            max((value for value in row if value is not None), default=None) for row in found["phases_kw"]
        ] == [
            2.4,
            None,
            2.2,
        ]

    def test_without_currents_no_phase_is_known(self, station: Station) -> None:
        make_reading(station, sampled_at=timezone.now(), import_w=6900.0)
        assert phases_of(MeterReading.objects.all()) is None

    def test_what_a_profile_is_called_stays_text(self, station: Station) -> None:
        now = timezone.now()
        want(station, "</script><b>", start_schedule=now - MINUTE, requested_at=now - MINUTE)
        names = {item["by"] for item in numbers(make_staff(), "/stations/S-1/vermogen.json")["limits"]}
        assert "</script><b>" in names  # chart.js sets it as text

    def test_the_page_names_the_address_and_keeps_its_own_drawing(self, station: Station) -> None:
        page = sees(make_staff(), "/stations/S-1/")
        assert 'data-chart="/stations/S-1/vermogen.json"' in page
        assert 'class="laad-chart laad-chart--wide"' in page
        assert "uPlot.iife.min.js" in page
        assert "uPlot" not in sees(make_staff(), "/stations/S-1/registers/")

    def test_it_asks_little_of_the_database(self, station: Station) -> None:
        assert queries_of(make_staff(), "/stations/S-1/vermogen.json") <= MOST_QUERIES


@pytest.mark.django_db
class TestSession:
    @pytest.fixture
    def session(self) -> ChargingSession:
        """Half an hour, over since one hour, with a reading each minute but for ten of them."""
        start = (timezone.now() - 90 * MINUTE).replace(second=0, microsecond=0)
        station = make_station("S-1")
        session = make_session(
            station,
            token=make_token(user=make_driver(email="d@example.test")),
            state="ended",
            started_at=start,
            received_at=start,
            ended_at=start + 30 * MINUTE,
            end_import_wh=3_000.0,
        )
        for minute in (*range(5), *range(25, 30)):
            make_reading(
                station,
                sampled_at=start + minute * MINUTE,
                import_w=7000.0,
                transaction_id=session.transaction_id,
            )
        return session

    def test_driver_and_operator_get_the_same(self, session: ChargingSession) -> None:
        assert session.token is not None
        mine = numbers(session.token.user, f"/mijn/sessies/{session.pk}/vermogen.json")
        theirs = numbers(make_staff(), f"/stations/S-1/sessies/{session.pk}/vermogen.json")
        assert mine == theirs
        assert mine["connection_kw"] is None
        assert mine["now"] is None
        assert mine["end"] - mine["start"] == 30 * 60
        row = mine["import_kw"]
        per_minute = len(row) // 30
        assert row[0] == row[-1] == 7.0
        assert row[22 * per_minute] is None

    def test_a_long_session_is_told_in_quarters_and_a_part_of_it_from_every_reading(self) -> None:
        start = dt.datetime(2025, 7, 1, 8, 0, tzinfo=dt.UTC)
        station = make_station("S-1")
        session = make_session(
            station, state="ended", started_at=start, received_at=start, ended_at=start + 6 * HOUR
        )
        for number in range(73):
            sampled_at = start + number * 5 * MINUTE
            make_reading(
                station, sampled_at=sampled_at, import_w=7000.0, import_l1_a=10.0, import_wh=9.0 * number
            )
        roll_up_again(station, start=start, end=start + 6 * HOUR)
        path = f"/stations/S-1/sessies/{session.pk}/vermogen.json"
        whole = numbers(make_staff(), path)
        first = int((start + HOUR).timestamp())
        part = numbers(make_staff(), path, **{"from": first, "until": first + 600})
        assert (whole["in_quarters"], whole["phases_kw"]) == (True, None)
        assert (part["in_quarters"], part["step_s"], part["import_kw"][0]) == (False, 1, 7.0)
        assert part["phases_kw"][0][0] == 2.3

    def test_of_another_station_it_is_not_found(self, session: ChargingSession) -> None:
        make_station("S-2")
        client = Client()
        client.force_login(make_staff())
        for name in ("", "vermogen.csv", "vermogen.json"):
            assert client.get(f"/stations/S-2/sessies/{session.pk}/{name}").status_code == 404
        client.force_login(make_staff(operator=make_operator("beta")))
        assert client.get(f"/stations/S-1/sessies/{session.pk}/").status_code == 404

    def test_page_of_the_operator_says_what_it_took(self, session: ChargingSession) -> None:
        page = sees(make_staff(), f"/stations/S-1/sessies/{session.pk}/")
        assert "Highest power: 7.0 kW" in page
        assert "Cost not known" in page
        assert f'data-chart="/stations/S-1/sessies/{session.pk}/vermogen.json"' in page
        assert "d@example.test" not in page  # whose it was is nobody's business here
        assert f'href="/stations/S-1/sessies/{session.pk}/"' in sees(make_staff(), "/stations/S-1/sessies/")

    def test_neither_the_page_nor_its_numbers_ask_much(self, session: ChargingSession) -> None:
        for name in ("", "vermogen.json"):
            assert queries_of(make_staff(), f"/stations/S-1/sessies/{session.pk}/{name}") <= MOST_QUERIES
