"""Quarter-hours made of readings: what charts over long ranges are drawn from. stations.rollups alone writes them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from stations.models.access import PartyQuerySet
from stations.models.session import Fall
from stations.models.site import Station


class QuarterHourQuerySet(PartyQuerySet):
    operator_lookup = "station__site__operator"
    municipality_lookup = "station__site__concession__municipality"


class QuarterHour(models.Model):
    """One EVSE from `starts_at` (UTC) for fifteen minutes, in which it was read at least once.

    Energies are differences of registers as they were read, null where they are not known: readings missed, or the
    register fell. Import and export stand apart. `context` is that of the readings they rest on; empty where readings
    of one context alone did not tell.
    """

    station = models.ForeignKey(Station, on_delete=models.CASCADE, related_name="quarters", db_index=False)
    evse_number = models.PositiveSmallIntegerField()
    starts_at = models.DateTimeField()
    context = models.CharField(max_length=20, blank=True)
    import_wh = models.FloatField(null=True)
    export_wh = models.FloatField(null=True)
    import_fall = models.CharField(max_length=20, blank=True, choices=Fall)
    export_fall = models.CharField(max_length=20, blank=True, choices=Fall)
    max_import_w = models.FloatField(null=True)
    mean_import_w = models.FloatField(null=True)
    max_export_w = models.FloatField(null=True)
    mean_export_w = models.FloatField(null=True)
    samples = models.PositiveIntegerField()
    # How many of the samples had the register: a later one is counted from the last of these.
    import_reads = models.PositiveIntegerField()
    export_reads = models.PositiveIntegerField()

    objects = QuarterHourQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at", "evse_number"]
        verbose_name = _("quarter-hour")
        verbose_name_plural = _("quarter-hours")
        constraints = [
            models.UniqueConstraint(name="quarter_once", fields=["station", "starts_at", "evse_number"])
        ]
        indexes = [models.Index(name="quarter_age", fields=["starts_at"])]

    def __str__(self) -> str:
        return f"{self.station_id}/{self.evse_number} {self.starts_at:%Y-%m-%d %H:%M}"


class RollUp(models.Model):
    """How far the roll-up has come: one row. Each round looks again at what came in the round before."""

    before = models.BigIntegerField(
        default=0, help_text="Key of a reading: a round looks at what came after it"
    )
    until = models.BigIntegerField(default=0, help_text="Key of the last reading of the last round")
    claimed_until = models.DateTimeField(null=True, help_text="Somebody is at it; null: nobody")

    def __str__(self) -> str:
        return f"rolled up to {self.until}"
