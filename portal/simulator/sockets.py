"""One socket (EVSE with one connector) of a station: its car, its meter, its transaction, its status."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from portal.simulator.cars import MIN_CURRENT_A, PluggedCar
from portal.simulator.dialect import (
    AVAILABLE,
    CHARGING,
    FINISHING,
    PREPARING,
    RESERVED,
    SUSPENDED_EV,
    SUSPENDED_EVSE,
    UNAVAILABLE,
    Transaction,
)
from portal.simulator.limits import Limit
from portal.simulator.metering import Meter, Sample
from portal.simulator.profiles import EXTERNAL_SETPOINT
from portal.simulator.wire import Payload

# Requirement 209: a car gets 6 A for half a minute whatever its profile says, so that it knows it is connected.
START_PULSE_S = 30.0


@dataclass(frozen=True, slots=True)
class Permission:
    """A token that may charge at a socket before the car is there (a remote start)."""

    token: str
    until: datetime
    remote_start_id: int | None = None
    profile: Payload | None = None


@dataclass(frozen=True, slots=True)
class Reservation:
    """A socket is kept free for a card."""

    number: int
    token: str
    until: datetime


@dataclass(slots=True)
class Socket:
    evse: int
    limit_a: float
    meter: Meter = field(default_factory=Meter)
    car: PluggedCar | None = None
    transaction: Transaction | None = None
    permission: Permission | None = None
    reservation: Reservation | None = None
    operative: bool = True
    inoperative_after: bool = False  # ChangeAvailability was Scheduled
    finished: bool = False
    offered_a: float = 0.0
    reported: str = ""

    @property
    def status(self) -> str:
        if self.transaction is not None:
            return self._charging_state()
        if not self.operative:
            return UNAVAILABLE
        if self.car is not None:
            return FINISHING if self.finished else PREPARING
        if self.permission is not None:
            return PREPARING
        return RESERVED if self.reservation is not None else AVAILABLE

    def _charging_state(self) -> str:
        if self.car is not None and self.car.drawn_a:  # either way: Charging means that energy moves
            return CHARGING
        if self.car is None or self.car.full:
            return SUSPENDED_EV
        return SUSPENDED_EVSE if self.offered_a < MIN_CURRENT_A else PREPARING

    @property
    def free(self) -> bool:
        return self.operative and self.transaction is None and self.permission is None

    def takes(self, token: str) -> bool:
        """Whether this card may charge here: a reservation is for one alone."""
        return self.reservation is None or self.reservation.token.casefold() == token.casefold()

    def pulses(self, now: datetime) -> bool:
        """Whether the first half minute of the transaction is still running."""
        begun = self.transaction.started_at if self.transaction else None
        return begun is not None and (now - begun).total_seconds() < START_PULSE_S

    def gives_a(self, limit: Limit, now: datetime) -> float:
        """Amperes per phase that the car may and would give back now: what a setpoint below 0 asks (2.1), or of its
        own accord where no profile of 2.1 says who decides, or an external system does."""
        if self.car is None or not self.car.can_give or self.pulses(now):
            return 0.0
        lowest_a = limit.discharge_a if limit.discharge_a is not None else -self.limit_a
        if limit.setpoint_a is not None:
            wanted_a = -limit.setpoint_a
        else:
            free = limit.mode in {None, EXTERNAL_SETPOINT} and self.car.gives
            wanted_a = self.car.car.discharge_a if free else 0.0
        return max(0.0, min(wanted_a, -lowest_a, self.limit_a, self.car.car.discharge_a))

    def charge(self, dt_s: float, phases: int, gives_a: float = 0.0) -> None:
        """Let the car follow the offer on at most `phases` phases, or give back `gives_a`, and the meter count."""
        if self.car is None or self.transaction is None:
            self.meter.currents_a = (0.0, 0.0, 0.0)
            return
        drawn_a = self.car.give(gives_a, dt_s) if gives_a else self.car.draw(self.offered_a, dt_s)
        self.car.store(self.meter.flow(drawn_a, min(phases, self.car.car.phases), dt_s))

    def stop(self) -> None:
        """Open the relay."""
        self.transaction = None
        self.offered_a = 0.0
        self.meter.currents_a = (0.0, 0.0, 0.0)
        self.finished = self.car is not None
        if self.car is not None:
            self.car.drawn_a = 0.0
        if self.inoperative_after:
            self.operative, self.inoperative_after = False, False

    def sample(self, at: datetime, context: str) -> Sample:
        return self.meter.sample(
            at, context, offered_a=self.offered_a, soc=self.car.soc if self.car else None
        )
