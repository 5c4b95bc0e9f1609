"""Arithmetic on limits in A and W: convert, take the lowest, add up. Pure.

A limit in A is per phase, a limit in W is the total (OCPP 1.6 7.14, 2.0.1 K01.FR.50): W = A x V x phases, with
the nominal line voltage.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import floor

from smartcharging.domain.profiles import (
    NOTHING,
    ChargingPeriod,
    ChargingSchedule,
    Installed,
    LocalLimit,
    Policy,
    Unit,
)

Limit = tuple[float, float, int | None]
"""At most these A on each phase and these W in total, on this number of phases (None: not said).

A plain tuple: a composite handles hundreds, and a named tuple takes three times as long to make.
"""

TENTHS = 10
_SPARE = 1e-6

UNLIMITED: Limit = (NOTHING, NOTHING, None)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """How limits are combined for one question: the EVSE's voltage and phases, the policy, the unit."""

    defaults: LocalLimit
    policy: Policy
    unit: Unit

    def of_value(self, value: float, unit: Unit, phases: int | None) -> Limit:
        """`value` in `unit` as a Limit.

        D6: W become A per phase here, at the value's own number of phases, so that all limits are compared
        per phase: 5 kW on three phases allows 7.2 A, also to a car that uses one. Under `common_phases` W stay
        W until the lowest number of phases is known, and so they do for EVerest's sum (D12).
        """
        if unit == "A":
            return value, NOTHING, phases
        if self.policy.unit_conversion == "common_phases" or self.policy.station_sum == "everest":
            return NOTHING, value, phases
        return value / self.watts_per_amp(phases), NOTHING, phases

    def of_periods(self, installed: Installed, which: slice) -> Sequence[Limit]:
        """The limit that each period of a slice of those of a profile sets."""
        schedule = installed.profile.schedule
        if schedule.limits and not (self.policy.names_assumed_phases or self.policy.min_rate_raises):
            return schedule.limits[which]  # most are like this, and a composite has hundreds
        return self.of_schedule(schedule, schedule.periods[which])

    def of_schedule(self, schedule: ChargingSchedule, periods: Sequence[ChargingPeriod]) -> list[Limit]:
        """The same of periods as they stand in `schedule`, or instead of them."""
        unit, least = schedule.unit, schedule.min_charging_rate
        unsaid = self.defaults.phases if self.policy.names_assumed_phases else None  # K01.FR.49
        if self.policy.min_rate_raises and least is not None:  # D4
            return [self.of_value(max(p.limit, least), unit, p.phases or unsaid) for p in periods]
        if unit == "A":  # the same without a call
            return [(limit, NOTHING, phases or unsaid) for _, limit, phases, _ in periods]
        return [self.of_value(limit, unit, phases or unsaid) for _, limit, phases, _ in periods]

    def of_local_limit(self) -> Limit:
        """What the EVSE can do by itself, in the unit asked for where that is known (1.6 3.13.3; D1)."""
        amps, watts = self.defaults.limit_a, self.defaults.limit_w
        if amps is not None and (self.unit == "A" or watts is None):
            return self.of_value(amps, "A", None)
        return UNLIMITED if watts is None else self.of_value(watts, "W", None)

    def reported(self, limit: Limit) -> float | None:
        """`limit` as it goes into the answer: in the unit asked for, rounded; None when nothing limits."""
        value = limit[0] if limit[1] == NOTHING and self.unit == "A" else self.in_unit(limit)
        if value == NOTHING:
            return None
        return value if self.policy.rounding == "none" else floor(value * TENTHS + _SPARE) / TENTHS

    def rounded(self, value: float) -> float:
        """Toward 0, to a tenth (the schema's multipleOf 0.1), so as never to exceed the lowest limit (D14).

        With a millionth of a tenth to spare, because a conversion there and back (2000 W, 8.69... A,
        1999.9999999999998 W) must not cost a tenth. Decimal is no better: its input was binary already, and it is
        ten times slower.
        """
        if self.policy.rounding == "none":
            return value
        if value < 0:
            return 0.0 - self.rounded(-value)
        return floor(value * TENTHS + _SPARE) / TENTHS

    def total(self, parts: Sequence[Limit]) -> Limit:
        """The limits of several EVSEs added up, on the highest number of phases among them (1.6 5.7; D12)."""
        named = [phases for _, _, phases in parts if phases is not None]
        if named and len(named) < len(parts):
            named.append(self.defaults.phases)
        phases = max(named, default=None)
        if self.policy.station_sum == "everest":
            return self._total_as_everest(parts, phases)
        return self.of_value(sum(self.in_unit(part) for part in parts), self.unit, phases)

    def _total_as_everest(self, parts: Sequence[Limit], phases: int | None) -> Limit:
        """A and W added up apart, an EVSE without one in that unit at its local limit (D12): too high."""
        limit_a = NOTHING if self.defaults.limit_a is None else self.defaults.limit_a
        limit_w = NOTHING if self.defaults.limit_w is None else self.defaults.limit_w
        amps = sum(limit_a if part_a == NOTHING else part_a for part_a, _, _ in parts)
        watts = sum(limit_w if part_w == NOTHING else part_w for _, part_w, _ in parts)
        return amps, watts, phases

    def watts_per_amp(self, phases: int | None) -> float:
        return self.defaults.nominal_voltage * (phases or self.defaults.phases)

    def in_unit(self, limit: Limit) -> float:
        """`limit` in the unit asked for, NOTHING when it limits nothing."""
        amps, watts, phases = limit
        if self.unit == "A":
            return amps if watts == NOTHING else min(amps, watts / self.watts_per_amp(phases))
        return min(amps * self.watts_per_amp(phases), watts)


def lowest(limits: Iterable[Limit | None]) -> Limit:
    """What all of `limits` allow (None: absent), on the lowest number of phases named.

    1.6 3.13.3 and errata 3.7, K04, K01.FR.140. Comparisons and not min(): this is where a composite's time goes.
    """
    amps = watts = NOTHING
    phases: int | None = None
    for limit in limits:
        if limit is None:
            continue
        limit_a, limit_w, named = limit
        if limit_a < amps:  # noqa: PLR1730 - three times as fast as min()
            amps = limit_a
        if limit_w < watts:  # noqa: PLR1730
            watts = limit_w
        if named is not None and (phases is None or named < phases):
            phases = named
    return amps, watts, phases
