"""Files that go between stations and the portal: logs and diagnostics that come in, firmware that goes out."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from stations.models.access import PartyQuerySet
from stations.models.command import Command
from stations.models.party import Operator
from stations.models.site import Station


class StationFileQuerySet(PartyQuerySet):
    operator_lookup = "station__site__operator"
    municipality_lookup = ""


class UploadTicket(models.Model):
    """A file asked of a station: its link takes one file. `file` is its place under UPLOAD_DIR, empty until then.

    The link itself is in no row: it is signed, and made of the primary key (stations.uploads).
    """

    class Kind(models.TextChoices):
        LOG = "log", _("log")
        DIAGNOSTICS = "diagnostics", _("diagnostics")

    class State(models.TextChoices):
        ASKED = "asked", _("asked")
        UPLOADING = "uploading", _("uploading")
        RECEIVED = "received", _("received")
        FAILED = "failed", _("failed")

    OPEN = (State.ASKED, State.UPLOADING)

    station = models.ForeignKey(Station, on_delete=models.CASCADE, related_name="upload_tickets")
    kind = models.CharField(max_length=12, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.ASKED)
    request_id = models.BigIntegerField(null=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL
    )
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    # As the station said last, in its own words: Uploading, Uploaded, UploadFailed, ...
    said = models.CharField(max_length=40, blank=True)
    said_at = models.DateTimeField(null=True)
    # How often its link was used: each attempt writes a file of its own.
    attempts = models.PositiveIntegerField(default=0)
    received_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=200, blank=True)
    name = models.CharField(max_length=120, blank=True)
    file = models.CharField(max_length=200, blank=True)
    size = models.BigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)

    objects = StationFileQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("file of a station")
        verbose_name_plural = _("files of stations")
        indexes = [models.Index(name="upload_station", fields=["station", "-id"])]

    def __str__(self) -> str:
        return f"{self.station_id} {self.kind} {self.pk}: {self.state}"


class FirmwareQuerySet(PartyQuerySet):
    municipality_lookup = ""


class FirmwareImage(models.Model):
    """Firmware that an operator offers to its stations; `file` is its place under UPLOAD_DIR."""

    operator = models.ForeignKey(Operator, on_delete=models.CASCADE, related_name="firmware_images")
    version = models.CharField(_("version"), max_length=50)
    name = models.CharField(max_length=120)
    file = models.CharField(max_length=200)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    notes = models.TextField(_("notes"), blank=True)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL
    )
    uploaded_at = models.DateTimeField()

    objects = FirmwareQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("firmware")
        verbose_name_plural = _("firmware")

    def __str__(self) -> str:
        return f"{self.version} ({self.name})"


class FirmwareUpdate(models.Model):
    """How one station fares with one request to update: what it said last, and when."""

    class State(models.TextChoices):
        ASKED = "asked", _("asked")
        BUSY = "busy", _("busy")
        INSTALLED = "installed", _("installed")
        FAILED = "failed", _("failed")

    OPEN = (State.ASKED, State.BUSY)

    station = models.ForeignKey(Station, on_delete=models.CASCADE, related_name="firmware_updates")
    image = models.ForeignKey(FirmwareImage, null=True, on_delete=models.SET_NULL, related_name="updates")
    command = models.OneToOneField(Command, null=True, on_delete=models.SET_NULL, related_name="+")
    request_id = models.BigIntegerField(null=True)
    state = models.CharField(max_length=10, choices=State, default=State.ASKED)
    said = models.CharField(max_length=40, blank=True)
    said_at = models.DateTimeField(null=True)
    # Every status with its time, oldest first: [status, RFC 3339].
    steps = models.JSONField(default=list)
    asked_at = models.DateTimeField()
    # Bytes of the image that were sent to the station, up to the furthest one.
    sent_bytes = models.BigIntegerField(default=0)

    objects = StationFileQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("firmware update")
        verbose_name_plural = _("firmware updates")
        indexes = [models.Index(name="firmware_update_station", fields=["station", "-id"])]

    def __str__(self) -> str:
        return f"{self.station_id} {self.pk}: {self.state}"
