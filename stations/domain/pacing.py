"""How fast a roll-out goes: a few stations first, then so many at once, and when it stops by itself. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# Fewer answers than this say nothing of a share.
LEAST_ANSWERS = 20


class Halt(StrEnum):
    """Why it stopped by itself."""

    FIRST = "first"  # one of the first stations did not take it
    SHARE = "share"  # too large a share did not take it
    TEMPLATE = "template"  # the template is another by now, or gone


@dataclass(frozen=True, slots=True)
class Pace:
    """`first` stations must have taken it before another is asked; then `at_once` are asked at a time.

    More than `stop_percent` of those that answered did not take it: it stops. 100 never does.
    """

    first: int = 5
    at_once: int = 50
    stop_percent: int = 10

    def is_proven(self, tally: Tally) -> bool:
        """Whether the first stations have taken it."""
        return tally.done >= self.first

    def halt(self, tally: Tally) -> Halt | None:
        """Whether it is to stop here."""
        if not self.is_proven(tally):
            return Halt.FIRST if tally.failed else None
        answered = tally.done + tally.failed
        is_over = tally.failed * 100 > self.stop_percent * answered
        return Halt.SHARE if is_over and answered >= LEAST_ANSWERS else None

    def room(self, tally: Tally) -> int:
        """How many stations more may be asked now."""
        most = self.at_once if self.is_proven(tally) else min(self.first - tally.done, self.at_once)
        return max(most - tally.busy, 0)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many stations took all of it, how many did not, and how many are connected and have not answered yet."""

    done: int = 0
    failed: int = 0
    busy: int = 0


USUAL = Pace()
