"""Brakes on a station that sends more than is decent; pure counting, for one connection."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

# Broken frames of one station in a minute that are written down one by one; the rest of that minute is counted.
KEPT_PER_MINUTE = 60


@dataclass(slots=True)
class Pace:
    """Seconds on end in which a station sent more frames than are allowed in one."""

    seconds: int = 0

    def next_second(self, *, passed_s: int, was_over: bool) -> int:
        """A second has begun, `passed_s` after the one before in which frames came. Gives the seconds on end."""
        self.seconds = self.seconds + 1 if was_over and passed_s == 1 else int(was_over)
        return self.seconds


@dataclass(slots=True)
class BrokenFrames:
    """Which broken frames are kept, and how many were only counted."""

    minute: datetime | None = None
    seen: int = 0
    left_out: int = 0

    def is_kept(self, now: datetime) -> bool:
        """Whether this one is written down; else it is counted."""
        minute = now.replace(second=0, microsecond=0)
        if minute != self.minute:
            self.minute, self.seen = minute, 0
        self.seen += 1
        if self.seen > KEPT_PER_MINUTE:
            self.left_out += 1
            return False
        return True

    def is_due(self, now: datetime) -> bool:
        """Whether a sum waits of a minute that is over."""
        return bool(self.left_out) and now.replace(second=0, microsecond=0) != self.minute

    def take_left_out(self) -> int:
        """The number that was only counted; from here on it counts anew."""
        left_out, self.left_out = self.left_out, 0
        return left_out
