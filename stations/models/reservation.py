"""An EVSE that is kept free for somebody. stations.reserving is the only writer."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stations.models.access import PartyQuerySet
from stations.models.command import Command
from stations.models.session import ChargingSession
from stations.models.site import Station
from stations.models.token import Token


class ReservationQuerySet(PartyQuerySet):
    operator_lookup = "station__site__operator"
    municipality_lookup = ""  # who is to charge is not an official's to see


class Reservation(models.Model):
    """What was asked of the station, and what became of it. EVSE 0: whichever is free when the driver comes."""

    class State(models.TextChoices):
        ASKED = "asked", _("asked")
        ACTIVE = "active", _("reserved")
        REFUSED = "refused", _("refused")
        UNKNOWN = "unknown", _("unknown")  # asked, no answer: it may or may not stand there (rule 4)
        USED = "used", _("used")
        CANCELLED = "cancelled", _("cancelled")
        EXPIRED = "expired", _("expired")
        REMOVED = "removed", _("removed by the station")  # 2.x, H03: the EVSE became faulted or unavailable

    OPEN = (State.ASKED, State.ACTIVE, State.UNKNOWN)

    station = models.ForeignKey(Station, on_delete=models.CASCADE, related_name="reservations")
    evse_number = models.PositiveSmallIntegerField()
    # Ours, and unique per station; the station knows it by this number.
    reservation_id = models.PositiveIntegerField()
    token = models.ForeignKey(
        Token, null=True, blank=True, on_delete=models.SET_NULL, related_name="reservations"
    )
    state = models.CharField(max_length=10, choices=State, default=State.ASKED)
    refusal = models.CharField(
        max_length=20, blank=True, help_text=_("The word of the station: Occupied, ...")
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    command = models.ForeignKey(Command, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    cancel_command = models.ForeignKey(
        Command, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    session = models.ForeignKey(
        ChargingSession, null=True, blank=True, on_delete=models.SET_NULL, related_name="reservations"
    )

    objects = ReservationQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("reservation")
        verbose_name_plural = _("reservations")
        constraints = [
            models.UniqueConstraint(name="reservation_id_once", fields=["station", "reservation_id"]),
        ]
        indexes = [
            models.Index(
                name="reservation_open",
                fields=["station"],
                condition=Q(state__in=["asked", "active", "unknown"]),
            ),
            models.Index(
                name="reservation_due",
                fields=["expires_at"],
                condition=Q(state__in=["asked", "active", "unknown"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.station_id}/{self.reservation_id}: {self.state}"

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN
