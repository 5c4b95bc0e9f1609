"""The station page: its limit and why, its sessions, messages and configuration, and what is proven of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from urllib.parse import quote

from django.db.models import Exists, OuterRef, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from portal.accounts.models import User
from portal.compliance.evidence_list import OF_STATION, EvidenceFilter, listed
from portal.compliance.models import Evidence
from portal.compliance.permissions import may_probe
from portal.pages.charts import day_of
from portal.pages.csv_download import csv_download
from portal.pages.deliveries import rows_of
from portal.pages.hub import hub
from portal.pages.logbook_rows import who_changed
from portal.pages.metering import samples_of
from portal.pages.session_list import SESSIONS, SessionFilter
from portal.pages.station_compliance import duties_of
from portal.pages.station_day import day_limits, station_day
from portal.pages.station_tabs import groups_of
from portal.pages.words import socket_status
from portal.tables.listing import Listing
from stations.models import ChargingSession, MeterReading, Station
from stations.presence import is_living, since

VALUES_A_PAGE = 25


@dataclass(frozen=True, slots=True)
class Visit:
    """A station that the visitor may see, and what else the visitor may do there."""

    station: Station
    now: datetime
    is_online: bool
    since: datetime | None
    may_plan: bool
    may_operate: bool
    is_staff: bool  # of the operator: sees messages and sessions, which officials do not
    live_id: str


def visit(request: HttpRequest, identity: str) -> Visit:
    """The station by its identity; 404 for a stranger. One query for the row and all permissions on it."""
    user = cast("User", request.user)
    now = timezone.now()
    same = Q(pk=OuterRef("pk"))
    rows = (
        Station.objects.visible_to(user)
        .with_place()
        .with_sockets()
        .annotate(
            may_plan=Exists(Station.objects.plannable_by(user).filter(same)),
            may_operate=Exists(Station.objects.operable_by(user).filter(same)),
            is_staff=Exists(Station.objects.worked_on_by(user).filter(same)),
        )
    )
    live_id = hub.mark()  # before anything is read: what changes meanwhile is told
    station: Any = get_object_or_404(rows, identity=identity)
    presence = getattr(station, "presence", None)
    is_online = presence is not None and is_living(presence, now)
    return Visit(
        station=station,
        now=now,
        is_online=is_online,
        since=since(presence, is_online=is_online) if presence else None,
        may_plan=station.may_plan,
        may_operate=station.may_operate,
        is_staff=station.is_staff,
        live_id=live_id,
    )


@require_safe
@vary_on_headers("HX-Request")
def profiles(request: HttpRequest, identity: str) -> HttpResponse:
    """The limit now, the day, the stack; and what was desired, sent and reported."""
    visited = visit(request, identity)
    day = station_day(visited.station, is_online=visited.is_online, now=visited.now)
    evses = list(visited.station.evses.all())
    context = {
        "day": day,
        "rows": rows_of(
            day.profiles,
            limits=day.limits,
            reports=day.reports,
            evses=evses,
            is_online=visited.is_online,
            now=visited.now,
        ),
        "sockets": [(evse, socket_status(evse.connectors.all())) for evse in evses],
        "has_chart": True,
    }
    return page(request, visited, "profiles", context)


@require_safe
def power_csv(request: HttpRequest, identity: str) -> HttpResponse:
    """Today's power samples with the limit that held, one row per sample; times in UTC."""
    visited = visit(request, identity)
    start, end = day_of(visited.now)
    station = visited.station
    limits = day_limits(station, start=start, end=end, now=visited.now)
    readings = MeterReading.objects.filter(station=station, sampled_at__gte=start, sampled_at__lt=end)

    def rows() -> Iterator[list[object]]:
        yield ["sampled_at", "evse", "import_w", "export_w", "limit_w", "limit_a_per_phase"]
        for sample in samples_of(readings):
            held = limits.at(sample.at)
            limit = [held.limit_w, held.limit_a] if held else ["", ""]
            yield [sample.at.isoformat(), sample.evse, sample.import_w, sample.export_w, *limit]

    return csv_download(rows(), f"{station.identity}-{timezone.localtime(start):%Y-%m-%d}.csv")


@require_safe
@vary_on_headers("HX-Request")
def sessions(request: HttpRequest, identity: str) -> HttpResponseBase:
    """The sessions of this station, for its operator: an official never sees a single driver's session."""
    visited = visit_as_staff(request, identity)
    form = SessionFilter(request.GET)
    own = ChargingSession.objects.visible_to(request.user).filter(station=visited.station)
    listing = Listing(SESSIONS, request, form.narrow(own.select_related("station")), filters=form)
    return listing.answer() or page(request, visited, "sessions", {"listing": listing})


@require_safe
@vary_on_headers("HX-Request")
def compliance(request: HttpRequest, identity: str) -> HttpResponse:
    """The status of every requirement that is judged on a station, with the evidence it rests on."""
    visited = visit(request, identity)
    context = {
        "duties": duties_of(visited.station, now=visited.now),
        "may_probe": may_probe(cast("User", request.user)).filter(pk=visited.station.pk).exists(),
    }
    return page(request, visited, "compliance", context)


@require_safe
@vary_on_headers("HX-Request")
def evidence(request: HttpRequest, identity: str) -> HttpResponseBase:
    """All evidence of this station that the reader may see, of any requirement and whenever."""
    visited = visit(request, identity)
    rows = listed(Evidence.objects.visible_to(cast("User", request.user)).filter(station=visited.station))
    form = EvidenceFilter(request.GET)
    listing = Listing(OF_STATION, request, form.narrow(rows), filters=form)
    return listing.answer() or page(request, visited, "evidence", {"listing": listing})


def visit_as_staff(request: HttpRequest, identity: str) -> Visit:
    visited = visit(request, identity)
    if not visited.is_staff:
        raise Http404
    return visited


def operable(request: HttpRequest, identity: str) -> Station:
    """The station, for who may send commands to it; 404 for anyone else."""
    rows = Station.objects.operable_by(cast("User", request.user)).with_place()
    station: Station = get_object_or_404(rows, identity=identity)
    return station


def page(
    request: HttpRequest, visited: Visit, tab: str, context: dict[str, Any], *, part: str = ""
) -> HttpResponse:
    """The whole page, or for htmx only the part that is alive; that of the tab, if not another."""
    template = f"pages/station/{part or tab}.html"
    context |= {"visit": visited, "station": visited.station, "part": template}
    if request.headers.get("HX-Request"):
        return render(request, "pages/station/_live.html", context)
    station = visited.station
    context |= {
        "log_url": who_changed(request.user, station=station.identity),
        "tab_groups": groups_of(station, is_staff=visited.is_staff, current=tab),
        "crumbs": [
            (_("Stations"), reverse("stations:list")),
            (station.site.name, f"{reverse('stations:list')}?q={quote(station.site.name)}"),
            (station.identity, ""),
        ],
    }
    return render(request, "pages/station/page.html", context)
