"""Composites and lists of profiles as real stations send them, over the socket: each is a state with a name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from smartcharging import dispatch, services
from smartcharging.models import DesiredProfile, ExternalLimit, ProfileReport, ReportedSchedule
from smartcharging.readback import ask
from stations.models import Command, Station
from tests.factories import make_capabilities, make_station
from tests.fakes.portal import Portal
from tests.fakes.station import PASSWORD, FakeStation
from tests.fakes.until import until

pytestmark = pytest.mark.xdist_group("portal")
VERSIONS = ["1.6", "2.0.1", "2.1"]
PERIODS = [{"startPeriod": 0, "limit": 14}]

# what is odd about the schedule -> the state by which it is known, per version where they differ
ODD: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, "read"),
    "a limit of -1": ({"chargingSchedulePeriod": [{"startPeriod": 0, "limit": -1}]}, "no_limit"),
    "watts when asked for amperes": ({"chargingRateUnit": "W"}, "other_unit"),
    "a unit spelled Power": ({"chargingRateUnit": "Power"}, "malformed"),
    "a start period with a fraction": (
        {"chargingSchedulePeriod": [{"startPeriod": 0.0, "limit": 14}]},
        "read",
    ),
    "a limit off by a float": (
        {"chargingSchedulePeriod": [{"startPeriod": 0, "limit": 14.100000000000001}]},
        "read",
    ),
    "no periods in an absurd duration": (
        {"duration": 8638204637958, "chargingSchedulePeriod": []},
        "malformed",
    ),
    "an absurd duration": ({"duration": 8638204637958}, "read"),
    "no start": ({"scheduleStart": None}, "read"),
    "periods that run back": (
        {"chargingSchedulePeriod": [*PERIODS, {"startPeriod": -5, "limit": 6}]},
        "malformed",
    ),
}


def composite(version: str, odd: dict[str, Any]) -> dict[str, Any]:
    start = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    schedule = {"duration": 86_400, "chargingRateUnit": "A", "chargingSchedulePeriod": PERIODS, **odd}
    if version == "1.6":
        outer = {} if "scheduleStart" in odd else {"scheduleStart": start}
        schedule.pop("scheduleStart", None)
        return {"status": "Accepted", "connectorId": 0, **outer, "chargingSchedule": schedule}
    schedule = {"evseId": 0, "scheduleStart": start, **schedule}
    if schedule["scheduleStart"] is None:
        del schedule["scheduleStart"]
    return {"status": "Accepted", "schedule": schedule}


def asked(station: Station, line: FakeStation, answer: dict[str, Any]) -> ReportedSchedule:
    """The station is asked for its composite over the socket and answers so; taken in, it is this row."""
    command = ask(station, evse=0, unit="A", now=timezone.now())
    line.answer(line.question("GetCompositeSchedule"), answer)
    until(lambda: not Command.objects.filter(pk=command.pk, state__in=Command.OPEN).exists())
    dispatch.reconcile(station.pk, timezone.now())
    return ReportedSchedule.objects.get(command=command)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_odd_composite_is_a_state_with_a_name(portal: Portal, version: str) -> None:
    """A composite asked in A answered with limit -1; with `duration: 8638204637958` and no periods; W when asked for A;
    `startPeriod` as a float; Rejected, empty, with or without startSchedule."""
    station = make_station(version=version, password=PASSWORD)
    found, wanted = {}, {}
    with FakeStation(portal.port, station.identity, version=version) as line:
        for name, (odd, state) in ODD.items():
            found[name] = asked(station, line, composite(version, odd)).state
            wanted[name] = state
        found["no schedule"] = asked(station, line, {"status": "Accepted"}).state
        found["rejected"] = asked(station, line, {"status": "Rejected"}).state
        found["neither"] = asked(station, line, {}).state
    assert found == {**wanted, "no schedule": "empty", "rejected": "rejected", "neither": "rejected"}


def test_a_period_of_2_1_without_a_limit_is_read_with_what_it_says(portal: Portal) -> None:
    station = make_station(version="2.1", password=PASSWORD)
    period = {
        "startPeriod": 0,
        "operationMode": "CentralSetpoint",
        "setpoint": -3000,
        "dischargeLimit": -5000,
    }
    with FakeStation(portal.port, station.identity, version="2.1") as line:
        odd = {
            "chargingRateUnit": "W",
            "chargingSchedulePeriod": [period, {"startPeriod": 60, "limit": 7000}],
        }
        row = asked(station, line, composite("2.1", odd))
    assert row.state == "other_unit"
    assert row.periods == [
        {
            "start_s": 0,
            "limit": None,
            "phases": None,
            "operation": {"mode": "CentralSetpoint", "setpoint": -3000, "discharge_limit": -5000},
        },
        {"start_s": 60, "limit": 7000, "phases": None},
    ]


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_after_a_new_connection_the_list_comes_over_the_socket_and_a_lost_limit_is_put_back(
    portal: Portal, version: str
) -> None:
    station = make_station(version=version, password=PASSWORD)
    make_capabilities(station)
    row = services.set_profile(
        station=station,
        name="Netbewust",
        purpose="station_max",
        kind="absolute",
        unit="A",
        periods=[services.LimitPeriod(0, 14)],
        stack_level=1,
        start_schedule=timezone.now(),
        duration_s=86_400,
        now=timezone.now(),
    )
    ago = timezone.now() - timedelta(hours=1)
    DesiredProfile.objects.filter(pk=row.pk).update(state="confirmed", settled_at=ago, confirmed_at=ago)
    with FakeStation(portal.port, station.identity, version=version) as line:
        dispatch.reconcile(station.pk, timezone.now())
        question = line.question("GetChargingProfiles")
        line.answer(question, {"status": "Accepted"})
        request_id = question.payload["requestId"]
        other = {
            "id": 7,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Relative",
            "chargingSchedule": [{"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": PERIODS}],
        }
        part = {
            "requestId": request_id,
            "chargingLimitSource": "CSO",
            "evseId": 1,
            "chargingProfile": [other],
        }
        line.call("ReportChargingProfiles", {**part, "tbc": True})
        line.call("ReportChargingProfiles", {**part, "tbc": True})  # again: some do, after a hiccup
        line.call("ReportChargingProfiles", {**part, "evseId": 2, "tbc": False})
        limit = {
            "chargingLimit": {"chargingLimitSource": "EMS"},
            "chargingSchedule": [{"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": PERIODS}],
        }
        line.call("NotifyChargingLimit", limit)

        def listed() -> bool:
            dispatch.reconcile(station.pk, timezone.now())
            return ProfileReport.objects.filter(station=station, state="complete").exists()

        until(listed)
        while (sent := line.question()).action != "SetChargingProfile":
            if sent.action == "GetChargingProfiles":  # once more, where the first came too late for somebody
                line.answer(sent, {"status": "Accepted"})
                again = {**part, "requestId": sent.payload["requestId"]}
                line.call("ReportChargingProfiles", {**again, "tbc": True})
                line.call("ReportChargingProfiles", {**again, "evseId": 2, "tbc": False})
            else:
                line.answer(sent, {"status": "Rejected"})
        until(lambda: ExternalLimit.objects.filter(station=station).exists())
    assert sent.payload["chargingProfile"]["id"] == row.profile_id
    report = ProfileReport.objects.filter(station=station).earliest("pk")
    assert [(item.evse_number, item.profile_id) for item in report.profiles.all()] == [(1, 7), (2, 7)]
    drift = row.drifts.get()
    assert (drift.reason_code, drift.occasion) == ("not_listed", "reconnect")
