"""One session of the driver: in plain words, and its power as a table to take along."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from portal.pages.csv_download import csv_download
from portal.pages.driver.sessions import own_sessions
from portal.pages.driver.told import driver_session
from portal.pages.driver.words import length_of, socket_of
from portal.pages.hub import hub
from portal.pages.session_chart import session_series


@require_safe
@vary_on_headers("HX-Request")
def session(request: HttpRequest, pk: int) -> HttpResponse:
    """One own session; another's is not found."""
    live_id = hub.mark()  # before anything is read: what changes meanwhile is told
    found = get_object_or_404(own_sessions(request), pk=pk)
    now = timezone.now()
    context = {
        "told": driver_session(found, now=now),
        "session": found,
        "place": found.station.label,
        "socket": socket_of(found),
        "length": length_of(found, now),
        "live_id": live_id,
        "now": now,
        "crumbs": [(_("My sessions"), reverse("driver:sessions")), (found.station.label, "")],
    }
    template = "_session.html" if request.headers.get("HX-Request") else "session.html"
    return render(request, f"pages/driver/{template}", context)


@require_safe
def power_csv(request: HttpRequest, pk: int) -> HttpResponse:
    """The power of an own session as its chart has it, with the limit that held; times in UTC."""
    found = get_object_or_404(own_sessions(request), pk=pk)
    told = driver_session(found, now=timezone.now())

    def rows() -> Iterator[list[object]]:
        yield ["sampled_at", "import_w", "export_w", "limit_w"]
        for sample in told.samples:
            held = told.limits.at(sample.at) if told.limits else None
            yield [sample.at.isoformat(), sample.import_w, sample.export_w, held.limit_w if held else ""]

    return csv_download(rows(), f"session-{found.pk}.csv")


@require_safe
def power_json(request: HttpRequest, pk: int) -> JsonResponse:
    """The chart of an own session in numbers, or a part of it (portal.pages.power_series)."""
    found = get_object_or_404(own_sessions(request), pk=pk)
    told = session_series(
        found, first=request.GET.get("from", ""), last=request.GET.get("until", ""), now=timezone.now()
    )
    return JsonResponse(told, headers={"Cache-Control": "no-store"})
