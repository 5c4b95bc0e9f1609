"""A fleet to measure on is filled fast, and its tables are afterwards as they were."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from portal.management import bulk
from stations.models import Frame
from tests.factories import make_station
from tests.skips import ONLY_ON_POSTGRESQL

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not settings.DATABASES["default"]["ENGINE"].endswith("postgresql"), reason=ONLY_ON_POSTGRESQL
    ),
]


def of_the_table() -> list[tuple[str, ...]]:
    """Its indexes and constraints, with those of its parts but for names that the database gives by itself."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename, regexp_replace(indexdef, 'INDEX .* ON', 'INDEX ON'), '' FROM pg_indexes"
            " WHERE tablename LIKE 'stations_frame%%' UNION ALL"
            " SELECT conrelid::regclass::text, pg_get_constraintdef(oid), conname FROM pg_constraint"
            " WHERE conrelid = 'stations_frame'::regclass ORDER BY 1, 2, 3"
        )
        return list(cursor.fetchall())


def test_a_table_in_parts_has_all_its_indexes_again() -> None:
    station, before = make_station(), of_the_table()
    at = timezone.now().strftime("%Y-%m-%d %H:%M:%S")
    rows = [(station.pk, at, "in", "call", "Heartbeat", f"m{number}", "[]") for number in range(3)]
    columns = ("station_id", "at", "direction", "kind", "action", "message_id", "text")
    assert bulk.insert(Frame, columns, rows) == 3
    assert Frame.objects.filter(station=station).count() == 3
    assert of_the_table() == before
    assert len(before) > 8
