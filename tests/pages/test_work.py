"""The operator's work: what asks for a hand, in what order, and what becomes of it when a person puts it aside."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from portal.compliance.judgement import update_judgement
from portal.compliance.models import ConcessionRequirement, Decision, Judgement, Promise
from portal.pages.work.items import Item, Kind, Level, Row, is_aside, items_of
from portal.pages.work.queue import found_for
from smartcharging.models import Drift
from stations import rollouts
from stations.models import (
    Aside,
    AuditEntry,
    ConnectionHealth,
    Connector,
    Event,
    InstalledCertificate,
    RolloutStation,
    Station,
    StationCertificate,
    TokenClaim,
)
from stations.models.access import Role
from tests.compliance.fakes import append_evidence, make_online_station
from tests.device.rows import make_template
from tests.factories import (
    make_command,
    make_official,
    make_operator,
    make_session,
    make_staff,
    make_station,
    make_superuser,
    make_token,
)
from tests.pages.visiting import make_online, queries_of, sees, want

pytestmark = pytest.mark.usefixtures("english")

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
NOW = dt.datetime(2026, 7, 1, 12, 0, tzinfo=dt.UTC)


# ---------------------------------------------------------------- rows into items: no database
def row(kind: Kind, **said: Any) -> Row:
    plain = {
        "kind": kind.value,
        "row": 1,
        "operator_id": 1,
        "station_id": 1,
        "identity": "S-1",
        "name": "",
        "since": NOW - HOUR,
        "other": None,
        "code": "",
        "text": "",
        "more": "",
    }
    return Row(**{**plain, **said})


def item(kind: Kind, now: dt.datetime = NOW, **said: Any) -> Item:
    [found] = items_of([row(kind, **said)], {}, now=now)
    return found


@pytest.mark.parametrize(
    ("kind", "said", "level", "told"),
    [
        (Kind.SILENT, {}, Level.SOON, "The station is silent."),
        (Kind.SILENT, {"since": NOW - 2 * DAY}, Level.URGENT, "The station is silent."),
        (Kind.SILENT, {"since": None}, Level.LATER, "The station was never here yet."),
        (
            Kind.FAULT,
            {"more": "2", "text": "GroundFailure"},
            Level.URGENT,
            "Socket B is faulted. The station calls it GroundFailure.",
        ),
        (Kind.FAULT, {"more": "1", "text": "NoError"}, Level.URGENT, "Socket A is faulted."),
        (
            Kind.LIMIT,
            {"code": "drifted", "text": "Evening", "more": "no_answer\n{}"},
            Level.URGENT,
            "The limit Evening is gone, and is not put back by itself. The station gave no answer.",
        ),
        (
            Kind.LIMIT,
            {"code": "unknown", "text": "Evening", "more": "\n{}"},
            Level.SOON,
            "It is not known whether the limit Evening stands.",
        ),
        (
            Kind.ROLLOUT,
            {"code": "stopped", "text": "Night", "more": "2"},
            Level.URGENT,
            "The roll-out of Night stopped by itself. Not all was done at 2 stations.",
        ),
        (Kind.COMMAND, {"code": "failed", "text": "Reset"}, Level.SOON, "The command Reset failed."),
        (
            Kind.COMMAND,
            {"code": "expired", "text": "Reset"},
            Level.LATER,
            "The command Reset was not sent in time.",
        ),
        (
            Kind.COMPLIANCE,
            {"code": "7", "text": "206 Stacking", "more": "2026-06-30"},
            Level.URGENT,
            "Deviation from requirement 206 Stacking. It had to be mended before 30 Jun 2026.",
        ),
        (
            Kind.COMPLIANCE,
            {"code": "7", "text": "206 Stacking", "more": "2026-12-31"},
            Level.LATER,
            "Deviation from requirement 206 Stacking. Mend it before 31 Dec 2026.",
        ),
        (
            Kind.SECURITY,
            {"code": "TamperDetectionActivated"},
            Level.URGENT,
            "The housing was opened, or somebody tried to.",
        ),
        (
            Kind.CERTIFICATE,
            {"other": NOW - DAY},
            Level.URGENT,
            "The certificate of the station ended on 30 Jun 2026, 14:00.",
        ),
        (
            Kind.CERTIFICATE,
            {"other": NOW + 20 * DAY},
            Level.LATER,
            "The certificate of the station ends on 21 Jul 2026, 14:00.",
        ),
        (Kind.MESSAGES, {"code": "3"}, Level.LATER, "3 messages of the last day could not be read."),
        (
            Kind.REGISTER,
            {"code": "reset"},
            Level.LATER,
            "The energy of a session is not known: the register began again at 0.",
        ),
        (Kind.CARD, {"code": "4", "text": "Bus", "more": "open"}, Level.LATER, "the code of card Bus"),
    ],
)
def test_each_kind_says_what_happened_and_how_bad_it_is(
    kind: Kind, said: dict[str, Any], level: Level, told: str
) -> None:
    found = item(kind, **said)
    assert found.level == level
    assert told in found.told
    assert found.url.startswith("/")
    assert found.action


def test_an_alarm_that_comes_again_and_again_is_one_item() -> None:
    rows = [row(Kind.SECURITY, row=number, code="InvalidMessages") for number in (3, 5, 4)]
    other = row(Kind.SECURITY, row=9, code="InvalidMessages", station_id=2)
    assert [found.found.row for found in items_of([*rows, other], {}, now=NOW)] == [5, 9]


def test_what_is_put_aside_comes_back_after_its_day_when_it_is_worse_and_when_it_begins_anew() -> None:
    aside = Aside(level=Level.SOON, put_at=NOW - HOUR, until=NOW + DAY)
    same: dict[str, Any] = {"level": Level.SOON, "since": NOW - 2 * HOUR, "now": NOW}
    assert is_aside(aside, **same)
    assert not is_aside(aside, **same | {"now": NOW + DAY})
    assert not is_aside(aside, **same | {"level": Level.URGENT})
    assert not is_aside(aside, **same | {"since": NOW - HOUR / 2})


# ---------------------------------------------------------------- found in the database
def told(user: Any, **narrowed: Any) -> list[tuple[str, str]]:
    items = found_for(user, now=timezone.now(), **narrowed)
    return [(found.kind.value, found.told) for found in sorted(items, key=lambda found: found.rank)]


def quiet_station(identity: str = "S-1", **fields: Any) -> Any:
    """A station that is here, and of which nothing is to be said."""
    station = make_station(identity, **fields)
    make_online(station)
    return station


@pytest.mark.django_db
def test_a_station_that_is_here_and_well_is_no_work() -> None:
    station = quiet_station()
    want(station, state="confirmed")
    make_command(station, state="accepted", requested_by=make_staff())
    assert told(make_staff()) == []
    assert "Nothing asks for your attention" in sees(make_staff(), "/werkvoorraad/")


@pytest.mark.django_db
def test_silent_stations_who_is_away_for_days_first() -> None:
    now = timezone.now()
    for identity, away in (("HOUR", HOUR), ("DAYS", 3 * DAY), ("JUST", dt.timedelta(minutes=2))):
        presence = make_online(make_station(identity))
        presence.connection, presence.disconnected_at = None, now - away
        presence.last_message_at = now - away
        presence.save()
    make_station("NEVER")
    page = sees(make_staff(), "/werkvoorraad/")
    assert page.index("DAYS") < page.index("HOUR") < page.index("NEVER")
    assert "JUST" not in page
    assert "Its last message came on" in page


@pytest.mark.django_db
def test_the_question_that_was_kept_is_asked_of_the_moment() -> None:
    """What is put together once is not of the moment at which that was."""
    now, staff = timezone.now(), make_staff()
    presence = make_online(make_station("QUIET"))
    presence.connection, presence.disconnected_at = None, now - dt.timedelta(minutes=2)
    presence.save()
    found = [found_for(staff, now=at) for at in (now, now + HOUR, now)]
    assert [[item.found.identity for item in items] for items in found] == [[], ["QUIET"], []]


def test_the_worst_comes_first_and_of_those_the_newest() -> None:
    rows = [
        row(Kind.SILENT, row=1, since=NOW - 20 * DAY),
        row(Kind.FAULT, row=2, more="1"),
        row(Kind.COMMAND, row=3, code="failed", text="Reset", since=NOW),
        row(Kind.SILENT, row=4, since=None),
    ]
    found = sorted(items_of(rows, {}, now=NOW), key=lambda each: each.rank)
    assert [each.found.row for each in found] == [2, 1, 3, 4]


@pytest.mark.django_db
def test_a_lease_that_nobody_renewed_is_silence_too() -> None:
    presence = make_online(make_station())
    presence.renewed_at = timezone.now() - HOUR
    presence.disconnected_at = timezone.now() - 9 * DAY  # of the time before
    presence.save()
    [(kind, _sentence)] = told(make_staff())
    [found] = found_for(make_staff(), now=timezone.now())
    assert kind == "silent"
    assert found.level == Level.SOON


@pytest.mark.django_db
def test_limits_that_do_not_stand() -> None:
    station, now = quiet_station(), timezone.now()
    want(station, "Repaired", state="drifted", stack_level=1)  # still on its way: not settled
    lost = want(station, "Lost", state="drifted", settled_at=now - HOUR, stack_level=2)
    Drift.objects.create(desired=lost, found_at=now - HOUR, occasion="reboot", reason_code="not_listed")
    want(station, "No", state="refused", stack_level=3)
    want(station, "Gone", state="refused", stack_level=4, withdrawn_at=now)
    assert [sentence.split(".")[0] for _kind, sentence in told(make_staff())] == [
        "The limit Lost is gone, and is not put back by itself",
        "The station refused the limit No",
    ]


@pytest.mark.django_db
def test_commands_of_people_in_vain_until_they_are_asked_again() -> None:
    station, staff, now = quiet_station(), make_staff(), timezone.now()
    common: dict[str, Any] = {"requested_at": now - HOUR}
    make_command(station, "Reset", state="failed", requested_by=staff, **common)
    make_command(station, "ClearCache", state="unknown", requested_by=staff, **common)
    make_command(station, "ClearCache", state="accepted", **common)  # asked again, and done
    make_command(station, "GetConfiguration", state="failed", **common)  # the portal asks again by itself
    make_command(station, "UnlockConnector", state="failed", requested_by=staff, requested_at=now - 30 * DAY)
    assert told(staff) == [("command", "The command Reset failed.")]


@pytest.mark.django_db
def test_faults_security_certificates_registers_messages_and_cards() -> None:
    station, now = quiet_station(version="2.0.1"), timezone.now()
    Connector.objects.filter(evse__station=station, evse__number=1).update(status="Faulted", status_at=now)
    for kind, data in (
        ("security", {"type": "TamperDetectionActivated"}),
        ("security", {"type": "StartupOfTheDevice"}),
        ("device_event", {"severity": 1, "component": "EVSE#1", "variable": "Problem"}),
        ("device_event", {"severity": 7, "component": "EVSE#1", "variable": "Power"}),
    ):
        Event.objects.create(station=station, kind=kind, at=now, recorded_at=now, data=data)
    ends = {"not_after": now + 3 * DAY, "requested_at": now}
    StationCertificate.objects.create(station=station, state="accepted", **ends)
    InstalledCertificate.objects.create(
        station=station, use="CSMSRootCertificate", state="installed", not_after=now - DAY, read_at=now
    )
    make_session(station, started_at=now - DAY, state="ended", ended_at=now, import_fall="reset")
    ConnectionHealth.objects.create(station=station, measured_at=now, bad_frames=4)
    TokenClaim.objects.create(
        way="code", token=make_token(label="Bus"), made_at=now - 9 * DAY, expires_at=now + DAY
    )
    kinds = [kind for kind, _sentence in told(make_staff())]
    assert sorted(kinds) == sorted(
        ["fault", "security", "security", "certificate", "root", "register", "messages", "card"]
    )


@pytest.mark.django_db
def test_own_deviations_with_the_day_before_which_they_are_to_be_mended() -> None:
    station, now = make_online_station("S-1"), timezone.now()
    proof = append_evidence(station, verdict="deviation", window=(now, now), now=now)
    update_judgement(
        concession=proof.concession,
        requirement=proof.requirement,
        operator=proof.operator,
        station=station,
        now=now,
    )
    assert told(make_staff(), kind="compliance") == []  # a wish that nobody promised
    asked = ConcessionRequirement.objects.get(concession=proof.concession, requirement=proof.requirement)
    Promise.objects.create(asked=asked, operator=proof.operator)
    [(_kind, sentence)] = told(make_staff(), kind="compliance")
    assert sentence.startswith("Deviation from requirement 206")
    decision: dict[str, Any] = {
        "judgement": Judgement.objects.get(station=station),
        "from_status": "deviation",
        "reason": "Seen.",
        "decided_by": make_official(),
        "decided_at": now,
        "evidence": proof,
    }
    Decision.objects.create(**decision, to_status="deviation", restore_by=timezone.localdate() - DAY)
    [(_kind, sentence)] = told(make_staff(), kind="compliance")
    assert "It had to be mended before" in sentence
    Decision.objects.create(**decision, to_status="waived")
    assert told(make_staff(), kind="compliance") == []


@pytest.mark.django_db
def test_roll_outs_that_stopped_or_failed_somewhere() -> None:
    station, now = quiet_station(), timezone.now()
    template = make_template(("", "HeartbeatInterval", "60"))
    run = rollouts.start(template=template, stations=Station.objects.all(), requested_by=None, now=now)
    RolloutStation.objects.filter(rollout=run).update(state="failed")
    type(run).objects.filter(pk=run.pk).update(state="done", ended_at=now)
    [(kind, sentence)] = told(make_staff())
    assert (kind, "Not all was done at 1 station." in sentence) == ("rollout", True)
    assert told(make_staff(), text=station.identity) == []  # it is about no station


@pytest.mark.django_db
def test_nobody_sees_the_work_of_another_operator() -> None:
    make_station("OURS")
    other = make_operator("beta")
    make_station("THEIRS", operator=other)
    page = sees(make_staff(operator=other), "/werkvoorraad/")
    assert "THEIRS" in page
    assert "OURS" not in page
    everything = sees(make_superuser(), "/werkvoorraad/")
    assert "THEIRS" in everything
    assert "OURS" in everything
    sees(make_official(), "/werkvoorraad/", status=404)


@pytest.mark.django_db
def test_a_kind_and_a_station_narrow_it() -> None:
    station = make_station("S-1")
    Connector.objects.filter(evse__station=station).update(status="Faulted", status_at=timezone.now())
    make_station("S-2")
    staff = make_staff()
    assert "faulted" not in sees(staff, "/werkvoorraad/", kind="silent")
    only = sees(staff, "/werkvoorraad/", q="S-2")
    assert "faulted" not in only
    assert "1 to 1 of 1" in only


@pytest.mark.django_db
def test_the_first_page_of_who_works_for_an_operator() -> None:
    client = Client()
    client.force_login(make_staff())
    assert client.get("/").headers["Location"] == "/werkvoorraad/"


# ---------------------------------------------------------------- putting aside
def put(user: Any, station: Any, **said: str) -> Any:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user)
    until = timezone.localdate() + 3 * DAY
    data = {"reason": "The mechanic comes.", "until": f"{until:%d-%m-%Y}", **said}
    return client.post(f"/werkvoorraad/silent/{station.pk}/", data)


@pytest.mark.django_db
def test_an_item_is_put_aside_with_a_reason_and_taken_back() -> None:
    station, staff = make_station("S-1"), make_staff(role=Role.PLANNER)
    assert put(staff, station).status_code == 302
    assert "S-1" not in sees(staff, "/werkvoorraad/")
    page = sees(staff, "/werkvoorraad/", show="aside")
    assert "The mechanic comes." in page
    assert str(staff) in page
    [entry] = AuditEntry.objects.filter(model="stations.aside")
    assert (entry.action, entry.changes["reason"][1]) == ("created", "The mechanic comes.")
    client = Client()
    client.force_login(staff)
    client.post(f"/werkvoorraad/silent/{station.pk}/terug/")
    assert "S-1" in sees(staff, "/werkvoorraad/")
    assert AuditEntry.objects.filter(model="stations.aside", action="deleted").exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"reason": ""}, "Say why, in a few words."),
        ({"until": "01-01-2020"}, "Give a day from today on, within a year."),
        ({"until": "soon"}, "Write the day as dd-mm-yyyy"),
    ],
)
def test_without_a_reason_or_a_day_nothing_is_put_aside(said: dict[str, str], words: str) -> None:
    answer = put(make_staff(), make_station(), **said)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Aside.objects.exists()


@pytest.mark.django_db
def test_who_only_reads_puts_nothing_aside_and_nobody_puts_aside_what_is_well() -> None:
    station = make_station("S-1")
    assert put(make_staff(role=Role.READER), station).status_code == 404
    assert put(make_staff(operator=make_operator("beta")), station).status_code == 404
    assert "Put aside" not in sees(make_staff(role=Role.READER), "/werkvoorraad/")
    make_online(station)
    assert put(make_staff(), station).status_code == 404


@pytest.mark.django_db
def test_queries_do_not_grow_with_the_work() -> None:
    make_station()
    staff = make_staff()
    few = queries_of(staff, "/werkvoorraad/")
    for _number in range(12):
        station = make_station()
        Connector.objects.filter(evse__station=station).update(status="Faulted", status_at=timezone.now())
        put(staff, station)
    assert queries_of(staff, "/werkvoorraad/") == few
