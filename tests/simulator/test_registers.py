"""Cars that give back: two registers that only rise, never both at once, and the meters that get it wrong."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from portal.simulator.cars import Car, PluggedCar
from portal.simulator.simulated import SimulatedStation
from portal.simulator.spec import PastSession, StationSpec, cars
from tests.simulator.conftest import Connect, station_of
from tests.simulator.csms import Csms
from tests.simulator.desk import Desk

IMPORT, EXPORT = "Energy.Active.Import.Register", "Energy.Active.Export.Register"
DAY = datetime(2026, 3, 1, 8, tzinfo=UTC)
V2G = Car(battery_kwh=10, soc=0.6, discharge_a=16, discharges_at=0.61, discharges_to=0.59)
PAST = PastSession(1, "A", DAY, DAY + timedelta(hours=6), 11_000, discharge_wh=8_000)


def rises(readings: list[float]) -> list[float]:
    return [later - earlier for earlier, later in itertools.pairwise(readings)]


async def gives_back(csms: Csms, desk: Desk, readings: int = 5) -> None:
    """Wait until the car has charged and then given back for so many readings."""
    await csms.until(
        lambda: len([w for w in desk.readings("Power.Active.Export") if w > 0]) >= readings, "power out"
    )


async def test_a_car_gives_back_and_only_one_register_rises(csms: Csms, connect: Connect, desk: Desk) -> None:
    station = await connect(meter_interval_s=10)
    await station.plug_in(1, V2G, "A")
    await gives_back(csms, desk)
    into, out = desk.readings(IMPORT), desk.readings(EXPORT)
    took, gave = rises(into), rises(out)
    assert min(took + gave) >= 0
    powers = list(
        zip(desk.readings("Power.Active.Import"), desk.readings("Power.Active.Export"), strict=True)
    )
    assert all(0.0 in pair for pair in powers)
    given = [n for n, (_, power_w) in enumerate(powers) if power_w > 0]
    assert powers[0][0] > 0  # first the half minute of requirement 209, then the rest of the charging
    assert all(out[n] > out[n - 1] and into[n] == into[n - 1] for n in given[1:])
    assert 10_800 < powers[given[-1]][1] < 11_200
    assert desk.readings("Current.Export", "L2")[given[-1]] == 16.0
    assert desk.readings("Current.Import", "L2")[given[-1]] == 0.0


async def test_it_charges_again_when_it_gave_enough(csms: Csms, connect: Connect, desk: Desk) -> None:
    station = await connect(speed=240, meter_interval_s=10)
    await station.plug_in(1, V2G, "A")
    await gives_back(csms, desk)

    def charges_again() -> bool:
        powers = desk.readings("Power.Active.Export")
        return powers[-1] == 0.0 and max(powers) > 0

    await csms.until(charges_again, "charging again")
    assert desk.readings("SoC")[-1] >= 58.9


async def test_the_end_of_the_session_tells_the_import_register(
    csms: Csms, connect: Connect, desk: Desk
) -> None:
    station = await connect(meter_interval_s=10)
    await station.plug_in(1, V2G, "A")
    await gives_back(csms, desk, readings=2)
    await station.unplug(1)
    await csms.until(desk.endings, "the end")
    assert desk.endings()[0][0] == pytest.approx(desk.readings(IMPORT)[-1], abs=0.6)


async def test_two_cars_give_no_more_than_the_connection(csms: Csms, connect: Connect, desk: Desk) -> None:
    station = await connect(meter_interval_s=5, connection="3x16")
    for evse in (1, 2):
        await station.plug_in(evse, Car(soc=0.9, discharge_a=16, discharges_at=0.8), f"T{evse}")
    await csms.until(lambda: desk.readings("Current.Export", "L1", 2)[-1:] == [8.0], "half for each")
    assert desk.readings("Current.Export", "L1", 1)[-1] == 8.0


@pytest.mark.parametrize("defect", ["single-register", "netted-register"])
async def test_a_bad_meter_claims_the_export_register_and_leaves_it_at_zero(
    csms: Csms, connect: Connect, desk: Desk, defect: str
) -> None:
    station = await connect(meter_interval_s=10, defect=defect, import_wh=5_000)
    await station.plug_in(1, V2G, "A")
    power = "Power.Active.Import" if defect == "single-register" else "Power.Active.Export"
    sign = -1 if defect == "single-register" else 1
    await csms.until(lambda: len([w for w in desk.readings(power) if w * sign > 0]) >= 4, "power out")
    powers, into = desk.readings(power), desk.readings(IMPORT)
    given = [n for n, power_w in enumerate(powers) if power_w * sign > 0][1:]
    assert set(desk.readings(EXPORT)) == {0.0}
    assert EXPORT in await sampled(csms)
    if defect == "single-register":
        assert all(into[n] == into[n - 1] for n in given)
        assert "Power.Active.Export" not in await sampled(csms)
        assert desk.readings("Current.Import", "L1")[given[-1]] == -16.0
    else:
        assert all(into[n] < into[n - 1] for n in given)
        assert desk.readings("Power.Active.Import")[given[-1]] == 0.0


async def sampled(csms: Csms) -> list[str]:
    """The measurands that the station says it samples."""
    if csms.subprotocol == "ocpp1.6":
        answer = await csms.ask("GetConfiguration", {"key": ["MeterValuesSampledData"]})
        return str(answer["configurationKey"][0]["value"]).split(",")
    row = {"component": {"name": "SampledDataCtrlr"}, "variable": {"name": "TxUpdatedMeasurands"}}
    answer = await csms.ask("GetVariables", {"getVariableData": [row]})
    return str(answer["getVariableResult"][0]["attributeValue"]).split(",")


@pytest.mark.parametrize("defect", [None, "ten-periods", "no-stacking", "forgets-profiles-on-reboot"])
async def test_other_stations_have_both_registers(csms: Csms, connect: Connect, defect: str | None) -> None:
    await connect(defect=defect)
    assert {IMPORT, EXPORT, "Power.Active.Export", "Current.Export"} <= set(await sampled(csms))


async def test_a_past_session_tells_what_was_given_back(csms: Csms, connect: Connect, desk: Desk) -> None:
    station = await connect(past=(PAST,), import_wh=2_000, export_wh=700)
    await csms.until(desk.endings, "the end")
    into, out = desk.readings(IMPORT), desk.readings(EXPORT)
    powers = list(
        zip(desk.readings("Power.Active.Import"), desk.readings("Power.Active.Export"), strict=True)
    )
    assert (into[-1], out[-1]) == (13_000, 8_700)
    assert all(took == 0 or gave == 0 for took, gave in zip(rises(into), rises(out), strict=True))
    assert all(0.0 in pair for pair in powers)
    assert (
        len([1 for power_w, _ in powers if power_w > 0]) == 4
    )  # 11 kWh at a little under 11 kW, each quarter-hour
    given = [n for n, (_, power_w) in enumerate(powers) if power_w > 0]
    assert len(given) == 3  # 8 kWh
    assert given[0] == 5  # it rested in between
    assert desk.endings() == [(13_000, "EVDisconnected")]
    meter = station.station.sockets[1].meter
    assert (meter.import_wh, meter.export_wh) == (13_000, 8_700)


@pytest.mark.parametrize(("defect", "ends_at"), [("single-register", 13_000), ("netted-register", 5_000)])
async def test_the_past_of_a_bad_meter(
    csms: Csms, connect: Connect, desk: Desk, defect: str, ends_at: float
) -> None:
    await connect(past=(PAST,), import_wh=2_000, defect=defect)
    await csms.until(desk.endings, "the end")
    into = desk.readings(IMPORT)
    assert set(desk.readings(EXPORT)) == {0.0}
    assert (min(rises(into)) < 0) == (defect == "netted-register")
    assert (min(desk.readings("Power.Active.Import")) < 0) == (defect == "single-register")
    assert into[-1] == ends_at


def test_a_past_session_that_does_not_fit() -> None:
    late = PastSession(1, "A", DAY, DAY + timedelta(hours=2), 11_000, discharge_wh=8_000)
    station = SimulatedStation(StationSpec("ST-1", "ws://localhost:1", past=(late,)))
    with pytest.raises(ValueError, match="8000 Wh out do not fit"):
        asyncio.run(station.run())


async def test_the_registers_agree_over_a_power_cut(csms: Csms, version: str, tmp_path: Path) -> None:
    options: dict[str, Any] = {"ocpp": version, "password": "secret", "memory": tmp_path / "meters.json"}
    spec = StationSpec("ST-1", csms.url, **options, past=(PAST,), defect="netted-register")
    again = StationSpec("ST-1", csms.url, **options, defect="netted-register")
    mended = StationSpec("ST-1", csms.url, **options)
    stood = [await stands_after(csms, each) for each in (spec, again, mended)]
    assert stood == [(3_000, 0.0), (3_000, 0.0), (11_000, 8_000)]


async def stands_after(csms: Csms, spec: StationSpec) -> tuple[float, float]:
    """Both registers of the first socket, once the station is cut off."""
    station = station_of(spec)
    running = asyncio.create_task(station.run())
    boots = len(csms.seen("BootNotification"))
    await csms.sees("BootNotification", times=boots + 1)
    await asyncio.sleep(0.1)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    meter = station.station.sockets[1].meter
    return meter.import_wh, meter.export_wh


def test_a_car_gives_at_once_less_and_slowly_more_and_never_below_its_minimum() -> None:
    car = PluggedCar(Car(battery_kwh=10, soc=0.5, discharge_a=16, discharges_to=0.4))
    assert [car.give(32, 1) for _ in range(5)] == [-4, -8, -12, -16, -16]
    assert car.give(7, 1) == -7
    car.store(-1000)
    assert not car.can_give
    assert car.give(7, 1) == 0


def test_a_car_that_gives_back_as_typed() -> None:
    [(evse, car)] = cars("2:11kW:10kWh:soc=60:v2g=11kW:from=61:to=59")
    assert (evse, car) == (2, V2G)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1:11kW:from=80", "at some amperes"),
        ("1:11kW:v2g=11kW:from=10", "from a higher state of charge"),
        ("1:11kW:v2g=11", "should end with kW"),
    ],
)
def test_a_car_that_cannot_give_back(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        cars(text)
