"""How fast a roll-out goes, and when it stops by itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stations.domain.pacing import LEAST_ANSWERS, USUAL, Halt, Pace, Tally

PACES = st.builds(Pace, st.integers(0, 100), st.integers(1, 500), st.integers(0, 100))
TALLIES = st.builds(Tally, st.integers(0, 3000), st.integers(0, 3000), st.integers(0, 600))


def test_a_few_are_asked_first_and_the_others_wait_until_all_of_those_took_it() -> None:
    assert [USUAL.room(Tally(done=done, busy=busy)) for done, busy in ((0, 0), (0, 5), (3, 1), (4, 1))] == [
        5, 0, 1, 0,
    ]  # fmt: skip
    assert USUAL.room(Tally(done=5)) == 50
    assert USUAL.room(Tally(done=30, busy=49)) == 1


def test_one_refusal_among_the_first_stops_it() -> None:
    assert USUAL.halt(Tally(done=4, failed=1)) is Halt.FIRST
    assert USUAL.halt(Tally(done=5, failed=1)) is None
    assert Pace(first=0).halt(Tally(failed=1)) is None


def test_more_than_the_share_stops_it_once_enough_have_answered() -> None:
    assert USUAL.halt(Tally(done=90, failed=10)) is None
    assert USUAL.halt(Tally(done=89, failed=10)) is Halt.SHARE
    assert USUAL.halt(Tally(done=10, failed=LEAST_ANSWERS - 11)) is None
    assert Pace(stop_percent=0).halt(Tally(done=99, failed=1)) is Halt.SHARE


@given(PACES, TALLIES)
def test_never_more_than_at_once_and_never_on_after_a_stop_for_want_of_failures(
    pace: Pace, tally: Tally
) -> None:
    assert 0 <= pace.room(tally) <= pace.at_once
    assert tally.busy + pace.room(tally) <= max(pace.at_once, tally.busy)
    if not tally.failed:
        assert pace.halt(tally) is None
    if pace.stop_percent == 100 and pace.is_proven(tally):
        assert pace.halt(tally) is None
