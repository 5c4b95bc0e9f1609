"""Divides the connection over the sockets: never over, nothing left while somebody wants it (requirement 208)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from portal.simulator.cars import MIN_CURRENT_A

_CLOSE_A = 1e-9


@dataclass(frozen=True, slots=True)
class Want:
    """One socket: `demand_a` its car would draw, `ceiling_a` the station may offer, both per phase."""

    evse: int
    phases: int
    demand_a: float
    ceiling_a: float


def share(wants: Sequence[Want], capacity_a: Sequence[float]) -> dict[int, float]:
    """Amperes per phase to offer each socket, `capacity_a` being what the connection has per phase.

    First come in `wants`, first admitted with 6 A; then all rise together to what they would draw; then what is
    still left is offered too, so that a car is never told less than it may have.
    """
    offers = {want.evse: 0.0 for want in wants}
    admitted: list[Want] = []
    for want in wants:
        room_a = min(_room(capacity_a, offers, admitted)[: want.phases])
        if min(want.demand_a, want.ceiling_a, room_a) >= MIN_CURRENT_A - _CLOSE_A:
            admitted.append(want)
            offers[want.evse] = MIN_CURRENT_A
    _raise_together(offers, admitted, capacity_a, {w.evse: min(w.demand_a, w.ceiling_a) for w in admitted})
    _raise_together(offers, admitted, capacity_a, {w.evse: w.ceiling_a for w in admitted})
    return offers


def _room(capacity_a: Sequence[float], offers: dict[int, float], wants: Sequence[Want]) -> list[float]:
    return [
        capacity - sum(offers[want.evse] for want in wants if phase < want.phases)
        for phase, capacity in enumerate(capacity_a)
    ]


def _raise_together(
    offers: dict[int, float], wants: list[Want], capacity_a: Sequence[float], ceilings: dict[int, float]
) -> None:
    rising = list(wants)
    while True:
        room = _room(capacity_a, offers, wants)
        rising = [
            want
            for want in rising
            if offers[want.evse] < ceilings[want.evse] - _CLOSE_A and min(room[: want.phases]) > _CLOSE_A
        ]
        if not rising:
            return
        steps = [ceilings[want.evse] - offers[want.evse] for want in rising]
        for phase, left in enumerate(room):
            users = sum(1 for want in rising if phase < want.phases)
            steps += [left / users] if users else []
        for want in rising:
            offers[want.evse] += min(steps)
