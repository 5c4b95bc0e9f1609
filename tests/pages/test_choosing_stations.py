"""From the list of stations to a roll-out: some of what it shows or all of it, and never another's station."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from stations.models import ConfigurationRollout
from stations.models.access import Role
from tests.device.rows import make_template
from tests.factories import make_official, make_operator, make_staff, make_station
from tests.pages.test_tables import client_of
from tests.pages.visiting import sees

pytestmark = pytest.mark.django_db

CHOOSE = "/configuratie/kiezen/"


@pytest.fixture
def fleet() -> Any:
    """Three stations, a template for them, and who may send commands there."""
    for identity in ("A-1", "A-2", "B-1"):
        make_station(identity)
    make_station("A-9", operator=make_operator("beta"))
    return make_template(("", "HeartbeatInterval", "60"))


def chosen(user: Any, **query: Any) -> str:
    """Where the choice leads; empty where the page asks again."""
    answer = client_of(user).get(CHOOSE, query)
    return answer.headers.get("Location", "")


def test_the_list_leads_there_with_its_filter(fleet: Any) -> None:
    assert f'href="{CHOOSE}?q=A-"' in sees(make_staff(), "/stations/", q="A-")
    assert CHOOSE not in sees(make_staff(role=Role.PLANNER), "/stations/")
    assert CHOOSE not in sees(make_official(), "/stations/")
    page = sees(make_staff(), CHOOSE, q="A-")
    assert "2 stations fit" in page
    assert "A-9" not in page


def test_what_is_ticked_goes_along_by_name(fleet: Any) -> None:
    staff = make_staff()
    url = chosen(staff, q="A-", template=fleet.pk, station=["A-2"])
    assert parse_qs(urlsplit(url).query) == {"stations": ["A-2"]}
    page = sees(staff, url)
    assert "A-2" in page
    assert "A-1" not in page


def test_all_that_fits_goes_along_as_the_filter_and_is_rolled_out(fleet: Any) -> None:
    staff = make_staff()
    url = chosen(staff, q="A-", template=fleet.pk, all="1")
    assert parse_qs(urlsplit(url).query) == {"like": ["q=A-"]}
    page = sees(staff, url)
    assert "B-1" not in page
    answer = client_of(staff).post(url, {"count": "2", "first": 1, "at_once": 1, "stop_percent": 10})
    assert answer.status_code == 302, answer.content.decode()[-2000:]
    rollout = ConfigurationRollout.objects.get()
    assert set(rollout.stations.values_list("station__identity", flat=True)) == {"A-1", "A-2"}


def test_without_a_template_or_a_station_it_asks_again(fleet: Any) -> None:
    staff = make_staff()
    assert "Choose a template." in sees(staff, CHOOSE, template="", all="1")
    assert "Tick at least one station, or choose all of them." in sees(staff, CHOOSE, template=fleet.pk)


def test_nobody_reaches_another_operators_station_by_its_name(fleet: Any) -> None:
    staff = make_staff()
    url = chosen(staff, template=fleet.pk, station=["A-9"])
    assert "A-9" not in sees(staff, url).replace(url.replace("&", "&amp;"), "").replace('value="A-9"', "")
    sees(make_staff(role=Role.READER), CHOOSE, status=404)
    sees(make_official(), CHOOSE, status=404)
