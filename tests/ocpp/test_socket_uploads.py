"""Files by signed links, from a running portal: what a station sends arrives, and nothing else does."""

from __future__ import annotations

import datetime as dt
import http.client
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.utils import timezone

from stations import commands, uploads
from stations.models import (
    Command,
    ConnectionSpan,
    FirmwareImage,
    FirmwareUpdate,
    Frame,
    Station,
    UploadTicket,
)
from tests.factories import make_station
from tests.fakes.portal import Portal
from tests.fakes.station import PASSWORD, FakeStation
from tests.fakes.until import until

pytestmark = pytest.mark.xdist_group("portal")


def request(
    portal: Portal, method: str, url: str, body: Any = None, headers: dict[str, str] | None = None
) -> http.client.HTTPResponse:
    """By the path of the link: the test's own PUBLIC_URL is another than that of the portal it started."""
    line = http.client.HTTPConnection("127.0.0.1", portal.port, timeout=60)
    line.request(method, urlsplit(url).path, body=body, headers=headers or {})
    return line.getresponse()


def folder(portal: Portal) -> Path:
    return Path(portal.environment["UPLOAD_DIR"])


def kept(portal: Portal, row: UploadTicket) -> bytes:
    row.refresh_from_db()
    return (folder(portal) / row.file).read_bytes()


def left(portal: Portal, row: UploadTicket) -> list[Path]:
    return list((folder(portal) / "stations" / str(row.station_id)).glob(f"{row.pk}-*"))


def ticket_for(identity: str, *, kind: str = "log", now: dt.datetime | None = None) -> uploads.Ticket:
    station = make_station(identity, password=PASSWORD)
    return uploads.ticket(station=station, kind=kind, now=now or timezone.now())


def test_a_log_from_the_question_to_the_file(portal: Portal) -> None:
    station = make_station("UP-1", password=PASSWORD, version="2.0.1")
    with FakeStation(portal.port, "UP-1", version="2.0.1") as line:
        ticket = uploads.ticket(station=station, kind="log", now=timezone.now())
        asked = {
            "logType": "DiagnosticsLog",
            "requestId": ticket.request_id,
            "log": {"remoteLocation": ticket.url},
        }
        command = commands.request(station=station, action="GetLog", payload=asked, now=timezone.now())
        question = line.question("GetLog")
        url = question.payload["log"]["remoteLocation"]
        assert url == ticket.url
        line.answer(question, {"status": "Accepted", "filename": "log.txt"})
        line.call("LogStatusNotification", {"status": "Uploading", "requestId": ticket.request_id})
        until(lambda: UploadTicket.objects.get(pk=ticket.row.pk).state == "uploading")
        assert request(portal, "PUT", url, b"all that happened").status == 201
        line.call("LogStatusNotification", {"status": "Uploaded", "requestId": ticket.request_id})
    assert kept(portal, ticket.row) == b"all that happened"
    assert (ticket.row.state, ticket.row.said) == ("received", "Uploaded")
    # Whoever reads the log or the command cannot use the link.
    secret = ticket.url.partition("/token-")[2]
    until(lambda: Command.objects.get(pk=command.pk).state == "accepted")
    assert secret not in str(Command.objects.get(pk=command.pk).payload)
    assert not Frame.objects.filter(station=station, text__contains=secret).exists()


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_diagnostics_with_a_name_behind_the_folder(portal: Portal, method: str) -> None:
    ticket = ticket_for(f"UP-2-{method}", kind="diagnostics")
    assert request(portal, method, f"{ticket.folder}..%5Cdiag%20x.tar.gz", b"\x1f\x8b").status == 201
    assert kept(portal, ticket.row) == b"\x1f\x8b"
    assert ticket.row.name == "diag_x.tar.gz"


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_form_with_a_file_in_it(portal: Portal, method: str) -> None:
    ticket = ticket_for(f"UP-3-{method}")
    body = (
        b'--xyz\r\nContent-Disposition: form-data; name="file"; filename="a.log"\r\n'
        b"Content-Type: text/plain\r\n\r\nhello\r\n--xyz--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=xyz"}
    assert request(portal, method, ticket.url, body, headers).status == 201
    assert (kept(portal, ticket.row), ticket.row.name) == (b"hello", "a.log")


