"""What to do next for one profile that should stand on a station. Pure: rows in, one step out.

Desired, sent and reported are three records. A profile goes

    pending -> sent -> accepted -> (composite read back, compared) -> confirmed
                    -> refused                                     -> drifted -> sent again, a few times
                    -> unknown (no answer) -> read back first, never blindly sent again (rule 4)
    withdrawn: clearing -> (cleared by exact id, read back) -> cleared

Nothing here waits: "wait" is an answer, and the next event or the minute's beat asks again. Sends and questions are
bounded; a profile that is given up is settled, visibly, with its reason, until the station connects again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

MAX_SENDS = 5
MAX_READS = 5
FIRST_PAUSE_S = 30
LONGEST_PAUSE_S = 3600


class State(StrEnum):
    """How far a desired profile has come: the values of DesiredProfile.State."""

    PENDING = "pending"
    SENT = "sent"
    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    DRIFTED = "drifted"
    UNSUPPORTED = "unsupported"
    CLEARING = "clearing"
    CLEARED = "cleared"


SETTLED = frozenset({State.CONFIRMED, State.REFUSED, State.UNSUPPORTED, State.CLEARED})


class Wish(StrEnum):
    """What is wanted of the profile now."""

    STANDS = "stands"
    SUPERSEDED = "superseded"  # a newer version has the same id: the station replaces it by itself
    WITHDRAWN = "withdrawn"


class Intent(StrEnum):
    SET = "set"
    CLEAR = "clear"


class Outcome(StrEnum):
    """How a command ended."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    FAILED = "failed"  # a CALLERROR that may pass
    IMPOSSIBLE = "impossible"  # a CALLERROR that will not: NotImplemented, NotSupported
    UNKNOWN = "unknown"  # no answer: it may or may not have happened
    NEVER_SENT = "never_sent"  # expired or cancelled while it waited


class Verdict(StrEnum):
    """What a composite that was read back says about this profile."""

    STANDS = "stands"  # the composite is as it should be, and shows this profile
    HIDDEN = "hidden"  # the composite is as it should be; a lower limit covers this profile
    MISSING = "missing"  # the composite is not as it should be, and this profile may be why
    UNCOMPARABLE = "uncomparable"  # answered, but a legal reading of the standard explains it too
    UNANSWERED = "unanswered"


class Because(StrEnum):
    """Why a profile is where it is; worded for people elsewhere."""

    NONE = ""
    OBSTACLE = "obstacle"  # the station's own capabilities
    STATION_SAYS = "station_says"  # its words stand beside it
    NO_ANSWER = "no_answer"
    NOT_SENT = "not_sent"
    HIDDEN = "hidden"
    DIFFERS = "differs"
    UNCOMPARABLE = "uncomparable"
    GAVE_UP = "gave_up"
    REPLACED = "replaced"
    NEVER_THERE = "never_there"


class Do(StrEnum):
    NOTHING = "nothing"
    SET = "set"
    CLEAR = "clear"
    READ = "read"  # ask for the composite schedule


