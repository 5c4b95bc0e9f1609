"""What a 2.x station watches by itself, and what it noticed."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from portal.pages.configuration import crumbs_of, reading_of, say_asked
from portal.pages.configuration_forms import MonitorForm, MonitoringForm
from portal.pages.device_event_list import DEVICE_EVENTS, DeviceEventFilter
from portal.pages.monitor_list import MONITORS_OF_STATION, MonitorFilter
from portal.pages.station import operable, page, visit
from portal.tables.listing import Listing
from stations import device_model, monitoring
from stations.events import Kind
from stations.models import DeviceReading, Event, Station, VariableMonitor


def _of_2x(station: Station) -> Station:
    if station.ocpp_version == "1.6":
        raise Http404  # 1.6 has no monitors
    return station


@require_safe
@vary_on_headers("HX-Request")
def monitors(request: HttpRequest, identity: str) -> HttpResponseBase:
    """What the station watches, the worst first, and which of it is on."""
    visited = visit(request, identity)
    station = _of_2x(visited.station)
    chosen = MonitorFilter(request.GET)
    rows = VariableMonitor.objects.filter(station=station)
    listing = Listing(MONITORS_OF_STATION, request, chosen.narrow(rows), filters=chosen)
    if answer := listing.answer():
        return answer
    context = {
        "listing": listing,
        "form": MonitoringForm(),
        "reading": reading_of(station, DeviceReading.Kind.MONITORS),
        "may_operate": visited.may_operate,
    }
    return page(request, visited, "monitors", context)


@require_safe
@vary_on_headers("HX-Request")
def noticed(request: HttpRequest, identity: str) -> HttpResponseBase:
    """The events that the monitors led to, newest first."""
    visited = visit(request, identity)
    events = Event.objects.filter(station=_of_2x(visited.station), kind=Kind.DEVICE_EVENT)
    chosen = DeviceEventFilter(request.GET)
    listing = Listing(DEVICE_EVENTS, request, chosen.narrow(events), filters=chosen)
    return listing.answer() or page(request, visited, "noticed", {"listing": listing})


@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest, identity: str) -> HttpResponse:
    """The form of a new monitor."""
    station = _of_2x(operable(request, identity))
    form = MonitorForm(request.POST if request.method == "POST" else None, station=station)
    if request.method == "POST" and form.is_valid():
        wanted = dict(form.cleaned_data)
        variable = wanted.pop("variable")
        monitoring.set_monitor(
            station=station, place=variable.place, requested_by=request.user, now=timezone.now(), **wanted
        )
        messages.success(request, _("The station is asked to watch %(place)s.") % {"place": variable})
        return redirect("stations:monitors", identity)
    context = {"station": station, "form": form, "crumbs": crumbs_of(station, _("New monitor"))}
    return render(request, "pages/station/monitor_add.html", context, status=422 if form.is_bound else 200)


@require_POST
def clear(request: HttpRequest, identity: str, pk: int) -> HttpResponse:
    """Have the station forget a monitor."""
    station = _of_2x(operable(request, identity))
    row = get_object_or_404(VariableMonitor, pk=pk, station=station)
    monitoring.clear_monitor(monitor=row, requested_by=request.user, now=timezone.now())
    messages.success(request, _("The monitor is being removed."))
    return redirect("stations:monitors", identity)


@require_POST
def read(request: HttpRequest, identity: str) -> HttpResponse:
    """Ask the station for all its monitors."""
    station = _of_2x(operable(request, identity))
    command = device_model.read_monitors(station=station, requested_by=request.user, now=timezone.now())
    say_asked(request, command)
    return redirect("stations:monitors", identity)


@require_POST
def settings(request: HttpRequest, identity: str) -> HttpResponse:
    """Which monitors are on, and from how bad on they tell."""
    station = _of_2x(operable(request, identity))
    form, now = MonitoringForm(request.POST), timezone.now()
    if not form.is_valid() or not (form.cleaned_data["base"] or form.cleaned_data["level"] is not None):
        messages.info(request, _("Nothing has been chosen."))
        return redirect("stations:monitors", identity)
    if base := form.cleaned_data["base"]:
        monitoring.set_base(station=station, base=base, requested_by=request.user, now=now)
    if (level := form.cleaned_data["level"]) is not None:
        monitoring.set_level(station=station, severity=level, requested_by=request.user, now=now)
    messages.success(request, _("The station is asked. What it answers appears here."))
    return redirect("stations:monitors", identity)
