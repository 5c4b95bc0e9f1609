"""What an operator wants done by itself on its stations, without anybody looking."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from smartcharging.domain.checking import LOWEST_SHARE_A
from stations.models import Operator, Station
from stations.models.access import PartyQuerySet


class PolicyQuerySet(PartyQuerySet):
    municipality_lookup = ""  # the operator's own affair


class DriftPolicy(models.Model):
    """What an operator wants done with a profile that a station turns out to have lost. No row: it is repaired."""

    class OnDrift(models.TextChoices):
        REPAIR = "repair", _("send it again, and record it")
        SHOW = "show", _("only show it, until somebody puts it back")

    operator = models.OneToOneField(
        Operator, on_delete=models.CASCADE, related_name="drift_policy", verbose_name=_("operator")
    )
    on_drift = models.CharField(
        _("when a station has lost a profile"), max_length=6, choices=OnDrift, default=OnDrift.REPAIR
    )

    objects = PolicyQuerySet.as_manager()

    class Meta:
        verbose_name = _("policy on lost profiles")
        verbose_name_plural = _("policies on lost profiles")

    def __str__(self) -> str:
        return f"{self.operator}: {self.get_on_drift_display()}"


class SafeLimit(models.Model):
    """The low limit per session that stands for ever under all others, so that stations degrade safely (rule 12).

    One row for all stations of an operator, and one for each that is to differ. No row: none is kept.
    """

    operator = models.ForeignKey(
        Operator, on_delete=models.CASCADE, related_name="safe_limits", verbose_name=_("operator")
    )
    station = models.OneToOneField(
        Station,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="safe_limit",
        verbose_name=_("station"),
        help_text=_("Empty: all stations of the operator that have none of their own."),
    )
    limit_a = models.PositiveSmallIntegerField(
        _("safe limit (A per phase)"),
        null=True,
        blank=True,
        default=LOWEST_SHARE_A,
        validators=[MinValueValidator(LOWEST_SHARE_A), MaxValueValidator(1000)],
        help_text=_(
            "Every session gets this and no more, unless a default or limit per session on a higher level stands."
            " Empty: none here."
        ),
    )

    objects = PolicyQuerySet.as_manager()

    class Meta:
        verbose_name = _("safe limit")
        verbose_name_plural = _("safe limits")
        constraints = [
            models.UniqueConstraint(
                name="safe_limit_of_operator_once", fields=["operator"], condition=Q(station__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.station or self.operator}: {self.limit_a or '-'} A"

    def clean(self) -> None:
        if self.station is not None and self.station.site.operator_id != self.operator_id:
            raise ValidationError({"station": _("This station is of another operator.")})
