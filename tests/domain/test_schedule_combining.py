"""How leading limits combine: section 3 of the rules, and the points on which implementations differ."""

from __future__ import annotations

from typing import Any

import pytest

from smartcharging.domain.profiles import Installed, LocalLimit, Outages, Policy
from smartcharging.domain.schedule import composite_schedule, stacks_for, sweep, window_from
from smartcharging.domain.stacks import Role, Situation
from tests.domain.charging import (
    EXTERNAL,
    GENERATION,
    LOCAL,
    MAX,
    NOW,
    TX,
    TX_DEFAULT,
    at,
    charging,
    dynamic,
    limits,
    profile,
    relative,
    v2x,
    with_phases,
)

UNKNOWN = LocalLimit()


# ------------------------------------------------------------------------------------------ purposes and levels


def test_txprofile_overrules_txdefault_whatever_the_levels_and_leaves_its_gaps_to_it() -> None:
    """K02.FR.04/.08."""
    tx = profile(TX, (0, 16), level=0, id=1, duration_s=300, start=at(100))
    default = profile(TX_DEFAULT, (0, 6), level=9, id=2)
    answer = limits(tx, default, transactions=(charging(),))
    assert answer == [(0, 6.0), (100, 16.0), (400, 6.0)]


def test_txprofile_is_for_its_own_transaction_only() -> None:
    """1.6 5.16, K01.FR.33."""
    other = profile(TX, (0, 6), transaction_id=123)
    assert limits(other, transactions=(charging(number=7),)) == [(0, 48.0)]
    assert limits(other, transactions=(charging(number=123),)) == [(0, 6.0)]


def test_txprofile_without_transactionid_is_for_the_current_transaction() -> None:
    """D17, 1.6 5.16."""
    assert limits(profile(TX, (0, 6)), transactions=(charging(number=7),)) == [(0, 6.0)]


def test_txprofile_does_not_count_without_a_transaction_unless_asked() -> None:
    """D9: the imagined transaction has TxDefault only."""
    tx = relative(TX, (0, 6))
    assert limits(tx) == [(0, 48.0)]
    assert limits(tx, txprofile_without_tx=True) == [(0, 6.0)]
    assert limits(tx, txprofile_without_tx=True, simulate_transaction=False) == [(0, 6.0)]


def test_txdefault_is_simulated_where_nobody_charges_and_max_counts_anyway() -> None:
    """D9, K08.FR.06."""
    both = (profile(TX_DEFAULT, (0, 6), id=1), profile(MAX, (0, 20), evse=0, id=2))
    assert limits(*both) == [(0, 6.0)]
    assert limits(*both, simulate_transaction=False) == [(0, 20.0)]


def test_txdefault_of_0_counts_for_every_connector_and_at_one_level_the_own_one_wins() -> None:
    """1.6 3.13.1."""
    station = profile(TX_DEFAULT, (0, 16), evse=0, id=1)
    own = profile(TX_DEFAULT, (0, 10), evse=1, id=2)
    for installed in ((station, own), (own, station)):
        assert limits(*installed, evse=1, evse_count=2) == [(0, 10.0)]
        assert limits(*installed, evse=2, evse_count=2) == [(0, 16.0)]


def test_across_levels_txdefault_of_0_beats_a_lower_own_one() -> None:
    """D2, K01.FR.17: per level, unless the policy puts the own ones first."""
    station = profile(TX_DEFAULT, (0, 16), evse=0, level=1, id=1)
    own = profile(TX_DEFAULT, (0, 10), evse=1, level=0, id=2)
    assert limits(station, own) == [(0, 16.0)]
    assert limits(station, own, txdefault_scope="own_first") == [(0, 10.0)]


def test_the_composite_is_the_lowest_of_tx_max_and_external() -> None:
    """1.6 3.13.3, K04.FR.01-.05."""
    tx = profile(TX_DEFAULT, (0, 20), (100, 8), id=1)
    cap = profile(MAX, (0, 16), (200, 6), evse=0, id=2)
    grid = profile(EXTERNAL, (0, 32), (50, 10), evse=0, id=3)
    assert limits(tx, cap, grid) == [(0, 16.0), (50, 10.0), (100, 8.0), (200, 6.0)]


