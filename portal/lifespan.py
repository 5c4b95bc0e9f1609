"""What runs in a server process beside its requests: the gateway, and the ear for what other processes did."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from channels.layers import get_channel_layer
from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections
from django.db.models import Max
from redis.exceptions import RedisError

from portal.celery import PortalTask
from portal.compliance.probes import pending_probe_ids
from portal.compliance.tasks import run_probe
from portal.inprocess import InProcessCelery
from portal.serving import settle
from smartcharging.tasks import reconcile
from stations import nudges
from stations.events import Kind
from stations.gateway import gateway
from stations.models import Event

logger = logging.getLogger(__name__)

MEMBERSHIP_RENEWAL_S = 3600.0
NUDGE_PATIENCE_S = 5.0


async def lifespan(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The ASGI lifespan protocol."""
    await receive()  # lifespan.startup
    await gateway.start()
    alone = not settings.REDIS_URL
    if not alone:
        nudges.send_through(_Telling().tell)
        PortalTask.enqueue_aside()
    celery = InProcessCelery()
    if alone:
        await asyncio.to_thread(celery.start)
    listening = asyncio.create_task(_for_ever(_look_for_rows if alone else _hear_other_processes))
    settle()
    await send({"type": "lifespan.startup.complete"})
    await receive()  # lifespan.shutdown
    listening.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await listening
    if alone:
        await asyncio.to_thread(celery.stop)
    await gateway.stop()
    await send({"type": "lifespan.shutdown.complete"})


async def _for_ever(ear: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await ear()
        except (OSError, RedisError, InterfaceError, OperationalError) as error:
            logger.warning("Redis or the database is away, trying again: %s", error)
            await asyncio.sleep(1)
        except Exception:
            logger.exception("Cannot hear other processes; trying again")
            await asyncio.sleep(1)


async def _hear_other_processes() -> None:
    """One message a process, then its own listeners (stations.nudges)."""
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add(nudges.GROUP, channel)
    try:
        await _hear(layer, channel)
    finally:
        # What stays in the group without a reader fills up, and then costs every nudge a warning.
        with contextlib.suppress(Exception):
            await layer.group_discard(nudges.GROUP, channel)


async def _hear(layer: Any, channel: str) -> None:
    renewed_at = time.monotonic()
    while True:
        with contextlib.suppress(TimeoutError):
            nudges.hear(await asyncio.wait_for(layer.receive(channel), MEMBERSHIP_RENEWAL_S))
        if time.monotonic() - renewed_at > MEMBERSHIP_RENEWAL_S:
            # A membership of a group ends after a day (channels-redis, group_expiry).
            await layer.group_add(nudges.GROUP, channel)
            renewed_at = time.monotonic()


class _Telling:
    """Nudges to other processes: one message at a time, which takes all that came up during the one before.

    So a storm of events costs Redis a few messages, and while Redis is away one waits, not thousands.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[str, set[int]] = {}
        self._origin = ""
        self._sending: asyncio.Task[None] | None = None

    def tell(self, message: dict[str, Any]) -> None:
        """From any thread: the writer must not wait for Redis."""
        self._loop.call_soon_threadsafe(self._take, message)

    def _take(self, message: dict[str, Any]) -> None:
        self._origin = message["origin"]
        self._waiting.setdefault(message["topic"], set()).update(message["stations"])
        if self._sending is None:
            self._sending = self._loop.create_task(self._send_all())

    async def _send_all(self) -> None:
        layer = get_channel_layer()
        while self._waiting:
            topic, stations = self._waiting.popitem()
            message = {"type": "nudge", "topic": topic, "stations": sorted(stations), "origin": self._origin}
            try:
                async with asyncio.timeout(NUDGE_PATIENCE_S):
                    await layer.group_send(nudges.GROUP, message)
            except Exception as error:  # noqa: BLE001 - Redis is away: the rows stand, and the gateways look by themselves
                logger.warning("A nudge to other processes was lost: %r", error)
        self._sending = None


async def _look_for_rows() -> None:
    """Without a channel layer that reaches other processes: what these asked for waits in its row."""
    # Older wishes are the business of the first round of reconcile_unconfirmed, right after the start.
    seen = await asyncio.to_thread(_last_event)
    while True:
        await asyncio.sleep(0.5)
        seen = await asyncio.to_thread(_enqueue_what_waits, seen)


def _enqueue_what_waits(seen: int) -> int:
    """Enqueuing twice is harmless: a probe is claimed by its row, and reconciling is safe to run twice.

    `seen` is the key of the last event that was looked at; gives the new one.
    """
    last = _last_event()
    for probe_id in pending_probe_ids():
        run_probe.delay(probe_id)
    if last > seen:
        new = Event.objects.filter(pk__gt=seen, pk__lte=last, kind=Kind.LIMIT_CHANGED)
        for station_id in set(new.values_list("station_id", flat=True)):
            reconcile.delay(station_id)
    return last


def _last_event() -> int:
    close_old_connections()
    return Event.objects.aggregate(last=Max("pk"))["last"] or 0
