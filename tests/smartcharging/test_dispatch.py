"""An operator sets a limit; what the station gets, says and reports, and what the operator sees of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from smartcharging import dispatch, services
from smartcharging.domain import reconcile
from smartcharging.in_force import limit_now
from smartcharging.models import Comparison, DesiredProfile, ReportedSchedule
from stations.models import Command
from tests.factories import make_session
from tests.smartcharging.conftest import wants
from tests.smartcharging.fake_station import CallErrorAnswer, FakeStation, fresh

State = DesiredProfile.State


@pytest.fixture(autouse=True)
def _in_english() -> Any:
    with translation.override("en"):
        yield


def test_a_limit_is_sent_read_back_and_confirmed(station: FakeStation) -> None:
    row = wants(station, 14, 10.5)

    station.works()

    assert fresh(row).state == State.CONFIRMED, row.reason
    assert [action for action, _ in station.seen] == ["SetChargingProfile", "GetCompositeSchedule"]
    reported = ReportedSchedule.objects.get()
    assert (reported.state, reported.evse_number, reported.unit) == ("read", 0, "A")
    assert [period["limit"] for period in reported.periods] == [14, 10.5, 25]
    assert Comparison.objects.get().verdict == "equal"


def test_the_payload_is_as_short_as_what_the_operator_gave(station: FakeStation) -> None:
    row = wants(station, 14, 10.5)

    station.works()

    payload = station.seen[0][1]
    profile = payload["csChargingProfiles"] if station.is_16 else payload["chargingProfile"]
    schedule = profile["chargingSchedule"] if station.is_16 else profile["chargingSchedule"][0]
    assert [str(period["limit"]) for period in schedule["chargingSchedulePeriod"]] == ["14", "10.5"]
    assert schedule["startSchedule"] == "2026-07-01T12:00:00Z"
    assert profile["chargingProfileId" if station.is_16 else "id"] == row.profile_id == 1000


def test_nothing_is_sent_while_the_station_is_away(station: FakeStation) -> None:
    station.disconnects()
    row = wants(station, 14)

    dispatch.reconcile(station.row.pk, station.now)
    assert Command.objects.count() == 0

    station.connects()
    station.works()
    assert fresh(row).state == State.CONFIRMED


def test_a_second_run_at_once_sends_nothing_twice(station: FakeStation) -> None:
    wants(station, 14)

    for _ in range(3):
        dispatch.reconcile(station.row.pk, station.now)

    assert Command.objects.filter(action="SetChargingProfile").count() == 1


def test_a_refusal_is_shown_in_the_stations_words(station: FakeStation) -> None:
    station.answers["SetChargingProfile"] = lambda payload: {"status": "Rejected"}
    row = wants(station, 14)

    station.works(seconds=600)

    assert fresh(row).state == State.REFUSED
    assert "Rejected" in row.reason
    assert station.times("SetChargingProfile") == 1


def test_capabilities_read_later_can_say_no_before_it_is_sent(station: FakeStation) -> None:
    row = wants(station, *range(6, 18))
    station.row.capabilities.max_periods = 10
    station.row.capabilities.save()

    station.works()

    assert fresh(row).state == State.UNSUPPORTED
    assert row.reason.startswith("The station takes 10 periods, this profile has 12: requirement 207.")
    assert station.seen == []

    station.row.capabilities.max_periods = 24
    station.row.capabilities.save()
    station.works()
    assert fresh(row).state == State.CONFIRMED


def test_a_set_without_an_answer_is_read_back_before_it_is_sent_again(station: FakeStation) -> None:
    silent = iter([True])

    def lost_on_the_way_back(payload: dict[str, Any]) -> dict[str, Any] | None:
        station.set_profile(payload)
        return None if next(silent, False) else {"status": "Accepted"}

    station.answers["SetChargingProfile"] = lost_on_the_way_back
    row = wants(station, 14)

    station.works()

    assert fresh(row).state == State.CONFIRMED
    assert [action for action, _ in station.seen] == ["SetChargingProfile", "GetCompositeSchedule"]


def test_a_set_that_never_arrived_is_sent_again_after_reading_back(station: FakeStation) -> None:
    silent = iter([True])
    station.answers["SetChargingProfile"] = lambda payload: (
        None if next(silent, False) else station.set_profile(payload)
    )
    row = wants(station, 14)

    station.works(seconds=60)

    assert fresh(row).state == State.CONFIRMED, row.reason
    actions = [action for action, _ in station.seen]
    assert actions == ["SetChargingProfile", "GetCompositeSchedule"] * 2


def test_a_station_that_never_answers_is_given_up_visibly(station: FakeStation) -> None:
    station.answers["SetChargingProfile"] = lambda payload: None
    row = wants(station, 14, duration_s=86_400)

    station.works(seconds=3600)

    assert fresh(row).state == State.UNKNOWN
    assert row.settled_at is not None
    assert row.reason == "Given up after several tries without a certain result."
    assert station.times("SetChargingProfile") == reconcile.MAX_SENDS


def test_a_call_error_that_will_not_pass_is_a_refusal(station: FakeStation) -> None:
    def not_supported(payload: dict[str, Any]) -> None:
        raise CallErrorAnswer("NotSupported: no smart charging")

    station.answers["SetChargingProfile"] = not_supported
    row = wants(station, 14)

    station.works(seconds=600)

    assert fresh(row).state == State.REFUSED
    assert "NotSupported: no smart charging" in row.reason
    assert station.times("SetChargingProfile") == 1


def test_a_station_that_takes_a_profile_and_ignores_it_has_drifted(station: FakeStation) -> None:
    station.answers["SetChargingProfile"] = lambda payload: {"status": "Accepted"}
    row = wants(station, 14, duration_s=86_400)

    station.works(seconds=3600)

    assert fresh(row).state == State.DRIFTED
    assert row.settled_at is not None
    assert "11" in row.reason  # 25 A where 14 A should be
    assert station.times("SetChargingProfile") == reconcile.MAX_SENDS
    assert Comparison.objects.latest("pk").largest_difference == 11


def test_a_station_that_forgets_at_a_reboot_is_repaired(station: FakeStation) -> None:
    row = wants(station, 14, 10, duration_s=86_400)
    station.works()
    station.later(3600)

    station.reboots(forgetting=True)
    station.works(seconds=60)

    assert fresh(row).state == State.CONFIRMED
    verdicts = list(Comparison.objects.order_by("pk").values_list("verdict", flat=True))
    assert verdicts == ["equal", "differs", "equal"]
    assert station.holds() == [row.profile_id]


def test_a_reboot_that_forgets_nothing_is_only_read_back(station: FakeStation) -> None:
    row = wants(station, 14, duration_s=86_400)
    station.works()
    station.later(60)

    station.reboots()
    station.works()

    assert fresh(row).state == State.CONFIRMED
    assert station.times("SetChargingProfile") == 1
    assert station.times("GetCompositeSchedule") == 2


def test_a_newer_wish_takes_the_place_and_the_id_of_the_older(station: FakeStation) -> None:
    older = wants(station, 14)
    station.works()

    newer = wants(station, 10)
    assert (newer.profile_id, newer.version) == (older.profile_id, 2)
    assert fresh(older).state == State.CONFIRMED  # until the newer one is accepted, the older one stands

    station.works()
    assert fresh(newer).state == State.CONFIRMED
    assert (fresh(older).state, older.reason) == (State.CLEARED, "A newer version took its place.")
    assert station.times("ClearChargingProfile") == 0


def test_a_refused_newer_wish_leaves_the_older_limit_standing(station: FakeStation) -> None:
    older = wants(station, 14)
    station.works()
    station.answers["SetChargingProfile"] = lambda payload: {"status": "Rejected"}

    newer = wants(station, 10)
    station.works()

    assert fresh(newer).state == State.REFUSED
    assert limit_now(station.row, 0, station.now).winner == older

    services.withdraw(newer, requested_by=None, now=station.now)
    station.works()
    assert fresh(newer).state == State.CLEARED
    assert station.holds() == []


def test_a_withdrawn_limit_is_cleared_by_its_id_and_read_back(station: FakeStation) -> None:
    row = wants(station, 14)
    other = wants(station, 20, stack_level=0)
    station.works()
    station.seen.clear()

    services.withdraw(row, requested_by=None, now=station.now)
    station.works()

    assert fresh(row).state == State.CLEARED
    assert fresh(other).state == State.CONFIRMED
    assert [action for action, _ in station.seen] == ["ClearChargingProfile", "GetCompositeSchedule"]
    assert station.seen[0][1] == ({"id": 1000} if station.is_16 else {"chargingProfileId": 1000})
    assert station.holds() == [other.profile_id]


def test_a_clear_that_got_lost_is_read_back_and_repeated(station: FakeStation) -> None:
    row = wants(station, 14)
    station.works()
    lost = iter([True])
    station.answers["ClearChargingProfile"] = lambda payload: (
        None if next(lost, False) else station.clear_profile(payload)
    )
    station.seen.clear()

    services.withdraw(row, requested_by=None, now=station.now)
    station.works()

    assert fresh(row).state == State.CLEARED
    assert [action for action, _ in station.seen] == [
        "ClearChargingProfile",
        "GetCompositeSchedule",
        "ClearChargingProfile",
        "GetCompositeSchedule",
    ]


def test_a_limit_that_was_never_sent_is_withdrawn_without_a_word(station: FakeStation) -> None:
    station.disconnects()
    row = wants(station, 14)

    services.withdraw(row, requested_by=None, now=station.now)
    dispatch.reconcile(station.row.pk, station.now)

    assert fresh(row).state == State.CLEARED
    assert Command.objects.count() == 0


def test_a_limit_whose_time_is_over_is_taken_off_the_station(station: FakeStation) -> None:
    row = wants(station, 14)
    station.works()
    station.later(3601)
    assert dispatch.unfinished(station.now) == [station.row.pk]

    station.works()

    assert fresh(row).state == State.CLEARED
    assert station.holds() == []


def test_one_question_settles_all_profiles_of_its_evse(station: FakeStation) -> None:
    rows = [wants(station, limit, stack_level=level) for level, limit in enumerate((20, 16, 12))]

    station.works()

    assert {fresh(row).state for row in rows} == {State.CONFIRMED}
    assert station.times("GetCompositeSchedule") == 1


def test_defaults_of_station_and_evse_are_each_read_on_their_evse(station: FakeStation) -> None:
    everywhere = wants(station, 8, purpose="tx_default", stack_level=0)
    second = wants(station, 12, purpose="tx_default", evse_number=2, stack_level=3)

    station.works()

    assert {fresh(everywhere).state, fresh(second).state} == {State.CONFIRMED}
    assert set(ReportedSchedule.objects.values_list("evse_number", flat=True)) == {1, 2}


def test_a_default_that_the_station_leaves_out_while_idle_is_no_drift(station: FakeStation) -> None:
    """D9: some stations report nothing of a TxDefaultProfile while no transaction runs."""
    key = "chargingSchedule" if station.is_16 else "schedule"

    def without_default(payload: dict[str, Any]) -> dict[str, Any]:
        answer = station.composite(payload)
        if not station.running:
            answer[key]["chargingSchedulePeriod"] = [{"startPeriod": 0, "limit": 16}]
        return answer

    station.answers["GetCompositeSchedule"] = without_default
    row = wants(station, 8, purpose="tx_default", duration_s=86_400)

    station.works(seconds=3600)
    # By a list of profiles it can be seen to stand all the same; 1.6 has none.
    assert fresh(row).state == (State.ACCEPTED if station.is_16 else State.CONFIRMED)
    assert "(D9)" in row.reason
    assert station.times("SetChargingProfile") == 1
    assert station.times("GetCompositeSchedule") <= reconcile.MAX_READS

    session = make_session(station.row, started_at=station.now, transaction_id="7")
    station.running[1] = reconcile_running(session.transaction_id, station)
    station.later(30)
    station.works()
    assert (fresh(row).state, row.reason) == (State.CONFIRMED, "")


def test_a_new_limit_waits_for_the_one_that_leaves_its_place(station: FakeStation) -> None:
    """2.x refuses two profiles on one place; a clear that got lost must not make that of a new wish."""
    row = wants(station, 14)
    station.works()
    lost = iter([True])
    station.answers["ClearChargingProfile"] = lambda payload: (
        None if next(lost, False) else station.clear_profile(payload)
    )
    services.withdraw(row, requested_by=None, now=station.now)
    newer = wants(station, 10)

    station.works(seconds=60)

    assert newer.profile_id != row.profile_id
    assert (fresh(row).state, fresh(newer).state) == (State.CLEARED, State.CONFIRMED)
    assert station.holds() == [newer.profile_id]


def test_beat_leaves_offline_stations_alone_but_for_what_was_on_its_way(station: FakeStation) -> None:
    row = wants(station, 14)
    assert dispatch.unfinished(station.now) == [station.row.pk]
    dispatch.reconcile(station.row.pk, station.now)
    station.disconnects()
    assert dispatch.unfinished(station.now) == [station.row.pk]

    Command.objects.update(state="unknown")
    dispatch.reconcile(station.row.pk, station.now)

    assert fresh(row).state == State.UNKNOWN
    assert dispatch.unfinished(station.now) == []


def reconcile_running(transaction_id: str | None, station: FakeStation) -> Any:
    from portal.simulator.schedules import Running

    return Running(str(transaction_id), station.now)


@pytest.mark.parametrize(
    ("answer", "state", "text"),
    [
        ({"status": "Rejected"}, "rejected", "rejected the question"),
        (None, "unanswered", "gave no answer"),
    ],
)
def test_an_odd_answer_has_a_name_and_is_asked_again(
    station: FakeStation, answer: dict[str, Any] | None, state: str, text: str
) -> None:
    station.answers["GetCompositeSchedule"] = lambda payload: answer
    row = wants(station, 14, duration_s=86_400)

    station.works(seconds=3600)

    is_listed = state == "rejected" and not station.is_16
    assert fresh(row).state == (State.CONFIRMED if is_listed else State.ACCEPTED)
    assert text in row.reason
    assert ReportedSchedule.objects.latest("pk").state == state
    comparison = Comparison.objects.latest("pk")
    assert (comparison.verdict, text in comparison.reason) == ("unknown", True)
    assert station.times("GetCompositeSchedule") == (2 if is_listed else reconcile.MAX_READS)


def test_a_station_that_talks_watts_when_asked_for_amperes_is_compared_in_watts(station: FakeStation) -> None:
    station.answers["GetCompositeSchedule"] = lambda payload: station.composite(
        {**payload, "chargingRateUnit": "W"}
    )
    row = wants(station, 14)

    station.works()

    assert fresh(row).state == State.CONFIRMED
    reported = ReportedSchedule.objects.get()
    assert (reported.state, reported.periods[0]["limit"]) == ("other_unit", 9660)


def test_a_limit_of_one_session_goes_with_its_session(station: FakeStation) -> None:
    session = make_session(station.row, started_at=station.now, transaction_id="17")
    station.running[1] = reconcile_running("17", station)
    row = wants(
        station, 9, purpose="tx", kind="relative", start_schedule=None, duration_s=None,
        evse_number=1, transaction_id="17",
    )  # fmt: skip
    station.works()
    assert fresh(row).state == State.CONFIRMED

    session.state = session.State.ENDED
    session.save()
    station.works()
    assert fresh(row).state == State.CLEARED
    assert station.times("ClearChargingProfile") == 0
