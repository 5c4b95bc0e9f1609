"""What wins now, and why: the claims of profiles and hardware on a limit."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from smartcharging.domain.explain import Explanation, Hardware, Outcome, explain
from smartcharging.domain.judging import Question, StationFacts, expected_periods
from smartcharging.domain.profiles import Installed, Purpose
from tests.domain.charging import NOW, charging, profile, relative

FACTS = StationFacts(version="1.6", connection_a=25.0, sockets=((1, 32.0), (2, 32.0)))
CHARGING = replace(FACTS, transactions=(charging(1),))
MAX, TX_DEFAULT, TX = Purpose.STATION_MAX, Purpose.TX_DEFAULT, Purpose.TX


def explained(
    *installed: Installed, evse: int = 1, facts: StationFacts = CHARGING, duration_s: int = 3600
) -> list[Explanation]:
    return list(explain(installed, Question(evse, NOW, duration_s, "A"), facts))


def outcomes(stretch: Explanation) -> dict[object, Outcome]:
    """By profile id, or the name of the hardware (with its EVSE where the whole station is asked)."""
    return {
        claim.source.value if isinstance(claim.source, Hardware) else claim.source.profile.id: claim.outcome
        for claim in stretch.claims
    }


def test_without_a_profile_the_connection_limits() -> None:
    (stretch,) = explained()
    assert stretch.limit == 25.0
    assert outcomes(stretch) == {"connection": Outcome.WINS, "socket": Outcome.HIGHER}


def test_a_socket_that_is_smaller_than_the_connection_limits() -> None:
    (stretch,) = explained(facts=replace(CHARGING, sockets=((1, 16.0), (2, 32.0))))
    assert stretch.limit == 16.0
    assert [claim.source for claim in stretch.winners] == [Hardware.SOCKET]


def test_the_lowest_of_what_leads_wins_and_the_others_are_higher() -> None:
    (stretch,) = explained(profile(MAX, (0, 20), evse=0, id=1), profile(TX_DEFAULT, (0, 10), id=2))
    assert stretch.limit == 10.0
    assert outcomes(stretch) == {
        2: Outcome.WINS,
        1: Outcome.HIGHER,
        "connection": Outcome.HIGHER,
        "socket": Outcome.HIGHER,
    }


def test_a_higher_level_outranks_also_with_a_higher_limit_and_a_tx_profile_overrules_the_default() -> None:
    low = profile(TX_DEFAULT, (0, 6), id=1, level=0)
    high = profile(TX_DEFAULT, (0, 12), id=2, level=3)
    (stretch,) = explained(low, high)
    assert (stretch.limit, outcomes(stretch)[1], outcomes(stretch)[2]) == (
        12.0,
        Outcome.OUTRANKED,
        Outcome.WINS,
    )
    (stretch,) = explained(low, high, profile(TX, (0, 16), id=3, transaction_id=7))
    assert stretch.limit == 16.0
    assert [outcomes(stretch)[number] for number in (1, 2, 3)] == [
        Outcome.OVERRULED,
        Outcome.OVERRULED,
        Outcome.WINS,
    ]


def test_where_the_top_ends_the_next_level_wins() -> None:
    first, second = explained(
        profile(TX_DEFAULT, (0, 6), id=1, level=0),
        profile(TX_DEFAULT, (0, 12), id=2, level=1, duration_s=600),
    )
    assert (first.start_s, first.end_s, first.limit) == (0, 600, 12.0)
    assert (second.start_s, second.end_s, second.limit) == (600, 3600, 6.0)
    assert 2 not in outcomes(second)


def test_a_profile_that_starts_later_makes_no_claim_before() -> None:
    first, second = explained(profile(TX_DEFAULT, (0, 6), start=NOW + timedelta(minutes=10)))
    assert outcomes(first) == {"connection": Outcome.WINS, "socket": Outcome.HIGHER}
    assert outcomes(second)[1] is Outcome.WINS


def test_of_equals_a_profile_goes_before_the_hardware_and_the_stations_before_an_evses() -> None:
    (stretch,) = explained(profile(TX_DEFAULT, (0, 25), id=2))
    assert outcomes(stretch)[2] is Outcome.WINS
    (stretch,) = explained(profile(TX_DEFAULT, (0, 10), id=2), profile(MAX, (0, 10), evse=0, id=1))
    assert outcomes(stretch)[1] is Outcome.WINS


def test_a_tx_profile_without_its_transaction_makes_no_claim() -> None:
    (stretch,) = explained(profile(TX, (0, 6), transaction_id=8))
    assert list(outcomes(stretch)) == ["connection", "socket"]


def test_a_relative_profile_counts_from_the_start_of_charging() -> None:
    facts = replace(FACTS, transactions=(charging(1, since=NOW - timedelta(minutes=50)),))
    first, second = explained(relative(TX_DEFAULT, (0, 6), duration_s=3600), facts=facts)
    assert (first.end_s, first.limit) == (600, 6.0)
    assert second.limit == 25.0


class TestTheWholeStation:
    def test_its_evses_win_together_where_their_sum_is_lower(self) -> None:
        (stretch,) = explained(
            profile(TX_DEFAULT, (0, 6), evse=1, id=1), profile(TX_DEFAULT, (0, 8), evse=2, id=2), evse=0
        )
        assert stretch.limit == 14.0
        assert {claim.evse for claim in stretch.winners} == {1, 2}
        assert outcomes(stretch)["connection"] is Outcome.HIGHER

    def test_a_default_of_the_station_claims_on_every_evse(self) -> None:
        (stretch,) = explained(profile(TX_DEFAULT, (0, 6), evse=0), evse=0)
        assert stretch.limit == 12.0
        assert [(claim.evse, claim.limit) for claim in stretch.winners] == [(1, 6.0), (2, 6.0)]

    def test_its_own_limit_wins_where_that_is_lower_than_the_sum(self) -> None:
        (stretch,) = explained(
            profile(MAX, (0, 10), evse=0, id=1), profile(TX_DEFAULT, (0, 6), evse=0, id=2), evse=0
        )
        assert stretch.limit == 10.0
        assert [claim.evse for claim in stretch.winners] == [0]

    def test_the_connection_wins_where_nothing_is_lower(self) -> None:
        (stretch,) = explained(profile(TX_DEFAULT, (0, 16), evse=0), evse=0)
        assert stretch.limit == 25.0
        assert [claim.source for claim in stretch.winners] == [Hardware.CONNECTION]


profiles = st.lists(
    st.builds(
        profile,
        st.sampled_from([TX_DEFAULT, TX, MAX]),
        st.tuples(st.just(0), st.integers(0, 40)),
        st.tuples(st.integers(1, 3000), st.integers(0, 40)),
        level=st.integers(0, 3),
        start=st.integers(-1800, 1800).map(lambda seconds: NOW + timedelta(seconds=seconds)),
        duration_s=st.one_of(st.none(), st.integers(1, 3600)),
    ),
    max_size=6,
)


@settings(max_examples=150)
@given(profiles, st.sampled_from([0, 1]))
def test_the_explanation_tells_the_engines_answer_and_someone_always_wins(
    drawn: list[Installed], evse: int
) -> None:
    installed = [
        replace(item, evse=0 if item.profile.purpose is MAX else 1, profile=replace(item.profile, id=number))
        for number, item in enumerate(drawn)
    ]
    told = explained(*installed, evse=evse)
    answer = expected_periods(installed, Question(evse, NOW, 3600, "A"), CHARGING, capped=True)
    merged = [
        told[0],
        *(one for before, one in itertools.pairwise(told) if one.limit != before.limit),
    ]
    assert [(one.start_s, one.limit) for one in merged] == [(p.start_s, p.limit) for p in answer]
    for one in told:
        assert one.winners
        if evse:
            assert {claim.limit for claim in one.winners} == {one.limit}
        else:
            assert min(one.limit or 0, sum(claim.limit or 0 for claim in one.winners)) == one.limit
