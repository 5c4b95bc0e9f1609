"""The connection of a station over time, for its operator: a tab, and its tables as CSV."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from portal.pages.connection_history import Day, day_drawing, history_of, summary_of
from portal.pages.csv_download import csv_download
from portal.pages.station import page, visit_as_staff
from stations.models import ConnectionSpan

SPANS_A_PAGE = 20
SPANS_A_DOWNLOAD = 20_000
# A clock that is off by more than this sorts its samples into the wrong quarter sooner or later.
CLOCK_OFF_S = 30
BOOT_REASONS = {
    "PowerUp": _("power came"),
    "RemoteReset": _("reset by the portal"),
    "ScheduledReset": _("reset as planned"),
    "LocalReset": _("reset on the spot"),
    "FirmwareUpdate": _("new firmware"),
    "Watchdog": _("hung and restarted itself"),
    "Triggered": _("asked for by the portal"),
    "ApplicationReset": _("its software restarted"),
    "Unknown": _("unknown"),
}


@require_safe
@vary_on_headers("HX-Request")
def connection(request: HttpRequest, identity: str) -> HttpResponse:
    """Thirty days of the connection."""
    visited = visit_as_staff(request, identity)
    history = history_of(visited.station, now=visited.now)
    presence = getattr(visited.station, "presence", None)
    context = {
        "history": history,
        "page": Paginator(history.spans, SPANS_A_PAGE).get_page(request.GET.get("page")),
        "drawings": [day_drawing(history.days, "wide"), day_drawing(history.days, "narrow")],
        "summary": summary_of(history.days),
        "presence": presence,
        "days_told": _told(history.days),
        "happened": [(one, BOOT_REASONS.get(one.data.get("reason") or "")) for one in history.happened],
        "clock_is_off": history.clock is not None and abs(history.clock.clock_offset_s or 0) > CLOCK_OFF_S,
    }
    return page(request, visited, "connection", context)


def _told(days: list[Day]) -> list[Day]:
    """The newest first, down to the first of which something is known; all, where nothing is."""
    known = [place for place, day in enumerate(days, start=1) if day.share is not None]
    return days[: known[-1]] if known else days


@require_safe
def connection_csv(request: HttpRequest, identity: str) -> HttpResponse:
    """Every connection that is kept, the newest first, at most SPANS_A_DOWNLOAD; times in UTC."""
    visited = visit_as_staff(request, identity)
    spans = ConnectionSpan.objects.filter(station=visited.station)[:SPANS_A_DOWNLOAD]

    def rows() -> Iterator[list[object]]:
        yield [
            "connected_at",
            "disconnected_at",
            "seconds",
            "ocpp_version",
            "address",
            "gateway",
            "reason",
            "clock_offset_s",
        ]
        for span in spans:
            end = span.disconnected_at
            yield [
                span.connected_at.isoformat(),
                end.isoformat() if end else "",
                round(((end or visited.now) - span.connected_at).total_seconds()),
                span.ocpp_version,
                span.address,
                span.gateway,
                span.reason,
                "" if span.clock_offset_s is None else span.clock_offset_s,
            ]

    return csv_download(rows(), f"{identity}-connections.csv")
