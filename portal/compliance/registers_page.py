"""What a page shows of the registers in a piece of evidence: power with its sign, both registers, and the samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext as _

from portal.compliance.checks.registers_samples import GAP_S, Sample, from_json, seconds
from portal.compliance.models import Evidence
from portal.compliance.registers_chart import Line, RegisterChart, register_drawings
from portal.pages.charts import Drawing, Step
from portal.pages.power_chart import PowerChart, power_drawings
from portal.templatetags.measures import duration, figure, kwh, rounded

CSV_HEADING = (
    "at",
    "evse",
    "context",
    "import_wh_1.8.x",
    "export_wh_2.8.x",
    "import_w",
    "export_w",
    "soc_percent",
    "message_id",
)


@dataclass(frozen=True, slots=True)
class Moment:
    """A row of the table: what the station said at `at`. `power_w` is below 0 while power flows out."""

    at: datetime
    power_w: float | None
    import_wh: float | None
    export_wh: float | None
    flows_out: bool


@dataclass(frozen=True, slots=True)
class Measured:
    """The samples of an observation, drawn and as rows."""

    power: tuple[Drawing, ...]
    registers: tuple[Drawing, ...]
    power_title: str
    registers_title: str
    moments: tuple[Moment, ...]
    # How well it could be seen, as name and value.
    seen: tuple[tuple[str, str], ...]


def measured(evidence: Evidence) -> Measured | None:
    """None where the evidence is no observation of registers."""
    if "observation" not in evidence.configuration or len(evidence.steps) < 2:
        return None
    samples = [from_json(step) for step in evidence.steps]
    power_title, registers_title = _power_title(samples), _registers_title(samples)
    return Measured(
        power=_power(samples, power_title) if any(sample.power_w for sample in samples) else (),
        registers=register_drawings(_chart(samples, registers_title)),
        power_title=power_title,
        registers_title=registers_title,
        moments=tuple(
            Moment(sample.at, sample.power_w, sample.import_wh, sample.export_wh, sample.flow == "out")
            for sample in samples
        ),
        seen=tuple(_seen(evidence)),
    )


def _seen(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """The figures without a rule: they say how well it was seen, not what was found."""
    for item in evidence.figures:
        if item["rule"]:
            continue
        is_time = item["key"] == "duration_s"
        value = duration(item["value"]) if is_time else f"{figure(item['value'])} {item['unit']}".strip()
        yield _(item["name"]), value


def csv_rows(evidence: Evidence) -> Iterator[tuple[Any, ...]]:
    """The heading and a line for each sample. For programs: times in UTC, points."""
    yield CSV_HEADING
    evse = evidence.configuration["observation"]["evse"]
    for sample in map(from_json, evidence.steps):
        measured_there = (sample.import_wh, sample.export_wh, sample.import_w, sample.export_w, sample.soc)
        yield (sample.at.isoformat(), evse, sample.context, *measured_there, sample.message_id)


# ---------------------------------------------------------------- what the drawings say
def _power_title(samples: Sequence[Sample]) -> str:
    lowest = min((sample.power_w for sample in samples if sample.power_w is not None), default=0.0)
    if lowest >= 0:
        return _("No power flowed out.")
    return _("Power flowed out of the car, at most %(power)s kW.") % {"power": rounded(-lowest / 1000, 1)}


def _registers_title(samples: Sequence[Sample]) -> str:
    values = {"export": kwh(_rise(samples, "export")), "imported": kwh(_rise(samples, "import"))}
    return _("Over these samples: import register %(imported)s, export register %(export)s.") % values


def _rise(samples: Sequence[Sample], register: Any) -> float | None:
    said = [wh for sample in samples if (wh := sample.register(register)) is not None]
    return said[-1] - said[0] if said else None


# ---------------------------------------------------------------- the drawings
def _power(samples: Sequence[Sample], title: str) -> tuple[Drawing, ...]:
    chart = PowerChart(
        id="vermogen",
        title=title,
        start=samples[0].at,
        end=samples[-1].at,
        measured=list(_flows(samples, sign=1)),
        returned=list(_flows(samples, sign=-1)),
        limit=(),
        connection_kw=None,
        connection_text="",
        limit_text="",
        limit_name="",
    )
    return power_drawings(chart)


def _flows(samples: Sequence[Sample], *, sign: int) -> Iterator[Step]:
    """From each sample to the next what flowed in kW, in one direction; a hole where nothing was measured."""
    for one, other in pairwise(samples):
        known = one.power_w is not None and seconds(one, other) <= GAP_S
        value = max(sign * (one.power_w or 0.0), 0.0) / 1000 if known else None
        yield Step(one.at, other.at, value)


def _chart(samples: Sequence[Sample], title: str) -> RegisterChart:
    return RegisterChart(
        id="registers",
        title=title,
        start=samples[0].at,
        end=samples[-1].at,
        lines=(
            Line("flow-line", _("Import 1.8.x"), tuple(_points(samples, "import"))),
            Line("export-line", _("Export 2.8.x"), tuple(_points(samples, "export"))),
        ),
    )


def _points(samples: Sequence[Sample], register: Any) -> Iterator[tuple[datetime, float]]:
    """How much the register rose since the first sample, in kWh."""
    first: float | None = None
    for sample in samples:
        wh = sample.register(register)
        if wh is not None:
            first = wh if first is None else first
            yield sample.at, (wh - first) / 1000
