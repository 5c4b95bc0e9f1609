"""The socket: both directions at once, messages kept while offline, bad frames answered."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from portal.simulator.cars import Car
from portal.simulator.simulated import SimulatedStation
from portal.simulator.spec import PastSession, StationSpec
from tests.simulator.conftest import Connect
from tests.simulator.csms import Csms, Payload, RefusedError
from tests.simulator.desk import Desk

MILLISECOND = timedelta(milliseconds=1)  # what a time loses on the wire


async def test_it_answers_while_it_waits_for_an_answer(csms: Csms, connect: Connect, desk: Desk) -> None:
    await connect()
    csms.withheld.add("Heartbeat")
    await desk.triggers("Heartbeat")
    waiting = await csms.sees("Heartbeat")
    for _ in range(3):
        assert await desk.limit(1) == 25.0
    csms.withheld.clear()
    await desk.triggers("MeterValues")
    assert not csms.seen("MeterValues")  # its own second CALL waits for the first
    await csms.release(waiting)
    await csms.sees("MeterValues")


async def test_a_session_while_offline_arrives_afterwards_in_order(
    csms: Csms, connect: Connect, desk: Desk, version: str
) -> None:
    station = await connect(meter_interval_s=10)
    await station.disconnect()
    before = station.clock.now()
    assert await station.plug_in(1, Car(), "A")
    await station.clock.sleep(35)
    await station.unplug(1)
    after = station.clock.now()
    assert station.link.owed >= 4
    count = len(csms.calls)
    station.reconnect()
    await csms.until(desk.endings, "the end")
    told = [call for call in csms.calls[count:] if call.action != "StatusNotification"]
    times = [_time(call.payload) for call in told]
    assert times == sorted(times)
    assert before - MILLISECOND <= times[0] <= times[-1] <= after
    assert times[-1] - times[0] >= timedelta(seconds=30)
    if version == "1.6":
        actions = [call.action for call in told]
        assert actions == ["StartTransaction"] + ["MeterValues"] * (len(told) - 2) + ["StopTransaction"]
        assert {call.payload["transactionId"] for call in told[1:]} == {101}
    else:
        assert all(call.payload["offline"] for call in told)
        assert [call.payload["seqNo"] for call in told] == list(range(len(told)))
    await csms.until(lambda: station.link.owed == 0, "all acknowledged")


async def test_a_message_cut_off_before_its_answer_is_sent_again(
    csms: Csms, connect: Connect, version: str
) -> None:
    station = await connect()
    action = "StartTransaction" if version == "1.6" else "TransactionEvent"
    csms.withheld.add(action)
    await station.plug_in(1, Car(), "A")
    first = await csms.sees(action)
    csms.withheld.clear()
    assert csms.socket is not None
    await csms.socket.close()
    again = await csms.sees(action, times=2)
    assert (again.payload, again.message_id) == (first.payload, first.message_id)
    assert again.connection == first.connection + 1


async def test_the_past_arrives_in_order_with_its_own_times(csms: Csms, connect: Connect, desk: Desk) -> None:
    day = datetime(2026, 3, 1, 8, tzinfo=UTC)
    past = (
        PastSession(1, "EVENING", day + timedelta(hours=10), day + timedelta(hours=12), energy_wh=5_000),
        PastSession(1, "MORNING", day, day + timedelta(hours=2), energy_wh=11_000),
        PastSession(
            2, "NEIGHBOUR", day + timedelta(hours=1), day + timedelta(hours=3), energy_wh=3_000, phases=1
        ),
    )
    station = await connect(past=past, import_wh=2_000)
    await csms.until(lambda: len(desk.endings()) == 3, "three endings")
    told = [
        call.payload for call in csms.calls if call.action not in {"BootNotification", "StatusNotification"}
    ]
    times = [_time(payload) for payload in told]
    assert csms.calls[0].action == "BootNotification"
    assert times == sorted(times)
    assert (times[0], times[-1]) == (day, day + timedelta(hours=12))
    assert desk.endings() == [
        (13_000, "EVDisconnected"),
        (417_000, "EVDisconnected"),
        (18_000, "EVDisconnected"),
    ]
    tokens = [payload.get("idTag") or payload.get("idToken", {}).get("idToken") for payload in told]
    started = [
        token for token, payload in zip(tokens, told, strict=True) if token and "meterStop" not in payload
    ]
    assert started == ["MORNING", "NEIGHBOUR", "EVENING"]
    registers = desk.readings("Energy.Active.Import.Register", evse=1)
    assert registers == sorted(registers)
    assert len(registers) == 14
    assert station.station.sockets[1].meter.import_wh == 18_000
    if desk.version != "1.6":
        assert all(payload["offline"] for payload in told)


def _time(payload: Payload) -> datetime:
    return datetime.fromisoformat(payload.get("timestamp") or payload["meterValue"][0]["timestamp"])


MISSING = {
    "1.6": "OccurenceConstraintViolation",
    "2.0.1": "OccurrenceConstraintViolation",
    "2.1": "OccurrenceConstraintViolation",
}
FORMAT = {"1.6": "FormationViolation", "2.0.1": "FormatViolation", "2.1": "FormatViolation"}


async def test_bad_calls_get_the_right_error(csms: Csms, connect: Connect, desk: Desk, version: str) -> None:
    await connect()
    key = "connectorId" if version == "1.6" else "evseId"
    bad: list[tuple[str, Payload, str | None]] = [
        ("MakeCoffee", {}, "NotImplemented"),
        ("../Authorize", {}, "NotImplemented"),
        ("SendLocalList", {"listVersion": 1, "versionNumber": 1, "updateType": "Full"}, None),
        ("GetCompositeSchedule", {key: 1}, MISSING[version]),
        ("GetCompositeSchedule", {key: "one", "duration": 60}, "TypeConstraintViolation"),
        ("GetCompositeSchedule", {key: 1, "duration": 60, "colour": "red"}, FORMAT[version]),
        ("Reset", {"type": "Lukewarm"}, "PropertyConstraintViolation"),
    ]
    for action, payload, code in bad:
        with pytest.raises(RefusedError) as refusal:
            await csms.ask(action, payload)
        assert code is None or str(refusal.value) == code, action
    with pytest.raises(RefusedError, match="NotSupported"):
        await csms.ask("Heartbeat", {})  # a station's own
    with pytest.raises(RefusedError, match=FORMAT[version]):
        await desk.installs(1, desk.profile(1, [(0, 6.0)], validFrom="next Tuesday"))
    assert await desk.limit(1) == 25.0
    assert csms.connections == 1


async def test_frames_that_are_none_leave_the_socket_open(
    csms: Csms, connect: Connect, desk: Desk, version: str
) -> None:
    await connect()
    for text in ("{", "[]", "null", "[7]", '[3,"nobody-asked",{}]', '[2,"id-1","Reset"]', "[2,5,6,7]"):
        await csms.send(text)
    assert await desk.limit(1) == 25.0
    assert csms.connections == 1
    errors = [frame for frame in csms.frames if frame[0] == 4]
    assert [4, "id-1", FORMAT[version], "not a CALL", {}] in errors
    assert len(errors) == (1 if version == "1.6" else 6)
    assert all(json.dumps(frame) for frame in errors)


async def test_a_refused_message_is_dropped_after_three_attempts(
    csms: Csms, connect: Connect, desk: Desk
) -> None:
    station = await connect()
    csms.withheld.add("MeterValues")
    await desk.triggers("MeterValues")
    for attempt in range(1, 4):
        call = await csms.sees("MeterValues", times=attempt)
        await csms.send(json.dumps([4, call.message_id, "InternalError", "", {}]))
    csms.withheld.clear()
    other = await csms.sees("MeterValues", times=4)
    assert other.payload != call.payload
    await csms.until(lambda: station.link.owed == 0, "nothing owed")


async def test_a_stop_that_comes_with_an_answer_is_still_a_stop(csms: Csms, version: str) -> None:
    spec = StationSpec("ST-1", csms.url, ocpp=version, password="secret")
    for _ in range(20):
        station = SimulatedStation(spec)
        running = asyncio.create_task(station.run())
        csms.calls.clear()
        await csms.sees("BootNotification")
        item = station.link._waiting
        assert item is not None
        if not item.done.done():
            item.done.set_result({"status": "Accepted", "currentTime": "2026-01-01T00:00:00Z", "interval": 9})
        running.cancel()
        await asyncio.wait([running], timeout=60)
        assert running.done()
