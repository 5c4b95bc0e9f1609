"""Files: a log or diagnostics that the station uploads, and firmware that it fetches and boots with.

Only to and from the machine of the CSMS itself or this one: a simulated station goes nowhere else on the network.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from portal.simulator.link import Reply
from portal.simulator.station import Station
from portal.simulator.wire import V16, Message, Payload, stamp

PATIENCE_S = 20.0
PAUSE_S = 2.0  # of the station's clock, between two steps: a person can see them go by
RETRIES = 3
_VERSION = re.compile(r"\d+(?:\.\d+)+")
# Without the proxies of the environment: what is asked stays on this machine.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class _Job:
    """What was asked: where, how to name it, and how to tell how it goes."""

    url: str
    tell: Callable[[str], None]


class Files:
    """Log, diagnostics and firmware of one station; one of each at a time, the newest counts."""

    def __init__(self, station: Station) -> None:
        self._station = station

    def handlers(self) -> dict[str, Callable[[Payload], Reply]]:
        handlers: dict[str, Callable[[Payload], Reply]] = {
            "GetLog": self._get_log,
            "UpdateFirmware": self._update_firmware,
        }
        if self._station.dialect.version is V16:
            handlers |= {
                "GetDiagnostics": self._get_diagnostics,
                "SignedUpdateFirmware": self._update_firmware,
            }
        return handlers

    # Going up

    def _get_log(self, payload: Payload) -> Reply:
        name = f"{self._station.spec.identity}-{payload['logType']}.log"
        tell = self._teller("LogStatusNotification", payload["requestId"])
        job = _Job(payload["log"]["remoteLocation"], tell)
        return self._then({"status": "Accepted", "filename": name}, lambda: self._upload(job, name))

    def _get_diagnostics(self, payload: Payload) -> Reply:
        """The location is a folder: the name of the file goes behind it (1.6, 6.17)."""
        name = f"{self._station.spec.identity}-diagnostics.log"
        url = f"{payload['location'].rstrip('/')}/{name}"
        job = _Job(url, self._teller("DiagnosticsStatusNotification", None))
        return self._then({"fileName": name}, lambda: self._upload(job, name))

    async def _upload(self, job: _Job, name: str) -> None:
        failure = "UploadFailed" if name.endswith("-diagnostics.log") else "UploadFailure"
        job.tell("Uploading")
        await self._station.clock.sleep(PAUSE_S)
        try:
            await asyncio.to_thread(_put, job.url, self._log_text().encode(), self._hosts)
        except (OSError, ValueError) as problem:
            self._station.note("the upload failed: %s", problem)
            job.tell(failure)
        else:
            job.tell("Uploaded")

    def _log_text(self) -> str:
        station = self._station
        maker = f"{station.spec.vendor} {station.spec.model}"
        lines = [
            f"{stamp(station.clock.now())} {maker}, firmware {station.dialect.firmware}",
            f"OCPP {station.dialect.version.name}, connection {station.spec.connection}",
            *(f"socket {evse}: {socket.status}" for evse, socket in station.sockets.items()),
        ]
        return "\n".join(lines) + "\n"

    # Coming down

    def _update_firmware(self, payload: Payload) -> Reply:
        signed = self._station.dialect.version is V16 and "firmware" in payload
        url = payload["firmware"]["location"] if "firmware" in payload else payload["location"]
        action = "SignedFirmwareStatusNotification" if signed else "FirmwareStatusNotification"
        job = _Job(url, self._teller(action, payload.get("requestId")))
        is_plain = self._station.dialect.version is V16 and not signed
        return self._then({} if is_plain else {"status": "Accepted"}, lambda: self._update(job))

    async def _update(self, job: _Job) -> None:
        sleep = self._station.clock.sleep
        job.tell("Downloading")
        try:
            await asyncio.to_thread(_get, job.url, self._hosts)
        except (OSError, ValueError) as problem:
            self._station.note("the download failed: %s", problem)
            job.tell("DownloadFailed")
            return
        await sleep(PAUSE_S)
        job.tell("Downloaded")
        await sleep(PAUSE_S)
        job.tell("Installing")
        await sleep(PAUSE_S)
        self._station.dialect.firmware = _version_of(job.url, self._station.dialect.firmware)
        await self._station.reboot("Reboot", boot_reason="FirmwareUpdate")
        while not self._station.link.registered:
            await sleep(1.0)
        job.tell("Installed")

    # Both

    @property
    def _hosts(self) -> frozenset[str]:
        return frozenset({urlsplit(self._station.spec.url).hostname or ""})

    def _teller(self, action: str, request_id: int | None) -> Callable[[str], None]:
        named = {} if request_id is None else {"requestId": request_id}
        return lambda status: self._station.link.tell(Message(action, lambda: {"status": status, **named}))

    def _then(self, answer: Payload, job: Callable[[], Any]) -> Reply:
        async def start() -> None:
            self._station.spawn(job())

        return Reply(answer, start)


def _version_of(url: str, before: str) -> str:
    """As its name says; else one further than before."""
    named = _VERSION.search(urlsplit(url).path.rpartition("/")[2])
    if named is not None:
        return named[0]
    head, _, last = before.rpartition(".")
    return f"{head}.{int(last) + 1}" if head and last.isdigit() else f"{before}.1"


def _check(url: str, hosts: frozenset[str]) -> None:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"no way to reach {parts.scheme}")
    if host in hosts or host == "localhost":
        return
    if not ipaddress.ip_address(host).is_loopback:
        raise ValueError(f"{host} is not this machine")


def _put(url: str, body: bytes, hosts: frozenset[str]) -> None:
    _check(url, hosts)
    headers = {"Content-Type": "text/plain"}
    asked = urllib.request.Request(url, data=body, method="PUT", headers=headers)  # noqa: S310 - http, as checked
    with _opener.open(asked, timeout=PATIENCE_S):
        return


def _get(url: str, hosts: frozenset[str]) -> int:
    """Fetch all of it, going on where it broke off. Returns how many bytes."""
    _check(url, hosts)
    size = 0
    for attempt in range(RETRIES):
        headers = {"Range": f"bytes={size}-"} if size else {}
        try:
            with _opener.open(urllib.request.Request(url, headers=headers), timeout=PATIENCE_S) as answer:  # noqa: S310
                while piece := answer.read(1 << 16):
                    size += len(piece)
                return size
        except TimeoutError:
            if attempt == RETRIES - 1:
                raise
    return size
