"""What the probe of requirement 207 sets on a station: a profile of twenty periods, in one place at a time. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from portal.compliance.checks.readings import Place, Setting
from smartcharging.domain.asking import set_charging_profile
from smartcharging.domain.profiles import (
    NOMINAL_V,
    ChargingPeriod,
    ChargingProfile,
    ChargingSchedule,
    Installed,
    Kind,
    Purpose,
    Unit,
)

NEEDED = 20  # "minimaal 20 periodes" per profile
# Neighbours are of unequal length, so that a change is known by its time as well as by its limit. The first is long:
# all EVSEs are read while it runs.
LENGTHS_S = (600, *itertools.islice(itertools.cycle((240, 330, 270, 360, 300)), NEEDED - 1))
TOTAL_S = sum(LENGTHS_S)
OFFSETS_S = (0, *itertools.accumulate(LENGTHS_S[:-1]))
# The schedule begins a little before now, so that a clock that is a minute off finds the wanted period running.
LEAD_S = 90
# A car takes 6 A or nothing (IEC 61851-1 Annex A), and some stations report no limit below.
PILOT_A = 6
# Level 0 is the one level that every station has (1.6 3.13.2); it is cleared of what is ours first.
LEVEL = 0


@dataclass(frozen=True, slots=True)
class Trial:
    """One profile as it is set in one place. `limits`: of each of the twenty periods, in `unit`."""

    place: Place
    unit: Unit
    profile_id: int
    limits: tuple[float, ...]

    def start_at(self, now: datetime, *, current: int = 0) -> datetime:
        """When the schedule has to begin, so that period `current` (from 0) runs now."""
        return now.replace(microsecond=0) - timedelta(seconds=OFFSETS_S[current] + LEAD_S)

    def installed(self, setting: Setting, *, periods: int, start: datetime) -> Installed:
        """The profile with only its first `periods` periods; the last of them lasts to the end, so that nothing but
        their number is another. It ends by duration and by validTo both, so a station that misses one still ends it.
        """
        shown = zip(OFFSETS_S[:periods], self.limits, strict=False)
        return Installed(
            ChargingProfile(
                id=self.profile_id,
                stack_level=LEVEL,
                purpose=self.place.purpose,
                kind=Kind.ABSOLUTE,
                schedule=ChargingSchedule(
                    unit=self.unit,
                    periods=tuple(ChargingPeriod(offset_s, limit) for offset_s, limit in shown),
                    start=start,
                    duration_s=TOTAL_S,
                ),
                valid_to=start + timedelta(seconds=TOTAL_S),
                transaction_id=_transaction_at(setting, self.place),
            ),
            self.place.evse,
        )


def _transaction_at(setting: Setting, place: Place) -> int | str | None:
    """A TxProfile names the transaction that it is for (K01.FR.03)."""
    if place.purpose is not Purpose.TX:
        return None
    return next((item.id for item in setting.transactions if item.evse == place.evse), None)


def asked_s(*, current: int) -> int:
    """How long a composite is asked for: to the end of the last period, and no further."""
    return TOTAL_S - OFFSETS_S[current] - LEAD_S


def places(setting: Setting, *, station_shows: bool) -> tuple[Place, ...]:
    """Max on the station, TxDefault on the station, and a TxProfile where a transaction runs.

    How many periods a profile may have is a property of the profile, not of the place where it stands. So TxDefault is
    set once, on EVSE 0: from there it counts for every EVSE (1.6 3.13.1), and one profile is seen on all of them.
    `station_shows`: EVSE 0 answers with a composite; else Max is read on the first EVSE, where it holds as well.
    """
    first, *_ = setting.evses
    charging = [item.evse for item in setting.transactions if item.evse in setting.evses]
    return (
        Place(Purpose.STATION_MAX, 0, (0 if station_shows else first,)),
        Place(Purpose.TX_DEFAULT, 0, setting.evses),
        *(Place(Purpose.TX, evse, (evse,)) for evse in charging[:1]),
    )


def limits_below(ceiling: float, *, unit: Unit, phases: int, trial: int = 0) -> tuple[float, ...] | None:
    """Twenty limits, all below `ceiling`; None where there is no room for two.

    Whole amperes, in W as well: some stations report no other. Neighbours differ by as much as there is room for, so a
    station that leaves one out, or that stops half-way, never says the same as one that does not. Each `trial` begins
    with another limit, so that no profile is taken for one that was cleared.
    """
    step = 1.0 if unit == "A" else NOMINAL_V * phases
    top = math.ceil(ceiling / step) - 1  # below, never equal: else the period and no period look the same
    counts = range(PILOT_A, top + 1)
    if len(counts) < 2:
        counts = range(1, top + 1)
    if len(counts) < 2:
        return None
    stride = _stride(len(counts))
    return tuple(counts[(trial + place) * stride % len(counts)] * step for place in range(NEEDED))


def _stride(count: int) -> int:
    """The widest step that visits all of `count` values before it comes back to the first."""
    return max(step for step in range(1, max(2, count // 2)) if math.gcd(step, count) == 1)


# ---------------------------------------------------------------- on the wire
def set_payload(
    trial: Trial, setting: Setting, *, periods: int, start: datetime, version: str
) -> dict[str, Any]:
    installed = trial.installed(setting, periods=periods, start=start)
    return set_charging_profile(installed.profile, evse=trial.place.evse, ocpp=version)


# ---------------------------------------------------------------- as JSON, in evidence
def to_json(trial: Trial) -> dict[str, Any]:
    return {
        "purpose": trial.place.purpose.value,
        "evse": trial.place.evse,
        "read_on": list(trial.place.read_on),
        "unit": trial.unit,
        "profile_id": trial.profile_id,
        "limits": list(trial.limits),
    }


def from_json(stored: Mapping[str, Any]) -> Trial:
    place = Place(Purpose(stored["purpose"]), stored["evse"], tuple(stored["read_on"]))
    return Trial(place, stored["unit"], stored["profile_id"], _limits(stored["limits"]))


def _limits(stored: Sequence[float]) -> tuple[float, ...]:
    return tuple(float(limit) for limit in stored)
