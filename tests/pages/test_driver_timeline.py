"""The story of a session: what happened, why, and who says so; from limits, statuses, readings and tests."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from portal.accounts.models import User
from portal.compliance.models import Probe
from portal.compliance.probes import requirement_for
from stations import events
from stations.models import ChargingSession, Command, Station, Token
from tests.compliance.fakes import make_online_station
from tests.factories import make_command, make_driver, make_reading, make_session, make_token
from tests.pages.visiting import HOUR, MOST_QUERIES, queries_of, sees, want

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
MINUTE = dt.timedelta(minutes=1)
Line = tuple[str, str, str, str]
"""Time, title, text and source of a line of the timeline."""


@pytest.fixture
def driver() -> User:
    return make_driver()


@pytest.fixture
def card(driver: User) -> Token:
    return make_token(user=driver)


@pytest.fixture
def station() -> Station:
    return make_online_station("S-1")


@pytest.fixture
def start() -> dt.datetime:
    return (timezone.now() - 3 * HOUR).replace(second=0, microsecond=0)


@pytest.fixture
def session(station: Station, card: Token, start: dt.datetime) -> ChargingSession:
    """Two hours, over since one."""
    return make_session(
        station,
        token=card,
        state="ended",
        started_at=start,
        received_at=start,
        ended_at=start + 2 * HOUR,
        end_import_wh=9_000.0,
        end_reason="EVDisconnected",
    )


def story(driver: User, session: ChargingSession) -> list[Line]:
    page = sees(driver, f"/mijn/sessies/{session.pk}/")
    timeline = page.partition('<ol class="laad-time"')[2].partition("</ol>")[0]
    found = re.findall(
        r'<time[^>]*>([\d:]+)</time><div><b>(.*?)</b>(?:<p>(.*?)</p>)?(?:<p class="laad-tiny">(.*?)</p>)?</div>',
        timeline,
    )
    assert len(found) == timeline.count("<li")
    return found


def titles(driver: User, session: ChargingSession) -> list[str]:
    return [line[1] for line in story(driver, session)]


def tell(station: Station, kind: str, at: dt.datetime, **data: Any) -> None:
    with transaction.atomic():
        events.record(station_id=station.pk, kind=kind, at=at, now=at, data=data)


def status(station: Station, at: dt.datetime, text: str) -> None:
    tell(station, events.Kind.STATUS, at, evse=1, connector=1, status=text)


def measure(station: Station, start: dt.datetime, *parts: tuple[int, float], every_s: int = 60) -> None:
    """(minutes, W) after one another, a reading each minute."""
    at = start
    for minutes, power_w in parts:
        for _reading in range(minutes * 60 // every_s):
            make_reading(station, sampled_at=at, import_w=power_w)
            at += dt.timedelta(seconds=every_s)


def limited(
    station: Station, start: dt.datetime, *, limit: float, hours: int, name: str = "Grid-aware"
) -> None:
    row = want(
        station,
        name,
        limit=limit,
        start_schedule=start - HOUR,
        duration_s=(hours + 1) * 3600,
        requested_at=start - HOUR,
    )
    accepted_at = start - HOUR
    Command.objects.filter(delivery__desired=row).update(sent_at=accepted_at, answered_at=accepted_at)


def at(start: dt.datetime, minutes: int) -> str:
    return f"{timezone.localtime(start + minutes * MINUTE):%H:%M}"


def test_test_charge_then_a_pause_then_full_power(
    driver: User, station: Station, session: ChargingSession, start: dt.datetime
) -> None:
    """As the page should read: 18:02 test charge, 18:03 waits, 19:02 full power."""
    limited(station, start, limit=0, hours=1)
    status(station, start, "Charging")
    status(station, start + dt.timedelta(seconds=30), "SuspendedEVSE")
    measure(station, start, (1, 4_000.0), (59, 0.0), (60, 11_000.0))
    lines = story(driver, session)
    (pulse,) = (line for line in lines if line[1].startswith("Test charge"))
    assert pulse[:2] == (at(start, 0), "Test charge, 30 s")
    assert "requirement 209" in pulse[2]
    assert pulse[3] == "Measured by the station"
    (ends,) = (line for line in lines if line[1] == "The limit ends")
    assert (ends[0], ends[3]) == (at(start, 60), "Limit of operator Alpha")
    (full,) = (line for line in lines if line[1].startswith("Full power"))
    assert full[1:] == ("Full power: 11.0 kW", "No limit held the car back.", "Measured by the station")
    assert [line[0] for line in lines] == sorted(line[0] for line in lines)


def test_short_start_is_found_in_readings_where_no_status_tells(
    driver: User, station: Station, session: ChargingSession, start: dt.datetime
) -> None:
    limited(station, start, limit=0, hours=2)
    measure(station, start, (1, 4_100.0), (4, 0.0), every_s=10)
    assert "Test charge, 60 s" in titles(driver, session)


def test_no_short_start_where_there_was_room_or_readings_are_far_apart(
    driver: User, station: Station, session: ChargingSession, start: dt.datetime
) -> None:
    measure(station, start, (1, 4_100.0), (60, 0.0))
    assert not [title for title in titles(driver, session) if title.startswith("Test charge")]
    limited(station, start, limit=0, hours=2)
    assert not [title for title in titles(driver, session) if title.startswith("Test charge")]


def test_each_line_says_who_says_so(
    driver: User, station: Station, session: ChargingSession, start: dt.datetime
) -> None:
    limited(station, start, limit=8, hours=1)
    status(station, start + 80 * MINUTE, "SuspendedEV")
    lines = story(driver, session)
    assert all(line[3] for line in lines)
    told = {line[1]: line[3] for line in lines}
    assert told["Started"] == "Told by the station"
    assert told["The limit ends"] == "Limit of operator Alpha"
    assert told["The car takes no power"] == "Told by the station"


def test_a_pause_without_a_word_is_measured_and_one_with_a_word_is_told_once(
    driver: User, station: Station, session: ChargingSession, start: dt.datetime
) -> None:
    measure(station, start, (30, 7_000.0), (20, 0.0), (30, 7_000.0))
    lines = story(driver, session)
    (stopped,) = (line for line in lines if line[1] == "No power flows")
    assert "The station did not say why." in stopped[2]
    assert "Power flows again" in titles(driver, session)
    status(station, start + 30 * MINUTE, "SuspendedEV")
    status(station, start + 50 * MINUTE, "Charging")
    found = titles(driver, session)
    assert "No power flows" not in found
    assert "Power flows again" not in found
    assert found.count("The car takes no power") == 1


def test_station_that_was_away(
    driver: User, station: Station, session: ChargingSession, start: dt.datetime
) -> None:
    tell(station, events.Kind.DISCONNECTED, start + 20 * MINUTE, reason="lost")
    tell(station, events.Kind.CONNECTED, start + 35 * MINUTE, ocpp_version="1.6")
    tell(station, events.Kind.DISCONNECTED, start + 60 * MINUTE, reason="lost")
    tell(station, events.Kind.CONNECTED, start + 61 * MINUTE, ocpp_version="1.6")  # nothing to a driver
    lines = [line for line in story(driver, session) if line[3] == "Seen by this portal"]
    assert [line[1] for line in lines] == ["The station lost its connection", "The station is back"]
    assert "It was away for 15 min" in lines[1][2]


class TestProbe:
    def probe(self, station: Station, start: dt.datetime, *, restored: bool | None, limits: int) -> Probe:
        requirement = requirement_for(station, "206")
        assert requirement is not None
        probe = Probe.objects.create(
            station=station,
            requirement=requirement,
            state="done",
            requested_at=start,
            started_at=start + 10 * MINUTE,
            ended_at=start + 14 * MINUTE,
            restored=restored,
        )
        for _limit in range(limits):
            make_command(station, "SetChargingProfile", state="accepted", origin=f"probe {probe.pk}")
        make_command(station, "SetChargingProfile", state="refused", origin=f"probe {probe.pk}")
        return probe

    def test_what_it_did_is_told(
        self, driver: User, station: Station, session: ChargingSession, start: dt.datetime
    ) -> None:
        self.probe(station, start, restored=True, limits=6)
        begun, over = (line for line in story(driver, session) if "requirement 206" in line[3])
        assert begun[:2] == (at(start, 10), "Test of the station")
        assert "set 6 trial limits, which are not in the picture" in begun[2]
        assert over[:2] == (at(start, 14), "The test is over")
        assert "put back as they were" in over[2]

    @pytest.mark.parametrize(
        ("restored", "says"), [(None, "It set nothing"), (False, "Not all limits came back")]
    )
    def test_how_it_left_the_station(
        self,
        driver: User,
        station: Station,
        session: ChargingSession,
        start: dt.datetime,
        restored: bool | None,
        says: str,
    ) -> None:
        self.probe(station, start, restored=restored, limits=0)
        over = next(line for line in story(driver, session) if line[1] == "The test is over")
        assert says in over[2]

    def test_one_before_or_elsewhere_is_not_told(
        self, driver: User, station: Station, session: ChargingSession, start: dt.datetime
    ) -> None:
        self.probe(station, start - HOUR, restored=True, limits=1)
        self.probe(make_online_station("S-2"), start, restored=True, limits=1)
        assert "Test of the station" not in titles(driver, session)

    def test_few_queries(
        self, driver: User, station: Station, session: ChargingSession, start: dt.datetime
    ) -> None:
        self.probe(station, start, restored=True, limits=3)
        limited(station, start, limit=8, hours=1)
        assert queries_of(driver, f"/mijn/sessies/{session.pk}/") <= MOST_QUERIES
