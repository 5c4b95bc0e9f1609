"""What runs in a server process beside its requests: the gateway, and the ear for what other processes did."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from channels.layers import get_channel_layer
from django.conf import settings

from portal.inprocess import InProcessCelery
from stations import nudges
from stations.gateway import gateway

logger = logging.getLogger(__name__)


async def lifespan(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The ASGI lifespan protocol."""
    await receive()  # lifespan.startup
    await gateway.start()
    alone = not settings.REDIS_URL
    celery = InProcessCelery()
    if alone:
        await asyncio.to_thread(celery.start)
    listening = asyncio.create_task(_for_ever(_look_for_rows if alone else _hear_other_processes))
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
        except Exception:
            logger.exception("Cannot hear other processes; trying again")
            await asyncio.sleep(1)


async def _hear_other_processes() -> None:
    """One message a process, then its own listeners (stations.nudges)."""
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add("processes", channel)
    while True:
        message = await layer.receive(channel)
        nudges.deliver(message["topic"], frozenset(message["stations"]))


async def _look_for_rows() -> None:
    """Without a channel layer that reaches other processes: what a management command asked for waits in its row."""
    from portal.compliance.tasks import enqueue_waiting_probes  # noqa: PLC0415 - the app registry must be ready

    while True:
        await asyncio.sleep(0.5)
        await asyncio.to_thread(enqueue_waiting_probes)
