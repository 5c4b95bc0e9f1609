"""What a 2.x station watches by itself, and what it noticed."""

from __future__ import annotations

from dataclasses import dataclass

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
from portal.pages.configuration_words import MONITORS, severity, severity_tone
from portal.pages.device_event_list import DEVICE_EVENTS, DeviceEventFilter
from portal.pages.station import operable, page, visit
from portal.tables.listing import Listing
from stations import device_model, monitoring
from stations.events import Kind
from stations.models import DeviceReading, Event, Station, VariableMonitor

MOST_MONITORS = 200


@dataclass(frozen=True, slots=True)
class MonitorLine:
    monitor: VariableMonitor
    when: object
    severity: str
    tone: str
    may_clear: bool


def _of_2x(station: Station) -> Station:
    if station.ocpp_version == "1.6":
        raise Http404  # 1.6 has no monitors
    return station


@require_safe
@vary_on_headers("HX-Request")
def monitors(request: HttpRequest, identity: str) -> HttpResponseBase:
    """The monitors of the station, and the events that they led to, newest first."""
    visited = visit(request, identity)
    station = _of_2x(visited.station)
    form = DeviceEventFilter(request.GET)
    events = Event.objects.filter(station=station, kind=Kind.DEVICE_EVENT)
    listing = Listing(DEVICE_EVENTS, request, form.narrow(events), filters=form)
    if answer := listing.answer():
        return answer
    context = {
        "monitors": [_monitor_line(row) for row in station.monitors.all()[:MOST_MONITORS]],
        "listing": listing,
        "form": MonitoringForm(),
        "reading": reading_of(station, DeviceReading.Kind.MONITORS),
        "may_operate": visited.may_operate,
    }
    return page(request, visited, "monitors", context)


def _monitor_line(row: VariableMonitor) -> MonitorLine:
    return MonitorLine(
        monitor=row,
        when=MONITORS.get(row.kind, row.kind),
        severity=severity(row.severity),
        tone=severity_tone(row.severity),
        # Hard-wired and preconfigured ones are the station's own (2.0.1, N06.FR.04): it refuses.
        may_clear=row.made_by in ("", "CustomMonitor") and row.state != VariableMonitor.State.CLEARING,
    )


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
