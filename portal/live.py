"""Live pages: a stream that says "changed", never what. The page then fetches its part through the ordinary view, so
that permission, language and escaping live in one place.

GET /live/?station=<identity> for who may see the station, /live/?session=<pk> for the driver of that session.
Server-sent events with ids: a page that comes back with an older id is told at once that something changed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from portal.pages.hub import hub
from stations.models import ChargingSession, Station

COALESCE_S = 1.0  # at most one nudge a second for a page
HEARTBEAT_S = 15.0  # a comment that keeps proxies from closing an idle stream, and finds a page that left
LIFETIME_S = 600.0  # then the browser comes back, and its permission is looked at again
RETRY_MS = 3000


@require_safe
async def live(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """The stream. Not under ASGI: 204, at which a browser gives up and the page polls instead."""
    station_id = await sync_to_async(_station_id)(request)
    if not isinstance(request, ASGIRequest):
        return HttpResponse(status=204)
    seen = request.headers.get("Last-Event-ID") or request.GET.get("since", "")
    response = StreamingHttpResponse(stream(station_id, seen), content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"  # a proxy that collects the stream would delay it
    return response


def _station_id(request: HttpRequest) -> int:
    """The station that the visitor may watch; 404 for any other."""
    if pk := request.GET.get("session", ""):
        sessions = ChargingSession.objects.of_driver(request.user)
        if not pk.isdecimal():
            raise Http404
        return int(get_object_or_404(sessions, pk=pk).station_id)
    stations = Station.objects.visible_to(request.user)
    return int(get_object_or_404(stations, identity=request.GET.get("station", "")).pk)


async def stream(station_id: int, seen: str, *, lifetime_s: float = LIFETIME_S) -> AsyncGenerator[str, None]:
    """Events for one page: "changed" with the id of the change, and a comment when nothing happens."""
    page = hub.join(station_id)
    ends = time.monotonic() + lifetime_s
    try:
        yield f"retry: {RETRY_MS}\n\n"
        if seen != hub.mark(station_id):
            page.wake.set()
        while (left := ends - time.monotonic()) > 0:
            try:
                await asyncio.wait_for(page.wake.wait(), min(HEARTBEAT_S, left))
            except TimeoutError:
                yield ": still here\n\n"
                continue
            page.wake.clear()
            yield f"event: changed\nid: {hub.mark(station_id)}\ndata: station\n\n"
            await asyncio.sleep(COALESCE_S)
    finally:
        hub.leave(page)
