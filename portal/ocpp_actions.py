"""docs/ocpp-actions.md: what is done with every action of every version, read from the code itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from importlib.resources import files
from inspect import getdoc
from pathlib import Path
from typing import Any, NamedTuple

from portal.call_graph import CallGraph
from stations.events import Kind
from stations.handlers import handler_of
from stations.ocpp import directions, noted, v2, v16, validation
from stations.ocpp import messages as m

PAGE_TOP = """\
# Every action of OCPP, and what is done with it

This page is generated from the schemas of the `ocpp` package and from the code (`make docs`).

A station's message is answered **with meaning** where it changes what the product knows or does, and **neutrally**
where the answer promises nothing. Either way it is in the frame log; the last column names the event of the station
that it becomes. `tests/ocpp/test_socket_every_action.py` says each of them through a socket.
"""
TO_TOP = """\

## To a station
Every one can be given by the API (`POST /api/v1/stations/{id}/commands/`) and, as JSON, on the station's page of
commands; its payload is checked against the schema of the station's version. The columns say where a page has more
than that, and where the product asks it by itself.
"""
PACKAGES = ("stations", "smartcharging", "v2x", "portal")
BY_ITSELF = (
    "stations.tasks", "stations.receivers", "stations.handlers", "stations.gateway", "smartcharging.tasks",
    "smartcharging.receivers", "portal.compliance.",
)  # fmt: skip
# They name what they listen for.
ONLY_LISTEN = ("stations.receivers", "smartcharging.receivers")
REQUESTS = ("stations.commands:request", "stations.commands:request_all")


class Heard(NamedTuple):
    """One row: an action of stations, and what a function does with it."""

    versions: tuple[str, ...]
    handler: str
    is_neutral: bool
    does: str
    events: tuple[str, ...]


def pages(root: Path) -> dict[Path, str]:
    """The generated file, by path, for the code of the checkout at `root`."""
    graph = CallGraph(root, PACKAGES)
    heard = {action: _heard(action, graph) for action in sorted(_from_stations())}
    lines = [PAGE_TOP, *_counts(heard), "", *_from_rows(heard), TO_TOP, *_to_rows(graph)]
    return {root / "docs" / "ocpp-actions.md": "\n".join(lines) + "\n"}


def _from_stations() -> set[str]:
    return {action for version in validation.VERSIONS for action in _heard_in(version)}


def _heard_in(version: str) -> frozenset[str]:
    decoded = v16.FROM_STATIONS if version == "1.6" else v2.FROM_STATIONS[version]
    return frozenset(str(getattr(action, "value", action)) for action in decoded) | {
        "MeterValues", *(noted.SENT if version == "2.1" else ())
    }  # fmt: skip


# ---------------------------------------------------------------- from a station


def _heard(action: str, graph: CallGraph) -> Heard:
    versions = tuple(version for version in validation.VERSIONS if action in _heard_in(version))
    if action == "MeterValues":
        does = (
            "Readings, which keep the message; several in one write, and never before the answer (rule 10)."
        )
        return Heard(versions, "stations.gateway", is_neutral=False, does=does, events=())
    message = _decoded(action, versions[-1])
    handler = handler_of(message)
    name = f"{handler.__module__}:{handler.__name__}"
    is_neutral = isinstance(message, m.Noted | m.Neutral | m.DataTransfer)
    events = (message.kind,) if isinstance(message, m.Noted) else tuple(_kinds(graph, name))
    return Heard(versions, name.replace(":", "."), is_neutral, _sentence(message, handler), events)


def _decoded(action: str, version: str) -> m.Message:
    payload = least_payload(version, action)
    if action in noted.SENT:
        return noted.SENT[action](payload)
    return v16.decode(action, payload) if version == "1.6" else v2.decode(action, payload, version)


def _sentence(message: m.Message, handler: Any) -> str:
    """The handler's own words, or those of the message."""
    said = noted.TOPICS[message.action].fields if isinstance(message, m.Noted) else handler
    text = getdoc(said) or getdoc(type(message)) or ""
    return " ".join(text.split("\n\n")[0].split())


def _kinds(graph: CallGraph, name: str) -> Iterator[str]:
    """The events that a handler records, in its own module and those of its app that it calls."""
    nodes = [
        node for node in graph.reached_from(name) if node.startswith("stations.") and node not in REQUESTS
    ]
    found = {used for node in nodes for used in graph.attributes_of(node, "Kind")}
    return iter(sorted(str(Kind[each].value) for each in found if each in Kind.__members__))


def least_payload(version: str, action: str) -> dict[str, Any]:
    """The smallest request that the schema accepts."""
    names = {f"{action}.json", f"{action}Request.json"}
    folder = files(validation.PACKAGES[version]).joinpath("schemas")
    schema = next(json.loads(entry.read_bytes()) for entry in folder.iterdir() if entry.name in names)
    least: dict[str, Any] = _least(schema, schema.get("definitions", {}))
    return least


def _least(schema: dict[str, Any], definitions: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return _least(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            parts = schema.get("properties", {})
            return {name: _least(parts[name], definitions) for name in schema.get("required", ())}
        case "array":
            return [_least(schema["items"], definitions)] * schema.get("minItems", 0)
        case "string":
            return "2026-07-01T12:00:00Z" if schema.get("format") == "date-time" else "x"
        case "boolean":
            return False
    return max(schema.get("minimum", 0), 0)


def _counts(heard: dict[str, Heard]) -> list[str]:
    lines = [
        "| version | from a station, with meaning | from a station, neutral | to a station |",
        "|---|---|---|---|",
    ]
    for version in validation.VERSIONS:
        rows = [row for row in heard.values() if version in row.versions]
        neutral = sum(row.is_neutral for row in rows)
        lines.append(
            f"| {version} | {len(rows) - neutral} | {neutral} | {len(directions.TO_STATION[version])} |"
        )
    return lines


def _from_rows(heard: dict[str, Heard]) -> list[str]:
    lines = [
        "## From a station",
        "",
        "| action | versions | answer | what is done | by | event |",
        "|---|---|---|---|---|---|",
    ]
    for action, row in heard.items():
        answer = "none (SEND)" if action in noted.SENT else "neutral" if row.is_neutral else "with meaning"
        events = _code(row.events) or "–"
        versions = ", ".join(row.versions)
        lines.append(f"| {action} | {versions} | {answer} | {row.does} | `{row.handler}` | {events} |")
    return lines


# ---------------------------------------------------------------- to a station


def _to_rows(graph: CallGraph) -> list[str]:
    lines = ["| action | versions | page | asked by the product itself |", "|---|---|---|---|"]
    for action in sorted(set().union(*directions.TO_STATION.values())):
        versions = [version for version in validation.VERSIONS if action in directions.TO_STATION[version]]
        askers = {user for request in REQUESTS for user in graph.users_of(action, request)}
        above = {node.partition(":")[0] for asker in askers for node in graph.leading_to(asker)}
        on_pages = sorted({page for name in above if (page := _page(name))})
        modules = {
            asker.partition(":")[0]
            for asker in askers
            if any(node.startswith(BY_ITSELF) for node in graph.leading_to(asker))
            and not asker.startswith(ONLY_LISTEN)
        }
        cells = (action, ", ".join(versions), _code(on_pages) or "–", _code(sorted(modules)) or "–")
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _page(module: str) -> str:
    """The page that a module is of: `commands` for portal.pages.commands_forms_control; empty: of none."""
    if module == "stations.admin":
        return "admin"
    name = module.removeprefix("portal.pages.")
    return "" if name in (module, "urls") else name.partition("_forms")[0]


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
