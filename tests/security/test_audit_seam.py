"""Whatever a request writes to a table that is audited stands in the log: every address of the access table, as SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection

from stations.audit import audited_models
from stations.models import AuditEntry
from tests.pages.test_access import World
from tests.security.asking import BY_LINK, asked, lines, roles_that

pytestmark = pytest.mark.django_db

LOG = AuditEntry._meta.db_table
WRITE = re.compile(r'^(?:INSERT INTO|UPDATE|DELETE FROM) "(\w+)"')
TABLES = {model._meta.db_table: (model, audited) for model, audited in audited_models().items()}
LABELS = {model._meta.concrete_model._meta.label_lower for model in audited_models()}  # type: ignore[union-attr]


@dataclass
class Written:
    """Kinds of objects that were written, and those that the log tells of."""

    kinds: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)

    def look(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        found = WRITE.match(sql)
        if found and found[1] == LOG:
            self.told |= LABELS & {each for each in params if isinstance(each, str)}
        done = execute(sql, params, many, context)
        if found and found[1] in TABLES and context["cursor"].rowcount and not self._is_quiet(sql, found[1]):
            model: Any = TABLES[found[1]][0]
            self.kinds.add(model._meta.concrete_model._meta.label_lower)
        return done

    @staticmethod
    def _is_quiet(sql: str, table: str) -> bool:
        model, audited = TABLES[table]
        columns = set(re.findall(r'"(\w+)" = ', sql.partition(" WHERE ")[0]))
        quiet = {each.column for each in model._meta.concrete_fields if each.name in audited.quiet}
        return bool(columns) and columns <= quiet


@contextmanager
def watching() -> Iterator[Written]:
    written = Written()
    with connection.execute_wrapper(written.look):
        yield written


# (address, kind): why that write is not told.
UNTOLD = {
    ("/stations/{station}/toegang/beleid/", "stations.station"): "saved as it was",
    ("/api/v1/webhooks/{webhook}/", "notices.endpoint"): "saved as it was",
    (
        "/configuratie/{template}/verwijderen/",
        "stations.configurationrollout",
    ): "lost its template: that is told",
    ("/api/v1/configuration-templates/{template}/", "stations.configurationrollout"): "as above",
}


def test_no_address_writes_what_the_log_does_not_tell(world: World) -> None:
    missing: list[str] = []
    seen: set[str] = set()
    for line in lines(writing=True):
        roles = roles_that(line, "->", "200", "201", "202", "204")
        if (
            not roles
            or line.address.startswith(BY_LINK)
            or line.address.startswith(("/account/", "/beheer/l"))
        ):
            continue
        with watching() as written, asked(line, world, roles[-1]):
            pass
        seen |= written.told
        untold = written.kinds - written.told
        missing += [f"{line}: {kind}" for kind in sorted(untold) if (line.address, kind) not in UNTOLD]
    assert missing == []
    assert {"stations.command", "smartcharging.desiredprofile", "compliance.decision"} <= seen


def test_the_admin_tells_of_what_it_deletes(world: World) -> None:
    """Those that nothing else holds on to."""
    for name in ("driftpolicy", "safelimit", "tokengroup", "tariff"):
        row = world.rows[name]
        world.client.cookies = world.cookies["superuser"]
        path = f"/beheer/{row._meta.app_label}/{name}/{row.pk}/delete/"
        with watching() as written:
            assert world.client.post(path, {"post": "yes"}).status_code == 302
        assert row._meta.label_lower in written.told
