"""Tokens of the API: named, of one person, for one party, with scopes and an end. Only a hash of each is kept."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from stations.models import Municipality, Operator
from stations.models.watched import WatchedQuerySet
from stations.scopes import Scope

SHOWN = 8


class ApiTokenQuerySet(WatchedQuerySet["ApiToken"]):
    def in_force(self, now: datetime) -> ApiTokenQuerySet:
        lasting = models.Q(expires_at__isnull=True) | models.Q(expires_at__gt=now)
        return self.filter(lasting, revoked_at__isnull=True)


class ApiToken(models.Model):
    """What a program signs in with. It may never do more than its person at that party, and less by its scopes.

    Without a party it is for what is the person's own (a driver's sessions); `is_whole`: for all that the person may.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(_("name"), max_length=100)
    prefix = models.CharField(_("begins with"), max_length=SHOWN)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(_("may do"), default=list)
    operator = models.ForeignKey(
        Operator,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("operator"),
    )
    municipality = models.ForeignKey(
        Municipality,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("municipality"),
    )
    is_whole = models.BooleanField(_("for all parties of the person"), default=False)
    made_at = models.DateTimeField(_("made"))
    expires_at = models.DateTimeField(_("works until"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        constraints = [
            models.CheckConstraint(
                name="api_token_one_party",
                condition=models.Q(operator__isnull=True) | models.Q(municipality__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def party(self) -> Operator | Municipality | None:
        return self.operator or self.municipality

    def state_at(self, now: datetime) -> str:
        """in_force, expired or revoked."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "in_force"


def digest_of(key: str) -> str:
    """A fast hash will do: there are 256 bits to guess."""
    return sha256(key.encode()).hexdigest()


def make(
    *,
    user: Any,
    name: str,
    scopes: Sequence[str] = tuple(Scope.values),
    now: datetime,
    expires_at: datetime | None = None,
    **party: Any,
) -> tuple[ApiToken, str]:
    """The row and the key itself, which is nowhere kept. `party`: `operator` or `municipality`, or `is_whole`."""
    key = secrets.token_urlsafe(32)
    row = ApiToken.objects.create(
        user=user,
        name=name,
        prefix=key[:SHOWN],
        digest=digest_of(key),
        scopes=list(scopes),
        made_at=now,
        expires_at=expires_at,
        **party,
    )
    return row, key


def revoke(*, token: ApiToken, now: datetime) -> bool:
    """From the next request on. False: it was revoked already."""
    return bool(ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=now))
