"""Figures about enough people: what is kept back, what is counted, and that nothing can be worked out from the rest."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from portal.accounts.erasing import ERASED
from portal.compliance import tasks
from portal.compliance.usage import Used, area_of, is_enough, shown, tallies
from portal.compliance.usage_counting import bounds, count_month, months_to_count
from portal.compliance.usage_model import UsageMonth
from stations.models import Municipality, Station
from tests.factories import make_municipality, make_session, make_site, make_station
from tests.pages.visiting import want

OCTOBER = dt.date(2026, 10, 1)
IN_OCTOBER = dt.datetime(2026, 10, 14, 10, 0, tzinfo=dt.UTC)
AFTER = dt.datetime(2026, 11, 5, 12, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


# ---------------------------------------------------------------- where
@pytest.mark.parametrize(
    ("address", "area"),
    [
        ("Museumplein 12, 3511 AB Utrecht", "3511 Utrecht"),
        ("Museumplein 12, 3511AB, Utrecht", "3511 Utrecht"),
        ("Museumplein 12, 3511 AB", "3511"),
        ("Museumplein 12, Utrecht", "Utrecht"),
        ("Museumplein 12, bij 14", ""),
        ("Museumplein 12", ""),
        ("", ""),
    ],
)
def test_an_area_is_a_neighbourhood_and_never_a_few_houses(address: str, area: str) -> None:
    assert area_of(address) == area


# ---------------------------------------------------------------- what may be told
@dataclass(frozen=True)
class Some:
    drivers: int
    sessions: int


def some(*drivers: int) -> list[Some]:
    return [Some(number, number * 2) for number in drivers]


def test_an_area_with_too_few_takes_another_along() -> None:
    whole, areas = Some(60, 120), some(30, 4, 12, 20)
    is_shown, each = shown(whole, areas, 10)
    assert is_shown
    assert each == [True, False, False, True], (
        "without the second the first would be the whole less the others"
    )


def test_with_enough_everywhere_all_is_told() -> None:
    assert shown(Some(45, 90), some(10, 15, 20), 10) == (True, [True, True, True])


def test_too_few_everywhere_leaves_the_whole() -> None:
    assert shown(Some(12, 24), some(4, 4, 4), 10) == (True, [False, False, False])
    assert shown(Some(9, 90), some(4, 5), 10) == (False, [False, False])


def test_few_sessions_of_many_and_many_of_few_are_both_too_few() -> None:
    assert not is_enough(Some(drivers=3, sessions=200), 10)
    assert is_enough(Some(drivers=10, sessions=10), 10)


AREAS = st.lists(st.sets(st.integers(0, 60), min_size=1, max_size=40), min_size=1, max_size=8)


@given(AREAS, st.integers(2, 15))
def test_what_is_left_when_the_rest_is_taken_away_is_about_enough_people(
    people: list[set[int]], least: int
) -> None:
    """Drivers may charge in several areas; each charges once in each."""
    areas = [Some(len(drivers), len(drivers)) for drivers in people]
    everybody = set().union(*people)
    whole = Some(len(everybody), sum(area.sessions for area in areas))
    is_shown, each = shown(whole, areas, least)
    for area, is_told in zip(areas, each, strict=True):
        assert not is_told or is_enough(area, least)
    kept_back = [drivers for drivers, is_told in zip(people, each, strict=True) if not is_told]
    if is_shown and kept_back:
        left = Some(len(set().union(*kept_back)), sum(map(len, kept_back)))
        assert is_enough(left, least)
        assert len(kept_back) > 1, "of one area alone the rest would tell exactly"


def test_sessions_without_a_card_are_one_drivers() -> None:
    used = [Used("A", "", 1000.0, IN_OCTOBER, IN_OCTOBER + HOUR, None) for _ in range(20)]
    whole, _areas = tallies(used)
    assert (whole.drivers, whole.sessions, whole.metered, whole.hours) == (1, 20, 20, 20.0)


# ---------------------------------------------------------------- counting
numbers = count(1)


@pytest.fixture
def municipality(db: None) -> Municipality:
    return make_municipality()


def station_at(address: str) -> Station:
    return make_station(site=make_site(name=address, address=address))


def charged(station: Station, *, at: dt.datetime = IN_OCTOBER, **fields: Any) -> None:
    said = {
        "started_at": at,
        "ended_at": at + 2 * HOUR,
        "state": "ended",
        "end_import_wh": 9_000.0,
        "token_digest": f"{next(numbers):064x}",
    }
    make_session(station, **{**said, **fields})


def row(area: str | None = None) -> UsageMonth:
    return UsageMonth.objects.get(area=area or "", is_whole=area is None)


def test_a_month_is_counted_by_area_and_as_a_whole(municipality: Municipality) -> None:
    dam, kade = station_at("Dam 1, 3511 AB Utrecht"), station_at("Kade 1, 3512 AB Utrecht")
    charged(dam)
    charged(dam, end_import_wh=None)
    charged(kade, ended_at=None, end_import_wh=None, state="active")
    assert count_month(municipality, OCTOBER, now=AFTER) == 3
    whole, area = row(), row("3511 Utrecht")
    assert (whole.sessions, whole.drivers, whole.metered) == (3, 3, 1)
    assert (area.sessions, area.energy_wh, area.hours) == (2, 8_000.0, 2.0)
    assert row("3512 Utrecht").metered == 0
    assert count_month(municipality, OCTOBER, now=AFTER) == 3, "counted anew, and not twice"
    assert UsageMonth.objects.count() == 3


def test_sessions_of_who_was_erased_are_one_drivers(municipality: Municipality) -> None:
    station = station_at("Dam 1, 3511 AB Utrecht")
    for number in range(12):
        charged(station, token_digest=f"{ERASED}{number}")
    charged(station)
    count_month(municipality, OCTOBER, now=AFTER)
    assert (row().sessions, row().drivers) == (13, 2)


def test_a_month_is_that_of_amsterdam(municipality: Municipality) -> None:
    start, end = bounds(OCTOBER)
    assert (end - start) == dt.timedelta(days=31, hours=1), "the clock is set back in October"
    station = station_at("Dam 1, 3511 AB Utrecht")
    charged(station, at=start)
    charged(station, at=start - dt.timedelta(seconds=1))
    charged(station, at=end)
    assert count_month(municipality, OCTOBER, now=AFTER) == 1


def test_a_session_is_limited_where_a_profile_decided(municipality: Municipality) -> None:
    limited, free = station_at("Dam 1, 3511 AB Utrecht"), station_at("Kade 1, 3511 AB Utrecht")
    profile = want(limited, limit=8.0, start_schedule=IN_OCTOBER - HOUR, duration_s=4 * 3600)
    for delivery in profile.deliveries.all():
        type(delivery.command).objects.update(answered_at=IN_OCTOBER - HOUR)
    type(profile).objects.update(requested_at=IN_OCTOBER - HOUR)
    charged(limited)
    charged(limited, at=IN_OCTOBER + dt.timedelta(days=3))
    charged(free)
    count_month(municipality, OCTOBER, now=AFTER)
    assert (row().limited, row().judged) == (1, 3)


def test_only_months_that_are_over_are_counted_and_each_in_its_time(municipality: Municipality) -> None:
    due = months_to_count(now=AFTER)
    assert due[0] == (municipality.pk, OCTOBER)
    assert len(due) == 13
    count_month(municipality, OCTOBER, now=AFTER)
    assert (municipality.pk, OCTOBER) not in months_to_count(now=AFTER + HOUR)
    assert (municipality.pk, OCTOBER) in months_to_count(now=AFTER + dt.timedelta(days=2)), (
        "late sessions come along"
    )
    assert (municipality.pk, OCTOBER) not in months_to_count(now=AFTER + dt.timedelta(days=60))


def test_the_caretaker_counts_what_nobody_counted(municipality: Municipality) -> None:
    tasks.count_usage_month(municipality.pk, OCTOBER.isoformat())
    months = [month for _key, month in months_to_count(now=timezone.now())]
    for month in months:
        tasks.count_usage_month(municipality.pk, month.isoformat())
    assert months_to_count(now=timezone.now()) == []
    tasks.count_usage_month(0, OCTOBER.isoformat())  # of a municipality that is gone
