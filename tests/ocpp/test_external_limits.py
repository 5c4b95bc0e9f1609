"""Profiles that a 2.x station reports, limits that others set on it, and what of a huge or odd message is kept."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from stations import commands
from stations.events import Kind
from stations.framelog import frames_of
from stations.handlers.external import MAX_KEPT_BYTES
from stations.models import Command, Event, Station
from stations.ocpp.rpc import CallFailed
from tests.factories import make_station
from tests.fakes.portal import Portal
from tests.fakes.station import PASSWORD, FakeStation
from tests.fakes.until import until
from tests.ocpp.conversation import happened, say

VERSIONS = ("2.0.1", "2.1")
AT = "2026-07-01T12:00:00Z"
TOKEN = "04DEADBEEF77"


def profile(number: int = 7, *, periods: int = 1, **more: Any) -> dict[str, Any]:
    schedule = {
        "id": 1,
        "startSchedule": AT,
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 900 * n, "limit": 10.5} for n in range(periods)],
    }
    return {
        "id": number,
        "stackLevel": 3,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [schedule],
        **more,
    }


def part(*profiles: dict[str, Any], evse: int = 1, **more: Any) -> dict[str, Any]:
    said = {"requestId": 44, "chargingLimitSource": "CSO", "evseId": evse, "chargingProfile": list(profiles)}
    return {**said, **more}


@pytest.fixture(params=VERSIONS)
def station(request: pytest.FixtureRequest, db: None) -> Station:
    return make_station(version=request.param)


# ---------------------------------------------------------------- what is reported
def test_each_part_of_a_report_is_kept_as_it_was_on_the_wire(station: Station) -> None:
    first = profile(7, transactionId="tx-1", customData={"vendorId": "V", "x": {"y": [1]}})
    assert say(station, "ReportChargingProfiles", part(first, tbc=True)) == {}
    say(station, "ReportChargingProfiles", part(profile(8), profile(9), evse=0, chargingLimitSource="EMS"))
    assert happened(station, "profiles_reported") == [
        {"request_id": 44, "evse": 1, "source": "CSO", "is_last": False, "profiles": [first], "left_out": 0},
        {
            "request_id": 44,
            "evse": 0,
            "source": "EMS",
            "is_last": True,
            "profiles": [profile(8), profile(9)],
            "left_out": 0,
        },
    ]


def test_all_that_21_adds_to_a_profile_is_kept(db: None) -> None:
    station = make_station(version="2.1")
    period = {"startPeriod": 0, "operationMode": "CentralSetpoint", "setpoint": -3e3, "dischargeLimit": -5e3}
    said = profile(
        3,
        chargingProfilePurpose="PriorityCharging",
        chargingProfileKind="Dynamic",
        dynUpdateInterval=60,
        dynUpdateTime=AT,
        maxOfflineDuration=600,
        invalidAfterOfflineDuration=True,
    )
    said["chargingSchedule"][0] |= {
        "useLocalTime": True,
        "limitAtSoC": {"soc": 80, "limit": 6.0},
        "chargingSchedulePeriod": [period],
    }
    say(station, "ReportChargingProfiles", part(said, chargingLimitSource="aFreeText"))
    assert happened(station, "profiles_reported")[0]["profiles"] == [said]


def test_a_repeated_part_is_answered_again_and_tells_the_same(station: Station) -> None:
    for _ in range(2):
        assert say(station, "ReportChargingProfiles", part(profile())) == {}
    first, second = happened(station, "profiles_reported")
    assert first == second


def test_a_report_nobody_asked_for_is_taken_too(station: Station) -> None:
    assert say(station, "ReportChargingProfiles", part(profile(), requestId=-1)) == {}
    assert happened(station, "profiles_reported")[0]["request_id"] == -1


def test_tokens_in_a_profile_are_masked_and_its_transaction_is_not(station: Station) -> None:
    said = profile(1, transactionId="tx-1", customData={"vendorId": "V", "idTag": TOKEN, "id": 5})
    say(station, "ReportChargingProfiles", part(said))
    kept = happened(station, "profiles_reported")[0]["profiles"][0]
    assert kept["customData"] == {"vendorId": "V", "idTag": "•••", "id": 5}
    assert (kept["id"], kept["transactionId"]) == (1, "tx-1")


def test_thousands_of_profiles_make_no_huge_row_and_it_says_so(station: Station) -> None:
    many = [profile(number, periods=3) for number in range(4000)]
    say(station, "ReportChargingProfiles", part(*many))
    (data,) = happened(station, "profiles_reported")
    assert data["profiles"] == many[: len(data["profiles"])], "the first ones, whole"
    assert len(data["profiles"]) + data["left_out"] == 4000
    assert data["left_out"] > 0
    assert len(str(data)) < 1.5 * MAX_KEPT_BYTES


def test_one_giant_profile_is_left_out_and_the_others_are_not(station: Station) -> None:
    giant = profile(1, customData={"vendorId": "V", "blob": "x" * MAX_KEPT_BYTES})
    say(station, "ReportChargingProfiles", part(giant, profile(2)))
    (data,) = happened(station, "profiles_reported")
    assert (data["profiles"], data["left_out"]) == ([profile(2)], 1)


@pytest.mark.parametrize("depth", [100, 300])
def test_a_profile_that_is_nested_too_deep_is_left_out_and_the_others_are_not(
    station: Station, depth: int
) -> None:
    deep: dict[str, Any] = {}
    for _ in range(depth):
        deep = {"x": deep}
    say(station, "ReportChargingProfiles", part(profile(1, customData={"vendorId": "V", **deep}), profile(2)))
    (data,) = happened(station, "profiles_reported")
    assert [one["id"] for one in data["profiles"]] == ([1, 2] if depth == 100 else [2])
    assert data["left_out"] == (0 if depth == 100 else 1)


@pytest.mark.parametrize("action", ["ReportChargingProfiles", "NotifyChargingLimit", "ClearedChargingLimit"])
def test_an_evse_that_cannot_be_is_refused_by_name(station: Station, action: str) -> None:
    payload = {
        "ReportChargingProfiles": part(profile(), evse=101),
        "NotifyChargingLimit": {"chargingLimit": {"chargingLimitSource": "EMS"}, "evseId": 101},
        "ClearedChargingLimit": {"chargingLimitSource": "EMS", "evseId": 101},
    }[action]
    with pytest.raises(CallFailed, match=r"evse\.id") as failed:
        say(station, action, payload)
    assert failed.value.code == "PropertyConstraintViolation"
    assert not Event.objects.exists()


# ---------------------------------------------------------------- limits of others
def test_a_limit_of_another_is_kept_with_its_schedules(station: Station) -> None:
    schedule = profile()["chargingSchedule"][0]
    payload = {
        "evseId": 2,
        "chargingLimit": {"chargingLimitSource": "EMS", "isGridCritical": True},
        "chargingSchedule": [schedule, schedule],
    }
    for _ in range(2):
        assert say(station, "NotifyChargingLimit", payload) == {}
    said = {
        "evse": 2,
        "source": "EMS",
        "is_grid_critical": True,
        "is_local_generation": None,
        "schedules": [schedule, schedule],
        "left_out": 0,
    }
    assert happened(station, "external_limit_set") == [said, said]


def test_a_limit_without_evse_is_the_stations_and_without_a_schedule_unknown(station: Station) -> None:
    say(station, "NotifyChargingLimit", {"chargingLimit": {"chargingLimitSource": "SO"}})
    (data,) = happened(station, "external_limit_set")
    assert (data["evse"], data["schedules"], data["is_grid_critical"]) == (0, [], None)
    assert say(station, "ClearedChargingLimit", {"chargingLimitSource": "SO"}) == {}
    say(station, "ClearedChargingLimit", {"chargingLimitSource": "EMS", "evseId": 2})
    assert happened(station, "external_limit_cleared") == [
        {"evse": 0, "source": "SO"},
        {"evse": 2, "source": "EMS"},
    ]


def test_a_limit_of_many_schedules_is_bounded_too(station: Station) -> None:
    schedule = profile(periods=1000)["chargingSchedule"][0]
    limit = {"chargingLimit": {"chargingLimitSource": "EMS"}, "chargingSchedule": [schedule] * 30}
    say(station, "NotifyChargingLimit", limit)
    (data,) = happened(station, "external_limit_set")
    assert len(data["schedules"]) + data["left_out"] == 30
    assert data["left_out"] > 0


# ---------------------------------------------------------------- 2.1 alone
def test_priority_and_pulled_updates_of_21_have_events_of_their_own(db: None) -> None:
    station = make_station(version="2.1")
    assert say(station, "NotifyPriorityCharging", {"transactionId": "t-1", "activated": True}) == {}
    assert say(station, "PullDynamicScheduleUpdate", {"chargingProfileId": 5}) == {"status": "Rejected"}
    assert happened(station, "priority_charging") == [{"transaction": "t-1", "activated": True}]
    assert happened(station, "dynamic_update_asked") == [{"profile": 5}]


# ---------------------------------------------------------------- over the line
ODD: list[tuple[dict[str, Any], str]] = [
    (part(), "OccurrenceConstraintViolation"),  # no profile at all
    ({"requestId": 44, "chargingLimitSource": "CSO", "evseId": 1}, "OccurrenceConstraintViolation"),
    (part(profile(), tbc="false"), "TypeConstraintViolation"),
    (part(profile(), requestId="44"), "TypeConstraintViolation"),
    (part(profile(), requestId=2**40), "PropertyConstraintViolation"),
    (part(profile(2**40)), "PropertyConstraintViolation"),
    (part(profile(), evse=-1), "PropertyConstraintViolation"),
    (part(profile(), seqNo=0), "FormatViolation"),
    (part(profile(stackLevel="3")), "TypeConstraintViolation"),
    (part(profile(chargingProfilePurpose="Tx")), "PropertyConstraintViolation"),
    (part(profile(chargingSchedule=[])), "OccurrenceConstraintViolation"),
    (part(profile(transactionId="t" * 37)), "PropertyConstraintViolation"),
    (part([]), "TypeConstraintViolation"),  # type: ignore[arg-type]  # a list in place of a profile
]


@pytest.mark.xdist_group("portal")
@pytest.mark.parametrize("version", VERSIONS)
def test_an_odd_report_gets_its_error_by_name_and_the_next_one_is_taken(portal: Portal, version: str) -> None:
    row = make_station(version=version, password=PASSWORD)
    with FakeStation(portal.port, row.identity, version=version) as line:
        for payload, code in ODD:
            answer = line.ask("ReportChargingProfiles", payload)
            assert (answer[0], answer[2]) == (4, code), payload
        assert line.call("ReportChargingProfiles", part(profile())) == {}
    assert len(happened(row, "bad_frame")) == len(ODD)
    assert len(happened(row, "profiles_reported")) == 1


def limit(**more: Any) -> dict[str, Any]:
    return {"chargingLimit": {"chargingLimitSource": "EMS"}, **more}


ODD_LIMITS: list[tuple[str, dict[str, Any], str]] = [
    ("NotifyChargingLimit", {}, "OccurrenceConstraintViolation"),
    ("NotifyChargingLimit", {"chargingLimit": {}}, "OccurrenceConstraintViolation"),
    ("NotifyChargingLimit", limit(chargingSchedule=[]), "OccurrenceConstraintViolation"),
    ("NotifyChargingLimit", limit(chargingSchedule={}), "TypeConstraintViolation"),
    ("NotifyChargingLimit", limit(evseId="1"), "TypeConstraintViolation"),
    ("NotifyChargingLimit", limit(evseId=-1), "PropertyConstraintViolation"),
    ("NotifyChargingLimit", limit(evseId=2**70), "TypeConstraintViolation"),
    ("NotifyChargingLimit", limit(isGridCritical=True), "FormatViolation"),
    ("ClearedChargingLimit", {}, "OccurrenceConstraintViolation"),
    ("ClearedChargingLimit", {"chargingLimitSource": 7}, "TypeConstraintViolation"),
    ("ClearedChargingLimit", {"chargingLimitSource": "E" * 21}, "PropertyConstraintViolation"),
    ("ClearedChargingLimit", {"chargingLimitSource": "EMS", "evseId": 101}, "PropertyConstraintViolation"),
]


@pytest.mark.xdist_group("portal")
@pytest.mark.parametrize("version", VERSIONS)
def test_an_odd_limit_gets_its_error_by_name_and_the_next_one_is_taken(portal: Portal, version: str) -> None:
    row = make_station(version=version, password=PASSWORD)
    with FakeStation(portal.port, row.identity, version=version) as line:
        for action, payload, code in ODD_LIMITS:
            answer = line.ask(action, payload)
            assert (answer[0], answer[2]) == (4, code), (action, payload)
        assert line.call("NotifyChargingLimit", limit(), message_id="again") == {}
        assert line.call("NotifyChargingLimit", limit(), message_id="again") == {}
        assert line.call("ClearedChargingLimit", {"chargingLimitSource": "EMS"}) == {}
    kinds = ("external_limit_set", "external_limit_cleared", "bad_frame")
    assert [len(happened(row, kind)) for kind in kinds] == [2, 1, len(ODD_LIMITS)]


@pytest.mark.xdist_group("portal")
@pytest.mark.parametrize("version", VERSIONS)
def test_a_report_as_large_as_a_frame_may_be_is_taken_in_whole(portal: Portal, version: str) -> None:
    row = make_station(version=version, password=PASSWORD)
    many = [profile(number, periods=20) for number in range(250)]
    with FakeStation(portal.port, row.identity, version=version) as line:
        assert line.call("ReportChargingProfiles", part(*many)) == {}
        deep: Any = {}
        for _ in range(450):
            deep = {"x": deep}
        answer = line.ask("ReportChargingProfiles", part(profile(customData={"vendorId": "V", "x": deep})))
        assert (answer[0], answer[2]) == (4, "FormatViolation")
        assert line.call("Heartbeat", {})["currentTime"]
    (data,) = happened(row, "profiles_reported")
    assert (data["profiles"], data["left_out"]) == (many, 0)


@pytest.mark.xdist_group("portal")
@pytest.mark.parametrize("version", VERSIONS)
def test_profiles_are_asked_for_and_told_in_parts(portal: Portal, version: str) -> None:
    row = make_station(version=version, password=PASSWORD)
    asked = {"requestId": 44, "chargingProfile": {"chargingLimitSource": ["CSO"]}}
    with FakeStation(portal.port, row.identity, version=version) as line:
        line.call("Heartbeat", {})
        command = commands.request(
            station=row, action="GetChargingProfiles", payload=asked, now=timezone.now()
        )
        question = line.question("GetChargingProfiles")
        assert question.payload == asked
        line.answer(question, {"status": "Accepted"})
        said = profile(1, customData={"vendorId": "V", "idToken": TOKEN})
        for number in (1, 2):
            line.call("ReportChargingProfiles", part(said, profile(2), evse=number, tbc=number == 1))
        until(lambda: Command.objects.get(pk=command.pk).state == "accepted")
    parts = happened(row, "profiles_reported")
    assert [(one["evse"], one["is_last"], len(one["profiles"])) for one in parts] == [
        (1, False, 2),
        (2, True, 2),
    ]
    log = [(one.direction, one.kind, one.action) for one in reversed(frames_of(row))]
    assert log[2:] == [
        ("out", "call", "GetChargingProfiles"),
        ("in", "result", "GetChargingProfiles"),
        ("in", "call", "ReportChargingProfiles"),
        ("out", "result", "ReportChargingProfiles"),
        ("in", "call", "ReportChargingProfiles"),
        ("out", "result", "ReportChargingProfiles"),
    ]
    assert not [one.text for one in frames_of(row) if TOKEN in one.text]
    assert TOKEN not in str(parts)


@pytest.mark.xdist_group("portal")
@pytest.mark.parametrize("version", VERSIONS)
def test_no_profiles_is_an_answer_and_not_a_refusal(portal: Portal, version: str) -> None:
    row = make_station(version=version, password=PASSWORD)
    with FakeStation(portal.port, row.identity, version=version) as line:
        line.call("Heartbeat", {})
        command = commands.request(
            station=row,
            action="GetChargingProfiles",
            payload={"requestId": 1, "evseId": 0, "chargingProfile": {}},
            now=timezone.now(),
        )
        line.answer(line.question("GetChargingProfiles"), {"status": "NoProfiles"})
        until(lambda: Command.objects.get(pk=command.pk).state == "accepted")
    assert Command.objects.get(pk=command.pk).response == {"status": "NoProfiles"}
    answered = Event.objects.get(station=row, kind=Kind.COMMAND_ANSWERED)
    assert answered.data["state"] == "accepted"


@pytest.mark.xdist_group("portal")
def test_any_other_answer_to_the_question_for_profiles_has_failed(portal: Portal) -> None:
    row = make_station(version="2.1", password=PASSWORD)
    with FakeStation(portal.port, row.identity, version="2.1") as line:
        line.call("Heartbeat", {})
        for response in ({"status": "Rejected"}, {}, {"status": "Accepted", "profiles": []}):
            command = commands.request(
                station=row,
                action="GetChargingProfiles",
                payload={"requestId": 1, "chargingProfile": {}},
                now=timezone.now(),
            )
            line.answer(line.question("GetChargingProfiles"), response)
            until(lambda pk=command.pk: Command.objects.get(pk=pk).state == "failed")  # type: ignore[misc]
