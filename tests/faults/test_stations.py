"""Stations that misbehave, or whose line does: each alone pays for it."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from websockets.exceptions import ConnectionClosed

from stations import commands
from stations.events import Kind
from stations.models import ChargingSession, Command, Event, Frame, MeterReading, Presence, Station
from tests.factories import make_operator, make_staff, make_station
from tests.fakes.portal import Portal
from tests.fakes.silent import open_and_say_nothing
from tests.fakes.station import PASSWORD, FakeStation, coming_back
from tests.fakes.until import until
from tests.faults.breaking import have_ended, quiet_log

pytestmark = pytest.mark.xdist_group("frail")

CALL_TIMEOUT_S = 2  # of this portal
FLOOD = 60  # frames in a second that this portal takes, for three seconds on end


# ---------------------------------------------------------------- answers
def ask(station: Station) -> Command:
    return commands.request(station=station, action="ClearCache", payload={}, now=timezone.now())


def test_a_time_out_is_told_within_a_second_and_an_answer_after_it_still_counts(frail_portal: Portal) -> None:
    station = make_station(password=PASSWORD)
    with quiet_log(frail_portal), coming_back(frail_portal.port, station.identity) as line:
        first, second = ask(station), ask(station)
        question = line.question()
        asked_at = time.monotonic()
        assert have_ended([first.pk]) == {"unknown": 1}
        waited_s = time.monotonic() - asked_at
        # The caretaker, who comes every 10 s, would often be later.
        assert CALL_TIMEOUT_S - 0.5 < waited_s < CALL_TIMEOUT_S + 5
        # The next one does not wait for ever behind it, and the late answer is taken as what it is.
        following = line.question()
        line.answer(question, {"status": "Accepted"})
        until(lambda: Command.objects.get(pk=first.pk).state == "accepted")
        line.answer(following, {"status": "Rejected"})
        assert have_ended([second.pk]) == {"refused": 1}


def test_the_second_answer_to_one_question_changes_nothing(frail_portal: Portal) -> None:
    station = make_station(password=PASSWORD)
    with quiet_log(frail_portal), coming_back(frail_portal.port, station.identity) as line:
        asked = ask(station)
        question = line.question()
        line.answer(question, {"status": "Accepted"})
        line.answer(question, {"status": "Rejected"})
        assert line.call("Heartbeat", {})
        assert Command.objects.get(pk=asked.pk).state == "accepted"
        assert Event.objects.filter(station=station, kind=Kind.BAD_FRAME).count() == 1
        assert Event.objects.filter(station=station, kind=Kind.COMMAND_ANSWERED).count() == 1


# ---------------------------------------------------------------- lines
@pytest.mark.parametrize("end", ["cut", "silence"])
def test_a_frame_that_is_cut_in_the_middle_is_no_frame(frail_portal: Portal, end: str) -> None:
    station, neighbour = make_station(password=PASSWORD), make_station(password=PASSWORD)
    sample = {"timestamp": "2026-07-01T12:00:00Z", "sampledValue": [{"value": "1"}]}
    frame = json.dumps([2, "cut", "MeterValues", {"connectorId": 1, "meterValue": [sample]}]).encode()
    with quiet_log(frail_portal), coming_back(frail_portal.port, neighbour.identity) as calm:
        line = open_and_say_nothing(frail_portal.port, station.identity)
        if end == "cut":
            # It says how long it is, and half of it comes.
            line.sendall(
                bytes([0x81, 0xFE]) + len(frame).to_bytes(2, "big") + bytes(4) + frame[: len(frame) // 2]
            )
            line.close()
        else:
            # A fragment whose end never comes.
            line.sendall(bytes([0x01, 0x80 | 100]) + bytes(4) + frame[:100])
        assert calm.call("Heartbeat", {})
        with coming_back(frail_portal.port, station.identity) as back:
            answer = back.ask("MeterValues", json.loads(frame)[3], message_id="cut")
            assert answer[0] == 3
        line.close()
    assert MeterReading.objects.filter(station=station).count() == 1
    assert not Event.objects.filter(station=station, kind=Kind.BAD_FRAME).exists()


# ---------------------------------------------------------------- floods
@pytest.mark.parametrize("text", ['[2,"flood","Heartbeat",{}]', "not a frame"])
def test_a_flood_that_goes_on_is_shown_out_by_name(frail_portal: Portal, text: str) -> None:
    mad, calm = make_station(password=PASSWORD), make_station(password=PASSWORD)
    with (
        quiet_log(frail_portal),
        coming_back(frail_portal.port, mad.identity) as flooding,
        coming_back(frail_portal.port, calm.identity) as neighbour,
    ):
        with pytest.raises(ConnectionClosed) as closed:
            flood(flooding, text, neighbour)
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (
            1008,
            "too many frames: at most 60 a second",
        )
        until(lambda: Presence.objects.get(station=mad).connection is None)
        assert "1008 too many frames" in Presence.objects.get(station=mad).close_reason
        event = Event.objects.get(station=mad, kind=Kind.FLOODED)
        assert event.data == {"frames_per_s": FLOOD, "seconds": 3}
        assert neighbour.call("Heartbeat", {})
        with coming_back(frail_portal.port, mad.identity) as sane:
            assert sane.call("Heartbeat", {})


def flood(flooding: FakeStation, text: str, neighbour: FakeStation) -> None:
    """Without end, until it is closed; the neighbour is answered all the while, or its call ends the test."""
    while True:
        for _ in range(FLOOD // 2):
            flooding.send(text)
        neighbour.call("Heartbeat", {})
        time.sleep(0.02)


def test_broken_frames_beyond_measure_are_counted_and_the_log_says_how_many(frail_portal: Portal) -> None:
    station = make_station(password=PASSWORD)
    with quiet_log(frail_portal), coming_back(frail_portal.port, station.identity) as line:
        for _ in range(6):
            for _ in range(FLOOD // 2):
                line.send("not a frame")
            time.sleep(1.1)
        assert line.call("Heartbeat", {})
    until(lambda: Presence.objects.get(station=station).connection is None)
    broken = Event.objects.filter(station=station, kind=Kind.BAD_FRAME)
    kept = broken.filter(data__left_out__isnull=True).count()
    left_out = sum(event.data["left_out"] for event in broken.filter(data__left_out__isnull=False))
    assert kept <= 120  # sixty a minute, and a minute may have passed
    assert kept + left_out == 3 * FLOOD
    texts = Frame.objects.filter(station=station, kind=Frame.Kind.BROKEN).values_list("text", flat=True)
    assert any("further frames could not be read; counted, not kept" in text for text in texts)


# ---------------------------------------------------------------- clocks
WRONG_CLOCKS = [datetime(1970, 1, 1, tzinfo=UTC), datetime(2099, 12, 31, 23, 59, tzinfo=UTC)]


@pytest.mark.parametrize("clock", WRONG_CLOCKS, ids=lambda at: str(at.year))
@pytest.mark.parametrize("step", [timedelta(hours=1), timedelta(days=-900)], ids=["on", "back"])
@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_a_clock_that_is_off_by_years_costs_no_message_and_no_page(
    frail_portal: Portal, version: str, clock: datetime, step: timedelta
) -> None:
    """`step`: what the station's clock does between the begin of a session and its end."""
    if step < timedelta() and clock.year == 1970:
        clock = datetime(1973, 1, 1, tzinfo=UTC)
    operator = make_operator()
    station = make_station(version=version, password=PASSWORD, operator=operator)
    with quiet_log(frail_portal), coming_back(frail_portal.port, station.identity, version=version) as line:
        charge(line, version, clock, clock + step)
        boot: dict[str, Any] = {"chargePointVendor": "V", "chargePointModel": "M"}
        if version != "1.6":
            boot = {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M"}}
        # The portal tells the time, so that the station can mend its clock.
        told = datetime.fromisoformat(line.call("BootNotification", boot)["currentTime"])
        assert abs(told - timezone.now()) < timedelta(seconds=30)
    session = ChargingSession.objects.get(station=station)
    assert session.state == "ended"
    assert session.started_at in (clock, clock + step)  # 2.x: the earliest moment that it told of
    assert MeterReading.objects.filter(station=station, sampled_at=clock + step / 2).exists()
    shows_its_pages(station, operator, session)


def charge(line: FakeStation, version: str, begin: datetime, end: datetime) -> None:
    at, between, until_ = begin.isoformat(), (begin + (end - begin) / 2).isoformat(), end.isoformat()
    sample = {"timestamp": between, "sampledValue": [{"value": "1500"}]}
    if version == "1.6":
        started = line.call(
            "StartTransaction", {"connectorId": 1, "idTag": "A", "meterStart": 1000, "timestamp": at}
        )
        key = started["transactionId"]
        line.call("MeterValues", {"connectorId": 1, "transactionId": key, "meterValue": [sample]})
        line.call("StopTransaction", {"transactionId": key, "meterStop": 2000, "timestamp": until_})
        return
    sample["sampledValue"] = [{"value": 1500.0}]
    for number, (kind, when) in enumerate((("Started", at), ("Updated", between), ("Ended", until_))):
        event = {
            "eventType": kind,
            "timestamp": when,
            "triggerReason": "MeterValuePeriodic",
            "seqNo": number,
            "transactionInfo": {"transactionId": "T"},
            "evse": {"id": 1},
        }
        if kind == "Updated":
            event["meterValue"] = [sample]
        line.call("TransactionEvent", event)


def shows_its_pages(station: Station, operator: object, session: ChargingSession) -> None:
    client = Client()
    client.force_login(make_staff(operator=operator))  # type: ignore[arg-type]
    assert session.started_at is not None
    day = session.started_at.date().isoformat()
    home = f"/stations/{station.identity}"
    for path in (
        "/",
        f"/?dag={day}",
        "/sessies/",
        "/berichten/",
        "/registers/",
        "/naleving/",
        "/verbinding/",
    ):
        assert client.get(home + path).status_code == 200, path
