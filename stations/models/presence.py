"""Which gateway holds which station's socket: a lease, owned by one connection (rule 9)."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from stations.models.site import OcppVersion, Station


class Presence(models.Model):
    """The last connection of a station. Owned by `connection`: only its owner ends or renews it."""

    station = models.OneToOneField(
        Station, on_delete=models.CASCADE, related_name="presence", primary_key=True
    )
    connection = models.UUIDField(null=True, help_text=_("Null: not connected"))
    gateway = models.UUIDField(null=True)
    ocpp_version = models.CharField(max_length=5, choices=OcppVersion, blank=True)
    connected_at = models.DateTimeField(null=True)
    renewed_at = models.DateTimeField(null=True)
    last_message_at = models.DateTimeField(null=True)
    disconnected_at = models.DateTimeField(null=True)
    close_reason = models.CharField(max_length=100, blank=True)

    class Meta:
        verbose_name = _("presence")
        verbose_name_plural = _("presences")
        indexes = [models.Index(name="presence_gateway", fields=["gateway"])]

    def __str__(self) -> str:
        return f"{self.station_id}: {'connected' if self.connection else 'not connected'}"
