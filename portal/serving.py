"""How a server process is started: one place for the demo, the bench and the image."""

from __future__ import annotations

import gc

import uvicorn
from django.conf import settings
from django.urls import get_resolver


def server_config(*, host: str, port: int) -> uvicorn.Config:
    """Uvicorn as the portal needs it.

    No permessage-deflate: with it a station costs 69 to 139 KiB of memory instead of 32. A ping finds a half-open
    socket within two intervals.
    """
    return uvicorn.Config(
        "portal.asgi:application",
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_max_size=settings.OCPP_MAX_FRAME_BYTES,
        ws_ping_interval=settings.OCPP_PING_S,
        ws_ping_timeout=settings.OCPP_PING_S,
        lifespan="on",
        # What a proxy says is heard by stations.admission alone, from the proxy alone; uvicorn would believe any
        # neighbour on this machine.
        proxy_headers=False,
        access_log=False,
        log_config=None,
        # Longer only holds up a restart: a page's live stream does not end by itself, and reconnects.
        timeout_graceful_shutdown=3,
    )


def settle() -> None:
    """Called when all is loaded: what is there now stays as long as the process, and no collection looks at it again.

    A full one stopped every socket and page for 70 ms and more. Beside it, what lives for one message is so much that
    by Python's own threshold it is looked through too often.
    """
    get_resolver().url_patterns  # noqa: B018 - read now, all views are loaded, and not by the first request
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
