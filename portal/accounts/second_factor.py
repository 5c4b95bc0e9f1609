"""Who needs a second factor (an app, a passkey), and what is closed until there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext as _

from stations.models.access import memberships_of

if TYPE_CHECKING:
    from portal.accounts.models import User

# Recovery codes alone are none: they only stand in for one of these.
FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
# What leads to a second factor, ends the session, or is open to anybody.
STILL_OPEN = frozenset(
    {
        "account_login",
        "account_logout",
        "account_inactive",
        "account_reauthenticate",
        "mfa_index",
        "mfa_activate_totp",
        "mfa_list_webauthn",
        "mfa_add_webauthn",
        "set_language",
        "accessibility",
        "privacy",
    }
)


def owes_second_factor(request: HttpRequest) -> bool:
    """Whether the visitor has a role, or more, and nothing but a password, where the installation asks for both."""
    user: User = request.user  # type: ignore[assignment]
    if not settings.SECOND_FACTOR_REQUIRED or not user.is_authenticated:
        return False
    if not (user.is_superuser or user.is_staff or memberships_of(user)):
        return False
    return not is_mfa_enabled(user, FACTORS) and not _assured_elsewhere(request, user)


def _assured_elsewhere(request: HttpRequest, user: User) -> bool:
    """The provider of OpenID Connect asks for a second factor itself, and this session came from there."""
    records = get_authentication_records(request, user) if settings.OIDC_ASSURES_SECOND_FACTOR else []
    return any(record["method"] == "socialaccount" for record in records)


class SecondFactorMiddleware(MiddlewareMixin):
    """Leads who owes a second factor to the page to set it up, whatever was asked for."""

    def process_view(self, request: HttpRequest, _view: Any, _args: Any, _kwargs: Any) -> HttpResponse | None:
        match = request.resolver_match
        if match is None or match.view_name in STILL_OPEN or not owes_second_factor(request):
            return None
        if request.path.startswith("/api/"):
            detail = _("Set up a second step for signing in first, on the pages of your account.")
            return JsonResponse({"detail": detail}, status=403)
        return redirect("mfa_index")
