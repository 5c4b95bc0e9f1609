"""Charging sessions, the meter readings in them, and the tokens and tariffs they were charged with."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stations.models.access import PartyQuerySet, Visitor
from stations.models.party import Operator
from stations.models.site import Station


class TokenQuerySet(PartyQuerySet):
    municipality_lookup = ""  # an official never sees a token


class Token(models.Model):
    """What a driver identifies with. Only a keyed hash of its number is kept (stations.services.digest_token)."""

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="tokens")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="tokens"
    )
    digest = models.CharField(max_length=64, unique=True)
    label = models.CharField(_("label"), max_length=50, blank=True)
    blocked = models.BooleanField(_("blocked"), default=False)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)

    objects = TokenQuerySet.as_manager()

    class Meta:
        ordering = ["label"]
        verbose_name = _("token")
        verbose_name_plural = _("tokens")

    def __str__(self) -> str:
        return self.label or f"{self.digest[:8]}…"


class Tariff(models.Model):
    """What an operator asks per kWh. The full tariff model of OCPI comes with its own owner, stations.domain.tariff."""

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="tariffs")
    name = models.CharField(_("name"), max_length=100)
    price_per_kwh = models.DecimalField(_("price per kWh"), max_digits=8, decimal_places=4)
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    valid_from = models.DateTimeField(_("valid from"))

    class Meta:
        ordering = ["operator", "-valid_from"]
        verbose_name = _("tariff")
        verbose_name_plural = _("tariffs")

    def __str__(self) -> str:
        return self.name


class SessionQuerySet(PartyQuerySet):
    operator_lookup = "station__site__operator"
    municipality_lookup = ""  # officials see aggregates, never a single driver's session

    def of_driver(self, user: Visitor) -> SessionQuerySet:
        return self.filter(token__user_id=user.pk, token__user__isnull=False)


class ChargingSession(models.Model):
    """One transaction of a station (1.6 and 2.x). Energies are null while unknown, never zero instead."""

    class State(models.TextChoices):
        ACTIVE = "active", _("charging")
        ENDED = "ended", _("ended")
        # A StopTransaction for a transaction that never started here (rule 6): kept, not guessed onto an EVSE.
        ORPHAN = "orphan", _("stop without start")

    station = models.ForeignKey(Station, on_delete=models.PROTECT, related_name="sessions")
    evse_number = models.PositiveSmallIntegerField(null=True)
    connector_number = models.PositiveSmallIntegerField(null=True)
    # 1.6: the number we gave, as text; 2.x: the station's own, unique per station only (rule 7).
    transaction_id = models.CharField(  # noqa: DJ001 - unique, and null while not known
        max_length=36, null=True, help_text=_("Null for an instant: 1.6 ids follow from the row's own key.")
    )
    state = models.CharField(max_length=10, choices=State, default=State.ACTIVE)
    token = models.ForeignKey(
        Token, null=True, blank=True, on_delete=models.SET_NULL, related_name="sessions"
    )
    token_digest = models.CharField(max_length=64, blank=True)
    started_at = models.DateTimeField(null=True)
    start_import_wh = models.FloatField(null=True)
    ended_at = models.DateTimeField(null=True)
    end_import_wh = models.FloatField(null=True)
    start_export_wh = models.FloatField(null=True)
    end_export_wh = models.FloatField(null=True)
    charging_state = models.CharField(max_length=20, blank=True)
    end_reason = models.CharField(max_length=30, blank=True)
    was_offline = models.BooleanField(default=False)
    received_at = models.DateTimeField()

    objects = SessionQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at", "-pk"]
        verbose_name = _("charging session")
        verbose_name_plural = _("charging sessions")
        constraints = [
            models.UniqueConstraint(name="session_transaction_once", fields=["station", "transaction_id"]),
            # Rule 5: a StartTransaction repeated under another message id is the same transaction.
            models.UniqueConstraint(
                name="session_start_once",
                fields=["station", "connector_number", "token_digest", "started_at", "start_import_wh"],
                condition=Q(start_import_wh__isnull=False),
            ),
        ]
        indexes = [models.Index(name="session_station_start", fields=["station", "-started_at"])]

    def __str__(self) -> str:
        return f"{self.station_id}/{self.transaction_id}"

    @property
    def energy_wh(self) -> float | None:
        """Import register, end less start, in Wh (rule 8); None while either is unknown."""
        return _difference(self.end_import_wh, self.start_import_wh)

    @property
    def exported_wh(self) -> float | None:
        """Export register, end less start, in Wh; never netted with the import."""
        return _difference(self.end_export_wh, self.start_export_wh)


def _difference(end: float | None, start: float | None) -> float | None:
    return None if end is None or start is None else end - start


class TransactionEvent(models.Model):
    """A TransactionEvent (2.x) that was taken in: its sequence number makes a repeat harmless (rule 5)."""

    session = models.ForeignKey(ChargingSession, on_delete=models.CASCADE, related_name="transaction_events")
    seq_no = models.PositiveIntegerField()
    event_type = models.CharField(max_length=10)
    trigger_reason = models.CharField(max_length=30)
    at = models.DateTimeField()

    class Meta:
        ordering = ["session", "seq_no"]
        constraints = [models.UniqueConstraint(name="transaction_event_once", fields=["session", "seq_no"])]

    def __str__(self) -> str:
        return f"{self.session_id} #{self.seq_no}"


class ReadingQuerySet(PartyQuerySet):
    operator_lookup = "station__site__operator"
    municipality_lookup = "station__site__concession__municipality"


class MeterReading(models.Model):
    """All that a station measured at one moment on one EVSE, one row; written by stations.ingest alone.

    Totals and phases, import and export stand apart and are never derived from one another: null is "not sent".
    `message` holds the frame as sent on the first row of a MeterValues, so that no frame is written twice.
    """

    station = models.ForeignKey(Station, on_delete=models.CASCADE, related_name="readings", db_index=False)
    evse_number = models.PositiveSmallIntegerField()
    transaction_id = models.CharField(max_length=36, blank=True)
    sampled_at = models.DateTimeField()
    received_at = models.DateTimeField()
    context = models.CharField(max_length=20)
    import_wh = models.FloatField(null=True)
    export_wh = models.FloatField(null=True)
    import_w = models.FloatField(null=True)
    export_w = models.FloatField(null=True)
    import_l1_a = models.FloatField(null=True)
    import_l2_a = models.FloatField(null=True)
    import_l3_a = models.FloatField(null=True)
    export_l1_a = models.FloatField(null=True)
    export_l2_a = models.FloatField(null=True)
    export_l3_a = models.FloatField(null=True)
    voltage_l1_v = models.FloatField(null=True)
    voltage_l2_v = models.FloatField(null=True)
    voltage_l3_v = models.FloatField(null=True)
    offered_a = models.FloatField(null=True)
    offered_w = models.FloatField(null=True)
    soc_percent = models.FloatField(null=True)
    message_id = models.CharField(max_length=36, blank=True)
    message = models.TextField(blank=True)

    objects = ReadingQuerySet.as_manager()

    class Meta:
        ordering = ["sampled_at"]
        verbose_name = _("meter reading")
        verbose_name_plural = _("meter readings")
        constraints = [
            # Rule 5. The order also serves the pages: a station's readings over time.
            models.UniqueConstraint(
                name="reading_once", fields=["station", "sampled_at", "evse_number", "context"]
            ),
        ]
        indexes = [
            # The frame log, in the order in which messages came. Without the station, on purpose: an index that
            # only grows at its end costs next to nothing, one by station a page of 4 KiB for every message.
            models.Index(name="reading_message", fields=["received_at"], condition=~Q(message="")),
        ]

    def __str__(self) -> str:
        return f"{self.station_id}/{self.evse_number} {self.sampled_at:%Y-%m-%d %H:%M:%S}"
