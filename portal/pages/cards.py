"""The operator's cards: who has one linked, a code for who has not, and undoing a link that is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import OuterRef, Q, Subquery
from django.db.models.query import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.pages.card_list import CARDS, CardFilter
from portal.pages.driver.words import card_name
from portal.tables.listing import Listing
from smartcharging.day_fields import DayField, midnight
from stations import claims
from stations.claims import CODE_LASTS, CannotLink
from stations.models import Token, TokenClaim
from stations.models.access import OPERATOR_ROLES, memberships_of

State, Way = TokenClaim.State, TokenClaim.Way
HISTORY = 20


class CodeForm(forms.Form):
    held_since = DayField(required=False, label=gettext_lazy("Show sessions from"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["held_since"].help_text = _(
            "dd-mm-yyyy: the day on which this driver got the card. Empty: the driver sees sessions from the link on."
        )

    def clean_held_since(self) -> datetime | None:
        day = self.cleaned_data["held_since"]
        if day is not None and day > timezone.localdate():
            raise forms.ValidationError(_("Give a day that has begun."))
        return midnight(day) if day else None


class UndoForm(forms.Form):
    sure = forms.BooleanField(label=gettext_lazy("Yes, undo this link"))


@dataclass(frozen=True, slots=True)
class Link:
    """One link or attempt in the past of a card; who the driver is, is the driver's own to say."""

    claim: TokenClaim
    way: str
    state: str
    by: str
    undone_by: str


@require_safe
def card_list(request: HttpRequest) -> HttpResponseBase:
    """Cards of the own operator, or of all for a superuser."""
    user: Any = request.user
    if not user.is_superuser and not {row.role for row in memberships_of(user)} & set(OPERATOR_ROLES):
        raise Http404
    now = timezone.now()
    form = CardFilter(request.GET)
    listing = Listing(CARDS, request, form.narrow(_rows(user, now), now), filters=form)
    return listing.answer() or render(request, "pages/cards.html", {"listing": listing})


@require_safe
def card(request: HttpRequest, pk: int) -> HttpResponse:
    return _card_page(request, _card(request, pk), CodeForm(), UndoForm())


@never_cache
@require_POST
def issue_code(request: HttpRequest, pk: int) -> HttpResponse:
    """The code is in this answer and nowhere else: there is no address at which it can be read again."""
    token, form = _operable(request, pk), CodeForm(request.POST)
    if not form.is_valid():
        return _card_page(request, token, form, UndoForm(), status=422)
    try:
        code = claims.issue_code(
            token=token,
            issued_by=request.user,
            held_since=form.cleaned_data["held_since"],
            now=timezone.now(),
        )
    except CannotLink:
        messages.error(request, _("This card is linked to a driver. Undo that link first."))
        return redirect("card", pk=pk)
    return _card_page(request, _card(request, pk), CodeForm(), UndoForm(), code=code)


@require_POST
def withdraw_code(request: HttpRequest, pk: int) -> HttpResponse:
    if claims.withdraw_code(token=_operable(request, pk), now=timezone.now()):
        messages.success(request, _("The code does not work any more."))
    return redirect("card", pk=pk)


@require_http_methods(["POST"])
def undo_link(request: HttpRequest, pk: int) -> HttpResponse:
    token, form = _operable(request, pk), UndoForm(request.POST)
    if not form.is_valid():
        return _card_page(request, token, CodeForm(), form, status=422)
    if claims.unlink(token=token, by=request.user, now=timezone.now()):
        messages.success(request, _("The link is undone. Give the right driver a code."))
    return redirect("card", pk=pk)


def _rows(user: Any, now: datetime) -> QuerySet[Any]:
    """With until when an open code of it works."""
    code = TokenClaim.objects.filter(token=OuterRef("pk"), way=Way.CODE, state=State.OPEN, expires_at__gt=now)
    rows = Token.objects.visible_to(user).select_related("operator", "group")
    told: QuerySet[Any] = rows.annotate(code_until=Subquery(code.values("expires_at")[:1]))
    return told


def _card(request: HttpRequest, pk: int) -> Token:
    token: Token = get_object_or_404(_rows(request.user, timezone.now()), pk=pk)
    return token


def _operable(request: HttpRequest, pk: int) -> Token:
    """For who may send commands; 404 for anyone else."""
    rows = _rows(request.user, timezone.now()).filter(Q(pk__in=Token.objects.operable_by(request.user)))
    token: Token = get_object_or_404(rows, pk=pk)
    return token


def _card_page(
    request: HttpRequest,
    token: Token,
    code_form: CodeForm,
    undo_form: UndoForm,
    *,
    code: str = "",
    status: int = 200,
) -> HttpResponse:
    may = Token.objects.operable_by(request.user).filter(pk=token.pk).exists()
    context = {
        "token": token,
        "name": card_name(token),
        "code": code,
        "code_days": CODE_LASTS.days,
        "code_form": code_form,
        "undo_form": undo_form,
        "may_operate": may,
        "history": _history(token),
        "is_expired": token.expires_at is not None and token.expires_at <= timezone.now(),
        "crumbs": [(_("Cards"), reverse("cards")), (card_name(token), "")],
    }
    return render(request, "pages/card.html", context, status=status)


def _history(token: Token) -> list[Link]:
    rows = TokenClaim.objects.filter(token=token).select_related("issued_by", "undone_by", "user", "station")[
        :HISTORY
    ]
    return [Link(row, str(row.get_way_display()), _state(row), _by(row), _undone_by(row)) for row in rows]


def _state(claim: TokenClaim) -> str:
    text = str(claim.get_state_display())
    return f"{text}: {claim.get_refusal_display()}" if claim.refusal else text


def _by(claim: TokenClaim) -> str:
    """Who of the operator made or undid it; drivers are not named."""
    if claim.way == Way.CHARGE:
        return claim.station.identity if claim.station else ""
    return str(claim.issued_by) if claim.issued_by else ""


def _undone_by(claim: TokenClaim) -> str:
    """A colleague by name; a driver who let the card go, or was erased, without."""
    if claim.undone_by is None or claim.undone_by == claim.user:
        return ""
    return str(claim.undone_by)
