"""Files between stations and the portal: signed links, what comes in by them, and how far a station is with it.

    ticket(station=..., kind="log", ...).url   where the station puts its log: GetLog, GetDiagnostics
    offer(image, station=...)                  where it gets its firmware: UpdateFirmware

A link needs no sign-in and is in no row: it is a primary key and a signature over it, behind "token-", which
stations.ocpp.masking takes out of every frame.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.signing import BadSignature, SignatureExpired, Signer, TimestampSigner
from django.db.models import F

from stations.models import Command, FirmwareImage, FirmwareUpdate, Station, UploadTicket
from stations.nudges import nudge_pages

CHUNK_BYTES = 1 << 18
_INBOX, _SHELF = "ontvangst", "firmware"
_inbox = Signer(salt="stations.uploads.ticket", sep=".")
_shelf = TimestampSigner(salt="stations.uploads.firmware", sep=".")
_TICKET_LINK = re.compile(rf"/{_INBOX}/(\d+)/token-")
_UPLOAD_PATH = re.compile(rf"/{_INBOX}/(\d{{1,18}})/token-([\w.-]+)")
_IMAGE_LINK = re.compile(rf"/{_SHELF}/(\d+)/\d+/token-")
_FULL = (errno.ENOSPC, errno.EDQUOT)

# LogStatusNotification (UploadLogStatusEnumType) and DiagnosticsStatusNotification of 1.6.
_UPLOAD_FAILURES = {
    "UploadFailed", "UploadFailure", "BadMessage", "NotSupportedOperation", "PermissionDenied", "AcceptedCanceled"
}  # fmt: skip
# FirmwareStatusEnumType of 2.x, FirmwareStatus of 1.6 and of its security extension.
_UPDATE_FAILURES = {
    "DownloadFailed", "InstallationFailed", "InstallVerificationFailed", "InvalidSignature",
    "InvalidCertificate", "RevokedCertificate",
}  # fmt: skip
_FIRMWARE_ACTIONS = ("FirmwareStatusNotification", "SignedFirmwareStatusNotification")
_IDLE = "Idle"  # says nothing of a request: the answer to a trigger


class Refused(Exception):
    """A link or a file that is not taken, with its HTTP status and what a maker's engineer reads."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a command needs. `folder` is `url` for stations that append a file name (1.6 GetDiagnostics)."""

    row: UploadTicket
    url: str

    @property
    def request_id(self) -> int:
        return int(self.row.pk)

    @property
    def folder(self) -> str:
        return f"{self.url}/"


# ---------------------------------------------------------------- links


def ticket(*, station: Station, kind: str, requested_by: Any = None, now: datetime) -> Ticket:
    """A place for one file of `station`; `kind` is "log" or "diagnostics". Give `request_id` to the station as well."""
    row = UploadTicket.objects.create(
        station=station,
        kind=UploadTicket.Kind(kind),
        requested_by=requested_by,
        requested_at=now,
        expires_at=now + timedelta(hours=settings.UPLOAD_LINK_HOURS),
    )
    UploadTicket.objects.filter(pk=row.pk).update(request_id=row.pk)
    row.request_id = row.pk
    return Ticket(row, f"{_address()}/{_INBOX}/{row.pk}/token-{_inbox.signature(str(row.pk))}")


def offer(image: FirmwareImage, *, station: Station | None = None) -> str:
    """A link to the image that expires; with `station`, its page shows how much of it was fetched."""
    whose = station.pk if station else 0
    token = _shelf.sign(f"{image.pk}.{whose}").removeprefix(f"{image.pk}.{whose}.")
    return f"{_address()}/{_SHELF}/{image.pk}/{whose}/token-{token}/{quote(image.name)}"


def _address() -> str:
    return str(settings.PUBLIC_URL).rstrip("/")


def ticket_of(pk: int, token: str, *, now: datetime) -> UploadTicket:
    """The ticket that a link is of. Raises Refused."""
    try:
        _inbox.unsign(f"{pk}.{token}")
    except BadSignature:
        raise Refused(403, "This link is not one of ours: its signature is wrong.") from None
    row: UploadTicket | None = UploadTicket.objects.filter(pk=pk).select_related("station").first()
    if row is None:
        raise Refused(410, "This link is no longer in use.")
    if row.state == UploadTicket.State.RECEIVED:
        raise Refused(410, "This link was used: a file came by it already.")
    if row.expires_at <= now:
        raise Refused(410, "This link has expired.")
    return row


