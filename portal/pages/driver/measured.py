"""What the power of a session itself shows: a short start, full power, pauses. Pure.

Power comes as the steps of its chart: equal stretches of time with the mean import in kW.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby, pairwise

from portal.pages.charts import Step
from portal.pages.limits import Limits
from portal.pages.metering import Sample
from portal.pages.pace import FULL_SHARE

FLOWS_KW = 0.1  # less is what a car at rest takes
# Requirement 209: power for about 30 s, at least 10 and at most 120, within a minute of plugging in.
PULSE = timedelta(seconds=10), timedelta(seconds=120)
BEGINS_WITHIN = timedelta(minutes=4)
FINELY = timedelta(seconds=15)
# Shorter than this is no stretch to tell of.
LASTS = timedelta(minutes=5)

Told = Sequence[tuple[datetime, str]]
Run = tuple[str, datetime, datetime, float]
"""full, some or none; from and until; the mean power in kW."""


def start_pulse(told: Told, samples: Sequence[Sample]) -> tuple[datetime, float] | None:
    """When the short start was, and for how many seconds: as the station told it, else as it was measured.

    Samples further apart than the shortest start say nothing of it.
    """
    for (at, status), (until, following) in pairwise(told):
        if status == "Charging" and following.startswith("Suspended") and _is_pulse(at, until):
            return at, (until - at).total_seconds()
    early = [sample for sample in samples if sample.at - samples[0].at <= BEGINS_WITHIN]
    first = next((sample.at for sample in early if sample.import_w >= 1000 * FLOWS_KW), None)
    if first is None or any(after.at - before.at > FINELY for before, after in pairwise(early)):
        return None
    until = next((each.at for each in early if each.at > first and each.import_w < 1000 * FLOWS_KW), first)
    return (first, (until - first).total_seconds()) if _is_pulse(first, until) else None


def full_power(steps: Sequence[Step], limits: Limits) -> Iterator[tuple[datetime, float]]:
    """When the car began to take all that its socket can give, with the power in kW; no profile limited it then."""
    for kind, start, end, power_kw in _runs(steps, limits):
        if kind == "full" and end - start >= LASTS:
            yield start, power_kw


def pauses(steps: Sequence[Step], limits: Limits) -> Iterator[tuple[datetime, datetime | None]]:
    """When power stopped although there was room, and came again; None: it did not."""
    has_flowed = False
    for kind, start, end, _power_kw in _runs(steps, limits):
        if kind == "none" and has_flowed and end - start >= LASTS:
            yield start, end if end < steps[-1].end else None
        has_flowed = has_flowed or kind != "none"


def _runs(steps: Sequence[Step], limits: Limits) -> Iterator[Run]:
    known = [step for step in steps if step.value is not None]
    for kind, group in groupby(known, key=lambda step: _kind(step, limits)):
        run = list(group)
        yield kind, run[0].start, run[-1].end, sum(step.value or 0.0 for step in run) / len(run)


def _kind(step: Step, limits: Limits) -> str:
    held = limits.at(step.start)
    if not _flows(step):
        return "held" if held is not None and held.limit_a == 0 else "none"
    is_free = held is not None and not held.winners
    if is_free and held is not None and 1000 * (step.value or 0.0) >= FULL_SHARE * held.limit_w:
        return "full"
    return "some"


def _flows(step: Step) -> bool:
    return step.value is not None and step.value >= FLOWS_KW


def _is_pulse(start: datetime, end: datetime) -> bool:
    return PULSE[0] <= end - start <= PULSE[1]
