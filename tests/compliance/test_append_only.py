"""The database itself refuses to change or delete evidence and decisions."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.db import DatabaseError, connection, transaction

from portal.compliance import decisions, evidence
from portal.compliance.models import Decision, Evidence, Judgement
from stations.models import Station
from tests.compliance.fakes import append_evidence, make_asking_concession
from tests.factories import NOW, make_official, make_station
from tests.fakes.portal import Portal

append_only = import_module("portal.compliance.migrations.0002_schedules")


@pytest.fixture
def triggers(db: None) -> None:
    """As the migration leaves them; the transaction of the test takes them away again."""
    with connection.cursor() as cursor:
        for statement in append_only.installing(connection.vendor):
            cursor.execute(statement)


@pytest.fixture
def station(triggers: None) -> Station:
    station = make_station("NL-TST-KEEP", concession=make_asking_concession(), firmware="1.0")
    append_evidence(station, verdict="deviation")
    decisions.decide(
        judgement=Judgement.objects.get(),
        to_status="deviation",
        reason="Seen on site.",
        decided_by=make_official(),
        now=NOW,
    )
    return station


@pytest.mark.parametrize("table", append_only.TABLES)
@pytest.mark.parametrize("change", ["UPDATE {} SET reason = 'x'", "DELETE FROM {}"])
def test_what_is_kept_cannot_be_changed_or_deleted(station: Station, table: str, change: str) -> None:
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change.format(table))
    assert [row.reason for row in Decision.objects.all()] == ["Seen on site."]
    assert Evidence.objects.get().reason != "x"


def test_what_follows_is_added_as_before(station: Station) -> None:
    append_evidence(station)
    assert Evidence.objects.count() == 2
    assert evidence.verify(station.site.concession) is None


@pytest.mark.xdist_group("portal")
def test_a_database_that_was_migrated_has_them(portal: Portal) -> None:
    """A migration that rebuilds a table may lose them; then install them again."""
    catalogue = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
    }
    with connection.cursor() as cursor:
        cursor.execute(catalogue[connection.vendor])
        names = {name for (name,) in cursor.fetchall()}
    wanted = {f"{table}_no_{what}" for table in append_only.TABLES for what in ("update", "delete")}
    assert wanted <= names
