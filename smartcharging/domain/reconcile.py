"""What to do next for one profile that should stand on a station. Pure: rows in, one step out.

Desired, sent and reported are three records. A profile goes

    pending -> sent -> accepted -> (composite read back, compared) -> confirmed
                    -> refused                                     -> drifted -> sent again, a few times
                    -> unknown (no answer) -> read back first, never blindly sent again (rule 4)
    withdrawn: clearing -> (cleared by exact id, read back) -> cleared

A 2.x station that connects again, or whose composite is not as it should be, is first asked which profiles it holds
(K09): its own list says whether one is gone, is another, or stands where the composite cannot show it. What is found
gone is repaired, or only shown, as the operator chose.

Nothing here waits: "wait" is an answer, and the next event or the minute's beat asks again. Sends and questions are
bounded; a profile that is given up is settled, visibly, with its reason, until the station connects again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from smartcharging.domain.progress import (
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
from smartcharging.domain.sayings import Words

MAX_SENDS = 5
MAX_READS = 5
FIRST_PAUSE_S = 30
LONGEST_PAUSE_S = 3600


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
    return _judge(progress, reading, now)


def _confirmed(progress: Progress, now: datetime) -> Step:
    reading = progress.reading
    if reading is not None and _tells(progress, reading):
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
    if reading.verdict is Verdict.STANDS or progress.listed is Listed.PRESENT:
        return _judge(progress, reading, now)
    if reading.verdict is Verdict.UNANSWERED:
        return _read_later(progress, now)
    if progress.sends >= MAX_SENDS:
        return _give_up(progress)
    wake_at = now + timedelta(seconds=pause_s(progress.sends))
    return _to(progress, State.PENDING, Because.NO_ANSWER, wake_at=wake_at)


def _at_rest(progress: Progress, now: datetime) -> Step:
    return _wait(progress)


def _refused(progress: Progress, now: datetime) -> Step:
    """Other firmware may take what the old one refused: it is asked once more."""
    if not progress.new_firmware:
        return _wait(progress)
    return replace(_to(progress, State.PENDING, Because.NEW_FIRMWARE), sends=0)


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
    State.CLEARING: _at_rest,
    State.CLEARED: _at_rest,
}


def _tells(progress: Progress, reading: Reading) -> bool:
    """Whether composite and list together say something of this profile."""
    has_word = progress.listed in {Listed.PRESENT, Listed.MISSING, Listed.DIFFERENT}
    return has_word or reading.verdict not in {Verdict.UNCOMPARABLE, Verdict.UNANSWERED}


def _judge(progress: Progress, reading: Reading, now: datetime) -> Step:
    """What the composite and, where there is one, the station's own list say together."""
    verdict, listed = reading.verdict, progress.listed
    if listed is Listed.DIFFERENT:
        return _drift(progress, now, Because.LISTED_OTHER, progress.listed_words)
    if verdict is Verdict.STANDS:
        # What shows has its effect, also where the list forgets to name it.
        because = Because.SHOWN_NOT_LISTED if listed is Listed.MISSING else Because.NONE
        return _confirm(progress, because)
    if listed is Listed.MISSING:
        shown = reading.words if verdict is Verdict.MISSING else ""
        return _drift(progress, now, Because.NOT_LISTED, shown)
    if listed is Listed.PRESENT:
        return _judge_listed(progress, reading)
    if verdict is Verdict.HIDDEN:
        return _confirm(progress, Because.HIDDEN)
    may_list = listed in {Listed.NOT_ASKED, Listed.ASKED} and progress.reads < MAX_READS
    if may_list and verdict is not Verdict.UNANSWERED:
        return _list_first(progress, reading)
    if verdict is Verdict.MISSING:
        return _drift(progress, now, Because.DIFFERS, reading.words)
    return _read_later(progress, now)


def _judge_listed(progress: Progress, reading: Reading) -> Step:
    """It is installed, by the station's own word."""
    if reading.verdict is Verdict.HIDDEN:
        return _confirm(progress, Because.LISTED_HIDDEN)
    if reading.verdict is Verdict.MISSING:  # to send again what stands there would change nothing
        return _settle(progress, State.DRIFTED, Because.NOT_APPLIED, reading.words)
    return _confirm(progress, Because.LISTED, reading.words)


def _list_first(progress: Progress, reading: Reading) -> Step:
    """Ask the station what it holds before anything is concluded; the composite is read again after that."""
    because = Because.DIFFERS if reading.verdict is Verdict.MISSING else Because.UNCOMPARABLE
    step = _to(progress, State.ACCEPTED, because, reading.words)
    may_ask = progress.listed is Listed.NOT_ASKED and progress.online and not progress.busy
    return replace(step, do=Do.LIST) if may_ask else step


def _confirm(progress: Progress, because: Because = Because.NONE, words: Words = "") -> Step:
    return replace(_settle(progress, State.CONFIRMED, because, words), sends=0)


def _drift(progress: Progress, now: datetime, because: Because, words: Words = "") -> Step:
    # Nothing was sent since it was last confirmed: the repair need not wait.
    wake_at = now + timedelta(seconds=pause_s(progress.sends)) if progress.sends else None
    if progress.vanishes and progress.sends < MAX_SENDS:
        return _to(progress, State.PENDING, Because.VANISHED, wake_at=wake_at)
    if progress.sends >= MAX_SENDS or not progress.repairs:
        return _settle(progress, State.DRIFTED, because, words)
    return _to(progress, State.DRIFTED, because, words, wake_at=wake_at)


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
    if progress.asked or progress.busy or not progress.online or progress.listed is Listed.ASKED:
        return _wait(progress)
    if not progress.stale and (progress.settled or progress.reads >= MAX_READS):
        return _wait(progress)
    if not progress.stale and progress.sleeps(now):
        return _wait(progress)
    lists_first = progress.reconnected and progress.listed is Listed.NOT_ASKED
    return Step(Do.LIST if lists_first else Do.READ, state, progress.sends)


def _read_later(progress: Progress, now: datetime) -> Step:
    """A read is harmless and simply repeated (rule 4), less and less often."""
    reading = progress.reading
    words = reading.words if reading else ""
    because = Because.NO_ANSWER if reading and reading.verdict is Verdict.UNANSWERED else Because.UNCOMPARABLE
    if progress.reads >= MAX_READS:
        return _settle(progress, progress.state, because, words)
    # The first that got lost is asked again at once: a pause is for a station that stays silent.
    lost_one = because is Because.NO_ANSWER and progress.reads <= 1
    wake_at = None if lost_one else now + timedelta(seconds=pause_s(progress.reads))
    return _to(progress, progress.state, because, words, wake_at=wake_at)


def _once_more(progress: Progress, now: datetime, state: State) -> Step:
    """Given up; but the station came back, which earns one more look and at most one more send."""
    if not progress.stale:
        return _wait(progress)
    step = _read(progress, now, state)
    return replace(step, sends=min(progress.sends, MAX_SENDS - 1)) if step.changes else step


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
    words: Words = "",
    *,
    wake_at: datetime | None = None,
) -> Step:
    return Step(Do.NOTHING, state, progress.sends, wake_at=wake_at, because=because, words=words)


def _settle(progress: Progress, state: State, because: Because = Because.NONE, words: Words = "") -> Step:
    return replace(_to(progress, state, because, words), settled=True)


def _wait(progress: Progress) -> Step:
    step = Step(Do.NOTHING, progress.state, progress.sends, progress.wake_at, progress.settled)
    return replace(step, changes=False)
