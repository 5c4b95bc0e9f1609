"""Who a token of the API is, what it may be used for, and how often."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Prefetch, Q, prefetch_related_objects
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from portal.accounts.api_tokens import ApiToken, digest_of
from portal.accounts.models import User
from stations.models import Membership
from stations.scopes import Scope

if TYPE_CHECKING:
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)

WORD = "Token"
# That it was used is worth a write once in a while, not for each request.
NOTED_EVERY = timedelta(minutes=1)


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Token ...`, or `Bearer ...`."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        word, _, key = get_authorization_header(request).decode("latin-1").partition(" ")
        if word.casefold() not in (WORD.casefold(), "bearer"):
            return None
        token = ApiToken.objects.select_related("user").filter(digest=digest_of(key.strip())).first()
        now = timezone.now()
        if token is None or token.state_at(now) != "in_force" or not token.user.is_active:
            raise AuthenticationFailed("This token is not known, has expired or was revoked.")
        _note_use(token, now)
        return acting_as(token), token

    def authenticate_header(self, request: Request) -> str:
        return WORD


def acting_as(token: ApiToken) -> User:
    """The person of `token`, with no role but those at its party; of this request alone, and never saved."""
    user: User = token.user
    if token.is_whole:
        return user
    at_party = Membership.objects.none()
    if token.operator_id or token.municipality_id:
        rows = Membership.objects.select_related("municipality", "operator")
        at_party = rows.filter(operator=token.operator_id, municipality=token.municipality_id)
        user.is_for_party = True  # type: ignore[attr-defined]  # what is the person's own is left out
    prefetch_related_objects([user], Prefetch("memberships", at_party))
    user.is_superuser = False
    return user


def _note_use(token: ApiToken, now: datetime) -> None:
    if token.last_used_at is None or token.last_used_at < now - NOTED_EVERY:
        stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - NOTED_EVERY)
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)


class WithinScope(BasePermission):
    """A token is used for no more than its scopes. Whoever is signed in in a browser is held by the role alone."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not isinstance(request.auth, ApiToken):
            return True
        wanted = scope_of(view, request.method or "GET")
        self.message = f'This token may not be used for that: it lacks the scope "{wanted}".'
        return wanted in request.auth.scopes


def scope_of(view: Any, method: str) -> str:
    """What a request with this method takes there. Raises AttributeError for a view that does not say."""
    is_reading = method in SAFE_METHODS
    return str(getattr(view, "read_scope", Scope.READ) if is_reading else view.scope)


class _PerToken(SimpleRateThrottle):
    """So many a minute for each token; a page in a browser is not counted."""

    setting = ""
    counts_reads = True

    def get_rate(self) -> str:
        return f"{getattr(settings, self.setting)}/min"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        is_read = request.method in SAFE_METHODS
        if is_read != self.counts_reads or not isinstance(request.auth, ApiToken):
            return None
        return f"api.{self.setting}.{request.auth.digest[:32]}"

    def allow_request(self, request: Request, view: APIView) -> bool:
        try:
            return bool(super().allow_request(request, view))
        except Exception as error:  # noqa: BLE001 - whatever the cache has: better without brakes than not at all
            logger.warning("Requests are not counted: %s", error)
            return True


class Reads(_PerToken):
    setting = "API_READS_PER_MINUTE"
    scope = "reads"


class Writes(_PerToken):
    setting = "API_WRITES_PER_MINUTE"
    scope = "writes"
    counts_reads = False
