"""Quarter-hours from readings: however and whenever they came, the rows are those that all of them together give."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stations.models import MeterReading, QuarterHour, RollUp, Station
from stations.rollups import WRITTEN, roll_up_again, roll_up_new
from tests.factories import NOW, make_reading, make_station

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)
CONTEXTS = ("Sample.Periodic", "Sample.Clock", "Transaction.Begin")


def rows() -> list[tuple[object, ...]]:
    columns = ["station", "evse_number", "starts_at", *WRITTEN]
    return list(QuarterHour.objects.order_by("station", "starts_at", "evse_number").values_list(*columns))


def read(station: Station, minutes: float, import_wh: float | None, **fields: Any) -> MeterReading:
    return make_reading(station, sampled_at=NOW + minutes * MINUTE, import_wh=import_wh, **fields)


def test_what_came_is_rolled_up_once_and_again_when_the_rest_comes() -> None:
    station = make_station()
    read(station, 0, 1000, import_w=2000.0)
    read(station, 10, 1200, import_w=4000.0)
    roll_up_new(now=NOW)
    row = QuarterHour.objects.get()
    assert (row.starts_at, row.import_wh, row.max_import_w, row.samples) == (NOW, 200, 4000, 2)
    read(station, 14, 1300)
    read(station, 16, 1350)
    roll_up_new(now=NOW)
    assert list(QuarterHour.objects.values_list("import_wh", "samples")) == [(300, 3), (50, 1)]


def test_a_late_reading_makes_the_quarters_it_touches_again() -> None:
    station = make_station()
    read(station, -1, 1000)
    read(station, 5, 1100)
    read(station, 95, 1900)
    for _ in range(3):
        roll_up_new(now=NOW)
    gap = QuarterHour.objects.get(starts_at=NOW + 90 * MINUTE)
    assert gap.import_wh is None
    read(station, 89, 1800)
    roll_up_new(now=NOW)
    assert list(QuarterHour.objects.values_list("import_wh", flat=True)) == [None, 100, None, 100]


def test_another_that_is_at_it_is_left_alone_until_it_must_have_died() -> None:
    read(make_station(), 5, 1000)
    RollUp.objects.create(pk=1, claimed_until=NOW + MINUTE)
    assert roll_up_new(now=NOW) == 0
    assert roll_up_new(now=NOW + 2 * MINUTE) == 1


def test_stations_and_evses_stand_apart() -> None:
    one, other = make_station(), make_station()
    for station, evse, rise in ((one, 1, 10), (one, 2, 20), (other, 1, 40)):
        read(station, 0, 1000, evse_number=evse)
        read(station, 5, 1000 + rise, evse_number=evse)
    roll_up_new(now=NOW)
    assert [row[2:4] for row in rows()] == [(NOW, "Sample.Periodic")] * 3
    assert set(QuarterHour.objects.values_list("import_wh", flat=True)) == {10, 20, 40}


def test_by_hand_the_quarters_of_one_station_are_made_again_for_whole_days_of_local_time(
    capsys: pytest.CaptureFixture[str],
) -> None:
    station, other = make_station(), make_station()
    midnight = timezone.localtime(NOW).replace(hour=0, minute=0, second=0)
    for row_of, minutes in ((station, -5), (station, 5), (station, 1439), (station, 1441), (other, 5)):
        make_reading(row_of, sampled_at=midnight + minutes * MINUTE, import_wh=1000.0 + minutes)
    day = midnight.date().isoformat()
    call_command("roll_up", station.identity, "--from", day, "--until", day)
    assert "2 quarter-hours" in capsys.readouterr().out
    made = [midnight + 0 * MINUTE, midnight + 1425 * MINUTE]
    assert [(row[0], row[2]) for row in rows()] == [(station.pk, at) for at in made]
    with pytest.raises(CommandError, match="no station X"):
        call_command("roll_up", "X", "--from", day, "--until", day)
    with pytest.raises(CommandError, match="comes before"):
        call_command("roll_up", station.identity, "--from", day, "--until", "2020-01-01")


moments = st.tuples(
    st.integers(0, 60),  # steps of 2.5 minutes, so that some stand on a border
    st.sampled_from(CONTEXTS),
    st.one_of(st.none(), st.integers(0, 6).map(lambda step: 100_000.0 + 50 * step)),
    st.booleans(),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(moments, max_size=6), min_size=1, max_size=6))
def test_bit_by_bit_gives_the_same_as_from_scratch(
    batches: list[list[tuple[int, str, float | None, bool]]],
) -> None:
    MeterReading.objects.all().delete()
    QuarterHour.objects.all().delete()
    RollUp.objects.all().delete()
    station = make_station()
    known = set()
    for batch in batches:
        for step, context, import_wh, exports in batch:
            if (step, context) not in known:
                known.add((step, context))
                export_wh = import_wh if exports else None
                read(station, 2.5 * step, import_wh, context=context, export_wh=export_wh)
        roll_up_new(now=NOW)
    bit_by_bit = rows()
    QuarterHour.objects.all().delete()
    roll_up_again(station, start=NOW - 60 * MINUTE, end=NOW + 300 * MINUTE)
    assert bit_by_bit == rows()
