"""Live pages: a stream that says "changed", never what. The page then fetches its part through the ordinary view, so
that permission, language and escaping live in one place.

One stream for a page, whatever it shows:

GET /live/?station=<identity>, once for each of up to 100 stations, for who may see them all;
GET /live/?session=<pk>, once for each of up to 20 sessions, for the driver of them all;
GET /live/?rollout=<pk> for who may see the roll-out: its stations where it is still under way, up to 500.

Server-sent events with ids: a page that comes back with an older id, or with that of another server or of one that
has restarted since, is told at once that something changed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Collection

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from portal.pages.hub import hub
from stations.models import ChargingSession, ConfigurationRollout, RolloutStation, Station

COALESCE_S = 1.0  # at most one nudge a second for a page
COALESCE_LIST_S = 3.0  # and for one of many stations, of which some always does something
HEARTBEAT_S = 15.0  # a comment that keeps proxies from closing an idle stream, and finds a page that left
LIFETIME_S = 600.0  # then the browser comes back, and its permission is looked at again
RETRY_MS = 3000
MOST_STATIONS, MOST_SESSIONS, MOST_OF_ROLLOUT = 100, 20, 500


@require_safe
async def live(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """The stream. Not under ASGI: 204, at which a browser gives up and the page polls instead."""
    station_ids = await sync_to_async(_station_ids)(request)
    if not isinstance(request, ASGIRequest):
        return HttpResponse(status=204)
    seen = request.headers.get("Last-Event-ID") or request.GET.get("since", "")
    response = StreamingHttpResponse(stream(station_ids, seen), content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"  # a proxy that collects the stream would delay it
    return response


def _station_ids(request: HttpRequest) -> frozenset[int]:
    """The stations that the visitor may watch; 404 where there is one that is not for this visitor."""
    if "session" in request.GET:
        return _of_sessions(request)
    if "rollout" in request.GET:
        return _of_rollout(request)
    return _of_stations(request)


def _of_stations(request: HttpRequest) -> frozenset[int]:
    asked = set(request.GET.getlist("station"))
    if not 0 < len(asked) <= MOST_STATIONS:
        raise Http404
    found = Station.objects.visible_to(request.user).filter(identity__in=asked)
    return _all_of(len(asked), list(found.values_list("pk", flat=True)))


def _of_sessions(request: HttpRequest) -> frozenset[int]:
    asked = set(request.GET.getlist("session"))
    if len(asked) > MOST_SESSIONS or not all(pk.isdecimal() and len(pk) < 19 for pk in asked):
        raise Http404
    found = ChargingSession.objects.of_driver(request.user).filter(pk__in=asked)
    return _all_of(len(asked), list(found.values_list("station_id", flat=True)))


def _of_rollout(request: HttpRequest) -> frozenset[int]:
    pk = request.GET["rollout"]
    if not pk.isdecimal() or len(pk) >= 19:
        raise Http404
    row = get_object_or_404(ConfigurationRollout.objects.visible_to(request.user), pk=pk)
    return frozenset(rollout_stations(row))


def rollout_stations(rollout: ConfigurationRollout) -> list[int]:
    """Those of a roll-out where something is still to come, the first ones: what the page of it follows."""
    runs = rollout.stations.filter(state__in=RolloutStation.OPEN).order_by("pk")
    return list(runs.values_list("station_id", flat=True)[:MOST_OF_ROLLOUT])


def _all_of(count: int, station_ids: list[int]) -> frozenset[int]:
    if len(station_ids) != count:
        raise Http404
    return frozenset(station_ids)


async def stream(
    station_ids: Collection[int], seen: str, *, lifetime_s: float = LIFETIME_S
) -> AsyncGenerator[str, None]:
    """Events for one page: "changed" with the id of the change, and a comment when nothing happens."""
    page = hub.join(station_ids)
    ends = time.monotonic() + lifetime_s
    try:
        yield f"retry: {RETRY_MS}\n\n"
        if hub.is_behind(seen, station_ids):
            page.wake.set()
        while (left := ends - time.monotonic()) > 0:
            try:
                await asyncio.wait_for(page.wake.wait(), min(HEARTBEAT_S, left))
            except TimeoutError:
                yield ": still here\n\n"
                continue
            page.wake.clear()
            yield f"event: changed\nid: {hub.mark()}\ndata: changed\n\n"
            await asyncio.sleep(COALESCE_S if len(station_ids) <= 2 else COALESCE_LIST_S)
    finally:
        hub.leave(page)
