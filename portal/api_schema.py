"""What the description of the API says beside what its views do: tokens and scopes, refusals, and how to begin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework.permissions import SAFE_METHODS

from portal.accounts.api_access import TokenAuthentication, scope_of
from stations.scopes import Scope

Schema = dict[str, Any]

DESCRIPTION = """\
Everything that the pages show and do, for programs. Send a token of your account with each request:

    curl -H "Authorization: Token $TOKEN" "$PORTAL/api/v1/stations/?limit=2"

A token is for one party, has scopes (each operation names its own), and ends; make one under "Your account", "API
tokens". You see what your role sees; all else is not found (404). Where a token lacks the scope the answer is 403, and
where it asks too often 429, with `Retry-After` in seconds.

Times are RFC 3339, units are in the names (`_wh`, `_w`, `_a`, `_s`). Null is "not known", never zero. Lists come in
pages: `limit` (at most 1000) and `offset`, with `next` while there is more; `count` is null beyond 10,000.

The usual calls:

    curl -H "Authorization: Token $TOKEN" "$PORTAL/api/v1/stations/$STATION/limit/"
    curl -H "Authorization: Token $TOKEN" "$PORTAL/api/v1/sessions/?station=$STATION&limit=5"
    curl -H "Authorization: Token $TOKEN" "$PORTAL/api/v1/notices/?unread=true"
    curl -H "Authorization: Token $TOKEN" -H "Content-Type: application/json" \\
        -d '{"action": "TriggerMessage", "payload": {"requestedMessage": "Heartbeat"}}' \\
        "$PORTAL/api/v1/stations/$STATION/commands/"
"""

_DETAIL: Schema = {
    "type": "object",
    "properties": {"detail": {"type": "string"}},
    "required": ["detail"],
}
# By field what is wrong with it, a text or an object with `code`, `text` and `clause`; or a list of such.
_PROBLEMS: Schema = {
    "oneOf": [{"type": "object", "additionalProperties": {}}, {"type": "array", "items": {}}]
}
REFUSALS: Mapping[str, tuple[str, str]] = {
    "400": ("Problems", "What was sent is not right: by field, why."),
    "401": ("Refusal", "No token, or one that is not in force."),
    "403": ("Refusal", "The token lacks the scope, or the role may not do this."),
    "404": ("Refusal", "It is not there, or not yours to see."),
    "429": ("Refusal", "Too often: come back after Retry-After seconds."),
}


class DescribedView(AutoSchema):
    """Each operation with the scope that it takes."""

    def _get_paginator(self) -> Any:
        """Only what is read comes in pages; a list that answers a POST is all of it."""
        is_read = self.method in SAFE_METHODS
        return super()._get_paginator() if is_read else None  # type: ignore[no-untyped-call]

    def get_description(self) -> str:  # type: ignore[override]  # as drf-spectacular has it
        said = str(super().get_description() or "").strip()
        scope = scope_of(self.view, self.method) if hasattr(self.view, "scope") else Scope.READ
        return f"{said}\n\nScope: {scope}.".strip()


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself
    """How the description tells of tokens."""

    target_class = TokenAuthentication
    name = "tokenAuth"

    def get_security_definition(self, auto_schema: Any) -> Schema:
        said = 'A token of your account, with "Token " before it.'
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": said}


def with_refusals(result: Schema, generator: Any, request: Any, public: Any) -> Schema:
    """The answers that any operation may give, told of once: a hook of drf-spectacular."""
    schemas = result["components"].setdefault("schemas", {})
    schemas["Refusal"], schemas["Problems"] = _DETAIL, _PROBLEMS
    for operations in result["paths"].values():
        for operation in operations.values():
            for status, (name, text) in REFUSALS.items():
                answer = {"$ref": f"#/components/schemas/{name}"}
                content = {"application/json": {"schema": answer}}
                operation["responses"].setdefault(status, {"description": text, "content": content})
    return result
