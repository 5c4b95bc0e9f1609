"""Ways to ask every address of the access table, for tests that look at what comes of it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.test import Client

from tests.pages.access_table import ROLES
from tests.pages.test_access import LINES, Line, World, body_of

WRITING = ("POST", "PUT", "PATCH", "DELETE")
# Signed links: what they are for is in them, and there is no browser.
BY_LINK = ("/ontvangst/", "/firmware/{image}/0/")


def lines(*, writing: bool) -> list[Line]:
    return [line for line in LINES if (line.method in WRITING) == writing]


def roles_that(line: Line, *answers: str) -> list[str]:
    """Roles that get one of these answers by the table."""
    return [role for role, cell in zip(ROLES, line.expected, strict=True) if cell in answers]


def path_of(line: Line, world: World) -> str:
    row = world.rows.get(line.model)
    return line.address.format(**world.names, row=row.pk if row else 1)


@contextmanager
def asked(
    line: Line, world: World, role: str, *, client: Client | None = None, extra: dict[str, Any] | None = None
) -> Iterator[Any]:
    """The answer, with the database as the request leaves it; afterwards it is as before."""
    client = client or world.client
    client.cookies = copy.deepcopy(world.cookies[role])
    path = path_of(line, world)
    more: dict[str, Any] = {}
    if line.method in ("POST", "PUT"):
        more["data"] = {**(extra or {}), **body_of(line, world)}
    if path.startswith("/api/"):
        more["content_type"] = "application/json"
    with transaction.atomic():
        yield getattr(client, line.method.lower())(path, **more)
        transaction.set_rollback(True)
