"""The rules that others learned the hard way, where they show on the line. tests/house/test_learned.py has them all."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from stations.models import ChargingSession, MeterReading
from tests.factories import make_station, make_token
from tests.fakes.portal import ROOT, Portal
from tests.fakes.station import PASSWORD, FakeStation

pytestmark = pytest.mark.xdist_group("portal")

AT = datetime(2026, 7, 1, 12, tzinfo=UTC).isoformat()
# 2.x: ISO 14443 has up to 20 hexadecimal digits, an eMAID 15; 36 is what the type allows (2.0.1, IdTokenType).
LONG_TOKENS = {
    "2.0.1": "NL-ABC-Cafe0123456789-abcdefghijk201",
    "2.1": "NL-ABC-Cafe0123456789-abcdefghijklm21"[-36:],
}


def event(kind: str, seq_no: int, **more: Any) -> dict[str, Any]:
    info = {"transactionId": "t-1"}
    said = {"timestamp": AT, "triggerReason": "CablePluggedIn", "transactionInfo": info, "evse": {"id": 1}}
    return {"eventType": kind, "seqNo": seq_no, **said, **more}


def test_the_package_gives_schemas_and_no_charge_point() -> None:
    """Rule 1: not its ChargePoint class, whose call() hides a CALLERROR and whose handlers block the reader."""
    found = []
    for package in ("stations", "smartcharging", "v2x", "portal"):
        for path in Path(ROOT, package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("ocpp"):
                    continue
                if {alias.name for alias in node.names} & {"ChargePoint", "routing", "call", "on"}:
                    found.append(str(path))
    assert found == []


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_events_that_are_repeated_are_one_transaction(portal: Portal, version: str) -> None:
    """Rule 5: (station, transaction id, seqNo); some repeat under the same message id, others under a new one."""
    station = make_station(version=version, password=PASSWORD)
    value = {"timestamp": AT, "sampledValue": [{"value": 100.0, "context": "Transaction.Begin"}]}
    ended = {"timestamp": AT, "sampledValue": [{"value": 350.0, "context": "Transaction.End"}]}
    with FakeStation(portal.port, station.identity, version=version) as line:
        for message_id in ("a", "a", "b"):
            line.call("TransactionEvent", event("Started", 0, meterValue=[value]), message_id=message_id)
            line.call("TransactionEvent", event("Ended", 1, meterValue=[ended]), message_id=f"{message_id}2")
    session = ChargingSession.objects.get(station=station)
    assert (session.state, session.energy_wh) == ("ended", 250)
    assert session.transaction_events.count() == 2
    assert MeterReading.objects.filter(station=station).count() == 2


def test_a_stop_that_nobody_knows_is_acknowledged_and_a_refused_start_has_a_number(portal: Portal) -> None:
    """Rule 6: never a CALLERROR, never guessed onto a connector; clock-aligned samples have no transaction."""
    station = make_station(password=PASSWORD)
    make_token("0BLOCKED", operator=station.site.operator, blocked=True)
    with FakeStation(portal.port, station.identity) as line:
        assert line.call("StopTransaction", {"transactionId": 4711, "meterStop": 9, "timestamp": AT}) == {}
        start = {"connectorId": 1, "idTag": "0BLOCKED", "meterStart": 7, "timestamp": AT}
        refused = line.call("StartTransaction", start)
        assert refused["idTagInfo"]["status"] == "Blocked"
        assert refused["transactionId"] > 0
        sample = {"timestamp": AT, "sampledValue": [{"value": "8", "context": "Sample.Clock"}]}
        assert line.call("MeterValues", {"connectorId": 1, "meterValue": [sample]}) == {}
    orphan = ChargingSession.objects.get(station=station, state="orphan")
    assert (orphan.transaction_id, orphan.evse_number, orphan.connector_number) == ("4711", None, None)
    assert MeterReading.objects.get(station=station).transaction_id == ""


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_a_long_token_is_the_same_in_every_case_and_two_stations_may_have_one_number(
    portal: Portal, version: str
) -> None:
    """Rule 7: idToken up to 36 characters, case-insensitive; 2.x transaction ids are unique per station only."""
    one, other = (make_station(version=version, password=PASSWORD) for _ in range(2))
    number = LONG_TOKENS[version]
    assert len(number) == 36
    make_token(number, operator=one.site.operator)
    for station, token in ((one, number.upper()), (other, number.lower())):
        with FakeStation(portal.port, station.identity, version=version) as line:
            id_token = {"idToken": token, "type": "Central"}
            assert line.call("Authorize", {"idToken": id_token})["idTokenInfo"]["status"] == "Accepted"
            line.call("TransactionEvent", event("Started", 0))
    for station in (one, other):
        assert ChargingSession.objects.get(station=station).transaction_id == "t-1"
