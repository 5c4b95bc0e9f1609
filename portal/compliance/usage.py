"""Figures on the use of an area, about enough people to be shown. Pure.

AVG: a figure about few drivers tells of a person. Below the minimum nothing is shown, and neither is what would let
somebody work it out from what is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

# Four digits and two letters; the digits alone are a neighbourhood, with the letters a few houses.
POSTCODE = re.compile(r"\b([1-9]\d{3})\s?[A-Z]{2}\b[,\s]*(.*)$")


class Figures(Protocol):
    """Sums over the sessions of an area in a month: a row of UsageMonth."""

    @property
    def sessions(self) -> int: ...
    @property
    def drivers(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Used:
    """One session, as far as it is added up. `limited`: None where nobody knows."""

    area: str
    token: str
    energy_wh: float | None
    started_at: datetime
    ended_at: datetime | None
    limited: bool | None


@dataclass(slots=True)
class Tally:
    """What becomes of the sessions of one area."""

    sessions: int = 0
    metered: int = 0
    energy_wh: float = 0.0
    hours: float = 0.0
    judged: int = 0
    limited: int = 0
    tokens: set[str] = field(default_factory=set)

    @property
    def drivers(self) -> int:
        """All sessions without a card count as one driver's: rather too few than too many."""
        return len(self.tokens)

    def add(self, used: Used) -> None:
        self.sessions += 1
        self.tokens.add(used.token)
        if used.limited is not None:
            self.judged += 1
            self.limited += used.limited
        if used.energy_wh is not None and used.ended_at is not None and used.ended_at > used.started_at:
            self.metered += 1
            self.energy_wh += used.energy_wh
            self.hours += (used.ended_at - used.started_at).total_seconds() / 3600


def tallies(sessions: Iterable[Used]) -> tuple[Tally, dict[str, Tally]]:
    """Of all together, and by area."""
    whole = Tally()
    areas: dict[str, Tally] = {}
    for used in sessions:
        whole.add(used)
        areas.setdefault(used.area, Tally()).add(used)
    return whole, areas


def area_of(address: str) -> str:
    """The neighbourhood of an address by its postcode ("3511 Utrecht"), else its place; empty where it tells neither.

    >>> area_of("Museumplein 12, 3511 AB Utrecht")
    '3511 Utrecht'
    >>> area_of("Museumplein 12, Utrecht")
    'Utrecht'
    """
    if found := POSTCODE.search(address):
        return f"{found[1]} {found[2].strip(' ,')}".strip()
    _street, comma, place = address.rpartition(",")
    return place.strip() if comma and not any(letter.isdigit() for letter in place) else ""


def is_enough(figures: Figures, minimum: int) -> bool:
    return min(figures.sessions, figures.drivers) >= minimum


def shown(whole: Figures, areas: Sequence[Figures], minimum: int) -> tuple[bool, list[bool]]:
    """Whether the figures of the whole may be shown, and those of each area.

    The whole less the areas that are shown is what the others have together. Where one of these is too small, one that
    is large enough is kept back too, the smallest: then what is left is about enough people, and of at least two areas.
    """
    enough = [is_enough(area, minimum) for area in areas]
    if not is_enough(whole, minimum):
        return False, [False for _ in areas]
    if all(enough) or not any(enough):
        return len(areas) != 1 or enough[0], enough
    large = [number for number, is_large in enumerate(enough) if is_large]
    enough[min(large, key=lambda number: (areas[number].drivers, areas[number].sessions))] = False
    return True, enough
