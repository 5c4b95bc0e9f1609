"""What a driver chooses, and asks: preferences, and to be erased."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Preference(models.Model):
    """How one person wants the portal, and what it should know of the car. Who never chose has no row."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="preference")
    language = models.CharField(
        _("language"), max_length=2, blank=True, choices=[("nl", "Nederlands"), ("en", "English")]
    )
    # Which notices stand on the driver's pages.
    tell_ended = models.BooleanField(_("A session has ended"), default=True)
    tell_failed = models.BooleanField(
        _("Charging stopped too early, or its end was never told"), default=True
    )
    tell_cards = models.BooleanField(_("A card was linked to my account"), default=True)
    notices_read_at = models.DateTimeField(null=True)
    battery_kwh = models.DecimalField(
        _("size of the battery (kWh)"),
        max_digits=4,
        decimal_places=1,
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(999)],
    )
    charge_to_percent = models.PositiveSmallIntegerField(
        _("charge until (%)"), default=80, validators=[MinValueValidator(10), MaxValueValidator(100)]
    )
    ready_by = models.TimeField(_("ready by"), null=True, blank=True)

    class Meta:
        verbose_name = _("preference")
        verbose_name_plural = _("preferences")

    def __str__(self) -> str:
        return f"preferences of {self.user_id}"


class Erasure(models.Model):
    """A person asked to be erased: until `due_at` it can be taken back, after that a task carries it out.

    The row outlives what it erases: when, and how much; not who.
    """

    class State(models.TextChoices):
        ASKED = "asked", _("asked")
        WITHDRAWN = "withdrawn", _("taken back")
        DONE = "done", _("done")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="erasures"
    )
    state = models.CharField(max_length=9, choices=State, default=State.ASKED)
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    sessions = models.PositiveIntegerField(default=0)
    cards = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-asked_at"]
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        constraints = [
            models.UniqueConstraint(name="erasure_one_open", fields=["user"], condition=Q(state="asked"))
        ]
        indexes = [models.Index(name="erasure_due", fields=["due_at"], condition=Q(state="asked"))]

    def __str__(self) -> str:
        return f"erasure {self.pk}: {self.state}"
