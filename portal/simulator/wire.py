"""OCPP-J frames as a station writes and reads them, and the error code each kind of bad frame deserves."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import ocpp

Payload = dict[str, Any]
CALL, RESULT, ERROR = 2, 3, 4
_SCHEMAS = Path(ocpp.__file__).parent


class CallError(Exception):
    """A CALL that gets, or got, a CALLERROR. `code` as the OCPP version spells it."""

    def __init__(self, code: str, description: str = "") -> None:
        super().__init__(f"{code}: {description}" if description else code)
        self.code = code
        self.description = description


def _ignore(_payload: Payload) -> None:
    return None


@dataclass(slots=True)
class Message:
    """A CALL the station owes the CSMS. Built only when it is sent: in 1.6 the transactionId of a session that
    began offline is known only by then."""

    action: str
    build: Callable[[], Payload]
    answered: Callable[[Payload], None] = field(default=_ignore)


@dataclass(frozen=True, slots=True)
class Version:
    """What differs in framing between the OCPP versions."""

    name: str
    subprotocol: str
    schemas: str
    request_suffix: str
    format_code: str
    occurrence_code: str

    def knows(self, action: str) -> bool:
        return (
            action.isalpha() and (_SCHEMAS / self.schemas / f"{action}{self.request_suffix}.json").is_file()
        )

    def check_request(self, action: str, payload: object) -> Payload:
        """The payload, if it fits the schema of `action`; else CallError with the code of the first thing wrong."""
        error = next(
            iter(_validator(self.schemas, f"{action}{self.request_suffix}").iter_errors(payload)), None
        )
        if error is None and isinstance(payload, dict):
            return payload
        kind = type(error.kind).__name__ if error else ""
        where = "/".join(str(step) for step in error.instance_path) if error else ""
        raise CallError(self._code(kind), f"{where}: {error.message}"[:255] if error else "not an object")

    def _code(self, kind: str) -> str:
        if kind in {"Required", "MinItems", "MaxItems"}:
            return self.occurrence_code
        if kind.endswith("Type"):
            return "TypeConstraintViolation"
        return self.format_code if kind == "AdditionalProperties" else "PropertyConstraintViolation"


# 1.6 spells two of the codes its own way (OCPP-J 1.6, 4.2.3).
V16 = Version("1.6", "ocpp1.6", "v16/schemas", "", "FormationViolation", "OccurenceConstraintViolation")
V201 = Version(
    "2.0.1", "ocpp2.0.1", "v201/schemas", "Request", "FormatViolation", "OccurrenceConstraintViolation"
)
V21 = Version("2.1", "ocpp2.1", "v21/schemas", "Request", "FormatViolation", "OccurrenceConstraintViolation")


@cache
def _validator(folder: str, name: str) -> jsonschema_rs.Draft4Validator:
    schema = json.loads((_SCHEMAS / folder / f"{name}.json").read_text(encoding="utf-8-sig"))
    return jsonschema_rs.Draft4Validator(schema, validate_formats=False)


def encode(frame: list[Any]) -> str:
    return json.dumps(frame, separators=(",", ":"))


def instant(text: str, *, version: Version) -> datetime:
    """An RFC 3339 time as aware UTC, floored to whole seconds; CallError where it is none."""
    try:
        at = datetime.fromisoformat(text)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return at.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        raise CallError(version.format_code, f"not a time: {text[:40]}") from None


def stamp(at: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, as stations write it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
