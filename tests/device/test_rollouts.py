"""A template to many stations: who is asked what, how it ends, stopping, trying again, and what gets lost."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from stations import commands, configuring, rollouts
from stations.domain.pacing import Pace
from stations.models import (
    Command,
    ConfigurationChange,
    ConfigurationRollout,
    ConfigurationTemplate,
    RolloutStation,
    Station,
)
from stations.ocpp.device import Place
from stations.tasks import carry_out_rollout, look_after_rollouts
from tests.device.rows import make_template, make_value
from tests.factories import NOW, make_operator, make_station
from tests.ocpp.conversation import answer
from tests.pages.visiting import make_online

pytestmark = pytest.mark.django_db

LATER = NOW + dt.timedelta(minutes=2)


@pytest.fixture
def template() -> ConfigurationTemplate:
    return make_template(("", "HeartbeatInterval", "60"), ("", "LocalPreAuthorize", "false"))


def stations(count: int = 2, **values: str) -> list[Station]:
    made = [make_station(evses=0) for _number in range(count)]
    for station in made:
        make_value(station, "HeartbeatInterval", values.get("heartbeat", "300"))
        make_value(station, "LocalPreAuthorize", values.get("local", "False"))
    return made


def start(template: ConfigurationTemplate) -> ConfigurationRollout:
    rollout = rollouts.start(template=template, stations=Station.objects.all(), requested_by=None, now=NOW)
    carry_out_rollout(rollout.pk)
    return rollout


def ends(rollout: ConfigurationRollout) -> tuple[str, list[str]]:
    rollout.refresh_from_db()
    return rollout.state, list(rollout.stations.order_by("pk").values_list("state", flat=True))


def asked() -> list[tuple[str, Any]]:
    rows = Command.objects.exclude(state="cancelled").order_by("pk")
    return [(row.station.identity, row.payload) for row in rows.select_related("station")]


def test_only_what_differs_is_sent_and_each_station_ends_by_its_own_answers(
    template: ConfigurationTemplate,
) -> None:
    good, bad = stations()
    same = make_station(evses=0)
    make_value(same, "HeartbeatInterval", "60")
    make_value(same, "LocalPreAuthorize", "false")
    fixed = make_station(evses=0)
    make_value(fixed, "HeartbeatInterval", "60")
    make_value(fixed, "LocalPreAuthorize", "true", readonly=True)
    make_station(version="2.0.1")
    make_station(operator=make_operator("beta"))
    rollout = start(template)
    heartbeat = {"key": "HeartbeatInterval", "value": "60"}
    assert asked() == [(good.identity, heartbeat), (bad.identity, heartbeat)]
    assert ends(rollout) == ("running", ["asked", "asked", "same", "failed"])
    first, second = Command.objects.order_by("pk")
    answer(first, {"status": "Accepted"})
    answer(second, {"status": "Rejected"}, state="refused")
    assert ends(rollout) == ("done", ["done", "failed", "same", "failed"])
    change = ConfigurationChange.objects.get(station=fixed, name="LocalPreAuthorize")
    assert change.state == "read_only"


def test_carried_out_twice_each_station_is_asked_once(template: ConfigurationTemplate) -> None:
    stations()
    rollout = start(template)
    carry_out_rollout(rollout.pk)
    assert len(asked()) == 2


def test_stopping_withdraws_what_waits_and_what_was_sent_still_counts(
    template: ConfigurationTemplate,
) -> None:
    stations(3)
    rollout = start(template)
    sent = Command.objects.order_by("pk")[0]
    Command.objects.filter(pk=sent.pk).update(state="sent", sent_at=NOW)
    assert rollouts.cancel(rollout=rollout, now=NOW)
    assert not rollouts.cancel(rollout=rollout, now=NOW)
    assert ends(rollout) == ("cancelled", ["asked", "cancelled", "cancelled"])
    assert Command.objects.filter(state="queued").count() == 0
    answer(sent, {"status": "Accepted"})
    assert ends(rollout) == ("cancelled", ["done", "cancelled", "cancelled"])


def test_a_station_not_reached_before_the_stop_is_never_asked(template: ConfigurationTemplate) -> None:
    stations()
    rollout = rollouts.start(template=template, stations=Station.objects.all(), requested_by=None, now=NOW)
    rollouts.cancel(rollout=rollout, now=NOW)
    carry_out_rollout(rollout.pk)
    assert asked() == []
    assert ends(rollout) == ("cancelled", ["cancelled", "cancelled"])


def test_trying_again_asks_only_where_it_failed_or_was_stopped(template: ConfigurationTemplate) -> None:
    stations()
    rollout = start(template)
    first, second = Command.objects.order_by("pk")
    answer(first, {"status": "Accepted"})
    answer(second, {"status": "Rejected"}, state="refused")
    assert rollouts.retry(rollout=rollout, now=LATER) == 1
    assert rollouts.retry(rollout=rollout, now=LATER) == 0, "it runs already"
    carry_out_rollout(rollout.pk)
    assert ends(rollout) == ("running", ["done", "asked"])
    again = Command.objects.order_by("pk").last()
    assert again is not None
    assert again.station == second.station
    answer(again, {"status": "Accepted"})
    assert ends(rollout) == ("done", ["done", "done"])


def test_what_was_stopped_before_it_began_can_be_tried_again(template: ConfigurationTemplate) -> None:
    stations()
    rollout = rollouts.start(template=template, stations=Station.objects.all(), requested_by=None, now=NOW)
    rollouts.cancel(rollout=rollout, now=NOW)
    assert rollouts.retry(rollout=rollout, now=NOW) == 2
    carry_out_rollout(rollout.pk)
    assert len(asked()) == 2


def test_the_round_finds_a_lost_task_a_lost_answer_and_a_race_with_the_stop(
    template: ConfigurationTemplate,
) -> None:
    stations()
    rollout = rollouts.start(template=template, stations=Station.objects.all(), requested_by=None, now=NOW)
    assert rollouts.look_after(LATER) == [rollout.pk], "its task was lost"
    rollouts.carry_out(rollout.pk, now=NOW)
    first, second = Command.objects.order_by("pk")
    Command.objects.filter(pk=first.pk).update(state="unknown")
    Command.objects.filter(pk=second.pk).update(state="accepted", response={"status": "Accepted"})
    look_after_rollouts()
    assert ends(rollout) == ("done", ["failed", "done"])
    assert ConfigurationChange.objects.get(command=first).state == "unknown"


def test_the_round_withdraws_what_was_queued_while_someone_stopped_it(
    template: ConfigurationTemplate,
) -> None:
    stations()
    rollout = start(template)
    ConfigurationRollout.objects.filter(pk=rollout.pk).update(state="cancelled")
    look_after_rollouts()
    assert ends(rollout) == ("cancelled", ["cancelled", "cancelled"])
    assert not Command.objects.filter(state="queued").exists()


def test_a_command_that_someone_else_cancels_is_seen(template: ConfigurationTemplate) -> None:
    stations(1)
    rollout = start(template)
    commands.cancel(Command.objects.get(), now=NOW)
    rollouts.look_after(timezone.now() + dt.timedelta(minutes=2))
    assert ends(rollout) == ("done", ["failed"])
    assert ConfigurationChange.objects.get(name="HeartbeatInterval").state == "cancelled"


def test_the_secrets_of_a_template_stand_in_no_row_as_they_are() -> None:
    template = make_template(("", "ApnPassword", "hunter2-hunter2"))
    station = make_station(evses=0)
    make_value(station, "ApnPassword", "•••")
    start(template)
    change = ConfigurationChange.objects.get()
    assert "hunter2" not in repr([vars(change), *map(vars, template.entries.all())])
    answer(Command.objects.get(), {"status": "Rejected"}, state="refused")
    assert rollouts.retry(rollout=ConfigurationRollout.objects.get(), now=LATER) == 1
    assert change.run is not None
    carry_out_rollout(change.run.rollout_id)
    change.refresh_from_db()
    assert change.state == "asked", "it can be sent again"


def test_a_template_of_2x_goes_in_one_question_to_each_station() -> None:
    template = make_template(
        ("TxCtrlr", "EVConnectionTimeOut", "90"),
        ("SampledDataCtrlr", "TxUpdatedInterval", "60"),
        family="2.x",
    )
    station = make_station(version="2.1", evses=0)
    make_value(station, "EVConnectionTimeOut", "120", "TxCtrlr")
    make_value(station, "TxUpdatedInterval", "300", "SampledDataCtrlr")
    start(template)
    assert len(Command.objects.get().payload["setVariableData"]) == 2


def test_how_many_stations_there_are_makes_no_query_more_to_compare_them(
    template: ConfigurationTemplate,
) -> None:
    entries = list(template.entries.all())
    found = []
    for count in (2, 8):
        rows = stations(count)
        with CaptureQueriesContext(connection) as captured:
            configuring.values_of(rows, entries)
        found.append(len(captured))
    assert found == [1, 1]


# ---------------------------------------------------------------- a few first, then so many at once
def here(count: int) -> list[Station]:
    made = stations(count)
    for station in made:
        make_online(station)
    return made


def paced(template: ConfigurationTemplate, **pace: int) -> ConfigurationRollout:
    rollout = rollouts.start(
        template=template, stations=Station.objects.all(), requested_by=None, now=NOW, pace=Pace(**pace)
    )
    carry_out_rollout(rollout.pk)
    return rollout


def waits() -> list[Command]:
    return list(Command.objects.filter(state="queued").order_by("pk"))


def take(count: int) -> None:
    """So many stations take what they were asked."""
    for command in waits()[:count]:
        answer(command, {"status": "Accepted"})


def refuse(count: int) -> None:
    for command in waits()[:count]:
        answer(command, {"status": "Rejected"}, state="refused")


def test_a_few_are_asked_first_then_so_many_at_once(template: ConfigurationTemplate) -> None:
    here(12)
    rollout = paced(template, first=2, at_once=4)
    assert len(waits()) == 2
    take(1)
    carry_out_rollout(rollout.pk)
    assert len(waits()) == 1, "the second of the first has not answered yet"
    take(1)
    carry_out_rollout(rollout.pk)
    carry_out_rollout(rollout.pk)
    assert len(waits()) == 4
    take(3)
    assert look_after() == [rollout.pk]
    carry_out_rollout(rollout.pk)
    assert len(waits()) == 4
    while waits():
        take(4)
        carry_out_rollout(rollout.pk)
    assert ends(rollout) == ("done", ["done"] * 12)


def test_one_of_the_first_that_refuses_stops_it_and_trying_again_begins_with_others(
    template: ConfigurationTemplate,
) -> None:
    here(6)
    rollout = paced(template, first=2, at_once=4)
    refused, other = waits()
    refuse(1)
    carry_out_rollout(rollout.pk)
    assert ends(rollout) == ("stopped", ["failed", *["cancelled"] * 5])
    assert rollout.stopped_for == "first"
    assert waits() == []
    assert rollouts.retry(rollout=rollout, now=LATER) == 6
    carry_out_rollout(rollout.pk)
    assert {each.station for each in waits()}.isdisjoint({refused.station, other.station})
    while waits():
        take(4)
        carry_out_rollout(rollout.pk)
    assert ends(rollout) == ("done", ["done"] * 6)
    assert rollout.stopped_for == ""


def test_a_share_that_refuses_stops_it_and_what_was_sent_still_counts(
    template: ConfigurationTemplate,
) -> None:
    here(40)
    rollout = paced(template, first=2, at_once=20)
    take(2)
    carry_out_rollout(rollout.pk)
    sent = waits()[-1]
    Command.objects.filter(pk=sent.pk).update(state="sent", sent_at=NOW)
    take(15)
    refuse(3)
    carry_out_rollout(rollout.pk)
    rollout.refresh_from_db()
    assert (rollout.state, rollout.stopped_for) == ("stopped", "share")
    assert waits() == []
    answer(sent, {"status": "Accepted"})
    _state, runs = ends(rollout)
    assert {each: runs.count(each) for each in set(runs)} == {"done": 18, "failed": 3, "cancelled": 19}


def test_who_is_away_holds_nobody_up_and_is_asked_last(template: ConfigurationTemplate) -> None:
    away = stations(3)
    here(3)
    rollout = paced(template, first=1, at_once=1)
    for _number in range(2):
        assert len(waits()) == 1
        assert waits()[0].station not in away
        take(1)
        carry_out_rollout(rollout.pk)
    assert {each.station for each in waits()} > set(away), "they have a day to come back"


def test_what_was_so_already_proves_nothing_and_holds_nothing_up(template: ConfigurationTemplate) -> None:
    for station in stations(4, heartbeat="60", local="false"):
        make_online(station)
    here(3)
    rollout = paced(template, first=1, at_once=2)
    assert ends(rollout) == ("running", [*["same"] * 4, "asked", "waiting", "waiting"])


def test_a_template_that_changes_meanwhile_goes_to_no_other_station(template: ConfigurationTemplate) -> None:
    here(4)
    rollout = paced(template, first=1, at_once=2)
    wishes = [configuring.wish(Place("HeartbeatInterval"), "900")]
    configuring.save_template(template=template, name=template.name, wishes=wishes, now=LATER)
    take(1)
    carry_out_rollout(rollout.pk)
    assert ends(rollout) == ("stopped", ["done", *["cancelled"] * 3])
    assert rollout.stopped_for == "template"
    assert rollouts.retry(rollout=rollout, now=LATER) == 0
    template.delete()
    assert ends(rollout) == ("done", ["done", *["cancelled"] * 3])


def look_after() -> list[int]:
    return rollouts.look_after(LATER)


def test_a_roll_out_to_no_station_is_over_at_once(template: ConfigurationTemplate) -> None:
    rollout = start(template)
    assert ends(rollout) == ("done", [])
    assert not RolloutStation.objects.exists()
