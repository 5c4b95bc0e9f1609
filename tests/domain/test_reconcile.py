"""The next step of a profile: every state against every event, and the laws that hold whatever happens."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from smartcharging.domain.progress import (
    SETTLED,
    Because,
    Delivery,
    Do,
    Intent,
    Listed,
    Outcome,
    Progress,
    Reading,
    State,
    Step,
    Verdict,
    Wish,
)
from smartcharging.domain.reconcile import MAX_READS, MAX_SENDS, next_step, pause_s

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


def sent(outcome: Outcome, words: str = "") -> Delivery:
    return Delivery(Intent.SET, outcome, words)


def cleared(outcome: Outcome) -> Delivery:
    return Delivery(Intent.CLEAR, outcome)


def read(verdict: Verdict) -> Reading:
    return Reading(verdict)


ACCEPTED: dict[str, Any] = {"delivery": sent(Outcome.ACCEPTED), "sends": 1}
CLEARING: dict[str, Any] = {"wish": Wish.WITHDRAWN, "sends": 1, "delivery": cleared(Outcome.ACCEPTED)}
GIVEN_UP: dict[str, Any] = {"sends": MAX_SENDS, "settled": True}

BACK: dict[str, Any] = {"settled": True, "stale": True, "reconnected": True}


def judged(verdict: Verdict, listed: Listed) -> dict[str, Any]:
    return {"delivery": sent(Outcome.ACCEPTED), "sends": 1, "reading": read(verdict), "listed": listed}


def gone() -> dict[str, Any]:
    return {"settled": True, "reading": read(Verdict.MISSING)}


# state, what else is so -> what is done, the state after it
TABLE: list[tuple[State, dict[str, Any], Do, State]] = [
    (State.PENDING, {}, Do.SET, State.SENT),
    (State.PENDING, {"online": False}, Do.NOTHING, State.PENDING),
    (State.PENDING, {"ready": False}, Do.NOTHING, State.PENDING),
    (State.PENDING, {"obstacle": "too many periods"}, Do.NOTHING, State.UNSUPPORTED),
    (State.PENDING, {"obstacle": "too many periods", "online": False}, Do.NOTHING, State.UNSUPPORTED),
    (State.PENDING, {"wake_at": NOW + timedelta(seconds=1)}, Do.NOTHING, State.PENDING),
    (State.PENDING, {"wake_at": NOW, "sends": 2}, Do.SET, State.SENT),
    (State.PENDING, {"sends": MAX_SENDS}, Do.NOTHING, State.UNKNOWN),
    (State.SENT, {"delivery": sent(Outcome.OPEN), "sends": 1}, Do.NOTHING, State.SENT),
    (State.SENT, {"delivery": sent(Outcome.ACCEPTED), "sends": 1}, Do.NOTHING, State.ACCEPTED),
    (State.SENT, {"delivery": sent(Outcome.REFUSED), "sends": 1}, Do.NOTHING, State.REFUSED),
    (State.SENT, {"delivery": sent(Outcome.IMPOSSIBLE), "sends": 1}, Do.NOTHING, State.REFUSED),
    (State.SENT, {"delivery": sent(Outcome.FAILED), "sends": 1}, Do.NOTHING, State.UNKNOWN),
    (State.SENT, {"delivery": sent(Outcome.FAILED), "sends": MAX_SENDS}, Do.NOTHING, State.REFUSED),
    (State.SENT, {"delivery": sent(Outcome.UNKNOWN), "sends": 1}, Do.NOTHING, State.UNKNOWN),
    (State.SENT, {"delivery": sent(Outcome.NEVER_SENT), "sends": 1}, Do.NOTHING, State.PENDING),
    (State.ACCEPTED, ACCEPTED, Do.READ, State.ACCEPTED),
    (State.ACCEPTED, {**ACCEPTED, "asked": True}, Do.NOTHING, State.ACCEPTED),
    (State.ACCEPTED, {**ACCEPTED, "busy": True}, Do.NOTHING, State.ACCEPTED),
    (State.ACCEPTED, {**ACCEPTED, "online": False}, Do.NOTHING, State.ACCEPTED),
    (State.ACCEPTED, {**ACCEPTED, "reads": MAX_READS}, Do.NOTHING, State.ACCEPTED),
    (State.ACCEPTED, {**ACCEPTED, "reading": read(Verdict.STANDS)}, Do.NOTHING, State.CONFIRMED),
    (State.ACCEPTED, {**ACCEPTED, "reading": read(Verdict.HIDDEN)}, Do.NOTHING, State.CONFIRMED),
    (State.ACCEPTED, {**ACCEPTED, "reading": read(Verdict.MISSING)}, Do.NOTHING, State.DRIFTED),
    (State.ACCEPTED, {**ACCEPTED, "reading": read(Verdict.UNCOMPARABLE)}, Do.NOTHING, State.ACCEPTED),
    (State.ACCEPTED, {**ACCEPTED, "reading": read(Verdict.UNANSWERED)}, Do.NOTHING, State.ACCEPTED),
    (State.CONFIRMED, {"settled": True}, Do.NOTHING, State.CONFIRMED),
    (State.CONFIRMED, {"settled": True, "stale": True}, Do.READ, State.ACCEPTED),
    (State.CONFIRMED, {"settled": True, "stale": True, "online": False}, Do.NOTHING, State.CONFIRMED),
    (State.CONFIRMED, {"settled": True, "reading": read(Verdict.MISSING)}, Do.NOTHING, State.DRIFTED),
    (State.CONFIRMED, {"settled": True, "reading": read(Verdict.UNANSWERED)}, Do.NOTHING, State.CONFIRMED),
    (State.DRIFTED, {}, Do.SET, State.SENT),
    (State.DRIFTED, {"wake_at": NOW + timedelta(seconds=1)}, Do.NOTHING, State.DRIFTED),
    (State.DRIFTED, {"reading": read(Verdict.STANDS)}, Do.NOTHING, State.CONFIRMED),
    (State.DRIFTED, GIVEN_UP, Do.NOTHING, State.DRIFTED),
    (State.DRIFTED, {**GIVEN_UP, "stale": True}, Do.READ, State.ACCEPTED),
    (State.UNKNOWN, {"delivery": sent(Outcome.UNKNOWN), "sends": 1}, Do.READ, State.UNKNOWN),
    (State.UNKNOWN, {"sends": 1, "online": False}, Do.NOTHING, State.UNKNOWN),
    (State.UNKNOWN, {"sends": 1, "reading": read(Verdict.STANDS)}, Do.NOTHING, State.CONFIRMED),
    (State.UNKNOWN, {"sends": 1, "reading": read(Verdict.HIDDEN)}, Do.NOTHING, State.PENDING),
    (State.UNKNOWN, {"sends": 1, "reading": read(Verdict.MISSING)}, Do.NOTHING, State.PENDING),
    (State.UNKNOWN, {"sends": 1, "reading": read(Verdict.UNCOMPARABLE)}, Do.NOTHING, State.PENDING),
    (State.UNKNOWN, {"sends": 1, "reading": read(Verdict.UNANSWERED)}, Do.NOTHING, State.UNKNOWN),
    (State.UNKNOWN, {"sends": 1, "delivery": sent(Outcome.ACCEPTED)}, Do.NOTHING, State.ACCEPTED),
    (State.UNKNOWN, {"sends": 1, "delivery": sent(Outcome.REFUSED)}, Do.NOTHING, State.REFUSED),
    (State.UNKNOWN, GIVEN_UP, Do.NOTHING, State.UNKNOWN),
    (State.UNKNOWN, {**GIVEN_UP, "stale": True}, Do.READ, State.UNKNOWN),
    (State.REFUSED, {"settled": True, "stale": True}, Do.NOTHING, State.REFUSED),
    (State.UNSUPPORTED, {"settled": True, "obstacle": "no W"}, Do.NOTHING, State.UNSUPPORTED),
    (State.UNSUPPORTED, {"settled": True}, Do.NOTHING, State.PENDING),
    (State.CLEARING, {"wish": Wish.WITHDRAWN, "delivery": sent(Outcome.ACCEPTED)}, Do.CLEAR, State.CLEARING),
    (State.CLEARING, {"wish": Wish.WITHDRAWN, "delivery": sent(Outcome.OPEN)}, Do.NOTHING, State.CLEARING),
    (State.CLEARING, {"wish": Wish.WITHDRAWN, "online": False}, Do.NOTHING, State.CLEARING),
    (State.CLEARING, CLEARING, Do.READ, State.CLEARING),
    (State.CLEARING, {**CLEARING, "delivery": cleared(Outcome.REFUSED)}, Do.READ, State.CLEARING),
    (State.CLEARING, {**CLEARING, "delivery": cleared(Outcome.UNKNOWN)}, Do.READ, State.CLEARING),
    (State.CLEARING, {**CLEARING, "delivery": cleared(Outcome.NEVER_SENT)}, Do.NOTHING, State.CLEARING),
    (State.CLEARING, {**CLEARING, "reading": read(Verdict.STANDS)}, Do.NOTHING, State.CLEARED),
    (State.CLEARING, {**CLEARING, "reading": read(Verdict.HIDDEN)}, Do.NOTHING, State.CLEARED),
    (State.CLEARING, {**CLEARING, "reading": read(Verdict.UNCOMPARABLE)}, Do.NOTHING, State.CLEARED),
    (State.CLEARING, {**CLEARING, "reading": read(Verdict.MISSING)}, Do.CLEAR, State.CLEARING),
    (State.CLEARING, {**CLEARING, "reading": read(Verdict.UNANSWERED)}, Do.NOTHING, State.CLEARING),
    (State.CLEARED, {"wish": Wish.WITHDRAWN, "settled": True}, Do.NOTHING, State.CLEARED),
    (State.PENDING, {"wish": Wish.SUPERSEDED}, Do.NOTHING, State.CLEARED),
    (State.SENT, {"wish": Wish.SUPERSEDED, **ACCEPTED}, Do.NOTHING, State.ACCEPTED),
    (State.SENT, {"wish": Wish.SUPERSEDED, "delivery": sent(Outcome.REFUSED)}, Do.NOTHING, State.CLEARED),
    (State.SENT, {"wish": Wish.SUPERSEDED, "delivery": sent(Outcome.UNKNOWN)}, Do.NOTHING, State.UNKNOWN),
    (State.CONFIRMED, {"wish": Wish.SUPERSEDED, "stale": True, "settled": True}, Do.NOTHING, State.CONFIRMED),
    # a station that can list its profiles
    (State.CONFIRMED, {**BACK, "listed": Listed.NOT_ASKED}, Do.LIST, State.ACCEPTED),
    (State.CONFIRMED, {**BACK, "listed": Listed.ASKED}, Do.NOTHING, State.CONFIRMED),
    (State.CONFIRMED, {**BACK, "listed": Listed.MISSING}, Do.READ, State.ACCEPTED),
    (State.CONFIRMED, {**BACK, "listed": Listed.SILENT}, Do.READ, State.ACCEPTED),
    (State.CONFIRMED, {**BACK, "listed": Listed.NOT_ASKED, "reconnected": False}, Do.READ, State.ACCEPTED),
    (State.ACCEPTED, {**ACCEPTED, "listed": Listed.ASKED}, Do.NOTHING, State.ACCEPTED),
    (State.ACCEPTED, judged(Verdict.MISSING, Listed.NOT_ASKED), Do.LIST, State.ACCEPTED),
    (State.ACCEPTED, judged(Verdict.MISSING, Listed.ASKED), Do.NOTHING, State.ACCEPTED),
    (State.ACCEPTED, {**judged(Verdict.MISSING, Listed.NOT_ASKED), "busy": True}, Do.NOTHING, State.ACCEPTED),
    # a list is of use only where another composite may be asked for after it
    (
        State.ACCEPTED,
        {**judged(Verdict.UNCOMPARABLE, Listed.NOT_ASKED), "reads": MAX_READS},
        Do.NOTHING,
        State.ACCEPTED,
    ),
    (State.ACCEPTED, judged(Verdict.MISSING, Listed.SILENT), Do.NOTHING, State.DRIFTED),
    (State.ACCEPTED, judged(Verdict.MISSING, Listed.PRESENT), Do.NOTHING, State.DRIFTED),
    (State.ACCEPTED, judged(Verdict.HIDDEN, Listed.MISSING), Do.NOTHING, State.DRIFTED),
    (State.ACCEPTED, judged(Verdict.HIDDEN, Listed.PRESENT), Do.NOTHING, State.CONFIRMED),
    (State.ACCEPTED, judged(Verdict.STANDS, Listed.MISSING), Do.NOTHING, State.CONFIRMED),
    (State.ACCEPTED, judged(Verdict.STANDS, Listed.DIFFERENT), Do.NOTHING, State.DRIFTED),
    (State.ACCEPTED, judged(Verdict.UNCOMPARABLE, Listed.NOT_ASKED), Do.LIST, State.ACCEPTED),
    (State.ACCEPTED, judged(Verdict.UNCOMPARABLE, Listed.PRESENT), Do.NOTHING, State.CONFIRMED),
    (State.ACCEPTED, judged(Verdict.UNANSWERED, Listed.NOT_ASKED), Do.NOTHING, State.ACCEPTED),
    (State.ACCEPTED, judged(Verdict.UNANSWERED, Listed.MISSING), Do.NOTHING, State.DRIFTED),
    (
        State.UNKNOWN,
        {"sends": 1, "reading": read(Verdict.HIDDEN), "listed": Listed.PRESENT},
        Do.NOTHING,
        State.CONFIRMED,
    ),
    # by the standard, or by the operator's choice
    (State.CONFIRMED, {**gone(), "vanishes": True}, Do.NOTHING, State.PENDING),
    (State.REFUSED, {"settled": True, "new_firmware": True}, Do.NOTHING, State.PENDING),
    (State.DRIFTED, {"wish": Wish.SUPERSEDED}, Do.NOTHING, State.DRIFTED),
]


@pytest.mark.parametrize(("state", "so", "do", "after"), TABLE)
def test_the_table(state: State, so: dict[str, Any], do: Do, after: State) -> None:
    step = next_step(Progress(state, **so), NOW)

    assert (step.do, step.state) == (do, after)
    if step.state in SETTLED and step.changes:
        assert step.settled


def test_the_pauses_double_up_to_an_hour() -> None:
    assert [pause_s(done) for done in (0, 1, 2, 3, 4, 5, 20)] == [30, 30, 60, 120, 240, 480, 3600]


def test_a_refusal_keeps_the_stations_words() -> None:
    step = next_step(Progress(State.SENT, delivery=sent(Outcome.REFUSED, "Rejected: TooManyElements")), NOW)

    assert (step.because, step.words) == (Because.STATION_SAYS, "Rejected: TooManyElements")


def test_a_confirmation_gives_back_all_tries() -> None:
    progress = Progress(State.ACCEPTED, sends=4, reading=read(Verdict.STANDS))

    assert next_step(progress, NOW).sends == 0


def test_what_is_only_shown_comes_to_rest_where_it_was_found() -> None:
    shown = next_step(Progress(State.CONFIRMED, **gone(), repairs=False), NOW)
    repaired = next_step(Progress(State.CONFIRMED, **gone()), NOW)

    assert (shown.state, shown.settled) == (State.DRIFTED, True)
    assert (repaired.state, repaired.settled, repaired.wake_at) == (State.DRIFTED, False, None)


def test_a_listed_profile_that_shows_nowhere_is_not_sent_again() -> None:
    step = next_step(Progress(State.ACCEPTED, **judged(Verdict.MISSING, Listed.PRESENT)), NOW)

    assert (step.because, step.settled) == (Because.NOT_APPLIED, True)


def test_a_lost_question_is_repeated_at_once_and_then_after_pauses() -> None:
    lost = Progress(State.ACCEPTED, **ACCEPTED, reading=read(Verdict.UNANSWERED))

    assert next_step(replace(lost, reads=1), NOW).wake_at is None
    assert next_step(replace(lost, reads=2), NOW).wake_at == NOW + timedelta(seconds=60)


def test_what_was_given_up_gets_one_more_send_when_the_station_returns() -> None:
    step = next_step(Progress(State.DRIFTED, **GIVEN_UP, stale=True), NOW)

    assert (step.do, step.sends) == (Do.READ, MAX_SENDS - 1)


def test_what_never_left_the_queue_is_no_send() -> None:
    step = next_step(Progress(State.SENT, sends=3, delivery=sent(Outcome.NEVER_SENT)), NOW)

    assert (step.sends, step.wake_at) == (2, NOW + timedelta(seconds=30))


progresses = st.builds(
    Progress,
    state=st.sampled_from(State),
    wish=st.sampled_from(Wish),
    sends=st.integers(0, MAX_SENDS),
    reads=st.integers(0, MAX_READS + 1),
    wake_at=st.none() | st.integers(-60, 60).map(lambda s: NOW + timedelta(seconds=s)),
    online=st.booleans(),
    ready=st.booleans(),
    settled=st.booleans(),
    stale=st.booleans(),
    asked=st.booleans(),
    busy=st.booleans(),
    obstacle=st.sampled_from(["", "too many periods"]),
    delivery=st.none()
    | st.builds(Delivery, intent=st.sampled_from(Intent), outcome=st.sampled_from(Outcome)),
    reading=st.none() | st.builds(Reading, verdict=st.sampled_from(Verdict)),
    listed=st.sampled_from(Listed),
    reconnected=st.booleans(),
    repairs=st.booleans(),
    vanishes=st.booleans(),
    new_firmware=st.booleans(),
)


@given(progresses)
def test_every_progress_has_one_step_and_never_one_send_too_many(progress: Progress) -> None:
    step = next_step(progress, NOW)

    assert step.sends <= MAX_SENDS
    if step.do is not Do.NOTHING:
        assert progress.online
        assert step.changes
    if step.do is Do.SET:
        assert not progress.obstacle
        assert progress.wish is Wish.STANDS
        # Rule 4: an unknown outcome is never answered by sending again.
        assert progress.state is not State.UNKNOWN
    if step.do is Do.CLEAR:
        assert progress.wish is Wish.WITHDRAWN
    if progress.delivery is not None and progress.delivery.outcome is Outcome.OPEN:
        assert not step.changes


class AnyStation(RuleBasedStateMachine):
    """A station that answers as it likes, one profile, and time. Whatever it does, it comes to rest."""

    @initialize(listed=st.sampled_from([Listed.CANNOT, Listed.NOT_ASKED]), repairs=st.booleans())
    def begin(self, listed: Listed, repairs: bool) -> None:
        self.now = NOW
        self.progress = Progress(State.PENDING, listed=listed, repairs=repairs)
        self.sets = 0
        self.open_read = False
        self.open_list = False

    def go(self, reading: Reading | None = None) -> Step:
        """Steps until it waits, as dispatch does; every run of steps is short."""
        for _ in range(8):
            step = next_step(replace(self.progress, reading=reading, asked=self.open_read), self.now)
            reading = None
            if not step.changes:
                return step
            self.take(step)
        raise AssertionError("it never waits")

    def take(self, step: Step) -> None:
        self.progress = replace(
            self.progress,
            state=step.state,
            sends=step.sends,
            wake_at=step.wake_at,
            settled=step.settled,
            stale=self.progress.stale and step.do is not Do.READ,
        )
        if step.do in {Do.SET, Do.CLEAR}:
            intent = Intent.SET if step.do is Do.SET else Intent.CLEAR
            self.progress = replace(self.progress, delivery=Delivery(intent, Outcome.OPEN), reads=0)
            self.sets += step.do is Do.SET
        if step.do in {Do.SET, Do.CLEAR} and self.progress.listed is not Listed.CANNOT:
            self.progress = replace(self.progress, listed=Listed.NOT_ASKED)  # what was listed is so no longer
        if step.do is Do.READ:
            self.open_read = True
        if step.do is Do.LIST:
            self.open_list = True
            self.progress = replace(self.progress, listed=Listed.ASKED)
        if step.state is State.CONFIRMED:
            self.sets = 0

    @property
    def waits_for_answer(self) -> bool:
        delivery = self.progress.delivery
        return delivery is not None and delivery.outcome is Outcome.OPEN

    @precondition(lambda self: self.waits_for_answer)
    @rule(
        outcome=st.sampled_from(
            [Outcome.ACCEPTED, Outcome.REFUSED, Outcome.FAILED, Outcome.UNKNOWN, Outcome.NEVER_SENT]
        )
    )
    def answers(self, outcome: Outcome) -> None:
        assert self.progress.delivery is not None
        if outcome is Outcome.NEVER_SENT:
            self.sets -= self.progress.delivery.intent is Intent.SET
        self.progress = replace(self.progress, delivery=replace(self.progress.delivery, outcome=outcome))
        self.go()

    @precondition(lambda self: self.open_read)
    @rule(verdict=st.sampled_from(Verdict))
    def reports(self, verdict: Verdict) -> None:
        self.open_read = False
        self.progress = replace(self.progress, reads=self.progress.reads + 1)
        self.go(Reading(verdict))

    @precondition(lambda self: self.open_list)
    @rule(
        listed=st.sampled_from(
            [Listed.CANNOT, Listed.SILENT, Listed.PRESENT, Listed.MISSING, Listed.DIFFERENT]
        )
    )
    def lists(self, listed: Listed) -> None:
        self.open_list = False
        self.progress = replace(self.progress, listed=listed)
        self.go()

    @rule(seconds=st.sampled_from([1, 60, 4000]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        if seconds > 600 and self.progress.listed not in {Listed.CANNOT, Listed.ASKED}:
            self.progress = replace(self.progress, listed=Listed.NOT_ASKED)
        self.go()

    @precondition(lambda self: self.progress.wish is Wish.STANDS)
    @rule()
    def is_withdrawn(self) -> None:
        self.progress = replace(
            self.progress, wish=Wish.WITHDRAWN, state=State.CLEARING, sends=0, wake_at=None, settled=False
        )
        self.go()

    @invariant()
    def never_more_sends_than_allowed(self) -> None:
        assert self.sets <= MAX_SENDS
        assert self.progress.sends <= MAX_SENDS

    @invariant()
    def is_settled_or_waits_for_something(self) -> None:
        """What is neither settled nor asked of the station has a moment at which it goes on."""
        asked = self.waits_for_answer or self.open_read or self.open_list
        waits = asked or self.progress.wake_at is not None
        assert self.progress.settled or waits or self.progress.state is State.PENDING


AnyStation.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAnyStation = AnyStation.TestCase
