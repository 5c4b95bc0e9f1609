"""Live pages as people have them: a station's socket, a server process and a browser's stream, nothing between.

How soon a page knows what a station said is measured here, from the frame until the part that was fetched anew says it.
"""

from __future__ import annotations

import http.client
import re
import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from tests.factories import make_driver, make_session, make_staff, make_station, make_token
from tests.fakes.portal import Portal
from tests.fakes.station import PASSWORD, FakeStation
from tests.skips import ONLY_WITH_REDIS

pytestmark = pytest.mark.xdist_group("mortal")

EVENT = re.compile(rb"event: changed\nid: (\S+)\ndata: changed\n\n")
TIMES = 10
SOON_S = 1.0  # from the frame to the page


@dataclass(slots=True)
class Browser:
    """A visitor of one server: streams, and pages as htmx asks for them."""

    cookie: str

    def opens(self, port: int, path: str, *, last_id: str = "") -> Stream:
        return Stream(port, path, self.cookie, last_id)

    def fetches(self, port: int, path: str) -> str:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as line:
            line.request(
                "GET", path, headers={"Cookie": self.cookie, "HX-Request": "true", "Accept-Language": "en"}
            )
            answer = line.getresponse()
            body = answer.read().decode()
        assert answer.status == 200, answer.status
        return body


class Stream:
    """Server-sent events as they come over the wire, read as long as one cares to wait."""

    def __init__(self, port: int, path: str, cookie: str, last_id: str) -> None:
        self.last_id = last_id
        self._line = socket.create_connection(("127.0.0.1", port), timeout=30)
        headers = ["Host: localhost", f"Cookie: {cookie}", "Accept: text/event-stream"]
        headers += [f"Last-Event-ID: {last_id}"] if last_id else []
        self._line.sendall("\r\n".join([f"GET {path} HTTP/1.1", *headers, "", ""]).encode())
        self._unread = b""
        while b"\r\n\r\n" not in self._unread:
            self._read()
        head, _, self._unread = self._unread.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        assert b"content-type: text/event-stream" in head.lower()

    def _read(self) -> None:
        more = self._line.recv(4096)
        assert more, "the server ended the stream"
        self._unread += more

    def changed(self, within_s: float = 30) -> bool:
        """Whether the next event comes within this time. It has an id, and never data."""
        deadline = time.monotonic() + within_s
        while (found := EVENT.search(self._unread)) is None:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self._line.settimeout(left)
            with suppress(TimeoutError):
                self._read()
        self._unread = self._unread[found.end() :]
        self.last_id = found[1].decode()
        return True

    def close(self) -> None:
        self._line.close()


@contextmanager
def signed_in(user: object) -> Iterator[Browser]:
    client = Client()
    client.force_login(user)  # type: ignore[arg-type]
    yield Browser(f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}")


def frame(value: int) -> dict[str, object]:
    """A reading of this many watts."""
    sample = {"value": str(value), "measurand": "Power.Active.Import", "unit": "W"}
    at = timezone.now().isoformat().replace("+00:00", "Z")
    return {"connectorId": 1, "meterValue": [{"timestamp": at, "sampledValue": [sample]}]}


def seconds_until_seen(
    browser: Browser, stream: Stream, port: int, line: FakeStation, path: str
) -> list[float]:
    """From each frame until a page that was told "changed" says the power that the frame gave."""
    found = []
    for number in range(TIMES):
        while stream.changed(within_s=1.2):
            pass  # what came before
        power_w = 3000 + 100 * number
        begins = time.monotonic()
        line.send([2, f"power-{number}", "MeterValues", frame(power_w)])
        told = f"{power_w / 1000:.1f}\N{NO-BREAK SPACE}kW"
        while True:
            assert stream.changed()
            if told in browser.fetches(port, path):
                break
        found.append(time.monotonic() - begins)
        line.answer_to(f"power-{number}")
    return found


def report(where: str, seconds: list[float]) -> None:
    """For who runs it with -s."""
    middle, most = statistics.median(seconds), max(seconds)
    print(f"\nFrom the frame to the page, {where}: median {1000 * middle:.0f} ms, most {1000 * most:.0f} ms")  # noqa: T201 - a figure to be read


