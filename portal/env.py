"""Everything that the environment may set: one registry, typed, documented.

`docs/configuration.md` is generated from it (`manage.py docs_configuration`). Imports nothing of Django, so
that settings can be read before there is any.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off", ""})


class BadSetting(SystemExit):
    """A variable holds what its type cannot: the process ends with the one line that says so."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable: its name, group, default and what it does."""

    name: str
    group: str
    default: str
    kind: str
    text: str
    parse: Callable[[str], Any]


def _parse_bool(text: str) -> bool:
    folded = text.strip().lower()
    if folded in TRUE:
        return True
    if folded in FALSE:
        return False
    raise ValueError("yes or no")


def _parse_list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _parse_database(text: str) -> str:
    if not text.startswith(("postgres://", "postgresql://", "sqlite://")):
        raise ValueError("postgres://user:password@host:port/name, or sqlite:///path")
    return text


def _parse_redis(text: str) -> str:
    if text and not text.startswith(("redis://", "rediss://")):
        raise ValueError("redis://host:port/db, or nothing for one process")
    return text


PARSERS: Mapping[str, Callable[[str], Any]] = {
    "text": str,
    "secret": str,
    "database": _parse_database,
    "redis": _parse_redis,
    "number": int,
    "seconds": float,
    "yes/no": _parse_bool,
    "list": _parse_list,
}

# An empty text is none that these can do with: it is a value that got lost on its way here.
NEVER_EMPTY = frozenset({"secret", "database"})

REGISTRY: dict[str, Variable] = {}


def read(name: str, *, group: str, kind: str, default: str, text: str) -> Any:
    """Register the variable and return its value, parsed as `kind` (a key of PARSERS).

    Raises BadSetting, which names the variable and what was expected, never its value: it may be a secret.
    """
    REGISTRY[name] = Variable(name, group, default, kind, text, PARSERS[kind])
    given = os.environ.get(name)
    if given is not None and not given.strip() and (kind in NEVER_EMPTY or (kind == "text" and default)):
        raise BadSetting(
            f"{name}: it is set, but empty. Give it a value, or remove it. See docs/configuration.md."
        )
    try:
        return PARSERS[kind](default if given is None else given)
    except ValueError as error:
        raise BadSetting(f"{name}: expected {kind} ({error}). See docs/configuration.md.") from None
