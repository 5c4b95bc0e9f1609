"""What drivers identify with: tokens, and the groups whose members may stop each other's transactions."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from stations.models.access import PartyQuerySet
from stations.models.party import Operator
from stations.sealing import unseal


def new_group_id() -> str:
    """20 characters at most: parentIdTag is an idToken of OCPP 1.6 (7.27)."""
    return f"G{secrets.token_hex(8)}".upper()


class TokenQuerySet(PartyQuerySet):
    municipality_lookup = ""  # an official never sees a token


class TokenGroup(models.Model):
    """Tokens that belong together: each may stop what another of them began (OCPP 1.6, 3.6; 2.0.1, C09)."""

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="token_groups")
    name = models.CharField(_("name"), max_length=100)
    group_id = models.CharField(
        _("group id"),
        max_length=20,
        unique=True,
        default=new_group_id,
        validators=[
            RegexValidator(r"^[A-Za-z0-9*\-_=:+|@.]+$", _("Letters, digits and * - _ = : + | @ . only."))
        ],
        help_text=_("What stations get as parentIdTag or groupIdToken. It opens nothing by itself."),
    )

    objects = TokenQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("token group")
        verbose_name_plural = _("token groups")

    def __str__(self) -> str:
        return self.name


class Token(models.Model):
    """What a driver identifies with. It is found by a keyed hash of its number (stations.credentials.digest_token).

    The number itself is sealed, for the local lists of stations alone. Rows from before that have none.
    """

    class Kind(models.TextChoices):
        """IdTokenEnumType of OCPP 2.0.1 (3.43). An app's token comes from here itself: Central."""

        ISO14443 = "ISO14443", _("card (RFID, ISO 14443)")
        ISO15693 = "ISO15693", _("card (RFID, ISO 15693)")
        CENTRAL = "Central", _("app, or started from here")
        EMAID = "eMAID", _("contract in the car (eMAID)")
        MAC_ADDRESS = "MacAddress", _("car (Autocharge, MAC address)")
        KEY_CODE = "KeyCode", _("key code")
        LOCAL = "Local", _("local to the station")

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="tokens")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="tokens"
    )
    # The driver sees the sessions that began from then on; null: all of them. Who held the card before is another.
    held_since = models.DateTimeField(_("the driver's since"), null=True, blank=True)
    group = models.ForeignKey(
        TokenGroup,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="tokens",
        verbose_name=_("group"),
    )
    digest = models.CharField(max_length=64, unique=True)
    sealed_number = models.TextField(blank=True)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind, default=Kind.ISO14443)
    label = models.CharField(_("label"), max_length=50, blank=True)
    blocked = models.BooleanField(_("blocked"), default=False)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    offline_allowed = models.BooleanField(
        _("may charge while a station is offline"),
        default=True,
        help_text=_("Then it is on the local lists of the operator's stations."),
    )
    concurrent_allowed = models.BooleanField(
        _("may charge at several sockets at once"), default=False, help_text=_("For a card of a fleet.")
    )
    # ["NL-1/2", ...]: identity and EVSE number. Not the rows: with the last of them a token would hold everywhere.
    only_at = models.JSONField(_("only at these sockets"), default=list, blank=True)

    objects = TokenQuerySet.as_manager()

    class Meta:
        ordering = ["label"]
        verbose_name = _("token")
        verbose_name_plural = _("tokens")

    def __str__(self) -> str:
        return self.label or f"{self.digest[:8]}…"

    def evses_at(self, identity: str) -> tuple[int, ...]:
        """Of a token that holds at some sockets alone: those of this station."""
        places = (place.rpartition("/") for place in self.only_at)
        return tuple(sorted(int(number) for station, _slash, number in places if station == identity))

    def number(self) -> str:
        """Its number, to be sent to a station and nowhere else; empty for a row from before it was kept."""
        return unseal(self.sealed_number) if self.sealed_number else ""
