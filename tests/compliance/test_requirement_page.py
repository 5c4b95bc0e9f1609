"""The subjects of one requirement, as the database chooses, counts and sorts them."""

from __future__ import annotations

import datetime as dt

import pytest

from portal.compliance import decisions
from portal.compliance.models import ConcessionRequirement, Judgement, Promise, Status
from portal.compliance.requirement_list import SubjectFilter
from portal.compliance.requirement_page import Subject, Subjects
from stations.models import Concession, Operator
from tests.compliance.fakes import append_evidence, make_asking_concession
from tests.factories import NOW, make_official, make_operator, make_site, make_station

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


@pytest.fixture
def concession() -> Concession:
    """Four stations: alpha proves on one and deviates on one, beta deviates on one; one is not assessed."""
    found = make_asking_concession(operators=(make_operator("alpha"), make_operator("beta")))
    for operator, name, verdict in (
        ("alpha", "A-PROVEN", "proven"),
        ("alpha", "A-DEVIATES", "deviation"),
        ("beta", "B-DEVIATES", "deviation"),
    ):
        append_evidence(
            make_station(name, concession=found, operator=make_operator(operator)), verdict=verdict
        )
    make_station("B-UNKNOWN", concession=found, operator=make_operator("beta"))
    return found


def subjects(
    concession: Concession, code: str = "206", *, operators: tuple[str, ...] = ("alpha", "beta")
) -> Subjects:
    asked = ConcessionRequirement.objects.get(concession=concession, requirement__code=code)
    return Subjects(asked, Operator.objects.filter(slug__in=operators).order_by("name"), NOW)


def lines(found: Subjects, **chosen: str) -> list[Subject]:
    form = SubjectFilter(chosen, operators=found.operators, of_stations=found.of_stations)
    return found.lines(list(form.narrow(found).order_by("mark", "pk")))


def names(found: Subjects, **chosen: str) -> list[str]:
    return [str(line.station) for line in lines(found, **chosen)]


def test_each_station_has_the_status_that_counts(concession: Concession) -> None:
    Promise.objects.create(
        asked=ConcessionRequirement.objects.get(concession=concession, requirement__code="206"),
        operator=make_operator("alpha"),
    )
    found = subjects(concession)
    assert found.promised == [make_operator("alpha")]
    told = {str(line.station): (line.status, line.mark, line.breach) for line in lines(found)}
    assert told == {
        "B-UNKNOWN": (Status.NOT_ASSESSED, "not_assessed", False),
        "A-PROVEN": (Status.PROVEN, "proven", False),
        "A-DEVIATES": (Status.DEVIATION, "deviation", True),
        "B-DEVIATES": (Status.DEVIATION, "not_promised", False),
    }
    assert list(told) == ["B-UNKNOWN", "A-PROVEN", "A-DEVIATES", "B-DEVIATES"], "as the marks are ordered"
    assert (found.total, found.breaches) == (4, 1)
    tally = {str(rung.mark.label): rung.subjects for rung in found.ladder}
    assert (tally["Not assessed"], tally["Declared"], tally["Proven"], tally["Deviation"]) == (1, 0, 1, 1)


def test_they_are_chosen_by_status_operator_and_name(concession: Concession) -> None:
    found = subjects(concession)
    assert names(found, status="proven") == ["A-PROVEN"]
    assert set(names(found, status="attention")) == {"A-DEVIATES", "B-DEVIATES", "B-UNKNOWN"}
    assert set(names(found, operator="beta")) == {"B-DEVIATES", "B-UNKNOWN"}
    assert names(found, q="unkn") == ["B-UNKNOWN"]
    assert names(found, operator="gamma") == names(found), "a choice that is none narrows nothing"


def test_who_sees_one_operator_counts_one(concession: Concession) -> None:
    found = subjects(concession, operators=("alpha",))
    assert set(names(found)) == {"A-PROVEN", "A-DEVIATES"}
    assert found.total == 2


def test_a_decision_counts_at_once(concession: Concession) -> None:
    judgement = Judgement.objects.get(station__identity="A-DEVIATES")
    decisions.decide(
        judgement=judgement, to_status="waived", reason="Agreed.", decided_by=make_official(), now=NOW
    )
    assert judgement.last_decision is not None
    assert names(subjects(concession), status="waived") == ["A-DEVIATES"]


def test_what_was_judged_of_another_operator_is_not_this_one_s(concession: Concession) -> None:
    judgement = Judgement.objects.get(station__identity="A-PROVEN")
    judgement.station.site = make_site(concession=concession, operator=make_operator("beta"))  # type: ignore[union-attr]
    judgement.station.save()  # type: ignore[union-attr]
    (moved,) = (line for line in lines(subjects(concession)) if str(line.station) == "A-PROVEN")
    assert (moved.operator.slug, moved.status) == ("beta", Status.NOT_ASSESSED)
    assert (moved.at, moved.evidence_id) == (None, None)


def test_of_a_back_office_the_operator_is_the_subject(concession: Concession) -> None:
    judged = Judgement.objects.create(
        concession=concession,
        requirement=concession.requirements.get(requirement__code="200").requirement,
        operator=make_operator("beta"),
        status=Status.DECLARED,
        at=NOW - dt.timedelta(days=3),
    )
    found = subjects(concession, "200")
    assert not found.of_stations
    told = {line.operator.slug: (line.station, line.status, line.at) for line in lines(found)}
    assert told == {
        "alpha": (None, Status.NOT_ASSESSED, None),
        "beta": (None, Status.DECLARED, judged.at),
    }
    assert [line.operator.slug for line in lines(found, operator="alpha")] == ["alpha"]
