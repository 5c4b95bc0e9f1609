"""A wish for a limit, and the server killed (SIGKILL) between each two steps of its way: it always ends confirmed, and
after an unknown the station is asked what stands before anything is sent again (rule 4)."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from smartcharging import dispatch
from smartcharging.models import DesiredProfile, ReportedSchedule
from stations import commands
from stations.models import Command, Presence, Station
from tests.factories import make_capabilities, make_station
from tests.fakes.limited_station import LimitedStation, want
from tests.fakes.portal import Portal
from tests.fakes.station import PASSWORD
from tests.fakes.until import until

pytestmark = pytest.mark.xdist_group("mortal")

# Each start of a server takes seconds: both versions only where it matters most, in turn elsewhere.
ONE = pytest.mark.parametrize("station", ["1.6"], indirect=True)
TWO = pytest.mark.parametrize("station", ["2.0.1"], indirect=True)
BOTH = pytest.mark.parametrize("station", ["1.6", "2.0.1"], indirect=True)
SET, READ, LIST = "SetChargingProfile", "GetCompositeSchedule", "GetChargingProfiles"


@pytest.fixture
def station(request: pytest.FixtureRequest, mortal_portal: Portal) -> Station:
    row = make_station(version=request.param, password=PASSWORD, evses=1)
    make_capabilities(row)
    return row


@pytest.fixture
def limited(station: Station, mortal_portal: Portal) -> LimitedStation:
    return LimitedStation(mortal_portal, station.identity, station.ocpp_version)


def state_of(desired: DesiredProfile) -> str:
    return str(DesiredProfile.objects.get(pk=desired.pk).state)


def let_the_pause_pass(desired: DesiredProfile) -> None:
    """Where the portal waits before it asks again, look with a clock that is past that."""
    now = timezone.now()
    waking = DesiredProfile.objects.get(pk=desired.pk).next_attempt_at
    if waking is not None and waking > now:
        dispatch.reconcile(desired.station_id, waking + timedelta(seconds=1))


def becomes_confirmed(limited: LimitedStation, desired: DesiredProfile) -> None:
    """The station answers all that it is asked; the wish ends confirmed, and nothing is left open."""

    def look() -> bool:
        limited.answer_all_for(0.05)
        let_the_pause_pass(desired)
        return state_of(desired) == "confirmed"

    until(look)
    limited.answer_all_for(0.7)
    assert state_of(desired) == "confirmed"
    assert not Command.objects.filter(station_id=desired.station_id, state__in=Command.OPEN).exists()
    reported = ReportedSchedule.objects.filter(station_id=desired.station_id).first()
    assert reported is not None
    assert reported.comparison.verdict == "equal"
    assert list(limited.profiles) == [desired.profile_id]


@ONE
def test_after_a_kill_the_new_server_holds_the_line(
    mortal_portal: Portal, station: Station, limited: LimitedStation
) -> None:
    limited.connect()
    before = Presence.objects.get(station=station)
    assert before.connection
    mortal_portal.restart()
    # Nobody could end the lease; it is taken over.
    assert Presence.objects.get(station=station).connection == before.connection
    limited.connect()
    assert limited.line.call("Heartbeat", {})
    after = Presence.objects.get(station=station)
    assert after.connection not in (None, before.connection)
    assert after.gateway not in (None, before.gateway)
    limited.line.socket.close()
    until(lambda: Presence.objects.get(station=station).connection is None)


@TWO
def test_killed_after_the_wish_was_written_down(
    mortal_portal: Portal, station: Station, limited: LimitedStation
) -> None:
    mortal_portal.kill()
    desired = want(station)
    mortal_portal.start()
    limited.connect()
    becomes_confirmed(limited, desired)
    assert limited.asked.count(SET) == 1


@ONE
def test_killed_while_its_command_is_in_the_queue(
    mortal_portal: Portal, station: Station, limited: LimitedStation
) -> None:
    limited.connect()
    # A question that stays open keeps the command behind it in the queue.
    commands.request(station=station, action="ClearCache", payload={}, now=timezone.now())
    limited.question("ClearCache")
    desired = want(station)
    until(lambda: Command.objects.filter(station=station, action=SET, state="queued").exists())
    mortal_portal.restart()
    assert Command.objects.get(station=station, action=SET).state == "queued"
    limited.connect()
    limited.answer(limited.question(SET))
    becomes_confirmed(limited, desired)
    assert limited.asked.count(SET) == 1
    # What was on its way when the server died is unknown, and was not asked again by itself.
    assert Command.objects.get(station=station, action="ClearCache").state == "unknown"


@BOTH
def test_killed_before_the_answer_of_a_station_that_did_it(
    mortal_portal: Portal, station: Station, limited: LimitedStation
) -> None:
    limited.connect()
    desired = want(station)
    question = limited.question(SET)
    limited.obey(question)
    mortal_portal.restart()
    assert state_of(desired) == "sent"
    limited.connect()
    limited.answer(limited.question(READ))
    becomes_confirmed(limited, desired)
    assert limited.asked.count(SET) == 1
    assert Command.objects.get(station=station, action=SET).state == "unknown"


@ONE
def test_killed_before_the_answer_of_a_station_that_never_did_it(
    mortal_portal: Portal, station: Station, limited: LimitedStation
) -> None:
    limited.connect()
    desired = want(station)
    limited.question(SET)
    mortal_portal.restart()
    limited.connect()
    limited.answer(limited.question(READ))
    # It does not stand there, so it is to be sent again, after a pause; nothing is sent before.
    until(lambda: state_of(desired) == "pending")
    assert not limited.line.is_asked(within_s=0.7)
    let_the_pause_pass(desired)
    limited.answer(limited.question(SET))
    becomes_confirmed(limited, desired)
    assert limited.asked.count(SET) == 2


@TWO
def test_killed_after_the_answer_and_before_the_reading_back(
    mortal_portal: Portal, station: Station, limited: LimitedStation
) -> None:
    limited.connect()
    desired = want(station)
    limited.answer(limited.question(SET))
    while not Command.objects.filter(station=station, action=SET, state="accepted").exists():
        time.sleep(0.001)
    mortal_portal.restart()
    limited.connect()
    becomes_confirmed(limited, desired)
    assert limited.asked.count(SET) == 1


@ONE
def test_killed_while_it_is_read_back(
    mortal_portal: Portal, station: Station, limited: LimitedStation
) -> None:
    limited.connect()
    desired = want(station)
    limited.answer(limited.question(SET))
    limited.question(READ)
    assert state_of(desired) == "accepted"
    mortal_portal.restart()
    limited.connect()
    becomes_confirmed(limited, desired)
    assert limited.asked.count(SET) == 1
    assert limited.asked.count(READ) >= 2


@TWO
def test_killed_when_all_is_done(mortal_portal: Portal, station: Station, limited: LimitedStation) -> None:
    limited.connect()
    desired = want(station)
    becomes_confirmed(limited, desired)
    confirmed_at = DesiredProfile.objects.get(pk=desired.pk).settled_at
    mortal_portal.restart()
    limited.connect()
    # A new line may be one to a station that has forgotten: it is read back once more, and nothing is sent.
    limited.answer(limited.question(LIST))
    limited.answer(limited.question(READ))
    becomes_confirmed(limited, desired)
    assert limited.asked.count(SET) == 1
    settled_at = DesiredProfile.objects.get(pk=desired.pk).settled_at
    assert settled_at is not None
    assert confirmed_at is not None
    assert settled_at > confirmed_at


@TWO
def test_killed_while_the_list_of_profiles_comes(
    mortal_portal: Portal, station: Station, limited: LimitedStation
) -> None:
    limited.connect()
    desired = want(station)
    becomes_confirmed(limited, desired)
    mortal_portal.restart()
    limited.connect()
    question = limited.question(LIST)
    limited.line.answer(question, {"status": "Accepted"})  # and no part of it before the power goes
    until(lambda: Command.objects.filter(station=station, action=LIST, state="accepted").exists())
    mortal_portal.restart()
    limited.profiles.clear()  # the station lost it too
    limited.connect()
    becomes_confirmed(limited, desired)
    assert (limited.asked.count(LIST), limited.asked.count(SET)) == (2, 2)
    assert [drift.end for drift in desired.drifts.all()] == ["repaired"]
