"""The database itself refuses to change or delete a row of the audit log."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.db import DatabaseError, connection, transaction

from stations.models import AuditEntry
from tests.factories import NOW, make_official
from tests.fakes.portal import Portal

append_only = import_module("stations.migrations.0012_audit")
TRIGGERS = {f"{append_only.TABLE}_no_{what}" for what in ("update", "delete")}


@pytest.fixture
def entry(db: None) -> AuditEntry:
    """With the triggers as the migration leaves them; the transaction of the test takes them away again."""
    with connection.cursor() as cursor:
        for statement in append_only.installing(connection.vendor):
            cursor.execute(statement)
    return make_entry()


def make_entry() -> AuditEntry:
    return AuditEntry.objects.create(
        at=NOW,
        user=make_official(),
        who="official@example.test",
        door="page",
        action="changed",
        model="stations.site",
        key="1",
        label="Plein",
        changes={"name": ["Plain", "Plein"]},
        request_id="0" * 32,
    )


@pytest.mark.parametrize("change", ["UPDATE {} SET who = 'x'", "DELETE FROM {}"])
def test_what_is_kept_cannot_be_changed_or_deleted(entry: AuditEntry, change: str) -> None:
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change.format(append_only.TABLE))
    entry.refresh_from_db()
    assert entry.who == "official@example.test"


def test_what_follows_is_added_as_before_also_when_its_person_is_gone(entry: AuditEntry) -> None:
    user = entry.user
    assert user is not None
    user.delete()
    make_entry()
    assert AuditEntry.objects.count() == 2


@pytest.mark.xdist_group("portal")
def test_a_database_that_was_migrated_has_them(portal: Portal) -> None:
    """A migration that rebuilds the table may lose them; then install them again."""
    catalogue = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
    }
    with connection.cursor() as cursor:
        cursor.execute(catalogue[connection.vendor])
        names = {name for (name,) in cursor.fetchall()}
    assert names >= TRIGGERS
