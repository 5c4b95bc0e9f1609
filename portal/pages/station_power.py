"""Power against limit of a station in numbers: today's, and of one session as its operator sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from portal.pages.charts import day_of
from portal.pages.cost_words import cost_rows, notes
from portal.pages.csv_download import csv_download
from portal.pages.driver.words import length_of
from portal.pages.energy import energies_of
from portal.pages.metering import samples_of
from portal.pages.power_series import phases_of, series, window
from portal.pages.session_chart import session_chart, session_series
from portal.pages.station import Visit, page, visit, visit_as_staff
from portal.pages.station_day import connection_w_of, day_limits
from stations.costs import cost_of
from stations.models import ChargingSession, MeterReading

NO_STORE = {"Cache-Control": "no-store"}


@require_safe
def power_json(request: HttpRequest, identity: str) -> JsonResponse:
    """Today in numbers, or a part of it (portal.pages.power_series)."""
    visited = visit(request, identity)
    start, end = day_of(visited.now)
    station = visited.station
    asked = window(start, end, first=request.GET.get("from", ""), last=request.GET.get("until", ""))
    readings = asked.of(MeterReading.objects.filter(station=station))
    told = series(
        asked,
        samples_of(readings),
        phases=phases_of(readings),
        limits=day_limits(station, start=start, end=end, now=visited.now).stretches,
        connection_w=connection_w_of(station),
        measured_until=visited.now,
        now=visited.now,
    )
    return JsonResponse(told, headers=NO_STORE)


@require_safe
@vary_on_headers("HX-Request")
def session(request: HttpRequest, identity: str, pk: int) -> HttpResponse:
    """One session at this station, for its operator: what it took, against which limits, and what it cost."""
    visited = visit_as_staff(request, identity)
    found = _session(visited, pk)
    cost = cost_of(found, now=visited.now)
    context = {
        "told": session_chart(found, now=visited.now),
        "session": found,
        "socket": _letter(found),
        "length": length_of(found, visited.now),
        "energy": energies_of([found])[found.pk],
        "cost": cost,
        "cost_rows": cost_rows(cost),
        "cost_notes": list(notes(cost)),
        "has_chart": True,
    }
    return page(request, visited, "sessions", context, part="session")


@require_safe
def session_csv(request: HttpRequest, identity: str, pk: int) -> HttpResponse:
    """The power of a session as its chart has it, with the limit that held; times in UTC."""
    visited = visit_as_staff(request, identity)
    found = _session(visited, pk)
    told = session_chart(found, now=visited.now)

    def rows() -> Iterator[list[object]]:
        yield ["sampled_at", "import_w", "export_w", "limit_w"]
        for sample in told.samples:
            held = told.limits.at(sample.at) if told.limits else None
            yield [sample.at.isoformat(), sample.import_w, sample.export_w, held.limit_w if held else ""]

    return csv_download(rows(), f"{identity}-session-{found.pk}.csv")


@require_safe
def session_json(request: HttpRequest, identity: str, pk: int) -> JsonResponse:
    """The chart of a session in numbers, or a part of it."""
    visited = visit_as_staff(request, identity)
    told = session_series(
        _session(visited, pk),
        first=request.GET.get("from", ""),
        last=request.GET.get("until", ""),
        now=visited.now,
    )
    return JsonResponse(told, headers=NO_STORE)


def _session(visited: Visit, pk: int) -> ChargingSession:
    """A session of this station; one of another is not found."""
    found: ChargingSession = get_object_or_404(visited.station.sessions.select_related("token"), pk=pk)
    found.station = visited.station  # with its EVSEs, which are read already
    return found


def _letter(session: ChargingSession) -> Any:
    letters = {evse.number: evse.letter for evse in session.station.evses.all()}
    return letters.get(session.evse_number or 0, "")
