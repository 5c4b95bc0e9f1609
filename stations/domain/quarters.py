"""A quarter of an hour of one EVSE, from its readings. Pure.

The energy of a quarter is what the register said last at its end less what it said last at its start, so that the
quarters of a day add up to what the register rose in it. Nothing is drawn between two readings: what was not read in
time is not known, unless the register says the same as before. Quarters begin on the hour in UTC, so a local day of
23 or 25 hours has 92 or 100 of them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Literal, NamedTuple

from stations.domain.registers import TOLERANCE_WH, Fall, could_count_wh, kind_of_fall

QUARTER = timedelta(minutes=15)
# A register stays known for this long: a quarter-hour meter may be some seconds late.
HOLDS = QUARTER + timedelta(seconds=30)
# In one context a register falls by a Wh or it does not; between two of them it may have been rounded.
SLACK_WH = 1.0
# Of these the first that tells is taken; then all readings together.
CONTEXTS = ("Sample.Clock", "Sample.Periodic")

_at = attrgetter("at")


class Reading(NamedTuple):
    """What an EVSE measured at one moment: registers in Wh, powers in W, None where not sent."""

    at: datetime
    context: str
    import_wh: float | None
    export_wh: float | None
    import_w: float | None
    export_w: float | None


@dataclass(frozen=True, slots=True)
class Energy:
    """What a register rose in a quarter; None is unknown, and `fall` says where that is because it fell."""

    wh: float | None = None
    fall: Fall | None = None


@dataclass(frozen=True, slots=True)
class Quarter:
    """Energy and power of one EVSE from `start` on; `context` is empty where readings of several were needed."""

    start: datetime
    context: str
    imported: Energy
    exported: Energy
    max_import_w: float | None
    mean_import_w: float | None
    max_export_w: float | None
    mean_export_w: float | None
    samples: int
    import_reads: int
    export_reads: int


def quarter_of(at: datetime) -> datetime:
    """The start of the quarter that `at` (UTC) is in."""
    return at.replace(minute=at.minute - at.minute % 15, second=0, microsecond=0)


def quarters_touched(at: datetime) -> tuple[datetime, ...]:
    """The quarters that a reading at this moment says something of; one on the border closes the quarter before."""
    own = quarter_of(at)
    return (own,) if at != own else (own, own - QUARTER)


def roll_up(readings: Sequence[Reading], start: datetime, *, max_power_w: float) -> Quarter | None:
    """The quarter from `start` on; `readings` ascend in time, from the last one of each register before it.

    None where nothing was read in it. `max_power_w` is what the connection can deliver.
    """
    own = readings[
        bisect_right(readings, start - timedelta(microseconds=1), key=_at) : bisect_right(
            readings, start + QUARTER - timedelta(microseconds=1), key=_at
        )
    ]
    if not own:
        return None
    context, imported, exported = _energies(readings, start, max_power_w)
    imports = [reading.import_w for reading in own if reading.import_w is not None]
    exports = [reading.export_w for reading in own if reading.export_w is not None]
    return Quarter(
        start=start,
        context=context,
        imported=imported,
        exported=exported,
        max_import_w=max(imports, default=None),
        mean_import_w=_mean(imports),
        max_export_w=max(exports, default=None),
        mean_export_w=_mean(exports),
        samples=len(own),
        import_reads=len(_values(own, "import")),
        export_reads=len(_values(own, "export")),
    )


def _energies(readings: Sequence[Reading], start: datetime, max_power_w: float) -> tuple[str, Energy, Energy]:
    for context in CONTEXTS:
        same = [reading for reading in readings if reading.context == context]
        imported = _energy(_values(same, "import"), start, max_power_w, SLACK_WH)
        if imported.wh is not None or imported.fall:
            return context, imported, _energy(_values(same, "export"), start, max_power_w, SLACK_WH)
    imported = _energy(_values(readings, "import"), start, max_power_w, TOLERANCE_WH)
    return "", imported, _energy(_values(readings, "export"), start, max_power_w, TOLERANCE_WH)


def _values(
    readings: Iterable[Reading], register: Literal["import", "export"]
) -> list[tuple[datetime, float]]:
    if register == "import":
        return [(reading.at, reading.import_wh) for reading in readings if reading.import_wh is not None]
    return [(reading.at, reading.export_wh) for reading in readings if reading.export_wh is not None]


def _energy(
    values: Sequence[tuple[datetime, float]], start: datetime, max_power_w: float, slack_wh: float
) -> Energy:
    first = bisect_right(values, start, key=lambda value: value[0])
    last = bisect_right(values, start + QUARTER, key=lambda value: value[0])
    within = values[first:last]
    if not first or not within:
        return Energy()
    base_at, base_wh = values[first - 1]
    if start - base_at > HOLDS and within[0][1] != base_wh:
        return Energy()  # it rose in a time that nobody knows of
    top_at, top_wh = base_at, base_wh
    for at, wh in within:
        if wh <= top_wh - slack_wh:
            most_wh = could_count_wh(top_at, at, max_power_w)
            return Energy(fall=kind_of_fall(top_wh, wh, most_wh=most_wh))
        if wh >= top_wh:
            top_at, top_wh = at, wh
    return Energy(within[-1][1] - base_wh)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
