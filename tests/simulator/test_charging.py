"""Cars charge, meters count, transactions begin and end, the connection is shared."""

from __future__ import annotations

from portal.simulator.cars import Car
from tests.simulator.conftest import Connect
from tests.simulator.csms import Csms
from tests.simulator.desk import Desk

IMPORT, EXPORT = "Energy.Active.Import.Register", "Energy.Active.Export.Register"


async def test_a_car_charges_and_its_register_rises(csms: Csms, connect: Connect, desk: Desk) -> None:
    station = await connect(meter_interval_s=10, import_wh=1000)
    assert await station.plug_in(1, Car(), "TOKEN-1")
    await csms.until(lambda: len(desk.readings(IMPORT)) >= 5, "five readings")
    registers = desk.readings(IMPORT)
    assert registers[0] > 1000
    assert registers == sorted(set(registers))
    assert set(desk.readings(EXPORT)) == {0.0}
    assert desk.readings("Current.Import", "L3")[-1] == 16.0
    assert 220 < desk.readings("Voltage", "L1-N")[-1] < 230
    assert 10_800 < desk.readings("Power.Active.Import")[-1] < 11_040
    assert desk.readings("SoC")[-1] >= 30
    await station.unplug(1)
    await csms.until(desk.endings, "the end")
    [(end_wh, reason)] = desk.endings()
    assert reason == "EVDisconnected"
    assert end_wh >= int(registers[-1])


async def test_the_order_of_a_session(csms: Csms, connect: Connect, version: str) -> None:
    station = await connect(meter_interval_s=10)
    await station.plug_in(2, Car(), "TOKEN-1")
    if version == "1.6":
        await csms.sees("MeterValues")
        await csms.sees("StatusNotification", status="Charging")
        await station.unplug(2)
        await csms.sees("StopTransaction", transactionId=101)
        start = await csms.sees("StartTransaction")
        assert start.payload["idTag"] == "TOKEN-1"
        assert all(call.payload["transactionId"] == 101 for call in csms.seen("MeterValues"))
        await csms.sees("StatusNotification", connectorId=2, status="Available", times=2)
    else:
        await csms.sees("TransactionEvent", triggerReason="MeterValuePeriodic")
        await station.unplug(2)
        await csms.sees("TransactionEvent", eventType="Ended")
        events = [call.payload for call in csms.seen("TransactionEvent")]
        assert [event["seqNo"] for event in events] == list(range(len(events)))
        assert [event["eventType"] for event in events][:2] == ["Started", "Updated"]
        assert len({event["transactionInfo"]["transactionId"] for event in events}) == 1
        assert not any(event["offline"] for event in events)
        assert any(event["transactionInfo"]["chargingState"] == "Charging" for event in events)
        await csms.sees("StatusNotification", connectorStatus="Available", evseId=2, times=2)


async def test_a_full_car_suspends(csms: Csms, connect: Connect, version: str) -> None:
    station = await connect(speed=300)
    await station.plug_in(1, Car(battery_kwh=1, soc=0.97), "TOKEN-1")
    if version == "1.6":
        await csms.sees("StatusNotification", connectorId=1, status="SuspendedEV")
    else:
        await csms.until(
            lambda: any(
                call.payload["transactionInfo"].get("chargingState") == "SuspendedEV"
                for call in csms.seen("TransactionEvent")
            ),
            "SuspendedEV",
        )


async def test_a_token_the_csms_refuses_starts_nothing(csms: Csms, connect: Connect, desk: Desk) -> None:
    csms.bad_tokens.add("STOLEN")
    station = await connect()
    assert not await station.plug_in(1, Car(), "STOLEN")
    assert csms.seen("Authorize")
    assert not csms.seen("StartTransaction")
    assert not csms.seen("TransactionEvent")


async def test_a_token_taken_offline_and_refused_later_stops_the_charging(
    csms: Csms, connect: Connect, desk: Desk
) -> None:
    csms.bad_tokens.add("STOLEN")
    station = await connect()
    await station.disconnect()
    assert await station.plug_in(1, Car(), "STOLEN")
    station.reconnect()
    await csms.until(desk.endings, "the end")
    assert desk.endings()[0][1] == "DeAuthorized"
    assert station.station.sockets[1].meter.power_w == 0


