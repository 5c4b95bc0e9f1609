"""What the check of requirement 211 knows beside the samples, what it finds, and how much is enough. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.compliance.checks.findings import Verdict
from portal.compliance.checks.registers_samples import JITTER_WH, Sample, seconds

# As much as a public meter shows (kWh with one decimal), and as requirement 210 asks of an export: 0.1 kWh.
FLOOR_WH = 100.0
# Registers may be latched each quarter-hour (1.6, ClockAlignedDataInterval; 2.0.1, AlignedDataCtrlr.Interval).
LATCH_S = 15 * 60
# What a station and a car use themselves while the car discharges, where the meter sees it.
STANDBY_W = 25.0
# An import that rises by more than this part of the export is no standby.
STANDBY_SHARE = 0.25
# A connection may carry somewhat more than it is named after, and samples lie a little off their moment.
CARRIES = 1.25


@dataclass(frozen=True, slots=True)
class Setting:
    """`max_power_w`: what the connection carries. `is_over`: the session has ended, so all it has to tell is told.

    `claimed`: the station said beforehand that it samples the export register; `key`: where that is set.
    `neighbours`: what the import registers of other EVSEs with a session at that time showed, None where unknown.
    """

    evse: int
    max_power_w: float
    is_over: bool
    claimed: bool = False
    key: str = "MeterValuesSampledData"
    neighbours: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """What a stretch of samples shows."""

    verdict: Verdict
    code: str
    part: tuple[Sample, ...]
    values: Mapping[str, Any]


def floor_wh(resolution_wh: float) -> float:
    """From how much on a change of a register counts: below two of its own steps it may be rounding."""
    return max(FLOOR_WH, 2 * resolution_wh)


def most_wh(setting: Setting, before: Sample, after: Sample) -> float:
    """What a register can have moved between two samples, one that is latched now and then included."""
    return CARRIES * setting.max_power_w * (seconds(before, after) + LATCH_S) / 3600


def is_still(imported_wh: float, exported_wh: float, part: Sequence[Sample], resolution_wh: float) -> bool:
    """Whether the import register stands still, within its resolution and what the station itself uses."""
    if imported_wh < -JITTER_WH:
        return False
    standby_wh = STANDBY_W * seconds(part[0], part[-1]) / 3600
    return imported_wh <= resolution_wh + standby_wh and imported_wh <= STANDBY_SHARE * exported_wh


# ---------------------------------------------------------------- as evidence stores it
def setting_to_json(setting: Setting) -> dict[str, Any]:
    return {
        "evse": setting.evse,
        "max_power_w": setting.max_power_w,
        "is_over": setting.is_over,
        "claimed": setting.claimed,
        "key": setting.key,
        "neighbours": list(setting.neighbours),
    }


def setting_from_json(said: Mapping[str, Any]) -> Setting:
    return Setting(
        evse=said["evse"],
        max_power_w=said["max_power_w"],
        is_over=said["is_over"],
        claimed=said["claimed"],
        key=said["key"],
        neighbours=tuple(said["neighbours"]),
    )
