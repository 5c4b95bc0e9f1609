"""The parties: a municipality grants a concession, in which operators run stations; people have roles per party."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stations.models.access import OPERATOR_ROLES, PartyQuerySet, Role
from stations.models.watched import WatchedQuerySet


class MunicipalityQuerySet(PartyQuerySet):
    operator_lookup = "concessions__operators"
    municipality_lookup = "pk"
    may_repeat = True


class Municipality(models.Model):
    name = models.CharField(_("name"), max_length=100)
    slug = models.SlugField(unique=True)

    objects = MunicipalityQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("municipality")
        verbose_name_plural = _("municipalities")

    def __str__(self) -> str:
        return self.name


class OperatorQuerySet(PartyQuerySet):
    operator_lookup = "pk"
    municipality_lookup = "concessions__municipality"
    may_repeat = True


class Operator(models.Model):
    """A charge point operator (CPO)."""

    name = models.CharField(_("name"), max_length=100)
    slug = models.SlugField(unique=True)

    objects = OperatorQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("operator")
        verbose_name_plural = _("operators")

    def __str__(self) -> str:
        return self.name


class ConcessionQuerySet(PartyQuerySet):
    operator_lookup = "operators"
    municipality_lookup = "municipality"
    may_repeat = True


class Concession(models.Model):
    """A contract area: the requirements are judged within it, and its evidence forms one chain."""

    municipality = models.ForeignKey(Municipality, on_delete=models.PROTECT, related_name="concessions")
    operators = models.ManyToManyField(Operator, related_name="concessions")
    name = models.CharField(_("name"), max_length=100)
    slug = models.SlugField(unique=True)
    starts_on = models.DateField(_("starts on"))
    ends_on = models.DateField(_("ends on"), null=True, blank=True)
    officials_may_probe = models.BooleanField(
        _("officials may probe"),
        default=True,
        help_text=_("An official may start a live probe on a station."),
    )

    objects = ConcessionQuerySet.as_manager()

    class Meta:
        ordering = ["municipality__name", "-starts_on"]
        verbose_name = _("concession")
        verbose_name_plural = _("concessions")

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A role of a user at one party. A user without any is a driver."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=20, choices=Role)
    municipality = models.ForeignKey(
        Municipality, null=True, blank=True, on_delete=models.CASCADE, related_name="memberships"
    )
    operator = models.ForeignKey(
        Operator, null=True, blank=True, on_delete=models.CASCADE, related_name="memberships"
    )

    objects = WatchedQuerySet.as_manager()

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            models.CheckConstraint(
                name="membership_role_fits_one_party",
                condition=Q(role=Role.OFFICIAL, municipality__isnull=False, operator__isnull=True)
                | Q(role__in=OPERATOR_ROLES, municipality__isnull=True, operator__isnull=False),
            ),
            models.UniqueConstraint(
                name="municipality_role_once",
                fields=["user", "role", "municipality"],
                condition=Q(operator__isnull=True),
            ),
            models.UniqueConstraint(
                name="operator_role_once",
                fields=["user", "role", "operator"],
                condition=Q(municipality__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.role} at {self.municipality or self.operator}"
