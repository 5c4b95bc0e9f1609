"""Frames of OCPP-J: the JSON array around every message. Pure.

Source: OCPP-J 1.6, section 4; OCPP 2.0.1 part 4, section 4 (the same three message types); 2.1 adds two, of which none
is answered: CALLRESULTERROR (our answer could not be read) and SEND (a message of an event stream).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

CALL, RESULT, ERROR, RESULT_ERROR, SEND = 2, 3, 4, 5, 6
# OCPP 2.0.1 part 4, 4.2.3: the id to answer with where the id could not be read.
UNREADABLE_ID = "-1"
MAX_ID_LENGTH = 36


# Named tuples: as immutable as a frozen dataclass and made in a third of the time, once for every frame.


class Call(NamedTuple):
    message_id: str
    action: str
    payload: dict[str, Any]


class CallResult(NamedTuple):
    message_id: str
    payload: dict[str, Any]


class CallError(NamedTuple):
    message_id: str
    code: str
    description: str
    details: dict[str, Any]


class CallResultError(NamedTuple):
    """2.1: the station could not take our CALLRESULT at its word."""

    message_id: str
    code: str
    description: str


class Send(NamedTuple):
    """2.1: a CALL that wants no answer."""

    message_id: str
    action: str
    payload: dict[str, Any]


Frame = Call | CallResult | CallError | CallResultError | Send


class CallFailed(Exception):
    """A CALL that is answered with a CALLERROR. `code` is OCPP 2.0.1's name for it; see `spelled`."""

    def __init__(self, code: str, description: str = "", details: dict[str, Any] | None = None) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code
        # OCPP-J 1.6, 4.2.3: errorDescription is at most 255 characters.
        self.description = description[:255]
        self.details = details or {}


class BrokenFrame(CallFailed):
    """A text that is not a frame. `answerable`: the standard asks for a CALLERROR; else it is only noted."""

    def __init__(
        self, code: str, description: str, *, message_id: str = UNREADABLE_ID, answerable: bool = True
    ) -> None:
        super().__init__(code, description)
        self.message_id = message_id
        self.answerable = answerable


# OCPP-J 1.6, table 7: codes that 1.6 spells otherwise or does not know.
SPELLED_IN_16 = {
    "FormatViolation": "FormationViolation",
    "OccurrenceConstraintViolation": "OccurenceConstraintViolation",
    "RpcFrameworkError": "ProtocolError",
    "MessageTypeNotSupported": "ProtocolError",
}


def spelled(code: str, version: str) -> str:
    """The error code `code` (2.0.1's name) as `version` spells it."""
    return SPELLED_IN_16.get(code, code) if version == "1.6" else code


def parse(text: str | bytes) -> Frame:
    """The frame in `text`. Raises BrokenFrame, which names what is wrong and carries the id where it was readable.

    The two types of 2.1 are read whatever the version: who takes frames in knows it (`only_of_21`).
    """
    try:
        frame = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BrokenFrame("RpcFrameworkError", f"not JSON: {error}") from None
    match frame:
        case [2, str() as message_id, str() as action, dict() as payload] if (
            0 < len(message_id) <= MAX_ID_LENGTH
        ):
            return Call(message_id, action, payload)
        case [3, str() as message_id, dict() as payload] if len(message_id) <= MAX_ID_LENGTH:
            return CallResult(message_id, payload)
        case [4, str() as message_id, str() as code, *rest] if len(message_id) <= MAX_ID_LENGTH:
            description = rest[0] if rest and isinstance(rest[0], str) else ""
            details = rest[1] if len(rest) > 1 and isinstance(rest[1], dict) else {}
            return CallError(message_id, code, description, details)
        case [5, str() as message_id, str() as code, *rest] if len(message_id) <= MAX_ID_LENGTH:
            return CallResultError(message_id, code, rest[0] if rest and isinstance(rest[0], str) else "")
        case [6, str() as message_id, str() as action, dict() as payload] if (
            0 < len(message_id) <= MAX_ID_LENGTH
        ):
            return Send(message_id, action, payload)
    raise _broken(frame)


def only_of_21(frame: CallResultError | Send) -> BrokenFrame:
    """What a frame of these types is to any other version: of no type that it knows."""
    kind = RESULT_ERROR if isinstance(frame, CallResultError) else SEND
    return _broken([kind, frame.message_id])


def _broken(frame: Any) -> BrokenFrame:
    if not isinstance(frame, list) or not frame:
        return BrokenFrame("RpcFrameworkError", "a frame is an array that starts with a message type number")
    kind = frame[0]
    message_id = frame[1] if len(frame) > 1 and isinstance(frame[1], str) else UNREADABLE_ID
    if kind != CALL:
        # Never an error upon an answer: the other side would not know what to do with it. An unknown type is
        # to be ignored in 1.6 (OCPP-J 1.6, 4.1.3); 2.0.1 has a code for it (part 4, 4.3).
        known = kind in (RESULT, ERROR)
        return BrokenFrame(
            "FormatViolation" if known else "MessageTypeNotSupported",
            f"message type {kind!r:.20}",
            message_id=message_id[:MAX_ID_LENGTH],
            answerable=False,
        )
    if not 0 < len(message_id) <= MAX_ID_LENGTH:
        return BrokenFrame("RpcFrameworkError", "a message id is 1 to 36 characters")
    return BrokenFrame("FormatViolation", "a CALL is [2, id, action, payload object]", message_id=message_id)


# Compact, without a space after a colon: some clients match text.


def call_text(message_id: str, action: str, payload: dict[str, Any]) -> str:
    return orjson.dumps([CALL, message_id, action, payload]).decode()


def result_text(message_id: str, payload: dict[str, Any]) -> str:
    return orjson.dumps([RESULT, message_id, payload]).decode()


def error_text(message_id: str, error: CallFailed, version: str) -> str:
    return orjson.dumps(
        [ERROR, message_id, spelled(error.code, version), error.description, error.details]
    ).decode()
