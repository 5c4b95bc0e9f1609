"""A log that goes up, and firmware that comes down and is booted with, in every version."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.simulator.conftest import Connect
from tests.simulator.csms import Csms, Payload

IMAGE = bytes(range(256)) * 400


class Shelf(ThreadingHTTPServer):
    """Takes what is PUT, gives IMAGE, and remembers both."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.taken: dict[str, bytes] = {}
        self.given: list[str] = []

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"


class _Answer(BaseHTTPRequestHandler):
    server: Shelf

    def do_PUT(self) -> None:
        if self.path.startswith("/full"):
            self.send_error(507)
            return
        self.server.taken[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self._empty(201)

    def do_GET(self) -> None:
        self.server.given.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(IMAGE)))
        self.end_headers()
        self.wfile.write(IMAGE)

    def _empty(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with Shelf() as shelf:
        threading.Thread(target=shelf.serve_forever, daemon=True).start()
        yield shelf
        shelf.shutdown()


def log_request(url: str) -> Payload:
    return {"logType": "DiagnosticsLog", "requestId": 7, "log": {"remoteLocation": url}}


async def test_a_log_is_uploaded_and_each_step_told(csms: Csms, connect: Connect, shelf: Shelf) -> None:
    await connect()
    assert (await csms.ask("GetLog", log_request(shelf.url("/in/7"))))["status"] == "Accepted"
    await csms.sees("LogStatusNotification", status="Uploading", requestId=7)
    await csms.sees("LogStatusNotification", status="Uploaded", requestId=7)
    assert b"firmware 1.0.0" in shelf.taken["/in/7"]


async def test_where_nothing_is_taken_the_upload_failed(csms: Csms, connect: Connect, shelf: Shelf) -> None:
    await connect()
    await csms.ask("GetLog", log_request(shelf.url("/full")))
    await csms.sees("LogStatusNotification", status="UploadFailure", requestId=7)


async def test_it_goes_to_no_other_machine(csms: Csms, connect: Connect) -> None:
    await connect()
    await csms.ask("GetLog", log_request("http://192.0.2.1/in"))
    await csms.sees("LogStatusNotification", status="UploadFailure", requestId=7)


@pytest.mark.parametrize("version", ["1.6"])
async def test_diagnostics_get_their_name_behind_the_folder(
    csms: Csms, connect: Connect, shelf: Shelf
) -> None:
    await connect()
    answer = await csms.ask("GetDiagnostics", {"location": shelf.url("/in/8/")})
    await csms.sees("DiagnosticsStatusNotification", status="Uploaded")
    assert list(shelf.taken) == [f"/in/8/{answer['fileName']}"]


async def test_firmware_is_fetched_and_booted_with(
    csms: Csms, connect: Connect, shelf: Shelf, version: str
) -> None:
    await connect()
    url, at = shelf.url("/fw/station-2.4.1.bin"), "2026-01-01T00:00:00Z"
    if version == "1.6":
        await csms.ask("UpdateFirmware", {"location": url, "retrieveDate": at})
    else:
        firmware = {"location": url, "retrieveDateTime": at}
        assert (await csms.ask("UpdateFirmware", {"requestId": 9, "firmware": firmware}))[
            "status"
        ] == "Accepted"
    for status in ("Downloading", "Downloaded", "Installing", "Installed"):
        await csms.sees("FirmwareStatusNotification", status=status)
    assert shelf.given == ["/fw/station-2.4.1.bin"]
    boot = [call for call in csms.calls if call.action == "BootNotification"][-1].payload
    assert (boot if version == "1.6" else boot["chargingStation"])["firmwareVersion"] == "2.4.1"
