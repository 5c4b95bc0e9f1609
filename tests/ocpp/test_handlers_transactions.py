"""Transactions of OCPP 1.6: what a station hears, and which rows are there once."""

from __future__ import annotations

from typing import Any

import pytest

from stations.models import ChargingSession, Connector, MeterReading, Station
from tests.factories import make_operator, make_station, make_token
from tests.ocpp.conversation import happened, minutes, say, wire

pytestmark = pytest.mark.django_db
State = ChargingSession.State


def start(
    station: Station, *, meter: int = 1000, at: float = -60, tag: str = "TAG1", connector: int = 1
) -> dict[str, Any]:
    payload = {"connectorId": connector, "idTag": tag, "meterStart": meter, "timestamp": wire(minutes(at))}
    return say(station, "StartTransaction", payload)


def stop(station: Station, number: int, *, meter: int = 9000, at: float = -1, **more: Any) -> dict[str, Any]:
    payload = {"transactionId": number, "meterStop": meter, "timestamp": wire(minutes(at)), **more}
    return say(station, "StopTransaction", payload)


def sampled(at: float, wh: float, context: str = "Sample.Periodic", **more: Any) -> dict[str, Any]:
    value = {"value": str(wh), "context": context, "measurand": "Energy.Active.Import.Register", **more}
    return {"timestamp": wire(minutes(at)), "sampledValue": [value]}


def test_a_session_from_start_to_stop() -> None:
    station = make_station(evses=0)
    token = make_token("TAG1")
    started = start(station, connector=2)
    assert started["idTagInfo"] == {"status": "Accepted"}
    session = ChargingSession.objects.get()
    assert started["transactionId"] == int(session.transaction_id or 0) == session.pk
    assert (session.token, session.evse_number, session.connector_number) == (token, 2, 2)
    assert (session.state, session.started_at, session.energy_wh) == (State.ACTIVE, minutes(-60), None)
    assert Connector.objects.get().evse.number == 2, "the connector that showed itself has a row"

    assert stop(station, session.pk, reason="EVDisconnected", idTag="TAG1") == {
        "idTagInfo": {"status": "Accepted"}
    }
    session.refresh_from_db()
    assert (session.state, session.ended_at, session.end_reason) == (
        State.ENDED,
        minutes(-1),
        "EVDisconnected",
    )
    assert session.energy_wh == 8000
    data = {"session": session.pk, "evse": 2}
    assert happened(station, "session_started") == [data]
    assert happened(station, "session_ended") == [data]


def test_a_start_that_is_repeated_is_the_same_transaction() -> None:
    station = make_station()
    first, second = start(station), start(station, tag="tag1")
    assert first["transactionId"] == second["transactionId"]
    stop(station, first["transactionId"])
    assert start(station)["transactionId"] == first["transactionId"]
    assert ChargingSession.objects.count() == 1
    assert len(happened(station, "session_started")) == 1


@pytest.mark.parametrize("other", [{"meter": 1001}, {"at": -59}, {"tag": "TAG2"}, {"connector": 2}])
def test_another_start_is_another_transaction(other: dict[str, Any]) -> None:
    station = make_station()
    assert start(station)["transactionId"] != start(station, **other)["transactionId"]


def test_the_same_start_at_another_station_is_another_transaction() -> None:
    assert start(make_station())["transactionId"] != start(make_station())["transactionId"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [(None, "Invalid"), ({"blocked": True}, "Blocked"), ({"expires_at": minutes(-9)}, "Expired")],
)
def test_a_refused_token_still_gets_a_transaction_and_the_session_is_kept(
    fields: dict[str, Any] | None, status: str
) -> None:
    station = make_station()
    if fields:
        make_token("TAG1", **fields)
    started = start(station)
    assert started["idTagInfo"]["status"] == status
    assert ChargingSession.objects.get().pk == started["transactionId"]


