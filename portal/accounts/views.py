"""One's own account, and the way in from an invitation. What allauth has pages for is allauth's."""

from __future__ import annotations

import logging
from typing import cast

from allauth.account.adapter import get_adapter
from allauth.account.utils import perform_login
from allauth.socialaccount.providers.openid_connect import views as openid_connect
from allauth.usersessions import adapter as sessions
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from requests import RequestException

from portal.accounts import invitations
from portal.accounts.forms import AcceptForm, NameForm
from portal.accounts.inviting import Invitation
from portal.accounts.models import User
from portal.accounts.roles import ROLE_MEANINGS, ROLE_NAMES
from stations.models.access import Role, memberships_of

log = logging.getLogger(__name__)


@require_http_methods(["GET", "HEAD", "POST"])
def overview(request: HttpRequest) -> HttpResponse:
    """Who I am here: my name, and my roles; without any, what to do about it."""
    user = cast("User", request.user)
    form = NameForm(request.POST if request.method == "POST" else None, instance=user)
    if form.is_bound and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("account_overview")
    roles = [
        (each.municipality or each.operator, ROLE_NAMES[Role(each.role)], ROLE_MEANINGS[Role(each.role)])
        for each in memberships_of(user)
    ]
    context = {"form": form, "roles": roles}
    return render(request, "account/overview.html", context, status=422 if form.is_bound else 200)


@require_POST
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign out on one other device; on this one there is signing out."""
    rows = UserSession.objects.filter(user=cast("User", request.user))
    session = get_object_or_404(rows.exclude(session_key=request.session.session_key), pk=pk)
    sessions.get_adapter().end_sessions([session])
    messages.success(request, _("You are signed out there."))
    return redirect("usersessions_list")


@login_not_required
def provider_login(request: HttpRequest, provider_id: str) -> HttpResponse:
    """allauth asks the provider for its addresses, and has no page for one that is away or answers nonsense."""
    try:
        return cast("HttpResponse", openid_connect.login(request, provider_id))
    except (RequestException, LookupError):
        log.exception("the provider of OpenID Connect did not say how to sign in")
        return render(request, "socialaccount/authentication_error.html", status=502)


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """What the link in the mail opens. Looking at it uses nothing up: mail programs look too."""
    try:
        found = invitations.opened_by(token, now=timezone.now())
        if request.method == "POST":
            return _accept(request, found)
    except invitations.BadLink as error:
        return render(request, "account/invitation_closed.html", {"reason": error.reason}, status=410)
    except invitations.NoLongerWaiting:  # by another tab, or the one who invited, this very moment
        return redirect(request.path)
    return _page(request, found, AcceptForm(email=found.email))


def _accept(request: HttpRequest, found: Invitation) -> HttpResponse:
    now = timezone.now()
    if request.user.is_authenticated:
        if not _is_for_visitor(request, found):
            return _page(request, found, AcceptForm(email=found.email), status=403)
        invitations.accept(found, user=request.user, now=now)
        messages.success(request, _("You now work for %(party)s here.") % {"party": found.party})
        return redirect("home")
    form = AcceptForm(request.POST, email=found.email)
    if _has_account(found) or not form.is_valid():
        return _page(request, found, form, status=422)
    user = invitations.join(
        found, name=form.cleaned_data["name"], password=form.cleaned_data["password"], now=now
    )
    get_adapter().add_message(request, messages.SUCCESS, message=_("Your account is ready."))
    return cast("HttpResponse", perform_login(request, user))


def _page(request: HttpRequest, found: Invitation, form: AcceptForm, *, status: int = 200) -> HttpResponse:
    context = {
        "invitation": found,
        "role": ROLE_NAMES[Role(found.role)],
        "meaning": ROLE_MEANINGS[Role(found.role)],
        "form": form,
        "has_account": _has_account(found),
        "is_for_visitor": _is_for_visitor(request, found),
    }
    return render(request, "account/invitation.html", context, status=status)


def _has_account(found: Invitation) -> bool:
    return User.objects.filter(email=found.email).exists()


def _is_for_visitor(request: HttpRequest, found: Invitation) -> bool:
    return getattr(request.user, "email", "").lower() == found.email