def test_external_constraints_hold_from_the_own_evse_and_from_the_station() -> None:
    """K12."""
    own = profile(EXTERNAL, (0, 12), evse=1, level=5, id=1)
    station = profile(EXTERNAL, (0, 10), evse=0, level=0, id=2)
    assert limits(own, station, evse=1, evse_count=2) == [(0, 10.0)]
    assert limits(own, evse=2, evse_count=2) == [(0, 48.0)]


def test_a_max_profile_counts_on_evse_0_only() -> None:
    """1.6 3.13.1: elsewhere a station would have refused it."""
    assert limits(profile(MAX, (0, 6), evse=1)) == [(0, 48.0)]


def test_where_nothing_applies_the_local_limit_does() -> None:
    """D1."""
    ends = profile(TX_DEFAULT, (0, 6), duration_s=60)
    assert limits(ends) == [(0, 6.0), (60, 48.0)]
    assert limits(ends, unit="W") == [(0, 4140.0), (60, 33_120.0)]
    assert limits(ends, defaults=UNKNOWN) == [(0, 6.0), (60, None)]
    assert limits(unit="W", defaults=LocalLimit(limit_a=16.0)) == [(0, 11_040.0)]


def test_the_local_limit_caps_only_when_asked() -> None:
    """D13: the simulator asks; a composite says what the profiles say."""
    high = profile(TX_DEFAULT, (0, 63))
    assert limits(high) == [(0, 63.0)]
    assert limits(high, cap_by_local_limit=True) == [(0, 48.0)]


def test_mincharging_rate_raises_nothing() -> None:
    """D4, K01.FR.21."""
    low = profile(TX_DEFAULT, (0, 0), (60, 5), (120, 9), min_charging_rate=6.0)
    assert limits(low) == [(0, 0.0), (60, 5.0), (120, 9.0)]
    assert limits(low, min_rate_raises=True) == [(0, 6.0), (120, 9.0)]


# ------------------------------------------------------------------------------------------ phases and units


def test_phases_are_the_lowest_of_the_contributors() -> None:
    """1.6 errata 3.7, K01.FR.140."""
    tx, cap = profile(TX_DEFAULT, (0, 20, 1), id=1), profile(MAX, (0, 16, 3), evse=0, id=2)
    assert with_phases(tx, cap) == [(0, 16.0, 1)]
    assert with_phases(profile(TX_DEFAULT, (0, 20), id=1), cap) == [(0, 16.0, 3)]


def test_phases_that_nobody_named_are_left_out_in_16_and_named_in_201() -> None:
    """K01.FR.49; the local limit names none."""
    item = profile(TX_DEFAULT, (0, 16), duration_s=60)
    assert with_phases(item) == [(0, 16.0, None), (60, 48.0, None)]
    assert with_phases(item, names_assumed_phases=True) == [(0, 16.0, 3), (60, 48.0, None)]


def test_watts_are_the_total_and_amperes_per_phase_at_nominal_voltage() -> None:
    """1.6 7.14, K01.FR.50."""
    assert limits(profile(TX_DEFAULT, (0, 11_040), (60, 11_040, 2), (120, 2300, 1), unit="W")) == [
        (0, 16.0),
        (60, 24.0),
        (120, 10.0),
    ]
    assert limits(profile(TX_DEFAULT, (0, 16), (60, 16, 1)), unit="W") == [(0, 11_040.0), (60, 3680.0)]


def test_mixed_units_are_compared_per_phase_each_at_its_own_number_of_phases() -> None:
    """D6, K01.FR.50: 5 kW on three phases is 7.2 A, which a car on one phase may not exceed either."""
    tx = profile(TX_DEFAULT, (0, 20, 1), id=1)
    cap = profile(MAX, (0, 5000, 3), evse=0, unit="W", id=2)
    assert with_phases(tx, cap) == [(0, 7.2, 1)]
    assert with_phases(tx, cap, unit="W") == [(0, 1666.6, 1)]
    assert with_phases(tx, cap, unit_conversion="common_phases") == [(0, 20.0, 1)]
    assert with_phases(tx, cap, unit="W", unit_conversion="common_phases") == [(0, 4600.0, 1)]


# ------------------------------------------------------------------------------------------ the whole station


