"""Boot, status, tokens and notices, as a station sees and leaves them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from stations.models import Connector, Event, Evse, Station
from stations.ocpp import v2, v16
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


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
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


# ---------------------------------------------------------------- tokens
def authorized(station: Station, token: str) -> str:
    if station.ocpp_version == "1.6":
        return str(say(station, "Authorize", {"idTag": token})["idTagInfo"]["status"])
    payload = {"idToken": {"idToken": token, "type": "ISO14443"}}
    return str(say(station, "Authorize", payload)["idTokenInfo"]["status"])


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
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
    station = make_station(version="2.0.1", free_vend=Station.FreeVend.NO_TOKEN)
    assert say(station, "Authorize", payload)["idTokenInfo"] == {"status": "Accepted"}


# ---------------------------------------------------------------- notices
def test_vendors_own_messages_are_answered_and_noted() -> None:
    for version in ("1.6", "2.0.1", "2.1"):
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


@pytest.mark.parametrize(
    ("version", "action"),
    [
        ("1.6", "Reset"),
        ("2.0.1", "SetChargingProfile"),
        ("2.0.1", "NotifyPriorityCharging"),
        ("2.1", "Reset"),
    ],
)
def test_what_only_we_may_say_is_not_supported_from_a_station(version: str, action: str) -> None:
    with pytest.raises(CallFailed) as failed:
        v16.decode(action, {}) if version == "1.6" else v2.decode(action, {}, version)
    assert failed.value.code == "NotSupported"
