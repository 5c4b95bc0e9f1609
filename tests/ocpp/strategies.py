"""Hypothesis strategies of OCPP: payloads from the schemas of the `ocpp` package, and what can be wrong with frames."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from stations.ocpp import directions, validation

Schema = dict[str, Any]
MAX_TEXT, MAX_ITEMS = 40, 3
INT_32 = 2**31

# Texts as vendors write them: of any script, with what breaks a line, a log or a database.
texts = st.text(max_size=MAX_TEXT) | st.sampled_from(
    ["\x00", "a\x00b", "ß", "漢字", "\U0001f50c", "'; --", "\x1b[2J", ""]
)
ids = st.text(min_size=1, max_size=36)
times = st.datetimes().map(lambda at: f"{at.isoformat()}Z") | st.sampled_from(
    [
        "2026-07-01T12:00:00Z", "2026-07-01T14:00:00+02:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z",
        "yesterday",
    ]
)  # fmt: skip
# What stands where something else was meant.
odd: SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
    st.builds(list),  # made anew each time: what is spoiled is changed in place
    st.builds(dict),
    st.builds(lambda: [[[]]]),
    st.builds(lambda: {"": None}),
    st.just("x" * 5000),
)


@dataclass(frozen=True, slots=True)
class Said:
    """A frame on the line, and what is known of it. `action` is "" where the text may be no CALL at all."""

    frame: str | bytes
    action: str = ""
    message_id: str = ""
    is_valid: bool = False


# ---------------------------------------------------------------- payloads


@cache
def payloads(version: str, action: str) -> SearchStrategy[dict[str, Any]]:
    """Payloads of a request that its schema accepts."""
    names = {f"{action}.json", f"{action}Request.json"}
    folder = files(validation.PACKAGES[version]).joinpath("schemas")
    schema = next(json.loads(entry.read_bytes()) for entry in folder.iterdir() if entry.name in names)
    strategy: SearchStrategy[dict[str, Any]] = _value(schema, schema.get("definitions", {}))
    return strategy


def _value(schema: Schema, definitions: dict[str, Schema]) -> SearchStrategy[Any]:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return st.deferred(lambda: _definition(definitions, name))
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    made = _MADE.get(schema.get("type", ""))
    return made(schema, definitions) if made else odd  # DataTransfer's data is anything


def _array(schema: Schema, definitions: dict[str, Schema]) -> SearchStrategy[Any]:
    least = schema.get("minItems", 0)
    most = min(schema.get("maxItems", MAX_ITEMS), max(least, MAX_ITEMS))
    return st.lists(_value(schema["items"], definitions), min_size=least, max_size=most)


def _string(schema: Schema, _: dict[str, Schema]) -> SearchStrategy[str]:
    if schema.get("format") == "date-time":
        return times
    return texts.map(lambda text: text[: schema.get("maxLength", MAX_TEXT)])


def _object(schema: Schema, definitions: dict[str, Schema]) -> SearchStrategy[Any]:
    required = set(schema.get("required", ()))
    parts = {name: _value(part, definitions) for name, part in schema.get("properties", {}).items()}
    return st.fixed_dictionaries(
        {name: part for name, part in parts.items() if name in required},
        optional={name: part for name, part in parts.items() if name not in required},
    )


def _definition(definitions: dict[str, Schema], name: str) -> SearchStrategy[Any]:
    return _value(definitions[name], definitions)


def _whole(schema: Schema, _: dict[str, Schema]) -> SearchStrategy[int]:
    least = int(schema.get("minimum", -INT_32))
    most = int(schema.get("maximum", INT_32 - 1))
    small = st.integers(max(least, 0), max(min(most, 10), least, 0))
    return small | small | st.integers(least, most)


def _number(schema: Schema, definitions: dict[str, Schema]) -> SearchStrategy[float]:
    least, most = schema.get("minimum", -1), schema.get("maximum", 100)
    return _whole(schema, definitions) | st.sampled_from(
        [value for value in (0.1, 14.1, 32.5) if least <= value <= most] or [least]
    )


def _boolean(_: Schema, __: dict[str, Schema]) -> SearchStrategy[bool]:
    return st.booleans()


_MADE = {
    "object": _object,
    "array": _array,
    "string": _string,
    "integer": _whole,
    "number": _number,
    "boolean": _boolean,
}


# ---------------------------------------------------------------- frames


def _text(frame: Any, *, is_ascii: bool) -> str:
    return json.dumps(frame, ensure_ascii=is_ascii)


@st.composite
def calls(draw: st.DrawFn, version: str) -> Said:
    """A CALL as the standard has it."""
    action = draw(st.sampled_from(sorted(directions.from_station(version))))
    payload, message_id = draw(payloads(version, action)), draw(ids)
    text = _text([2, message_id, action, payload], is_ascii=draw(st.booleans()))
    return Said(text, action, message_id, is_valid=True)


@st.composite
def nearly_calls(draw: st.DrawFn, version: str) -> Said:
    """A CALL with some things wrong in it: a field gone, too many, of another type, doubled; another action."""
    action = draw(st.sampled_from(sorted(directions.from_station(version))))
    payload = draw(payloads(version, action))
    for _ in range(draw(st.integers(1, 3))):
        _spoil(draw, payload)
    action = draw(st.just(action) | st.sampled_from(sorted(validation.actions(version))) | texts)
    message_id = draw(ids)
    return Said(_text([2, message_id, action, payload], is_ascii=draw(st.booleans())), action, message_id)


def _spoil(draw: st.DrawFn, payload: dict[str, Any]) -> None:
    places = list(_places(payload))
    holder, key = draw(st.sampled_from(places)) if places else (payload, "odd")
    match draw(st.sampled_from(["away", "odd", "more", "doubled"])):
        case "away" if places:
            del holder[key]
        case "doubled" if places and isinstance(holder[key], list):
            holder[key] = holder[key] * 3
        case "more" if isinstance(holder, dict):
            holder[draw(texts)] = draw(odd)
        case _:
            holder[key] = draw(odd)


def _places(value: Any) -> Any:
    """(holder, key) of everything in `value`."""
    items = (
        list(value.items())
        if isinstance(value, dict)
        else list(enumerate(value))
        if isinstance(value, list)
        else []
    )
    for key, item in items:
        yield value, key
        yield from _places(item)


@st.composite
def odd_frames(draw: st.DrawFn, version: str) -> Said:
    """JSON, but no frame; or an answer to what nobody asked; or the types that only 2.1 has."""
    head = draw(st.sampled_from([2, 3, 4, 5, 6]) | odd)
    rest = draw(st.lists(odd | ids | st.sampled_from(sorted(validation.actions(version))), max_size=5))
    return Said(_text(draw(st.just([head, *rest]) | odd), is_ascii=draw(st.booleans())))


PIECES = [
    "\x00", "\\u0000", "\\ud800", "\\udc00\\ud800", "{", "}", "[", "]", '"', ",", ":", "\\", "1e400", "-", "9" * 400,
    "0.1e-400", "null", "NaN", "Infinity", "\ufeff", "\u2028", "//", '"a":1,"a":2,', "[" * 2000, '{"a":' * 500,
    " " * 5000,
]  # fmt: skip


@st.composite
def broken_texts(draw: st.DrawFn, version: str) -> Said:
    """A frame that was cut, or that something came into."""
    said = draw(calls(version) | nearly_calls(version) | odd_frames(version))
    text = str(said.frame)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.just(start) | st.integers(start, min(len(text), start + 20)) | st.just(len(text)))
        text = text[:start] + draw(st.sampled_from(PIECES) | texts | st.just("")) + text[end:]
    return Said(text)


@st.composite
def binaries(draw: st.DrawFn, version: str) -> Said:
    said = draw(calls(version))
    whole = str(said.frame).encode()
    at = draw(st.integers(0, len(whole)))
    return Said(
        draw(st.binary(max_size=200) | st.just(whole[:at] + draw(st.binary(max_size=4)) + whole[at:]))
    )


def frames(version: str) -> SearchStrategy[Said]:
    """Whatever a station may put on the line, as far as a websocket carries it."""
    return st.one_of(
        calls(version), calls(version), nearly_calls(version), nearly_calls(version), odd_frames(version),
        broken_texts(version), binaries(version),
    )  # fmt: skip