def test_connector_0_adds_up_the_connectors_real_and_imagined() -> None:
    """1.6 5.7 (D12): one has charged for three minutes, the other is simulated from now."""
    default = relative(TX_DEFAULT, (0, 10), (240, 6), evse=0)
    answer = limits(default, evse=0, evse_count=2, transactions=(charging(since=at(-180)),), duration_s=600)
    assert answer == [(0, 20.0), (60, 16.0), (240, 12.0)]


def test_connector_0_is_capped_by_max_and_external_of_the_station_once() -> None:
    """D12, K12.FR.01: they hold for the total."""
    default = profile(TX_DEFAULT, (0, 16), evse=0, id=1)
    cap = profile(MAX, (0, 24), evse=0, id=2)
    grid = profile(EXTERNAL, (0, 32), (60, 20), evse=0, id=3)
    assert limits(default, cap, grid, evse=0, evse_count=2) == [(0, 24.0), (60, 20.0)]


def test_connector_0_counts_an_evse_without_profiles_at_its_local_limit() -> None:
    """D1 within D12; what is not known is not limited."""
    one = profile(TX_DEFAULT, (0, 14), evse=2)
    assert limits(one, evse=0, evse_count=2) == [(0, 62.0)]
    assert limits(one, evse=0, evse_count=2, defaults=UNKNOWN) == [(0, None)]


def test_connector_0_reports_the_highest_number_of_phases_of_its_evses() -> None:
    one, two = profile(TX_DEFAULT, (0, 16, 1), evse=1, id=1), profile(TX_DEFAULT, (0, 16, 3), evse=2, id=2)
    assert with_phases(one, two, evse=0, evse_count=2) == [(0, 32.0, 3)]
    assert with_phases(one, two, evse=0, evse_count=2, unit="W") == [(0, 14_720.0, 3)]
    unsaid = profile(TX_DEFAULT, (0, 16), evse=2, id=2)
    assert with_phases(one, unsaid, evse=0, evse_count=2) == [(0, 32.0, 3)]


@pytest.mark.parametrize(("station_sum", "amps"), [("unit_first", 32.0), ("everest", 64.0)])
def test_connector_0_converts_before_it_adds(station_sum: str, amps: float) -> None:
    """D12: EVerest adds A and W apart, with a default for what is missing, and comes out too high."""
    one = profile(TX_DEFAULT, (0, 16), evse=1, id=1)
    two = profile(TX_DEFAULT, (0, 11_040), evse=2, unit="W", id=2)
    assert limits(one, two, evse=0, evse_count=2, defaults=LOCAL, station_sum=station_sum) == [(0, amps)]


def test_unless_said_otherwise_a_station_has_one_evse_nobody_charges_and_no_local_limit_is_known() -> None:
    asked: dict[str, Any] = {"now": NOW, "duration_s": 60, "unit": "A", "evse": 0}
    item = profile(TX_DEFAULT, (0, 16), evse=0, duration_s=30)
    answer = composite_schedule(installed=[item], **asked)
    assert [period[:3] for period in answer.periods] == [(0, 16.0, None), (30, None, None)]


def test_everest_counts_an_evse_at_its_local_limit_in_the_unit_it_does_not_name() -> None:
    """D12: so each unit has a sum, and the lower one counts."""
    one = profile(TX_DEFAULT, (0, 16), evse=1, id=1)
    two = profile(TX_DEFAULT, (0, 6900), evse=2, unit="W", id=2)
    question: dict[str, Any] = {"evse": 0, "evse_count": 2, "station_sum": "everest"}
    amps, watts = LocalLimit(limit_a=20.0), LocalLimit(limit_w=9200.0)
    assert limits(one, two, **question, defaults=amps) == [(0, 36.0)]
    assert limits(one, two, **question, defaults=watts, unit="W") == [(0, 16_100.0)]
    both = LocalLimit(limit_a=40.0, limit_w=9200.0)
    assert limits(one, two, **question, defaults=both) == [(0, 23.3)]
    assert limits(one, two, **question, defaults=UNKNOWN) == [(0, None)]
    single = profile(TX_DEFAULT, (0, 2300, 1), evse=0, unit="W")
    assert with_phases(single, **question, defaults=UNKNOWN) == [(0, 20.0, 1)]