def test_a_large_log_arrives_whole(portal: Portal) -> None:
    ticket = ticket_for("UP-4")
    pieces = [bytes([number]) * (1 << 20) for number in range(20)]
    size = str(sum(map(len, pieces)))
    assert request(portal, "PUT", ticket.url, iter(pieces), {"Content-Length": size}).status == 201
    assert kept(portal, ticket.row) == b"".join(pieces)
    assert ticket.row.size == 20 << 20


def test_links_that_are_wrong_used_or_expired_say_so(portal: Portal) -> None:
    ticket = ticket_for("UP-5")
    wrong = request(portal, "PUT", ticket.url[:-1] + "-", b"x")
    assert (wrong.status, b"signature" in wrong.read()) == (403, True)
    assert request(portal, "PUT", ticket.url, b"first").status == 201
    used = request(portal, "PUT", ticket.url, b"second")
    assert (used.status, b"was used" in used.read()) == (410, True)
    assert kept(portal, ticket.row) == b"first"
    expired = ticket_for("UP-6", now=timezone.now() - dt.timedelta(days=3))
    answer = request(portal, "PUT", expired.url, b"x")
    assert (answer.status, b"expired" in answer.read()) == (410, True)
    assert request(portal, "GET", ticket.url).status == 405


def test_what_is_empty_or_too_large_is_refused_and_the_link_still_works(portal: Portal) -> None:
    ticket = ticket_for("UP-7")
    assert request(portal, "PUT", ticket.url, b"").status == 400
    huge = request(portal, "PUT", ticket.url, headers={"Content-Length": str(1 << 40)})
    assert huge.status == 413
    assert left(portal, ticket.row) == []
    ticket.row.refresh_from_db()
    assert (ticket.row.state, ticket.row.attempts) == ("failed", 2)
    assert "at most" in ticket.row.problem, "who asked for the log sees why it did not come"
    assert request(portal, "PUT", ticket.url, b"at last").status == 201
    assert kept(portal, ticket.row) == b"at last"


def test_a_body_in_chunks_that_is_too_large_gets_a_413_that_its_sender_can_read(portal: Portal) -> None:
    """A station that streams its log says no length before; it sends all before it reads the answer."""
    ticket = ticket_for("UP-13")
    most = int(portal.environment["UPLOAD_MAX_BYTES"]) + (1 << 20)
    chunk, sent = b"x" * 65_536, 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 2 * most:
            sent += len(chunk)
            yield chunk

    answer = request(portal, "PUT", ticket.url, endless())
    assert (answer.status, answer.headers["Connection"]) == (413, "close")
    assert f"at most {most} bytes" in answer.read().decode()
    assert sent >= 2 * most, "it could send all of it"
    ticket.row.refresh_from_db()
    assert f"at most {most} bytes" in ticket.row.problem
    assert left(portal, ticket.row) == []
    small = request(portal, "PUT", ticket.url, iter([b"in ", b"chunks"]))
    assert small.status == 201
    assert kept(portal, ticket.row) == b"in chunks"


def test_a_body_whose_length_is_too_large_gets_its_413_while_it_is_sent(portal: Portal) -> None:
    ticket = ticket_for("UP-14")
    body = b"x" * (int(portal.environment["UPLOAD_MAX_BYTES"]) + (2 << 20))
    answer = request(portal, "PUT", ticket.url, body)
    assert answer.status == 413
    assert b"too large" in answer.read()


def test_who_has_no_right_link_changes_no_row_by_what_is_too_large(portal: Portal) -> None:
    ticket = ticket_for("UP-16")
    url = re.sub("token-.*", "token-nonsense", ticket.url)
    assert request(portal, "PUT", url, headers={"Content-Length": str(1 << 40)}).status == 413
    ticket.row.refresh_from_db()
    assert (ticket.row.state, ticket.row.attempts, ticket.row.problem) == ("asked", 0, "")


