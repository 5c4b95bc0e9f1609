"""TransactionEvent of OCPP 2.x: once, late, twice and out of order."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from stations.models import ChargingSession, MeterReading, Station, TransactionEvent
from stations.ocpp.rpc import CallFailed
from tests.factories import make_station, make_token
from tests.ocpp.conversation import happened, minutes, say, wire

pytestmark = pytest.mark.django_db
State = ChargingSession.State
TRANSACTION = "5f9a1c0e-4b7d-4a55-9f3e-0123456789ab"


def register(at: float, kwh: float, context: str) -> dict[str, Any]:
    value = {"value": kwh, "context": context, "unitOfMeasure": {"unit": "kWh"}}
    return {"timestamp": wire(minutes(at)), "sampledValue": [value]}


def event(
    kind: str, seq_no: int, at: float, *, info: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    return {
        "eventType": kind,
        "seqNo": seq_no,
        "timestamp": wire(minutes(at)),
        "triggerReason": "ChargingStateChanged",
        "transactionInfo": {"transactionId": TRANSACTION, **(info or {})},
        **more,
    }


STARTED = event(
    "Started",
    0,
    -60,
    info={"chargingState": "EVConnected"},
    evse={"id": 2, "connectorId": 1},
    idToken={"idToken": "Card-1", "type": "ISO14443"},
    meterValue=[register(-60, 1.0, "Transaction.Begin")],
)
UPDATED = event(
    "Updated", 1, -30, info={"chargingState": "Charging"}, meterValue=[register(-30, 4.0, "Sample.Periodic")]
)
ENDED = event(
    "Ended",
    2,
    -1,
    info={"stoppedReason": "EVDisconnected"},
    meterValue=[register(-1, 9.0, "Transaction.End")],
)


@pytest.fixture
def station() -> Station:
    return make_station(version="2.0.1")


def test_a_transaction_from_start_to_end(station: Station) -> None:
    token = make_token("card-1")
    assert say(station, "TransactionEvent", STARTED) == {"idTokenInfo": {"status": "Accepted"}}
    session = ChargingSession.objects.get()
    assert (session.transaction_id, session.evse_number, session.token) == (TRANSACTION, 2, token)
    assert (session.charging_state, session.start_import_wh) == ("EVConnected", 1000)

    assert say(station, "TransactionEvent", UPDATED) == {}
    session.refresh_from_db()
    assert (session.state, session.charging_state, session.energy_wh) == (State.ACTIVE, "Charging", None)

    assert say(station, "TransactionEvent", ENDED) == {}
    session.refresh_from_db()
    assert (session.state, session.started_at, session.ended_at) == (State.ENDED, minutes(-60), minutes(-1))
    assert (session.end_reason, session.energy_wh, session.was_offline) == ("EVDisconnected", 8000, False)
    assert list(MeterReading.objects.order_by("sampled_at").values_list("import_wh", "evse_number")) == [
        (1000, 2),
        (4000, 2),
        (9000, 2),
    ]
    told = {"session": session.pk, "evse": 2}
    assert happened(station, "session_started") == [{**told, "charging_state": "EVConnected"}]
    assert happened(station, "session_updated") == [{**told, "charging_state": "Charging"}]
    assert happened(station, "session_ended") == [told]


def test_a_repeated_event_gets_the_same_answer_and_changes_nothing(station: Station) -> None:
    replies = [
        say(station, "TransactionEvent", payload)
        for payload in (STARTED, STARTED, UPDATED, UPDATED, ENDED, ENDED)
    ]
    assert replies[0] == replies[1] == {"idTokenInfo": {"status": "Invalid"}}
    assert (
        ChargingSession.objects.count(),
        TransactionEvent.objects.count(),
        MeterReading.objects.count(),
    ) == (1, 3, 3)
    assert [
        len(happened(station, kind)) for kind in ("session_started", "session_updated", "session_ended")
    ] == [1, 1, 1]


@pytest.mark.parametrize("order", list(itertools.permutations([STARTED, UPDATED, ENDED])))
def test_in_whatever_order_the_events_come_the_session_is_the_same(
    station: Station, order: tuple[dict[str, Any], ...]
) -> None:
    for payload in order:
        say(station, "TransactionEvent", payload)
    session = ChargingSession.objects.get()
    assert (session.state, session.started_at, session.ended_at) == (State.ENDED, minutes(-60), minutes(-1))
    assert (session.evse_number, session.end_reason, session.charging_state) == (2, "EVDisconnected", "")
    assert session.energy_wh == 8000
    assert session.token_digest
    assert len(happened(station, "session_started")) == len(happened(station, "session_ended")) == 1


def test_a_transaction_whose_start_is_lost_is_made_from_what_is_known(station: Station) -> None:
    say(station, "TransactionEvent", UPDATED)
    session = ChargingSession.objects.get()
    assert (session.state, session.started_at, session.evse_number) == (State.ACTIVE, minutes(-30), None)
    assert (session.charging_state, session.start_import_wh) == ("Charging", None)


def test_a_late_event_does_not_bring_back_an_older_charging_state(station: Station) -> None:
    say(station, "TransactionEvent", event("Updated", 5, -5, info={"chargingState": "SuspendedEV"}))
    say(station, "TransactionEvent", event("Updated", 4, -6, info={"chargingState": "Charging"}))
    assert ChargingSession.objects.get().charging_state == "SuspendedEV"


def test_an_end_that_comes_again_under_another_number_changes_nothing(station: Station) -> None:
    for payload in (STARTED, ENDED):
        say(station, "TransactionEvent", payload)
    say(station, "TransactionEvent", event("Ended", 9, 5, info={"stoppedReason": "PowerLoss"}))
    session = ChargingSession.objects.get()
    assert (session.ended_at, session.end_reason, session.energy_wh) == (minutes(-1), "EVDisconnected", 8000)


def test_what_happened_offline_is_marked(station: Station) -> None:
    say(station, "TransactionEvent", {**STARTED, "offline": True})
    say(station, "TransactionEvent", UPDATED)
    assert ChargingSession.objects.get().was_offline


def test_a_transaction_id_is_unique_within_its_station_only(station: Station) -> None:
    other = make_station(version="2.0.1")
    say(station, "TransactionEvent", STARTED)
    say(other, "TransactionEvent", STARTED)
    assert ChargingSession.objects.count() == 2


def test_two_evses_start_in_the_same_second(station: Station) -> None:
    for evse in (1, 2):
        info = {"transactionId": f"t{evse}"}
        payload = {**STARTED, "evse": {"id": evse, "connectorId": 1}, "transactionInfo": info}
        say(station, "TransactionEvent", payload)
    assert sorted(ChargingSession.objects.values_list("transaction_id", "evse_number")) == [
        ("t1", 1),
        ("t2", 2),
    ]


def test_a_sequence_number_beyond_reason_is_refused(station: Station) -> None:
    with pytest.raises(CallFailed, match="seqNo"):
        say(station, "TransactionEvent", event("Started", 2**40, 0))


def other(kind: str, seq_no: int, at: float, **more: Any) -> dict[str, Any]:
    return event(kind, seq_no, at, **more) | {"transactionInfo": {"transactionId": "the-next"}}


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_a_transaction_that_never_ended_does_not_run_on_beside_the_next(version: str) -> None:
    station = make_station(version=version)
    say(station, "TransactionEvent", STARTED)
    say(station, "TransactionEvent", other("Started", 0, -5, evse={"id": 2}))
    before, following = ChargingSession.objects.order_by("pk")
    assert (before.state, before.charging_state, before.until) == (State.UNCLOSED, "", minutes(-5))
    assert following.state == State.ACTIVE
    assert happened(station, "session_unclosed") == [{"session": before.pk, "evse": 2, "next": following.pk}]
    say(station, "TransactionEvent", UPDATED)
    before.refresh_from_db()
    assert before.state == State.UNCLOSED, "a late word of it does not bring it back"
    say(station, "TransactionEvent", ENDED)
    before.refresh_from_db()
    assert (before.state, before.energy_wh) == (State.ENDED, 8000), "its end does"


def test_another_evse_and_an_end_alone_say_nothing_of_what_runs(station: Station) -> None:
    say(station, "TransactionEvent", STARTED)
    say(station, "TransactionEvent", other("Ended", 7, -5, evse={"id": 2}))
    say(
        station,
        "TransactionEvent",
        event("Started", 0, -5, evse={"id": 1}) | {"transactionInfo": {"transactionId": "t"}},
    )
    assert ChargingSession.objects.get(transaction_id=TRANSACTION).state == State.ACTIVE


def test_the_evse_of_a_transaction_may_come_later_than_its_start(station: Station) -> None:
    say(station, "TransactionEvent", STARTED)
    say(station, "TransactionEvent", other("Started", 0, -5))
    assert ChargingSession.objects.get(transaction_id=TRANSACTION).state == State.ACTIVE
    say(station, "TransactionEvent", other("Updated", 1, -4, evse={"id": 2}))
    assert ChargingSession.objects.get(transaction_id=TRANSACTION).state == State.UNCLOSED