def test_anothers_token_is_not_the_sessions() -> None:
    make_token("TAG1", operator=make_operator("beta"))
    start(make_station())
    session = ChargingSession.objects.get()
    assert session.token is None
    assert session.token_digest
    assert "TAG1" not in session.token_digest


def test_a_stop_of_an_unknown_transaction_is_acknowledged_and_kept_and_not_guessed() -> None:
    station = make_station()
    running = start(station)["transactionId"]
    assert stop(station, 999999, meter=5, transactionData=[sampled(-2, 5)]) == {}
    assert stop(station, 999999, meter=5, transactionData=[sampled(-2, 5)]) == {}, "repeated"
    orphan = ChargingSession.objects.get(state=State.ORPHAN)
    assert (orphan.transaction_id, orphan.evse_number, orphan.end_import_wh) == ("999999", None, 5)
    assert ChargingSession.objects.get(pk=running).state == State.ACTIVE
    assert [data["session"] for data in happened(station, "orphan_stop")] == [orphan.pk]
    assert MeterReading.objects.count() == 1


def test_stops_under_one_invented_number_are_all_kept() -> None:
    station = make_station()
    for at in (-9, -8, -7, -8):
        stop(station, -1, at=at)
    assert ChargingSession.objects.filter(state=State.ORPHAN).count() == 3


def test_anothers_transaction_cannot_be_stopped() -> None:
    mine, other = make_station(), make_station()
    number = start(mine)["transactionId"]
    stop(other, number)
    assert ChargingSession.objects.get(pk=number).state == State.ACTIVE
    assert ChargingSession.objects.get(state=State.ORPHAN).station == other


def test_a_new_transaction_never_gets_the_number_of_an_orphan() -> None:
    station = make_station()
    first = start(station)["transactionId"]
    for ahead in (2, 3):
        stop(station, first + ahead)
    numbers = [start(station, meter=meter)["transactionId"] for meter in (1, 2, 3)]
    assert len({first, *numbers}) == 4
    assert ChargingSession.objects.filter(state=State.ACTIVE).count() == 4
    assert not {first + 2, first + 3} & set(numbers)


def test_a_second_stop_changes_nothing() -> None:
    station = make_station()
    number = start(station)["transactionId"]
    stop(station, number)
    before = ChargingSession.objects.values().get()
    assert stop(station, number) == {}
    assert happened(station, "orphan_stop") == [], "the same stop again is a repeat"
    assert stop(station, number, meter=99999, at=5) == {}
    assert ChargingSession.objects.values().get() == before
    assert len(happened(station, "orphan_stop")) == 1
    assert len(happened(station, "session_ended")) == 1


def test_the_readings_in_a_stop_are_stored_with_the_session() -> None:
    station = make_station()
    number = start(station)["transactionId"]
    stop(
        station,
        number,
        transactionData=[
            sampled(-60, 1000, "Transaction.Begin"),
            sampled(-30, 4000),
            sampled(-1, 9000, "Transaction.End"),
        ],
    )
    readings = MeterReading.objects.filter(transaction_id=str(number), evse_number=1).order_by("sampled_at")
    assert [reading.import_wh for reading in readings] == [1000, 4000, 9000]


def test_a_reading_without_a_time_does_not_hold_up_the_stop() -> None:
    station = make_station()
    number = start(station)["transactionId"]
    broken = {**sampled(-9, 5), "timestamp": "never"}
    assert stop(station, number, transactionData=[broken, sampled(-1, 9000)]) == {}
    assert ChargingSession.objects.get().state == State.ENDED
    assert MeterReading.objects.count() == 1


def test_a_begin_of_0_that_is_a_placeholder_is_not_the_begin() -> None:
    station = make_station()
    number = start(station, meter=0)["transactionId"]
    stop(
        station,
        number,
        meter=5_009_000,
        transactionData=[
            sampled(-59, 5_001_000, "Transaction.Begin"),
            sampled(-1, 5_009_000, "Transaction.End"),
        ],
    )
    session = ChargingSession.objects.get()
    assert session.energy_wh == 8000
    assert start(station, meter=0)["transactionId"] == number, "and its start, repeated, is still known"


