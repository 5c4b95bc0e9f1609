"""How much was charged in an area in a month: all that an official sees of sessions."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from stations.models import Municipality
from stations.models.access import PartyQuerySet


class UsageQuerySet(PartyQuerySet):
    operator_lookup = ""  # an operator has the sessions themselves
    municipality_lookup = "municipality"


class UsageMonth(models.Model):
    """Sums over the sessions that began in a month that is over; portal.compliance.usage_counting alone writes them.

    A row is no figure to show yet: `portal.compliance.usage.shown` says which are about enough people. `area` is empty
    where the address of a site tells none. Of each month there is a row for the whole municipality, also without any
    session: it says that the month was counted.
    """

    municipality = models.ForeignKey(Municipality, on_delete=models.CASCADE, related_name="usage")
    month = models.DateField(help_text="Its first day")
    is_whole = models.BooleanField(default=False, help_text="Of the municipality as a whole")
    area = models.CharField(max_length=100, blank=True)
    sessions = models.PositiveIntegerField()
    drivers = models.PositiveIntegerField(
        help_text="Cards told apart; all sessions without a card are one driver's"
    )
    metered = models.PositiveIntegerField(help_text="Sessions of which energy and length are known")
    energy_wh = models.FloatField(help_text="Of the metered ones")
    hours = models.FloatField(help_text="Of the metered ones, from their start to their end")
    judged = models.PositiveIntegerField(help_text="Sessions of which it is known whether they were limited")
    limited = models.PositiveIntegerField()
    made_at = models.DateTimeField()

    objects = UsageQuerySet.as_manager()

    class Meta:
        ordering = ["-month", "area"]
        verbose_name = _("use in a month")
        verbose_name_plural = _("use by month")
        constraints = [
            models.UniqueConstraint(
                name="usage_month_once", fields=["municipality", "month", "is_whole", "area"]
            )
        ]

    def __str__(self) -> str:
        return f"{self.municipality_id} {self.area or '-'} {self.month:%Y-%m}"
