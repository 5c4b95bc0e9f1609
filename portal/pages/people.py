"""The people of a party: who has which role, and who is invited. For who administers it."""

from __future__ import annotations

from typing import Any, cast

from allauth.core import ratelimit
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.accounts import invitations
from portal.accounts.forms import InviteForm, PeopleFilter
from portal.accounts.inviting import Invitation
from portal.accounts.models import User
from portal.accounts.roles import ROLE_NAMES, Party, parties_administered_by
from portal.accounts.second_factor import FACTORS
from portal.pages.people_lists import INVITATIONS, MEMBERS
from portal.tables.columns import List
from portal.tables.listing import Listing
from stations.models import Membership
from stations.models.access import Role


def _parties(request: HttpRequest) -> list[Party]:
    """Who administers nothing has no such pages."""
    parties = list(parties_administered_by(cast("User", request.user)))
    if not parties:
        raise Http404
    return parties


def _filter(request: HttpRequest) -> PeopleFilter:
    form = PeopleFilter(request.GET, parties=_parties(request))
    form.is_valid()
    return form


@require_safe
def members(request: HttpRequest) -> HttpResponseBase:
    form = _filter(request)
    factors = Authenticator.objects.filter(user=OuterRef("user"), type__in=FACTORS)
    rows = Membership.objects.select_related("user", "municipality", "operator").annotate(
        has_second_factor=Exists(factors)
    )
    if text := form.cleaned_data.get("q"):
        rows = rows.filter(Q(user__email__icontains=text) | Q(user__name__icontains=text))
    return _page(request, form, MEMBERS, rows)


@require_safe
def invited(request: HttpRequest) -> HttpResponseBase:
    form = _filter(request)
    rows = Invitation.objects.select_related("municipality", "operator", "invited_by")
    if text := form.cleaned_data.get("q"):
        rows = rows.filter(email__icontains=text)
    return _page(request, form, INVITATIONS, rows)


def _page(request: HttpRequest, form: PeopleFilter, people: List, rows: QuerySet[Any]) -> HttpResponseBase:
    rows = rows.filter(form.parties_chosen())
    if role := form.cleaned_data.get("role"):
        rows = rows.filter(role=role)
    listing = Listing(people, request, rows, filters=form)
    return listing.answer() or render(request, f"people/{people.key}.html", {"listing": listing})


@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest) -> HttpResponse:
    parties = _parties(request)
    form = InviteForm(request.POST if request.method == "POST" else None, parties=parties)
    if form.is_bound:
        slowed: HttpResponse | None = ratelimit.consume_or_429(request, action="invite")
        if slowed is not None:
            return slowed
        if form.is_valid() and (invitation := _invited(request, form)):
            return _send(request, invitation)
    return render(request, "people/invite.html", {"form": form}, status=422 if form.is_bound else 200)


def _invited(request: HttpRequest, form: InviteForm) -> Invitation | None:
    said = form.cleaned_data
    try:
        return invitations.invite(
            email=said["email"],
            role=said["role"],
            party=said["party"],
            invited_by=cast("User", request.user),
            now=timezone.now(),
        )
    except invitations.InvitedAlready:
        form.add_error(
            "email", _("This person is invited for that role already. Send it again from the list.")
        )
        return None


def _send(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    try:
        is_sent = invitations.send(invitation, now=timezone.now())
    except invitations.NoLongerWaiting:
        messages.error(request, _("This invitation was accepted or withdrawn in the meantime."))
        return redirect("people:invitations")
    if is_sent:
        messages.success(request, _("The invitation is sent to %(email)s.") % {"email": invitation.email})
    else:
        messages.error(
            request, _("The invitation is made, but the e-mail could not be sent. Send it again in a while.")
        )
    return redirect("people:invitations")


def _own_invitation(request: HttpRequest, pk: int) -> Invitation:
    rows = Invitation.objects.administered_by(cast("User", request.user))
    found: Invitation = get_object_or_404(
        rows.select_related("municipality", "operator", "invited_by"), pk=pk
    )
    return found


@require_POST
def send_again(request: HttpRequest, pk: int) -> HttpResponse:
    invitation = _own_invitation(request, pk)
    slowed: HttpResponse | None = ratelimit.consume_or_429(request, action="invite")
    return slowed or _send(request, invitation)


@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    invitation = _own_invitation(request, pk)
    try:
        invitations.withdraw(invitation, now=timezone.now())
    except invitations.NoLongerWaiting:
        messages.error(request, _("This invitation was accepted or withdrawn in the meantime."))
    else:
        messages.success(request, _("Withdrawn: the link in the e-mail no longer works."))
    return redirect("people:invitations")


@require_http_methods(["GET", "HEAD", "POST"])
def take_away(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks first. Nobody takes an own role away: so there is always an administrator left."""
    form = PeopleFilter({}, parties=_parties(request))
    form.is_valid()
    rows = Membership.objects.filter(form.parties_chosen()).exclude(user=cast("User", request.user))
    membership = get_object_or_404(rows.select_related("user", "municipality", "operator"), pk=pk)
    if request.method == "POST":
        invitations.take_role_away(membership, now=timezone.now())
        messages.success(
            request, _("%(person)s no longer has this role.") % {"person": membership.user.get_full_name()}
        )
        return redirect("people:members")
    context = {"membership": membership, "role": ROLE_NAMES[Role(membership.role)]}
    return render(request, "people/take_away.html", context)
