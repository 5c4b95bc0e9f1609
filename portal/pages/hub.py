"""The open pages of this process, each told when one of its stations changes; portal.live carries it to the browser."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from threading import Lock
from uuid import uuid4

from stations import nudges


@dataclass(eq=False)
class Subscription:
    """One open page. `wake` is set on the page's own loop, from whatever thread committed."""

    station_ids: frozenset[int]
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    wake: asyncio.Event = field(default_factory=asyncio.Event)


class Hub:
    """The open pages of this process, and the number of the last change of every station."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pages: dict[int, set[Subscription]] = {}
        self._changes: dict[int, int] = {}
        self._last = 0  # of all changes together
        self._epoch = uuid4().hex[:8]  # ids of another process or of an earlier run are never ours

    def nudge(self, station_ids: frozenset[int]) -> None:
        """These stations changed. From any thread; waits for nothing."""
        with self._lock:
            self._last += 1
            self._changes.update(dict.fromkeys(station_ids, self._last))
            pages = {page for pk in station_ids for page in self._pages.get(pk, ())}
        for page in pages:
            if not page.loop.is_closed():
                page.loop.call_soon_threadsafe(page.wake.set)

    def mark(self) -> str:
        """The present, as the id of an event: what is read from the database after this misses nothing before it."""
        return f"{self._epoch}-{self._last}"

    def is_behind(self, mark: str, station_ids: Collection[int]) -> bool:
        """Whether one of these stations changed since `mark`.

        A mark means something in this run of this process alone. That of another server, or from before a restart, is
        behind: who comes back with it is told once, looks again and misses nothing.
        """
        epoch, _, number = mark.partition("-")
        if epoch != self._epoch or not number.isdecimal():
            return True
        return any(self._changes.get(pk, 0) > int(number) for pk in station_ids)

    def join(self, station_ids: Collection[int]) -> Subscription:
        page = Subscription(frozenset(station_ids))
        with self._lock:
            for pk in page.station_ids:
                self._pages.setdefault(pk, set()).add(page)
        return page

    def leave(self, page: Subscription) -> None:
        with self._lock:
            for pk in page.station_ids:
                self._pages[pk].discard(page)
                if not self._pages[pk]:
                    del self._pages[pk]

    def open_pages(self) -> int:
        with self._lock:
            return len({page for pages in self._pages.values() for page in pages})


hub = Hub()
nudges.listen_to_pages(hub.nudge)