def test_a_begin_of_0_of_a_new_meter_is_the_begin() -> None:
    station = make_station()
    stop(station, start(station, meter=0)["transactionId"], meter=7000)
    assert ChargingSession.objects.get().energy_wh == 7000


def test_export_is_kept_apart() -> None:
    station = make_station()
    number = start(station)["transactionId"]
    exported = {"measurand": "Energy.Active.Export.Register"}
    stop(
        station,
        number,
        transactionData=[
            sampled(-59, 10, "Transaction.Begin", **exported),
            sampled(-1, 510, "Transaction.End", **exported),
        ],
    )
    session = ChargingSession.objects.get()
    assert (session.energy_wh, session.exported_wh) == (8000, 500)


# ---------------------------------------------------------------- an end that never came
def test_a_session_whose_end_was_never_told_does_not_run_on_beside_the_next() -> None:
    station = make_station()
    forgotten = start(station, at=-60)["transactionId"]
    following = start(station, at=-10, tag="TAG2")["transactionId"]
    elsewhere = start(station, at=-5, connector=2)["transactionId"]
    states = dict(ChargingSession.objects.values_list("pk", "state"))
    assert states == {forgotten: State.UNCLOSED, following: State.ACTIVE, elsewhere: State.ACTIVE}
    before = ChargingSession.objects.get(pk=forgotten)
    assert (before.ended_at, before.energy_wh, before.until) == (None, None, minutes(-10)), "not guessed"
    assert happened(station, "session_unclosed") == [{"session": forgotten, "evse": 1, "next": following}]
    assert happened(station, "session_ended") == []


def test_an_end_that_comes_late_still_ends_it() -> None:
    station = make_station()
    forgotten = start(station, at=-60)["transactionId"]
    following = start(station, at=-10, meter=5000)["transactionId"]
    stop(station, forgotten, meter=4000, at=-20)
    before = ChargingSession.objects.get(pk=forgotten)
    assert (before.state, before.ended_at, before.until, before.energy_wh) == (
        State.ENDED,
        minutes(-20),
        minutes(-20),
        3000,
    )
    assert ChargingSession.objects.get(pk=following).state == State.ACTIVE
    assert happened(station, "session_ended") == [{"session": forgotten, "evse": 1}]


def test_a_start_that_is_repeated_ends_nothing() -> None:
    station = make_station()
    first = start(station, at=-60)["transactionId"]
    second = start(station, at=-10)["transactionId"]
    assert start(station, at=-60)["transactionId"] == first
    states = dict(ChargingSession.objects.values_list("pk", "state"))
    assert states == {first: State.UNCLOSED, second: State.ACTIVE}
    assert len(happened(station, "session_unclosed")) == 1


def test_a_past_that_is_told_after_the_present_does_not_end_the_present() -> None:
    station = make_station()
    present = start(station, at=-10)["transactionId"]
    past = start(station, at=-60)["transactionId"]
    assert set(ChargingSession.objects.values_list("pk", "state")) == {
        (present, State.ACTIVE),
        (past, State.ACTIVE),
    }
    stop(station, past, at=-20)
    assert ChargingSession.objects.get(state=State.ACTIVE).pk == present


def test_the_same_start_on_two_evses_is_two_transactions() -> None:
    """A group of EVSEs with connector 1 each, one token, meters at 0: the database takes both."""
    station = make_station()
    for evse in (1, 2):
        ChargingSession.objects.create(
            station=station,
            evse_number=evse,
            connector_number=1,
            transaction_id=f"t-{evse}",
            started_at=minutes(0),
            start_import_wh=0,
            received_at=minutes(0),
        )
    assert ChargingSession.objects.count() == 2
