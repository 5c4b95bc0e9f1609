"""Energy of a session from the registers of its outlet (rule 8 of the endpoint). Pure.

Import and export are looked at apart; a begin and an end belong together only in the same context, and phases and
other locations never come here (stations.ocpp.readings leaves them in the message).

A register only rises. Where one falls within a session, what the session took is not known: the fall gets a name, and
nothing is added, taken off or made whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

BEGIN, END = "Transaction.Begin", "Transaction.End"
SAMPLED = ("Sample.Periodic", "Sample.Clock")
# What a register may say more than the connection can have delivered, or less than it said before: rounding (one
# message in Wh, another in kWh with a decimal), and clocks a little apart.
TOLERANCE_WH = 100.0
# Where registers are full: a number of digits, or of bits. The smallest are those of meters that count to 1 MWh.
FULL_WH = (*(10.0**digits for digits in range(6, 13)), 2.0**31, 2.0**32)


class Fall(StrEnum):
    """How a register fell."""

    RESET = "reset"  # to near 0
    ROLLOVER = "rollover"  # it was full, and began again
    COUNTED_BACK = (
        "counted_back"  # it lost a part: what was given back was taken off, or the meter is another
    )


@dataclass(frozen=True, slots=True)
class RegisterReading:
    """A total of the outlet in Wh, with the context it was read in."""

    at: datetime
    context: str
    wh: float


@dataclass(frozen=True, slots=True)
class RegisterSpan:
    """What a register showed at begin and end of a session, in Wh; None is unknown.

    `fall` says why there is no end although readings came: the register fell within the session.
    """

    start_wh: float | None = None
    end_wh: float | None = None
    fall: Fall | None = None


def register_span(
    readings: Iterable[RegisterReading], *, has_ended: bool, max_power_w: float
) -> RegisterSpan:
    """Begin and end of one register over one session; `readings` in the order in which they came.

    The readings at begin and end of the transaction; where one of them is missing after the end, the first and last
    sample of one context. A begin of 0 that the connection (`max_power_w`) contradicts is a placeholder: ignored.
    """
    ordered, fall = _in_order(list(readings), max_power_w)
    begin = _begin(ordered, max_power_w)
    if not has_ended:
        return RegisterSpan(start_wh=begin)
    start_wh, end_wh = _pair(ordered, begin)
    if fall is None and start_wh is not None and end_wh is not None and end_wh < start_wh:
        fall = Fall.COUNTED_BACK  # by less than the tolerance, but no session takes less than nothing
    return RegisterSpan(start_wh, None, fall) if fall else RegisterSpan(start_wh, end_wh)


def could_count_wh(start: datetime, end: datetime, max_power_w: float) -> float:
    """The most by which a register rises from `start` to `end`."""
    return max_power_w * max(0.0, (end - start).total_seconds()) / 3600 + TOLERANCE_WH


def kind_of_fall(before_wh: float, after_wh: float, *, most_wh: float) -> Fall:
    """How a register came from `before_wh` down to `after_wh` while it could count `most_wh` at most."""
    if after_wh > most_wh or after_wh > before_wh / 10:
        return Fall.COUNTED_BACK
    if any(before_wh <= full and full - before_wh + after_wh <= most_wh for full in FULL_WH):
        return Fall.ROLLOVER
    return Fall.RESET


def is_placeholder(reading: RegisterReading, later: Iterable[RegisterReading], max_power_w: float) -> bool:
    """Whether its 0 says nothing: a `later` reading says more than can have been counted since."""
    return reading.wh == 0 and any(
        other.wh > could_count_wh(reading.at, other.at, max_power_w)
        for other in later
        if other.at >= reading.at
    )


def _in_order(
    arrived: list[RegisterReading], max_power_w: float
) -> tuple[list[RegisterReading], Fall | None]:
    """The readings by their own time, and how the register fell in the session.

    Messages may come in any order, so time goes before arrival. But where a clock is set back within a session it is
    time that runs the wrong way: a register that rises in the order of arrival has not fallen.
    """
    if _clock_was_set_back(arrived) and _first_fall(arrived, max_power_w) is None:
        return arrived, None
    by_time = sorted(arrived, key=lambda reading: reading.at)
    return by_time, _first_fall(by_time, max_power_w)


def _clock_was_set_back(arrived: Sequence[RegisterReading]) -> bool:
    """Whether the end came last and is not the latest, or the begin came first and is not the earliest.

    A message that is only late tells of a moment between the two.
    """
    for place, reading in enumerate(arrived):
        if reading.context == END and any(other.at > reading.at for other in arrived[:place]):
            return True
        if reading.context == BEGIN and any(other.at < reading.at for other in arrived[place + 1 :]):
            return True
    return False


def _first_fall(ordered: Sequence[RegisterReading], max_power_w: float) -> Fall | None:
    """The first fall up to the end of the transaction, against the highest value before it.

    Against the highest, so that a register which counts back a little each time is found too. A 0 is none where it
    says nothing: before a value that proves it wrong, and at the end of the transaction.
    """
    highest: RegisterReading | None = None
    for place, reading in enumerate(ordered):
        if highest is None or reading.wh > highest.wh:
            highest = reading
        elif reading.wh < highest.wh - TOLERANCE_WH and not _says_nothing(ordered, place, max_power_w):
            most_wh = could_count_wh(highest.at, reading.at, max_power_w)
            return kind_of_fall(highest.wh, reading.wh, most_wh=most_wh)
        if reading.context == END:
            break
    return None


def _says_nothing(ordered: Sequence[RegisterReading], place: int, max_power_w: float) -> bool:
    reading = ordered[place]
    ends = reading.context == END and reading.wh == 0
    return ends or is_placeholder(reading, ordered[place + 1 :], max_power_w)


def _pair(ordered: Sequence[RegisterReading], begin: float | None) -> tuple[float | None, float | None]:
    """What belongs together: begin and end, else the first and last sample of one context."""
    end = _end(ordered, begin)
    if begin is not None and end is not None:
        return begin, end
    for context in SAMPLED:
        same = [reading.wh for reading in ordered if reading.context == context]
        if len(same) > 1:
            return same[0], same[-1]
    return begin, end


def _begin(ordered: Sequence[RegisterReading], max_power_w: float) -> float | None:
    for reading in ordered:
        if reading.context == BEGIN and not is_placeholder(reading, ordered, max_power_w):
            return reading.wh
    return None


def _end(ordered: Sequence[RegisterReading], begin: float | None) -> float | None:
    ends = [reading.wh for reading in ordered if reading.context == END]
    # A register does not return to 0 within a session: such an end is a placeholder too.
    said = [wh for wh in ends if wh != 0 or not begin]
    return said[-1] if said else None
