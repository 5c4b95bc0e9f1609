"""Requirement 211 as data arrives: what a station told through its socket becomes evidence, once."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from portal.compliance import evidence, observing
from portal.compliance.judgement import update_station
from portal.compliance.models import Evidence, Judgement
from portal.compliance.sentences import say_in_english
from portal.compliance.tasks import observe_discharges, observe_session
from portal.simulator.spec import StationSpec
from portal.simulator.storing import Capabilities as Able
from portal.simulator.v16 import Speech16
from stations.models import Capabilities, ChargingSession, Frame, MeterReading, Station
from stations.ocpp.masking import MASK
from tests.compliance.discharging import HOUR, Line, charged, tell, v2g
from tests.compliance.fakes import make_asking_concession
from tests.factories import NOW, make_capabilities, make_station

pytestmark = pytest.mark.django_db
VERSIONS = ("1.6", "2.0.1", "2.1")
DAY = dt.timedelta(days=1)
YESTERDAY = NOW - DAY


def make_line(version: str = "1.6", *, now: dt.datetime = NOW, firmware: str = "1.0") -> Line:
    station = make_station(version=version, concession=make_asking_concession(), connection_a=25)
    line = Line(station, now)
    line.boot(firmware)
    return line


def observed(session: ChargingSession) -> Evidence | None:
    """What the end of this session adds to the chain."""
    before = Evidence.objects.count()
    observe_session(session.pk)
    observe_session(session.pk)  # a task may run twice
    assert Evidence.objects.count() - before in (0, 1)
    return Evidence.objects.order_by("pk").last() if Evidence.objects.count() > before else None


def status(station: Station) -> str:
    row = Judgement.objects.filter(station=station, requirement__code="211").first()
    return row.status if row else ""


# ---------------------------------------------------------------- a station and its past
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("defect", "code", "ends"),
    [
        (None, "211.proven", "proven"),
        ("single-register", "211.no_export_rise", "deviation"),
        ("netted-register", "211.netted", "deviation"),
        ("no-stacking", "211.proven", "proven"),
    ],
)
def test_a_past_that_is_told_late_is_judged(version: str, defect: str | None, code: str, ends: str) -> None:
    line = make_line(version)
    (session,) = tell(line, v2g(YESTERDAY), defect=defect)
    row = observed(session)
    assert row is not None
    assert (row.verdict, row.configuration["finding"]["code"]) == (ends, code)
    assert status(line.station) == ends
    assert row.method == "observation"
    assert YESTERDAY < row.window_start < row.window_end <= YESTERDAY + 4 * HOUR
    assert evidence.verify(line.station.site.concession) is None


@pytest.mark.parametrize("version", VERSIONS)
def test_it_rests_on_frames_that_came_through_the_socket(version: str) -> None:
    line = make_line(version)
    (session,) = tell(line, v2g(YESTERDAY))
    row = observed(session)
    assert row is not None
    ids = {frame["message_id"] for frame in row.frames}
    assert {step["message_id"] for step in row.steps} == ids
    assert 3 < len(row.steps) < 70
    texts = "".join(frame["text"] for frame in row.frames)
    assert "04A1B2C3" not in texts
    assert all(json.loads(frame["text"])[0] == 2 for frame in row.frames)
    assert {"1.6": "MeterValues"}.get(version, "TransactionEvent") in {f["action"] for f in row.frames}
    if version == "1.6":
        assert any(MASK in frame["text"] for frame in row.frames if frame["action"] == "StopTransaction")


@pytest.mark.parametrize("every_s", [60, 900])
def test_few_samples_are_kept_of_many(every_s: int) -> None:
    line = make_line()
    (session,) = tell(line, v2g(YESTERDAY, sample_interval_s=every_s, discharge_wh=20_000.0))
    row = observed(session)
    assert row is not None
    assert row.verdict == "proven"
    assert len(row.steps) <= 60
    figures = {figure["key"]: figure for figure in row.figures}
    assert figures["export_rise_wh"]["value"] > 5000
    assert figures["export_rise_wh"]["unit"] == "Wh"
    assert row.reason == say_in_english("211.proven", row.configuration["finding"]["values"])


def test_a_session_that_only_charged_says_nothing() -> None:
    line = make_line()
    (session,) = tell(line, charged(YESTERDAY))
    assert observed(session) is None
    assert not Judgement.objects.filter(requirement__code="211").exists()


def test_without_the_frames_there_is_no_evidence() -> None:
    """They are kept for a while only (OCPP_FRAME_RETENTION_DAYS)."""
    line = make_line()
    (session,) = tell(line, v2g(YESTERDAY))
    MeterReading.objects.update(message="")
    Frame.objects.all().delete()
    assert observed(session) is None


def test_a_row_that_its_frame_does_not_carry_counts_for_nothing() -> None:
    """Whoever changes a reading in the database changes no evidence: it is read from the frames."""
    line = make_line()
    (session,) = tell(line, v2g(YESTERDAY), defect="single-register")
    rows = MeterReading.objects.filter(context="Sample.Periodic").order_by("sampled_at")
    for number, row in enumerate(rows):
        MeterReading.objects.filter(pk=row.pk).update(export_wh=1000.0 + 100 * number)
    assert observed(session) is None


# ---------------------------------------------------------------- new evidence only when it adds something
def test_a_station_that_discharges_every_day_adds_one_piece() -> None:
    line = make_line()
    days = [v2g(NOW - (5 - n) * DAY) for n in range(4)]
    made = [observed(session) for session in tell(line, *days)]
    assert [row is not None for row in made] == [True, False, False, False]


def test_proof_is_renewed_after_new_firmware() -> None:
    line = make_line()
    first, second = tell(line, v2g(NOW - 3 * DAY), v2g(NOW - 2 * DAY))
    assert observed(first) is not None
    line.clock = NOW + DAY
    line.boot("2.0")
    update_station(station=line.station, now=NOW + DAY)
    assert status(line.station) == "stale"
    assert observed(second) is None  # it was measured before the update
    (third,) = tell(line, v2g(NOW + DAY), dialect=None)
    assert observed(third) is not None
    assert status(line.station) == "proven"


def test_proof_is_renewed_before_it_ends(settings: Any) -> None:
    settings.EVIDENCE_VALID_DAYS = 8
    line = make_line()
    days = [v2g(NOW - n * DAY) for n in (8, 7, 3, 1)]
    made = [observed(session) for session in tell(line, *days)]
    assert [row is not None for row in made] == [True, False, False, True]


def test_a_deviation_after_a_proof_counts_and_a_proof_after_it_restores() -> None:
    line = make_line()
    (good,) = tell(line, v2g(NOW - 5 * DAY))
    (bad,) = tell(line, v2g(NOW - 4 * DAY), defect="netted-register")
    (better,) = tell(line, v2g(NOW - 3 * DAY))
    assert observed(good) is not None
    assert observed(bad) is not None
    assert status(line.station) == "deviation"
    assert observed(better) is not None
    assert status(line.station) == "restored"


def test_one_evse_does_not_restore_another() -> None:
    line = make_line()
    (bad,) = tell(line, v2g(NOW - 5 * DAY, evse=2), defect="netted-register")
    (good,) = tell(line, v2g(NOW - 4 * DAY))
    (mended,) = tell(line, v2g(NOW - 3 * DAY, evse=2))
    assert observed(bad) is not None
    row = observed(good)
    assert row is not None
    assert row.verdict == "proven"
    assert status(line.station) == "deviation"
    assert observed(mended) is not None
    assert status(line.station) == "restored"


def test_an_old_deviation_that_is_told_late_does_not_undo_what_is_newer() -> None:
    line = make_line()
    (new,) = tell(line, v2g(NOW - 2 * DAY))
    assert observed(new) is not None
    (old,) = tell(line, v2g(NOW - 9 * DAY), defect="netted-register")
    assert observed(old) is not None
    assert status(line.station) == "restored"


def test_the_end_of_the_proof_is_that_of_its_samples() -> None:
    line = make_line()
    (session,) = tell(line, v2g(NOW - 2 * DAY))
    assert observed(session) is not None
    judgement = Judgement.objects.get(requirement__code="211")
    assert judgement.at is not None
    assert judgement.at == NOW - 2 * DAY + 4 * HOUR


# ---------------------------------------------------------------- firmware of then
def test_a_past_from_before_an_update_is_of_unknown_firmware() -> None:
    """The station measured between two boots that named different firmware: under which, nobody knows."""
    line = make_line(now=NOW - 10 * DAY, firmware="1.0")
    line.clock = NOW
    line.boot("2.0")
    (session,) = tell(line, v2g(NOW - 2 * DAY))
    row = observed(session)
    assert row is not None
    assert row.firmware == ""
    assert status(line.station) == "stale"


def test_a_past_that_follows_the_last_update_is_of_that_firmware() -> None:
    line = make_line(now=NOW - 10 * DAY, firmware="1.0")
    line.clock = NOW - 5 * DAY
    line.boot("2.0")
    line.clock = NOW
    line.boot("2.0")
    (session,) = tell(line, v2g(NOW - 2 * DAY))
    row = observed(session)
    assert row is not None
    assert row.firmware == "2.0"
    assert status(line.station) == "proven"


def test_what_was_told_before_an_update_is_of_the_firmware_before_it() -> None:
    line = make_line(now=NOW - 10 * DAY, firmware="1.0")
    line.clock = NOW - 2 * DAY + 4 * HOUR
    (session,) = tell(line, v2g(NOW - 2 * DAY))
    line.clock = NOW
    line.boot("2.0")
    row = observed(session)
    assert row is not None
    assert row.firmware == "1.0"
    assert status(line.station) == "stale"


def test_other_measurands_make_the_proof_of_registers_stale_and_no_other() -> None:
    line = make_line()
    both = ["Energy.Active.Import.Register", "Energy.Active.Export.Register"]
    make_capabilities(line.station, measurands=both)
    (session,) = tell(line, v2g(YESTERDAY))
    assert observed(session) is not None
    assert status(line.station) == "proven"
    Capabilities.objects.update(max_stack_level=3)
    update_station(station=line.station, now=NOW)
    assert status(line.station) == "proven"
    Capabilities.objects.update(measurands=both[:1])
    update_station(station=line.station, now=NOW)
    assert status(line.station) == "stale"


# ---------------------------------------------------------------- while a session runs
@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_that_runs_is_judged_each_minute(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(observe_session, "delay", asked.append)
    line = make_line(version)
    observe_discharges()
    (session,) = tell(line, v2g(YESTERDAY), most=24)
    assert session.state == "active"
    observe_discharges()
    assert asked == [session.pk]
    row = observed(session)
    assert row is not None
    assert row.verdict == "proven"
    observe_discharges()  # each round looks at the last two
    observe_discharges()
    assert asked == [session.pk] * 2


def test_nothing_is_asked_where_nothing_flows_out(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(observe_session, "delay", asked.append)
    line = make_line()
    observe_discharges()
    tell(line, charged(YESTERDAY))
    observe_discharges()
    assert not asked


def test_a_round_asks_as_much_for_one_station_as_for_ten(
    django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observe_session, "delay", lambda _pk: None)
    observe_discharges()
    lines = [make_line() for _ in range(10)]
    tell(lines[0], v2g(YESTERDAY, sample_interval_s=900))
    with django_assert_num_queries(7):
        observe_discharges()
    for line in lines[1:]:
        tell(line, v2g(YESTERDAY, sample_interval_s=900))
    with django_assert_num_queries(7):
        observe_discharges()


@pytest.mark.parametrize("most", [12, 14, 16, 24])
def test_a_session_that_runs_leaves_nothing_undecided(most: int) -> None:
    """A stuck register may still move, and a discharge that has just begun shows too little."""
    line = make_line()
    (session,) = tell(line, v2g(YESTERDAY), defect="single-register", most=most)
    assert session.state == "active"
    assert observed(session) is None


def test_the_end_of_a_session_asks_for_its_judgement(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(observe_session, "delay", asked.append)
    line = make_line()
    with django_capture_on_commit_callbacks(execute=True):
        (session,) = tell(line, charged(YESTERDAY))
    assert asked == [session.pk]


# ---------------------------------------------------------------- what is missing may only be unconfigured
def test_a_missing_measurand_is_not_assessed_and_the_fix_is_named() -> None:
    line = make_line()
    spec_says = "Energy.Active.Import.Register,Power.Active.Import,Power.Active.Export"
    speech = Speech16(StationSpec("x", "ws://x"), Able())
    speech.settings.change("MeterValuesSampledData", spec_says)
    speech.settings.change("StopTxnSampledData", spec_says)
    (session,) = tell(line, v2g(YESTERDAY), dialect=speech)
    row = observed(session)
    assert row is not None
    assert row.verdict == "undecided"
    assert "Add Energy.Active.Export.Register to MeterValuesSampledData" in row.reason
    assert status(line.station) == "not_assessed"


def test_a_clock_ahead_dates_nothing_in_the_future() -> None:
    line = make_line()
    (session,) = tell(line, v2g(NOW + 400 * DAY))
    seen = observing.observe(
        ChargingSession.objects.select_related("station__site__concession", "station__site__operator").get(
            pk=session.pk
        ),
        now=NOW,
    )
    assert seen is not None
    assert seen.window_end == NOW