def test_a_raised_limit_counts_on_its_own_phases() -> None:
    """D4, the policy that raises; a period that names no number of phases has all."""
    item = profile(TX_DEFAULT, (0, 100, 1), (60, 100), unit="W", min_charging_rate=2300.0)
    assert with_phases(item, min_rate_raises=True) == [(0, 10.0, 1), (60, 3.3, None)]
    assert with_phases(item, min_rate_raises=True, names_assumed_phases=True) == [(0, 10.0, 1), (60, 3.3, 3)]


# ------------------------------------------------------------------------------------------ which way it goes


@pytest.mark.parametrize(
    ("item", "is_plain"),
    [
        (profile(TX_DEFAULT, (0, 16), (60, 0)), True),
        (profile(TX_DEFAULT, (0, 16), max_offline_s=60), True),
        (dynamic(TX_DEFAULT, (0, 16)), True),
        (profile(TX_DEFAULT, v2x(0, 16)), False),
        (profile(GENERATION, (0, 16)), False),
        (profile(TX_DEFAULT, v2x(0, mode="ChargingOnly")), True),  # it does not count
    ],
)
def test_only_what_says_more_than_limits_takes_the_general_way(item: Installed, is_plain: bool) -> None:
    other = profile(MAX, (0, 20), evse=0, id=2)
    for installed in ([item], [other, item], [item, other]):
        assert Situation(installed, (), window_from(NOW, 60), Policy()).is_plain is is_plain


def test_what_counts_are_the_very_profiles_that_are_installed() -> None:
    """`explain` finds them again."""
    old = profile(TX_DEFAULT, (0, 16), max_offline_s=0, id=1)
    sun, young = profile(GENERATION, (0, 5), id=2), dynamic(TX_DEFAULT, (0, 16), id=3)
    situation = Situation((old, sun, young), (), window_from(NOW, 60), Policy(), Outages(since=NOW))
    assert situation.counting == [sun, young]


# ------------------------------------------------------------------------------------------ who wins


def test_a_stack_says_what_it_does_and_where() -> None:
    """What `explain` builds on too; a stack of generation is there where there is any."""
    session, external, station_max, generation = (
        Role.SESSION,
        Role.EXTERNAL,
        Role.STATION_MAX,
        Role.GENERATION,
    )

    def roles(*installed: Installed, evse: int) -> list[tuple[Role, int]]:
        situation = Situation(installed, (), window_from(NOW, 60), Policy())
        return [(stack.role, stack.evse) for stack in stacks_for(situation, evse, 2)]

    of_one, of_station = [(session, 1), (external, 1)], [(station_max, 0), (external, 0)]
    everywhere = [*of_one, (session, 2), (external, 2), *of_station]
    plain = profile(TX_DEFAULT, (0, 16))
    assert roles(plain, evse=1) == [*of_one, *of_station]
    assert roles(plain, evse=0) == everywhere
    assert roles(profile(TX_DEFAULT, v2x(0, 16)), evse=0) == everywhere
    suns = (profile(GENERATION, (0, 5), evse=1), profile(GENERATION, (0, 5), evse=0, id=2))
    assert roles(*suns, evse=1) == [*of_one, (generation, 1), *of_station, (generation, 0)]
    assert roles(*suns, evse=2) == [(session, 2), (external, 2), *of_station, (generation, 0)]


def test_the_sweep_can_hand_out_the_profiles_themselves_to_explain_who_leads() -> None:
    """What `explain` builds on: per stretch the leading profile of each stack, or None."""
    tx = profile(TX, (0, 16), id=1, duration_s=300, start=at(100))
    default = profile(TX_DEFAULT, (0, 6), (200, 7), id=2)
    cap = profile(MAX, (0, 20), evse=0, id=3, start=at(150))
    situation = Situation((tx, default, cap), (charging(),), window_from(NOW, 600), Policy())
    stretches = sweep(
        stacks_for(situation, 1, 1),
        situation.window,
        situation.policy,
        lambda item, which: [item.profile.id] * (which.stop - which.start),
    )
    assert [(start_s, *leading) for start_s, leading in stretches] == [
        (0, 2, None, None, None),
        (100, 1, None, None, None),
        (150, 1, None, 3, None),
        (400, 2, None, 3, None),
    ]
