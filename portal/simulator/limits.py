"""What an EVSE may do at one moment, and how several such answers become one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from portal.simulator.profiles import CHARGING_ONLY, NOMINAL_V, Period


@dataclass(frozen=True, slots=True)
class Limit:
    """What one EVSE (or, for 0, the whole station) may draw: amperes per phase, on so many phases.

    From OCPP 2.1: `discharge_a` (never above 0) at most out of the car, `setpoint_a` what has to flow, `mode` who
    decides; None where no profile says.
    """

    amperes: float
    phases: int
    discharge_a: float | None = None
    setpoint_a: float | None = None
    mode: str | None = None

    def in_unit(self, unit: str) -> float:
        """One decimal, rounded down: a composite never exceeds the lowest limit in it."""
        return self.told(self.amperes, unit)

    def told(self, value_a: float, unit: str) -> float:
        """`value_a` with one decimal, rounded towards zero."""
        value = value_a if unit == "A" else value_a * NOMINAL_V * self.phases
        return math.copysign(math.floor(abs(value) * 10 + 1e-6) / 10, value) + 0.0  # never "-0.0"


def of_period(period: Period, unit: str, supply_phases: int) -> Limit:
    """In amperes per phase; W is divided by 230 V times the phases of its own period (1.6, 7.14)."""
    divisor = 1 if unit == "A" else NOMINAL_V * (period.phases or 3)
    return Limit(
        amperes=math.inf if period.limit is None else period.limit / divisor,
        phases=min(period.phases or supply_phases, supply_phases),
        discharge_a=None if period.discharge is None else period.discharge / divisor,
        setpoint_a=None if period.setpoint is None else period.setpoint / divisor,
        mode=period.mode,
    )


def together(limits: Sequence[Limit]) -> Limit:
    """All of them obeyed at once: the lowest in each direction, the setpoint nearest to zero and within both
    (2.1, V2X.03, V2X.04), in the first mode that is more than ChargingOnly."""
    amperes = min(limit.amperes for limit in limits)
    discharge_a = max((x.discharge_a for x in limits if x.discharge_a is not None), default=None)
    setpoint_a = min((x.setpoint_a for x in limits if x.setpoint_a is not None), default=None, key=abs)
    if setpoint_a is not None:
        setpoint_a = min(setpoint_a, amperes)
        setpoint_a = setpoint_a if discharge_a is None else max(setpoint_a, discharge_a)
    modes = [limit.mode for limit in limits if limit.mode is not None]
    mode = next((mode for mode in modes if mode != CHARGING_ONLY), modes[0] if modes else None)
    return Limit(amperes, min(limit.phases for limit in limits), discharge_a, setpoint_a, mode)