def test_who_asks_before_sending_is_not_told_to_go_on(portal: Portal) -> None:
    """curl with a large file waits for a "100 Continue"."""
    ticket = ticket_for("UP-15")
    head = f"PUT {urlsplit(ticket.url).path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {1 << 40}\r\n"
    with socket.create_connection(("127.0.0.1", portal.port), 30) as line:
        line.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
        assert line.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_full_disk_is_507_and_nothing_stays_behind(portal: Portal) -> None:
    ticket = ticket_for("UP-8")
    place = folder(portal) / "stations" / str(ticket.row.station_id)
    place.mkdir(parents=True)
    # A device that is always full stands where the first attempt writes.
    (place / f"{ticket.row.pk}-1").symlink_to("/dev/full")
    answer = request(portal, "PUT", ticket.url, b"x" * 300_000)
    assert (answer.status, b"no room" in answer.read()) == (507, True)
    assert left(portal, ticket.row) == []
    ticket.row.refresh_from_db()
    assert ticket.row.state == "failed"
    assert request(portal, "PUT", ticket.url, b"later").status == 201
    assert kept(portal, ticket.row) == b"later"


def test_a_station_says_that_it_failed(portal: Portal) -> None:
    station = make_station("UP-9", password=PASSWORD)
    ticket = uploads.ticket(station=station, kind="diagnostics", now=timezone.now())
    with FakeStation(portal.port, "UP-9") as line:
        line.call("DiagnosticsStatusNotification", {"status": "UploadFailed"})
    ticket.row.refresh_from_db()
    assert (ticket.row.state, ticket.row.said) == ("failed", "UploadFailed")


def test_firmware_is_fetched_in_two_parts_and_its_way_is_known(portal: Portal) -> None:
    station = make_station("UP-10", password=PASSWORD)
    place = folder(portal) / "firmware"
    place.mkdir(parents=True, exist_ok=True)
    content = bytes(range(256)) * 8192
    (place / "up10").write_bytes(content)
    image = FirmwareImage.objects.create(
        operator=station.site.operator, version="2.0", name="fw-2.0.bin", file="firmware/up10",
        size=len(content), sha256="0" * 64, uploaded_at=timezone.now(),
    )  # fmt: skip
    with FakeStation(portal.port, "UP-10") as line:
        location = uploads.offer(image, station=station)
        asked = {"location": location, "retrieveDate": "2026-01-01T00:00:00Z"}
        commands.request(station=station, action="UpdateFirmware", payload=asked, now=timezone.now())
        question = line.question("UpdateFirmware")
        assert question.payload["location"] == location
        line.answer(question, {})
        line.call("FirmwareStatusNotification", {"status": "Downloading"})
        first = request(portal, "GET", location)
        got = first.read(1 << 20)
        first.close()
        rest = request(portal, "GET", location, headers={"Range": f"bytes={len(got)}-"})
        assert rest.status == 206
        assert got + rest.read() == content
        for status in ("Downloaded", "Installing", "Installed"):
            line.call("FirmwareStatusNotification", {"status": status})
    update = FirmwareUpdate.objects.get(station=station)
    assert (update.state, update.image) == ("installed", image)
    assert [status for status, _ in update.steps] == ["Downloading", "Downloaded", "Installing", "Installed"]
    until(lambda: FirmwareUpdate.objects.get(station=station).sent_bytes == len(content))


def test_every_connection_leaves_a_span_with_address_and_reason(portal: Portal) -> None:
    station: Station = make_station("UP-11", password=PASSWORD)
    with FakeStation(portal.port, "UP-11") as line:
        now = timezone.now() - dt.timedelta(seconds=90)
        status = {
            "connectorId": 1,
            "errorCode": "NoError",
            "status": "Available",
            "timestamp": now.isoformat(),
        }
        line.call("StatusNotification", status)
        until(lambda: ConnectionSpan.objects.filter(station=station, clock_seen_at__isnull=False).exists())
    until(lambda: ConnectionSpan.objects.filter(station=station, disconnected_at__isnull=False).exists())
    span = ConnectionSpan.objects.get(station=station)
    assert span.address == "127.0.0.1"
    assert "closed with 1000" in span.reason
    assert span.clock_offset_s == pytest.approx(-90, abs=15)
