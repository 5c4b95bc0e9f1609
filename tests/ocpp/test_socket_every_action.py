"""Every action of every version over a socket: an answer that its schema accepts, and an event that can be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from stations.models import Event, Frame, MeterReading, Presence, Station
from stations.ocpp import directions, v2, v16, validation
from tests.factories import make_station
from tests.fakes.portal import Portal
from tests.fakes.station import PASSWORD, FakeStation
from tests.fakes.until import until
from tests.ocpp.sayings import AT, SAYINGS, UNTELLABLE, VERSIONS, Saying

pytestmark = pytest.mark.xdist_group("portal")

EVERY = [
    pytest.param(version, action, saying, id=f"{version}-{action}")
    for version in VERSIONS
    for action, saying in SAYINGS[version].items()
]
# By 2.1 it is the CSMS that says it to the station; here it is answered all the same.
OURS_TO_SAY = {
    "1.6": frozenset[str](),
    "2.0.1": frozenset[str](),
    "2.1": frozenset({"NotifyWebPaymentStarted"}),
}

Lines = dict[str, tuple[Station, FakeStation]]


@pytest.fixture(scope="module")
def _lines() -> Iterator[Lines]:
    lines: Lines = {}
    yield lines
    for _, line in lines.values():
        line.socket.close()


@pytest.fixture
def lines(_lines: Lines, portal: Portal) -> Lines:
    """A station of each version, connected for all tests of this file."""
    for version in VERSIONS:
        if version not in _lines:
            station = make_station(version=version, password=PASSWORD, evses=1)
            _lines[version] = (station, FakeStation(portal.port, station.identity, version=version))
    return _lines


@pytest.mark.parametrize("version", VERSIONS)
def test_the_table_holds_every_message_from_stations(version: str) -> None:
    said = set(SAYINGS[version])
    assert said == directions.from_station(version) | OURS_TO_SAY[version]
    decoded = v16.FROM_STATIONS if version == "1.6" else v2.FROM_STATIONS[version]
    assert said == decoded | {"MeterValues"}, "MeterValues takes the fast path"


@pytest.mark.parametrize(("version", "action", "saying"), EVERY)
def test_a_station_says_it_and_is_answered_and_it_is_noted(
    lines: Lines, version: str, action: str, saying: Saying
) -> None:
    station, line = lines[version]
    before = Event.objects.filter(station=station).order_by("-pk").values_list("pk", flat=True).first() or 0
    answer = line.call(action, saying.payload)
    validation.check_response(version, action, answer)
    assert {name: answer[name] for name in saying.answer} == saying.answer
    new = Event.objects.filter(station=station, pk__gt=before)
    if saying.event:
        event = new.get(kind=saying.event)
        assert {name: event.data[name] for name in saying.data} == saying.data
    elif action == "MeterValues":
        assert MeterReading.objects.filter(station=station, import_wh=5).count() == 1
    assert not new.filter(kind="bad_frame").exists()
    told = str(list(Event.objects.filter(station=station).values_list("data", flat=True)))
    assert not [secret for secret in UNTELLABLE if secret in told]
    log = " ".join(Frame.objects.filter(station=station, action=action).values_list("text", flat=True))
    assert not [secret for secret in UNTELLABLE if secret in log]


@pytest.mark.parametrize("version", VERSIONS)
def test_what_only_we_may_say_is_refused_by_name(lines: Lines, version: str) -> None:
    _, line = lines[version]
    for action in directions.TO_STATION[version] - directions.BOTH_WAYS - OURS_TO_SAY[version]:
        answer = line.ask(action, {})
        assert answer[0] == 4, action
        assert answer[2] in {
            "NotSupported",
            "OccurrenceConstraintViolation" if version != "1.6" else "OccurenceConstraintViolation",
        }, (action, answer)
        assert answer[2] == "NotSupported" or answer[4]["field"] == "", action


# ---------------------------------------------------------------- the two frame types of 2.1


def happened_after(station: Station, kind: str, count: int) -> list[dict[str, Any]]:
    rows = Event.objects.filter(station=station, kind=kind).order_by("pk")
    until(lambda: rows.count() >= count)
    return list(rows.values_list("data", flat=True))


def test_a_stream_of_21_is_kept_and_never_answered(portal: Portal) -> None:
    station = make_station(version="2.1", password=PASSWORD)
    data = [{"t": 0.0, "v": "230.1"}, {"t": 1.5, "v": "230.4"}]
    with FakeStation(portal.port, station.identity, version="2.1") as line:
        stream = {"id": 2, "variableMonitoringId": 3, "params": {"interval": 5}}
        assert line.call("OpenPeriodicEventStream", {"constantStreamData": stream}) == {"status": "Accepted"}
        line.send(
            [6, "s1", "NotifyPeriodicEventStream", {"id": 2, "pending": 1, "basetime": AT, "data": data}]
        )
        # What is wrong with a SEND is noted, and not answered either.
        line.send([6, "s2", "NotifyPeriodicEventStream", {"id": "2"}])
        line.send([6, "s3", "MakeCoffee", {}])
        line.send([6, "s4", "Heartbeat", {}])
        line.send([6, "s5"])
        assert line.call("ClosePeriodicEventStream", {"id": 2}) == {}
        assert [frame for frame in line.unread if frame[0] != 2] == []
    steps = happened_after(station, "event_stream", 3)
    assert steps[1] == {"stream": 2, "step": "data", "pending": 1, "values": [[0.0, "230.1"], [1.5, "230.4"]]}
    assert [step["step"] for step in steps] == ["opened", "data", "closed"]
    codes = [data["code"] for data in happened_after(station, "bad_frame", 4)]
    assert codes[1:] == ["NotImplemented", "NotImplemented", "MessageTypeNotSupported"]
    assert codes[0] in {"OccurrenceConstraintViolation", "TypeConstraintViolation"}


def test_an_answer_that_a_station_of_21_cannot_read_is_named(portal: Portal) -> None:
    station = make_station(version="2.1", password=PASSWORD)
    with FakeStation(portal.port, station.identity, version="2.1") as line:
        line.call("Heartbeat", {}, message_id="beat")
        line.send([5, "beat", "FormatViolation", "currentTime is no time", {}])
        line.send([5, "other", "InternalError"])
        assert line.call("Heartbeat", {})
        assert [frame for frame in line.unread if frame[0] != 2] == []
    assert happened_after(station, "answer_unread", 2) == [
        {"action": "Heartbeat", "code": "FormatViolation", "description": "currentTime is no time"},
        {"action": "", "code": "InternalError", "description": ""},
    ]


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_before_21_these_types_are_none_and_are_ignored(portal: Portal, version: str) -> None:
    """OCPP-J 1.6, 4.1.3: a message type that is not known shall be ignored."""
    station = make_station(version=version, password=PASSWORD)
    with FakeStation(portal.port, station.identity, version=version) as line:
        line.send([5, "beat", "FormatViolation", "", {}])
        line.send([6, "s1", "NotifyPeriodicEventStream", {}])
        assert line.call("Heartbeat", {})
        assert line.unread == []
        assert Presence.objects.get(station=station).connection is not None
    code = "ProtocolError" if version == "1.6" else "MessageTypeNotSupported"
    assert [data["code"] for data in happened_after(station, "bad_frame", 2)] == [code, code]
