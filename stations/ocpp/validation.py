"""Payloads against the schemas of the `ocpp` package, compiled once by jsonschema-rs. Pure.

Draft 4 is forced for all: the automatic choice of a draft changes verdicts on 2.x schemas.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema_rs
import orjson

PACKAGES = {"1.6": "ocpp.v16", "2.0.1": "ocpp.v201", "2.1": "ocpp.v21"}
VERSIONS = tuple(PACKAGES)

# What a schema can find wrong, as an error code (OCPP 2.0.1 part 4, 4.3); all else is PropertyConstraintViolation.
CODES = {
    "required": "OccurrenceConstraintViolation",
    "minItems": "OccurrenceConstraintViolation",
    "maxItems": "OccurrenceConstraintViolation",
    "type": "TypeConstraintViolation",
    "additionalProperties": "FormatViolation",
}


class SchemaViolation(ValueError):
    """A payload that its schema refuses. `field` is the path of what is wrong, "" for the payload itself."""

    def __init__(self, field: str, problem: str, code: str) -> None:
        super().__init__(f"{field}: {problem}" if field else problem)
        self.field = field
        self.problem = problem
        self.code = code


class UnknownAction(LookupError):
    """The version has no such action."""


@cache
def request_validator(version: str, action: str) -> jsonschema_rs.Draft4Validator:
    """Raises UnknownAction."""
    return _compile(version, action if version == "1.6" else f"{action}Request")


@cache
def response_validator(version: str, action: str) -> jsonschema_rs.Draft4Validator:
    """Raises UnknownAction."""
    return _compile(version, f"{action}Response")


@cache
def sent_validator(version: str, action: str) -> jsonschema_rs.Draft4Validator:
    """Of a message that has no answer (2.1: SEND). Raises UnknownAction."""
    if action not in sent(version):
        raise UnknownAction(f"OCPP {version} sends no {action[:50]!r} without an answer")
    return _read(version, action)


@cache
def sent(version: str) -> frozenset[str]:
    """The messages of the version that have no answer: those whose schema is neither a request's nor a response's."""
    if version == "1.6":
        return frozenset()
    names = (entry.name for entry in files(PACKAGES[version]).joinpath("schemas").iterdir())
    return frozenset(
        name.removesuffix(".json") for name in names if not name.endswith(("Request.json", "Response.json"))
    )


@cache
def actions(version: str) -> frozenset[str]:
    """All actions of the version, in both directions."""
    names = (entry.name for entry in files(PACKAGES[version]).joinpath("schemas").iterdir())
    return frozenset(name.removesuffix("Response.json") for name in names if name.endswith("Response.json"))


def check_request(version: str, action: str, payload: dict[str, Any]) -> None:
    """Raises UnknownAction, or SchemaViolation with the first thing that is wrong."""
    _check(request_validator(version, action), payload)


def check_response(version: str, action: str, payload: dict[str, Any]) -> None:
    """Raises UnknownAction, or SchemaViolation with the first thing that is wrong."""
    _check(response_validator(version, action), payload)


def check_sent(version: str, action: str, payload: dict[str, Any]) -> None:
    """Raises UnknownAction, or SchemaViolation with the first thing that is wrong."""
    _check(sent_validator(version, action), payload)


def _compile(version: str, name: str) -> jsonschema_rs.Draft4Validator:
    # A name comes from a station: only a name that is in the package's list becomes part of a path.
    action = name.removesuffix("Request").removesuffix("Response")
    if action not in actions(version):
        raise UnknownAction(f"OCPP {version} has no action {action[:50]!r}")
    return _read(version, name)


def _read(version: str, name: str) -> jsonschema_rs.Draft4Validator:
    schema = orjson.loads(files(PACKAGES[version]).joinpath("schemas", f"{name}.json").read_bytes())
    return jsonschema_rs.Draft4Validator(schema, validate_formats=False)


def _check(validator: jsonschema_rs.Draft4Validator, payload: dict[str, Any]) -> None:
    if validator.is_valid(payload):
        return
    for error in validator.iter_errors(payload):
        field = ".".join(str(part) for part in error.instance_path)
        kind = error.kind.name
        raise SchemaViolation(field, error.message[:200], CODES.get(kind, "PropertyConstraintViolation"))
