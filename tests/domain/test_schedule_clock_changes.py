"""Schedules on the days on which the clock is changed: 29 March 2026 has 23 hours, 25 October 2026 has 25.

In the Netherlands 02:00 became 03:00 (01:00 UTC) in March, and 03:00 becomes 02:00 again (01:00 UTC) in October.
Answers are read as moments in UTC, written as day and hour: "29 01:30" is 29 March 01:30 UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from smartcharging.domain.profiles import Installed, LocalLimit
from tests.domain.charging import TX_DEFAULT, composite, daily, profile, weekly

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
UNKNOWN = LocalLimit()
MARCH, OCTOBER = datetime(2026, 3, 28, tzinfo=AMSTERDAM), datetime(2026, 10, 24, tzinfo=AMSTERDAM)


def shown(text: str) -> datetime:
    """What a clock shows, labelled UTC: a startSchedule with useLocalTime."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(text: str, *, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM, fold=fold)


def said(
    item: Installed, *, since: datetime, hours: float = 60, **question: Any
) -> list[tuple[str, float | None]]:
    """The composite as ("day hour" in UTC, limit), of a window that begins at `since`."""
    answer = composite(item, now=since, duration_s=int(hours * 3600), defaults=UNKNOWN, **question)
    return [
        ((answer.start + timedelta(seconds=period.start_s)).strftime("%d %H:%M"), period.limit)
        for period in answer.periods
    ]


# ------------------------------------------------------------------------------------------ Recurring, 24 hours


@pytest.mark.parametrize(
    ("since", "at_six", "runs"),
    [
        (MARCH, "2026-03-27T18:00", ["28 17:00", "29 17:00"]),  # shown as 18:00, then as 19:00
        (OCTOBER, "2026-10-23T18:00", ["24 16:00", "25 16:00"]),  # 18:00, then 17:00
    ],
)
def test_a_daily_schedule_recurs_after_24_hours_whatever_the_clock_shows(
    since: datetime, at_six: str, runs: list[str]
) -> None:
    """D10, 1.6 7.37."""
    item = daily(TX_DEFAULT, (0, 6), duration_s=3600, start=local(at_six))
    assert [moment for moment, limit in said(item, since=since, hours=47) if limit] == runs


@pytest.mark.parametrize(
    ("since", "at_six", "runs"),
    [
        (MARCH, "2026-03-27T18:00", ["28 17:00", "29 16:00"]),
        (OCTOBER, "2026-10-23T18:00", ["24 16:00", "25 17:00"]),
    ],
)
def test_with_uselocaltime_or_by_policy_it_recurs_when_the_clock_shows_the_same(
    since: datetime, at_six: str, runs: list[str]
) -> None:
    """2.1 useLocalTime; for 1.6 and 2.0.1 the policy of D10."""
    by_policy = daily(TX_DEFAULT, (0, 6), duration_s=3600, start=local(at_six))
    by_profile = daily(TX_DEFAULT, (0, 6), duration_s=3600, start=shown(at_six), use_local_time=True)
    for answer in (
        said(by_policy, since=since, hours=47, timezone=AMSTERDAM),
        said(by_profile, since=since, hours=47),
    ):
        assert [moment for moment, limit in answer if limit] == runs


def test_a_weekly_schedule_by_local_time_passes_the_change_too() -> None:
    item = weekly(TX_DEFAULT, (0, 6), duration_s=3600, start=shown("2026-03-24T12:00"), use_local_time=True)
    assert [moment for moment, limit in said(item, since=MARCH, hours=24 * 12) if limit] == [
        "31 10:00",
        "07 10:00",
    ]


def test_a_day_is_filled_to_its_end_and_cut_there() -> None:
    """Periods count seconds that pass: the last one is an hour shorter in March, an hour longer in October."""
    periods = ((0, 6), (12 * 3600, 10), (23 * 3600, 16))
    march = daily(TX_DEFAULT, *periods, start=shown("2026-03-01T00:00"), use_local_time=True)
    assert said(march, since=MARCH) == [
        ("27 23:00", 6.0), ("28 11:00", 10.0), ("28 22:00", 16.0),
        ("28 23:00", 6.0), ("29 11:00", 10.0),  # 23 hours: never 16
        ("29 22:00", 6.0), ("30 10:00", 10.0),
    ]  # fmt: skip
    october = daily(TX_DEFAULT, *periods, start=shown("2026-10-01T00:00"), use_local_time=True)
    assert said(october, since=OCTOBER) == [
        ("23 22:00", 6.0), ("24 10:00", 10.0), ("24 21:00", 16.0),
        ("24 22:00", 6.0), ("25 10:00", 10.0), ("25 21:00", 16.0),  # for two hours
        ("25 23:00", 6.0),
    ]  # fmt: skip


def test_the_zone_is_the_stations() -> None:
    item = daily(TX_DEFAULT, (0, 6), duration_s=3600, start=shown("2026-03-01T18:00"), use_local_time=True)
    runs = [
        moment for moment, limit in said(item, since=MARCH, hours=47, local_time=ZoneInfo("UTC")) if limit
    ]
    assert runs == ["28 18:00", "29 18:00"]


# ------------------------------------------------------------------------------------------ the odd hours


def test_a_run_that_begins_in_the_hour_that_is_skipped_begins_an_hour_later_that_day_only() -> None:
    """02:30 does not exist on 29 March: it is 01:30 UTC, which the clock shows as 03:30."""
    item = daily(TX_DEFAULT, (0, 6), duration_s=600, start=shown("2026-03-01T02:30"), use_local_time=True)
    runs = [moment for moment, limit in said(item, since=MARCH) if limit]
    assert runs == ["28 01:30", "29 01:30", "30 00:30"]


