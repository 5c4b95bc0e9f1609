"""Requirement 211: a register of its own for each direction, by what a station measured while power flowed out.

Proven: the export register rose during a discharge while the import register stood still. A deviation only where no
legal habit explains what is seen: a register that restarts, is replaced or rolls over, whole kWh, a register that is
latched a quarter-hour late or told at the end of the transaction, power that alternates between two samples, a meter
that two sockets share, or a direction that the station names the wrong way round, is Undecided at most.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.compliance.checks.findings import Finding
from portal.compliance.checks.registers_figures import figures_of
from portal.compliance.checks.registers_look import (
    FLOOR_WH,
    LATCH_S,
    Look,
    Setting,
    floor_wh,
    is_still,
    most_wh,
)
from portal.compliance.checks.registers_samples import (
    JITTER_WH,
    Direction,
    Register,
    Sample,
    energy_wh,
    resolution_wh,
    rise,
    runs,
    steps,
    stretches,
)

CODE = "211"
ENGINE = "211 registers 1.0"
# Fewer falls than these in a row may be a glitch of a meter.
FALLS = 3
FEWEST_PROVING, FEWEST_CONTRADICTING = 3, 4
# The station's own power and its register are one meter: they do not differ by more than this factor.
DISPROPORTION = 0.25
SOC_MOVES = 1.0

CHARGING: tuple[Direction, ...] = ("in", "unknown")
REGISTERS: tuple[Register, ...] = ("import", "export")
NETTED: dict[Register, str] = {"import": "211.netted", "export": "211.netted_export"}

NOTHING = "211.no_discharge"
# Of what decides nothing the first in this order tells most.
UNDECIDED = (
    "211.disagrees",
    "211.not_configured",
    "211.import_not_sent",
    "211.direction_unsure",
    "211.shared_meter",
    "211.registers_late",
    "211.wait",
    "211.disproportionate",
    "211.both_rise",
    "211.restarted",
    "211.too_little",
    "211.sparse",
)


def judge(setting: Setting, samples: Sequence[Sample]) -> Finding:
    """The verdict on the samples of one EVSE; `211.no_discharge` where they say nothing of the requirement."""
    look = judged(setting, samples)
    if look is None:
        sparse = any(sample.flow == "out" for sample in samples)
        return Finding("undecided", "211.sparse" if sparse else NOTHING, {"evse": setting.evse})
    values = {"evse": setting.evse, "key": setting.key, **look.values}
    return Finding(look.verdict, look.code, values, figures_of(look, samples))


def judged(setting: Setting, samples: Sequence[Sample]) -> Look | None:
    """What decides, with the samples in which it shows."""
    looks = [look for run in runs(samples) for look in _looks(setting, run, samples)]
    netted = [look for look in looks if look.code in NETTED.values()]
    if netted:
        return max(netted, key=lambda look: look.values["fell"])
    contradicting = [look for look in looks if look.verdict == "deviation"]
    proving = [look for look in looks if look.verdict == "proven"]
    if contradicting and proving:
        return Look("undecided", "211.disagrees", contradicting[0].part, {})
    if contradicting or proving:
        return (contradicting or proving)[0]
    return min(looks, key=lambda look: UNDECIDED.index(look.code), default=None)


def _looks(setting: Setting, run: Sequence[Sample], samples: Sequence[Sample]) -> Iterator[Look]:
    yield from _nettings(setting, run, "import")
    yield from _nettings(setting, run, "export")
    for stretch in stretches(run, "out"):
        for part in _sound(setting, stretch):
            yield _discharge(setting, part, run, samples)
        if len(list(_sound(setting, stretch))) > 1:
            yield Look("undecided", "211.restarted", tuple(stretch), {})
    for stretch in stretches(run, "unknown"):
        for part in _sound(setting, stretch):
            yield from _by_registers(part, samples)


# ---------------------------------------------------------------- a register that counts back
def _nettings(setting: Setting, run: Sequence[Sample], register: Register) -> Iterator[Look]:
    """Stretches in which a register falls again and again, no faster than the power can be, while it must not move."""
    resolution = resolution_wh(sample.register(register) for sample in run)
    falling: list[tuple[Sample, Sample, float]] = []
    for step in [*steps(run, register), None]:
        if step and _falls_back(setting, step, register, resolution):
            falling.append(step)
            continue
        fell = -sum(change for _one, _other, change in falling)
        count = sum(change < 0 for _one, _other, change in falling)
        if count >= FALLS and fell >= floor_wh(resolution):
            part = (falling[0][0], *(other for _one, other, _change in falling))
            yield Look("deviation", NETTED[register], part, {"register": register, "fell": round(fell)})
        falling = []


def _falls_back(
    setting: Setting, step: tuple[Sample, Sample, float], register: Register, resolution: float
) -> bool:
    """It stands still or falls, as energy in the other direction would make it; a restart falls further at once."""
    one, other, change = step
    flows = {one.flow, other.flow}
    forbidden = "in" if register == "import" else "out"
    wanted = "out" if register == "import" else "in"
    if change > 0 or -change > most_wh(setting, one, other) + resolution or forbidden in flows:
        return False
    # Without any power the fall alone tells, but only of the import register: it is the one that counts back.
    return wanted in flows or (register == "import" and flows == {"unknown"})


def _sound(setting: Setting, stretch: Sequence[Sample]) -> Iterator[list[Sample]]:
    """`stretch` in parts without a jump: a register that falls, or rises more than the connection can carry, was
    replaced, restarted or rolled over. Marked by the cut, and never measured across."""
    part: list[Sample] = []
    said: dict[Register, Sample] = {}
    for sample in stretch:
        if part and any(_jumps(setting, said.get(name), sample, name) for name in REGISTERS):
            yield part
            part, said = [], {}
        part.append(sample)
        said |= {name: sample for name in REGISTERS if sample.register(name) is not None}
    if part:
        yield part


def _jumps(setting: Setting, before: Sample | None, after: Sample, register: Register) -> bool:
    if before is None:
        return False
    old, new = before.register(register), after.register(register)
    if old is None or new is None:
        return False
    return new < old - JITTER_WH or new - old > most_wh(setting, before, after) + resolution_wh([old, new])


# ---------------------------------------------------------------- while power flows out
@dataclass(frozen=True, slots=True)
class _Discharge:
    """One stretch in which every sample flows out."""

    setting: Setting
    part: tuple[Sample, ...]
    run: Sequence[Sample]
    samples: Sequence[Sample]

    def look(self, verdict: str, code: str) -> Look:
        values = {
            "export": round(rise(self.part, "export") or 0),
            "imported": round(rise(self.part, "import") or 0),
            "flowed": round(energy_wh(self.part)),
        }
        return Look("deviation" if verdict == "deviation" else "undecided", code, self.part, values)


def _discharge(
    setting: Setting, part: Sequence[Sample], run: Sequence[Sample], samples: Sequence[Sample]
) -> Look:
    seen = _Discharge(setting, tuple(part), run, samples)
    if len(part) < FEWEST_PROVING:
        return seen.look("undecided", "211.sparse")
    exported, imported = rise(part, "export"), rise(part, "import")
    if exported is None:
        return _without_export(seen)
    if imported is None:
        return seen.look("undecided", "211.import_not_sent")
    if exported <= 0:
        return _no_rise(seen)
    proof = _proof(part)
    if proof is not None:
        return proof if _is_discharge(proof.part, samples) else seen.look("undecided", "211.direction_unsure")
    if exported < DISPROPORTION * energy_wh(part):
        return seen.look("undecided", "211.disproportionate")
    resolution = _resolution(part)
    if exported < floor_wh(resolution) or imported <= resolution:
        return seen.look("undecided", "211.too_little")
    return seen.look("undecided", "211.both_rise")


def _proof(part: Sequence[Sample]) -> Look | None:
    """The longest end of `part` in which the import register stands still and the export register rises enough.

    A register that is latched each quarter-hour may still catch up with what flowed in before: that is left out.
    """
    resolution = _resolution(part)
    latest = part[0].at + timedelta(seconds=LATCH_S)
    for place, sample in enumerate(part):
        rest = part[place:]
        if sample.at > latest or len(rest) < FEWEST_PROVING:
            return None
        exported, imported = rise(rest, "export"), rise(rest, "import")
        if exported is None or imported is None or exported < floor_wh(resolution):
            return None
        proportional = exported >= DISPROPORTION * energy_wh(rest)
        if proportional and is_still(imported, exported, rest, resolution):
            values = {"export": round(exported), "imported": round(imported)}
            return Look("proven", "211.proven", tuple(rest), values)
    return None


def _no_rise(seen: _Discharge) -> Look:
    """Power flows out and the export register stands still: a deviation if that cannot be otherwise."""
    needed = max(FLOOR_WH * 5, 2 * resolution_wh(sample.export_wh for sample in seen.samples))
    if _flowed_surely(seen.part) < needed or len(seen.part) < FEWEST_CONTRADICTING:
        return seen.look("undecided", "211.too_little")
    begin = seen.part[0]
    if any((later.export_wh or 0) > (begin.export_wh or 0) for later in _from(seen.samples, begin.at)):
        return seen.look("undecided", "211.registers_late")
    return _contradicted(seen, "211.no_export_rise")


def _without_export(seen: _Discharge) -> Look:
    """Nothing is said of export: a matter of configuration, unless the station says that it samples it."""
    if any(sample.export_wh is not None for sample in seen.samples):
        return seen.look("undecided", "211.too_little")
    claimed = seen.setting.claimed and seen.part[0].context == "Sample.Periodic"
    if not claimed:
        return seen.look("undecided", "211.not_configured")
    if _flowed_surely(seen.part) < FLOOR_WH * 10 or len(seen.part) < FEWEST_CONTRADICTING:
        return seen.look("undecided", "211.too_little")
    return _contradicted(seen, "211.claimed_not_sent")


def _contradicted(seen: _Discharge, code: str) -> Look:
    """`code` as a deviation, or the innocent habit that may explain it."""
    if not seen.setting.is_over:
        return seen.look("undecided", "211.wait")
    if _may_share(seen):
        return seen.look("undecided", "211.shared_meter")
    if _import_is_late(seen):
        return seen.look("undecided", "211.registers_late")
    imported = max((rise(seen.part, "import") or 0.0), _import_at_end(seen))
    if imported < 0.5 * _flowed_surely(seen.part):
        if _soc_change(seen.part) > SOC_MOVES:
            return seen.look("undecided", "211.direction_unsure")
        return seen.look("deviation", code)
    # The import register counts what flowed out. Is the direction the station's mistake, or is it the register's?
    surely_out = _soc_change(seen.part) < -SOC_MOVES or _charged(seen.samples)
    return seen.look(
        *(("deviation", "211.one_register") if surely_out else ("undecided", "211.direction_unsure"))
    )


def _flowed_surely(part: Sequence[Sample]) -> float:
    """What flowed out so long before the end of `part` that a register latched each quarter-hour must show it."""
    latest = part[-1].at - timedelta(seconds=LATCH_S)
    return energy_wh([sample for sample in part if sample.at <= latest])


def _may_share(seen: _Discharge) -> bool:
    """One meter for two sockets, one car feeding the other: what flows from car to car passes no meter."""
    own = [sample.import_wh for sample in seen.samples if sample.import_wh is not None]
    if not own:
        return bool(seen.setting.neighbours)
    return any(
        other is None or min(own) - 10 * FLOOR_WH <= other <= max(own) + 10 * FLOOR_WH
        for other in seen.setting.neighbours
    )


def _import_is_late(seen: _Discharge) -> bool:
    """The import register does not follow what flows in either: it is not told between begin and end."""
    for stretch in stretches(seen.run, "in"):
        risen = rise(stretch, "import")
        if risen is not None and risen <= 0 and _flowed_surely(stretch) >= FLOOR_WH * 5:
            return True
    return False


def _import_at_end(seen: _Discharge) -> float:
    """How much the import register rose until the end of the transaction, where nothing was seen to flow in since."""
    start, later = seen.part[0].import_wh, _from(seen.samples, seen.part[0].at)
    if start is None or any(sample.flow == "in" for sample in later):
        return 0.0
    return max((sample.import_wh - start for sample in later if sample.import_wh is not None), default=0.0)


# ---------------------------------------------------------------- without any power
def _by_registers(part: Sequence[Sample], samples: Sequence[Sample]) -> Iterator[Look]:
    """A station that tells registers only: one stood still while the other rose, and at another time it rose itself."""
    resolution = _resolution(part)
    still: list[Sample] = []
    for sample in part:
        last = still[-1].import_wh if still else None
        if last is not None and sample.import_wh is not None and sample.import_wh - last > resolution:
            yield from _proven_by_registers(still, samples)
            still = []
        still.append(sample)
    yield from _proven_by_registers(still, samples)


def _proven_by_registers(still: Sequence[Sample], samples: Sequence[Sample]) -> Iterator[Look]:
    proof = _proof(still) if still else None
    if proof is not None and (_soc_change(proof.part) < -SOC_MOVES or _charged(samples)):
        yield proof


# ---------------------------------------------------------------- what else the samples say
def _is_discharge(part: Sequence[Sample], samples: Sequence[Sample]) -> bool:
    """Not a station that calls charging "export": the battery empties, or the import register counted at some time."""
    soc = _soc_change(part)
    if abs(soc) > SOC_MOVES:
        return soc < 0
    has_counted = any((sample.import_wh or 0) >= FLOOR_WH for sample in part)
    return has_counted or _charged(samples)


def _charged(samples: Sequence[Sample]) -> bool:
    """Whether the import register rose, while power flowed in where that is known."""
    for run in runs(samples):
        for direction in CHARGING:
            for stretch in stretches(run, direction):
                if any(change >= FLOOR_WH / 10 for _one, _other, change in steps(stretch, "import")):
                    return True
    return False


def _soc_change(part: Sequence[Sample]) -> float:
    said = [sample.soc for sample in part if sample.soc is not None]
    return said[-1] - said[0] if len(said) > 1 else 0.0


def _from(samples: Sequence[Sample], moment: datetime) -> list[Sample]:
    return [sample for sample in samples if sample.at >= moment]


def _resolution(part: Sequence[Sample]) -> float:
    return resolution_wh([value for sample in part for value in (sample.import_wh, sample.export_wh)])
