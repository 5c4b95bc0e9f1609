"""The frame log: what went over the socket of a station, in both directions.

MeterValues are not here: the reading's row keeps the message as sent (see stations.framelog).
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from stations.models.access import PartyQuerySet
from stations.models.site import Station


class FrameQuerySet(PartyQuerySet):
    operator_lookup = "station__site__operator"
    municipality_lookup = ""


class Frame(models.Model):
    """One frame, secrets and tokens masked (stations.ocpp.masking) before it was written."""

    class Direction(models.TextChoices):
        IN = "in", _("from the station")
        OUT = "out", _("to the station")

    class Kind(models.TextChoices):
        CALL = "call", _("question")
        RESULT = "result", _("answer")
        ERROR = "error", _("error")
        BROKEN = "broken", _("not a frame")

    station = models.ForeignKey(Station, on_delete=models.CASCADE, related_name="frames", db_index=False)
    at = models.DateTimeField()
    direction = models.CharField(max_length=3, choices=Direction)
    kind = models.CharField(max_length=6, choices=Kind)
    action = models.CharField(max_length=50, blank=True)
    message_id = models.CharField(max_length=36, blank=True)
    text = models.TextField()

    objects = FrameQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = _("frame")
        verbose_name_plural = _("frames")
        indexes = [
            models.Index(name="frame_station_time", fields=["station", "at"]),
            models.Index(name="frame_age", fields=["at"]),
            # An answer to its question.
            models.Index(name="frame_message", fields=["station", "message_id"]),
        ]

    def __str__(self) -> str:
        return f"{self.direction} {self.action} {self.message_id}"
