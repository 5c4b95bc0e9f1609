"""Something to say to people: a code with its values, put into the reader's language where it is shown. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Saying:
    """`values` can be stored as JSON: numbers, texts (times as ISO 8601), or `as_json` of another saying."""

    code: str = ""
    values: Mapping[str, object] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.code)

    def as_json(self) -> dict[str, object]:
        return {"code": self.code, "values": dict(self.values)}


# A station's own words are a text: they are shown as they came.
Words = str | Saying


def words_json(words: Words) -> object:
    """As it is stored in the values of another saying."""
    return words.as_json() if isinstance(words, Saying) else words
