"""What an official finds on coming back: what is new, what waits, which terms end; and what a visit is."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from portal.accounts.last_visit import LastVisit, arrive
from portal.compliance import decisions
from portal.compliance.models import ConcessionRequirement, Evidence, Judgement, Promise
from stations.models import Station
from tests.compliance.fakes import append_evidence, make_asking_concession
from tests.factories import (
    make_driver,
    make_municipality,
    make_official,
    make_operator,
    make_staff,
    make_station,
)
from tests.pages.visiting import sees

pytestmark = pytest.mark.django_db

PATH = "/overzicht/"
MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)


@pytest.fixture
def official() -> Any:
    return make_official(name="Tineke Zomer")


def deviation(station: Station | None = None, *, promised: bool = True, ago: dt.timedelta = DAY) -> Evidence:
    """A deviation on 206 that came `ago`; by default it was promised, and so is a breach."""
    concession = make_asking_concession()
    station = station or make_station(concession=concession, name="Molenweg 8")
    if promised:
        asked = ConcessionRequirement.objects.get(concession=concession, requirement__code="206")
        Promise.objects.get_or_create(asked=asked, operator=station.site.operator)
    at = timezone.now() - ago
    return append_evidence(station, verdict="deviation", window=(at, at), now=at)


def judge(found: Evidence, by: Any, status: str = "deviation", **fields: Any) -> None:
    judgement = Judgement.objects.get(evidence=found)
    decisions.decide(
        judgement=judgement, to_status=status, reason="Gezien.", decided_by=by, now=timezone.now(), **fields
    )


def was_here(user: Any, ago: dt.timedelta) -> None:
    LastVisit.objects.update_or_create(user=user, defaults={"seen_at": timezone.now() - ago, "before": None})


# ---------------------------------------------------------------- a visit
def test_a_visit_ends_when_its_person_was_away(official: Any) -> None:
    morning = timezone.now()
    assert arrive(official, now=morning) is None
    assert arrive(official, now=morning + 20 * MINUTE) is None
    assert arrive(official, now=morning + 45 * MINUTE) is None, "25 minutes are no absence"
    noon = morning + 80 * MINUTE
    assert arrive(official, now=noon) == morning + 45 * MINUTE
    assert arrive(official, now=noon + 5 * MINUTE) == morning + 45 * MINUTE, (
        "to load it again empties nothing"
    )


def test_reading_another_page_is_a_visit_too(official: Any, settings: Any) -> None:
    make_asking_concession()
    was_here(official, 40 * MINUTE)
    sees(official, "/naleving/")
    before = LastVisit.objects.get(user=official).before
    assert before is not None
    assert timezone.now() - before > 39 * MINUTE


def test_what_a_page_fetches_by_itself_is_no_visit(official: Any) -> None:
    make_asking_concession()
    was_here(official, 40 * MINUTE)
    client = Client()
    client.force_login(official)
    client.get("/naleving/", headers={"HX-Request": "true"})
    assert LastVisit.objects.get(user=official).before is None


def test_nobody_else_is_followed() -> None:
    for user in (make_staff(), make_driver()):
        sees(user, "/stations/")
    assert not LastVisit.objects.exists()


# ---------------------------------------------------------------- what it says
def test_the_front_door_leads_there(client: Client, official: Any) -> None:
    client.force_login(official)
    assert client.get("/").headers["Location"] == PATH


def test_the_first_visit_says_so(official: Any) -> None:
    make_station(concession=make_asking_concession())
    page = sees(official, PATH)
    assert "This is your first visit" in page
    assert "Nothing waits for you" in page
    assert "Nothing has been judged yet." in page


def test_a_deviation_that_came_since_is_new_with_all_that_is_needed_to_act(official: Any) -> None:
    was_here(official, 2 * DAY)
    found = deviation()
    page = sees(official, PATH)
    assert "1 new deviation or statement to judge." in page
    assert "This is your first visit" not in page
    assert f'href="/bewijs/{found.pk}/"' in page
    for said in ("Stacken laadprofielen", "Alpha", "Molenweg 8", "Municipality", "none agreed", "1 day"):
        assert said in page, said
    assert "<strong>Does not meet 206.</strong>" in page


def test_what_was_there_already_waits_but_is_not_new(official: Any) -> None:
    deviation(ago=3 * DAY)
    was_here(official, 2 * DAY)
    page = sees(official, PATH)
    assert "No new deviation." in page
    assert "1 piece of evidence in all." in page


def test_a_wish_that_nobody_promised_asks_for_nothing(official: Any) -> None:
    deviation(promised=False)
    assert "Nothing waits for you" in sees(official, PATH)


def test_a_judged_deviation_has_its_operator_and_term(official: Any) -> None:
    found = deviation()
    today = timezone.localdate()
    judge(found, official, restore_by=today + 5 * DAY)
    page = sees(official, PATH)
    assert "Everything is judged." in page
    assert "1 ends within two weeks." in page
    row = page.split("<tbody")[1].split("</tbody>")[0]
    assert "Term ends soon" in row
    assert row.count("Alpha") == 2, "the operator, whose turn it is"


@pytest.mark.parametrize(
    ("days", "said"), [(-1, "Term has passed"), (14, "Term ends soon"), (15, "Operator restores")]
)
def test_terms_are_told_by_their_day(official: Any, days: int, said: str) -> None:
    found = deviation(ago=30 * DAY)
    then = timezone.now() - 20 * DAY
    decisions.decide(
        judgement=Judgement.objects.get(),
        to_status="deviation",
        reason="x",
        restore_by=timezone.localdate() + days * DAY,
        decided_by=official,
        evidence=found,
        now=then,
    )
    assert said in sees(official, PATH).split("<tbody")[1]


def test_new_evidence_after_a_judgement_waits_again(official: Any) -> None:
    found = deviation(ago=2 * DAY)
    judge(found, official, restore_by=timezone.localdate() + 5 * DAY)
    assert found.station is not None
    deviation(found.station, ago=MINUTE)
    assert "1 piece of evidence in all." in sees(official, PATH)


def test_what_was_waived_or_restored_waits_no_more(official: Any) -> None:
    first, second = deviation(), deviation()
    judge(first, official, "waived")
    was_here(official, 2 * DAY)
    assert second.station is not None
    append_evidence(second.station, now=timezone.now(), window=(timezone.now(), timezone.now()))
    page = sees(official, PATH)
    assert "Everything is judged." in page
    assert "1 deviation proven restored." in page


def test_an_official_may_find_a_deviation_where_the_portal_found_none(official: Any) -> None:
    concession = make_asking_concession()
    asked = ConcessionRequirement.objects.get(concession=concession, requirement__code="206")
    found = append_evidence(make_station(concession=concession))
    Promise.objects.create(asked=asked, operator=make_operator())
    judge(found, official, "deviation", restore_by=timezone.localdate() + 3 * DAY)
    assert "Term ends soon" in sees(official, PATH)


def test_the_list_is_narrowed_and_taken_along(official: Any) -> None:
    deviation()
    other = deviation()
    judge(other, official, restore_by=timezone.localdate() + 5 * DAY)
    assert sees(official, PATH, what="waiting").count("Waits for your judgement</span>") == 2
    assert "Nothing fits these filters" in sees(official, PATH, what="restored")
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(official)
    told = b"".join(client.get(PATH, {"export": "csv"}).streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    head, *rows = told.splitlines()
    assert head.startswith("No.,Requirement or wish,What,Operator,Station")
    assert len(rows) == 2


def test_another_municipality_shows_nothing(official: Any) -> None:
    deviation()
    stranger = make_official(municipality=make_municipality("elders"))
    page = sees(stranger, PATH)
    assert "Molenweg" not in page
    assert "Alpha" not in page
    for user in (make_staff(), make_driver()):
        sees(user, PATH, status=404)
