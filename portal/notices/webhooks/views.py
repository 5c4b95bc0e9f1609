"""The pages of webhooks, for who administers an operator."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.accounts.models import User
from portal.notices.webhooks import services
from portal.notices.webhooks.forms import ChangeForm, NewEndpointForm
from portal.notices.webhooks.lists import DELIVERIES, ENDPOINTS, DeliveryFilter, event_words, mark_of
from portal.notices.webhooks.models import Delivery, Endpoint
from portal.notices.webhooks.telling import test_of
from portal.tables.listing import Listing
from stations.models import Operator


def _operators(request: HttpRequest) -> list[Operator]:
    """Of which the visitor keeps the webhooks; without any there are no such pages."""
    operators = list(Operator.objects.administered_by(cast("User", request.user)).order_by("name"))
    if not operators:
        raise Http404
    return operators


def _own(request: HttpRequest, pk: int) -> Endpoint:
    rows = Endpoint.objects.administered_by(cast("User", request.user)).select_related("operator")
    found: Endpoint = get_object_or_404(rows, pk=pk)
    return found


@require_safe
def endpoints(request: HttpRequest) -> HttpResponseBase:
    operators = _operators(request)
    rows = Endpoint.objects.filter(operator__in=operators).select_related("operator")
    listing = Listing(ENDPOINTS, request, rows)
    return listing.answer() or render(request, "webhooks/list.html", {"listing": listing})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """The answer to a form that is right has the secret, and no address has it again."""
    data = request.POST if request.method == "POST" else None
    form = NewEndpointForm(data, operators=_operators(request))
    if form.is_bound and form.is_valid():
        endpoint, secret = services.make(**form.cleaned_data, now=timezone.now())
        return _secret(request, endpoint, secret)
    crumbs = [(_("Webhooks"), reverse("webhooks:list")), (_("Add a webhook"), "")]
    context = {"form": form, "crumbs": crumbs}
    return render(request, "webhooks/new.html", context, status=422 if form.is_bound else 200)


@require_safe
def endpoint(request: HttpRequest, pk: int) -> HttpResponseBase:
    found = _own(request, pk)
    form = DeliveryFilter(request.GET)
    rows = form.narrow(Delivery.objects.filter(endpoint=found))
    listing = Listing(DELIVERIES, request, rows, filters=form)
    if answer := listing.answer():
        return answer
    context = {
        "endpoint": found,
        "mark": mark_of(found),
        "events": [event_words(name) for name in found.events],
        "overlaps": bool(found.old_until and found.old_until > timezone.now()),
        "listing": listing,
        "crumbs": [(_("Webhooks"), reverse("webhooks:list")), (found.name, "")],
    }
    return render(request, "webhooks/detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, pk: int) -> HttpResponse:
    found = _own(request, pk)
    said = {"name": found.name, "url": found.url, "events": found.events}
    said["is_on"] = found.state != Endpoint.State.OFF
    form = ChangeForm(request.POST if request.method == "POST" else None, initial=said)
    if form.is_bound and form.is_valid():
        services.change(endpoint=found, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("webhooks:detail", pk=pk)
    crumbs = [*_crumbs(found), (_("Change"), "")]
    context = {"form": form, "endpoint": found, "crumbs": crumbs}
    return render(request, "webhooks/change.html", context, status=422 if form.is_bound else 200)


@require_POST
def test(request: HttpRequest, pk: int) -> HttpResponse:
    found = _own(request, pk)
    if found.state == Endpoint.State.OFF:
        messages.error(request, _("This webhook is off: turn it on first."))
        return redirect("webhooks:detail", pk=pk)
    test_of(found, now=timezone.now())
    messages.success(request, _("A test is on its way. Its answer stands in the list below in a moment."))
    return redirect("webhooks:detail", pk=pk)


@never_cache
@require_POST
def rotate(request: HttpRequest, pk: int) -> HttpResponse:
    found = _own(request, pk)
    secret = services.rotate(endpoint=found, now=timezone.now())
    found.refresh_from_db()
    return _secret(request, found, secret)


@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks first."""
    found = _own(request, pk)
    if request.method == "POST":
        found.delete()
        messages.success(request, _("The webhook is removed, with what was sent by it."))
        return redirect("webhooks:list")
    crumbs = [*_crumbs(found), (_("Remove"), "")]
    return render(request, "webhooks/remove.html", {"endpoint": found, "crumbs": crumbs})


@require_POST
def again(request: HttpRequest, pk: int, delivery: int) -> HttpResponse:
    found = _own(request, pk)
    row = get_object_or_404(Delivery.objects.filter(endpoint=found), pk=delivery)
    services.send_again(delivery=row, now=timezone.now())
    messages.success(request, _("It is sent again, under the id that it had."))
    return redirect("webhooks:detail", pk=pk)


def _crumbs(found: Endpoint) -> list[tuple[str, str]]:
    return [
        (_("Webhooks"), reverse("webhooks:list")),
        (found.name, reverse("webhooks:detail", args=[found.pk])),
    ]


def _secret(request: HttpRequest, found: Endpoint, secret: str) -> HttpResponse:
    crumbs = [*_crumbs(found), (_("The secret"), "")]
    return render(request, "webhooks/secret.html", {"endpoint": found, "secret": secret, "crumbs": crumbs})
