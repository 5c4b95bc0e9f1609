"""Energy of a session from the registers of its outlet (rule 8 of the endpoint). Pure.

Import and export are looked at apart; a begin and an end belong together only in the same context, and phases and
other locations never come here (stations.ocpp.readings leaves them in the message).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

BEGIN, END = "Transaction.Begin", "Transaction.End"
SAMPLED = ("Sample.Periodic", "Sample.Clock")
# What a register may say more than the connection can have delivered: rounding, and clocks a little apart.
TOLERANCE_WH = 100.0


@dataclass(frozen=True, slots=True)
class RegisterReading:
    """A total of the outlet in Wh, with the context it was read in."""

    at: datetime
    context: str
    wh: float


@dataclass(frozen=True, slots=True)
class RegisterSpan:
    """What a register showed at begin and end of a session, in Wh; None is unknown."""

    start_wh: float | None = None
    end_wh: float | None = None


def register_span(
    readings: Iterable[RegisterReading], *, has_ended: bool, max_power_w: float
) -> RegisterSpan:
    """Begin and end of one register over one session.

    The readings at begin and end of the transaction; where one of them is missing after the end, the first and last
    sample of one context. A begin of 0 that the connection (`max_power_w`) contradicts is a placeholder: ignored.
    """
    ordered = sorted(readings, key=lambda reading: reading.at)
    begin = _begin(ordered, max_power_w)
    if not has_ended:
        return RegisterSpan(start_wh=begin)
    end = _end(ordered, begin)
    if begin is not None and end is not None:
        return RegisterSpan(begin, end)
    for context in SAMPLED:
        same = [reading.wh for reading in ordered if reading.context == context]
        if len(same) > 1:
            return RegisterSpan(same[0], same[-1])
    return RegisterSpan(begin, end)


def _begin(ordered: list[RegisterReading], max_power_w: float) -> float | None:
    for reading in ordered:
        if reading.context == BEGIN and not _is_placeholder(reading, ordered, max_power_w):
            return reading.wh
    return None


def _end(ordered: list[RegisterReading], begin: float | None) -> float | None:
    ends = [reading.wh for reading in ordered if reading.context == END]
    # A register does not return to 0 within a session: such an end is a placeholder too.
    said = [wh for wh in ends if wh != 0 or not begin]
    return said[-1] if said else None


def _is_placeholder(begin: RegisterReading, readings: list[RegisterReading], max_power_w: float) -> bool:
    if begin.wh != 0:
        return False
    return any(
        reading.wh > max_power_w * (reading.at - begin.at).total_seconds() / 3600 + TOLERANCE_WH
        for reading in readings
        if reading.at >= begin.at
    )
