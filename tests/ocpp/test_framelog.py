"""The frame log of a station: both directions, the readings' messages among them, page by page."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from stations.framelog import LogLine, frames_of
from stations.models import Event, Frame, MeterReading, Station
from stations.tasks import delete_old_frames
from tests.factories import make_reading, make_station
from tests.ocpp.conversation import minutes

pytestmark = pytest.mark.django_db


def frame(
    station: Station, at: float, *, direction: str = "in", action: str = "Heartbeat", message_id: str = "h"
) -> None:
    Frame.objects.create(
        station=station,
        at=minutes(at),
        direction=direction,
        kind="call",
        action=action,
        message_id=message_id,
        text=f"[2,{at}]",
    )


def metered(station: Station, at: float, message_id: str = "m") -> MeterReading:
    text = f'[2,"{message_id}","MeterValues",{{}}]'
    moment = minutes(at)
    return make_reading(station, sampled_at=moment, received_at=moment, message_id=message_id, message=text)


@pytest.fixture
def station() -> Station:
    station = make_station()
    frame(station, 1)
    metered(station, 2)
    make_reading(
        station, sampled_at=minutes(2), received_at=minutes(2), context="Sample.Clock"
    )  # same message
    frame(station, 3, direction="out", action="Reset", message_id="r")
    frame(make_station(), 4)
    return station


def shown(lines: list[LogLine]) -> list[tuple[str, str]]:
    return [(line.direction, line.action) for line in lines]


def test_frames_and_readings_are_one_log_newest_first(station: Station) -> None:
    lines = frames_of(station)
    assert shown(lines) == [
        ("out", "Reset"),
        ("out", "MeterValues"),
        ("in", "MeterValues"),
        ("in", "Heartbeat"),
    ]
    answer, question = lines[1:3]
    assert (answer.kind, answer.text, answer.at) == ("result", '[3,"m",{}]', minutes(2))
    assert (question.kind, question.text) == ("call", '[2,"m","MeterValues",{}]')


@pytest.mark.parametrize(
    ("narrowed", "expected"),
    [
        ({"direction": "in"}, [("in", "MeterValues"), ("in", "Heartbeat")]),
        ({"direction": "out"}, [("out", "Reset"), ("out", "MeterValues")]),
        ({"action": "MeterValues"}, [("out", "MeterValues"), ("in", "MeterValues")]),
        ({"action": "Reset"}, [("out", "Reset")]),
        ({"text": "metervalues"}, [("in", "MeterValues")]),
        ({"before": minutes(2)}, [("in", "Heartbeat")]),
    ],
)
def test_the_log_can_be_narrowed(
    station: Station, narrowed: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert shown(frames_of(station, **narrowed)) == expected


def test_page_by_page_every_line_is_seen_once() -> None:
    station = make_station()
    for at in (1, 1, 1, 2, 3, 3):
        frame(station, at)
    metered(station, 1)
    seen: list[LogLine] = []
    before: dt.datetime | None = None
    while page := frames_of(station, before=before, limit=2):
        seen.extend(page)
        before = page[-1].at
    assert len(seen) == 8
    assert [line.at for line in seen] == sorted((line.at for line in seen), reverse=True)


def test_after_the_retention_frames_go_and_readings_stay_without_their_message(settings: Any) -> None:
    settings.OCPP_FRAME_RETENTION_DAYS = 31
    station, today = make_station(), dt.datetime.now(dt.UTC)
    for days in (32, 30):
        at = today - dt.timedelta(days=days)
        Frame.objects.create(station=station, at=at, direction="in", kind="call", text="[]")
        for kind in ("profiles_reported", "external_limit_set", "event_stream"):
            Event.objects.create(station=station, kind=kind, at=at, recorded_at=at, data={"days": days})
        make_reading(station, sampled_at=at, received_at=at, message="[]", import_wh=days)
    delete_old_frames()
    assert Frame.objects.count() == 1
    kept = Event.objects.order_by("pk").values_list("kind", "data__days")
    assert sorted(kept) == [
        ("event_stream", 30),
        ("external_limit_set", 30),
        ("external_limit_set", 32),
        ("profiles_reported", 30),
    ]
    assert dict(MeterReading.objects.values_list("import_wh", "message")) == {32: "", 30: "[]"}
