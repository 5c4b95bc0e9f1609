"""The security of a station: what it must show, its password and certificates, and what happened."""

from __future__ import annotations

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

from portal.pages.certificate_list import CERTIFICATES, CertificateFilter, lines_of
from portal.pages.security_forms import DEEDS, DeleteForm, RevokeForm, SecurityForm
from portal.pages.security_list import SECURITY_EVENTS, EventFilter
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


@require_safe
@vary_on_headers("HX-Request")
def security(request: HttpRequest, identity: str) -> HttpResponseBase:
    """For who works for the operator; the forms are for who may send commands."""
    visited = visit_as_staff(request, identity)
    station = visited.station
    form = EventFilter(request.GET)
    listing = Listing(SECURITY_EVENTS, request, form.found(station), filters=form)
    if answer := listing.answer():
        return answer
    context = {
        "listing": listing,
        "rotation": SecretRotation.objects.filter(station=station).first(),
        "raised": ProfileRaise.objects.filter(station=station).first(),
        "may_operate": visited.may_operate,
    }
    return page(request, visited, "security", context)


@require_safe
@vary_on_headers("HX-Request")
def certificate_list(request: HttpRequest, identity: str) -> HttpResponseBase:
    """What the station shows and what it trusts, for who works for the operator."""
    visited = visit_as_staff(request, identity)
    form = CertificateFilter(request.GET)
    rows = form.narrow(lines_of(visited.station, visited.now))
    listing = Listing(CERTIFICATES, request, rows, filters=form)
    if answer := listing.answer():
        return answer
    context = {
        "listing": listing,
        "can_sign": certificates.can_sign(),
        "may_operate": visited.may_operate,
    }
    return page(request, visited, "certificates", context)


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
    url_name, name = form.page
    back_url = reverse(url_name, args=[station.identity])
    if request.method == "POST" and form.is_valid() and form.give(request.user, timezone.now()):
        messages.success(request, form.done)
        return redirect(back_url)
    context = {
        "station": station,
        "form": form,
        "subject": subject,
        "back_url": back_url,
        "crumbs": [
            (_("Stations"), reverse("stations:list")),
            (station.identity, reverse("stations:detail", args=[station.identity])),
            (name, back_url),
            (form.title, ""),
        ],
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "pages/station/security_form.html", context, status=status)
