"""A storm of stations: what many want at once costs few statements, one that is broken fails alone, order is kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from stations import admitting, capabilities, commands, consumers, events, ingest, intake, presence
from stations.events import Kind
from stations.gathering import Job, Together, gathered
from stations.models import Command, ConnectionSpan, DeviceReading, Event, Frame, Presence, Station
from stations.ocpp import rpc
from stations.sending import Commands, Connection
from tests.factories import NOW, make_station
from tests.ocpp.conversation import minutes

pytestmark = pytest.mark.django_db

BOOT = {"chargePointVendor": "V", "chargePointModel": "M"}


@pytest.fixture
def told() -> Iterator[list[tuple[Event, list[Event]]]]:
    """Each event as receivers are told of it, with those among which it is."""
    heard: list[tuple[Event, list[Event]]] = []

    def hear(*, event: Event, among: list[Event], **_: Any) -> None:
        heard.append((event, among))

    events.event_recorded.connect(hear)
    yield heard
    events.event_recorded.disconnect(hear)


async def _send(_: dict[str, Any]) -> None:
    """A socket that takes everything."""


def connection_of(station: Station) -> Connection:
    return Connection(station.pk, station.identity, station.ocpp_version, _send)


def lease_of(station: Station, *, version: str = "1.6") -> presence.Lease:
    return presence.Lease(station, uuid4(), uuid4(), version, "192.0.2.7")


def asking(station: Station) -> Job:
    asked = consumers._Asked(connection_of(station), admitting.Admitted(station, level=1), "192.0.2.7")
    return Job(together=consumers._take_leases, item=asked, station_id=station.pk)


def calling(station: Station, action: str = "BootNotification", payload: Any = BOOT, name: str = "m") -> Job:
    call = rpc.Call(name, action, payload)
    called = intake.Called(connection_of(station), call, "[2]", NOW, time.monotonic())
    return Job(together=intake.take_calls, item=called, station_id=station.pk)


def queries_of(work: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as seen:
        work()
    return len(seen)


def a_fleet(count: int, **fields: Any) -> list[Station]:
    return [make_station(version="1.6", **fields) for _ in range(count)]


# ---------------------------------------------------------------- few statements
def test_a_storm_of_leases_takes_as_many_statements_as_two() -> None:
    def storm(count: int) -> int:
        stations = a_fleet(count)
        presence.take([lease_of(station) for station in stations], now=NOW)
        jobs = [asking(station) for station in stations]
        return queries_of(lambda: ingest._commit(jobs))

    assert storm(30) == storm(2)
    assert ConnectionSpan.objects.filter(disconnected_at=None).count() == 32
    assert ConnectionSpan.objects.filter(reason="the station connected again").count() == 32


def test_a_fleet_that_loses_its_line_at_once_takes_as_many_statements_as_two() -> None:
    def leaves(count: int) -> int:
        leases = [lease_of(station) for station in a_fleet(count)]
        presence.take(leases, now=NOW)
        endings = [presence.Ending(each.station.pk, each.connection, "cut") for each in leases]
        return queries_of(lambda: presence.end(endings, now=minutes(1)))

    assert leaves(2) == leaves(30)
    assert not Presence.objects.filter(connection__isnull=False).exists()
    assert Event.objects.filter(kind=Kind.DISCONNECTED, data__reason="cut").count() == 32


def test_of_those_that_leave_each_keeps_its_reason_and_a_late_close_ends_no_new_lease() -> None:
    cut, closed, back = leases = [lease_of(station) for station in a_fleet(3)]
    presence.take(leases, now=NOW)
    presence.take([lease_of(back.station)], now=minutes(1))
    reasons = {cut: "cut", closed: "closed", back: "late"}
    endings = [presence.Ending(each.station.pk, each.connection, reason) for each, reason in reasons.items()]
    assert presence.end(endings, now=minutes(2)) == 2
    assert Presence.objects.get(station=back.station).connection is not None
    left = ConnectionSpan.objects.filter(disconnected_at=minutes(2)).order_by("station")
    assert list(left.values_list("reason", flat=True)) == ["cut", "closed"]


def test_each_boot_of_a_storm_costs_only_what_is_its_own() -> None:
    def storm(count: int) -> int:
        jobs = [calling(station) for station in a_fleet(count)]
        return queries_of(lambda: ingest._commit(jobs))

    few, many = storm(2), storm(30)
    # A savepoint (two statements), the firmware before, the station's row, the event.
    assert (many - few) / 28 == 5
    assert Frame.objects.count() == 64


def test_what_was_lost_with_the_old_sockets_is_given_up_in_a_few_statements() -> None:
    def storm(count: int) -> int:
        stations = a_fleet(count)
        commands.request_all(stations=stations, action="ClearCache", payload={}, now=NOW)
        keys = [station.pk for station in stations]
        assert len(commands.claim(keys, now=NOW)) == count
        return queries_of(lambda: commands.lose(keys, now=minutes(1)))

    assert storm(2) == storm(20)
    assert set(Command.objects.values_list("state", flat=True)) == {"unknown"}
    assert Event.objects.filter(kind=Kind.COMMAND_LOST).count() == 22


@pytest.mark.parametrize("version", ["1.6", "2.1"])
def test_many_are_asked_what_they_can_do_in_a_few_statements(version: str) -> None:
    def ask(count: int) -> int:
        stations = [make_station(version=version, booted_at=NOW) for _ in range(count)]
        return queries_of(lambda: capabilities.ask_each(stations, now=minutes(1)))

    assert ask(2) == ask(20)
    assert Command.objects.count() == DeviceReading.objects.count() == 22


def test_who_is_being_asked_is_left_out_and_the_others_are_asked() -> None:
    first, second, third = a_fleet(3, booted_at=NOW)
    capabilities.ask_each([first], now=NOW)
    asked = capabilities.ask_each([first, second, third], now=minutes(1))
    assert [command.station_id for command in asked] == [second.pk, third.pk]


# ---------------------------------------------------------------- one that is broken
def test_a_call_that_breaks_fails_alone() -> None:
    first, broken, last = a_fleet(3)
    jobs = [calling(first), calling(broken, payload={**BOOT, "chargePointModel": 7}), calling(last, name="n")]
    ingest._commit(jobs)
    answers = [job.result[0] for job in jobs]
    assert answers[0].startswith('[3,"m",{')
    assert answers[1].startswith('[4,"m","TypeConstraintViolation"')
    assert answers[2].startswith('[3,"n",{')
    booted = Event.objects.filter(kind=Kind.BOOTED).order_by("pk").values_list("station_id", flat=True)
    assert list(booted) == [first.pk, last.pk]


def test_a_piece_that_spoils_the_others_is_left_to_fail_by_itself() -> None:
    stations = a_fleet(3)

    def spoiled(items: list[int]) -> list[int]:
        if stations[1].pk in items:
            raise ValueError("this one")
        Station.objects.filter(pk__in=items).update(vendor="taken in")
        return items

    jobs = [Job(together=spoiled, item=station.pk, station_id=station.pk) for station in stations]
    ingest._commit(jobs)
    assert [type(job.error) for job in jobs] == [type(None), ValueError, type(None)]
    assert Station.objects.filter(vendor="taken in").count() == 2


def test_a_station_whose_password_was_replaced_gets_no_lease_and_the_others_do() -> None:
    first, replaced, last = a_fleet(3)
    jobs = [asking(station) for station in (first, replaced, last)]
    Station.objects.filter(pk=replaced.pk).update(secret_hash="another")
    ingest._commit(jobs)
    assert [job.result for job in jobs] == [True, False, True]
    assert set(Presence.objects.values_list("station", flat=True)) == {first.pk, last.pk}


def test_a_station_that_speaks_another_version_now_is_noted_among_the_others() -> None:
    first, other = a_fleet(2)
    presence.take([lease_of(first), lease_of(other, version="2.1")], now=NOW)
    other.refresh_from_db()
    assert other.ocpp_version == "2.1"
    assert Event.objects.get(kind=Kind.OCPP_CHANGED).station == other


# ---------------------------------------------------------------- order
def job(station_id: int | None, kind: str, name: str) -> Job:
    if kind == "readings":
        return Job(rows=[], station_id=station_id, item=name)
    kinds: dict[str, Together] = {"calls": intake.take_calls, "answers": intake.take_answers}
    return Job(together=kinds.get(kind), station_id=station_id, item=name)


def names(jobs: list[Job]) -> list[list[str]]:
    return [[each.item for each in group] for group in gathered(jobs)]


def test_pieces_of_one_kind_go_together_and_what_one_station_said_keeps_its_order() -> None:
    jobs = [
        job(1, "calls", "1a"),
        job(2, "readings", "2a"),
        job(2, "calls", "2b"),
        job(3, "calls", "3a"),
        job(3, "readings", "3b"),
        job(3, "readings", "3c"),
        job(1, "answers", "1b"),
        job(1, "calls", "1c"),
    ]
    assert names(jobs) == [["1a", "3a"], ["2a", "3b", "3c"], ["2b"], ["1b"], ["1c"]]


def test_work_on_many_stations_comes_after_all_before_it_and_before_all_after() -> None:
    jobs = [job(1, "calls", "1a"), job(None, "work", "round"), job(2, "calls", "2a"), job(1, "calls", "1b")]
    assert names(jobs) == [["1a"], ["round"], ["2a", "1b"]]


def test_frames_of_one_station_are_answered_in_their_order() -> None:
    one, other = a_fleet(2)
    jobs = [
        calling(one, name="1"),
        calling(other, name="2"),
        calling(one, "Heartbeat", {}, name="3"),
        calling(one, name="4"),
    ]
    ingest._commit(jobs)
    logged = Frame.objects.filter(station_id=one.pk, direction="in").order_by("pk")
    assert list(logged.values_list("message_id", flat=True)) == ["1", "3", "4"]


# ---------------------------------------------------------------- told together
@pytest.mark.django_db(transaction=True)
def test_events_of_one_commit_are_told_as_one(told: list[tuple[Event, list[Event]]]) -> None:
    first, second = a_fleet(2)
    ingest._commit([calling(first), calling(second), asking(first)])
    kinds = [event.kind for event, _ in told]
    assert kinds == [Kind.BOOTED, Kind.BOOTED, Kind.CONNECTED]
    assert all(among == [event for event, _ in told] for _, among in told)


@pytest.mark.django_db(transaction=True)
def test_of_what_was_undone_nobody_is_told(told: list[tuple[Event, list[Event]]]) -> None:
    (station,) = a_fleet(1)

    def undone() -> None:
        events.record(station_id=station.pk, kind=Kind.STATUS, at=NOW, now=NOW)
        raise ValueError

    ingest._commit([Job(work=undone, station_id=station.pk), calling(station)])
    assert [event.kind for event, _ in told] == [Kind.BOOTED]


def test_a_claim_waits_for_the_one_before_it_and_takes_all_that_came_up() -> None:
    """The commands of a storm: see stations.sending."""
    submitted: list[Job] = []

    async def storm() -> None:
        stations = {pk: Connection(pk, f"S{pk}", "1.6", _send) for pk in (1, 2, 3)}
        sender = Commands(stations, submitted.append)
        sender.look([1])
        await asyncio.sleep(0)
        sender.look([2])
        sender.look([3])
        await asyncio.sleep(0)
        assert len(submitted) == 1
        submitted[0].token.set_result(intake.Claimed([], {}))
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(storm())
    assert len(submitted) == 2
