"""Dividing the connection: never over, nothing left, and fair."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from portal.simulator.cars import Car, PluggedCar
from portal.simulator.sharing import Want, share

AMPERES = st.floats(0, 40, allow_nan=False)


def test_two_equal_cars_get_half_each() -> None:
    wants = [Want(1, 3, 16, 25), Want(2, 3, 16, 25)]
    assert share(wants, [25, 25, 25]) == {1: 12.5, 2: 12.5}


def test_what_one_leaves_the_other_takes() -> None:
    assert share([Want(1, 3, 8, 8), Want(2, 3, 32, 32)], [25, 25, 25]) == {1: 8, 2: 17}


def test_less_than_six_for_each_is_six_for_the_first() -> None:
    wants = [Want(1, 3, 16, 25), Want(2, 3, 16, 25)]
    assert share(wants, [10, 10, 10]) == {1: 10, 2: 0}
    assert share(wants[::-1], [10, 10, 10]) == {1: 0, 2: 10}


def test_a_slow_car_is_offered_what_nobody_else_wants() -> None:
    assert share([Want(1, 1, 10, 25)], [25, 25, 25]) == {1: 25}


@given(
    st.lists(st.tuples(st.integers(1, 3), AMPERES, AMPERES), min_size=1, max_size=4),
    st.lists(st.floats(0, 80, allow_nan=False), min_size=3, max_size=3),
)
def test_never_over_and_never_wasted(cars: list[tuple[int, float, float]], capacity: list[float]) -> None:
    wants = [Want(n, phases, demand, ceiling) for n, (phases, demand, ceiling) in enumerate(cars)]
    offers = share(wants, capacity)
    used = [sum(offers[want.evse] for want in wants if phase < want.phases) for phase in range(3)]
    assert all(use <= room + 1e-6 for use, room in zip(used, capacity, strict=True))
    for want in wants:
        offer = offers[want.evse]
        assert offer == 0 or 6 - 1e-6 <= offer <= max(6, want.ceiling_a) + 1e-6
        hungry = 0 < offer < min(want.demand_a, want.ceiling_a) - 1e-6
        full = any(capacity[phase] - used[phase] < 1e-6 for phase in range(want.phases))
        assert full or not hungry


def test_a_car_goes_down_at_once_and_up_slowly() -> None:
    car = PluggedCar(Car(max_current_a=16))
    assert [car.draw(16, 1) for _ in range(5)] == [4, 8, 12, 16, 16]
    assert car.draw(7, 1) == 7
    assert car.draw(5.9, 1) == 0


def test_a_car_eases_off_and_stops_when_full() -> None:
    car = PluggedCar(Car(battery_kwh=10, soc=0.9))
    assert car.demand_a == 16
    car.store(750)
    assert 6 < car.demand_a < 16
    car.store(1000)
    assert car.full
    assert car.demand_a == 0
