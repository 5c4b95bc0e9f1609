"""Certificates of stations, and the changes of password and of security profile that a station was asked for."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from stations.models.access import PartyQuerySet
from stations.models.command import Command
from stations.models.site import Station


class SecurityQuerySet(PartyQuerySet):
    """The operator's own: an official sees of a station's security what its events tell."""

    operator_lookup = "station__site__operator"
    municipality_lookup = ""


class StationCertificate(models.Model):
    """A certificate that a station asked for (SignCertificate), or that was made known here by hand."""

    class Kind(models.TextChoices):
        """CertificateSigningUseEnumType (2.1); 1.6 knows only the first, by another name."""

        STATION = "ChargingStationCertificate", _("to reach this portal")
        V2G = "V2GCertificate", _("for cars (ISO 15118-2)")
        V2G20 = "V2G20Certificate", _("for cars (ISO 15118-20)")

    class State(models.TextChoices):
        REQUESTED = "requested", _("requested")
        ISSUED = "issued", _("issued")
        SENT = "sent", _("sent to the station")
        ACCEPTED = "accepted", _("in use")
        REJECTED = "rejected", _("rejected")
        REVOKED = "revoked", _("revoked")

    # What the station may hold: it signed the request with the key, and the answer to the sending may be lost.
    LIVING = (State.ISSUED, State.SENT, State.ACCEPTED)

    station = models.ForeignKey(Station, on_delete=models.CASCADE, related_name="certificates")
    kind = models.CharField(max_length=30, choices=Kind, default=Kind.STATION)
    state = models.CharField(max_length=10, choices=State, default=State.REQUESTED)
    request_id = models.BigIntegerField(null=True, blank=True)  # 2.1: CertificateSigned repeats it
    csr = models.TextField(blank=True)
    chain = models.TextField(blank=True)  # PEM, the station's own first
    subject = models.CharField(max_length=200, blank=True)
    serial_number = models.CharField(max_length=40, blank=True)  # hexadecimal
    fingerprint = models.CharField(max_length=64, blank=True)  # SHA-256, hexadecimal
    not_before = models.DateTimeField(null=True, blank=True)
    not_after = models.DateTimeField(null=True, blank=True)
    command = models.ForeignKey(Command, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.CharField(max_length=200, blank=True)  # of a rejection or revocation
    requested_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    warned_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)  # the station last connected with it

    objects = SecurityQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("certificate of a station")
        verbose_name_plural = _("certificates of stations")
        indexes = [models.Index(name="certificate_fingerprint", fields=["fingerprint"])]

    def __str__(self) -> str:
        return f"{self.station_id} {self.kind} {self.state}"

    def is_valid_at(self, moment: datetime) -> bool:
        """Whether it opens the portal at this moment."""
        return (
            self.state in self.LIVING
            and self.not_before is not None
            and self.not_after is not None
            and self.not_before <= moment < self.not_after
        )


class InstalledCertificate(models.Model):
    """A root that a station trusts: installed from here, or read back from it (GetInstalledCertificateIds)."""

    class State(models.TextChoices):
        ASKED = "asked", _("asked to install")
        INSTALLED = "installed", _("installed")
        REFUSED = "refused", _("refused")
        UNKNOWN = "unknown", _("unknown")
        DELETING = "deleting", _("asked to delete")
        DELETED = "deleted", _("no longer there")

    station = models.ForeignKey(Station, on_delete=models.CASCADE, related_name="installed_certificates")
    use = models.CharField(max_length=40)  # CertificateUseEnumType, as the station's version has it
    state = models.CharField(max_length=10, choices=State, default=State.ASKED)
    # CertificateHashDataType: how OCPP names a certificate. Empty until read back, where it cannot be computed here.
    hash_algorithm = models.CharField(max_length=10, blank=True)
    issuer_name_hash = models.CharField(max_length=128, blank=True)
    issuer_key_hash = models.CharField(max_length=128, blank=True)
    serial_number = models.CharField(max_length=40, blank=True)
    subject = models.CharField(max_length=200, blank=True)  # known only of what was installed from here
    not_after = models.DateTimeField(null=True, blank=True)
    command = models.ForeignKey(Command, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    requested_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    warned_at = models.DateTimeField(null=True, blank=True)

    objects = SecurityQuerySet.as_manager()

    class Meta:
        ordering = ["use", "-pk"]
        verbose_name = _("installed certificate")
        verbose_name_plural = _("installed certificates")

    def __str__(self) -> str:
        return f"{self.station_id} {self.use} {self.state}"


class SecretRotation(models.Model):
    """A new password that a station was asked to take; until that is known, the old one and this one both open."""

    class State(models.TextChoices):
        ASKED = "asked", _("asked")
        ACCEPTED = "accepted", _("accepted; the station has to come back with it")
        DONE = "done", _("done: the station came back with the new password")
        REFUSED = "refused", _("refused: the old password stays")
        UNKNOWN = "unknown", _("unknown: both passwords are accepted until the station shows which it has")
        WITHDRAWN = "withdrawn", _("not sent: the old password stays")
        REPLACED = "replaced", _("replaced by a later one")

    # What opens beside the station's own password.
    OPEN = (State.ASKED, State.ACCEPTED, State.UNKNOWN)

    station = models.ForeignKey(Station, on_delete=models.CASCADE, related_name="secret_rotations")
    state = models.CharField(max_length=10, choices=State, default=State.ASKED)
    # Keyed digests. Two in 1.6: of the bytes, and of their hexadecimal text, which some stations use as it stands.
    hashes = models.JSONField(default=list)
    command = models.ForeignKey(Command, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    requested_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = SecurityQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("change of password")
        verbose_name_plural = _("changes of password")

    def __str__(self) -> str:
        return f"{self.station_id} {self.state}"


class ProfileRaise(models.Model):
    """A higher security profile that a station was asked to take, step by step (2.0.1, A05; B09 and B10)."""

    class State(models.TextChoices):
        ASKED = "asked", _("asked")
        ACCEPTED = "accepted", _("accepted; the station has to come back with it")
        DONE = "done", _("done: the station came back with it")
        REFUSED = "refused", _("refused")
        UNKNOWN = "unknown", _("unknown")
        WITHDRAWN = "withdrawn", _("not sent")

    OPEN = (State.ASKED, State.ACCEPTED, State.UNKNOWN)

    station = models.ForeignKey(Station, on_delete=models.CASCADE, related_name="profile_raises")
    wanted = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.ASKED)
    step = models.CharField(max_length=50, blank=True)  # the action that was sent last
    command = models.ForeignKey(Command, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    requested_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = SecurityQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("change of security profile")
        verbose_name_plural = _("changes of security profile")

    def __str__(self) -> str:
        return f"{self.station_id} {self.wanted} {self.state}"
