"""What operators ask: tariffs in the form of OCPI, of which stations.domain.tariff is the one owner."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stations.domain import tariff as rules
from stations.models.access import PartyQuerySet
from stations.models.party import Operator


class TariffQuerySet(PartyQuerySet):
    municipality_lookup = ""  # prices are between an operator and its drivers


class Tariff(models.Model):
    """A tariff with its validity; `elements` and the price limits are as OCPI has them (mod_tariffs)."""

    class TaxIncluded(models.TextChoices):
        YES = "YES", _("prices include taxes")
        NO = "NO", _("taxes come on top")
        NOT_APPLICABLE = "N/A", _("no taxes apply")

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="tariffs")
    name = models.CharField(_("name"), max_length=100)
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    elements = models.JSONField(_("elements"), default=list)
    min_price = models.JSONField(_("lowest price of a session"), null=True, blank=True)
    max_price = models.JSONField(_("highest price of a session"), null=True, blank=True)
    tax_included = models.CharField(_("taxes"), max_length=3, choices=TaxIncluded, default=TaxIncluded.YES)
    credits_export = models.BooleanField(
        _("energy given back counts as negative"),
        default=False,
        help_text=_("It is taken off the energy charged, at the same price. Otherwise it has no price."),
    )
    valid_from = models.DateTimeField(_("valid from"))
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)

    objects = TariffQuerySet.as_manager()

    class Meta:
        ordering = ["operator", "-valid_from"]
        verbose_name = _("tariff")
        verbose_name_plural = _("tariffs")
        constraints = [
            models.CheckConstraint(
                name="tariff_ends_after_start",
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=models.F("valid_from")),
            )
        ]

    def __str__(self) -> str:
        return self.name

    def as_ocpi(self) -> dict[str, Any]:
        """What decides a price, in OCPI's words; a session keeps this of the tariff it was charged by."""
        told: dict[str, Any] = {
            "currency": self.currency,
            "elements": self.elements,
            "tax_included": self.tax_included,
        }
        limits = {"min_price": self.min_price, "max_price": self.max_price}
        return told | {key: value for key, value in limits.items() if value is not None}

    def parsed(self) -> rules.Tariff:
        """Raises stations.domain.tariff.BadTariff."""
        return rules.parse(self.as_ocpi())
