"""Who is told what, once: from the rows of stations, proofs, roll-outs and sessions to the list of a person."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from portal.compliance.judgement import update_judgement
from portal.compliance.models import ConcessionRequirement, Decision, Judgement, Promise
from portal.notices import telling
from portal.notices.models import Notice
from smartcharging.models import Drift
from stations import events
from stations.models import ConfigurationRollout, Membership, Presence, Station
from stations.models.access import Role
from tests.compliance.fakes import append_evidence, make_online_station
from tests.factories import (
    make_driver,
    make_official,
    make_operator,
    make_session,
    make_staff,
    make_station,
    make_token,
)
from tests.pages.visiting import sees, want

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)


def told(user: Any) -> list[str]:
    return list(Notice.objects.of(user).order_by("pk").values_list("kind", flat=True))


def gone(station: Station, *, since: dt.timedelta = HOUR) -> Presence:
    """Its socket closed so long ago."""
    at = timezone.now() - since
    return Presence.objects.update_or_create(
        station=station, defaults={"connection": None, "connected_at": at - HOUR, "disconnected_at": at}
    )[0]


def look(*, after: dt.timedelta = dt.timedelta()) -> int:
    return telling.look(timezone.now() + after)


# ---------------------------------------------------------------- silence
def test_a_station_that_is_silent_is_told_once_to_who_operates_it_and_again_after_it_came_back() -> None:
    station = make_station("NL-STIL-1", name="Kade 1")
    operator, reader, official = make_staff(), make_staff(role=Role.READER), make_official()
    gone(station)
    look()
    look()
    assert told(operator) == ["station_silent"]
    assert told(reader) == told(official) == []
    assert "Kade 1 is silent" in sees(operator, "/meldingen/")
    Presence.objects.update(connection="11111111-1111-1111-1111-111111111111", disconnected_at=None)
    look()
    gone(station, since=2 * HOUR)
    look()
    assert told(operator) == ["station_silent", "station_silent"]


def test_a_short_silence_and_one_of_last_month_are_no_news() -> None:
    operator = make_staff()
    gone(make_station(), since=dt.timedelta(minutes=29))
    gone(make_station(), since=dt.timedelta(days=30))
    make_station()  # never came
    look()
    assert told(operator) == []


def test_a_flood_is_one_notice_that_counts_on_within_the_hour(settings: Any) -> None:
    settings.NOTICE_FLOOD = 3
    operator = make_staff()
    now = (timezone.now() + HOUR).replace(minute=10)
    for _ in range(4):
        gone(make_station())
    telling.look(now)
    (notice,) = Notice.objects.of(operator)
    assert notice.data["count"] == 4
    assert "4 more stations are silent" in sees(operator, "/meldingen/")
    Notice.objects.update(read_at=now)
    gone(make_station())
    telling.look(now + dt.timedelta(minutes=5))
    (notice,) = Notice.objects.of(operator)
    assert (notice.data["count"], notice.read_at) == (5, None)


def test_of_two_operators_each_is_told_of_its_own() -> None:
    mine, other = make_staff(), make_staff(operator=make_operator("beta"))
    gone(make_station("NL-MIJN-1"))
    gone(make_station("NL-HUN-1", operator=make_operator("beta")))
    look()
    assert "NL-MIJN-1" in sees(mine, "/meldingen/")
    assert "NL-HUN-1" not in sees(mine, "/meldingen/")
    assert "NL-HUN-1" in sees(other, "/meldingen/")


# ---------------------------------------------------------------- requirements
def deviating(station: Station, *, promised: bool = True) -> Judgement:
    """On a wish, which is owed where it was promised."""
    now = timezone.now()
    proof = append_evidence(
        station, verdict="deviation", window=(now - HOUR, now - HOUR + dt.timedelta(seconds=12)), now=now
    )
    if promised:
        asked = ConcessionRequirement.objects.get(concession=proof.concession, requirement=proof.requirement)
        Promise.objects.create(asked=asked, operator=proof.operator)
    return update_judgement(
        concession=proof.concession,
        requirement=proof.requirement,
        operator=proof.operator,
        station=station,
        now=now,
    )


def test_a_new_deviation_is_told_to_both_sides_with_the_way_to_the_evidence() -> None:
    station = make_online_station("NL-AFW-1")
    official, reader, stranger = make_official(), make_staff(role=Role.READER), make_driver()
    judgement = deviating(station)
    look()
    look()
    assert told(official) == told(reader) == ["deviation"]
    assert told(stranger) == []
    page = sees(official, "/meldingen/")
    assert f"{station.label} deviates from {judgement.requirement.code}" in page


def test_what_was_not_promised_is_no_deviation_to_tell_of() -> None:
    official = make_official()
    deviating(make_online_station(), promised=False)
    look()
    assert told(official) == []


def test_a_deviation_that_was_waived_is_no_news() -> None:
    official = make_official()
    judgement = deviating(make_online_station())
    decided(judgement, official, to_status="waived", restore_by=None)
    look()
    assert told(official) == []


def decided(judgement: Judgement, by: Any, **fields: Any) -> Decision:
    return Decision.objects.create(
        judgement=judgement,
        evidence_id=judgement.evidence_id,
        from_status=judgement.status,
        reason="Seen.",
        decided_by=by,
        decided_at=timezone.now(),
        **{"to_status": "deviation", **fields},
    )


def test_a_term_is_told_before_it_ends_and_when_it_has_passed() -> None:
    official, today = make_official(), timezone.localdate()
    judgement = deviating(make_online_station())
    decided(judgement, official, restore_by=today + dt.timedelta(days=3))
    look()
    look()
    assert told(official) == ["deviation", "deadline"]
    look(after=dt.timedelta(days=4))
    assert told(official) == ["deviation", "deadline", "deadline"]
    assert "has passed" in sees(official, "/meldingen/")


def test_a_term_that_another_decision_replaced_is_not_told() -> None:
    official, today = make_official(), timezone.localdate()
    judgement = deviating(make_online_station())
    decided(judgement, official, restore_by=today + dt.timedelta(days=3))
    decided(judgement, official, restore_by=today + dt.timedelta(days=90))
    look()
    assert told(official) == ["deviation"]


# ---------------------------------------------------------------- roll-outs, drift
def test_a_rollout_that_stopped_by_itself_is_told_and_one_that_went_well_is_not() -> None:
    operator, now = make_staff(), timezone.now()
    said = {
        "operator": make_operator(),
        "template_name": "Nacht",
        "requested_at": now - HOUR,
        "ended_at": now,
    }
    ConfigurationRollout.objects.create(state="done", **said)
    stopped = ConfigurationRollout.objects.create(state="stopped", **said)
    look(after=HOUR)
    assert told(operator) == ["rollout_failed"]
    ConfigurationRollout.objects.filter(pk=stopped.pk).update(state="running", ended_at=None)
    look(after=HOUR)
    ConfigurationRollout.objects.filter(pk=stopped.pk).update(state="stopped", ended_at=now + 2 * HOUR)
    look(after=3 * HOUR)
    assert told(operator) == ["rollout_failed", "rollout_failed"]


def test_a_limit_that_is_put_back_by_itself_is_no_message_and_one_that_is_not_is() -> None:
    planner, now = make_staff(role=Role.PLANNER), timezone.now()
    lost = want(make_station(), "Avond", state="drifted", settled_at=now)
    Drift.objects.create(desired=lost, found_at=now, occasion="reboot", reason_code="not_listed")
    look()
    assert told(planner) == []
    look(after=dt.timedelta(minutes=11))
    assert told(planner) == ["limit_drifted"]


# ---------------------------------------------------------------- drivers
def ended(session: Any) -> None:
    events.record(
        station_id=session.station_id,
        kind=events.Kind.SESSION_ENDED,
        at=timezone.now(),
        now=timezone.now(),
        data={"session": session.pk, "evse": 1},
    )


def test_a_driver_is_told_of_a_session_that_a_fault_broke_off_and_of_no_other() -> None:
    driver, staff = make_driver(), make_staff()
    card, station, now = make_token(user=driver), make_station(name="Kade 1"), timezone.now()
    look()  # from here on
    said: dict[str, Any] = {"token": card, "state": "ended", "started_at": now - HOUR, "ended_at": now}
    ended(make_session(station, end_reason="PowerLoss", **said))
    ended(make_session(station, end_reason="EVDisconnected", evse_number=2, **said))
    look()
    look()
    assert told(driver) == ["charging_failed"]
    assert told(staff) == []
    assert "Charging at Kade 1 stopped too early" in sees(driver, "/meldingen/")


# ---------------------------------------------------------------- sight
def test_who_loses_the_role_no_longer_reads_what_was_told() -> None:
    operator = make_staff()
    gone(make_station())
    look()
    assert told(operator) == ["station_silent"]
    Membership.objects.filter(user=operator).update(role=Role.READER)
    operator.refresh_from_db()
    assert told(operator) == []


def test_a_station_that_goes_to_another_operator_takes_its_notices_along() -> None:
    before = make_staff()
    station = make_station()
    gone(station)
    look()
    Station.objects.filter(pk=station.pk).update(
        site=make_station(operator=make_operator("beta"), site=None).site
    )
    assert told(before) == []