def image_of(pk: int, station_pk: int, token: str) -> FirmwareImage:
    """The image that a link is of. Raises Refused."""
    try:
        _shelf.unsign(f"{pk}.{station_pk}.{token}", max_age=timedelta(hours=settings.FIRMWARE_LINK_HOURS))
    except SignatureExpired:
        raise Refused(410, "This link has expired.") from None
    except BadSignature:
        raise Refused(403, "This link is not one of ours: its signature is wrong.") from None
    image: FirmwareImage | None = FirmwareImage.objects.filter(pk=pk).first()
    if image is None:
        raise Refused(410, "This firmware is no longer offered.")
    return image


# ---------------------------------------------------------------- files


@dataclass(frozen=True, slots=True)
class Kept:
    """A file under UPLOAD_DIR."""

    file: str
    size: int
    sha256: str


def place(file: str) -> Path:
    return Path(settings.UPLOAD_DIR) / file


def take_in(row: UploadTicket, chunks: Iterable[bytes], *, name: str, now: datetime) -> None:
    """Keep the file that came by the ticket's link. Raises Refused; then nothing of it is left."""
    waiting = UploadTicket.objects.filter(pk=row.pk).exclude(state=UploadTicket.State.RECEIVED)
    waiting.update(attempts=F("attempts") + 1, state=UploadTicket.State.UPLOADING)
    attempt = UploadTicket.objects.values_list("attempts", flat=True).get(pk=row.pk)
    try:
        kept = keep(
            chunks, file=f"stations/{row.station_id}/{row.pk}-{attempt}", most=settings.UPLOAD_MAX_BYTES
        )
    except Refused as refused:
        waiting.update(problem=refused.text[:200], state=UploadTicket.State.FAILED)
        nudge_pages([row.station_id])
        raise
    received = waiting.update(
        state=UploadTicket.State.RECEIVED,
        received_at=now,
        name=safe_name(name) or f"{row.kind}-{row.pk}",
        file=kept.file,
        size=kept.size,
        sha256=kept.sha256,
        problem="",
    )
    if not received:  # another attempt was sooner
        place(kept.file).unlink(missing_ok=True)
        raise Refused(410, "This link was used: a file came by it already.")
    nudge_pages([row.station_id])


def note_too_large(path: str, text: str) -> None:
    """What came to this path was refused for its size, before Django saw it; a ticket's row says what was wrong."""
    found = _UPLOAD_PATH.match(path)
    if found is None:
        return
    try:
        pk = int(_inbox.unsign(f"{found[1]}.{found[2]}"))
    except BadSignature:
        return
    waiting = UploadTicket.objects.filter(pk=pk).exclude(state=UploadTicket.State.RECEIVED)
    if waiting.update(attempts=F("attempts") + 1, problem=text[:200], state=UploadTicket.State.FAILED):
        nudge_pages(waiting.values_list("station_id", flat=True))


def keep(chunks: Iterable[bytes], *, file: str, most: int) -> Kept:
    """Write `chunks` to `file` under UPLOAD_DIR, piece by piece. Raises Refused; then nothing of it is left."""
    path, size, digest = place(file), 0, hashlib.sha256()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as kept:
            for chunk in chunks:
                size += len(chunk)
                if size > most:
                    raise Refused(413, f"The file is too large: at most {most} bytes.")
                digest.update(chunk)
                kept.write(chunk)
            kept.flush()
            if not path.is_symlink():
                os.fsync(kept.fileno())
        if not size:
            raise Refused(400, "There is no file in this request.")
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in _FULL:
            raise Refused(507, "There is no room for this file now. Try again later.") from None
        raise
    return Kept(file, size, digest.hexdigest())


def safe_name(name: str) -> str:
    """A name to show and to download as: no folders, no leading dots, letters and digits that any system takes."""
    base = re.split(r"[/\\]", name)[-1]
    return re.sub(r"[^A-Za-z0-9._-]+", "_", base).lstrip(".")[-120:]


def forget_old(now: datetime) -> int:
    """Delete files that were kept long enough, and say of links that nothing came by them. Returns how many went."""
    UploadTicket.objects.filter(state__in=UploadTicket.OPEN, expires_at__lte=now).update(
        state=UploadTicket.State.FAILED, problem="No file came before the link expired."
    )
    oldest = now - timedelta(days=settings.UPLOAD_RETENTION_DAYS)
    gone = list(UploadTicket.objects.filter(requested_at__lt=oldest).values_list("pk", "file")[:5000])
    for _, file in gone:
        if file:
            place(file).unlink(missing_ok=True)
    UploadTicket.objects.filter(pk__in=[pk for pk, _ in gone]).delete()
    return len(gone)


