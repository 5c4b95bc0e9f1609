"""Payloads as the same messages whatever the version; tokens do not show."""

from __future__ import annotations

import pytest
from ocpp.v16.enums import AuthorizationStatus

from stations.ocpp import messages as m
from stations.ocpp import v2, v16
from stations.ocpp.rpc import CallFailed
from tests.factories import NOW


def test_both_versions_become_the_same_message() -> None:
    boot_16 = {"chargePointVendor": "V", "chargePointModel": "M", "firmwareVersion": "1"}
    boot_2 = {
        "reason": "PowerUp",
        "chargingStation": {"vendorName": "V", "model": "M", "firmwareVersion": "1"},
    }
    assert v16.decode("BootNotification", boot_16) == m.BootNotification("V", "M", "", "1", "")
    assert v2.decode("BootNotification", boot_2) == m.BootNotification("V", "M", "", "1", "PowerUp")
    id_token = {"idToken": {"idToken": "x", "type": "Local"}}
    assert (
        v16.decode("Authorize", {"idTag": "x"})
        == v2.decode("Authorize", id_token)
        == m.Authorize(m.IdToken("x"))
    )


def test_no_token_shows_in_a_repr() -> None:
    start = {"connectorId": 1, "idTag": "04DEADBEEF", "meterStart": 0, "timestamp": "2026-07-01T12:00:00Z"}
    assert "04DEADBEEF" not in repr(v16.decode("StartTransaction", start))
    assert "04DEADBEEF" not in repr(m.Neutral("NotifyEvent", {"x": "04DEADBEEF"}))


@pytest.mark.parametrize(
    "text",
    ["2026-07-01T12:00:00Z", "2026-07-01T14:00:00+02:00", "2026-07-01T12:00:00", "2026-07-01T12:00:00.000Z"],
)
def test_times_of_all_spellings_are_the_same_moment(text: str) -> None:
    payload = {"connectorId": 1, "idTag": "x", "meterStart": 0, "timestamp": text}
    message = v16.decode("StartTransaction", payload)
    assert isinstance(message, m.StartTransaction)
    assert message.at == NOW


def test_a_register_beyond_reason_is_refused() -> None:
    payload = {"connectorId": 1, "idTag": "x", "meterStart": 10**18, "timestamp": "2026-07-01T12:00:00Z"}
    with pytest.raises(CallFailed, match="meterStart"):
        v16.decode("StartTransaction", payload)


def test_components_and_variables_have_one_spelling() -> None:
    connector = {"name": "Connector", "evse": {"id": 1, "connectorId": 2}}
    assert v2.component_text(connector) == "Connector#1.2"
    assert v2.component_text({"name": "EVSE", "evse": {"id": 1}}) == "EVSE#1"
    assert v2.component_text({"name": "OCPPCommCtrlr", "instance": "main"}) == "OCPPCommCtrlr[main]"
    assert (
        v2.instance_text({"name": "Entries", "instance": "ChargingProfiles"}) == "Entries[ChargingProfiles]"
    )


def test_only_16_gives_out_transaction_numbers() -> None:
    with pytest.raises(TypeError):
        v2.encode_reply(m.TransactionStarted(1, m.Verdict(AuthorizationStatus.accepted)))
