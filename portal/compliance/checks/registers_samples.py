"""What the check of requirement 211 looks at: samples of one EVSE, and what belongs together among them. Pure.

Power has a sign here: positive flows into the car, negative flows out of it. Registers are in Wh.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, pairwise
from typing import Any, Literal

Direction = Literal["in", "out", "none", "unknown"]
Register = Literal["import", "export"]
Triple = tuple[float | None, float | None, float | None]

# OCPP 2.0.1, ReadingContextEnumType; 1.6, 7.33. What a meter said in between, taken the same way each time.
SAMPLED = frozenset({"Sample.Periodic", "Sample.Clock", "Trigger"})
LINE_V = 230.0
# Less than this is no flow: what electronics use, and the noise of a meter.
FLOWS_W = 100.0
FLOWS_A = 0.5
# Samples further apart than a quarter-hour and some delay say nothing of what was in between.
GAP_S = 20 * 60
RESOLUTIONS_WH = (1000.0, 100.0, 10.0, 1.0)
FINEST_WH = 0.1
# A register may waver by its last digit: that is no fall.
JITTER_WH = 1.0


@dataclass(frozen=True, slots=True)
class Sample:
    """What a station measured at one moment in one context; None is "not sent".

    Powers in W and currents in A (L1, L2, L3) as the station named them, import and export apart.
    """

    at: datetime
    received_at: datetime
    transaction: str
    context: str
    import_wh: float | None = None
    export_wh: float | None = None
    import_w: float | None = None
    export_w: float | None = None
    import_a: Triple = (None, None, None)
    export_a: Triple = (None, None, None)
    soc: float | None = None
    message_id: str = ""

    @property
    def power_w(self) -> float | None:
        """With its sign; None where it was not sent or contradicts itself."""
        inward, outward = self.import_w, self.export_w
        if inward is None and outward is None:
            return self._power_of_currents()
        # Some stations write energy that goes back as a negative import (and the other way round).
        one, other = inward or 0.0, -(outward or 0.0)
        if one * other < 0 and min(abs(one), abs(other)) > 0.05 * max(abs(one), abs(other)):
            return None
        return one if abs(one) >= abs(other) else other

    def _power_of_currents(self) -> float | None:
        """Of currents only what flows out tells: an RMS value has no sign, so a positive import may be either."""
        out_a = [-amperes for amperes in self.import_a if amperes is not None and amperes < -FLOWS_A]
        out_a += [amperes for amperes in self.export_a if amperes is not None and amperes > FLOWS_A]
        return -LINE_V * sum(out_a) if out_a else None

    @property
    def flow(self) -> Direction:
        power_w = self.power_w
        if power_w is None:
            return "unknown"
        if abs(power_w) < FLOWS_W:
            return "none"
        return "in" if power_w > 0 else "out"

    def register(self, name: Register) -> float | None:
        return self.import_wh if name == "import" else self.export_wh


# ---------------------------------------------------------------- what belongs together
def runs(samples: Iterable[Sample]) -> Iterator[list[Sample]]:
    """Samples that may be compared: one transaction and context, in the order in which they came, without a gap.

    Rule 8 of registers: contexts are never mixed. A station that restarts its registers for each transaction is not
    measured across them. A moment that came before its predecessor is another clock, or a queue that was told late.
    """
    wanted = sorted(
        (sample for sample in samples if sample.context in SAMPLED),
        key=lambda sample: (sample.transaction, sample.context, sample.at),
    )
    for _key, series in groupby(wanted, key=lambda sample: (sample.transaction, sample.context)):
        run: list[Sample] = []
        for sample in series:
            if run and not _follows(run[-1], sample):
                yield run
                run = []
            run.append(sample)
        yield run


def _follows(before: Sample, after: Sample) -> bool:
    return after.received_at >= before.received_at and seconds(before, after) <= GAP_S


def stretches(run: Sequence[Sample], direction: Direction) -> Iterator[list[Sample]]:
    """The parts of `run` in which every sample says `direction`, of two samples or more."""
    for flow, part in groupby(run, key=lambda sample: sample.flow):
        found = list(part)
        if flow == direction and len(found) > 1:
            yield found


def seconds(before: Sample, after: Sample) -> float:
    return (after.at - before.at).total_seconds()


def rise(samples: Sequence[Sample], register: Register) -> float | None:
    """How much a register rose from the first to the last sample that tells it; None below two of them."""
    said = [wh for sample in samples if (wh := sample.register(register)) is not None]
    return said[-1] - said[0] if len(said) > 1 else None


def steps(samples: Sequence[Sample], register: Register) -> list[tuple[Sample, Sample, float]]:
    """Each two neighbours that tell the register, and how much it rose between them."""
    telling = [sample for sample in samples if sample.register(register) is not None]
    return [
        (one, other, (other.register(register) or 0.0) - (one.register(register) or 0.0))
        for one, other in pairwise(telling)
    ]


def energy_wh(samples: Sequence[Sample]) -> float:
    """What flowed at least, by the lower power of each two neighbours; 0 where power is not known."""
    total = 0.0
    for one, other in pairwise(samples):
        powers = (one.power_w, other.power_w)
        if powers[0] is not None and powers[1] is not None:
            total += min(abs(powers[0]), abs(powers[1])) * seconds(one, other) / 3600
    return total


def resolution_wh(values: Iterable[float | None]) -> float:
    """The coarsest step of 0.1, 1, 10, 100 or 1000 Wh that all of `values` are made of.

    A register that stands at 0 may be counting in whole kWh: only a finer value shows that it does not.
    """
    known = [value for value in values if value is not None]
    for step in RESOLUTIONS_WH:
        if all(abs(value / step - round(value / step)) < 1e-6 for value in known):
            return step
    return FINEST_WH


# ---------------------------------------------------------------- as evidence stores them
def to_json(sample: Sample) -> dict[str, Any]:
    """What was not sent is left out."""
    said: dict[str, Any] = {
        "at": _text(sample.at),
        "received_at": _text(sample.received_at),
        "transaction": sample.transaction,
        "context": sample.context,
        "import_wh": sample.import_wh,
        "export_wh": sample.export_wh,
        "import_w": sample.import_w,
        "export_w": sample.export_w,
        "import_a": _amperes(sample.import_a),
        "export_a": _amperes(sample.export_a),
        "soc": sample.soc,
        "message_id": sample.message_id,
    }
    return {key: value for key, value in said.items() if value is not None}


def from_json(said: Mapping[str, Any]) -> Sample:
    return Sample(
        at=datetime.fromisoformat(said["at"]),
        received_at=datetime.fromisoformat(said["received_at"]),
        transaction=said["transaction"],
        context=said["context"],
        import_wh=said.get("import_wh"),
        export_wh=said.get("export_wh"),
        import_w=said.get("import_w"),
        export_w=said.get("export_w"),
        import_a=_triple(said.get("import_a")),
        export_a=_triple(said.get("export_a")),
        soc=said.get("soc"),
        message_id=said.get("message_id", ""),
    )


def _amperes(triple: Triple) -> list[float | None] | None:
    return None if all(value is None for value in triple) else list(triple)


def _triple(said: Sequence[float | None] | None) -> Triple:
    return (said[0], said[1], said[2]) if said else (None, None, None)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
