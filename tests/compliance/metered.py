"""A meter with habits: samples of a session in which a car charges, rests and discharges, and what a station makes of
them. Computed here step by step, with nothing of the check."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from portal.compliance.checks.registers_samples import Sample

START = dt.datetime(2026, 6, 30, 18, 0, tzinfo=dt.UTC)
PERIODIC = "Sample.Periodic"

# (minutes, W): what flows; positive into the car.
V2G = ((40, 7000.0), (10, 0.0), (90, -5000.0), (10, 0.0))
Change = Callable[[list[Sample]], list[Sample]]


def metered(
    phases: Iterable[tuple[float, float]] = V2G,
    *,
    every_s: int = 60,
    import_wh: float = 5_432_100.0,
    export_wh: float = 987_600.0,
    transaction: str = "7",
    soc: float | None = None,
) -> list[Sample]:
    """What a good station tells: each direction in its own register, power with import and export apart."""
    samples = []
    at, number = START, 0
    for minutes, power_w in phases:
        for _ in range(round(minutes * 60 / every_s)):
            samples.append(_sample(at, power_w, import_wh, export_wh, transaction, soc, number))
            flowed = power_w * every_s / 3600
            import_wh += max(flowed, 0.0)
            export_wh += max(-flowed, 0.0)
            soc = None if soc is None else soc + flowed / 600
            at += dt.timedelta(seconds=every_s)
            number += 1
    samples.append(_sample(at, 0.0, import_wh, export_wh, transaction, soc, number))
    return samples


def _sample(
    at: dt.datetime,
    power_w: float,
    import_wh: float,
    export_wh: float,
    transaction: str,
    soc: float | None,
    number: int,
) -> Sample:
    return Sample(
        at=at,
        received_at=at + dt.timedelta(seconds=1),
        transaction=transaction,
        context=PERIODIC,
        import_wh=round(import_wh, 1),
        export_wh=round(export_wh, 1),
        import_w=max(power_w, 0.0),
        export_w=max(-power_w, 0.0),
        soc=soc,
        message_id=f"m{number}",
    )


# ---------------------------------------------------------------- what stations make of it
def each(change: Callable[[Sample], Sample]) -> Change:
    return lambda samples: [change(sample) for sample in samples]


def negative_power(sample: Sample) -> Sample:
    """What goes back is a negative import, and nothing else is said of export."""
    return replace(sample, import_w=(sample.import_w or 0) - (sample.export_w or 0), export_w=None)


def single_register(samples: list[Sample]) -> list[Sample]:
    """The export register is there, and never moves."""
    return [negative_power(replace(sample, export_wh=0.0)) for sample in samples]


def netted(samples: list[Sample]) -> list[Sample]:
    """One register, which counts back."""
    first = samples[0].export_wh or 0.0
    return [
        replace(
            sample,
            import_wh=round((sample.import_wh or 0) - (sample.export_wh or 0) + first, 1),
            export_wh=0.0,
        )
        for sample in samples
    ]


def one_that_exports(samples: list[Sample]) -> list[Sample]:
    """One register as well, but it is the export register that counts back."""
    first = samples[0].import_wh or 0.0
    return [
        replace(
            sample,
            import_wh=0.0,
            export_wh=round((sample.export_wh or 0) - (sample.import_wh or 0) + first, 1),
        )
        for sample in samples
    ]


def absolute(samples: list[Sample]) -> list[Sample]:
    """One register, which adds up both directions."""
    first = samples[0].export_wh or 0.0
    return [
        replace(
            sample,
            import_wh=round((sample.import_wh or 0) + (sample.export_wh or 0) - first, 1),
            export_wh=0.0,
        )
        for sample in samples
    ]


def whole_kwh(sample: Sample) -> Sample:
    return replace(
        sample,
        import_wh=(sample.import_wh or 0) // 1000 * 1000,
        export_wh=(sample.export_wh or 0) // 1000 * 1000,
    )


def latched(samples: list[Sample], minutes: int = 15) -> list[Sample]:
    """Registers are brought up to date each quarter-hour, power at once."""
    kept, told = samples[0], []
    for sample in samples:
        if sample.at - kept.at >= dt.timedelta(minutes=minutes):
            kept = sample
        told.append(replace(sample, import_wh=kept.import_wh, export_wh=kept.export_wh))
    return told


def late(samples: list[Sample]) -> list[Sample]:
    """Registers as at the begin until the very end, where the transaction tells both."""
    first, last = samples[0], samples[-1]
    told = [replace(s, import_wh=first.import_wh, export_wh=first.export_wh) for s in samples]
    return [*told, replace(last, context="Transaction.End", at=last.at + dt.timedelta(seconds=1))]


def without(*names: str) -> Change:
    nothing: dict[str, Any] = dict.fromkeys(names)
    return each(lambda sample: replace(sample, **nothing))


def shifted_from(minute: int, *, import_wh: float = 0.0, export_wh: float = 0.0) -> Change:
    """From `minute` on another meter stands there, which shows so much more (or less)."""

    def change(sample: Sample) -> Sample:
        if sample.at < START + dt.timedelta(minutes=minute):
            return sample
        return replace(
            sample,
            import_wh=(sample.import_wh or 0) + import_wh,
            export_wh=(sample.export_wh or 0) + export_wh,
        )

    return each(change)


def clock_back(samples: list[Sample], minute: int = 80, hours: int = 1) -> list[Sample]:
    """In the middle of the discharge the station's clock is set back."""
    turn = START + dt.timedelta(minutes=minute)
    back = dt.timedelta(hours=hours, seconds=7)
    return [s if s.at < turn else replace(s, at=s.at - back, received_at=s.received_at) for s in samples]


def told_late(samples: list[Sample]) -> list[Sample]:
    """All of it through the socket a week later, in its order."""
    week = dt.timedelta(days=7)
    return [
        replace(s, received_at=START + week + dt.timedelta(milliseconds=20 * number))
        for number, s in enumerate(samples)
    ]


def standby(watt: float) -> Change:
    """The meter also counts what the station uses itself, in either direction."""

    def change(sample: Sample) -> Sample:
        used = watt * (sample.at - START).total_seconds() / 3600
        return replace(sample, import_wh=round((sample.import_wh or 0) + used, 1))

    return each(change)


def flapping(samples: list[Sample]) -> list[Sample]:
    """Frequency response: the power turns each few seconds, and half of what goes out comes in again."""
    first = samples[0].export_wh or 0.0
    return [
        replace(s, import_wh=round((s.import_wh or 0) + ((s.export_wh or 0) - first) / 2, 1)) for s in samples
    ]


def mislabelled(sample: Sample) -> Sample:
    """Charging is called export, in power and in register."""
    return replace(
        sample,
        import_w=sample.export_w,
        export_w=sample.import_w,
        import_wh=0.0,
        export_wh=sample.import_wh,
    )


def chain(*changes: Change) -> Change:
    def change(samples: list[Sample]) -> list[Sample]:
        for one in changes:
            samples = one(samples)
        return samples

    return change
