"""One step of time at the sockets: what each may draw or give back, and what the cars make of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from portal.simulator.cars import MIN_CURRENT_A
from portal.simulator.limits import Limit
from portal.simulator.profiles import Running
from portal.simulator.schedules import Schedules
from portal.simulator.sharing import Want, share
from portal.simulator.sockets import Socket

TURN_S = 600  # where not every car can have 6 A, they take turns of this length


def flow(
    sockets: Mapping[int, Socket],
    schedules: Schedules,
    running: dict[int, Running],
    *,
    now: datetime,
    dt_s: float,
) -> None:
    """Offer each socket its share at `now`, and let energy flow for `dt_s`."""
    limits = {evse: schedules.limit(evse, now, running, now) for evse in running}
    gives = {evse: sockets[evse].gives_a(limit, now) for evse, limit in limits.items()}
    wants = [_want(sockets[evse], limit, now) for evse, limit in limits.items() if not gives[evse]]
    turn = int(now.timestamp() // TURN_S) % max(1, len(wants))
    whole, supply = schedules.station_limit(now), schedules.hardware[0]
    offers = share([*wants[turn:], *wants[:turn]], [whole.amperes] * supply.phases)
    # The fuses hold both ways; what one car gives is not lent to another.
    most_a = supply.amperes / max(1, sum(1 for amperes in gives.values() if amperes))
    for evse, socket in sockets.items():
        socket.offered_a = offers.get(evse, 0.0)
        phases = limits[evse].phases if evse in limits else 1
        socket.charge(dt_s, phases, min(gives.get(evse, 0.0), most_a))


def _want(socket: Socket, limit: Limit, now: datetime) -> Want:
    """What a car that charges asks of the connection. Without a car the phases matter little."""
    ceiling_a = limit.amperes
    if limit.setpoint_a is not None:
        ceiling_a = min(ceiling_a, max(0.0, limit.setpoint_a))
    if ceiling_a < MIN_CURRENT_A and socket.pulses(now):
        ceiling_a = MIN_CURRENT_A  # requirement 209; the connection still holds, see `share`
    car = socket.car
    phases = min(limit.phases, car.car.phases if car else 1)
    return Want(socket.evse, phases, car.demand_a if car else 0.0, ceiling_a)
