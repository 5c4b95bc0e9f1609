"""The station's clock: real time by default, faster where a test wants a night in a second."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Tells the time (aware, UTC) and waits, both `speed` times as fast as the wall clock."""

    def __init__(self, *, speed: float = 1.0, start: datetime | None = None) -> None:
        self._speed = speed
        self._start = start or datetime.now(UTC)
        self._began = time.monotonic()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=(time.monotonic() - self._began) * self._speed)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds) / self._speed)

    def follow(self, at: datetime) -> None:
        """Take over the CSMS's time (OCPP 1.6, 4.2; 2.0.1, B01). A fast clock runs ahead on purpose, and stays."""
        if self._speed == 1.0 and abs((at - self.now()).total_seconds()) > 2:
            self._start, self._began = at, time.monotonic()
