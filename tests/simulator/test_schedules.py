"""The station's own composite, rule by rule, without a socket."""

from __future__ import annotations

import dataclasses
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.simulator.limits import Limit
from portal.simulator.profiles import (
    MAX,
    PRIORITY,
    TX,
    TX_DEFAULT,
    Period,
    Running,
    StoredProfile,
    at_the_wall,
)
from portal.simulator.schedules import Schedules
from portal.simulator.storing import Capabilities, ProfileRefusedError

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY_S = 86_400
HARDWARE = {0: Limit(25, 3), 1: Limit(25, 3), 2: Limit(25, 3)}


def unread(evse: int, wire: dict[str, Any]) -> StoredProfile:
    raise AssertionError("nothing is read from disk here")


def station(*profiles: StoredProfile, running: Running | None = None, **options: Any) -> Schedules:
    schedules = Schedules(hardware=HARDWARE, capabilities=Capabilities(), read=unread, **options)
    for profile in profiles:
        schedules.install(profile, running)
    return schedules


def profile(*periods: tuple[float, float], **options: Any) -> StoredProfile:
    rows = tuple(Period(start, limit, options.get("phases")) for start, limit in periods)
    options.pop("phases", None)
    defaults: dict[str, Any] = {
        "profile_id": 1,
        "evse": 1,
        "purpose": TX_DEFAULT,
        "level": 0,
        "kind": "Absolute",
        "unit": "A",
        "start": NOW,
        "wire": {},
    }
    return StoredProfile(periods=rows, **(defaults | options))


def drawn(
    schedules: Schedules, evse: int = 1, hours: float = 3, **running: Running
) -> list[tuple[int, float]]:
    transactions = {int(name[1:]): transaction for name, transaction in running.items()}
    _, changes = schedules.composite(evse, NOW, int(hours * 3600), transactions)
    return [(start, limit.in_unit("A")) for start, limit in changes]


def test_nothing_installed_is_the_hardware() -> None:
    assert drawn(station()) == [(0, 25.0)]
    assert drawn(station(), evse=0) == [(0, 25.0)]


def test_a_gap_lets_the_lower_level_through_and_zero_is_a_limit() -> None:
    high = profile((0, 0.0), level=3, start=NOW + timedelta(hours=1), duration_s=1800)
    low = profile((0, 10.0), profile_id=2, level=0)
    assert drawn(station(high, low)) == [(0, 10.0), (3600, 0.0), (5400, 10.0)]


def test_valid_to_is_exclusive() -> None:
    kept = profile((0, 10.0), valid_from=NOW + timedelta(minutes=10), valid_to=NOW + timedelta(minutes=20))
    assert drawn(station(kept)) == [(0, 25.0), (600, 10.0), (1200, 25.0)]


def test_a_daily_profile_waits_for_its_first_day_and_comes_back() -> None:
    daily = profile(
        (0, 8.0), kind="Recurring", recurrence_s=DAY_S, duration_s=3600, start=NOW + timedelta(hours=2)
    )
    assert drawn(station(daily), hours=48) == [
        (0, 25.0),
        (7200, 8.0),
        (10800, 25.0),
        (7200 + DAY_S, 8.0),
        (10800 + DAY_S, 25.0),
    ]


def test_a_daily_profile_of_years_ago_still_counts() -> None:
    daily = profile(
        (0, 8.0), kind="Recurring", recurrence_s=DAY_S, duration_s=3600, start=NOW - timedelta(days=900)
    )
    assert drawn(station(daily)) == [(0, 8.0), (3600, 25.0)]


def test_a_transaction_profile_overrules_only_where_it_has_a_period() -> None:
    running = Running("7", NOW - timedelta(minutes=10))
    own = profile((0, 20.0), profile_id=2, purpose=TX, kind="Relative", start=None, duration_s=1200)
    schedules = station(profile((0, 10.0), level=9), own, running=running)
    assert drawn(schedules, e1=running) == [(0, 20.0), (600, 10.0)]
    assert drawn(schedules, evse=2) == [(0, 25.0)]
    assert drawn(schedules) == [(0, 10.0)]


