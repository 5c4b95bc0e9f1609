"""What was seen from real stations when they were limited, each on the line itself; the docstrings say what."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from smartcharging import dispatch, services
from smartcharging.models import Comparison, DesiredProfile
from stations import commands
from stations.models import Capabilities, Command, Station
from stations.objections import Objected
from tests.factories import make_capabilities, make_station
from tests.fakes.portal import Portal
from tests.fakes.station import PASSWORD, FakeStation, Question
from tests.fakes.until import until

pytestmark = pytest.mark.xdist_group("portal")

VERSIONS = ["1.6", "2.0.1", "2.1"]
BOOT = {"chargePointVendor": "V", "chargePointModel": "M", "firmwareVersion": "1"}


def wants(station: Station, *limits: float, **options: Any) -> DesiredProfile:
    """The operator wants these limits of the whole station, a quarter of an hour each."""
    said: dict[str, Any] = {
        "name": "Netbewust",
        "purpose": "station_max",
        "kind": "absolute",
        "unit": "A",
        "stack_level": 1,
        "start_schedule": timezone.now(),
        "duration_s": 86_400,
        "periods": [services.LimitPeriod(900 * at, limit) for at, limit in enumerate(limits)],
    }
    return services.set_profile(station=station, now=timezone.now(), **{**said, **options})


def becomes(row: DesiredProfile, *states: str) -> DesiredProfile:
    def look() -> bool:
        dispatch.reconcile(row.station_id, timezone.now())
        row.refresh_from_db()
        return row.state in states

    until(look)
    return row


def asked(line: FakeStation, station: Station, action: str) -> Question:
    """The next question of this kind; whatever else the portal asks is refused."""
    dispatch.reconcile(station.pk, timezone.now())
    while (question := line.question()).action != action:
        line.answer_error(question, "NotSupported")
    return question


def schedule_of(question: Question) -> dict[str, Any]:
    profile = question.payload.get("csChargingProfiles") or question.payload["chargingProfile"]
    schedule = profile["chargingSchedule"]
    first: dict[str, Any] = schedule[0] if isinstance(schedule, list) else schedule
    return first


def composite(version: str, start: datetime, *periods: tuple[int, float], unit: str = "A") -> dict[str, Any]:
    at = start.strftime("%Y-%m-%dT%H:%M:%SZ")
    schedule: dict[str, Any] = {
        "duration": 86_400,
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": [{"startPeriod": second, "limit": limit} for second, limit in periods],
    }
    if version == "1.6":
        return {"status": "Accepted", "connectorId": 0, "scheduleStart": at, "chargingSchedule": schedule}
    return {"status": "Accepted", "schedule": {"evseId": 0, "scheduleStart": at, **schedule}}


def test_a_rate_unit_key_spelled_power(portal: Portal) -> None:
    """A rate unit key spelled `Power`: read as W, and what is wanted in A is refused before it is sent."""
    station = make_station(password=PASSWORD)
    keys = {
        "ChargingScheduleAllowedChargingRateUnit": "Power",
        "ChargeProfileMaxStackLevel": "5",
        "ChargingScheduleMaxPeriods": "24",
        "MaxChargingProfilesInstalled": "10",
    }
    with FakeStation(portal.port, station.identity) as line:
        line.call("BootNotification", BOOT)
        listed = [{"key": key, "readonly": True, "value": value} for key, value in keys.items()]
        line.answer(line.question("GetConfiguration"), {"configurationKey": listed})
        said = until(lambda: Capabilities.objects.filter(station=station).first())
        assert said
        assert said.rate_units == ["W"]
        station = Station.objects.get(pk=station.pk)
        with pytest.raises(services.CannotSet) as refused:
            wants(station, 14)
        assert refused.value.field == "unit"
        wants(station, 9660, unit="W")
        assert schedule_of(asked(line, station, "SetChargingProfile"))["chargingRateUnit"] == "W"


@pytest.mark.parametrize("version", VERSIONS)
def test_every_profile_in_amperes_refused(portal: Portal, version: str) -> None:
    """Every profile in A refused: named so, sent once, and the same limit in W still gets its turn."""
    station = make_station(version=version, password=PASSWORD)
    make_capabilities(station)
    with FakeStation(portal.port, station.identity, version=version) as line:
        row = wants(station, 14)
        line.answer(asked(line, station, "SetChargingProfile"), {"status": "Rejected"})
        becomes(row, "refused")
        assert "Rejected" in row.reason
        dispatch.reconcile(station.pk, timezone.now())
        assert not line.is_asked("SetChargingProfile")
        in_watts = wants(station, 9660, unit="W")
        question = asked(line, station, "SetChargingProfile")
        assert schedule_of(question)["chargingRateUnit"] == "W"
        line.answer(question, {"status": "Accepted"})
        becomes(in_watts, "accepted", "confirmed")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_limit_with_a_decimal_refused_for_its_floating_point(portal: Portal, version: str) -> None:
    """A schedule with a limit of 14.1 refused because of floating-point `multipleOf`: prefer whole units where the
    operator gave whole units, and write tenths as tenths."""
    station = make_station(version=version, password=PASSWORD)
    make_capabilities(station)
    with FakeStation(portal.port, station.identity, version=version) as line:
        line.call("Heartbeat", {})
        row = wants(station, 14.0, 10.5, 0.1 + 14, 7)
        dispatch.reconcile(station.pk, timezone.now())
        text = ""
        while "SetChargingProfile" not in text:
            text = str(line.socket.recv(timeout=30))
        assert [part.split("}")[0].split(",")[0] for part in text.split('"limit":')[1:]] == [
            "14",
            "10.5",
            "14.1",
            "7",
        ]
        line.send([3, text.split('"')[1], {"status": "Rejected"}])
        becomes(row, "refused")


@pytest.mark.parametrize("version", VERSIONS)
def test_more_than_ten_periods_refused_although_24_are_advertised(portal: Portal, version: str) -> None:
    """More than 10 periods refused although 24 are advertised: the refusal stands, in the station's words, and ten of
    them still get through."""
    station = make_station(version=version, password=PASSWORD)
    make_capabilities(station, max_periods=24)
    with FakeStation(portal.port, station.identity, version=version) as line:
        row = wants(station, *range(6, 18), 17)
        question = asked(line, station, "SetChargingProfile")
        assert len(schedule_of(question)["chargingSchedulePeriod"]) > 10
        line.answer(question, {"status": "Rejected"})
        becomes(row, "refused")
        shorter = wants(station, *range(6, 16))
        line.answer(asked(line, station, "SetChargingProfile"), {"status": "Accepted"})
        becomes(shorter, "accepted", "confirmed")


STARTED = timedelta(hours=1)
WRONG = {
    "a composite that ignores startSchedule": ((0, 6.0), (900, 16.0)),
    "a composite that leaves ChargePointMax out": ((0, 25.0),),
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("what", WRONG)
def test_a_composite_that_leaves_something_out_is_no_confirmation(
    portal: Portal, version: str, what: str
) -> None:
    """A composite that ignores startSchedule, or leaves ChargePointMax out: it differs, and says nothing stands."""
    station = make_station(version=version, password=PASSWORD)
    make_capabilities(station)
    with FakeStation(portal.port, station.identity, version=version) as line:
        row = wants(station, 6, 16, start_schedule=timezone.now() - STARTED)
        line.answer(asked(line, station, "SetChargingProfile"), {"status": "Accepted"})
        becomes(row, "accepted")
        question = asked(line, station, "GetCompositeSchedule")
        line.answer(question, composite(version, timezone.now(), *WRONG[what]))

        def compared() -> Comparison | None:
            dispatch.reconcile(station.pk, timezone.now())
            return Comparison.objects.filter(reported__station=station).order_by("pk").first()

        comparison = until(compared)
    assert comparison
    assert comparison.reported.state == "read"
    assert comparison.verdict == "differs"
    row.refresh_from_db()
    assert row.state != "confirmed"


def tx_profile(version: str) -> dict[str, Any]:
    periods = [{"startPeriod": 0, "limit": 6}]
    schedule: dict[str, Any] = {"chargingRateUnit": "A", "chargingSchedulePeriod": periods}
    profile: dict[str, Any] = {
        "stackLevel": 1,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative",
    }
    if version == "1.6":
        whole = {"chargingProfileId": 1234, "transactionId": 987_654, "chargingSchedule": schedule}
        return {"connectorId": 1, "csChargingProfiles": {**profile, **whole}}
    whole = {"id": 1234, "transactionId": "t-other", "chargingSchedule": [{"id": 1, **schedule}]}
    return {"evseId": 1, "chargingProfile": {**profile, **whole}}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_tx_profile_for_a_foreign_transaction_accepted(portal: Portal, version: str) -> None:
    """TxProfile for a foreign transaction accepted: refused here with its clause; sent all the same to see what the
    station does, its Accepted makes nothing stand in our records."""
    station = make_station(version=version, password=PASSWORD)
    make_capabilities(station)
    payload = tx_profile(version)
    with pytest.raises(Objected) as objected:
        commands.request(
            station=station, action="SetChargingProfile", payload=payload, now=timezone.now(), check=True
        )
    assert objected.value.objection.clause
    with FakeStation(portal.port, station.identity, version=version) as line:
        line.call("Heartbeat", {})
        command = commands.request(
            station=station, action="SetChargingProfile", payload=payload, now=timezone.now()
        )
        line.answer(asked(line, station, "SetChargingProfile"), {"status": "Accepted"})
        until(lambda: Command.objects.get(pk=command.pk).state == "accepted")
    assert not DesiredProfile.objects.filter(station=station).exists()
