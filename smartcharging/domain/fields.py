"""Reading JSON from outside, where every error names the field it is about. Pure.

A Field is a JSON value with its path: `Field(document).field("profiles").items()[0].field("stackLevel").integer()`
gives the number, or `MalformedProfile("profiles[0].stackLevel: missing")`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


class MalformedProfile(ValueError):
    """A profile, vector or composite is not what the standard or the format says. `field` is the path to it."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}" if field else problem)
        self.field = field
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Field:
    """A value from JSON, and the way to it from the top."""

    value: Any
    path: str = ""

    def malformed(self, problem: str) -> MalformedProfile:
        return MalformedProfile(self.path, problem)

    def field(self, name: str) -> Field:
        """The member `name`, which must be there; null counts as absent."""
        member = self.optional(name)
        if member is None:
            raise MalformedProfile(self._below(name), "missing")
        return member

    def optional(self, name: str) -> Field | None:
        """The member `name`, or None where it is absent or null."""
        if not isinstance(self.value, dict):
            raise self.malformed("must be an object")
        value = self.value.get(name)
        return None if value is None else Field(value, self._below(name))

    def items(self) -> list[Field]:
        if not isinstance(self.value, list):
            raise self.malformed("must be a list")
        return [Field(value, f"{self.path}[{index}]") for index, value in enumerate(self.value)]

    def text(self) -> str:
        if not isinstance(self.value, str):
            raise self.malformed("must be text")
        return self.value

    def boolean(self) -> bool:
        if not isinstance(self.value, bool):
            raise self.malformed("must be true or false")
        return self.value

    def integer(self, *, least: int | None = None, most: int | None = None) -> int:
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            raise self.malformed("must be a whole number")
        self._check_range(self.value, least, most)
        return self.value

    def number(self, *, least: float | None = None, most: float | None = None) -> float:
        """A finite number. Text such as "16.0" is not one: no version of OCPP allows it."""
        if not isinstance(self.value, int | float) or isinstance(self.value, bool):
            raise self.malformed("must be a number")
        if isinstance(self.value, float) and not math.isfinite(self.value):
            raise self.malformed("must be a finite number")
        self._check_range(self.value, least, most)
        try:
            return float(self.value)
        except OverflowError:  # a whole number of hundreds of digits
            raise self.malformed("must be a finite number") from None

    def one_of(self, *allowed: str) -> str:
        """A text from a list, as an enumeration of the standard."""
        if self.value not in allowed:
            raise self.malformed(f"must be one of {', '.join(allowed)}")
        return str(self.value)

    def moment(self, *, naive_is_utc: bool = False) -> datetime:
        """An RFC 3339 time with an offset, as aware UTC. `naive_is_utc`: one without an offset is in UTC."""
        moment = self._time()
        if moment.tzinfo is None:
            if not naive_is_utc:
                raise self.malformed("must be a time with an offset, such as Z or +01:00")
            moment = moment.replace(tzinfo=UTC)
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            raise self.malformed("must be a time before the year 10000") from None

    def clock(self) -> datetime:
        """What a time shows, with or without an offset, labelled UTC whatever that offset is."""
        return self._time().replace(tzinfo=UTC)

    def _time(self) -> datetime:
        try:
            moment = datetime.fromisoformat(self.text())
        except ValueError:
            raise self.malformed("must be a time such as 2026-03-02T10:00:00Z") from None
        if moment.year < 1970:
            raise self.malformed("must be a time after 1970")
        return moment

    def _below(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def _check_range(self, value: float, least: float | None, most: float | None) -> None:
        if least is not None and value < least:
            raise self.malformed(f"must be at least {least:g}")
        if most is not None and value > most:
            raise self.malformed(f"must be at most {most:g}")
