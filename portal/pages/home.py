"""The front door: everyone is led to the page with the answer they come for."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from stations.models import Token
from stations.models.access import Role, memberships_of

if TYPE_CHECKING:
    from portal.accounts.models import User


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    user = cast("User", request.user)  # LoginRequiredMiddleware lets nobody else in
    roles = {membership.role for membership in memberships_of(user)}
    if Role.OFFICIAL in roles:
        return redirect("official:overview")
    if roles or user.is_superuser:
        return redirect("work")
    # Who has no card either finds out here what to ask, and whom.
    return redirect("driver:now" if Token.objects.filter(user=user).exists() else "account_overview")
