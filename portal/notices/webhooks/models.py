"""Where an operator's own systems are told, and each telling with what came of it."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stations.models import Operator
from stations.models.access import PartyQuerySet


class Event(models.TextChoices):
    """What an endpoint can ask to be told of: `type` in what is sent."""

    DEVIATION = "deviation", _("New deviation")
    DEADLINE = "deadline", _("Term to restore")
    ROLLOUT_FAILED = "rollout_failed", _("Roll-out that failed")
    STATION_SILENT = "station_silent", _("Silent station")
    LIMIT_DRIFTED = "limit_drifted", _("Limit that drifted")
    SESSION_STARTED = "session_started", _("Session that began")
    SESSION_ENDED = "session_ended", _("Session that ended")


TEST = "test"


class Problem(models.TextChoices):
    """Why an attempt came to nothing."""

    TIMEOUT = "timeout", _("no answer in time")
    NAME = "name", _("its name is not known")
    LOOKUP = "lookup", _("its name was not found in time")
    PRIVATE = "private", _("its name leads into a private network")
    ADDRESS = "address", _("this address may not be used")
    CONNECTION = "connection", _("no connection")
    TLS = "tls", _("its certificate is not trusted")
    REDIRECT = "redirect", _("it answered with another address")
    REFUSED = "refused", _("it refused")
    SECRET = "secret", _("its secret cannot be opened: make a new one")


class EndpointQuerySet(PartyQuerySet):
    operator_lookup = "operator"
    municipality_lookup = ""


class Endpoint(models.Model):
    """An address of an operator's own system, with the secret that what is sent there is signed with."""

    class State(models.TextChoices):
        ON = "on", _("on")
        FAILING = "failing", _("failing: nothing is sent")
        OFF = "off", _("off")

    operator = models.ForeignKey(Operator, on_delete=models.CASCADE, related_name="webhooks")
    name = models.CharField(_("name"), max_length=100)
    url = models.CharField(_("address"), max_length=500)
    events = models.JSONField(_("tells of"), default=list)
    state = models.CharField(_("state"), max_length=7, choices=State, default=State.ON)
    sealed_secret = models.TextField()
    # The one before, which signs too until `old_until`.
    sealed_old_secret = models.TextField(blank=True)
    old_until = models.DateTimeField(null=True)
    made_at = models.DateTimeField()
    failing_since = models.DateTimeField(null=True)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return self.name


class DeliveryQuerySet(PartyQuerySet):
    operator_lookup = "endpoint__operator"
    municipality_lookup = ""

    def due(self, now: datetime) -> DeliveryQuerySet:
        return self.filter(state=Delivery.State.WAITING, due_at__lte=now)


class Delivery(models.Model):
    """One thing told to one endpoint: sent until it is taken, at least once."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENT = "sent", _("delivered")
        FAILED = "failed", _("given up")

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="deliveries")
    message_id = models.CharField(max_length=100)  # the same for each attempt: who has it already lets it go
    event = models.CharField(_("tells of"), max_length=20)
    body = models.TextField()  # as it goes over the line, so that each attempt is the same
    state = models.CharField(_("state"), max_length=7, choices=State, default=State.WAITING)
    made_at = models.DateTimeField(_("made"))
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    tried_at = models.DateTimeField(null=True)
    answer_code = models.PositiveSmallIntegerField(_("answer"), null=True)
    answer_ms = models.PositiveIntegerField(null=True)
    problem = models.CharField(_("problem"), max_length=10, blank=True, choices=Problem)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(name="webhook_message_once", fields=["endpoint", "message_id"])
        ]
        indexes = [
            models.Index(name="webhook_due", fields=["due_at"], condition=Q(state="waiting")),
            models.Index(name="webhook_newest", fields=["endpoint", "-made_at"]),
            models.Index(name="webhook_age", fields=["made_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.endpoint_id}: {self.state}"
