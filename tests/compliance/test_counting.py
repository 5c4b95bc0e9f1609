"""What the database counts is what one would count by hand: every way in which a judgement can have been decided on."""

from __future__ import annotations

import datetime as dt
from importlib import import_module
from itertools import product

import pytest
from django.apps import apps
from django.conf import settings

from portal.compliance.decisions import decide
from portal.compliance.judgement import Ruling, effective
from portal.compliance.matrix import matrix
from portal.compliance.models import Decision, Judgement, Promise, Status
from portal.compliance.type_matrix import MOST_TYPES, type_matrix
from tests.compliance.fakes import append_evidence, make_asking_concession
from tests.factories import NOW, make_official, make_operator, make_station

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

LATER = NOW + dt.timedelta(days=settings.EVIDENCE_VALID_DAYS + 1)
STATUSES = (Status.PROVEN, Status.RESTORED, Status.DEVIATION, Status.STALE, Status.WAIVED)


def make_judged(like: Judgement, *rulings: Ruling) -> Judgement:
    """Of a station of its own, decided on so often: append-only, the last one counts."""
    judgement = Judgement.objects.create(
        concession=like.concession,
        requirement=like.requirement,
        operator=like.operator,
        station=make_station(concession=like.concession, evses=0),
    )
    for ruling in rulings:
        Decision.objects.create(
            judgement=judgement,
            evidence_id=ruling.evidence_id,
            from_status=ruling.from_status,
            to_status=ruling.to_status,
            reason="x",
            decided_by=make_official(),
            decided_at=NOW,
        )
    return judgement


def test_the_database_says_what_the_rule_says() -> None:
    """Proposed, decided from, decided to, on this evidence or another or none, fresh or old."""
    station = make_station(concession=make_asking_concession())
    one, other = append_evidence(station), append_evidence(station)
    like = Judgement.objects.get()
    rulings: dict[int, Ruling | None] = {make_judged(like).pk: None}
    overruled = Ruling(one.pk, Status.PROVEN, Status.WAIVED)
    for on, before, after in product((one.pk, other.pk, None), STATUSES[:3], STATUSES):
        ruling = Ruling(on, before, after)
        rulings[make_judged(like, overruled, ruling).pk] = ruling
    asked = 0
    for proposed, evidence, dated, now in product(STATUSES, (one, None), (NOW, None), (NOW, LATER)):
        Judgement.objects.filter(pk__in=rulings).update(status=proposed, evidence=evidence, at=dated)
        for row in Judgement.objects.filter(pk__in=rulings).as_they_count(now):
            expected = effective(
                proposed=proposed,
                evidence_id=row.evidence_id,
                at=dated,
                ruling=rulings[row.pk],
                now=now,
                valid_days=settings.EVIDENCE_VALID_DAYS,
            )
            assert row.counts_as == expected, (proposed, evidence, dated, rulings[row.pk], now)
            asked += 1
    assert asked == 40 * len(rulings) > 1000


def test_a_cell_leads_to_the_proof_of_its_newest_moment() -> None:
    """Not to what was written down last: a station may tell late what happened before."""
    concession = make_asking_concession()
    newest = append_evidence(make_station("ON-TIME", concession=concession))
    before = NOW - dt.timedelta(days=2)
    append_evidence(make_station("LATE", concession=concession), window=(before, before))
    cell = matrix(concession, NOW).cell("206", concession.operators.get().slug)
    assert (cell.met, cell.at, cell.evidence_id) == (2, newest.window_end, newest.pk)


def test_decisions_from_before_are_pointed_to() -> None:
    """What the migration does with rows that are there already."""
    concession = make_asking_concession()
    for name in ("DECIDED", "NOT-DECIDED"):
        append_evidence(make_station(name, concession=concession), verdict="deviation")
    judgement = Judgement.objects.get(station__identity="DECIDED")
    for status in ("proven", "waived"):
        decide(judgement=judgement, to_status=status, reason="x", decided_by=make_official(), now=NOW)
    last = Decision.objects.get(to_status="waived")
    assert judgement.last_decision == last
    Judgement.objects.update(last_decision=None)
    import_module("portal.compliance.migrations.0004_last_decision").point(apps, None)
    told = Judgement.objects.values_list("station__identity", "last_decision")
    assert dict(told) == {"DECIDED": last.pk, "NOT-DECIDED": None}


def test_stations_of_one_make_stand_in_one_column() -> None:
    concession = make_asking_concession(operators=(make_operator("alpha"), make_operator("beta")))
    good = make_station(concession=concession, operator=make_operator("alpha"), vendor="Vast", model="A1")
    bad = make_station(concession=concession, operator=make_operator("beta"), vendor="Vast", model="A1")
    make_station(concession=concession, operator=make_operator("beta"))
    append_evidence(good)
    append_evidence(bad, verdict="deviation")
    both = list(concession.operators.all())
    asked = concession.requirements.get(requirement__code="206")

    def cell(name: str, of: list[object] | None = None) -> object:
        found = type_matrix(concession, of or both, NOW)  # type: ignore[arg-type]
        (row,) = (row for row in found.rows if row.code == "206")
        return next(cell for cell in row.cells if str(cell.column) == name)

    mixed = cell("Vast A1")
    assert (mixed.breach, mixed.met, mixed.total) == (False, 1, 2)  # type: ignore[attr-defined]
    Promise.objects.create(asked=asked, operator=make_operator("alpha"))
    assert not cell("Vast A1").breach  # type: ignore[attr-defined]  # who deviates did not promise
    Promise.objects.create(asked=asked, operator=make_operator("beta"))
    assert cell("Vast A1").breach  # type: ignore[attr-defined]
    assert not cell("Vast A1", [make_operator("alpha")]).breach  # type: ignore[attr-defined]
    assert cell("Type not known yet").total == 1  # type: ignore[attr-defined]
    codes = [row.code for row in type_matrix(concession, both, NOW).rows]
    assert "205" in codes
    assert "200" not in codes, "a back office has no type"


def test_many_types_share_the_last_column() -> None:
    concession = make_asking_concession()
    for number in range(MOST_TYPES + 2):
        make_station(concession=concession, vendor="Vast", model=f"A{number}")
    found = type_matrix(concession, list(concession.operators.all()), NOW)
    assert len(found.heads) == MOST_TYPES + 1
    assert found.heads[-1].stations == 2
    assert str(found.heads[-1].column) == "Other types"
    assert sum(head.stations for head in matrix(concession, NOW).heads) == MOST_TYPES + 2
