"""The matrix: who meets what, counted in stations and EVSEs, and what is a breach."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from portal.compliance import decisions
from portal.compliance.judgement import update_judgement
from portal.compliance.matrix import Matrix, matrix
from portal.compliance.models import ConcessionRequirement, Judgement, Promise, Requirement, Status
from stations.models import Concession, Station
from tests.compliance.fakes import append_evidence, make_asking_concession
from tests.factories import NOW, make_official, make_operator, make_station

pytestmark = pytest.mark.django_db


@pytest.fixture
def concession() -> Concession:
    return make_asking_concession(operators=(make_operator("alpha"), make_operator("beta")))


def stations(concession: Concession, operator: str, count: int, **fields: Any) -> list[Station]:
    party = make_operator(operator)
    return [
        make_station(operator=party, concession=concession, firmware="1.0", **fields) for _ in range(count)
    ]


def seen(concession: Concession) -> Matrix:
    return matrix(concession, NOW + dt.timedelta(hours=1))


def test_every_requirement_stands_beside_every_operator(concession: Concession) -> None:
    stations(concession, "alpha", 2)
    found = seen(concession)
    assert [row.code for row in found.rows] == [
        "200", "201", "202", "203", "205", "206", "207", "208", "209", "210", "211", "212",
    ]  # fmt: skip
    assert [category for category, _ in found.categories] == ["Smart Charging", "V2x"]
    assert [(head.column.slug, head.stations, head.evses) for head in found.heads] == [
        ("alpha", 2, 4),
        ("beta", 0, 0),
    ]
    assert found.cell("206", "alpha").status is Status.NOT_ASSESSED
    assert found.cell("210", "alpha").status is Status.FUTURE
    assert (found.cell("200", "alpha").met, found.cell("200", "alpha").total) == (0, 1)
    assert found.cell("206", "beta").total == 0


def test_a_cell_counts_stations_and_shows_the_weakest(concession: Concession) -> None:
    one, two, three = stations(concession, "alpha", 3)
    append_evidence(one)
    newest = append_evidence(two, window=(NOW, NOW + dt.timedelta(minutes=5)))
    cell = seen(concession).cell("206", "alpha")
    assert (cell.status, cell.met, cell.total) == (Status.NOT_ASSESSED, 2, 3)
    append_evidence(three, verdict="substantiated", method="configuration")
    cell = seen(concession).cell("206", "alpha")
    assert (cell.status, cell.met) == (Status.SUBSTANTIATED, 3)
    assert [(count.status, count.subjects) for count in cell.counts] == [
        (Status.SUBSTANTIATED, 1),
        (Status.PROVEN, 2),
    ]
    append_evidence(three)
    cell = seen(concession).cell("206", "alpha")
    assert (cell.status, cell.evidence_id, cell.at) == (Status.PROVEN, newest.pk, newest.window_end)
    assert cell.tone == "met"


def test_a_deviation_points_to_its_evidence(concession: Concession) -> None:
    good, bad = stations(concession, "beta", 2)
    append_evidence(good)
    row = append_evidence(bad, verdict="deviation")
    cell = seen(concession).cell("206", "beta")
    assert (cell.status, cell.met, cell.total, cell.evidence_id) == (Status.DEVIATION, 1, 2, row.pk)


def test_a_wish_is_a_breach_only_when_promised(concession: Concession) -> None:
    (bad,) = stations(concession, "beta", 1)
    append_evidence(bad, verdict="deviation")
    cell = seen(concession).cell("206", "beta")
    assert (cell.breach, cell.quiet, cell.tone) == (False, True, "quiet")
    asked = ConcessionRequirement.objects.get(requirement__code="206")
    Promise.objects.create(asked=asked, operator=make_operator("alpha"))
    assert not seen(concession).cell("206", "beta").breach
    Promise.objects.create(asked=asked, operator=make_operator("beta"))
    found = seen(concession)
    assert (found.cell("206", "beta").breach, found.cell("206", "beta").tone) == (True, "breach")
    assert [head.breaches for head in found.heads] == [(), ("206",)]


def test_the_one_requirement_is_a_breach_without_a_promise(concession: Concession) -> None:
    (bad,) = stations(concession, "beta", 1)
    append_evidence(bad, code="208", verdict="deviation")
    assert seen(concession).cell("208", "beta").breach


def test_what_is_waived_is_left_out_of_the_weakest(concession: Concession) -> None:
    good, other = stations(concession, "alpha", 2)
    append_evidence(good)
    judgement = update_judgement(
        concession=concession,
        requirement=Requirement.objects.get(code="206"),
        operator=other.site.operator,
        station=other,
        now=NOW,
    )
    decisions.decide(
        judgement=judgement, to_status="waived", reason="Is taken away.", decided_by=make_official(), now=NOW
    )
    cell = seen(concession).cell("206", "alpha")
    assert (cell.status, cell.met, cell.total) == (Status.PROVEN, 1, 2)


def test_a_proof_grows_old_without_anyone_looking(concession: Concession) -> None:
    (station,) = stations(concession, "alpha", 1)
    append_evidence(station)
    assert matrix(concession, NOW + dt.timedelta(days=364)).cell("206", "alpha").status is Status.PROVEN
    assert matrix(concession, NOW + dt.timedelta(days=366)).cell("206", "alpha").status is Status.STALE


def test_the_number_of_queries_does_not_grow(concession: Concession, django_assert_num_queries: Any) -> None:
    for number in (1, 20):
        for station in stations(concession, "alpha", number):
            append_evidence(station)
        with django_assert_num_queries(6):
            seen(concession)
    assert Judgement.objects.count() == 21