@dataclass(frozen=True, slots=True)
class Delivery:
    """The last command sent for the profile. `words` are the station's."""

    intent: Intent
    outcome: Outcome
    words: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was just read back, as far as this profile goes; judged once, when it comes in."""

    verdict: Verdict
    words: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """All that decides the next step of one profile.

    `sends`: sets since it was last confirmed, or clears since it was withdrawn. `reads`: answers to our question
    since the last delivery or connection. `settled`: at its end, or given up. `stale`: the station connected, booted
    or began a session since then. `ready`: capabilities are known, or were waited for long enough. `obstacle`: what
    they have against it. `asked`: a composite question that covers it is open. `busy`: other profiles are on their
    way to the station, so that a composite asked now would be overtaken.
    """

    state: State
    wish: Wish = Wish.STANDS
    sends: int = 0
    reads: int = 0
    wake_at: datetime | None = None
    online: bool = True
    ready: bool = True
    settled: bool = False
    stale: bool = False
    asked: bool = False
    busy: bool = False
    obstacle: str = ""
    delivery: Delivery | None = None
    reading: Reading | None = None

    def sleeps(self, now: datetime) -> bool:
        return self.wake_at is not None and self.wake_at > now


@dataclass(frozen=True, slots=True)
class Step:
    """The next step: what to ask of the station, and how the profile stands once that is asked."""

    do: Do
    state: State
    sends: int
    wake_at: datetime | None = None
    settled: bool = False
    because: Because = Because.NONE
    words: str = ""
    changes: bool = True


def next_step(progress: Progress, now: datetime) -> Step:
    """The one next step. `changes` is False where there is nothing to do and nothing to write down."""
    if progress.delivery is not None and progress.delivery.outcome is Outcome.OPEN:
        return _wait(progress)
    if progress.wish is Wish.SUPERSEDED:
        return _superseded(progress)
    if progress.wish is Wish.WITHDRAWN:
        return _withdrawn(progress, now)
    return _STANDING[progress.state](progress, now)


def pause_s(done: int) -> int:
    """Seconds to wait after the `done`-th try (from 1): 30, 60, 120, ... at most an hour."""
    return int(min(FIRST_PAUSE_S * 2 ** max(0, done - 1), LONGEST_PAUSE_S))


# ------------------------------------------------------------------------------------------------ a wish that stands


def _pending(progress: Progress, now: datetime) -> Step:
    return _send(progress, now, Do.SET)


def _sent(progress: Progress, now: datetime) -> Step:
    delivery = progress.delivery
    if delivery is None or delivery.outcome is Outcome.NEVER_SENT:
        return _not_sent(progress, now, State.PENDING)
    if delivery.outcome is Outcome.ACCEPTED:
        return _to(progress, State.ACCEPTED)
    final = delivery.outcome is Outcome.FAILED and progress.sends >= MAX_SENDS
    if final or delivery.outcome in {Outcome.REFUSED, Outcome.IMPOSSIBLE}:
        return _settle(progress, State.REFUSED, Because.STATION_SAYS, delivery.words)
    because = Because.NO_ANSWER if delivery.outcome is Outcome.UNKNOWN else Because.STATION_SAYS
    return _to(progress, State.UNKNOWN, because, delivery.words)


def _accepted(progress: Progress, now: datetime) -> Step:
    reading = progress.reading
    if reading is None:
        return _read(progress, now, State.ACCEPTED)
    if reading.verdict in {Verdict.UNCOMPARABLE, Verdict.UNANSWERED}:
        return _read_later(progress, now)
    return _judge(progress, reading, now)


def _confirmed(progress: Progress, now: datetime) -> Step:
    reading = progress.reading
    if reading is not None and reading.verdict not in {Verdict.UNCOMPARABLE, Verdict.UNANSWERED}:
        return _judge(progress, reading, now)
    # After a boot or a new connection what was true may be so no longer.
    return _read(progress, now, State.ACCEPTED) if progress.stale else _wait(progress)


def _drifted(progress: Progress, now: datetime) -> Step:
    if progress.reading is not None:
        return _accepted(progress, now)
    if progress.settled:
        return _once_more(progress, now, State.ACCEPTED)
    return _send(progress, now, Do.SET)


def _unknown(progress: Progress, now: datetime) -> Step:
    """Rule 4: a write whose answer never came is read back before it is sent again."""
    reading, delivery = progress.reading, progress.delivery
    if delivery and delivery.outcome in {Outcome.ACCEPTED, Outcome.REFUSED, Outcome.IMPOSSIBLE}:
        return _sent(progress, now)  # an answer that came late still counts
    if reading is None:
        look = _once_more if progress.settled else _read
        return look(progress, now, State.UNKNOWN)
    if reading.verdict is Verdict.STANDS:
        return _judge(progress, reading, now)
    if reading.verdict is Verdict.UNANSWERED:
        return _read_later(progress, now)
    if progress.sends >= MAX_SENDS:
        return _give_up(progress)
    wake_at = now + timedelta(seconds=pause_s(progress.sends))
    return _to(progress, State.PENDING, Because.NO_ANSWER, wake_at=wake_at)


def _refused(progress: Progress, now: datetime) -> Step:
    return _wait(progress)


def _unsupported(progress: Progress, now: datetime) -> Step:
    """Newly read capabilities may have room for it."""
    if progress.obstacle or not progress.ready:
        return _wait(progress)
    return replace(_to(progress, State.PENDING), sends=0)


_STANDING = {
    State.PENDING: _pending,
    State.SENT: _sent,
    State.ACCEPTED: _accepted,
    State.CONFIRMED: _confirmed,
    State.REFUSED: _refused,
    State.UNKNOWN: _unknown,
    State.DRIFTED: _drifted,
    State.UNSUPPORTED: _unsupported,
    State.CLEARING: _refused,
    State.CLEARED: _refused,
}


def _judge(progress: Progress, reading: Reading, now: datetime) -> Step:
    if reading.verdict is Verdict.STANDS:
        return replace(_settle(progress, State.CONFIRMED), sends=0)
    if reading.verdict is Verdict.HIDDEN:
        return replace(_settle(progress, State.CONFIRMED, Because.HIDDEN), sends=0)
    if progress.sends >= MAX_SENDS:
        return _settle(progress, State.DRIFTED, Because.DIFFERS, reading.words)
    # Nothing was sent since it was last confirmed: the repair need not wait.
    wake_at = now + timedelta(seconds=pause_s(progress.sends)) if progress.sends else None
    return _to(progress, State.DRIFTED, Because.DIFFERS, reading.words, wake_at=wake_at)


# ----------------------------------------------------------------------------------------- a wish that stands no more


def _superseded(progress: Progress) -> Step:
    """The newer version replaces it on the station; until that is accepted, this one may still stand there."""
    if progress.state is State.PENDING:
        return _settle(progress, State.CLEARED, Because.REPLACED)
    if progress.state is not State.SENT:
        return _wait(progress)
    outcome = progress.delivery.outcome if progress.delivery else Outcome.NEVER_SENT
    if outcome is Outcome.ACCEPTED:
        return _to(progress, State.ACCEPTED)
    if outcome in {Outcome.UNKNOWN, Outcome.FAILED}:
        return _settle(progress, State.UNKNOWN, Because.NO_ANSWER)
    return _settle(progress, State.CLEARED, Because.REPLACED)


def _withdrawn(progress: Progress, now: datetime) -> Step:
    if progress.state is not State.CLEARING:
        return _wait(progress)
    delivery = progress.delivery
    if delivery is None or delivery.intent is Intent.SET:
        return _send(progress, now, Do.CLEAR)
    if delivery.outcome is Outcome.NEVER_SENT:
        if progress.wake_at is None:
            return _not_sent(progress, now, State.CLEARING)
        return _send(progress, now, Do.CLEAR)
    if progress.reading is not None:
        return _cleared_or_again(progress, progress.reading, delivery, now)
    if progress.settled:
        return _once_more(progress, now, State.CLEARING)
    return _read(progress, now, State.CLEARING)


def _cleared_or_again(progress: Progress, reading: Reading, delivery: Delivery, now: datetime) -> Step:
    if reading.verdict in {Verdict.STANDS, Verdict.HIDDEN}:  # the composite is as it should be without it
        return _settle(progress, State.CLEARED)
    if reading.verdict is Verdict.UNANSWERED:
        return _read_later(progress, now)
    answered = delivery.outcome in {Outcome.ACCEPTED, Outcome.REFUSED}  # refused: "Unknown", it is not there
    if reading.verdict is Verdict.UNCOMPARABLE and answered:
        return _settle(progress, State.CLEARED, Because.UNCOMPARABLE, reading.words)
    if progress.sends >= MAX_SENDS:
        return _give_up(progress)
    return _send(replace(progress, wake_at=None), now, Do.CLEAR)


# --------------------------------------------------------------------------------------------------------- the steps


def _send(progress: Progress, now: datetime, do: Do) -> Step:
    """Send it now, or say why not."""
    if do is Do.SET and progress.obstacle:
        return _settle(progress, State.UNSUPPORTED, Because.OBSTACLE, progress.obstacle)
    if progress.sends >= MAX_SENDS:
        return _wait(progress) if progress.settled else _give_up(progress)
    if not progress.online or progress.sleeps(now) or (do is Do.SET and not progress.ready):
        return _wait(progress)
    state = State.SENT if do is Do.SET else State.CLEARING
    return Step(do, state, progress.sends + 1)


def _read(progress: Progress, now: datetime, state: State) -> Step:
    if progress.asked or progress.busy or not progress.online:
        return _wait(progress)
    if not progress.stale and (progress.settled or progress.reads >= MAX_READS):
        return _wait(progress)
    if not progress.stale and progress.sleeps(now):
        return _wait(progress)
    return Step(Do.READ, state, progress.sends)


def _read_later(progress: Progress, now: datetime) -> Step:
    """A read is harmless and simply repeated (rule 4), less and less often."""
    reading = progress.reading
    words = reading.words if reading else ""
    because = Because.NO_ANSWER if reading and reading.verdict is Verdict.UNANSWERED else Because.UNCOMPARABLE
    if progress.reads >= MAX_READS:
        return _settle(progress, progress.state, because, words)
    wake_at = now + timedelta(seconds=pause_s(progress.reads))
    return _to(progress, progress.state, because, words, wake_at=wake_at)


def _once_more(progress: Progress, now: datetime, state: State) -> Step:
    """Given up; but the station came back, which earns one more look and at most one more send."""
    if not progress.stale:
        return _wait(progress)
    step = _read(progress, now, state)
    return replace(step, sends=min(progress.sends, MAX_SENDS - 1)) if step.do is Do.READ else step


def _not_sent(progress: Progress, now: datetime, state: State) -> Step:
    """It waited in the queue and never left: that was no send."""
    wake_at = now + timedelta(seconds=FIRST_PAUSE_S)
    step = _to(progress, state, Because.NOT_SENT, wake_at=wake_at)
    return replace(step, sends=max(0, progress.sends - 1))


def _give_up(progress: Progress) -> Step:
    state = State.UNKNOWN if progress.state is State.PENDING else progress.state
    return _settle(progress, state, Because.GAVE_UP)


def _to(
    progress: Progress,
    state: State,
    because: Because = Because.NONE,
    words: str = "",
    *,
    wake_at: datetime | None = None,
) -> Step:
    return Step(Do.NOTHING, state, progress.sends, wake_at=wake_at, because=because, words=words)


def _settle(progress: Progress, state: State, because: Because = Because.NONE, words: str = "") -> Step:
    return replace(_to(progress, state, because, words), settled=True)


def _wait(progress: Progress) -> Step:
    step = Step(Do.NOTHING, progress.state, progress.sends, progress.wake_at, progress.settled)
    return replace(step, changes=False)
