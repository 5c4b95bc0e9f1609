"""Cars: a battery, an on-board charger, and the habit of taking what is offered until full."""

from __future__ import annotations

from dataclasses import dataclass

from portal.simulator.profiles import NOMINAL_V

MIN_CURRENT_A = 6.0  # IEC 61851: below it there is no charging
RAMP_A_PER_S = 4.0
TAPER_FROM = 0.95  # state of charge above which the charger eases off


@dataclass(frozen=True, slots=True)
class Car:
    """`max_current_a` per phase on `phases`; `soc` between 0 and 1. `token`: who plugs it in, None waits for a
    remote start. `after_s`: when it arrives, counted from the station's first accepted boot.

    `discharge_a` per phase is what it can give back, 0 for most cars, and never below `discharges_to`. With
    `discharges_at` it does so of its own accord: from that state of charge down to the other, and then charges again.
    """

    battery_kwh: float = 60.0
    soc: float = 0.3
    max_current_a: float = 16.0
    phases: int = 3
    token: str | None = None
    after_s: float = 0.0
    discharge_a: float = 0.0
    discharges_at: float | None = None
    discharges_to: float = 0.2

    def __post_init__(self) -> None:
        if not 0 <= self.soc <= 1 or self.phases not in {1, 2, 3}:
            raise ValueError("a car has a soc between 0 and 1, and 1, 2 or 3 phases")
        if self.battery_kwh <= 0 or self.max_current_a < MIN_CURRENT_A:
            raise ValueError(f"a car has a battery, and takes at least {MIN_CURRENT_A:g} A")
        gives = self.discharges_at is not None
        if self.discharge_a < 0 or (gives and not self.discharge_a):
            raise ValueError("a car that gives back does so at some amperes")
        if not 0 <= self.discharges_to <= 1 or (
            gives and not self.discharges_to < (self.discharges_at or 0) <= 1
        ):
            raise ValueError(
                "a car gives back from a higher state of charge to a lower one, both between 0 and 1"
            )

    @property
    def power_w(self) -> float:
        return self.max_current_a * self.phases * NOMINAL_V


class PluggedCar:
    """A car at a socket: how much it wants, what it draws, how full it is."""

    def __init__(self, car: Car) -> None:
        self.car = car
        self.soc = car.soc
        self.drawn_a = 0.0  # below 0 while it gives back
        self._giving = False
        self.store(0.0)

    @property
    def gives(self) -> bool:
        """Whether it would give back now, of its own accord."""
        return self._giving

    @property
    def can_give(self) -> bool:
        return self.car.discharge_a > 0 and self.soc > self.car.discharges_to

    @property
    def full(self) -> bool:
        return self.soc >= 1.0

    @property
    def demand_a(self) -> float:
        """What it would draw per phase if it were free to: 0 when full, easing to 6 A near it."""
        if self.full:
            return 0.0
        room = min(1.0, (1.0 - self.soc) / (1.0 - TAPER_FROM))
        return MIN_CURRENT_A + (self.car.max_current_a - MIN_CURRENT_A) * room

    def draw(self, offered_a: float, dt_s: float) -> float:
        """Follow the offer for `dt_s`: down at once, up along the ramp. Returns amperes per phase."""
        target = min(offered_a, self.demand_a) if offered_a >= MIN_CURRENT_A else 0.0
        self.drawn_a = min(target, max(self.drawn_a, 0.0) + RAMP_A_PER_S * dt_s)
        return self.drawn_a

    def give(self, wanted_a: float, dt_s: float) -> float:
        """Give back up to `wanted_a` per phase for `dt_s`: less at once, more along the ramp. Returns what it draws,
        which is below 0."""
        target = -min(wanted_a, self.car.discharge_a) if self.can_give else 0.0
        self.drawn_a = max(target, min(self.drawn_a, 0.0) - RAMP_A_PER_S * dt_s)
        return self.drawn_a

    def store(self, energy_wh: float) -> None:
        self.soc = max(0.0, min(1.0, self.soc + energy_wh / (self.car.battery_kwh * 1000)))
        if self.car.discharges_at is not None:
            begins = self.soc >= self.car.discharges_at
            self._giving = self.can_give and (self._giving or begins)
