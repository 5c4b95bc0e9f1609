"""The smallest payload that a schema of OCPP accepts."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import orjson

from stations.ocpp.validation import PACKAGES

MOMENT = "2026-07-01T12:00:00Z"


def smallest_request(version: str, action: str) -> dict[str, Any]:
    """All that is required in a request, and nothing else."""
    return _smallest_of(version, action if version == "1.6" else f"{action}Request")


def smallest_answer(version: str, action: str) -> dict[str, Any]:
    return _smallest_of(version, f"{action}Response")


def _smallest_of(version: str, name: str) -> dict[str, Any]:
    schema = _schema(version, name)
    value: dict[str, Any] = _smallest(schema, schema)
    return value


@cache
def _schema(version: str, name: str) -> dict[str, Any]:
    raw = files(PACKAGES[version]).joinpath("schemas", f"{name}.json").read_bytes()
    schema: dict[str, Any] = orjson.loads(raw)
    return schema


def _smallest(of: dict[str, Any], schema: dict[str, Any]) -> Any:
    if "$ref" in of:
        return _smallest(schema["definitions"][of["$ref"].rpartition("/")[2]], schema)
    if "enum" in of:
        return of["enum"][0]
    kind = of.get("type")
    if kind == "object" or "properties" in of:
        return {name: _smallest(of["properties"][name], schema) for name in of.get("required", ())}
    if kind == "array":
        return [_smallest(of["items"], schema) for _ in range(of.get("minItems", 0))]
    if kind in ("integer", "number"):
        return int(of.get("minimum", 1))
    if kind == "boolean":
        return False
    return MOMENT if of.get("format") == "date-time" else "https://a.example"[: of.get("maxLength", 20)]
