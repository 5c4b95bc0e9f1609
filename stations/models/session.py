"""Charging sessions with what they cost, and the meter readings in them."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from stations.domain import registers
from stations.models.access import PartyQuerySet, Visitor
from stations.models.site import Station
from stations.models.token import Token


class SessionQuerySet(PartyQuerySet):
    operator_lookup = "station__site__operator"
    municipality_lookup = ""  # officials see aggregates, never a single driver's session

    def of_driver(self, user: Visitor) -> SessionQuerySet:
        """Sessions with a card of `user`, from when on it is the user's (ADR 21)."""
        since = F("token__held_since")
        is_own = (
            Q(token__held_since__isnull=True)
            | Q(started_at__gte=since)
            | Q(started_at__isnull=True, received_at__gte=since)
        )
        return self.filter(is_own, token__user_id=user.pk, token__user__isnull=False)


class Fall(models.TextChoices):
    """How a register fell, as stations.domain.registers names it."""

    RESET = registers.Fall.RESET.value, _("the register began again at 0")
    ROLLOVER = registers.Fall.ROLLOVER.value, _("the register was full and began again")
    COUNTED_BACK = registers.Fall.COUNTED_BACK.value, _("the register counted back")


class ChargingSession(models.Model):
    """One transaction of a station (1.6 and 2.x). Energies are null while unknown, never zero instead."""

    class State(models.TextChoices):
        ACTIVE = "active", _("charging")
        ENDED = "ended", _("ended")
        # A StopTransaction for a transaction that never started here (rule 6): kept, not guessed onto an EVSE.
        ORPHAN = "orphan", _("stop without start")
        # The next transaction began on its EVSE and no end came: over, but when and at what register is not known.
        # An end that comes late still ends it.
        UNCLOSED = "unclosed", _("end not received")

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
    # Of an unclosed session: when the next one began on its EVSE. What was measured from then on is another's.
    over_by = models.DateTimeField(null=True)
    end_import_wh = models.FloatField(null=True)
    start_export_wh = models.FloatField(null=True)
    end_export_wh = models.FloatField(null=True)
    # How a register fell within the session: then its end, and so the energy, is not known (rule 8).
    import_fall = models.CharField(max_length=20, blank=True, choices=Fall)
    export_fall = models.CharField(max_length=20, blank=True, choices=Fall)
    charging_state = models.CharField(max_length=20, blank=True)
    end_reason = models.CharField(max_length=30, blank=True)
    was_offline = models.BooleanField(default=False)
    received_at = models.DateTimeField()
    # What it cost: written by stations.costs alone, when the session has ended, and again until it is settled.
    cost_excl_tax = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    cost_incl_tax = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    cost_currency = models.CharField(max_length=3, blank=True)
    cost_unknown = models.CharField(max_length=20, blank=True)  # why, where the amounts are null
    cost_lines = models.JSONField(default=list)
    # The tariff as it was then: a later change of it does not change what was agreed on at the start.
    cost_tariff = models.JSONField(null=True)
    cost_at = models.DateTimeField(null=True)
    # The last amount, with taxes, that its station was told while it ran: stations.shown_costs.
    cost_told = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    cost_told_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

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
                fields=[
                    "station",
                    "evse_number",
                    "connector_number",
                    "token_digest",
                    "started_at",
                    "start_import_wh",
                ],
                condition=Q(start_import_wh__isnull=False),
            ),
        ]
        indexes = [
            models.Index(name="session_station_start", fields=["station", "-started_at"]),
            # The newest of many stations together: without it all of them are read and sorted.
            models.Index(name="session_newest", fields=["-started_at", "-id"]),
            # What runs now: of each station a row or two, however long its past.
            models.Index(name="session_running", fields=["station"], condition=Q(state="active")),
            # Whether a token is charging already, wherever that is.
            models.Index(name="session_token_running", fields=["token_digest"], condition=Q(state="active")),
            models.Index(
                name="session_unsettled",
                fields=["ended_at"],
                condition=Q(state="ended", settled_at__isnull=True),
            ),
            # What is worth a look: few rows of very many.
            models.Index(
                name="session_fell", fields=["started_at"], condition=~Q(import_fall="") | ~Q(export_fall="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.station_id}/{self.transaction_id}"

    @property
    def until(self) -> datetime | None:
        """Its end, or where that was never told the latest that it can have been; None while it runs."""
        return self.ended_at or self.over_by

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
