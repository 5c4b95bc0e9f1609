"""The API as a page of our own: every operation, read from the description that programs get too.

Swagger UI draws the same, but with contrast, nesting and headings that a public body may not publish.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """Something to send: a part of the path, a query or the body."""

    name: str
    place: str
    kind: str
    is_required: bool
    text: str


@dataclass(frozen=True, slots=True)
class Operation:
    group: str
    name: str
    method: str
    path: str
    text: str
    fields: tuple[Field, ...]
    statuses: tuple[str, ...]


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    schema: Schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    groups = [(name, tuple(found)) for name, found in groupby(_operations(schema), key=lambda one: one.group)]
    return render(request, "api/docs.html", {"groups": groups, "address": settings.PUBLIC_URL})


def _operations(schema: Schema) -> Iterator[Operation]:
    found = [
        _operation(schema, path, method, described)
        for path, methods in schema["paths"].items()
        for method, described in methods.items()
    ]
    yield from sorted(found, key=lambda one: (one.group, one.path, one.method))


def _operation(schema: Schema, path: str, method: str, described: Schema) -> Operation:
    return Operation(
        group=described["tags"][0],
        name=described["operationId"],
        method=method.upper(),
        path=path,
        text=described.get("description", ""),
        fields=(*_parameters(described), *_body(schema, described)),
        statuses=tuple(described["responses"]),
    )


def _parameters(described: Schema) -> Iterator[Field]:
    for parameter in described.get("parameters", ()):
        yield Field(
            name=parameter["name"],
            place=parameter["in"],
            kind=_kind(parameter["schema"]),
            is_required=parameter.get("required", False),
            text=parameter.get("description", ""),
        )


def _body(schema: Schema, described: Schema) -> Iterator[Field]:
    content = described.get("requestBody", {}).get("content", {}).get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    body = schema["components"]["schemas"].get(name, {})
    for field, said in body.get("properties", {}).items():
        is_required = field in body.get("required", ())
        yield Field(field, "body", _kind(said), is_required, said.get("description", ""))


def _kind(said: Schema) -> str:
    """The type as a word: what a schema refers to goes by its name."""
    reference = next((part["$ref"] for part in (said, *said.get("allOf", ())) if "$ref" in part), "")
    return str(said.get("format") or said.get("type") or reference.rpartition("/")[2])
