"""The security of a station: what it must show, its password and certificates, and what happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from portal.pages.security_forms import DEEDS, DeleteForm, RevokeForm, SecurityForm, use_text
from portal.pages.security_list import SECURITY_EVENTS, EventFilter
from portal.pages.security_words import reason_text
from portal.pages.station import operable, page, visit_as_staff
from portal.tables.listing import Listing
from stations import certificates
from stations.models import (
    InstalledCertificate,
    ProfileRaise,
    SecretRotation,
    Station,
    StationCertificate,
)

CERTIFICATES = 20
SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class CertificateLine:
    """A certificate as the page shows it."""

    row: StationCertificate
    tone: str
    state: str
    reason: str
    may_revoke: bool


@dataclass(frozen=True, slots=True)
class RootLine:
    row: InstalledCertificate
    tone: str
    use: str
    may_delete: bool


@require_safe
@vary_on_headers("HX-Request")
def security(request: HttpRequest, identity: str) -> HttpResponseBase:
    """For who works for the operator; the forms are for who may send commands."""
    visited = visit_as_staff(request, identity)
    station, now = visited.station, visited.now
    form = EventFilter(request.GET)
    listing = Listing(SECURITY_EVENTS, request, form.found(station), filters=form)
    if answer := listing.answer():
        return answer
    roots = InstalledCertificate.objects.filter(station=station).exclude(
        state=InstalledCertificate.State.DELETED
    )
    context = {
        "listing": listing,
        "certificates": [_certificate(row, now) for row in station.certificates.all()[:CERTIFICATES]],
        "roots": [_root(row, now) for row in roots],
        "rotation": SecretRotation.objects.filter(station=station).first(),
        "raised": ProfileRaise.objects.filter(station=station).first(),
        "can_sign": certificates.can_sign(),
        "may_operate": visited.may_operate,
    }
    return page(request, visited, "security", context)


@require_http_methods(["GET", "HEAD", "POST"])
def act(request: HttpRequest, identity: str, deed: str) -> HttpResponse:
    """The form of one deed, with its confirmation."""
    if deed not in DEEDS:
        raise Http404
    station = operable(request, identity)
    return _form(request, station, DEEDS[deed], {})


@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: HttpRequest, identity: str, pk: int) -> HttpResponse:
    station = operable(request, identity)
    row = get_object_or_404(StationCertificate, pk=pk, station=station)
    return _form(request, station, RevokeForm, {"row": row}, subject=row.subject)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, identity: str, pk: int) -> HttpResponse:
    station = operable(request, identity)
    row = get_object_or_404(InstalledCertificate, pk=pk, station=station)
    return _form(request, station, DeleteForm, {"row": row}, subject=row.subject or row.serial_number)


def _form(
    request: HttpRequest,
    station: Station,
    form_class: type[SecurityForm],
    more: dict[str, Any],
    *,
    subject: str = "",
) -> HttpResponse:
    form = form_class(request.POST if request.method == "POST" else None, station=station, **more)
    if request.method == "POST" and form.is_valid() and form.give(request.user, timezone.now()):
        messages.success(request, form.done)
        return redirect("stations:security", station.identity)
    context = {
        "station": station,
        "form": form,
        "subject": subject,
        "crumbs": [
            (_("Stations"), reverse("stations:list")),
            (station.identity, reverse("stations:detail", args=[station.identity])),
            (_("Security"), reverse("stations:security", args=[station.identity])),
            (form.title, ""),
        ],
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "pages/station/security_form.html", context, status=status)


def _certificate(row: StationCertificate, now: datetime) -> CertificateLine:
    State = StationCertificate.State  # noqa: N806
    is_over = row.not_after is not None and row.not_after <= now
    ends_soon = row.not_after is not None and row.not_after <= now + SOON
    is_living = row.state in StationCertificate.LIVING
    tone = {State.ACCEPTED: "good", State.REJECTED: "bad", State.REVOKED: "bad"}.get(State(row.state), "info")
    if is_living and ends_soon:
        tone = "bad" if is_over else "warn"
    state = _("expired") if is_living and is_over else str(State(row.state).label)
    reason = str(reason_text(row.reason))
    return CertificateLine(row, tone, state, reason, may_revoke=is_living and not is_over)


def _root(row: InstalledCertificate, now: datetime) -> RootLine:
    State = InstalledCertificate.State  # noqa: N806
    tones = {State.INSTALLED: "good", State.REFUSED: "bad", State.UNKNOWN: "warn"}
    tone = tones.get(State(row.state), "info")
    if row.state == State.INSTALLED and row.not_after is not None and row.not_after <= now + SOON:
        tone = "warn"
    may_delete = row.state in (State.INSTALLED, State.UNKNOWN) and bool(row.issuer_key_hash)
    return RootLine(row, tone, use_text(row.use), may_delete)
