"""The address of the stream that a page follows (portal.live)."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlencode

from django.urls import reverse


def live_url(name: str, values: Iterable[object], *, since: str) -> str:
    """For these stations, sessions or roll-outs (`name`), from the mark `since` on; empty where there is none."""
    asked = [(name, str(value)) for value in values]
    return f"{reverse('live')}?{urlencode([*asked, ('since', since)])}" if asked else ""
