"""What we ask of a station. The row is the truth; stations.commands is its only writer."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stations.models.access import PartyQuerySet
from stations.models.site import Station


class CommandQuerySet(PartyQuerySet):
    operator_lookup = "station__site__operator"
    municipality_lookup = ""


class Command(models.Model):
    """One CALL to a station, from the wish to the answer."""

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        SENT = "sent", _("sent")
        ACCEPTED = "accepted", _("accepted")
        REFUSED = "refused", _("refused")
        FAILED = "failed", _("failed")  # a CALLERROR, or an answer against the schema
        UNKNOWN = "unknown", _("unknown")  # sent, no answer: it may or may not have happened (rule 4)
        EXPIRED = "expired", _("expired")  # never sent in time
        CANCELLED = "cancelled", _("cancelled")

    OPEN = (State.QUEUED, State.SENT)

    station = models.ForeignKey(Station, on_delete=models.CASCADE, related_name="commands", db_index=False)
    action = models.CharField(max_length=50)
    # As it may be seen: tokens, passwords and keys masked. The whole of it stands sealed beside it until it is sent,
    # or never will be; empty where nothing is hidden.
    payload = models.JSONField()
    sealed_payload = models.TextField(blank=True)
    message_id = models.CharField(max_length=36, unique=True)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    # Who asked: a part of the product by name ("reconcile", "probe 12"), and the person where there is one.
    origin = models.CharField(max_length=50, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL
    )
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    response = models.JSONField(null=True, blank=True)
    error = models.TextField(blank=True)

    objects = CommandQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        verbose_name = _("command")
        verbose_name_plural = _("commands")
        constraints = [
            # OCPP-J 4.1.1: one CALL at a time in each direction.
            models.UniqueConstraint(
                name="command_one_outstanding", fields=["station"], condition=Q(state="sent")
            ),
        ]
        indexes = [
            # How long stations take to answer, over a day of a fleet.
            models.Index(name="command_answered", fields=["answered_at"]),
            models.Index(
                name="command_open", fields=["station", "id"], condition=Q(state__in=["queued", "sent"])
            ),
            # What people asked in vain, of all stations together.
            models.Index(
                name="command_in_vain",
                fields=["requested_at"],
                condition=Q(state__in=["failed", "unknown", "expired"], requested_by__isnull=False),
            ),
            # The list of a station's commands, newest first.
            models.Index(name="command_station", fields=["station", "-id"]),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.pk}: {self.state}"
