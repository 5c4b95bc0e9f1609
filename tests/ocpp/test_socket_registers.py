"""Registers as stations send them, through the socket: units, phases, places, doubles, order, falls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stations.models import ChargingSession, MeterReading, Station
from tests.factories import make_station
from tests.fakes.portal import Portal
from tests.fakes.station import PASSWORD, FakeStation

pytestmark = pytest.mark.xdist_group("portal")

IMPORT, EXPORT = "Energy.Active.Import.Register", "Energy.Active.Export.Register"
BEGIN, END = {"context": "Transaction.Begin"}, {"context": "Transaction.End"}


def moment(minute: float) -> str:
    at = datetime(2026, 7, 1, 12, tzinfo=UTC) + timedelta(minutes=minute)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def value(minute: float, *samples: dict[str, Any]) -> dict[str, Any]:
    return {"timestamp": moment(minute), "sampledValue": list(samples)}


def wh(amount: float, **more: Any) -> dict[str, Any]:
    """A sample of 1.6: values are text."""
    return {"value": str(amount), "measurand": IMPORT, "unit": "Wh", **more}


def kwh(amount: float, **more: Any) -> dict[str, Any]:
    return wh(amount, **{"unit": "kWh", **more})


def charged(portal: Portal, *, start: int, stop: int, meters: list[Any], data: list[Any]) -> ChargingSession:
    """The session of a 1.6 station that sends `meters` in MeterValues and `data` in its StopTransaction."""
    station = make_station(password=PASSWORD)
    begin = {"connectorId": 1, "idTag": "A", "meterStart": start, "timestamp": moment(0)}
    with FakeStation(portal.port, station.identity) as line:
        number = line.call("StartTransaction", begin)["transactionId"]
        for meter in meters:
            line.call("MeterValues", {"connectorId": 1, "transactionId": number, "meterValue": [meter]})
        end = {"transactionId": number, "meterStop": stop, "timestamp": moment(60), "transactionData": data}
        line.call("StopTransaction", end if data else {**end, "transactionData": []})
    return ChargingSession.objects.get(station=station)


def test_wh_and_kwh_and_phases_and_other_places_in_one_session(portal: Portal) -> None:
    """1.6, 7.45 (units), 7.43 (phases), 7.46 (locations): the total of the outlet is one register, in one unit."""
    phases = [kwh(2_000 + n, phase=f"L{n}", **END) for n in (1, 2, 3)]
    session = charged(
        portal,
        start=6_000_000,
        stop=6_009_000,
        meters=[
            value(20, wh(6_002_000), wh(2_000_700, phase="L1"), wh(9_999, location="Inlet")),
            value(40, kwh(6_004.1), kwh(7_000, location="Body")),
        ],
        data=[
            value(0, kwh(6_000, **BEGIN), kwh(0.1, measurand=EXPORT, **BEGIN)),
            value(60, *phases, kwh(6_009, **END), wh(600, measurand=EXPORT, **END)),
        ],
    )
    assert (session.energy_wh, session.exported_wh) == (9_000, 500)
    assert [session.import_fall, session.export_fall] == ["", ""]
    rows = MeterReading.objects.filter(station=session.station, context="Sample.Periodic")
    assert [row.import_wh for row in rows] == [6_002_000, 6_004_100]


def test_doubled_and_out_of_order_samples_change_nothing(portal: Portal) -> None:
    meters = [value(40, wh(6_004_000)), value(20, wh(6_002_000)), value(40, wh(6_004_000))]
    # The same moment with another value: what was said first stays.
    meters.append(value(20, wh(1)))
    session = charged(portal, start=6_000_000, stop=6_009_000, meters=meters, data=[])
    assert (session.energy_wh, session.import_fall) == (9_000, "")
    rows = MeterReading.objects.filter(station=session.station)
    assert [row.import_wh for row in rows] == [6_002_000, 6_004_000]


@pytest.mark.parametrize(
    ("start", "samples", "stop", "fall"),
    [
        (100, [(20, 5_000), (21, 10)], 2_000, "reset"),
        (999_998_000, [(20, 999_999_900), (30, 1_500)], 7_000, "rollover"),
        (5_000_000, [(30, 5_004_000), (50, 5_001_000)], 5_002_000, "counted_back"),
    ],
)
def test_a_register_that_fell_leaves_the_energy_unknown_with_its_reason(
    portal: Portal, start: int, samples: list[tuple[int, int]], stop: int, fall: str
) -> None:
    meters = [value(minute, wh(amount)) for minute, amount in samples]
    session = charged(portal, start=start, stop=stop, meters=meters, data=[])
    assert (session.start_import_wh, session.energy_wh, session.import_fall) == (start, None, fall)


def test_a_fall_that_only_the_data_of_the_stop_tells_of(portal: Portal) -> None:
    data = [value(0, wh(100, **BEGIN)), value(20, wh(5_000)), value(21, wh(10)), value(60, wh(2_000, **END))]
    session = charged(portal, start=100, stop=2_000, meters=[], data=data)
    assert (session.energy_wh, session.import_fall) == (None, "reset")


def test_the_meter_of_another_connector_is_another_register(portal: Portal) -> None:
    """A MeterValues of connector 2 that names the transaction of connector 1, and one of the main meter."""
    station = make_station(password=PASSWORD)
    begin = {"connectorId": 1, "idTag": "A", "meterStart": 5_000, "timestamp": moment(0)}
    with FakeStation(portal.port, station.identity) as line:
        number = line.call("StartTransaction", begin)["transactionId"]
        for connector, amount in ((2, 70), (0, 9_000_000)):
            meter = value(30, wh(amount))
            line.call(
                "MeterValues", {"connectorId": connector, "transactionId": number, "meterValue": [meter]}
            )
        line.call("StopTransaction", {"transactionId": number, "meterStop": 9_000, "timestamp": moment(60)})
    session = ChargingSession.objects.get(station=station)
    assert (session.energy_wh, session.import_fall) == (4_000, "")


# ---------------------------------------------------------------- OCPP 2.x


def sample(amount: float, context: str, measurand: str = IMPORT, **more: Any) -> dict[str, Any]:
    return {"value": amount, "context": context, "measurand": measurand, **more}


def event(kind: str, seq_no: int, minute: float, *samples: dict[str, Any]) -> dict[str, Any]:
    place = {"evse": {"id": 1}} if kind == "Started" else {}
    return {
        "eventType": kind,
        "timestamp": moment(minute),
        "triggerReason": "MeterValuePeriodic",
        "seqNo": seq_no,
        "transactionInfo": {"transactionId": "t-1"},
        "meterValue": [value(minute, *samples)],
        **place,
    }


def said(portal: Portal, version: str, *events: dict[str, Any]) -> ChargingSession:
    station: Station = make_station(version=version, password=PASSWORD)
    with FakeStation(portal.port, station.identity, version=version) as line:
        for message in events:
            line.call("TransactionEvent", message)
    return ChargingSession.objects.get(station=station)


def scaled(unit: str, multiplier: int) -> dict[str, Any]:
    return {"unitOfMeasure": {"unit": unit, "multiplier": multiplier}}


def test_transaction_events_in_wh_and_kwh_and_powers_of_ten_by_phase_and_place(portal: Portal) -> None:
    session = said(
        portal,
        "2.0.1",
        event(
            "Started",
            0,
            0,
            sample(6_000, "Transaction.Begin", **scaled("kWh", 0)),
            sample(0.1, "Transaction.Begin", EXPORT, **scaled("kWh", 0)),
        ),
        event(
            "Updated",
            1,
            30,
            sample(60.04, "Sample.Periodic", **scaled("Wh", 5)),
            sample(2_001, "Sample.Periodic", phase="L1"),
            sample(7, "Sample.Periodic", location="Inlet"),
        ),
        event(
            "Ended",
            2,
            60,
            sample(6_009_000, "Transaction.End"),
            sample(5, "Transaction.End", phase="L1-N"),
            sample(600, "Transaction.End", EXPORT),
        ),
    )
    assert (session.energy_wh, session.exported_wh) == (9_000, 500)
    assert [session.import_fall, session.export_fall] == ["", ""]
    row = MeterReading.objects.get(station=session.station, context="Sample.Periodic")
    assert row.import_wh == 6_004_000


def test_a_fall_between_events_that_come_in_any_order(portal: Portal) -> None:
    """A discharge that is taken off the import, told after the end by a station that was offline."""
    started = event(
        "Started", 0, 0, sample(5_000, "Transaction.Begin"), sample(0, "Transaction.Begin", EXPORT)
    )
    high = event("Updated", 1, 20, sample(9_000, "Sample.Periodic"))
    low = event("Updated", 2, 40, sample(7_000, "Sample.Periodic"), sample(0, "Sample.Periodic", EXPORT))
    ended = event("Ended", 3, 60, sample(7_500, "Transaction.End"), sample(0, "Transaction.End", EXPORT))
    session = said(portal, "2.0.1", ended, low, high, started, ended)
    assert (session.energy_wh, session.import_fall) == (None, "counted_back")
    assert (session.exported_wh, session.export_fall) == (0, "")
