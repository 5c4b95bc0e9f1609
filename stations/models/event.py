"""What happened, once, in order. stations.events.record is the only writer."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stations.models.access import PartyQuerySet
from stations.models.site import Station


class EventQuerySet(PartyQuerySet):
    operator_lookup = "station__site__operator"
    municipality_lookup = "station__site__concession__municipality"


class Event(models.Model):
    """Something that happened to a station. Never holds a token or a secret."""

    station = models.ForeignKey(Station, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=40)
    at = models.DateTimeField(help_text=_("When it happened, as the source says"))
    recorded_at = models.DateTimeField()
    data = models.JSONField(default=dict)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [
            models.Index(name="event_station", fields=["station", "-id"]),
            # What the history of a connection shows, among the many of a session.
            models.Index(
                name="event_history",
                fields=["station", "-id"],
                condition=Q(kind__in=["bad_frame", "booted", "ocpp_changed"]),
            ),
            # What a person has to look at, of all stations together.
            models.Index(
                name="event_alarm", fields=["recorded_at"], condition=Q(kind__in=["security", "device_event"])
            ),
            # Reports hold whole profiles: the caretaker finds the old ones by it (stations.tasks).
            models.Index(
                name="event_report_age", fields=["recorded_at"], condition=Q(kind="profiles_reported")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.station_id} {self.kind}"
