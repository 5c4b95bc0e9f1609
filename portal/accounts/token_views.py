"""The tokens of the API of one's own account: which there are, making one, revoking one."""

from __future__ import annotations

from typing import cast

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.accounts import api_tokens
from portal.accounts.api_tokens import ApiToken
from portal.accounts.models import User
from portal.accounts.token_forms import TokenForm
from stations.scopes import Scope

MOST = 100


@require_safe
def tokens(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    rows = ApiToken.objects.filter(user=cast("User", request.user)).select_related("operator", "municipality")
    shown = [(row, row.state_at(now), _scopes(row)) for row in rows[:MOST]]
    return render(request, "account/tokens.html", {"tokens": shown})


def _scopes(row: ApiToken) -> list[str]:
    return [str(Scope(name).label) for name in row.scopes if name in Scope.values]


@never_cache
@reauthentication_required  # type: ignore[untyped-decorator]
@require_http_methods(["GET", "HEAD", "POST"])
def new_token(request: HttpRequest) -> HttpResponse:
    """The key is in the answer to a form that is right, and nowhere else."""
    user, now = cast("User", request.user), timezone.now()
    form = TokenForm(request.POST if request.method == "POST" else None, user=user)
    if form.is_bound and form.is_valid():
        row, key = api_tokens.make(user=user, now=now, **form.wanted(now))
        return render(request, "account/token_made.html", {"token": row, "key": key})
    return render(request, "account/token_new.html", {"form": form}, status=422 if form.is_bound else 200)


@require_POST
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    token = get_object_or_404(ApiToken, user=cast("User", request.user), pk=pk)
    if api_tokens.revoke(token=token, now=timezone.now()):
        messages.success(request, _("The token works no more."))
    return redirect("account_tokens")