def test_at_one_level_the_own_connector_wins_across_levels_the_higher() -> None:
    both = station(profile((0, 10.0)), profile((0, 8.0), profile_id=2, evse=0))
    assert drawn(both) == [(0, 10.0)]
    assert drawn(both, evse=2) == [(0, 8.0)]
    assert drawn(station(profile((0, 10.0)), profile((0, 8.0), profile_id=2, evse=0, level=1))) == [(0, 8.0)]


def test_the_station_as_a_whole_is_the_sum_under_its_maximum() -> None:
    schedules = station(profile((0, 8.0)), profile((0, 9.0), profile_id=2, evse=2))
    assert drawn(schedules, evse=0) == [(0, 17.0)]
    schedules.install(profile((0, 12.0), profile_id=3, evse=0, purpose=MAX), None)
    assert drawn(schedules, evse=0) == [(0, 12.0)]
    assert drawn(schedules) == [(0, 8.0)]


def test_watts_are_over_the_profiles_own_phases() -> None:
    limit = station(profile((0, 3680.0), unit="W", phases=1)).limit(1, NOW, {}, NOW)
    assert (limit.amperes, limit.phases, limit.in_unit("W")) == (16.0, 1, 3680.0)
    assert station(profile((0, 11040.0), unit="W")).limit(1, NOW, {}, NOW) == Limit(16.0, 3)


def test_one_decimal_rounded_down() -> None:
    assert Limit(10.19, 3).in_unit("A") == 10.1
    assert Limit(11000 / 690, 3).in_unit("W") == 11000.0


def test_a_level_after_the_transaction_is_gone_with_it() -> None:
    schedules = station(profile((0, 20.0), purpose=TX), running=Running("7", NOW))
    schedules.transaction_ended(1)
    assert schedules.profiles == []
    with pytest.raises(ProfileRefusedError, match="TxNotFound"):
        schedules.install(profile((0, 20.0), purpose=TX, transaction="8"), Running("7", NOW))


def test_in_16_absolute_without_start_counts_from_the_transaction() -> None:
    loose = profile((0, 10.0), (600, 12.0), start=None)
    running = Running("7", NOW - timedelta(minutes=5))
    assert drawn(station(loose), e1=running) == [(0, 10.0), (300, 12.0)]
    with pytest.raises(ProfileRefusedError, match="startSchedule"):
        station(loose, rules_of_16=False)


def test_in_2x_levels_may_share_a_place_at_different_times() -> None:
    now, later = {"valid_to": NOW + timedelta(hours=1)}, {"valid_from": NOW + timedelta(hours=1)}
    both = station(profile((0, 8.0), **now), profile((0, 9.0), profile_id=2, **later), rules_of_16=False)
    assert drawn(both) == [(0, 8.0), (3600, 9.0)]
    with pytest.raises(ProfileRefusedError, match="DuplicateProfile"):
        both.install(profile((0, 9.0), profile_id=3, evse=0), None)


def test_a_long_question_is_answered_for_a_week() -> None:
    answered_s, changes = station().composite(1, NOW, 8_638_204_637_958, {})
    assert (answered_s, len(changes)) == (7 * DAY_S, 1)


AMPERES = st.integers(0, 320).map(lambda tenth: tenth / 10)
STACKS = st.lists(
    st.builds(
        lambda level, evse, purpose, starts, limits, unit, lasts: profile(
            *[
                (start, limits[i] * (690 if unit == "W" else 1))
                for i, start in enumerate([0, *sorted(starts)])
            ],
            level=level,
            evse=0 if purpose == MAX else evse,
            purpose=purpose,
            unit=unit,
            duration_s=lasts,
        ),
        st.integers(0, 9),
        st.integers(0, 2),
        st.sampled_from([MAX, TX_DEFAULT]),
        st.sets(st.integers(1, 7200), min_size=2, max_size=4),
        st.lists(AMPERES, min_size=5, max_size=5),
        st.sampled_from(["A", "W"]),
        st.none() | st.integers(1, 9000),
    ),
    max_size=8,
)


