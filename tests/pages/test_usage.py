"""What an official reads of the use: sums, and never what one driver did."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.compliance.usage_model import UsageMonth
from stations.models import Membership, Municipality
from tests.compliance.fakes import make_asking_concession
from tests.factories import (
    make_driver,
    make_municipality,
    make_official,
    make_session,
    make_staff,
    make_station,
    make_token,
)
from tests.pages.visiting import sees

pytestmark = pytest.mark.django_db

PATH = "/gebruik/"
OCTOBER, SEPTEMBER = dt.date(2026, 10, 1), dt.date(2026, 9, 1)
FEW = "too few to show"


@pytest.fixture
def official() -> Any:
    return make_official()


def used(area: str = "", *, drivers: int = 20, month: dt.date = OCTOBER, **fields: Any) -> UsageMonth:
    """A row of `drivers`, each of whom charged twice, 10 kWh in 2 hours; every fourth session under a limit."""
    sessions = drivers * 2
    said: dict[str, Any] = {
        "municipality": make_municipality(),
        "month": month,
        "area": area,
        "is_whole": not area,
        "sessions": sessions,
        "drivers": drivers,
        "metered": sessions,
        "energy_wh": sessions * 10_000.0,
        "hours": sessions * 2.0,
        "judged": sessions,
        "limited": sessions // 4,
        "made_at": timezone.now(),
    }
    return UsageMonth.objects.create(**{**said, **fields})


def rows(page: str) -> dict[str, list[str]]:
    """Cells by area."""
    found = {}
    for row in page.split("<tbody")[1].split("<tr")[1:]:
        cells = [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<t[hd].*?</t[hd]>", row)]
        found[cells[1]] = cells[2:]
    return found


def test_an_area_tells_how_much_it_was_used(official: Any) -> None:
    used()
    used("3511 Utrecht", drivers=12)
    used("3512 Utrecht", drivers=10)
    page = sees(official, PATH)
    assert rows(page)["3511 Utrecht"] == ["24", "240.00 kWh", "25.0%", "5.0 kW"]
    assert rows(page)["All of Voorbeeldstad"][0] == "40"
    assert "October 2026" in page
    assert "Most was charged in Oct 2026: 400.00 kWh." in page
    assert "<svg" in page


def test_too_few_is_a_state_and_takes_another_area_along(official: Any) -> None:
    used(drivers=40)
    used("3511 Utrecht", drivers=3)
    used("3512 Utrecht", drivers=15)
    used("3513 Utrecht", drivers=25)
    told = rows(sees(official, PATH))
    assert told["3511 Utrecht"] == [FEW] * 4
    assert told["3512 Utrecht"] == [FEW] * 4
    assert told["3513 Utrecht"][0] == "50"
    assert told["All of Voorbeeldstad"][0] == "80"


def test_the_minimum_is_the_installations_own(official: Any, settings: Any) -> None:
    used(drivers=20)
    used("3511 Utrecht", drivers=3)
    used("3512 Utrecht", drivers=17)
    settings.USAGE_MIN_GROUP = 3
    assert rows(sees(official, PATH))["3511 Utrecht"][0] == "6"
    settings.USAGE_MIN_GROUP = 21
    page = sees(official, PATH)
    assert all(cells == [FEW] * 4 for cells in rows(page).values())
    assert "There is no month of which there is enough to show." in page


def test_what_is_not_measured_is_not_known_rather_than_nothing(official: Any) -> None:
    used(metered=4, energy_wh=40_000.0, judged=0, limited=0)
    assert rows(sees(official, PATH))["All of Voorbeeldstad"] == ["40", "not known", "not known", "not known"]


def test_a_filter_shows_no_more_than_the_whole_list_does(official: Any) -> None:
    used(drivers=40)
    used("3511 Utrecht", drivers=3)
    used("3512 Utrecht", drivers=37)
    used("3511 Utrecht", drivers=30, month=SEPTEMBER)
    used(drivers=30, month=SEPTEMBER)
    page = sees(official, PATH, area="3511 Utrecht", month="2026-10")
    assert rows(page) == {"3511 Utrecht": [FEW] * 4}
    assert set(rows(sees(official, PATH, month="2026-09"))) == {"All of Voorbeeldstad", "3511 Utrecht"}
    assert "Nothing fits these filters" not in sees(official, PATH, month="1999-01")


def test_the_order_tells_nothing_of_what_is_kept_back(official: Any) -> None:
    used(drivers=40)
    used("3511 Utrecht", drivers=9, energy_wh=9e9)
    used("3512 Utrecht", drivers=12)
    used("3513 Utrecht", drivers=30)
    for sort in ("energy", "-energy"):
        last = list(rows(sees(official, PATH, sort=sort)))[-2:]
        assert set(last) == {"3511 Utrecht", "3512 Utrecht"}


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_file_holds_no_more_than_the_page(official: Any, kind: str) -> None:
    used(drivers=40, energy_wh=123_000.0)
    used("3511 Utrecht", drivers=3, energy_wh=77_000.0)
    used("3512 Utrecht", drivers=37, energy_wh=46_000.0)
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(official)
    answer: Any = client.get(PATH, {"export": kind})
    told = b"".join(answer.streaming_content)
    if kind == "csv":
        assert told.decode().count(FEW) == 8
        assert "123.0" in told.decode()
        assert "77.0" not in told.decode()
        assert "46.0" not in told.decode()
    else:
        assert told.startswith(b"PK")


def test_nothing_counted_yet_says_so(official: Any) -> None:
    page = sees(official, PATH)
    assert "No month was counted yet" in page
    assert "<figure" not in page


def test_a_month_without_anything_has_its_place(official: Any) -> None:
    used(drivers=0, energy_wh=0, hours=0)
    assert rows(sees(official, PATH))["All of Voorbeeldstad"] == [FEW] * 4


def test_nobody_else_reads_them(official: Any) -> None:
    used()
    elsewhere = make_municipality("elders")
    assert "No month was counted yet" in sees(make_official(municipality=elsewhere), PATH)
    for user in (make_staff(), make_driver()):
        sees(user, PATH, status=404)


def test_of_two_municipalities_one_is_shown_at_a_time(official: Any) -> None:
    elsewhere: Municipality = make_municipality("elders")
    Membership.objects.create(user=official, role="official", municipality=elsewhere)
    used()
    used(municipality=elsewhere, drivers=50)
    assert list(rows(sees(official, PATH))) == ["All of Elders"]
    assert list(rows(sees(official, PATH, municipality="voorbeeldstad"))) == ["All of Voorbeeldstad"]


@pytest.mark.parametrize(
    "path",
    ["/overzicht/", "/laadobjecten/", "/laadobjecten/?view=map", "/laadobjecten/punten.geojson", PATH],
)
def test_no_page_of_an_official_reads_a_session_or_a_card(official: Any, path: str) -> None:
    station = make_station(concession=make_asking_concession(), name="Molenweg 8")
    token = make_token("04DEADBEEF", label="Pas van Jansen")
    make_session(station, token=token, transaction_id="verraad-1")
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(official)
    for query in ("", "export=csv", "export=xlsx"):
        address = f"{path}{'&' if '?' in path else '?'}{query}"
        with CaptureQueriesContext(connection) as asked:
            answer: Any = client.get(address)
            told = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert answer.status_code == 200
        for secret in ("04DEADBEEF", token.digest, "Pas van Jansen", "verraad-1"):
            assert secret.encode() not in told
        # The bell of the frame counts one's own notices, whatever they are about.
        queries = [query["sql"] for query in asked.captured_queries if "notices_notice" not in query["sql"]]
        read = " ".join(queries)
        assert "stations_chargingsession" not in read
        assert "stations_token" not in read
