"""Which profiles of OCPP 2.1 count, and from when: priority charging, Dynamic, maxOfflineDuration, whole periods."""

from __future__ import annotations

from datetime import datetime

import pytest

from smartcharging.domain.profiles import Installed, Outages
from tests.domain.charging import (
    EXTERNAL,
    MAX,
    PRIORITY,
    TX,
    TX_DEFAULT,
    Period,
    at,
    charging,
    dynamic,
    limits,
    profile,
    v2x,
)

RUNNING = (charging(),)
FIRST = (charging(has_priority=True),)


# ------------------------------------------------------------------------------------------ PriorityCharging


def test_priority_charging_replaces_tx_and_txdefault_while_it_is_used() -> None:
    """K21, UsePriorityCharging: installed it does nothing, used it overrules whatever the levels."""
    priority = profile(PRIORITY, (0, 32), level=0, id=1)
    tx = profile(TX, (0, 16), level=5, id=2)
    default = profile(TX_DEFAULT, (0, 6), level=9, id=3)
    for installed in ((priority, tx, default), (default, tx, priority)):
        assert limits(*installed, transactions=RUNNING) == [(0, 16.0)]
        assert limits(*installed, transactions=FIRST) == [(0, 32.0)]


def test_priority_charging_is_still_capped() -> None:
    cap, grid = profile(MAX, (0, 20), evse=0, id=2), profile(EXTERNAL, (0, 99), (60, 10), evse=0, id=3)
    capped = limits(profile(PRIORITY, (0, 32)), cap, grid, transactions=FIRST)
    assert capped == [(0, 20.0), (60, 10.0)]


def test_where_priority_charging_has_no_period_the_others_return() -> None:
    """2.5 of the rules: outside its periods a profile does not exist."""
    priority = profile(PRIORITY, (0, 32), start=at(100), valid_to=at(200))
    default = profile(TX_DEFAULT, (0, 6), id=2)
    assert limits(priority, default, transactions=FIRST) == [(0, 6.0), (100, 32.0), (200, 6.0)]


def test_priority_charging_counts_from_the_station_and_for_its_own_evse_only() -> None:
    """As TxDefault: that of EVSE 0 counts for every EVSE, by level; at one level the own one leads."""
    own, other = profile(PRIORITY, (0, 20), id=1), profile(PRIORITY, (0, 25), evse=2, id=2)
    station = profile(PRIORITY, (0, 30), evse=0, level=1, id=3)
    assert limits(own, other, transactions=FIRST) == [(0, 20.0)]
    assert limits(own, station, transactions=FIRST) == [(0, 30.0)]
    level = profile(PRIORITY, (0, 30), evse=0, id=3)
    for installed in ((own, level), (level, own)):
        assert limits(*installed, transactions=FIRST) == [(0, 20.0)]


def test_a_transaction_with_priority_on_another_evse_changes_nothing_here() -> None:
    both = (charging(1), charging(2, has_priority=True))
    installed = (profile(PRIORITY, (0, 32), evse=0), profile(TX_DEFAULT, (0, 6), evse=0, id=2))
    assert limits(*installed, transactions=both, evse_count=2) == [(0, 6.0)]
    assert limits(*installed, transactions=both, evse=2, evse_count=2) == [(0, 32.0)]


# ------------------------------------------------------------------------------------------ Dynamic


def test_dynamic_counts_from_its_update_and_ends_just_before_its_duration_is_over() -> None:
    """D15, K28.FR.13: from dynUpdateTime, exclusive; then the one below returns."""
    below = profile(TX_DEFAULT, (0, 6), id=2)
    top = dynamic(TX_DEFAULT, (0, 20), level=1, duration_s=900, dynamic_updated_at=at(-300))
    assert limits(top, below) == [(0, 20.0), (600, 6.0)]
    assert limits(top, below, now=at(599), duration_s=1) == [(0, 20.0)]
    assert limits(top, below, now=at(600), duration_s=1) == [(0, 6.0)]
    assert limits(top, below, now=at(-400)) == [(0, 48.0), (100, 20.0), (1000, 6.0)]


def test_a_dynamic_profile_without_an_update_counts_from_its_arrival() -> None:
    """K28.FR.05: dynUpdateTime is set on acceptance."""
    arrived = dynamic(TX_DEFAULT, (0, 20), duration_s=900, received_at=at(-300))
    assert limits(arrived) == [(0, 20.0), (600, 48.0)]
    updated = dynamic(TX_DEFAULT, (0, 20), duration_s=900, received_at=at(-9000), dynamic_updated_at=at(-300))
    assert limits(updated) == [(0, 20.0), (600, 48.0)]


def test_a_dynamic_profile_of_unknown_age_counts_from_the_question() -> None:
    unknown = dynamic(TX_DEFAULT, (0, 20), duration_s=900)
    hole = profile(TX_DEFAULT, (0, 6), level=1, start=at(100), duration_s=100, id=2)
    assert limits(unknown, hole) == [(0, 20.0), (100, 6.0), (200, 20.0), (900, 48.0)]