async def test_two_cars_share_the_connection_and_leave_nothing(
    csms: Csms, connect: Connect, desk: Desk
) -> None:
    station = await connect(meter_interval_s=5)
    await station.plug_in(1, Car(max_current_a=32), "A")
    await csms.until(lambda: 25.0 in desk.readings("Current.Import", "L1", 1), "all of it for one car")
    await station.plug_in(2, Car(max_current_a=10, phases=1), "B")
    await csms.until(lambda: 10.0 in desk.readings("Current.Import", "L1", 2), "the slow car's share")
    await csms.until(lambda: desk.readings("Current.Import", "L1", 1)[-1] == 15.0, "the rest for the other")
    assert desk.readings("Current.Import", "L2", 2)[-1] == 0.0
    await station.unplug(2)
    await csms.until(lambda: desk.readings("Current.Import", "L1", 1)[-1] == 25.0, "all of it again")


async def test_remote_start_before_the_car_comes_and_remote_stop(
    csms: Csms, connect: Connect, desk: Desk
) -> None:
    station = await connect()
    assert await desk.starts(1, "REMOTE") == "Accepted"
    assert await desk.starts(1, "OTHER") == "Rejected"
    assert await station.plug_in(1, Car())
    transaction = await desk.begun(1)
    assert not csms.seen("Authorize")
    assert await desk.stops("nonsense" if desk.version != "1.6" else 999) == "Rejected"
    assert await desk.stops(transaction) == "Accepted"
    await csms.until(desk.endings, "the end")
    assert desk.endings()[0][1] == "Remote"


async def test_remote_start_with_its_own_profile(csms: Csms, connect: Connect, desk: Desk) -> None:
    station = await connect(meter_interval_s=5)
    await station.plug_in(2, Car())
    profile = desk.profile(5, [(0, 9.0)], purpose="tx")
    assert await desk.starts(2, profile=profile) == "Accepted"
    await csms.until(lambda: 9.0 in desk.readings("Current.Import", "L1", 2), "9 A")
    assert await desk.limit(2) == 9.0
    await station.unplug(2)
    assert await desk.limit(2) == 25.0


async def test_cars_obey_the_composite_after_the_first_half_minute(
    csms: Csms, connect: Connect, desk: Desk
) -> None:
    station = await connect(speed=30, meter_interval_s=5)
    assert await desk.installs(1, desk.profile(1, [(0, 0.0)])) == "Accepted"
    await station.plug_in(1, Car(), "A")
    await csms.until(
        lambda: 6.0 in desk.readings("Current.Import", "L1"), "the start pulse of requirement 209"
    )
    await csms.until(lambda: desk.readings("Current.Import", "L1")[-1] == 0.0, "then nothing")
    assert max(desk.readings("Current.Import", "L1")) == 6.0


async def test_readings_on_the_clock(csms: Csms, connect: Connect, version: str) -> None:
    await connect(speed=1800, on_the_clock=True)
    key = "connectorId" if version == "1.6" else "evseId"
    first = await csms.sees("MeterValues", **{key: 1})
    await csms.sees("MeterValues", **{key: 2})
    value = first.payload["meterValue"][0]
    assert {row["context"] for row in value["sampledValue"]} == {"Sample.Clock"}
    assert {row["measurand"] for row in value["sampledValue"]} == {IMPORT, EXPORT}


async def test_availability_waits_for_the_transaction(
    csms: Csms, connect: Connect, desk: Desk, version: str
) -> None:
    station = await connect()
    await station.plug_in(1, Car(), "A")
    if version == "1.6":
        out = {"connectorId": 1, "type": "Inoperative"}
    else:
        out = {"evse": {"id": 1}, "operationalStatus": "Inoperative"}
    assert (await csms.ask("ChangeAvailability", out))["status"] == "Scheduled"
    await station.unplug(1)
    word = {"status": "Unavailable"} if version == "1.6" else {"connectorStatus": "Unavailable"}
    await csms.until(lambda: csms.seen("StatusNotification", **word), "unavailable")
    assert not await station.plug_in(1, Car(), "A")


async def test_unlocking(csms: Csms, connect: Connect, version: str) -> None:
    await connect()
    if version == "1.6":
        assert (await csms.ask("UnlockConnector", {"connectorId": 1}))["status"] == "Unlocked"
        assert (await csms.ask("UnlockConnector", {"connectorId": 7}))["status"] == "NotSupported"
    else:
        assert (await csms.ask("UnlockConnector", {"evseId": 1, "connectorId": 1}))["status"] == "Unlocked"
        assert (await csms.ask("UnlockConnector", {"evseId": 7, "connectorId": 1}))[
            "status"
        ] == "UnknownConnector"
