"""A station that lost a limit: found by its own list or its composite, recorded, repaired by policy or by a person."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from portal.simulator.schedules import Running
from smartcharging import drifts, services
from smartcharging.models import DesiredProfile, Drift, ProfileReport
from smartcharging.policies import DriftPolicy
from smartcharging.standing import complete_report
from stations.events import Kind
from tests.factories import make_session
from tests.smartcharging.conftest import wants
from tests.smartcharging.fake_station import CallErrorAnswer, FakeStation, fresh

State = DesiredProfile.State


@pytest.fixture(autouse=True)
def _in_english() -> Any:
    with translation.override("en"):
        yield


@pytest.fixture(params=["2.0.1", "2.1"])
def lister(request: pytest.FixtureRequest, db: None) -> FakeStation:
    """A station that can list its profiles."""
    fake = FakeStation(request.param, capabilities={})
    fake.connects()
    return fake


def only_shows(station: FakeStation) -> None:
    operator = station.row.site.operator
    DriftPolicy.objects.create(operator=operator, on_drift=DriftPolicy.OnDrift.SHOW)


def asked_of(station: FakeStation) -> list[str]:
    return [action for action, _ in station.seen]


def test_what_a_reboot_took_is_recorded_and_repaired(station: FakeStation) -> None:
    row = wants(station, 14, duration_s=86_400)
    station.works()
    stood_at = fresh(row).confirmed_at
    station.later(3600)
    station.seen.clear()

    station.reboots(forgetting=True)
    station.works(seconds=60)

    assert fresh(row).state == State.CONFIRMED
    assert station.holds() == [row.profile_id]
    drift = Drift.objects.get()
    assert (drift.occasion, drift.end, drift.stood_at) == ("reboot", "repaired", stood_at)
    assert drift.ended_at is not None
    assert drift.ended_at >= drift.found_at
    if station.is_16:
        assert drift.reason_code == "differs"
        assert asked_of(station)[0] == "GetCompositeSchedule"
    else:
        assert drift.reason.startswith("The station does not have it: it is not in its list of profiles.")
        # its own word first, then what that makes of its limits
        assert asked_of(station)[:3] == [
            "GetChargingProfiles",
            "GetCompositeSchedule",
            "SetChargingProfile",
        ]


def test_where_it_is_only_shown_nothing_is_sent_until_somebody_puts_it_back(station: FakeStation) -> None:
    only_shows(station)
    row = wants(station, 14, duration_s=86_400)
    station.works()  # setting it is no repair
    assert fresh(row).state == State.CONFIRMED

    station.later(60)
    station.reboots(forgetting=True)
    station.works(seconds=600)

    assert fresh(row).state == State.DRIFTED
    assert row.settled_at is not None
    assert station.holds() == []
    assert Drift.objects.open().get().desired == row

    drifts.put_back(row, now=station.now)
    station.works()

    assert fresh(row).state == State.CONFIRMED
    assert station.holds() == [row.profile_id]
    assert Drift.objects.get().end == "put_back"
    with pytest.raises(drifts.CannotPutBack):
        drifts.put_back(row, now=station.now)


def test_a_drift_that_ends_without_our_doing_says_so(station: FakeStation) -> None:
    only_shows(station)
    row = wants(station, 14, duration_s=86_400)
    station.works()
    kept = list(station.schedules.profiles)
    station.later(60)
    station.reboots(forgetting=True)
    station.works()

    station.later(60)
    station.schedules.profiles = kept
    station.reboots()
    station.works()

    assert fresh(row).state == State.CONFIRMED
    assert Drift.objects.get().end == "by_itself"


def test_a_reboot_that_loses_nothing_is_no_drift(station: FakeStation) -> None:
    wants(station, 14, duration_s=86_400)
    station.works()
    station.later(60)
    station.reboots()
    station.works()

    assert not Drift.objects.exists()


def test_a_lost_limit_under_a_lower_one_is_found_by_the_list_alone(lister: FakeStation) -> None:
    """The composite is as it should be: only the list tells that the profile under it is gone."""
    hidden = wants(lister, 16, duration_s=86_400, stack_level=0, name="under")
    wants(lister, 10, duration_s=86_400, stack_level=1)
    lister.works()
    assert fresh(hidden).state == State.CONFIRMED

    lister.later(60)
    lister.schedules.clear(lambda profile: profile.profile_id == hidden.profile_id)
    lister.reboots()
    lister.works()

    assert fresh(hidden).state == State.CONFIRMED
    assert hidden.profile_id in lister.holds()
    assert [drift.desired for drift in Drift.objects.all()] == [hidden]


def test_a_profile_that_became_another_names_what_differs(lister: FakeStation) -> None:
    only_shows(lister)
    row = wants(lister, 14, duration_s=86_400)
    lister.works()
    lister.later(60)

    def other_limit(payload: dict[str, Any]) -> dict[str, Any]:
        wire = {**lister.schedules.profiles[0].wire, "stackLevel": 7}
        lister.reports(payload["requestId"], 0, [wire])
        return {"status": "Accepted"}

    lister.answers["GetChargingProfiles"] = other_limit
    lister.reboots()
    lister.works()

    assert fresh(row).state == State.DRIFTED
    assert row.reason == "The station holds another profile under this number: stackLevel."


def test_a_listed_profile_that_the_composite_does_not_follow_is_shown_and_not_sent_again(
    lister: FakeStation,
) -> None:
    row = wants(lister, 14, duration_s=86_400)
    without = {"chargingSchedulePeriod": [{"startPeriod": 0, "limit": 25}]}

    def ignores(payload: dict[str, Any]) -> dict[str, Any]:
        answer = lister.composite(payload)
        answer["schedule"] |= without
        return answer

    lister.answers["GetCompositeSchedule"] = ignores
    lister.works(seconds=600)

    assert fresh(row).state == State.DRIFTED
    assert "does not follow it" in row.reason
    assert "11" in row.reason
    assert lister.times("SetChargingProfile") == 1
    assert Drift.objects.get().occasion == "setting"


@pytest.mark.parametrize("number", [7, 1_000_000])  # others number as they like
def test_profiles_of_others_are_seen_counted_and_left_alone(lister: FakeStation, number: int) -> None:
    """A limit that stood there before us lowers the composite: no drift of ours, and never cleared."""
    foreign = {
        "id": number,
        "stackLevel": 3,
        "chargingProfilePurpose": "ChargingStationMaxProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [
            {
                "id": 1,
                "startSchedule": "2026-01-01T00:00:00Z",
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 8}],
            }
        ],
    }
    lister.schedules.install(lister.read_profile(0, foreign), None)
    row = wants(lister, 14, duration_s=86_400)

    lister.works(seconds=300)

    assert fresh(row).state == State.CONFIRMED, row.reason
    assert lister.holds() == sorted([number, row.profile_id])
    assert lister.times("ClearChargingProfile") == 0
    assert not Drift.objects.exists()
    listed = complete_report(lister.row)
    assert listed is not None
    assert sorted(item.profile["id"] for item in listed.profiles.all()) == sorted([number, row.profile_id])


def test_a_list_in_parts_is_whole_when_the_last_part_came(lister: FakeStation) -> None:
    wants(lister, 14, duration_s=86_400)
    wants(lister, 9, purpose="tx_default", stack_level=0, duration_s=86_400, evse_number=1)
    lister.works()
    lister.later(60)

    lister.reboots()
    lister.works()

    report = ProfileReport.objects.get()
    assert (report.state, report.profiles.count()) == ("complete", 2)
    assert {profile.evse_number for profile in report.profiles.all()} == {0, 1}
    assert not Drift.objects.exists()


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ({"status": "Accepted"}, "incomplete"),  # and no part comes
        ({"status": "NoProfiles"}, "complete"),
        (None, "unanswered"),
    ],
)
def test_a_list_that_does_not_come_has_a_name_and_the_composite_decides(
    lister: FakeStation, answer: dict[str, Any] | None, state: str
) -> None:
    row = wants(lister, 14, duration_s=86_400)
    lister.works()
    lister.later(60)
    lister.answers["GetChargingProfiles"] = lambda payload: answer

    lister.reboots()
    lister.works(seconds=180)

    assert ProfileReport.objects.order_by("pk").first().state == state  # type: ignore[union-attr]
    assert fresh(row).state == State.CONFIRMED
    if state == "complete":
        assert "does not list it" in row.reason
    else:
        listed = complete_report(lister.row)
        lister.row.refresh_from_db()
        assert lister.row.booted_at is not None
        assert listed is None or listed.asked_at < lister.row.booted_at


def test_from_a_list_that_was_not_kept_whole_nothing_is_missing(lister: FakeStation) -> None:
    row = wants(lister, 14, duration_s=86_400)
    lister.works()
    lister.later(60)

    def too_large(payload: dict[str, Any]) -> dict[str, Any]:
        data = {"request_id": payload["requestId"], "evse": 0, "source": "CSO", "is_last": True}
        lister.tells(Kind.PROFILES_REPORTED, **data, profiles=[], left_out=1)
        return {"status": "Accepted"}

    lister.answers["GetChargingProfiles"] = too_large
    lister.reboots()
    lister.works()

    assert ProfileReport.objects.get().state == "incomplete"
    assert (fresh(row).state, row.reason) == (State.CONFIRMED, "")
    assert not Drift.objects.exists()


def test_a_station_that_cannot_list_is_not_asked_again_and_the_composite_decides(lister: FakeStation) -> None:
    row = wants(lister, 14, duration_s=86_400)
    lister.works()
    lister.later(60)
    lister.answers["GetChargingProfiles"] = not_supported

    lister.reboots(forgetting=True)
    lister.works(seconds=120)

    assert ProfileReport.objects.get().state == "refused"
    assert fresh(row).state == State.CONFIRMED
    assert Drift.objects.get().reason_code == "differs"


def not_supported(payload: dict[str, Any]) -> dict[str, Any] | None:
    raise CallErrorAnswer("NotImplemented: no list")


def test_a_limit_of_one_session_may_vanish_at_a_reboot(station: FakeStation) -> None:
    """K01.FR.27: all but TxProfiles survive. It is sent again while its session runs, and that is no drift."""
    only_shows(station)
    make_session(station.row, started_at=station.now, transaction_id="17")
    station.running[1] = Running("17", station.now)
    row = wants(
        station, 9, purpose="tx", kind="relative", start_schedule=None, duration_s=None,
        evse_number=1, transaction_id="17",
    )  # fmt: skip
    station.works()
    assert fresh(row).state == State.CONFIRMED
    station.later(60)

    station.reboots(forgetting=True)
    station.works()

    assert fresh(row).state == State.CONFIRMED
    assert station.times("SetChargingProfile") == 2
    assert not Drift.objects.exists()


def test_a_drift_ends_when_the_limit_is_withdrawn(station: FakeStation) -> None:
    only_shows(station)
    row = wants(station, 14, duration_s=86_400)
    station.works()
    station.later(60)
    station.reboots(forgetting=True)
    station.works()

    services.withdraw(row, requested_by=None, now=station.now)
    station.works()

    assert fresh(row).state == State.CLEARED
    assert Drift.objects.get().end == "dropped"


def test_what_the_old_firmware_refused_the_new_one_is_asked_once(station: FakeStation) -> None:
    station.answers["SetChargingProfile"] = lambda payload: {"status": "Rejected"}
    row = wants(station, 14, duration_s=86_400)
    station.works()
    assert fresh(row).state == State.REFUSED

    station.later(60)
    station.reboots()
    station.works(seconds=120)
    assert station.times("SetChargingProfile") == 1

    station.reboots(firmware_changed=True)
    station.works(seconds=120)
    assert (fresh(row).state, station.times("SetChargingProfile")) == (State.REFUSED, 2)

    del station.answers["SetChargingProfile"]
    station.reboots(firmware_changed=True)
    station.works()
    assert fresh(row).state == State.CONFIRMED


def test_a_read_that_got_lost_is_repeated_at_once(station: FakeStation) -> None:
    lost = iter([True])
    station.answers["GetCompositeSchedule"] = lambda payload: (
        None if next(lost, False) else station.composite(payload)
    )
    row = wants(station, 14)

    station.works()

    assert fresh(row).state == State.CONFIRMED


def test_reasons_are_said_in_the_language_of_who_reads(station: FakeStation) -> None:
    station.answers["SetChargingProfile"] = lambda payload: {"status": "Rejected"}
    row = wants(station, 14)
    station.works()

    assert fresh(row).reason == "The station answered: Rejected"
    assert row.reason_code == "station_says"
    with translation.override("nl"):
        assert row.reason == "Het station antwoordde: Rejected"
    row.reason_code, row.reason_text = "", "Van vroeger"
    assert row.reason == "Van vroeger"


def test_a_16_station_that_lost_all_gets_all_back(db: None) -> None:
    """The composite shows one of them at a time, and there is no list: bare hardware tells that none stands."""
    station = FakeStation("1.6", capabilities={})
    station.connects()
    rows = [
        wants(station, 14 - level, duration_s=86_400, stack_level=level, name=f"Level {level}")
        for level in range(4)
    ]
    station.works()
    assert len(station.holds()) == 4

    station.reboots(forgetting=True)
    station.works(seconds=120)

    assert station.holds() == sorted(row.profile_id for row in rows)
    assert {fresh(row).state for row in rows} == {State.CONFIRMED}
    assert Drift.objects.count() == 4
