"""The cards of a driver: which there are, linking one by a code or by a charge, and letting one go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, F, Max, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from portal.pages.driver.words import card_name
from portal.templatetags.measures import clock
from stations import claims
from stations.claims import CHARGE_WITHIN, CannotLink
from stations.models import Station, Token, TokenClaim

State, Refusal = TokenClaim.State, TokenClaim.Refusal
# How long the outcome of a charge stays on the page.
TOLD_FOR = timedelta(days=1)


class CodeForm(forms.Form):
    code = forms.CharField(
        max_length=20,
        label=gettext_lazy("Code"),
        help_text=gettext_lazy("Ten letters and digits, as in ABCDE-23456. Your operator gives it to you."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class ChargeForm(forms.Form):
    number = forms.CharField(
        max_length=36,
        label=gettext_lazy("Number of the card"),
        help_text=gettext_lazy("The number of the chip, as your operator or its app shows it."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    station = forms.CharField(
        max_length=48,
        label=gettext_lazy("Charging station"),
        help_text=gettext_lazy("The number that stands on the station where you are going to charge."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_station(self) -> Station:
        said = self.cleaned_data["station"].strip()
        found: Station | None = Station.objects.filter(identity__iexact=said).first()
        if found is None:
            raise forms.ValidationError(
                _("We know no station with this number. Look on the station, or use a code of your operator.")
            )
        return found


class UnlinkForm(forms.Form):
    sure = forms.BooleanField(label=gettext_lazy("Yes, unlink this card"))


@dataclass(frozen=True, slots=True)
class Card:
    """A card of the driver. `state` says why it cannot be used; empty: it can."""

    token: Token
    name: str
    state: str
    since: datetime | None
    sessions: int
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """A charge that was to link a card: what became of it, and what to do."""

    claim: TokenClaim
    tone: str
    title: str
    text: str

    @property
    def is_open(self) -> bool:
        """It is waited for."""
        return bool(self.claim.state == State.OPEN)


@require_safe
@vary_on_headers("HX-Request")
def cards(request: HttpRequest) -> HttpResponse:
    return _page(request)


@require_POST
def link_by_code(request: HttpRequest) -> HttpResponse:
    form = CodeForm(request.POST)
    if form.is_valid():
        try:
            token = claims.link_by_code(
                user=request.user,
                code=form.cleaned_data["code"],
                address=request.META.get("REMOTE_ADDR", ""),
                now=timezone.now(),
            )
        except CannotLink as cannot:
            form.add_error("code", str(cannot))
        else:
            text = _("%(card)s is linked to your account. You see its sessions from now on.")
            messages.success(request, text % {"card": card_name(token)})
            return redirect("driver:cards")
    return _page(request, code_form=form, status=422)


@require_POST
def link_by_charge(request: HttpRequest) -> HttpResponse:
    form = ChargeForm(request.POST)
    if form.is_valid():
        number, station = form.cleaned_data["number"], form.cleaned_data["station"]
        try:
            claims.expect_charge(user=request.user, number=number, station=station, now=timezone.now())
        except CannotLink as cannot:
            form.add_error(None, str(cannot))
        else:
            return redirect("driver:cards")
    return _page(request, charge_form=form, status=422)


@require_POST
def stop_waiting(request: HttpRequest) -> HttpResponse:
    claims.cancel_charge(user=request.user, now=timezone.now())
    return redirect("driver:cards")


@require_http_methods(["GET", "HEAD", "POST"])
def unlink(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks first; another's card is not found."""
    rows = Token.objects.filter(user=request.user.pk).select_related("operator")
    token: Token = get_object_or_404(rows, pk=pk)
    form = UnlinkForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        claims.unlink(token=token, by=request.user, now=timezone.now())
        messages.success(request, _("%(card)s is unlinked.") % {"card": card_name(token)})
        return redirect("driver:cards")
    context = {
        "form": form,
        "name": card_name(token),
        "operator": token.operator,
        "crumbs": [(_("My cards"), reverse("driver:cards")), (_("Unlink"), "")],
    }
    status = 422 if form.errors else 200
    return render(request, "pages/driver/unlink.html", context, status=status)


def _page(
    request: HttpRequest,
    *,
    code_form: CodeForm | None = None,
    charge_form: ChargeForm | None = None,
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    context = {
        "cards": cards_of(request.user, now=now),
        "attempt": attempt_of(request.user, now=now),
        "code_form": code_form or CodeForm(),
        "charge_form": charge_form or ChargeForm(),
        "minutes": int(CHARGE_WITHIN.total_seconds() // 60),
    }
    template = "_cards.html" if request.headers.get("HX-Request") else "cards.html"
    return render(request, f"pages/driver/{template}", context, status=status)


def cards_of(user: Any, *, now: datetime) -> list[Card]:
    """All of them, in one query, with what the driver did with each since it is the driver's."""
    own = Q(sessions__started_at__gte=F("held_since")) | Q(held_since__isnull=True)
    rows = (
        Token.objects.filter(user=user.pk)
        .select_related("operator")
        .annotate(
            used=Count("sessions", filter=own),
            last_at=Max("sessions__started_at", filter=own),
        )
        .order_by("label", "pk")
    )
    return [
        Card(token, card_name(token), _state(token, now), token.held_since, token.used, token.last_at)
        for token in rows
    ]


def attempt_of(user: Any, *, now: datetime) -> Attempt | None:
    """The last charge that was to link a card, while it is waited for and a day after."""
    rows = TokenClaim.objects.filter(user=user.pk, way=TokenClaim.Way.CHARGE, made_at__gt=now - TOLD_FOR)
    claim = rows.exclude(state=State.WITHDRAWN).select_related("station", "token__operator").first()
    if claim is None or claim.station is None:
        return None
    station = {"station": claim.station.identity, "time": clock(claim.expires_at)}
    if claim.state == State.OPEN:
        title = _("Start charging at %(station)s before %(time)s") % station
        text = _("Use the card that you named. As soon as the station tells us, the card is linked.")
        return Attempt(claim, "calm", title, text)
    if claim.state == State.REFUSED and claim.token is not None:
        text = str(claims.TELLS[claim.refusal]) % {"operator": claim.token.operator}
        return Attempt(claim, "bad", _("The card was not linked"), text)
    if claim.state == State.EXPIRED:
        text = _(
            "No charge with that card began at %(station)s in time. Look at number and station, and try once more;"
            " or ask your operator for a code."
        )
        return Attempt(claim, "warn", _("No card was linked"), text % station)
    return None


def _state(token: Token, now: datetime) -> str:
    if token.blocked:
        return _("Blocked: ask %(operator)s what to do.") % {"operator": token.operator}
    if token.expires_at is not None and token.expires_at <= now:
        return _("Expired: ask %(operator)s for a new one.") % {"operator": token.operator}
    return ""
