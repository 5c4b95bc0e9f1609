"""No token and no secret survives in what is kept of a frame; everything else does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stations.ocpp.masking import MASK, mask_payload, mask_text

TOKEN = "04A1B2C3D4"
PASSWORD = "hunter2-hunter2"


def component(name: str, variable: str) -> dict[str, Any]:
    return {"component": {"name": name}, "variable": {"name": variable}}


SENSITIVE = [
    ("Authorize", {"idTag": TOKEN}),
    ("Authorize", {"IDTAG": TOKEN}),
    ("SetNetworkProfile", {"connectionData": {"vpn": {"server": "vpn", "key": PASSWORD, "type": "IPSec"}}}),
    ("SetNetworkProfile", {"connectionData": {"apn": {"apn": "net", "simPin": PASSWORD}}}),
    ("Authorize", {"idToken": {"idToken": TOKEN, "type": "ISO14443"}}),
    (
        "Authorize",
        {
            "idToken": {
                "idToken": "x",
                "type": "eMAID",
                "additionalInfo": [{"additionalIdToken": TOKEN, "type": "t"}],
            }
        },
    ),
    ("Authorize", {"idTagInfo": {"status": "Accepted", "parentIdTag": TOKEN}}),
    (
        "Authorize",
        {"idTokenInfo": {"status": "Accepted", "groupIdToken": {"idToken": TOKEN, "type": "Local"}}},
    ),
    (
        "StartTransaction",
        {"connectorId": 1, "idTag": TOKEN, "meterStart": 0, "timestamp": "2026-01-01T00:00:00Z"},
    ),
    (
        "SendLocalList",
        {"listVersion": 1, "localAuthorizationList": [{"idTag": TOKEN, "idTagInfo": {"status": "Blocked"}}]},
    ),
    ("RequestStartTransaction", {"idToken": {"idToken": TOKEN, "type": "Central"}, "remoteStartId": 1}),
    ("NotifyCustomerInformation", {"data": f"name, {TOKEN}", "requestId": 1}),
    ("CustomerInformation", {"customerIdentifier": TOKEN, "report": True}),
    ("DataTransfer", {"vendorId": "v", "data": json.dumps({"idTag": TOKEN})}),
    ("DataTransfer", {"vendorId": "v", "data": f"idTag={TOKEN}"}),
    ("SecurityEventNotification", {"type": "InvalidToken", "techInfo": f"idToken {TOKEN} refused"}),
    ("ChangeConfiguration", {"key": "AuthorizationKey", "value": PASSWORD}),
    (
        "GetConfiguration",
        {"configurationKey": [{"key": "AuthorizationKey", "readonly": False, "value": PASSWORD}]},
    ),
    ("GetConfiguration", {"configurationKey": [{"key": "WifiPSK", "readonly": False, "value": PASSWORD}]}),
    (
        "SetVariables",
        {
            "setVariableData": [
                {**component("SecurityCtrlr", "BasicAuthPassword"), "attributeValue": PASSWORD}
            ]
        },
    ),
    (
        "GetVariables",
        {
            "getVariableResult": [
                {
                    **component("SecurityCtrlr", "BasicAuthPassword"),
                    "attributeStatus": "Accepted",
                    "attributeValue": PASSWORD,
                }
            ]
        },
    ),
    (
        "NotifyReport",
        {
            "reportData": [
                {
                    **component("SecurityCtrlr", "BasicAuthPassword"),
                    "variableAttribute": [{"value": PASSWORD}],
                }
            ]
        },
    ),
    ("NotifyEvent", {"eventData": [{**component("TokenReader", "Token"), "actualValue": TOKEN}]}),
    (
        "SetNetworkProfile",
        {"connectionData": {"apn": {"apn": "x", "apnUserName": "u", "apnPassword": PASSWORD}}},
    ),
    ("GetDiagnostics", {"location": f"ftp://someone:{PASSWORD}@files.example/d"}),
    ("InstallCertificate", {"certificate": f"-----BEGIN PRIVATE KEY-----\n{PASSWORD}"}),
]


@pytest.mark.parametrize(("action", "payload"), SENSITIVE)
@pytest.mark.parametrize("compact", [True, False])
def test_what_identifies_or_opens_is_masked(action: str, payload: dict[str, Any], compact: bool) -> None:
    text = json.dumps([2, "m1", action, payload], separators=(",", ":") if compact else None)
    masked = mask_text(text, action)
    assert TOKEN not in masked
    assert PASSWORD not in masked
    assert MASK in masked
    assert json.loads(masked)[:3] == [2, "m1", action]
    kept = json.dumps(mask_payload(action, payload))
    assert TOKEN not in kept
    assert PASSWORD not in kept


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("Heartbeat", {}),
        ("StatusNotification", {"connectorId": 1, "status": "Available", "errorCode": "NoError"}),
        ("GetConfiguration", {"configurationKey": [{"key": "HeartbeatInterval", "readonly": False, "value": "300"}]}),
        ("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"}),
        ("TransactionEvent", {"transactionInfo": {"transactionId": "abc"}, "evse": {"id": 1}, "seqNo": 0}),
        ("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": {"chargingProfileId": 1000, "stackLevel": 1}}),
    ],
)  # fmt: skip
def test_what_tells_nothing_stays_as_it_is(action: str, payload: dict[str, Any]) -> None:
    text = json.dumps([2, "m1", action, payload])
    assert mask_text(text, action) == text
    assert mask_payload(action, payload) == payload


def test_the_kind_of_token_and_the_rest_of_the_frame_stay_readable() -> None:
    payload = {"idToken": {"idToken": TOKEN, "type": "ISO14443"}, "evse": {"id": 2}, "seqNo": 3}
    assert mask_payload("TransactionEvent", payload) == {
        "idToken": {"idToken": MASK, "type": "ISO14443"},
        "evse": {"id": 2},
        "seqNo": 3,
    }
    assert payload["idToken"] == {"idToken": TOKEN, "type": "ISO14443"}, "the original is left alone"


@pytest.mark.parametrize(
    "text",
    [
        f'[2,"m","Authorize",{{"id\\u0054ag":"{TOKEN}"}}]',
        f'[2,"m","Authorize",{{"idTag":"{TOKEN}"',
        f"idTag {TOKEN}",
        f'[2,"m","Authorize",{{"idTag":["{TOKEN}",{{"x":"{TOKEN}"}}]}}]',
        f'{{"idTag":"{TOKEN}"}}',
        '[2,"m","X",' + '{"idTag":' * 600 + f'"{TOKEN}"' + "}" * 600 + "]",
        f'[4,"m","PropertyConstraintViolation","idTag: \\"{TOKEN}\\" is longer than 20 characters",{{}}]',
        f'[4,"m","PropertyConstraintViolation","idTag: \'{TOKEN}\' is too long",{{}}]',
    ],
)
def test_a_frame_made_to_get_past_the_mask_does_not(text: str) -> None:
    masked = mask_text(text, "Authorize")
    assert TOKEN not in masked
    json.loads(masked)


SECRET_KEYS = (
    "idTag",
    "idToken",
    "parentIdTag",
    "groupIdToken",
    "additionalIdToken",
    "IdTag",
    "password",
    "apnPassword",
)
names = st.sampled_from(
    ["connectorId", "status", "data", "info", "evse", "value", "x", "customData", "items"]
)
plain = st.none() | st.booleans() | st.integers(-5, 99) | st.text(max_size=5)


def holding(token: Any, inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(st.sampled_from(SECRET_KEYS), token, min_size=1, max_size=2) | inner


nested = st.recursive(
    holding(st.just("SECRETTOKEN42"), plain),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(names, inner, max_size=3)
        | st.dictionaries(st.sampled_from(SECRET_KEYS), inner | st.just("SECRETTOKEN42"), max_size=2)
    ),
    max_leaves=12,
)


# Another test run on the same cores is no reason to fail.
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(payload=st.dictionaries(names, nested, max_size=4), ascii_only=st.booleans())
def test_no_token_survives_wherever_it_stands(payload: dict[str, Any], ascii_only: bool) -> None:
    text = json.dumps([2, "m", "DataTransfer", payload], ensure_ascii=ascii_only)
    masked = mask_text(text, "DataTransfer")
    assert "SECRETTOKEN42" not in masked
    assert json.loads(masked)[0] == 2
    wrapped = json.dumps([2, "m", "DataTransfer", {"vendorId": "v", "data": json.dumps(payload)}])
    assert "SECRETTOKEN42" not in mask_text(wrapped, "DataTransfer")


def test_who_paid_is_masked_in_the_messages_of_21() -> None:
    """pspRef is the idToken of a direct payment (2.1, NotifySettlement)."""
    said = {
        "pspRef": "SECRETTOKEN42",
        "status": "Settled",
        "settlementAmount": 1.5,
        "transactionId": "t-1",
        "receiptId": "SECRETTOKEN42",
        "receiptUrl": "https://receipts.example/SECRETTOKEN42",
        "vatCompany": {"name": "SECRETTOKEN42", "address1": "SECRETTOKEN42", "city": "SECRETTOKEN42"},
    }
    masked = mask_text(json.dumps([2, "m", "NotifySettlement", said]), "NotifySettlement")
    assert "SECRETTOKEN42" not in masked
    assert json.loads(masked)[3]["transactionId"] == "t-1"
    swap = {
        "idToken": {"idToken": "SECRETTOKEN42", "type": "OwnKind"},
        "eventType": "BatteryIn",
        "requestId": 1,
    }
    assert "SECRETTOKEN42" not in mask_text(json.dumps([2, "m", "BatterySwap", swap]), "BatterySwap")
    needs = {"derChargingParameters": {"evInverterSerialNumber": "SECRETTOKEN42", "evInverterModel": "M"}}
    text = mask_text(json.dumps([2, "m", "NotifyEVChargingNeeds", {"chargingNeeds": needs}]))
    assert "SECRETTOKEN42" not in text
    assert '"M"' in text


def test_a_profile_of_21_is_shown_whole() -> None:
    """Nothing in a profile, or in a price, looks like a token to us."""
    schedule = {
        "id": 1,
        "signatureId": 2,
        "digestValue": "abc",
        "chargingRateUnit": "W",
        "absolutePriceSchedule": {"priceScheduleID": 5, "currency": "EUR", "language": "nl"},
        "chargingSchedulePeriod": [{"startPeriod": 0, "setpoint": -1.5, "v2xFreqWattCurve": []}],
    }
    said = {"id": 7, "transactionId": "t-1", "chargingSchedule": [schedule], "priceScheduleSignature": "s"}
    assert mask_payload("ReportChargingProfiles", said) == said
