"""The live probe of 206 against stations that answer: the verdict, the steps, and what stands afterwards."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from portal.compliance import dossier, evidence, probes, running
from portal.compliance.models import Evidence, Judgement, Probe, Status
from portal.compliance.reproduce import reproduce
from smartcharging.models import Delivery, DesiredProfile
from stations.models import ChargingSession, Command, Connector, Presence
from tests.compliance.fakes import FakeStation, make_fake
from tests.factories import NOW, make_command, make_session

pytestmark = pytest.mark.django_db
# Each step is committed as it happens, with what follows a commit: slow where that goes by Redis, so not everywhere.
committed = pytest.mark.django_db(transaction=True)


def probed(station: FakeStation, **options: Any) -> Probe:
    probe = probes.start_probe(
        station=station.row, code="206", requested_by=None, now=station.clock.at, **options
    )
    running.run(probe.pk, clock=station.clock, sleep=station.sleep)
    probe.refresh_from_db()
    return probe


def evidence_of(probe: Probe) -> Evidence:
    assert probe.evidence is not None
    probe.evidence.refresh_from_db()
    return probe.evidence


def our_limit(
    station: FakeStation, *, limit: float = 10.0, purpose: str = "tx_default", evse: int = 0
) -> None:
    """A limit of ours that stands on the station, and that our records know of."""
    row = DesiredProfile.objects.create(
        station=station.row,
        evse_number=evse,
        name="Night",
        profile_id=1000 + DesiredProfile.objects.count(),
        purpose=purpose,
        kind="absolute",
        stack_level=0,
        unit="A",
        start_schedule=NOW - dt.timedelta(days=1),
        periods=[{"start_s": 0, "limit": limit, "phases": None}],
        state="confirmed",
        requested_at=NOW,
        settled_at=NOW,
    )
    from portal.compliance.restoring import set_payload

    payload = set_payload(row, station.row)
    command = make_command(station.row, "SetChargingProfile", payload=payload, state="accepted")
    Delivery.objects.create(desired=row, command=command, intent="set")
    station.answer("SetChargingProfile", payload)


@committed
@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_a_good_station_is_proven(version: str) -> None:
    station = make_fake(version=version)
    probe = probed(station)
    assert (probe.state, probe.verdict) == ("done", "proven"), probe.reason
    assert probe.restored is True
    assert station.profiles == []
    row = evidence_of(probe)
    figures = {figure["key"]: figure["value"] for figure in row.figures}
    assert figures["levels_seen_station_max"] == figures["levels_seen_tx_default"] == 6
    assert figures["levels_returned_station_max"] == figures["levels_returned_tx_default"] == 5
    assert Judgement.objects.get(station=station.row).status == Status.PROVEN
    assert (station.clock.at - NOW).total_seconds() < 60
    assert len(row.frames) == 2 * len(station.asked)


def test_a_station_that_keeps_the_last_profile_only_deviates() -> None:
    station = make_fake(one_per_purpose=True)
    probe = probed(station)
    assert probe.verdict == "deviation"
    assert (
        "Level 5 of ChargePointMaxProfile on the whole station was cleared, and level 4 did not return"
        in probe.reason
    )
    assert probe.restored is True
    assert Judgement.objects.get(station=station.row).status == Status.DEVIATION


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_a_refused_level_deviates(version: str) -> None:
    station = make_fake(version=version, highest_level=4)
    probe = probed(station)
    assert probe.verdict == "deviation"
    assert "refused level 5" in probe.reason
    assert station.profiles == []


def test_a_place_that_is_taken_is_no_deviation() -> None:
    station = make_fake(version="2.0.1", highest_level=4, reason_code="DuplicateProfile")
    assert probed(station).verdict == "undecided"


def test_defaults_left_out_while_idle_decide_nothing() -> None:
    station = make_fake(leaves_defaults_out=True)
    probe = probed(station)
    assert probe.verdict == "undecided"
    assert "Repeat the probe while a car charges" in probe.reason
    assert Judgement.objects.get(station=station.row).status == Status.NOT_ASSESSED


def test_the_same_station_is_proven_while_cars_charge() -> None:
    station = make_fake(leaves_defaults_out=True, charging=(1, 2))
    make_session(station.row, evse_number=1, started_at=NOW)
    make_session(station.row, evse_number=2, started_at=NOW)
    probe = probed(station, while_charging=True)
    assert probe.verdict == "proven", probe.reason


def test_a_station_that_answers_in_watts_is_proven() -> None:
    assert probed(make_fake(answers_in="W")).verdict == "proven"


def test_a_station_without_a_composite_for_connector_0_is_proven() -> None:
    assert probed(make_fake(rejects_station_composite=True)).verdict == "proven"


@committed
def test_our_own_limits_are_put_back() -> None:
    station = make_fake()
    our_limit(station, limit=10.0)
    our_limit(station, limit=20.0, purpose="station_max")
    stood = sorted(station.profiles, key=str)
    probe = probed(station)
    assert (probe.verdict, probe.restored) == ("proven", True), probe.reason
    assert sorted(station.profiles, key=str) == stood
    limits = [
        level[2] for stack in evidence_of(probe).configuration["probe"]["stacks"] for level in stack["levels"]
    ]
    assert max(limits) < 10, "no limit of the probe may lie above what stood"


@committed
def test_our_own_limits_are_put_back_on_2() -> None:
    station = make_fake(version="2.0.1")
    our_limit(station, limit=13.0)
    probe = probed(station)
    assert (probe.verdict, probe.restored) == ("proven", True), probe.reason
    assert len(station.profiles) == 1


def test_a_profile_of_someone_else_is_not_overwritten() -> None:
    station = make_fake()
    our_limit(station, limit=10.0)
    DesiredProfile.objects.all().delete()
    probe = probed(station)
    assert (probe.state, probe.verdict) == ("not_run", "")
    assert "is 20 A, and no limit of ours explains that" in probe.reason
    assert {command.action for command in station.asked} == {"GetCompositeSchedule"}
    assert len(station.profiles) == 1
    assert not Evidence.objects.exists()


def test_a_limit_that_leaves_no_room() -> None:
    station = make_fake()
    our_limit(station, limit=2.0)
    probe = probed(station)
    assert probe.state == "not_run"
    assert "leaves no room" in probe.reason


def test_an_offline_station_is_not_probed() -> None:
    station = make_fake()
    Presence.objects.update(connection=None)
    probe = probed(station)
    assert (probe.state, probe.reason) == ("not_run", "The station is not connected.")
    assert station.asked == []


@pytest.mark.parametrize("status", ["Charging", "Preparing", "Occupied"])
def test_not_while_a_car_is_there(status: str) -> None:
    station = make_fake()
    Connector.objects.filter(evse__station=station.row, evse__number=2).update(status=status)
    probe = probed(station)
    assert probe.state == "not_run"
    assert "A car is connected to socket B" in probe.reason


def test_a_car_that_comes_stops_the_probe_and_the_station_is_restored() -> None:
    station = make_fake()

    def car_comes(fake: FakeStation, _command: Command) -> None:
        if len(fake.asked) == 12:
            Connector.objects.filter(evse__station=fake.row, evse__number=1).update(status="Preparing")

    station.on_command = car_comes
    probe = probed(station)
    assert (probe.state, probe.restored) == ("not_run", True)
    assert "A car was connected to socket A" in probe.reason
    assert station.profiles == []


@committed
def test_a_stop_that_was_asked_for() -> None:
    station = make_fake()

    def someone_stops(fake: FakeStation, _command: Command) -> None:
        if len(fake.asked) == 6:
            assert probes.cancel_probe(Probe.objects.get(), now=fake.clock.at)

    station.on_command = someone_stops
    probe = probed(station)
    assert (probe.state, probe.restored, probe.reason) == ("cancelled", True, "The probe was stopped.")
    assert station.profiles == []


@committed
def test_a_station_that_falls_silent_is_restored_when_it_is_back() -> None:
    station = make_fake()
    our_limit(station, limit=10.0)
    station.silent_after = 18
    probe = probed(station)
    assert probe.state == "restoring"
    assert probe.before["left"]
    assert len(station.profiles) > 1
    station.silent_after = 10**9
    station.clock.at += dt.timedelta(seconds=90)
    Presence.objects.update(renewed_at=station.clock.at)
    assert running.recover(clock=station.clock, sleep=station.sleep) == 1
    probe.refresh_from_db()
    assert (probe.state, probe.restored) == ("not_run", True)
    assert "no longer answers" in probe.reason
    assert [profile["chargingProfileId"] for _, profile in station.profiles] == [1000]


@committed
@pytest.mark.parametrize("commands_before", [3, 5, 9, 16, 25, 40, 70])
def test_a_crash_anywhere_leaves_enough_to_restore(commands_before: int) -> None:
    station = make_fake()
    our_limit(station, limit=10.0)
    our_limit(station, limit=20.0, purpose="station_max")

    class Killed(BaseException):
        """The process dies: nothing of ours runs after it."""

    def dies(fake: FakeStation, _command: Command) -> None:
        if len(fake.asked) == commands_before:
            raise Killed

    station.on_command = dies
    with pytest.raises(Killed):
        probed(station)
    station.on_command = None
    Command.objects.filter(state="sent").update(state="unknown")
    station.clock.at += dt.timedelta(seconds=90)
    Presence.objects.update(renewed_at=station.clock.at)
    assert running.recover(clock=station.clock, sleep=station.sleep) == 1
    probe = Probe.objects.get()
    assert probe.state == "not_run"
    assert sorted(profile["chargingProfileId"] for _, profile in station.profiles) == [1000, 1001]


def test_a_living_probe_is_not_taken_up() -> None:
    station = make_fake()
    probe = probes.start_probe(station=station.row, code="206", requested_by=None, now=NOW)
    Probe.objects.filter(pk=probe.pk).update(state="running", heartbeat_at=NOW)
    station.clock.at += dt.timedelta(seconds=50)
    assert running.recover(clock=station.clock, sleep=station.sleep) == 0


@committed
def test_only_one_runner_gets_a_probe() -> None:
    station = make_fake()
    probe = probed(station)
    asked = len(station.asked)
    running.run(probe.pk, clock=station.clock, sleep=station.sleep)
    assert len(station.asked) == asked


def test_one_open_probe_for_a_station() -> None:
    station = make_fake()
    probes.start_probe(station=station.row, code="206", requested_by=None, now=NOW)
    with pytest.raises(probes.CannotProbe):
        probes.start_probe(station=station.row, code="206", requested_by=None, now=NOW)


def test_a_station_that_does_not_clear_is_said_not_to_be_restored() -> None:
    station = make_fake(drops_clears=True)
    probe = probed(station)
    assert probe.verdict == "deviation"
    assert probe.restored is False
    figure = next(figure for figure in evidence_of(probe).figures if figure["key"] == "restored")
    assert figure["holds"] is False


def test_evidence_judged_again_says_the_same() -> None:
    for flags in ({}, {"one_per_purpose": True}, {"leaves_defaults_out": True}):
        station = make_fake(**flags)  # type: ignore[arg-type]
        row = evidence_of(probed(station))
        again = reproduce(row)
        assert again.is_computed
        assert again.is_same, again.differences
        assert again.finding is not None
        assert again.finding.verdict == row.verdict
    assert evidence.verify(row.concession) is None


def test_the_page_has_what_was_expected_beside_what_was_reported() -> None:
    row = evidence_of(probed(make_fake(one_per_purpose=True)))
    page = dossier.dossier(row)
    assert page.chain_holds
    assert "206" not in page.sentence
    # Asked three times, as a station may be slow to take a profile in: the last answer counts.
    assert [reading.holds for reading in page.readings[:3]] == [None, None, False]
    reading = page.readings[2]
    assert len(reading.expected) == 6
    assert reading.holds is False
    assert [step.limit for step in reading.expected] != [step.limit for step in reading.reported]
    assert ChargingSession.objects.count() == 0
