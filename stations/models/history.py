"""How stations were connected: a row for each connection, and what a round makes of the last day of it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stations.models.access import PartyQuerySet
from stations.models.site import OcppVersion, Station


class ConnectionQuerySet(PartyQuerySet):
    operator_lookup = "station__site__operator"
    municipality_lookup = ""


class ConnectionSpan(models.Model):
    """One connection of a station, from its socket's opening to its close; written by stations.history."""

    station = models.ForeignKey(
        Station, on_delete=models.CASCADE, related_name="connection_spans", db_index=False
    )
    connection = models.UUIDField(unique=True)
    gateway = models.UUIDField()
    ocpp_version = models.CharField(max_length=5, choices=OcppVersion)
    address = models.CharField(max_length=64, blank=True, help_text=_("Of the other end of the socket"))
    connected_at = models.DateTimeField()
    disconnected_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=100, blank=True)
    # Seconds that the clock of the station is ahead (+) or behind (-), as last seen; null: nothing told it.
    clock_offset_s = models.FloatField(null=True)
    clock_seen_at = models.DateTimeField(null=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        ordering = ["-connected_at"]
        verbose_name = _("connection")
        verbose_name_plural = _("connections")
        indexes = [
            models.Index(name="connection_station", fields=["station", "connected_at"]),
            models.Index(name="connection_open", fields=["station"], condition=Q(disconnected_at=None)),
            models.Index(name="connection_age", fields=["connected_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.station_id} from {self.connected_at:%Y-%m-%d %H:%M:%S}"


class ConnectionHealth(models.Model):
    """The last day of a station's connection in figures, made by a round, so that a list of a fleet only reads."""

    station = models.OneToOneField(
        Station, on_delete=models.CASCADE, related_name="connection_health", primary_key=True
    )
    measured_at = models.DateTimeField()
    connections = models.PositiveIntegerField(default=0)
    answers = models.PositiveIntegerField(default=0)
    answer_p95_ms = models.FloatField(null=True)
    bad_frames = models.PositiveIntegerField(default=0)
    clock_offset_s = models.FloatField(null=True)

    class Meta:
        verbose_name = _("health of a connection")
        verbose_name_plural = _("health of connections")

    def __str__(self) -> str:
        return f"{self.station_id} at {self.measured_at:%Y-%m-%d %H:%M}"
