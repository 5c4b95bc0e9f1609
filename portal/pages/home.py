"""The front door: everyone is led to the page with the answer they come for."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from portal.accounts.models import User
from portal.pages.context import compliance_home
from stations.models.access import Role


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)  # LoginRequiredMiddleware
    roles = set(request.user.memberships.values_list("role", flat=True))
    if Role.OFFICIAL in roles:
        return redirect(compliance_home(request.user))
    if roles or request.user.is_superuser:
        return redirect("stations:list")
    return redirect("driver:sessions")