@given(stack=STACKS, evse=st.integers(0, 2), offset=st.integers(0, 10_799))
def test_the_composite_says_what_counts_at_every_second(
    stack: list[StoredProfile], evse: int, offset: int
) -> None:
    """The sweep over boundaries misses none: looking up any second by itself gives the same limit."""
    schedules = station()
    schedules.profiles = stack
    _, changes = schedules.composite(evse, NOW, 10_800, {})
    told = [limit for start, limit in changes if start <= offset][-1]
    assert told == schedules.limit(evse, NOW + timedelta(seconds=offset), {}, NOW)
    assert all(a[1] != b[1] for a, b in itertools.pairwise(changes))


def central(
    setpoint: float, limit: float | None = None, discharge: float | None = None
) -> tuple[Period, ...]:
    return (Period(0, limit, mode="CentralSetpoint", setpoint=setpoint, discharge=discharge),)


def test_a_setpoint_stays_within_what_others_allow() -> None:
    kept = station(dataclasses.replace(profile((0, 1.0)), periods=central(20, 24)), rules_of_16=False)
    kept.install(profile((0, 11040.0), profile_id=2, evse=0, purpose=MAX, unit="W"), None)
    limit = kept.limit(1, NOW, {}, NOW)
    assert (limit.amperes, limit.setpoint_a, limit.mode) == (16.0, 16.0, "CentralSetpoint")


def test_the_station_gives_back_what_its_sockets_do_together() -> None:
    own = dataclasses.replace(profile((0, 1.0)), periods=central(-8, 16, -10))
    kept = station(own, rules_of_16=False)
    assert kept.limit(0, NOW, {}, NOW).discharge_a == -10.0
    other = dataclasses.replace(own, profile_id=2, evse=2)
    kept.install(other, None)
    whole = kept.limit(0, NOW, {}, NOW)
    assert (whole.amperes, whole.discharge_a, whole.setpoint_a, whole.mode) == (25.0, -20.0, None, None)
    kept.install(dataclasses.replace(other, periods=central(-8, 16)), None)  # as much as it likes
    assert kept.limit(0, NOW, {}, NOW).discharge_a is None


def test_watts_out_of_the_car_are_rounded_towards_zero() -> None:
    limit = Limit(16, 3, discharge_a=-10.19, setpoint_a=-0.01)
    assert (limit.told(-10.19, "A"), limit.told(-10.0, "W"), limit.told(-0.01, "A")) == (-10.1, -6900.0, 0.0)
    assert str(limit.told(-0.01, "A")) == "0.0"


@pytest.mark.parametrize(("local", "offset_h"), [(True, [24, 47, 71, 95]), (False, [24, 48, 72])])
def test_a_daily_profile_when_the_clock_goes_forward(local: bool, offset_h: list[int]) -> None:
    """From 22:00 on 27 March 2026; in the night to the 29th the clock loses an hour."""
    first = datetime.fromisoformat("2026-03-27T22:00")
    daily = profile(
        (0, 8.0),
        kind="Recurring",
        recurrence_s=DAY_S,
        duration_s=3600,
        start=at_the_wall(first),
        local_start=first if local else None,
    )
    _, changes = station(daily).composite(1, at_the_wall(first), 4 * DAY_S, {})
    begins = [start // 3600 for start, limit in changes if limit.amperes == 8.0]
    assert begins == [0, *offset_h]


def test_a_daily_profile_when_the_clock_goes_back() -> None:
    first = datetime.fromisoformat("2026-10-23T02:30")  # on the 25th it is 02:30 twice: the first counts
    daily = profile(
        (0, 8.0),
        kind="Recurring",
        recurrence_s=DAY_S,
        duration_s=3600,
        start=at_the_wall(first),
        local_start=first,
    )
    _, changes = station(daily).composite(1, at_the_wall(first), 4 * DAY_S, {})
    assert [start // 3600 for start, limit in changes if limit.amperes == 8.0] == [0, 24, 48, 73]


def test_priority_counts_only_while_it_is_used() -> None:
    kept = station(
        profile((0, 6.0), level=9), profile((0, 20.0), profile_id=2, purpose=PRIORITY), rules_of_16=False
    )
    assert drawn(kept) == [(0, 6.0)]
    assert drawn(kept, e1=Running("7", NOW)) == [(0, 6.0)]
    assert drawn(kept, e1=Running("7", NOW, priority=True)) == [(0, 20.0)]
