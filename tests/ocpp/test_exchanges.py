"""The log in pairs: question and answer on one line, searched, and paged without a gap."""

from __future__ import annotations

from typing import Any

import pytest

from stations.exchanges import Cursor, Exchange, Outcome, Search, bounded, exchanges_of, lines_of
from stations.models import Frame, Station
from tests.factories import make_reading, make_session, make_station
from tests.ocpp.conversation import minutes

pytestmark = pytest.mark.django_db


def said(
    station: Station, at: float, text: str, *, direction: str = "in", action: str = "", **fields: Any
) -> None:
    kind = {"[2": "call", "[6": "call", "[3": "result", "[4": "error"}.get(text[:2], "broken")
    message_id = text.split('"')[1] if kind != "broken" else ""
    Frame.objects.create(
        station=station, at=minutes(at), direction=direction, kind=kind, action=action, message_id=message_id, text=text
    )  # fmt: skip


def metered(station: Station, at: float, message_id: str, transaction: str = "") -> None:
    text = f'[2,"{message_id}","MeterValues",{{}}]'
    make_reading(
        station,
        sampled_at=minutes(at),
        received_at=minutes(at),
        message_id=message_id,
        message=text,
        transaction_id=transaction,
    )


@pytest.fixture
def station() -> Station:
    """Asked, answered, answered twice, refused, not answered, broken, and an answer to nothing."""
    station = make_station()
    said(station, 1, '[2,"a","StartTransaction",{}]', action="StartTransaction")
    said(
        station,
        1.01,
        '[3,"a",{"transactionId":17,"idTagInfo":{}}]',
        direction="out",
        action="StartTransaction",
    )
    metered(station, 2, "m1", "17")
    said(station, 3, '[2,"b","Reset",{}]', direction="out", action="Reset")
    said(station, 4, '[3,"b",{"status":"Accepted"}]', action="Reset")
    said(station, 5, '[3,"b",{"status":"Accepted"}]')
    said(station, 6, '[2,"c","Nonsense",{}]', action="Nonsense")
    said(station, 6, '[4,"c","NotImplemented","",{}]', direction="out", action="Nonsense")
    said(station, 7, '[2,"d","Trigger",{}]', direction="out", action="Trigger")
    said(station, 8, "rubbish")
    said(station, 9, '[2,"e","StopTransaction",{"transactionId": 17}]', action="StopTransaction")
    said(station, 9, '[3,"e",{}]', direction="out", action="StopTransaction")
    said(station, 10, '[2,"f","StopTransaction",{"transactionId":171}]', action="StopTransaction")
    said(make_station(), 2, '[2,"a","Heartbeat",{}]', action="Heartbeat")
    return station


def shown(found: list[Exchange]) -> list[tuple[str, str]]:
    return [(one.question.action or one.question.text, one.outcome.value) for one in found]


def test_a_question_stands_with_its_answer_and_the_time_between_them(station: Station) -> None:
    assert shown(exchanges_of(station, Search())) == [
        ("StopTransaction", "open"),
        ("StopTransaction", "answered"),
        ("rubbish", "broken"),
        ("Trigger", "open"),
        ("Nonsense", "error"),
        ('[3,"b",{"status":"Accepted"}]', "broken"),
        ("Reset", "answered"),
        ("MeterValues", "answered"),
        ("StartTransaction", "answered"),
    ]
    by_name = {one.question.action: one for one in exchanges_of(station, Search())}
    assert by_name["Reset"].took_ms == 60_000
    assert [line.at for line in by_name["Reset"].answers] == [minutes(4), minutes(5)]
    assert by_name["StartTransaction"].took_ms == pytest.approx(600, abs=1)
    assert by_name["MeterValues"].took_ms is None


@pytest.mark.parametrize(
    ("outcome", "found"),
    [
        (Outcome.ERROR, ["Nonsense"]),
        (Outcome.OPEN, ["StopTransaction", "Trigger"]),
        (Outcome.BROKEN, ["rubbish", '[3,"b",{"status":"Accepted"}]']),
        (Outcome.ANSWERED, ["StopTransaction", "Reset", "MeterValues", "StartTransaction"]),
    ],
)
def test_the_outcome_narrows_it(station: Station, outcome: Outcome, found: list[str]) -> None:
    exchanges = exchanges_of(station, bounded(station, Search(outcome=outcome)))
    assert [name for name, _ in shown(exchanges)] == found
    assert {state for _, state in shown(exchanges)} == {outcome.value}


