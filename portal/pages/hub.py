"""The open pages of this process, each told when its station changes; portal.live carries it to the browser."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from threading import Lock
from uuid import uuid4

from stations import nudges


@dataclass(eq=False)
class Subscription:
    """One open page. `wake` is set on the page's own loop, from whatever thread committed."""

    station_id: int
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    wake: asyncio.Event = field(default_factory=asyncio.Event)


class Hub:
    """The open pages of this process, and the number of the last change of every station."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pages: dict[int, set[Subscription]] = {}
        self._changes: dict[int, int] = {}
        self._epoch = uuid4().hex[:8]  # ids of another process or of an earlier run are never ours

    def nudge(self, station_ids: frozenset[int]) -> None:
        """These stations changed. From any thread; waits for nothing."""
        with self._lock:
            for station_id in station_ids:
                self._changes[station_id] = self._changes.get(station_id, 0) + 1
            pages = [page for pk in station_ids for page in self._pages.get(pk, ())]
        for page in pages:
            if not page.loop.is_closed():
                page.loop.call_soon_threadsafe(page.wake.set)

    def mark(self, station_id: int) -> str:
        """The id of the station's last change: what was drawn after this was read misses nothing before it."""
        return f"{self._epoch}-{self._changes.get(station_id, 0)}"

    def join(self, station_id: int) -> Subscription:
        page = Subscription(station_id)
        with self._lock:
            self._pages.setdefault(station_id, set()).add(page)
        return page

    def leave(self, page: Subscription) -> None:
        with self._lock:
            pages = self._pages[page.station_id]
            pages.discard(page)
            if not pages:
                del self._pages[page.station_id]

    def open_pages(self) -> int:
        return sum(len(pages) for pages in self._pages.values())


hub = Hub()
nudges.listen_to_pages(hub.nudge)
