"""What a check hands back: a verdict with figures, and the code of the sentence that says it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Verdict = Literal["proven", "deviation", "undecided", "substantiated"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number or text with its rule. `key` is for programs, `name` (English, translated on pages) for people."""

    key: str
    name: str
    value: float | str
    unit: str
    rule: str
    holds: bool | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class JudgedStep:
    """One step beside what was to be expected of it; `expected` periods are [start_s, limit, phases]."""

    holds: bool | None
    expected: tuple[tuple[float, float | None, int | None], ...] = ()

    def beside(self, step: Mapping[str, Any], *, code: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """The step as evidence keeps it, with its words for people and what was said of it."""
        expected = [list(period) for period in self.expected]
        words = {"name": step["kind"], "code": code, "values": values}
        return {**step, **words, "holds": self.holds, "expected": expected}


@dataclass(frozen=True, slots=True)
class Finding:
    """The judgement of one check. `steps` stand beside the steps that were judged, one for one."""

    verdict: Verdict
    code: str
    values: Mapping[str, Any] = field(default_factory=dict)
    figures: tuple[Figure, ...] = ()
    steps: tuple[JudgedStep, ...] = ()
