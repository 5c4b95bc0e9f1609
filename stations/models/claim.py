"""How a token came to be a driver's: by a code of its operator, or by a charge that showed who holds the card."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stations.models.access import PartyQuerySet
from stations.models.session import ChargingSession
from stations.models.site import Station
from stations.models.token import Token


class ClaimQuerySet(PartyQuerySet):
    operator_lookup = "token__operator"
    municipality_lookup = ""  # an official never sees a token


class TokenClaim(models.Model):
    """One attempt to link a token to a driver's account, and what became of it; stations.claims alone writes it.

    By code: `token` is known, `user` is who used the code. By charge: `user` and `station` are known, and of the token
    only the digest of the number that was said, so that the row tells nobody whether there is such a card.
    """

    class Way(models.TextChoices):
        CODE = "code", _("code of the operator")
        CHARGE = "charge", _("charge at a station")

    class State(models.TextChoices):
        OPEN = "open", _("waiting")
        LINKED = "linked", _("linked")
        REFUSED = "refused", _("refused")
        EXPIRED = "expired", _("expired")
        WITHDRAWN = "withdrawn", _("withdrawn")
        UNDONE = "undone", _("undone")

    class Refusal(models.TextChoices):
        """Why a card that was shown to be there is not linked."""

        TAKEN = "taken", _("linked to another account")
        OWN = "own", _("linked to this account already")
        BLOCKED = "blocked", _("blocked")

    way = models.CharField(max_length=6, choices=Way)
    state = models.CharField(max_length=9, choices=State, default=State.OPEN)
    refusal = models.CharField(max_length=7, choices=Refusal, blank=True)
    token = models.ForeignKey(Token, null=True, on_delete=models.CASCADE, related_name="claims")
    token_digest = models.CharField(max_length=64, blank=True)
    code_digest = models.CharField(max_length=64, blank=True)
    station = models.ForeignKey(Station, null=True, on_delete=models.CASCADE, related_name="claims")
    session = models.ForeignKey(ChargingSession, null=True, on_delete=models.SET_NULL, related_name="claims")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="token_claims"
    )
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    # What the operator knows of the holder: sessions from then on are the driver's too. Null: from the link on.
    held_since = models.DateTimeField(null=True)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    undone_at = models.DateTimeField(null=True)

    objects = ClaimQuerySet.as_manager()

    class Meta:
        ordering = ["-made_at", "-pk"]
        verbose_name = _("link of a card")
        verbose_name_plural = _("links of cards")
        constraints = [
            models.UniqueConstraint(
                name="claim_one_code", fields=["token"], condition=Q(state="open", way="code")
            ),
            models.UniqueConstraint(
                name="claim_one_charge", fields=["user"], condition=Q(state="open", way="charge")
            ),
            models.UniqueConstraint(
                name="claim_code_once", fields=["code_digest"], condition=~Q(code_digest="")
            ),
        ]
        indexes = [models.Index(name="claim_open", fields=["expires_at"], condition=Q(state="open"))]

    def __str__(self) -> str:
        return f"{self.way} {self.pk}: {self.state}"
