"""Readings as the writer puts them down: a moment is one row, however often and in however many parts it is told."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from stations.ingest import insert_readings
from stations.models import MeterReading, Station
from stations.ocpp.readings import Row, rows_of
from tests.factories import NOW, make_station

pytestmark = pytest.mark.django_db
POWER, IMPORT = "Power.Active.Import", "Energy.Active.Import.Register"


def rows(station: Station, measurand: str, value: str, *, minutes: int = 0, **said: Any) -> list[Row]:
    at = (NOW + dt.timedelta(minutes=minutes)).isoformat()
    sample = {"value": value, "measurand": measurand}
    return rows_of(
        [{"timestamp": at, "sampledValue": [sample]}],
        station_id=station.pk,
        evse_number=1,
        transaction_id="7",
        received_at=NOW,
        **said,
    )


def test_the_rest_of_a_moment_is_added_within_one_batch_and_in_a_later_one() -> None:
    station = make_station()
    first = rows(station, POWER, "7400", message_id="a", message='[2,"a","é\\u0000\\n{}"]')
    insert_readings(first + rows(station, IMPORT, "1000.25", message_id="b", message="[2,b]"))
    insert_readings(rows(station, "SoC", "80", message_id="c", message="[2,c]"))
    row = MeterReading.objects.get()
    assert (row.import_w, row.import_wh, row.soc_percent) == (7400.0, 1000.25, 80.0)
    assert (row.message_id, row.message) == ("a", '[2,"a","é\\u0000\\n{}"]')
    assert (row.sampled_at, row.received_at, row.export_wh) == (NOW, NOW, None)


def test_what_was_said_first_stays_within_one_batch_and_in_a_later_one() -> None:
    station = make_station()
    insert_readings(rows(station, POWER, "7400") + rows(station, POWER, "9999"))
    insert_readings(rows(station, POWER, "1") + rows(station, POWER, "7400", minutes=1))
    assert list(MeterReading.objects.values_list("import_w", flat=True)) == [7400.0, 7400.0]


def test_times_and_numbers_come_back_as_they_were_told() -> None:
    station = make_station()
    told = rows(station, IMPORT, "0.1", minutes=1) + rows(station, IMPORT, "123456789.123456789", minutes=2)
    told[0][3] = dt.datetime(1900, 1, 1, tzinfo=dt.UTC)
    told[1][3] = dt.datetime(2026, 7, 1, 12, 0, 0, 123456, tzinfo=dt.UTC)
    moments = [row[3] for row in told]
    insert_readings(told)
    stored = list(MeterReading.objects.order_by("sampled_at").values_list("sampled_at", "import_wh"))
    assert stored == [(moments[0], 0.1), (moments[1], 123456789.123456789)]
