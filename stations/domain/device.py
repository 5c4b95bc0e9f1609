"""What a value of a configuration may be, and how two of them compare. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from stations.domain.capabilities import listed

BOOLEANS = ("true", "false")
# 1.6 says no types. These are whole numbers by its chapter 9 and by the smart charging part.
INTEGER_KEYS = frozenset(
    {
        "blinkrepeat", "clockaligneddatainterval", "connectiontimeout", "heartbeatinterval", "lightintensity",
        "maxenergyoninvalidid", "metervaluesampleinterval", "minimumstatusduration", "resetretries",
        "transactionmessageattempts", "transactionmessageretryinterval", "websocketpinginterval",
    }
)  # fmt: skip
# 1.6, CiString500Type of ChangeConfiguration.value; 2.0.1, SetVariableDataType.attributeValue; the schemas have it.
LONGEST_16, LONGEST_201, LONGEST_21 = 500, 1000, 2500


class Kind(StrEnum):
    TEXT = "string"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    MOMENT = "dateTime"
    OPTION = "OptionList"  # one of a list
    SEQUENCE = "SequenceList"  # some of a list, in order
    MEMBERS = "MemberList"  # some of a list


class Problem(StrEnum):
    """Why a value cannot be set, before the station is asked."""

    NOT_INTEGER = "not_integer"
    NOT_DECIMAL = "not_decimal"
    NOT_BOOLEAN = "not_boolean"
    NOT_MOMENT = "not_moment"
    NOT_LISTED = "not_listed"
    TOO_LOW = "too_low"
    TOO_HIGH = "too_high"
    TOO_LONG = "too_long"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is known of the values that a variable takes."""

    kind: Kind = Kind.TEXT
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    longest: int = LONGEST_16


def bounds_of(
    *,
    version: str,
    name: str,
    value: str,
    data_type: str,
    minimum: float | None,
    maximum: float | None,
    choices: str,
) -> Bounds:
    """From what a station said of a variable; of a key of 1.6 from its name and its value."""
    if version == "1.6":
        return Bounds(_kind_of_key(name, value), 0 if name.lower() in INTEGER_KEYS else None)
    known = {kind.value: kind for kind in Kind}
    longest = LONGEST_21 if version == "2.1" else LONGEST_201
    return Bounds(known.get(data_type, Kind.TEXT), minimum, maximum, listed(choices), longest)


def _kind_of_key(name: str, value: str) -> Kind:
    if name.lower() in INTEGER_KEYS:
        return Kind.INTEGER
    return Kind.BOOLEAN if value.strip().lower() in BOOLEANS else Kind.TEXT


def problem_of(text: str, bounds: Bounds) -> Problem | None:
    """Why `text` is not a value within `bounds`; None where it is."""
    if len(text) > bounds.longest:
        return Problem.TOO_LONG
    match bounds.kind:
        case Kind.INTEGER | Kind.DECIMAL:
            return _problem_of_number(text, bounds)
        case Kind.BOOLEAN:
            return None if text.lower() in BOOLEANS else Problem.NOT_BOOLEAN
        case Kind.MOMENT:
            return None if _is_moment(text) else Problem.NOT_MOMENT
        case Kind.OPTION | Kind.SEQUENCE | Kind.MEMBERS if bounds.choices:
            chosen = (text,) if bounds.kind == Kind.OPTION else listed(text)
            return None if set(chosen) <= set(bounds.choices) else Problem.NOT_LISTED
        case _:
            # Of a text, the limits are those of its length (2.0.1, VariableCharacteristicsType).
            return Problem.TOO_LONG if bounds.maximum is not None and len(text) > bounds.maximum else None


def _problem_of_number(text: str, bounds: Bounds) -> Problem | None:
    whole = bounds.kind == Kind.INTEGER
    try:
        number = int(text) if whole else float(text)
    except ValueError:
        return Problem.NOT_INTEGER if whole else Problem.NOT_DECIMAL
    if bounds.minimum is not None and number < bounds.minimum:
        return Problem.TOO_LOW
    if bounds.maximum is not None and not number <= bounds.maximum:  # nan is beyond every bound
        return Problem.TOO_HIGH
    return None


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


class Difference(StrEnum):
    """How a station stands to one value of a template."""

    SAME = "same"
    DIFFERS = "differs"
    HIDDEN = "hidden"  # a secret, or write-only: nobody can tell
    READ_ONLY = "read_only"
    MISSING = "missing"


def difference(
    wanted: str, *, is_secret: bool, has: str | None, is_readable: bool, is_writable: bool | None
) -> Difference:
    """`has` is None where the station showed no such value. Read-only, but as wanted: the same."""
    if has is None:
        return Difference.MISSING
    if is_secret or not is_readable:
        return Difference.HIDDEN if is_writable is not False else Difference.READ_ONLY
    if is_same(wanted, has):
        return Difference.SAME
    return Difference.READ_ONLY if is_writable is False else Difference.DIFFERS


def is_same(one: str, other: str) -> bool:
    """Whether two texts mean the same value: `True` and `true`, `10` and `10.0`, `a, b` and `a,b`."""
    if one.strip() == other.strip():
        return True
    if one.strip().lower() in BOOLEANS:
        return one.strip().lower() == other.strip().lower()
    try:
        return float(one) == float(other)
    except ValueError:
        return "," in one and listed(one) == listed(other)
