"""From evidence to a status, and what an official's decision makes of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.management import call_command
from django.utils.translation import override

from portal.compliance import decisions, evidence
from portal.compliance.equipment import configuration_of
from portal.compliance.judgement import (
    Fact,
    Ruling,
    effective,
    propose,
    status_now,
    unfounded,
    update_judgement,
)
from portal.compliance.models import ConcessionRequirement, Decision, Evidence, Judgement, Requirement, Status
from portal.compliance.tasks import check_configuration, judge_again
from stations import events
from stations.models import Capabilities, Frame, Station
from tests.compliance.fakes import append_evidence, make_asking_concession
from tests.factories import NOW, make_capabilities, make_command, make_official, make_station

DAY = dt.timedelta(days=1)


def fact(
    verdict: str, *, method: str = "probe", days_ago: int = 1, firmware: str = "1.0", pk: int = 1
) -> Fact:
    return Fact(pk, method, verdict, NOW - days_ago * DAY, firmware)


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ([], Status.NOT_ASSESSED),
        ([fact("declared", method="declaration")], Status.DECLARED),
        ([fact("substantiated", method="declaration")], Status.SUBSTANTIATED),
        ([fact("substantiated", method="configuration")], Status.SUBSTANTIATED),
        ([fact("undecided", method="configuration")], Status.NOT_ASSESSED),
        (
            [fact("substantiated", method="configuration"), fact("undecided", method="configuration")],
            Status.NOT_ASSESSED,
        ),
        ([fact("substantiated", method="configuration", firmware="0.9")], Status.NOT_ASSESSED),
        ([fact("proven")], Status.PROVEN),
        ([fact("proven", method="observation")], Status.PROVEN),
        ([fact("deviation")], Status.DEVIATION),
        ([fact("deviation", firmware="0.9")], Status.DEVIATION),
        ([fact("deviation"), fact("proven")], Status.RESTORED),
        ([fact("deviation"), fact("proven"), fact("proven")], Status.RESTORED),
        ([fact("proven"), fact("deviation")], Status.DEVIATION),
        ([fact("proven"), fact("undecided")], Status.PROVEN),
        ([fact("deviation"), fact("undecided")], Status.DEVIATION),
        ([fact("undecided")], Status.NOT_ASSESSED),
        ([fact("proven", firmware="0.9")], Status.STALE),
        ([fact("proven", days_ago=365)], Status.STALE),
        ([fact("proven", days_ago=364)], Status.PROVEN),
        ([fact("deviation"), fact("proven", firmware="0.9")], Status.STALE),
        ([fact("substantiated", method="configuration"), fact("proven")], Status.PROVEN),
        ([fact("proven"), fact("substantiated", method="configuration")], Status.PROVEN),
    ],
)
def test_what_follows_from_the_evidence(facts: list[Fact], status: Status) -> None:
    proposal = propose(facts, firmware="1.0", future=False, now=NOW, valid_days=365)
    assert proposal.status is status
    assert (proposal.evidence_id is None) == (status is Status.NOT_ASSESSED)


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ([], Status.FUTURE),
        ([fact("deviation")], Status.FUTURE),
        ([fact("substantiated", method="configuration")], Status.SUBSTANTIATED),
        ([fact("proven")], Status.PROVEN),
    ],
)
def test_what_is_not_asked_yet_counts_for_but_not_against(facts: list[Fact], status: Status) -> None:
    assert propose(facts, firmware="1.0", future=True, now=NOW, valid_days=365).status is status


@pytest.mark.parametrize(
    ("proposed", "at", "ruling", "status"),
    [
        ("proven", NOW, None, Status.PROVEN),
        ("proven", NOW - 366 * DAY, None, Status.STALE),
        ("restored", NOW - 366 * DAY, None, Status.STALE),
        ("deviation", NOW - 366 * DAY, None, Status.DEVIATION),
        ("deviation", NOW, Ruling(1, "deviation", "proven"), Status.PROVEN),
        ("deviation", NOW, Ruling(2, "deviation", "proven"), Status.DEVIATION),
        ("stale", NOW, Ruling(1, "proven", "proven"), Status.STALE),
        ("deviation", NOW, Ruling(2, "not_assessed", "waived"), Status.WAIVED),
        ("proven", NOW, Ruling(None, "not_assessed", "not_applicable"), Status.NOT_APPLICABLE),
    ],
)
def test_a_decision_holds_while_its_proposal_stands(
    proposed: str, at: dt.datetime, ruling: Ruling | None, status: Status
) -> None:
    assert (
        effective(proposed=proposed, evidence_id=1, at=at, ruling=ruling, now=NOW, valid_days=365) is status
    )


# ---------------------------------------------------------------- rows
@pytest.fixture
def station(db: None) -> Station:
    return make_station("NL-TST-STATUS", concession=make_asking_concession(), firmware="1.0")


def judgement_on(station: Station, code: str = "206") -> Judgement:
    return Judgement.objects.get(station=station, requirement__code=code)


def test_new_firmware_makes_a_proof_stale(station: Station) -> None:
    append_evidence(station)
    assert judgement_on(station).status == Status.PROVEN
    Station.objects.update(firmware="2.0")
    judge_again(station.pk)
    assert judgement_on(station).status == Status.STALE


def test_the_events_of_a_station_reach_the_judge(
    station: Station, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    called = []
    happened: list[tuple[str, dict[str, Any]]] = [
        ("booted", {"firmware_changed": False}),
        ("booted", {"firmware_changed": True}),
        ("ocpp_changed", {"before": "2.0.1", "ocpp_version": "2.1"}),
        ("capabilities_read", {}),
    ]
    monkeypatch.setattr(judge_again, "delay", lambda pk: called.append(("again", pk)))
    monkeypatch.setattr(check_configuration, "delay", lambda pk: called.append(("configuration", pk)))
    with django_capture_on_commit_callbacks(execute=True):
        for kind, data in happened:
            events.record(station_id=station.pk, kind=kind, at=NOW, now=NOW, data=data)
    again = ("again", station.pk)
    assert called == [again, again, ("configuration", station.pk), again]


def was_read(station: Station) -> None:
    """The frames by which a station said what it can take."""
    command = make_command(station, state="accepted", answered_at=NOW)
    for direction, text in (
        ("out", f'[2,"{command.message_id}"]'),
        ("in", f'[3,"{command.message_id}",{{}}]'),
    ):
        Frame.objects.create(
            station=station,
            at=NOW,
            direction=direction,
            action=command.action,
            message_id=command.message_id,
            text=text,
        )


def test_the_configuration_substantiates_once_for_a_firmware(station: Station) -> None:
    make_capabilities(station)
    was_read(station)
    for _ in range(3):
        check_configuration(station.pk)
    row = Evidence.objects.get(requirement__code="206")
    assert (row.method, row.verdict, row.firmware) == ("configuration", "substantiated", "1.0")
    assert judgement_on(station).status == Status.SUBSTANTIATED
    assert {figure["key"]: figure["value"] for figure in row.figures} == {
        "max_stack_level": 10,
        "max_profiles": 20,
    }
    Station.objects.update(firmware="2.0")
    check_configuration(station.pk)
    assert Evidence.objects.filter(requirement__code="206").count() == 2


@pytest.mark.parametrize(
    ("stated", "verdict", "status"),
    [
        (20, "substantiated", Status.SUBSTANTIATED),
        (19, "undecided", Status.NOT_ASSESSED),
        (None, None, Status.NOT_ASSESSED),
    ],
)
def test_the_periods_that_a_station_states_substantiate_207(
    station: Station, stated: int | None, verdict: str | None, status: str
) -> None:
    make_capabilities(station, max_periods=stated)
    was_read(station)
    check_configuration(station.pk)
    row = Evidence.objects.filter(requirement__code="207").first()
    assert (row.verdict if row else None) == verdict
    assert row is None or f"can have {stated} periods" in row.reason
    judged = Judgement.objects.filter(station=station, requirement__code="207").first()
    assert (judged.status if judged else Status.NOT_ASSESSED) == status


@pytest.mark.parametrize("verdict", ["proven", "deviation"])
def test_the_configuration_adds_nothing_to_what_was_seen(station: Station, verdict: str) -> None:
    append_evidence(station, verdict=verdict)
    make_capabilities(station)
    check_configuration(station.pk)
    assert Evidence.objects.filter(requirement__code="206").count() == 1


def test_a_stated_level_that_is_too_low_is_no_deviation(station: Station) -> None:
    make_capabilities(station, max_stack_level=3)
    was_read(station)
    check_configuration(station.pk)
    assert Evidence.objects.get(requirement__code="206").verdict == "undecided"
    assert judgement_on(station).status == Status.NOT_ASSESSED


def test_a_configuration_without_frames_is_nobodys_word(station: Station) -> None:
    make_capabilities(station)
    check_configuration(station.pk)
    assert not Evidence.objects.exists()
    with pytest.raises(evidence.NoFrames):
        append_evidence(station, frames=[])


@pytest.mark.parametrize(
    ("part", "name", "now", "status"),
    [
        ("station", "model", "Mark 2", Status.STALE),
        ("station", "ocpp_version", "2.1", Status.STALE),
        ("station", "connection", "3 x 16 A", Status.STALE),
        ("capabilities", "max_stack_level", 3, Status.STALE),
        ("capabilities", "max_profiles", None, Status.PROVEN),  # not said then: no change
        ("capabilities", "read_at", "2026-01-01T00:00:00Z", Status.PROVEN),
    ],
)
def test_a_proof_is_stale_once_the_equipment_is_another(
    station: Station, part: str, name: str, now: Any, status: str
) -> None:
    make_capabilities(station)
    Station.objects.filter(pk=station.pk).update(model="Mark 1")
    station.refresh_from_db()
    then = configuration_of(station)
    then[part][name] = now
    append_evidence(station, configuration=then)
    assert judgement_on(station).status == status


@pytest.mark.parametrize(
    ("code", "name", "now", "status"),
    [
        ("207", "max_periods", 10, Status.STALE),
        ("207", "registers", "-", Status.PROVEN),
        ("206", "registers", "-", Status.PROVEN),
        ("211", "registers", "-", Status.STALE),
        ("211", "max_periods", 10, Status.PROVEN),
    ],
)
def test_a_proof_is_stale_once_what_it_depends_on_is_another(
    station: Station, code: str, name: str, now: Any, status: str
) -> None:
    make_capabilities(station, measurands=["Energy.Active.Export.Register"])
    then = configuration_of(station)
    append_evidence(station, code=code, configuration=then)
    assert judgement_on(station, code).status == Status.PROVEN
    then["capabilities"][name] = now
    append_evidence(station, code=code, configuration=then)
    assert judgement_on(station, code).status == status


@pytest.mark.parametrize("code", ["206", "207", "211"])
def test_every_proof_is_stale_after_new_firmware(station: Station, code: str) -> None:
    append_evidence(station, code=code)
    Station.objects.filter(pk=station.pk).update(firmware="2.0")
    judge_again(station.pk)
    assert judgement_on(station, code).status == Status.STALE


def test_a_status_that_its_evidence_does_not_carry_is_found(station: Station) -> None:
    append_evidence(station, verdict="deviation")
    call_command("verify_evidence")
    Judgement.objects.update(status=Status.PROVEN)
    with pytest.raises(SystemExit) as stop:
        call_command("verify_evidence")
    assert stop.value.code == 1


def test_a_status_is_found_whose_evidence_is_of_another_station(station: Station) -> None:
    other = make_station("NL-TST-OTHER", concession=station.site.concession)
    proof = append_evidence(other)
    append_evidence(station, verdict="deviation")
    Judgement.objects.filter(station=station).update(status=Status.PROVEN, evidence=proof)
    assert [row.station for row in unfounded(station.site.concession, now=NOW)] == [station]


def test_a_station_that_states_nothing_leaves_no_evidence(station: Station) -> None:
    make_capabilities(station, max_stack_level=None, max_profiles=None, max_periods=None)
    check_configuration(station.pk)
    assert not Evidence.objects.exists()
    assert Capabilities.objects.exists()


def test_future_counts_when_the_concession_asks_for_it_now(station: Station) -> None:
    requirement = Requirement.objects.get(code="210")
    ConcessionRequirement.objects.filter(requirement=requirement).update(applies_now=True)
    append_evidence(station, code="210", verdict="deviation")
    assert judgement_on(station, "210").status == Status.DEVIATION


# ---------------------------------------------------------------- decisions
def decide(judgement: Judgement, to_status: str, **fields: Any) -> Decision:
    said = {"reason": "Seen on site.", "decided_by": make_official(), "now": NOW}
    return decisions.decide(judgement=judgement, to_status=to_status, **{**said, **fields})


def status_of(judgement: Judgement) -> Status:
    return status_now(judgement, now=NOW)


def test_an_official_overrides_with_a_reason(station: Station) -> None:
    row = append_evidence(station, verdict="deviation")
    judgement = judgement_on(station)
    decision = decide(judgement, "proven", reason="  The meter was read by hand. ")
    assert (decision.from_status, decision.to_status) == ("deviation", "proven")
    assert (decision.evidence, decision.reason) == (row, "The meter was read by hand.")
    assert status_of(judgement) is Status.PROVEN


def test_new_evidence_asks_for_a_new_decision(station: Station) -> None:
    append_evidence(station, verdict="deviation")
    decide(judgement_on(station), "proven")
    append_evidence(station, verdict="deviation")
    assert status_of(judgement_on(station)) is Status.DEVIATION


def test_decisions_are_only_added(station: Station) -> None:
    append_evidence(station, verdict="deviation")
    decide(judgement_on(station), "proven")
    decide(judgement_on(station), "deviation", restore_by=NOW.date() + 30 * DAY)
    assert [row.to_status for row in Decision.objects.order_by("pk")] == ["proven", "deviation"]
    assert status_of(judgement_on(station)) is Status.DEVIATION


@pytest.mark.parametrize(
    ("to_status", "fields", "why"),
    [
        ("perfect", {}, "is not a status"),
        ("proven", {"reason": "  "}, "Give a reason"),
        ("proven", {"restore_by": NOW.date() + DAY}, "Only a deviation"),
        ("deviation", {"restore_by": NOW.date() - DAY}, "has passed"),
    ],
)
def test_what_cannot_be_decided(station: Station, to_status: str, fields: dict[str, Any], why: str) -> None:
    append_evidence(station, verdict="deviation")
    with override("en"), pytest.raises(decisions.CannotDecide, match=why):
        decide(judgement_on(station), to_status, **fields)
    assert not Decision.objects.exists()


def test_a_decision_on_older_evidence_is_refused(station: Station) -> None:
    old = append_evidence(station, verdict="deviation")
    append_evidence(station)
    with override("en"), pytest.raises(decisions.CannotDecide, match="newer evidence"):
        decide(judgement_on(station), "deviation", evidence=old)


def test_what_is_not_assessed_can_be_waived(station: Station) -> None:
    judgement = update_judgement(
        concession=station.site.concession,
        requirement=Requirement.objects.get(code="209"),
        operator=station.site.operator,
        station=station,
        now=NOW,
    )
    decide(judgement, "waived")
    assert status_of(judgement) is Status.WAIVED
