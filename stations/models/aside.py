"""What a person put aside in the list of an operator's work, why, and until when; stations.asides alone writes it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from stations.models.access import PartyQuerySet
from stations.models.party import Operator
from stations.models.site import Station


class AsideQuerySet(PartyQuerySet):
    municipality_lookup = ""  # how an operator plans its work is its own


class Aside(models.Model):
    """Something that needs no hand until a day. It comes back before that when it gets worse, or begins anew.

    `kind` and `row` name it: what it is about, by its primary key there. `level` is how bad it was, the higher the
    worse.
    """

    operator = models.ForeignKey(Operator, on_delete=models.CASCADE, related_name="asides")
    station = models.ForeignKey(Station, null=True, on_delete=models.CASCADE, related_name="asides")
    kind = models.CharField(max_length=20)
    row = models.BigIntegerField()
    level = models.PositiveSmallIntegerField()
    reason = models.CharField(_("reason"), max_length=200)
    until = models.DateTimeField(_("until"))
    put_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    put_at = models.DateTimeField()

    objects = AsideQuerySet.as_manager()

    class Meta:
        ordering = ["until"]
        verbose_name = _("work that was put aside")
        verbose_name_plural = _("work that was put aside")
        constraints = [models.UniqueConstraint(name="aside_once", fields=["operator", "kind", "row"])]

    def __str__(self) -> str:
        return f"{self.kind} {self.row} until {self.until:%Y-%m-%d}"
