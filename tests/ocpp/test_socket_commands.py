"""Commands made by another process (this one), and what becomes of them at a station (rules 2 to 4)."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from stations import commands
from stations.events import Kind
from stations.gateway import POLL_S
from stations.models import Command, Event, Presence, Station
from tests.factories import make_station
from tests.fakes.portal import Portal
from tests.fakes.station import PASSWORD, FakeStation
from tests.fakes.until import until
from tests.skips import ONLY_WITH_REDIS

pytestmark = pytest.mark.xdist_group("portal")


def ask(station: Station, action: str = "GetConfiguration", **how: Any) -> Command:
    payload = how.pop("payload", {})
    return commands.request(station=station, action=action, payload=payload, now=timezone.now(), **how)


def ended(command: Command, within_s: float = 60) -> Command:
    """The command as it is once it is neither queued nor sent."""
    until(
        lambda: not Command.objects.filter(pk=command.pk, state__in=Command.OPEN).exists(), within_s=within_s
    )
    return Command.objects.get(pk=command.pk)


def test_a_row_of_another_process_reaches_the_station_soon(portal: Portal) -> None:
    station = make_station(password=PASSWORD)
    with FakeStation(portal.port, station.identity) as line:
        line.call("Heartbeat", {})
        asked_at = time.monotonic()
        command = ask(station)
        question = line.question()
        assert time.monotonic() - asked_at < 5  # the caretaker comes every ten
        assert (question.message_id, question.action) == (command.message_id, "GetConfiguration")
        line.answer(question, {"unknownKey": []})
        done = ended(command)
    assert done.state == "accepted"
    assert done.response == {"unknownKey": []}
    assert done.sent_at
    assert done.answered_at
    data = Event.objects.get(station=station, kind=Kind.COMMAND_ANSWERED).data
    assert data == {"command": command.pk, "action": "GetConfiguration", "state": "accepted"}


@pytest.mark.skipif(not settings.REDIS_URL, reason=ONLY_WITH_REDIS)
def test_with_redis_a_nudge_is_quicker_than_the_server_looks(portal: Portal) -> None:
    station = make_station(password=PASSWORD)

    def eight_took_s() -> float:
        began_at = time.monotonic()
        for _ in range(8):
            command = ask(station)
            line.answer(line.question(), {})
            ended(command)
            line.call("Heartbeat", {})
        return time.monotonic() - began_at

    with FakeStation(portal.port, station.identity) as line:
        line.call("Heartbeat", {})
        # By looking alone each waits for a look of its own. A busy machine may spoil a round of these, not all of them.
        assert any(eight_took_s() < 7 * POLL_S for _ in range(10))


def test_a_command_waits_for_a_station_that_is_away(portal: Portal) -> None:
    station = make_station(password=PASSWORD)
    command = ask(station)
    assert command.state == "queued"
    with FakeStation(portal.port, station.identity) as line:
        assert line.question().message_id == command.message_id


def test_commands_go_out_one_at_a_time_and_in_order(portal: Portal) -> None:
    station = make_station(password=PASSWORD)
    asked = [ask(station, payload={"key": [str(number)]}) for number in range(3)]
    with FakeStation(portal.port, station.identity) as line:
        for number, command in enumerate(asked):
            question = line.question()
            assert question.payload == {"key": [str(number)]}
            assert not line.is_asked(within_s=0.7)
            line.answer(question, {})
            assert ended(command).state == "accepted"


def test_neither_direction_waits_for_the_other(portal: Portal) -> None:
    station = make_station(password=PASSWORD)
    with FakeStation(portal.port, station.identity) as line:
        first, second = ask(station), ask(station)
        question = line.question()
        # Its own messages are answered while ours is not,
        for _ in range(20):
            assert line.call("Heartbeat", {})
        # and our question is taken as answered while its own message is on the way.
        line.send([2, "own", "Heartbeat", {}])
        line.answer(question, {})
        line.send([2, "own too", "Heartbeat", {}])
        assert ended(first).state == "accepted"
        assert line.question().message_id == second.message_id
        assert line.answer_to("own")[0] == line.answer_to("own too")[0] == 3


def test_a_refusal_an_error_and_an_answer_against_the_schema_are_told_apart(portal: Portal) -> None:
    station = make_station(password=PASSWORD)
    with FakeStation(portal.port, station.identity) as line:
        change = {"key": "K", "value": "1"}
        refused = ask(station, "ChangeConfiguration", payload=change)
        line.answer(line.question(), {"status": "Rejected"})
        refused = ended(refused)
        assert (refused.state, refused.error) == ("refused", "")

        failed = ask(station, "ChangeConfiguration", payload=change)
        line.answer_error(line.question(), "NotSupported", "no such thing here")
        failed = ended(failed)
        assert (failed.state, failed.error) == ("failed", "NotSupported: no such thing here")
        assert failed.response is None

        for answer, field in (
            ({"status": "Perhaps"}, "status"),
            ({}, "status"),
            ({"status": "Accepted\x00"}, "NUL"),
        ):
            broken = ask(station, "ChangeConfiguration", payload=change)
            line.answer(line.question(), answer)
            broken = ended(broken)
            assert broken.state == "failed", answer
            assert field in broken.error

        # After all that the line is as good as before.
        last = ask(station, "ChangeConfiguration", payload=change)
        line.answer(line.question(), {"status": "RebootRequired"})
        assert ended(last).state == "accepted"


def test_a_second_answer_changes_nothing(portal: Portal) -> None:
    station = make_station(password=PASSWORD)
    with FakeStation(portal.port, station.identity) as line:
        command = ask(station, "ChangeConfiguration", payload={"key": "K", "value": "1"})
        question = line.question()
        line.answer(question, {"status": "Accepted"})
        line.answer(question, {"status": "Rejected"})
        line.call("Heartbeat", {})
    assert ended(command).state == "accepted"
    assert Event.objects.filter(station=station, kind=Kind.COMMAND_ANSWERED).count() == 1
    assert Event.objects.filter(station=station, kind=Kind.BAD_FRAME).count() == 1


def test_a_time_out_is_unknown_and_a_late_answer_still_counts(portal: Portal) -> None:
    station, absent = make_station(password=PASSWORD), make_station(password=PASSWORD)
    never_sent = ask(absent, expires_in_s=1)
    with FakeStation(portal.port, station.identity) as line:
        first, second = ask(station), ask(station)
        question = line.question()
        # The caretaker looks every ten seconds; until it did, the second command waits.
        until(lambda: Command.objects.get(pk=first.pk).state == "unknown")
        assert line.question().message_id == second.message_id
        lost = Event.objects.get(station=station, kind=Kind.COMMAND_LOST)
        assert lost.data["state"] == "unknown"
        line.answer(question, {"unknownKey": ["late"]})
        until(lambda: Command.objects.get(pk=first.pk).state == "accepted")
        assert Command.objects.get(pk=first.pk).response == {"unknownKey": ["late"]}
    assert ended(never_sent).state == "expired"
    with FakeStation(portal.port, absent.identity) as line:
        assert not line.is_asked(within_s=0.7)


@pytest.mark.parametrize("how", ["drop", "close", "evict"])
def test_a_question_whose_line_is_lost_is_unknown_at_once_and_not_asked_again(
    portal: Portal, how: str
) -> None:
    station = make_station(password=PASSWORD)
    with FakeStation(portal.port, station.identity) as line:
        command = ask(station, "Reset", payload={"type": "Soft"})
        question = line.question()
        if how == "drop":
            line.drop()
        elif how == "close":
            line.socket.close()
        else:
            FakeStation(portal.port, station.identity).socket.close()
        until(lambda: Command.objects.filter(pk=command.pk, state="unknown", answered_at=None).exists())
        until(lambda: Presence.objects.get(station=station).connection is None)
    with FakeStation(portal.port, station.identity) as line:
        assert not line.is_asked(within_s=0.7)
        # It did hear the question: its answer on the new line counts.
        line.answer(question, {"status": "Accepted"})
        until(lambda: Command.objects.filter(pk=command.pk, state="accepted").exists())


def test_what_is_taken_back_in_time_is_not_sent(portal: Portal) -> None:
    station = make_station(password=PASSWORD)
    command = ask(station)
    assert commands.cancel(command, now=timezone.now())
    with FakeStation(portal.port, station.identity) as line:
        assert not line.is_asked(within_s=0.7)
        sent = ask(station)
        line.answer(line.question(), {})
        ended(sent)
        assert not commands.cancel(sent, now=timezone.now())
    assert Command.objects.get(pk=command.pk).state == "cancelled"


def test_forty_stations_are_all_asked_at_once(portal: Portal) -> None:
    stations = [make_station(password=PASSWORD) for _ in range(40)]
    lines = [FakeStation(portal.port, one.identity) for one in stations]
    try:
        for station in stations:
            ask(station)
        asked_at = time.monotonic()
        for line in lines:
            line.answer(line.question(), {})
        until(lambda: not Command.objects.filter(station__in=stations).exclude(state="accepted").exists())
        assert time.monotonic() - asked_at < 20
    finally:
        for line in lines:
            line.socket.close()
