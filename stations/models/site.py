"""Where stations stand and what they are: site, station, EVSE, connector, and what the station said of itself."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Prefetch, Q
from django.utils.translation import gettext_lazy as _

from stations.models.access import PartyQuerySet
from stations.models.party import Concession, Operator
from stations.models.watched import WatchedQuerySet

# OCPP-J 1.6, 3.1.1: the identity is part of the URL; OCPP 2.0.1 part 4, 3.1.1 limits it to 48 characters.
identity_format = RegexValidator(
    r"^[A-Za-z0-9*\-_.:+|@]{1,48}$", _("Letters, digits and * - _ . : + | @ only.")
)


class OcppVersion(models.TextChoices):
    V16 = "1.6", "OCPP 1.6"
    V201 = "2.0.1", "OCPP 2.0.1"
    V21 = "2.1", "OCPP 2.1"


class SiteQuerySet(PartyQuerySet):
    pass


class Site(models.Model):
    """A place with a grid connection of its own, with one or more stations."""

    concession = models.ForeignKey(Concession, on_delete=models.PROTECT, related_name="sites")
    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="sites")
    name = models.CharField(_("name"), max_length=100)
    address = models.CharField(_("address"), max_length=200, blank=True)
    latitude = models.DecimalField(_("latitude"), max_digits=9, decimal_places=6, null=True, blank=True)
    longitude = models.DecimalField(_("longitude"), max_digits=9, decimal_places=6, null=True, blank=True)

    objects = SiteQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("site")
        verbose_name_plural = _("sites")

    def __str__(self) -> str:
        return self.name


class StationQuerySet(PartyQuerySet):
    operator_lookup = "site__operator"
    municipality_lookup = "site__concession__municipality"

    def with_place(self) -> StationQuerySet:
        """With site, operator, presence and capabilities, as lists and pages show them."""
        return self.select_related(
            "site__operator", "site__concession__municipality", "presence", "capabilities"
        )

    def with_sockets(self) -> StationQuerySet:
        """With EVSEs and connectors, by number alone: their own order begins with the station, and joins back to it."""
        return self.prefetch_related(
            Prefetch("evses", Evse.objects.order_by("number")),
            Prefetch("evses__connectors", Connector.objects.order_by("number")),
        )


class Station(models.Model):
    """A charging station (1.6: charge point). `identity` is its name in the OCPP address and everywhere outside."""

    class FreeVend(models.TextChoices):
        """Who may charge without a token that we know (docs/authorisation.md)."""

        OFF = "", _("off: only known tokens")
        ANY_TOKEN = "any_token", _("any token that is not blocked")
        NO_TOKEN = "no_token", _("no token needed")

    class Secret(models.TextChoices):
        # A generated secret has entropy enough for a keyed fast hash; a chosen password needs a slow one.
        GENERATED = "generated", _("generated")
        CHOSEN = "chosen", _("chosen")

    class SecurityProfile(models.IntegerChoices):
        """OCPP security white paper, 2.1: the least that a connection must show."""

        ANY = 0, _("not asked")
        BASIC = 1, _("1: password")
        TLS = 2, _("2: password over TLS")
        CERTIFICATE = 3, _("3: client certificate over TLS")

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="stations")
    identity = models.CharField(_("identity"), max_length=48, unique=True, validators=[identity_format])
    name = models.CharField(
        _("name"), max_length=100, blank=True, help_text=_("The street name and number, for people.")
    )
    ocpp_version = models.CharField(_("OCPP version"), max_length=5, choices=OcppVersion)
    connection_phases = models.PositiveSmallIntegerField(
        _("phases of the connection"), default=3, validators=[MinValueValidator(1), MaxValueValidator(3)]
    )
    connection_a = models.PositiveSmallIntegerField(
        _("connection (A per phase)"), default=25, validators=[MinValueValidator(6), MaxValueValidator(1000)]
    )
    free_vend = models.CharField(
        _("free charging"), max_length=10, blank=True, choices=FreeVend, default=FreeVend.OFF
    )
    tariff = models.ForeignKey(
        "stations.Tariff",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="stations",
        verbose_name=_("tariff"),
        help_text=_("Of its own; without one the newest of the operator holds."),
    )
    secret_kind = models.CharField(max_length=10, choices=Secret, default=Secret.GENERATED)
    secret_hash = models.CharField(max_length=200, blank=True)
    security_profile = models.PositiveSmallIntegerField(
        _("security profile"), choices=SecurityProfile, default=SecurityProfile.ANY
    )
    vendor = models.CharField(_("vendor"), max_length=50, blank=True)
    model = models.CharField(_("model"), max_length=50, blank=True)
    serial_number = models.CharField(_("serial number"), max_length=50, blank=True)
    firmware = models.CharField(_("firmware"), max_length=50, blank=True)
    booted_at = models.DateTimeField(_("booted at"), null=True, blank=True)
    status = models.CharField(
        _("status"), max_length=20, blank=True, help_text=_("As the station said of itself (connector 0).")
    )

    objects = StationQuerySet.as_manager()

    class Meta:
        ordering = ["identity"]
        verbose_name = _("station")
        verbose_name_plural = _("stations")

    def __str__(self) -> str:
        return self.identity

    @property
    def label(self) -> str:
        """What people call it: its street name and number, else its identity."""
        return self.name or self.identity


class Evse(models.Model):
    """An EVSE charges one car at a time; 1.6 knows only connectors, each of which is an EVSE here."""

    station = models.ForeignKey(Station, on_delete=models.CASCADE, related_name="evses")
    number = models.PositiveSmallIntegerField(_("number"))
    socket_phases = models.PositiveSmallIntegerField(_("phases of the socket"), default=3)
    socket_a = models.PositiveSmallIntegerField(_("socket (A per phase)"), default=16)

    objects = WatchedQuerySet.as_manager()

    class Meta:
        ordering = ["station", "number"]
        verbose_name = "EVSE"
        verbose_name_plural = "EVSEs"
        constraints = [models.UniqueConstraint(name="evse_number_once", fields=["station", "number"])]

    def __str__(self) -> str:
        return f"{self.station} EVSE {self.number}"

    @property
    def letter(self) -> str:
        """How people tell the sockets apart: A, B, ..."""
        return chr(ord("A") + self.number - 1) if 0 < self.number <= 26 else str(self.number)


class Connector(models.Model):
    """A plug or socket of an EVSE, with its status as the station last said."""

    evse = models.ForeignKey(Evse, on_delete=models.CASCADE, related_name="connectors")
    number = models.PositiveSmallIntegerField(_("number"), default=1)
    status = models.CharField(_("status"), max_length=20, blank=True)
    error_code = models.CharField(_("error code"), max_length=50, blank=True)
    status_at = models.DateTimeField(_("status since"), null=True, blank=True)

    class Meta:
        ordering = ["evse", "number"]
        verbose_name = _("connector")
        verbose_name_plural = _("connectors")
        constraints = [models.UniqueConstraint(name="connector_number_once", fields=["evse", "number"])]
        # The few of a fleet that cannot charge.
        indexes = [models.Index(name="connector_faulted", fields=["evse"], condition=Q(status="Faulted"))]

    def __str__(self) -> str:
        return f"{self.evse} connector {self.number}"