def test_an_update_revives_a_dynamic_profile() -> None:
    """K28.FR.14/.15."""

    def asked(updated_at: datetime) -> list[tuple[int, float | None]]:
        return limits(dynamic(TX_DEFAULT, (0, 20), duration_s=300, dynamic_updated_at=updated_at))

    assert asked(at(-301)) == [(0, 48.0)]
    assert asked(at(-300)) == [(0, 48.0)]
    assert asked(at(-1)) == [(0, 20.0), (299, 48.0)]


def test_the_policy_of_everest_counts_dynamic_from_the_question() -> None:
    """D15."""
    old = dynamic(TX_DEFAULT, (0, 20), duration_s=300, dynamic_updated_at=at(-9000))
    assert limits(old, dynamic_from="question") == [(0, 20.0), (300, 48.0)]
    assert limits(profile(TX_DEFAULT, (0, 6)), old, dynamic_from="question") == [(0, 20.0), (300, 6.0)]


def test_a_dynamic_profile_without_a_duration_stays_as_long_as_it_is_valid() -> None:
    item = dynamic(TX_DEFAULT, (0, 20), dynamic_updated_at=at(-9000), valid_to=at(60))
    assert limits(item) == [(0, 20.0), (60, 48.0)]


# ------------------------------------------------------------------------------------------ offline


def offline(seconds: float) -> Outages:
    return Outages(since=at(-seconds))


@pytest.mark.parametrize(
    ("most_s", "outages", "counts"),
    [
        (600, Outages(), True),
        (600, offline(599), True),
        (600, offline(600), True),
        (600, offline(601), False),
        (0, Outages(), True),
        (0, offline(0), False),
        (0, offline(1), False),
        (None, offline(10**8), True),
    ],
)
def test_a_profile_counts_while_the_station_is_not_offline_for_longer_than_it_says(
    most_s: int | None, outages: Outages, counts: bool
) -> None:
    """2.1 maxOfflineDuration: equal is still valid, 0 is at once; then the one below returns."""
    top = profile(TX_DEFAULT, (0, 20), level=1, max_offline_s=most_s)
    below = profile(TX_DEFAULT, (0, 6), id=2)
    assert limits(top, below, outages=outages) == [(0, 20.0 if counts else 6.0)]


@pytest.mark.parametrize(
    ("began", "ended", "received_at", "for_good", "counts"),
    [
        (-5000, -4399, None, True, False),  # 601 s
        (-5000, -4400, None, True, True),  # 600 s
        (-5000, -4399, None, False, True),  # over, and not for good
        (-5000, -4399, at(-4399), True, True),  # the profile came when it was over
        (-5000, -4399, at(-4400), True, False),
    ],
)
def test_a_profile_that_ends_for_good_stays_away_when_the_station_is_back(
    began: int, ended: int, received_at: datetime | None, for_good: bool, counts: bool
) -> None:
    """2.1 invalidAfterOfflineDuration."""
    item = profile(
        TX_DEFAULT, (0, 20), max_offline_s=600, invalid_after_offline=for_good, received_at=received_at
    )
    outages = Outages(earlier=((at(began), at(ended)), (at(-50), at(-40))))
    assert limits(item, outages=outages) == [(0, 20.0 if counts else 48.0)]


def test_an_earlier_outage_and_one_that_goes_on_both_count() -> None:
    item = profile(TX_DEFAULT, (0, 20), max_offline_s=600, invalid_after_offline=True)
    assert limits(item, outages=Outages(at(-601), ((at(-3000), at(-2900)),))) == [(0, 48.0)]
    assert limits(item, outages=Outages(at(-5), ((at(-3000), at(-2000)),))) == [(0, 48.0)]
    assert limits(item, outages=Outages(at(-5), ((at(-3000), at(-2900)),))) == [(0, 20.0)]


# ------------------------------------------------------------------------------------------ whole periods


@pytest.mark.parametrize(
    ("period", "counts"),
    [
        (v2x(0, mode="ChargingOnly"), False),
        (v2x(0, 20, mode="ChargingOnly"), True),
        (v2x(0, mode="ChargingOnly", discharge_limit=-10), False),
        (v2x(0, 20), True),
    ],
)
def test_charging_only_without_a_limit_is_no_profile(period: Period, counts: bool) -> None:
    """K01.FR.111: a station refuses it, so the one below leads, in its other periods too."""
    below = profile(TX_DEFAULT, (0, 6), id=2)
    top: Installed = profile(TX_DEFAULT, period, (60, 10), level=1)
    assert limits(top, below) == ([(0, 20.0), (60, 10.0)] if counts else [(0, 6.0)])


def test_a_mode_without_a_limit_counts_and_leaves_the_limit_to_others() -> None:
    """TxProfile with only a mode overrules TxDefault; the local limit then counts (D1)."""
    tx, default = profile(TX, v2x(0, mode="Idle")), profile(TX_DEFAULT, (0, 6), id=2)
    assert limits(tx, default, transactions=RUNNING) == [(0, 48.0)]
    assert limits(tx, default, profile(MAX, (0, 16), evse=0, id=3), transactions=RUNNING) == [(0, 16.0)]
