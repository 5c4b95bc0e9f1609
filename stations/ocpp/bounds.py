"""What no schema of OCPP forbids and no line or column takes: numbers out of bounds, text that is no text. Pure."""

from __future__ import annotations

from typing import Any

import orjson

from stations.ocpp.rpc import CallFailed

# An integer of OCPP has 32 bits (2.0.1 part 2, 2.1.1). EVSEs and connectors are counted; no station has 32,767.
INTEGERS = range(-(2**31), 2**31)
OUTLETS = range(2**15)
OUTLET_FIELDS = frozenset({"connectorId", "evseId"})
# Numbers of transactions of another CSMS (a time in ms, say), and registers in Wh beyond 2.1 GWh: 1.6 has integers
# for both, and a StopTransaction that is refused comes again for ever (rule 6). They are kept as text and as float.
LONG_FIELDS = frozenset({"transactionId", "meterStart", "meterStop"})
MAX_FRACTION = 1e15
LONG = range(-(2**63), 2**63)
MAX_EVSE = 100
MAX_REGISTER_WH = 1e15


def impossible_number(value: Any, path: str = "") -> str:
    """Path of the first whole number that is out of bounds, which schemas do not give; empty: none."""
    if isinstance(value, int):
        return "" if value in _bounds(path) else path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found = impossible_number(item, f"{path}.{key}" if path else str(key))
        if found:
            return found
    return ""


def whole_number(value: int, *, field_name: str, at_most: int) -> int:
    """`value`, which must be 0 to `at_most`: schemas set no bounds, columns have them. Raises CallFailed."""
    if not 0 <= value <= at_most:
        raise CallFailed("PropertyConstraintViolation", f"{field_name}: must be 0 to {at_most}")
    return value


def register_wh(value: float, *, field_name: str) -> float:
    """A register's value in Wh, within reason. Raises CallFailed."""
    if not abs(value) <= MAX_REGISTER_WH:
        raise CallFailed("PropertyConstraintViolation", f"{field_name}: no register reaches {value:.3g} Wh")
    return float(value)


def holds_nul(value: Any) -> bool:
    """Whether a text in `value` holds a NUL, which PostgreSQL takes in no column."""
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(holds_nul(key) or holds_nul(item) for key, item in value.items())
    return isinstance(value, list) and any(holds_nul(item) for item in value)


def without_nul(value: Any) -> Any:
    """`value` with U+FFFD, which stands for what cannot be shown, for each NUL in its texts.

    Refused, the station would repeat the message for ever, and its transaction would be lost (rule 6).
    """
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd")
    if isinstance(value, dict):
        return {without_nul(key): without_nul(item) for key, item in value.items()}
    return [without_nul(item) for item in value] if isinstance(value, list) else value


def unsayable(payload: dict[str, Any]) -> tuple[str, str]:
    """(field, what is wrong) of a payload that cannot go over the line, however its schema likes it; ("", "")."""
    try:
        orjson.dumps(payload)
        if holds_nul(payload):
            return "", "a text holds a NUL character"
        field = impossible_number(payload) or _huge_fraction(payload)
    except (TypeError, ValueError, RecursionError) as error:  # half a character, 65 bits, nested too deep
        return "", f"cannot be written as JSON: {error}"[:200]
    return (field, "a number that is not possible here") if field else ("", "")


def _huge_fraction(value: Any, path: str = "") -> str:
    """Path of the first number that PostgreSQL would write out in full, as a whole number of 300 digits."""
    if isinstance(value, float):
        return "" if abs(value) < MAX_FRACTION else path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found = _huge_fraction(item, f"{path}.{key}" if path else str(key))
        if found:
            return found
    return ""


def _bounds(path: str) -> range:
    name = path.rpartition(".")[2]
    if name in OUTLET_FIELDS or path.endswith("evse.id"):
        return OUTLETS
    return LONG if name in LONG_FIELDS else INTEGERS