def test_a_transaction_is_found_with_its_start_its_values_and_its_stop_and_no_other(station: Station) -> None:
    make_session(
        station, transaction_id="17", started_at=minutes(1), ended_at=minutes(9), received_at=minutes(1)
    )
    search = bounded(station, Search(transaction="17"))
    assert [name for name, _ in shown(exchanges_of(station, search))] == [
        "StopTransaction",
        "MeterValues",
        "StartTransaction",
    ]
    assert search.since is not None
    assert search.since < minutes(1)


def test_text_is_looked_for_in_the_answer_too(station: Station) -> None:
    assert shown(exchanges_of(station, Search(text="notimplemented"))) == [("Nonsense", "error")]
    assert shown(exchanges_of(station, Search(text="171"))) == [("StopTransaction", "open")]


def test_time_and_direction_narrow_it(station: Station) -> None:
    found = exchanges_of(station, Search(since=minutes(3), until=minutes(7.5), direction="out"))
    assert shown(found) == [("Trigger", "open"), ("Reset", "answered")]


def test_what_asks_for_no_answer_does_not_miss_one(station: Station) -> None:
    said(station, 11, '[6,"s","NotifyPeriodicEventStream",{}]', action="NotifyPeriodicEventStream")
    found = exchanges_of(station, Search(outcome="open"))
    assert "NotifyPeriodicEventStream" not in [one.question.action for one in found]
    assert exchanges_of(station, Search())[0].is_send


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_pages_follow_one_another_without_a_gap_even_within_one_moment(station: Station, size: int) -> None:
    for number in range(7):
        said(station, 3, f'[2,"x{number}","Heartbeat",{{}}]', action="Heartbeat")
        make_reading(
            station,
            sampled_at=minutes(20 + number),
            received_at=minutes(3),
            message_id=f"y{number}",
            message="[2]",
        )
    whole = [str(one.cursor) for one in exchanges_of(station, Search(), limit=100)]
    paged: list[str] = []
    after = None
    while page := exchanges_of(station, Search(), after=after, limit=size):
        paged += [str(one.cursor) for one in page]
        after = Cursor.read(paged[-1])
    assert paged == whole
    assert len(whole) == len(set(whole)) == 23


@pytest.mark.parametrize(
    "text", ["", "x", "2026-01-01", "2026-01-01T00:00:00Z|z1", "2026-01-01T00:00:00Z|fx", "|"]
)
def test_a_cursor_of_somebody_elses_is_none(text: str) -> None:
    assert Cursor.read(text) is None


def test_ids_that_begin_anew_at_each_boot_pair_with_their_own_answers(station: Station) -> None:
    other = make_station()
    said(other, 0, '[2,"1","BootNotification",{}]', action="BootNotification")
    said(other, 0.1, '[3,"1",{}]', direction="out", action="BootNotification")
    said(other, 5, '[2,"1","Nonsense",{}]', action="Nonsense")
    said(other, 5.1, '[4,"1","NotImplemented","",{}]', direction="out", action="Nonsense")
    said(other, 200, '[2,"1","Heartbeat",{}]', action="Heartbeat")
    assert shown(exchanges_of(other, Search())) == [
        ("Heartbeat", "open"),
        ("Nonsense", "error"),
        ("BootNotification", "answered"),
    ]
    assert [len(one.answers) for one in exchanges_of(other, Search())] == [0, 1, 1]
    assert shown(exchanges_of(other, Search(outcome="open"))) == [("Heartbeat", "open")]


def test_lines_of_a_search_keep_question_and_answer_together(station: Station) -> None:
    lines = lines_of(station, Search(outcome="error"))
    assert [(line.direction, line.kind) for line in lines] == [("out", "error"), ("in", "call")]


def test_a_page_takes_the_same_queries_whatever_stands_on_it(
    station: Station, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(3):
        exchanges_of(station, Search(), limit=50)
