"""Boot, status, tokens and notices, as a station sees and leaves them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from stations.models import Connector, Event, Evse, Station
from stations.ocpp import messages, v2, v16, validation
from stations.ocpp.rpc import CallFailed
from tests.factories import NOW, make_operator, make_station, make_token
from tests.ocpp.conversation import happened, minutes, say, wire

pytestmark = pytest.mark.django_db

BOOT_16 = {
    "chargePointVendor": "Vendor",
    "chargePointModel": "M1",
    "chargeBoxSerialNumber": "S1",
    "firmwareVersion": "1.0",
}
BOOT_2 = {
    "reason": "PowerUp",
    "chargingStation": {"vendorName": "Vendor", "model": "M1", "serialNumber": "S1", "firmwareVersion": "1.0"},
}  # fmt: skip


@pytest.mark.parametrize(("version", "payload"), [("1.6", BOOT_16), ("2.0.1", BOOT_2), ("2.1", BOOT_2)])
def test_a_boot_is_accepted_and_what_the_station_is_is_kept(
    version: str, payload: dict[str, Any], settings: Any
) -> None:
    settings.OCPP_HEARTBEAT_S = 123
    station = make_station(version=version)
    reply = say(station, "BootNotification", payload)
    assert reply == {"status": "Accepted", "currentTime": "2026-07-01T12:00:00Z", "interval": 123}
    station.refresh_from_db()
    assert (station.vendor, station.model, station.serial_number, station.firmware) == (
        "Vendor",
        "M1",
        "S1",
        "1.0",
    )
    assert station.booted_at == NOW
    assert happened(station, "booted")[0]["firmware_changed"] is False


def test_a_boot_with_other_firmware_says_so() -> None:
    station = make_station(firmware="0.9")
    say(station, "BootNotification", BOOT_16)
    say(station, "BootNotification", BOOT_16)
    assert [data["firmware_changed"] for data in happened(station, "booted")] == [True, False]


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_a_heartbeat_gets_the_time_and_leaves_nothing(version: str) -> None:
    station = make_station(version=version)
    assert say(station, "Heartbeat", {}) == {"currentTime": "2026-07-01T12:00:00Z"}
    assert not Event.objects.exists()


# ---------------------------------------------------------------- status
def status_16(
    connector: int, status: str, at: dt.datetime | None = None, error: str = "NoError"
) -> dict[str, Any]:
    payload = {"connectorId": connector, "status": status, "errorCode": error}
    return {**payload, "timestamp": wire(at)} if at else payload


def test_connector_0_is_the_station_itself() -> None:
    station = make_station(evses=1)
    assert say(station, "StatusNotification", status_16(0, "Unavailable")) == {}
    station.refresh_from_db()
    assert station.status == "Unavailable"
    assert Connector.objects.get().status == ""


def test_an_older_status_of_the_station_or_of_a_connector_does_not_overwrite_a_newer_one() -> None:
    station = make_station(evses=1)
    for number in (0, 1):
        say(station, "StatusNotification", status_16(number, "Faulted", minutes(-1)))
        say(station, "StatusNotification", status_16(number, "Available", minutes(-9)))
    station.refresh_from_db()
    connector = Connector.objects.get()
    assert (station.status, connector.status) == ("Faulted", "Faulted")
    assert connector.status_at == minutes(-1)
    assert len(happened(station, "status")) == 4, "what happened is kept all the same"


def test_a_clock_in_the_future_does_not_freeze_the_status() -> None:
    station = make_station(evses=1)
    say(station, "StatusNotification", status_16(1, "Faulted", minutes(9e5)))
    say(station, "StatusNotification", status_16(1, "Available", minutes(1)), now=minutes(1))
    assert Connector.objects.get().status == "Available"


def test_a_connector_that_we_did_not_know_gets_a_row() -> None:
    station = make_station(evses=1)
    say(station, "StatusNotification", status_16(3, "Available", error="GroundFailure"))
    connector = Connector.objects.get(evse__number=3)
    assert (connector.status, connector.error_code, connector.status_at) == (
        "Available",
        "GroundFailure",
        NOW,
    )


def test_connectors_of_2x_are_numbered_within_their_evse() -> None:
    station = make_station(version="2.0.1", evses=1)
    for connector in (1, 2):
        payload = {
            "timestamp": wire(NOW),
            "connectorStatus": "Occupied",
            "evseId": 1,
            "connectorId": connector,
        }
        assert say(station, "StatusNotification", payload) == {}
    assert Evse.objects.count() == 1
    assert list(Connector.objects.values_list("number", "status")) == [(1, "Occupied"), (2, "Occupied")]


@pytest.mark.parametrize("connector", [-1, 101, 10**9])
def test_a_connector_that_cannot_be_is_refused_by_name(connector: int) -> None:
    station = make_station()
    with pytest.raises(CallFailed, match="connectorId") as failed:
        say(station, "StatusNotification", status_16(connector, "Available"))
    assert failed.value.code == "PropertyConstraintViolation"


@pytest.mark.parametrize("timestamp", ["yesterday", "0001-01-01T00:00:00+14:00", "2026-13-01T00:00:00Z", ""])
def test_a_time_that_is_none_is_refused(timestamp: str) -> None:
    station = make_station(version="2.0.1")
    payload = {"timestamp": timestamp, "connectorStatus": "Occupied", "evseId": 1, "connectorId": 1}
    with pytest.raises(CallFailed, match="not a time"):
        say(station, "StatusNotification", payload)


def test_a_nul_character_is_refused_instead_of_repeated_for_ever() -> None:
    with pytest.raises(CallFailed, match="NUL"):
        say(make_station(), "BootNotification", {**BOOT_16, "chargePointModel": "a\x00b"})


# ---------------------------------------------------------------- tokens
def authorized(station: Station, token: str) -> str:
    if station.ocpp_version == "1.6":
        return str(say(station, "Authorize", {"idTag": token})["idTagInfo"]["status"])
    payload = {"idToken": {"idToken": token, "type": "ISO14443"}}
    return str(say(station, "Authorize", payload)["idTokenInfo"]["status"])


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_a_token_is_judged_as_its_row_says(version: str) -> None:
    station = make_station(version=version)
    make_token("known")
    make_token("blocked", blocked=True)
    make_token("old", expires_at=NOW)
    make_token("young", expires_at=minutes(1))
    make_token("others", operator=make_operator("beta"))
    judged = {
        token: authorized(station, token)
        for token in ("KNOWN", "blocked", "old", "young", "others", "nobody's")
    }
    assert judged == {
        "KNOWN": "Accepted",
        "blocked": "Blocked",
        "old": "Expired",
        "young": "Accepted",
        "others": "Invalid",
        "nobody's": "Invalid",
    }


def test_a_token_of_2x_is_up_to_36_characters_and_case_insensitive() -> None:
    make_token("a" * 36)
    assert authorized(make_station(version="2.0.1"), "A" * 36) == "Accepted"


def test_a_start_without_identification_needs_no_token() -> None:
    payload = {"idToken": {"idToken": "", "type": "NoAuthorization"}}
    assert say(make_station(version="2.0.1"), "Authorize", payload)["idTokenInfo"] == {"status": "Accepted"}


# ---------------------------------------------------------------- notices
def test_vendors_own_messages_are_answered_and_noted() -> None:
    for version in ("1.6", "2.0.1"):
        station = make_station(version=version)
        payload = {"vendorId": "com.vendor", "messageId": "x", "data": '{"idTag":"04AABB"}'}
        assert say(station, "DataTransfer", payload) == {"status": "UnknownVendorId"}
        assert happened(station, "neutral") == [
            {"action": "DataTransfer", "vendor": "com.vendor", "message": "x"}
        ]


def test_security_and_firmware_are_events_of_their_own() -> None:
    station = make_station()
    say(
        station,
        "SecurityEventNotification",
        {"type": "InvalidToken", "timestamp": wire(minutes(-5)), "techInfo": "idTag 04AABB"},
    )
    say(station, "FirmwareStatusNotification", {"status": "Installed"})
    say(station, "SignedFirmwareStatusNotification", {"status": "Installing", "requestId": 4})
    assert happened(station, "security") == [{"type": "InvalidToken", "info": "•••"}]
    assert Event.objects.get(kind="security").at == minutes(-5)
    assert [data["status"] for data in happened(station, "firmware")] == ["Installed", "Installing"]


CERTIFICATE = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "a",
    "issuerKeyHash": "b",
    "serialNumber": "1",
    "responderURL": "u",
}
COMPONENT = {"component": {"name": "C"}, "variable": {"name": "V"}}
EV_SCHEDULE = {
    "id": 1,
    "chargingRateUnit": "A",
    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16}],
}
PROFILE = {
    "id": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": [EV_SCHEDULE],
}
LIMIT = {"chargingLimitSource": "EMS"}
# The least that each schema accepts.
NEUTRAL_16: dict[str, dict[str, Any]] = {
    "DiagnosticsStatusNotification": {"status": "Idle"},
    "LogStatusNotification": {"status": "Idle", "requestId": 1},
    "SignCertificate": {"csr": "x"},
}
NEUTRAL_201: dict[str, dict[str, Any]] = {
    "ClearedChargingLimit": {"chargingLimitSource": "EMS"},
    "Get15118EVCertificate": {"iso15118SchemaVersion": "v", "action": "Install", "exiRequest": "x"},
    "GetCertificateStatus": {"ocspRequestData": CERTIFICATE},
    "LogStatusNotification": {"status": "Idle"},
    "NotifyChargingLimit": {"chargingLimit": LIMIT},
    "NotifyCustomerInformation": {"data": "x", "seqNo": 0, "generatedAt": wire(NOW), "requestId": 1},
    "NotifyDisplayMessages": {"requestId": 1},
    "NotifyEVChargingNeeds": {"evseId": 1, "chargingNeeds": {"requestedEnergyTransfer": "AC_three_phase"}},
    "NotifyEVChargingSchedule": {"timeBase": wire(NOW), "evseId": 1, "chargingSchedule": EV_SCHEDULE},
    "NotifyEvent": {
        "generatedAt": wire(NOW),
        "seqNo": 0,
        "eventData": [
            {
                "eventId": 1,
                "timestamp": wire(NOW),
                "trigger": "Delta",
                "actualValue": "1",
                "eventNotificationType": "CustomMonitor",
                **COMPONENT,
            }
        ],
    },
    "NotifyMonitoringReport": {"requestId": 1, "seqNo": 0, "generatedAt": wire(NOW)},
    "ReportChargingProfiles": {"requestId": 1, "chargingLimitSource": "CSO", "evseId": 1, "chargingProfile": [PROFILE]},
    "ReservationStatusUpdate": {"reservationId": 1, "reservationUpdateStatus": "Expired"},
    "SignCertificate": {"csr": "x"},
}  # fmt: skip
EVENT_2 = {
    "eventType": "Started",
    "timestamp": wire(NOW),
    "triggerReason": "Authorized",
    "seqNo": 0,
    "transactionInfo": {"transactionId": "t"},
}
MEANT: dict[str, dict[str, dict[str, Any]]] = {
    "1.6": {
        "BootNotification": BOOT_16,
        "Heartbeat": {},
        "StatusNotification": status_16(1, "Available"),
        "Authorize": {"idTag": "x"},
        "StartTransaction": {"connectorId": 1, "idTag": "x", "meterStart": 0, "timestamp": wire(NOW)},
        "StopTransaction": {"transactionId": 1, "meterStop": 0, "timestamp": wire(NOW)},
        "DataTransfer": {"vendorId": "x"},
        "SecurityEventNotification": {"type": "x", "timestamp": wire(NOW)},
        "FirmwareStatusNotification": {"status": "Idle"},
        "SignedFirmwareStatusNotification": {"status": "Idle"},
    },
    "2.0.1": {
        "BootNotification": BOOT_2,
        "Heartbeat": {},
        "StatusNotification": {"timestamp": wire(NOW), "connectorStatus": "Available", "evseId": 1, "connectorId": 1},
        "Authorize": {"idToken": {"idToken": "x", "type": "Local"}},
        "TransactionEvent": EVENT_2,
        "DataTransfer": {"vendorId": "x"},
        "SecurityEventNotification": {"type": "x", "timestamp": wire(NOW)},
        "FirmwareStatusNotification": {"status": "Idle"},
        "PublishFirmwareStatusNotification": {"status": "Idle"},
        "NotifyReport": {"requestId": 1, "generatedAt": wire(NOW), "seqNo": 0},
    },
}  # fmt: skip
NEUTRAL = {"1.6": NEUTRAL_16, "2.0.1": NEUTRAL_201}
EVERY = [
    (version, action, payload)
    for version in ("1.6", "2.0.1")
    for action, payload in {**MEANT[version], **NEUTRAL[version]}.items()
]


def test_the_table_holds_every_message_from_stations() -> None:
    assert {action for version, action, _ in EVERY if version == "1.6"} == v16.FROM_STATIONS
    assert {action for version, action, _ in EVERY if version == "2.0.1"} == v2.FROM_STATIONS["2.0.1"]
    assert validation.actions("2.1") > v2.FROM_STATIONS["2.1"] > v2.FROM_STATIONS["2.0.1"]


@pytest.mark.parametrize(("version", "action", "payload"), EVERY)
def test_every_message_of_a_station_gets_an_answer_that_its_schema_accepts(
    version: str, action: str, payload: dict[str, Any]
) -> None:
    station = make_station(version=version)
    say(station, action, payload)
    if action in NEUTRAL[version]:
        assert happened(station, "neutral")[0]["action"] == action


@pytest.mark.parametrize("action", sorted(v2.FROM_STATIONS["2.1"] - v2.FROM_STATIONS["2.0.1"]))
def test_a_neutral_answer_of_21_is_one_that_its_schema_accepts(action: str) -> None:
    reply = v2.encode_reply(messages.NeutralReply(action))
    validation.check_response("2.1", action, reply)


@pytest.mark.parametrize(
    ("version", "action"), [("1.6", "Reset"), ("2.0.1", "SetChargingProfile"), ("2.1", "Reset")]
)
def test_what_only_we_may_say_is_not_supported_from_a_station(version: str, action: str) -> None:
    with pytest.raises(CallFailed) as failed:
        (v16 if version == "1.6" else v2).decode(action, {})
    assert failed.value.code == "NotSupported"


def test_no_token_is_left_in_any_event() -> None:
    station = make_station(version="2.0.1")
    event = {"eventData": [{**NEUTRAL_201["NotifyEvent"]["eventData"][0], "techInfo": "idToken 04DEADBEEF"}]}
    say(station, "NotifyEvent", {**NEUTRAL_201["NotifyEvent"], **event})
    say(
        station,
        "NotifyCustomerInformation",
        {**NEUTRAL_201["NotifyCustomerInformation"], "data": "04DEADBEEF"},
    )
    say(station, "Authorize", {"idToken": {"idToken": "04DEADBEEF", "type": "ISO14443"}})
    assert len(happened(station, "neutral")) == 2
    assert "04DEADBEEF" not in str(happened(station, "neutral"))
