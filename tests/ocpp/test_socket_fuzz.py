"""Whatever comes over the line: an answer that the standard allows, no exception of ours, no neighbour disturbed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from stations.ocpp import validation
from tests.factories import make_station
from tests.fakes.portal import Portal
from tests.fakes.station import PASSWORD, FakeStation
from tests.ocpp.strategies import Said, frames

# Not the shared portal: its pings each two seconds would find this process too busy making frames to answer them.
pytestmark = pytest.mark.xdist_group("mortal")

VERSIONS = ("1.6", "2.0.1", "2.1")
# OCPP-J 1.6, table 7; OCPP 2.0.1 part 4, table 8; 2.1 part 4, the same. InternalError is one too, and would be a bug.
EVERY_VERSION = {"NotImplemented", "NotSupported", "PropertyConstraintViolation", "TypeConstraintViolation"}
CODES = {
    "1.6": EVERY_VERSION | {"ProtocolError", "FormationViolation", "OccurenceConstraintViolation"},
    "2.0.1": EVERY_VERSION | {"RpcFrameworkError", "FormatViolation", "OccurrenceConstraintViolation"},
}
CODES["2.1"] = CODES["2.0.1"]
UNREADABLE = "-1"


@dataclass(slots=True)
class Line:
    """A station that says odd things, and is connected again where that closed its socket."""

    portal: Portal
    identity: str
    version: str
    station: FakeStation = field(init=False)
    beats: int = 0

    def __post_init__(self) -> None:
        self.connect()

    def connect(self) -> None:
        self.station = FakeStation(self.portal.port, self.identity, version=self.version)

    def answers_to(self, frame: str | bytes) -> list[list[Any]]:
        """All that is answered to `frame`: answers keep their order, so that of a heartbeat comes after them."""
        self.beats += 1
        beat = f"beat {self.beats}"
        self.station.send(frame)
        self.station.send([2, beat, "Heartbeat", {}])
        answers: list[list[Any]] = []
        while True:
            answer = json.loads(self.station.socket.recv(timeout=60))
            if answer[1] == beat:
                assert answer[0] == 3, answer
                return answers
            if answer[0] != 2:  # what the portal asks by itself, after a boot
                answers.append(answer)

    def close_code(self, payload: bytes, *, is_text: bool) -> int:
        """What the socket is closed with for this; connected again afterwards."""
        with suppress(ConnectionClosed):  # closed while it is still being sent
            self.station.socket.send(payload, text=is_text)
        code = self.station.closed_with(within_s=60)
        self.connect()
        return code


@contextmanager
def undisturbed(portal: Portal) -> Iterator[None]:
    """A neighbour of each version keeps its socket, and the server tells of no exception, its own or another's."""
    before = len(portal.log.read_text())
    neighbours = [
        FakeStation(portal.port, make_station(version=version, password=PASSWORD).identity, version=version)
        for version in VERSIONS
    ]
    yield
    for neighbour in neighbours:
        with neighbour:
            assert neighbour.call("Heartbeat", {})["currentTime"]
    told = portal.log.read_text()[before:]
    assert re.findall(r"^.*(?: ERROR |Traceback).*$", told, re.MULTILINE) == []
    assert portal.errors() == []


def judge(said: Said, answers: list[list[Any]], version: str) -> None:
    """Raises AssertionError where the standard does not allow these answers."""
    assert len(answers) <= 1, answers
    if said.action:
        assert answers, "a CALL whose id can be read is answered"
        assert answers[0][1] == said.message_id
    for answer in answers:
        kind, message_id, *rest = answer
        assert message_id in _ids_in(said), answer
        if kind == 3:
            [payload] = rest
            if said.action:
                validation.check_response(version, said.action, payload)
            continue
        code, description, details = rest
        assert kind == 4
        assert code in CODES[version], answer
        assert len(description) <= 255
        assert isinstance(details, dict)
        # What a schema accepts is refused for a value only: a time that is none, an EVSE that no station has.
        assert not said.is_valid or code == "PropertyConstraintViolation", answer


def _ids_in(said: Said) -> set[str]:
    if said.action:
        return {said.message_id}
    # A binary frame is read as the text that it most likely is.
    text = said.frame if isinstance(said.frame, str) else said.frame.decode("utf-8", "replace")
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        return {UNREADABLE}
    readable = isinstance(frame, list) and len(frame) > 1 and isinstance(frame[1], str)
    return {UNREADABLE, frame[1]} if readable else {UNREADABLE}


def fuzz(portal: Portal, version: str, *, examples: int, is_random: bool) -> None:
    line = Line(portal, make_station(version=version, password=PASSWORD).identity, version)

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=not is_random,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(said=frames(version))
    def say(said: Said) -> None:
        try:
            answers = line.answers_to(said.frame)
        except ConnectionClosed as closed:
            line.connect()
            raise AssertionError(f"closed: {closed}") from closed
        judge(said, answers, version)

    with undisturbed(portal), line.station:
        say()


@pytest.mark.parametrize("version", VERSIONS)
def test_whatever_a_station_says_is_answered_as_the_standard_allows(
    mortal_portal: Portal, version: str
) -> None:
    fuzz(mortal_portal, version, examples=120, is_random=False)


@pytest.mark.nightly
@pytest.mark.parametrize("version", VERSIONS)
def test_whatever_stations_say_for_minutes(mortal_portal: Portal, version: str) -> None:
    fuzz(mortal_portal, version, examples=4000, is_random=True)


TOO_LARGE = 1024 * 1024


@pytest.mark.parametrize("version", VERSIONS)
def test_what_no_websocket_carries_closes_that_socket_alone(mortal_portal: Portal, version: str) -> None:
    """Text that is no UTF-8 (RFC 6455, 8.1: 1007) and a frame of 1 MiB (1009); the station may come back at once."""
    line = Line(mortal_portal, make_station(version=version, password=PASSWORD).identity, version)

    @settings(
        max_examples=5,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(text=st.binary(max_size=100), size=st.integers(TOO_LARGE, TOO_LARGE + 3), is_text=st.booleans())
    def say(text: bytes, size: int, *, is_text: bool) -> None:
        assert line.close_code(b'[2,"a' + text + b'\xff","Heartbeat",{}]', is_text=True) == 1007
        assert line.close_code(b"x" * size, is_text=is_text) == 1009
        assert line.answers_to("") != []

    with undisturbed(mortal_portal):
        say()