# ---------------------------------------------------------------- what stations say of it


def note_status(station: Station, request_id: int | None, status: str, *, action: str, now: datetime) -> None:
    """A status notification of a log, of diagnostics or of firmware; safe to run twice."""
    if status == _IDLE:
        return
    if action in _FIRMWARE_ACTIONS:
        _note_update(station, request_id, status, now)
    elif action in ("LogStatusNotification", "DiagnosticsStatusNotification"):
        _note_upload(station, request_id, status, now)


def on_answer(command: Command, *, now: datetime) -> None:
    """The station took or refused the request itself."""
    if command.action in ("GetLog", "GetDiagnostics"):
        _answered_upload(command, now)
    elif command.action in ("UpdateFirmware", "SignedUpdateFirmware"):
        _answered_update(command, now)


def _note_upload(station: Station, request_id: int | None, status: str, now: datetime) -> None:
    rows = UploadTicket.objects.filter(station=station)
    # DiagnosticsStatusNotification of 1.6 names no request: it is of the last one.
    named = rows.filter(request_id=request_id) if request_id is not None else rows
    row = named.order_by("-pk").first()
    if row is None:
        return
    UploadTicket.objects.filter(pk=row.pk).update(said=status[:40], said_at=now)
    waiting = UploadTicket.objects.filter(pk=row.pk).exclude(state=UploadTicket.State.RECEIVED)
    if status in _UPLOAD_FAILURES:
        waiting.update(state=UploadTicket.State.FAILED)
    elif status == "Uploaded":
        waiting.update(
            state=UploadTicket.State.FAILED, problem="The station says it is done, but no file came."
        )
    else:
        waiting.update(state=UploadTicket.State.UPLOADING)


def _answered_upload(command: Command, now: datetime) -> None:
    location = command.payload.get("location") or command.payload.get("log", {}).get("remoteLocation", "")
    found = _TICKET_LINK.search(str(location))
    if found is None:
        return
    rows = UploadTicket.objects.filter(pk=int(found[1]), station_id=command.station_id)
    if "requestId" in command.payload:
        rows.update(request_id=command.payload["requestId"])
    if command.state != Command.State.ACCEPTED:
        said = (command.response or {}).get("status") or command.error
        rows.filter(state__in=UploadTicket.OPEN).update(
            state=UploadTicket.State.FAILED, said=str(said)[:40], said_at=now
        )


def _answered_update(command: Command, now: datetime) -> None:
    payload = command.payload
    location = str(payload.get("location") or payload.get("firmware", {}).get("location", ""))
    found = _IMAGE_LINK.search(location)
    image = FirmwareImage.objects.filter(pk=int(found[1])).first() if found else None
    refused = command.state != Command.State.ACCEPTED
    said = str((command.response or {}).get("status") or command.error)[:40]
    FirmwareUpdate.objects.get_or_create(
        command=command,
        defaults={
            "station_id": command.station_id,
            "image": image,
            "request_id": payload.get("requestId"),
            "state": FirmwareUpdate.State.FAILED if refused else FirmwareUpdate.State.ASKED,
            "said": said if refused else "",
            "said_at": now if refused else None,
            "asked_at": command.requested_at,
        },
    )


def _note_update(station: Station, request_id: int | None, status: str, now: datetime) -> None:
    rows = FirmwareUpdate.objects.filter(station=station)
    named = rows.filter(request_id=request_id) if request_id is not None else rows
    row = named.order_by("-pk").first()
    if row is None:  # asked by somebody else, or on the spot
        row = FirmwareUpdate.objects.create(station=station, request_id=request_id, asked_at=now)
    if row.said == status:
        return
    row.said, row.said_at = status[:40], now
    row.steps = [*row.steps, [row.said, now.isoformat()]][-50:]
    row.state = _state_of_update(status)
    row.save(update_fields=["said", "said_at", "steps", "state"])


def _state_of_update(status: str) -> str:
    if status in _UPDATE_FAILURES:
        return FirmwareUpdate.State.FAILED
    return FirmwareUpdate.State.INSTALLED if status == "Installed" else FirmwareUpdate.State.BUSY


def note_sent(image_pk: int, station_pk: int, until: int) -> None:
    """So many bytes of the image were sent to the station, counted from its beginning."""
    newest = FirmwareUpdate.objects.filter(station_id=station_pk, image_id=image_pk).order_by("-pk").first()
    if newest is not None:
        FirmwareUpdate.objects.filter(pk=newest.pk, sent_bytes__lt=until).update(sent_bytes=until)
        nudge_pages([station_pk])
