"""Waiting for what another process does: by looking, never by sleeping a fixed time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(look: Callable[[], T], *, within_s: float = 60) -> T:
    """What `look` gives, once it is true. Raises AssertionError with what it gave last."""
    deadline = time.monotonic() + within_s
    while True:
        seen = look()
        if seen:
            return seen
        assert time.monotonic() < deadline, f"not within {within_s} s: {seen!r}"
        time.sleep(0.02)