def test_a_page_says_what_the_station_said_within_a_second(mortal_portal: Portal) -> None:
    station = make_station(password=PASSWORD)
    path = f"/stations/{station.identity}/"
    with signed_in(make_staff()) as browser, FakeStation(mortal_portal.port, station.identity) as line:
        line.call("BootNotification", {"chargePointModel": "M", "chargePointVendor": "V"})
        stream = browser.opens(mortal_portal.port, f"/live/?station={station.identity}")
        seconds = seconds_until_seen(browser, stream, mortal_portal.port, line, path)
        stream.close()
    report("one server", seconds)
    assert max(seconds) <= SOON_S


@pytest.mark.skipif(not settings.REDIS_URL, reason=ONLY_WITH_REDIS)
def test_also_at_another_server_than_the_station_is_at(mortal_portal: Portal) -> None:
    station = make_station(password=PASSWORD)
    other = mortal_portal.twin(workers=0)
    other.start()
    try:
        with signed_in(make_staff()) as browser, FakeStation(mortal_portal.port, station.identity) as line:
            line.call("BootNotification", {"chargePointModel": "M", "chargePointVendor": "V"})
            stream = browser.opens(other.port, f"/live/?station={station.identity}")
            seconds = seconds_until_seen(browser, stream, other.port, line, f"/stations/{station.identity}/")
            stream.close()
    finally:
        other.stop()
    report("another server", seconds)
    assert max(seconds) <= SOON_S


def test_who_comes_back_after_a_restart_is_told_once_and_then_only_of_news(mortal_portal: Portal) -> None:
    station = make_station(password=PASSWORD)
    path = f"/live/?station={station.identity}"
    with signed_in(make_staff()) as browser:
        stream = browser.opens(mortal_portal.port, path)
        assert stream.changed()  # it came with no mark at all
        mark = stream.last_id
        mortal_portal.restart()
        stream = browser.opens(mortal_portal.port, path, last_id=mark)
        assert stream.changed()
        assert stream.last_id != mark
        assert not stream.changed(within_s=2)
        # A line that was cut, with nothing missed meanwhile.
        mark = stream.last_id
        stream.close()
        stream = browser.opens(mortal_portal.port, path, last_id=mark)
        assert not stream.changed(within_s=2)
        with FakeStation(mortal_portal.port, station.identity) as line:
            line.call("BootNotification", {"chargePointModel": "M", "chargePointVendor": "V"})
            assert stream.changed()
        # And one that was cut while something happened.
        mark = stream.last_id
        stream.close()
        with FakeStation(mortal_portal.port, station.identity) as line:
            line.call("MeterValues", frame(4000))
        stream = browser.opens(mortal_portal.port, path, last_id=mark)
        assert stream.changed()
        stream.close()


def test_a_mark_of_one_server_is_told_once_at_another(mortal_portal: Portal) -> None:
    station = make_station(password=PASSWORD)
    path = f"/live/?station={station.identity}"
    other = mortal_portal.twin(workers=0)
    other.start()
    try:
        with signed_in(make_staff()) as browser:
            stream = browser.opens(mortal_portal.port, path)
            assert stream.changed()
            there = browser.opens(other.port, path, last_id=stream.last_id)
            assert there.changed()
            assert not there.changed(within_s=2)
            there.close()
            stream.close()
    finally:
        other.stop()


def test_two_running_sessions_of_a_driver_share_one_stream(mortal_portal: Portal) -> None:
    driver = make_driver()
    card = make_token(user=driver)
    stations = [make_station(password=PASSWORD) for _ in range(2)]
    now = timezone.now()
    sessions = [make_session(station, token=card, started_at=now, received_at=now) for station in stations]
    with signed_in(driver) as browser:
        page = browser.fetches(mortal_portal.port, "/mijn/laden/?whole")
        assert all(f"/mijn/sessies/{session.pk}/" in page for session in sessions)
        asked = "&".join(f"session={session.pk}" for session in sessions)
        stream = browser.opens(mortal_portal.port, f"/live/?{asked}")
        for station in stations:
            while stream.changed(within_s=1.2):
                pass
            with FakeStation(mortal_portal.port, station.identity) as line:
                line.call("MeterValues", frame(5000))
                assert stream.changed()
        stream.close()
