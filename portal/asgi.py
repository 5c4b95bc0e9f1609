"""The application: pages and API over HTTP, stations over the websocket, and the gateway's life around both."""

from __future__ import annotations

import os
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django_application = get_asgi_application()

# Only now: these import models.
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from portal.lifespan import lifespan  # noqa: E402
from stations.routing import websocket_urlpatterns  # noqa: E402

application: Any = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": URLRouter(websocket_urlpatterns),
        "lifespan": lifespan,
    }
)
