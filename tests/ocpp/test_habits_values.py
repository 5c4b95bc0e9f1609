"""Habits of stations and of people that nobody planned for: tokens where none belong, clocks far off, huge numbers."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from stations import commands
from stations.models import ChargingSession, Command, Event, Frame, MeterReading
from stations.ocpp.validation import SchemaViolation
from tests.factories import make_command, make_station
from tests.fakes.portal import Portal
from tests.fakes.station import PASSWORD, FakeStation
from tests.fakes.until import until

pytestmark = pytest.mark.xdist_group("portal")

TOKEN = "04C0FFEE99"
AT = "2026-07-01T12:00:00Z"


@pytest.mark.parametrize("id_tag", [TOKEN * 40, 40_999_012_345, [TOKEN], {"idTag": TOKEN}])
def test_a_token_that_is_refused_is_quoted_nowhere(portal: Portal, id_tag: Any) -> None:
    """Also where the quote of the schema is cut off, or the token is a number."""
    station = make_station(password=PASSWORD)
    with FakeStation(portal.port, station.identity) as line:
        assert line.ask("Authorize", {"idTag": id_tag})[0] == 4
        # and in its own words, about a question of ours
        command = commands.request(station=station, action="GetConfiguration", payload={}, now=timezone.now())
        line.answer_error(line.question(), "GenericError", f"idTag {TOKEN} is busy")
        until(lambda: Command.objects.get(pk=command.pk).state == "failed")
    kept = [*Frame.objects.filter(station=station).values_list("text", flat=True)]
    kept += [str(data) for data in Event.objects.filter(station=station).values_list("data", flat=True)]
    kept.append(Command.objects.get(pk=command.pk).error)
    assert len(kept) > 5
    assert not [text for text in kept if TOKEN in text or "40999012345" in text]
    assert TOKEN not in portal.log.read_text()


def test_a_number_of_another_back_office_and_a_full_register_are_taken_in(portal: Portal) -> None:
    """A time in ms as transaction id, and 3 GWh: refused, the station would repeat its stop for ever (rule 6)."""
    station = make_station(password=PASSWORD)
    stop = {"transactionId": 1_700_000_000_123, "meterStop": 3_000_000_000, "timestamp": AT}
    start = {"connectorId": 1, "idTag": "A", "meterStart": 3_000_000_000, "timestamp": AT}
    with FakeStation(portal.port, station.identity) as line:
        for _ in range(2):
            assert line.call("StopTransaction", stop) == {}
        number = line.call("StartTransaction", start)["transactionId"]
        line.call("StopTransaction", {**stop, "transactionId": number, "meterStop": 3_000_000_500})
        # What no database has room for is refused all the same.
        assert (
            line.ask("StopTransaction", {**stop, "transactionId": 2**63})[2] == "PropertyConstraintViolation"
        )
    orphan = ChargingSession.objects.get(station=station, state="orphan")
    assert (orphan.transaction_id, orphan.end_import_wh) == ("1700000000123", 3e9)
    assert ChargingSession.objects.get(station=station, state="ended").energy_wh == 500


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00Z"])
def test_a_clock_outside_of_any_calendar_costs_nobody_a_page(portal: Portal, at: str) -> None:
    station = make_station(password=PASSWORD)
    start = {"connectorId": 1, "idTag": "A", "meterStart": 5, "timestamp": at}
    sample = {"timestamp": at, "sampledValue": [{"value": "7"}]}
    with FakeStation(portal.port, station.identity) as line:
        numbers = {line.call("StartTransaction", start)["transactionId"] for _ in range(2)}
        for _ in range(2):
            values = {"connectorId": 1, "transactionId": min(numbers), "meterValue": [sample]}
            assert line.call("MeterValues", values) == {}
        line.call("SecurityEventNotification", {"type": "x", "timestamp": at})
        line.call("StopTransaction", {"transactionId": min(numbers), "meterStop": 9, "timestamp": at})
    session = ChargingSession.objects.get(station=station)
    reading = MeterReading.objects.get(station=station)
    assert session.energy_wh == 4
    moments = [session.started_at, session.ended_at, reading.sampled_at]
    moments += Event.objects.filter(station=station).values_list("at", flat=True)
    assert all(timezone.localtime(moment) for moment in moments if moment)


def test_one_moment_told_in_two_messages_is_one_row_with_both(portal: Portal) -> None:
    """Some stations send a message for each measurand. Acknowledged is kept (rule 10); a repeat changes nothing."""
    station = make_station(password=PASSWORD)
    power = {"value": "230", "measurand": "Power.Active.Import", "unit": "W"}
    with FakeStation(portal.port, station.identity) as line:
        for samples in ([{"value": "7"}], [power], [{"value": "8"}], [{"value": "9"}, power]):
            value = {"timestamp": AT, "sampledValue": samples}
            assert line.call("MeterValues", {"connectorId": 1, "meterValue": [value]}) == {}
    reading = MeterReading.objects.get(station=station)
    assert (reading.import_wh, reading.import_w) == (7, 230)
    assert json.loads(reading.message)[3]["meterValue"][0]["sampledValue"] == [{"value": "7"}]


# ---------------------------------------------------------------- commands

UNSAYABLE = [
    ("GetConfiguration", {"key": ["\ud800"]}),
    ("GetConfiguration", {"key": ["a\x00b"]}),
    ("RemoteStartTransaction", {"connectorId": 10**30, "idTag": "A"}),
    ("RemoteStartTransaction", {"connectorId": 2**20, "idTag": "A"}),
    (
        "SetChargingProfile",
        {
            "connectorId": 0,
            "csChargingProfiles": {
                "chargingProfileId": 9,
                "stackLevel": 0,
                "chargingProfilePurpose": "TxDefaultProfile",
                "chargingProfileKind": "Relative",
                "chargingSchedule": {
                    "chargingRateUnit": "A",
                    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 1e300}],
                },
            },
        },
    ),
]


@pytest.mark.parametrize(("action", "payload"), UNSAYABLE)
def test_a_command_that_no_line_can_carry_is_refused_and_holds_up_nobody(
    portal: Portal, action: str, payload: dict[str, Any]
) -> None:
    """All that waits is claimed in one go: such a row kept every station without its commands."""
    station, other = make_station(password=PASSWORD), make_station(password=PASSWORD)
    with FakeStation(portal.port, station.identity), FakeStation(portal.port, other.identity) as line:
        with pytest.raises(SchemaViolation):
            commands.request(station=station, action=action, payload=payload, now=timezone.now())
        commands.request(station=other, action="GetConfiguration", payload={}, now=timezone.now())
        assert line.question().action == "GetConfiguration"


def test_a_row_that_cannot_be_written_fails_alone(portal: Portal) -> None:
    """However it came into the table."""
    station, other = make_station(password=PASSWORD), make_station(password=PASSWORD)
    with (
        FakeStation(portal.port, station.identity) as first,
        FakeStation(portal.port, other.identity) as line,
    ):
        broken = make_command(
            station,
            payload={"key": [10**30]},
            requested_at=timezone.now(),
            expires_at=timezone.now() + timedelta(minutes=5),
        )
        for one in (station, other):
            commands.request(station=one, action="GetConfiguration", payload={}, now=timezone.now())
        assert line.question().payload == first.question().payload == {}
    broken.refresh_from_db()
    assert (broken.state, "FormatViolation" in broken.error) == ("failed", True)


def test_a_secret_is_forgotten_however_its_command_ends(portal: Portal) -> None:
    """Sent, cancelled and expired alike: what never left is not kept either."""
    station = make_station(password=PASSWORD)
    payload = {"key": "AuthorizationKey", "value": "s3cr3t-of-test"}

    def ask(**how: Any) -> Command:
        return commands.request(
            station=station, action="ChangeConfiguration", payload=payload, now=timezone.now(), **how
        )

    cancelled, expired = ask(), ask(expires_in_s=-1)
    assert commands.cancel(cancelled, now=timezone.now())
    commands.expire(timezone.now())
    sent = ask()
    with FakeStation(portal.port, station.identity) as line:
        assert line.question().payload == payload
    states = {command.state for command in Command.objects.filter(pk__in=[cancelled.pk, expired.pk, sent.pk])}
    assert {"cancelled", "expired"} < states
    for command in Command.objects.filter(station=station):
        assert "s3cr3t" not in str(command.payload)
        assert command.payload["key"] == "AuthorizationKey"


def test_of_a_station_that_is_ahead_of_its_time_no_reading_is_lost(portal: Portal) -> None:
    """A clock that is years off and set right in between: the session has both ends, and all samples."""
    station = make_station(password=PASSWORD)
    with FakeStation(portal.port, station.identity) as line:
        start = {"connectorId": 1, "idTag": "A", "meterStart": 5, "timestamp": "2041-01-01T00:00:00Z"}
        number = line.call("StartTransaction", start)["transactionId"]
        for at in ("2041-01-01T00:01:00Z", AT):
            value = {"timestamp": at, "sampledValue": [{"value": "7"}]}
            line.call("MeterValues", {"connectorId": 1, "transactionId": number, "meterValue": [value]})
        line.call("StopTransaction", {"transactionId": number, "meterStop": 9, "timestamp": AT})
    session = ChargingSession.objects.get(station=station)
    assert (session.state, session.energy_wh) == ("ended", 4)
    assert session.started_at == datetime(2041, 1, 1, tzinfo=UTC)
    assert MeterReading.objects.filter(station=station, transaction_id=str(number)).count() == 2


def test_a_clock_that_is_set_back_within_a_session_costs_no_energy(portal: Portal) -> None:
    """2.x: begin and end are in the events, fifteen years apart and the wrong way round."""
    station = make_station(version="2.0.1", password=PASSWORD)

    def event(kind: str, seq_no: int, at: str, wh: float, context: str) -> dict[str, Any]:
        value = {"timestamp": at, "sampledValue": [{"value": wh, "context": context}]}
        return {
            "eventType": kind,
            "timestamp": at,
            "triggerReason": "Authorized",
            "seqNo": seq_no,
            "transactionInfo": {"transactionId": "t"},
            "evse": {"id": 1},
            "meterValue": [value],
        }

    with FakeStation(portal.port, station.identity, version="2.0.1") as line:
        first = event("Started", 0, "2041-01-01T00:00:00Z", 5, "Transaction.Begin")
        last = event("Ended", 1, AT, 9, "Transaction.End")
        for message in (first, last, first, last):
            line.call("TransactionEvent", message)
    session = ChargingSession.objects.get(station=station)
    assert (session.state, session.energy_wh) == ("ended", 4)
    assert MeterReading.objects.filter(station=station).count() == 2


def test_who_charged_is_masked_in_a_signed_meter_value_too(portal: Portal) -> None:
    station = make_station(password=PASSWORD)
    signed = {
        "value": f'OCMF|{{"ID":"{TOKEN}","IT":"ISO14443","RD":[]}}|{{"SD":"00"}}',
        "format": "SignedData",
    }
    value = {"timestamp": AT, "sampledValue": [{"value": "7"}, signed]}
    stop = {"transactionId": 5, "meterStop": 9, "timestamp": AT, "transactionData": [value]}
    with FakeStation(portal.port, station.identity) as line:
        line.call("MeterValues", {"connectorId": 1, "meterValue": [value]})
        line.call("StopTransaction", stop)
    kept = list(MeterReading.objects.filter(station=station).values_list("message", flat=True))
    kept += Frame.objects.filter(station=station, action="StopTransaction").values_list("text", flat=True)
    assert any("ISO14443" in text for text in kept)
    assert not [text for text in kept if TOKEN in text]
    assert MeterReading.objects.get(station=station, evse_number=1).import_wh == 7
