"""The payloads that go out: valid by the schema of the version, and as short as what was asked."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartcharging.domain.asking import (
    clear_charging_profile,
    get_composite_schedule,
    set_charging_profile,
    short,
)
from smartcharging.domain.profiles import (
    ChargingPeriod,
    ChargingProfile,
    ChargingSchedule,
    Kind,
    Purpose,
    Recurrency,
)
from stations.ocpp.validation import check_request

AMSTERDAM = timezone(timedelta(hours=2))
PROFILE = ChargingProfile(
    id=1000,
    stack_level=3,
    purpose=Purpose.STATION_MAX,
    kind=Kind.ABSOLUTE,
    schedule=ChargingSchedule(
        unit="A",
        periods=(ChargingPeriod(0, 14.0), ChargingPeriod(900, 14.1, 3)),
        start=datetime(2026, 7, 1, 14, 0, 0, 999, tzinfo=AMSTERDAM),
        duration_s=3600,
    ),
    valid_to=datetime(2026, 7, 2, tzinfo=UTC),
)
DAILY = replace(PROFILE, purpose=Purpose.TX_DEFAULT, kind=Kind.RECURRING, recurrency=Recurrency.DAILY)
OF_SESSION = replace(
    PROFILE,
    purpose=Purpose.TX,
    kind=Kind.RELATIVE,
    schedule=replace(PROFILE.schedule, start=None),
    transaction_id=17,
)


@pytest.mark.parametrize("ocpp", ["1.6", "2.0.1", "2.1"])
@pytest.mark.parametrize("profile", [PROFILE, DAILY, OF_SESSION])
def test_every_payload_keeps_the_schema(ocpp: str, profile: ChargingProfile) -> None:
    check_request(ocpp, "SetChargingProfile", set_charging_profile(profile, evse=1, ocpp=ocpp))
    check_request(ocpp, "ClearChargingProfile", clear_charging_profile(1000, ocpp=ocpp))
    question = get_composite_schedule(evse=0, duration_s=86_400, unit="A", ocpp=ocpp)
    check_request(ocpp, "GetCompositeSchedule", question)


def test_the_words_of_16() -> None:
    assert set_charging_profile(PROFILE, evse=0, ocpp="1.6") == {
        "connectorId": 0,
        "csChargingProfiles": {
            "chargingProfileId": 1000,
            "stackLevel": 3,
            "chargingProfilePurpose": "ChargePointMaxProfile",
            "chargingProfileKind": "Absolute",
            "validTo": "2026-07-02T00:00:00Z",
            "chargingSchedule": {
                "duration": 3600,
                "startSchedule": "2026-07-01T12:00:00Z",
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [
                    {"startPeriod": 0, "limit": 14},
                    {"startPeriod": 900, "limit": 14.1, "numberPhases": 3},
                ],
            },
        },
    }


def test_the_words_of_201() -> None:
    payload = set_charging_profile(OF_SESSION, evse=2, ocpp="2.0.1")

    assert payload["evseId"] == 2
    profile = payload["chargingProfile"]
    assert (profile["id"], profile["transactionId"]) == (1000, "17")
    assert profile["chargingSchedule"][0]["id"] == 1
    assert "startSchedule" not in profile["chargingSchedule"][0]


def test_only_the_exact_profile_is_cleared() -> None:
    assert clear_charging_profile(1000, ocpp="1.6") == {"id": 1000}
    assert clear_charging_profile(1000, ocpp="2.0.1") == {"chargingProfileId": 1000}


@given(st.integers(0, 10_000_000))
def test_a_number_goes_out_in_tenths_and_never_with_noise(tenths: int) -> None:
    text = json.dumps(short(tenths / 10 + 1e-9))

    assert text == (str(tenths // 10) if tenths % 10 == 0 else f"{tenths // 10}.{tenths % 10}")