def test_a_start_that_no_clock_ever_shows_is_no_anchor_for_the_days_after() -> None:
    item = daily(TX_DEFAULT, (0, 6), duration_s=600, start=shown("2026-03-29T02:30"), use_local_time=True)
    assert [moment for moment, limit in said(item, since=MARCH) if limit] == ["29 01:30", "30 00:30"]


def test_a_run_that_begins_in_the_hour_that_comes_twice_begins_once_the_first_time() -> None:
    item = daily(TX_DEFAULT, (0, 6), duration_s=600, start=shown("2026-10-01T02:30"), use_local_time=True)
    assert [moment for moment, limit in said(item, since=OCTOBER) if limit] == [
        "24 00:30",
        "25 00:30",
        "26 01:30",
    ]


def test_a_start_in_the_second_of_two_hours_is_where_it_was_said_to_be() -> None:
    """By policy the start has an offset, so it is one of the two; the days after show 02:30 once."""
    second = local("2026-10-25T02:30", fold=1)
    item = daily(TX_DEFAULT, (0, 6), duration_s=600, start=second)
    answer = said(item, since=OCTOBER, timezone=AMSTERDAM)
    assert [moment for moment, limit in answer if limit] == ["25 01:30", "26 01:30"]


def test_periods_in_the_odd_hours_count_seconds_that_pass() -> None:
    """A night from 22:00 with a change after 4.5 hours, in the middle of what is skipped or repeated."""
    night = {"use_local_time": True, "duration_s": 8 * 3600}
    march = daily(TX_DEFAULT, (0, 6), (4 * 3600 + 1800, 10), start=shown("2026-03-01T22:00"), **night)
    assert said(march, since=MARCH + timedelta(hours=22), hours=10) == [
        ("28 21:00", 6.0), ("29 01:30", 10.0), ("29 05:00", None),
    ]  # fmt: skip
    october = daily(TX_DEFAULT, (0, 6), (4 * 3600 + 1800, 10), start=shown("2026-10-01T22:00"), **night)
    assert said(october, since=OCTOBER + timedelta(hours=22), hours=10) == [
        ("24 20:00", 6.0), ("25 00:30", 10.0), ("25 04:00", None),
    ]  # fmt: skip


# ------------------------------------------------------------------------------------------ Absolute


@pytest.mark.parametrize(
    ("start", "begins"),
    [
        ("2026-03-29T01:59", "29 00:59"),
        ("2026-03-29T02:30", "29 01:30"),
        ("2026-03-29T03:00", "29 01:00"),
        ("2026-03-29T12:00", "29 10:00"),
        ("2026-10-25T01:59", "24 23:59"),
        ("2026-10-25T02:30", "25 00:30"),
        ("2026-10-25T03:00", "25 02:00"),
        ("2026-10-25T12:00", "25 11:00"),
    ],
)
def test_an_absolute_schedule_by_local_time_begins_when_the_clock_shows_it(start: str, begins: str) -> None:
    """2.1 useLocalTime."""
    item = profile(TX_DEFAULT, (0, 6), start=shown(start), use_local_time=True)
    since = MARCH if "-03-" in start else OCTOBER
    assert said(item, since=since)[1] == (begins, 6.0)


def test_an_absolute_schedule_across_the_change_counts_seconds_that_pass() -> None:
    """With an offset nothing is left to the clock: the same in both ways of Recurring."""
    item = profile(TX_DEFAULT, (0, 6), (3 * 3600, 10), start=local("2026-03-29T00:00"), duration_s=23 * 3600)
    for zone in (None, AMSTERDAM):
        answer = said(item, since=MARCH, timezone=zone)
        assert answer[1:] == [("28 23:00", 6.0), ("29 02:00", 10.0), ("29 22:00", None)]


def test_the_end_of_validity_is_a_moment_and_not_a_clock() -> None:
    """useLocalTime concerns what is in the schedule; validFrom and validTo are the profile's."""
    item = daily(
        TX_DEFAULT,
        (0, 6),
        start=shown("2026-03-01T00:00"),
        use_local_time=True,
        valid_to=local("2026-03-29T03:00"),
    )
    assert said(item, since=MARCH) == [("27 23:00", 6.0), ("29 01:00", None)]


@pytest.mark.parametrize("minute", range(0, 26 * 60, 30))
@pytest.mark.parametrize("midnight", [MARCH + timedelta(days=1), OCTOBER + timedelta(days=1)])
def test_asked_at_any_half_hour_of_such_a_day_the_answer_is_the_same_one(
    midnight: datetime, minute: int
) -> None:
    """Whatever the window, the run that counts is found: by the clock, and before its first start never."""
    start = midnight.date() - timedelta(days=2)
    item = daily(
        TX_DEFAULT, (0, 6), (3600, 9), start=datetime(start.year, start.month, start.day, 2, 30, tzinfo=UTC),
        use_local_time=True,
    )  # fmt: skip
    now = midnight.astimezone(UTC) + timedelta(minutes=minute)
    runs = [local(f"{start + timedelta(days=day)}T02:30").astimezone(UTC) for day in range(5)]
    since_run = min(now - run for run in runs if run <= now)
    assert said(item, since=now, hours=0)[0][1] == (6.0 if since_run < timedelta(hours=1) else 9.0)
