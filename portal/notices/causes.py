"""Something that happened and that concerns people: found in rows (`finding`), told to them (`telling`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from portal.notices.kinds import Kind


@dataclass(frozen=True, slots=True)
class Cause:
    """`key` names it for good: the same cause is told once. `data` is what its words are made of.

    `state` and `subject` are how it is remembered while it lasts (models.Told); `path` is where the API has it.
    """

    kind: Kind
    key: str
    at: datetime
    state: str
    subject: int
    operator: int | None = None
    municipality: int | None = None
    station: int | None = None
    session: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    path: str = ""
    is_news: bool = True  # False: remembered, so that it is not looked at again, and told to nobody
