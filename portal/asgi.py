"""The application: pages and API over HTTP, stations over the websocket, and the gateway's life around both."""

from __future__ import annotations

import os
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django_application = get_asgi_application()

# Only now: these import models.
from channels.db import database_sync_to_async  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from portal.body_limit import BodyLimit  # noqa: E402
from portal.lifespan import lifespan  # noqa: E402
from stations import uploads  # noqa: E402
from stations.admission import through_proxy  # noqa: E402
from stations.routing import websocket_urlpatterns  # noqa: E402

_routed: Any = ProtocolTypeRouter(
    {
        "http": BodyLimit(django_application, database_sync_to_async(uploads.note_too_large)),
        "websocket": URLRouter(websocket_urlpatterns),
        "lifespan": lifespan,
    }
)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Whatever comes in has its forwarded headers taken off, or taken at their word: from our own proxy."""
    await _routed(scope if scope["type"] == "lifespan" else through_proxy(scope), receive, send)
