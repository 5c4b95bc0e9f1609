"""The charging objects of a municipality: as a table, and as places on a map."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from portal.compliance import decisions
from portal.compliance.models import ConcessionRequirement, Judgement, Promise
from portal.pages.official import objects_map
from stations.models import Concession, Connector, Station
from tests.compliance.fakes import append_evidence, make_asking_concession
from tests.factories import (
    make_capabilities,
    make_driver,
    make_municipality,
    make_official,
    make_operator,
    make_site,
    make_staff,
    make_station,
)
from tests.pages.visiting import queries_of, sees

pytestmark = pytest.mark.django_db

PATH, POINTS = "/laadobjecten/", "/laadobjecten/punten.geojson"
TILES = "https://tiles.example.test/{z}/{x}/{y}.png"


@pytest.fixture
def official() -> Any:
    return make_official()


@pytest.fixture
def concession() -> Concession:
    return make_asking_concession()


def placed(where: str = "Plein", *, at: tuple[float, float] | None = (52.09, 5.12), **fields: Any) -> Station:
    coordinates: dict[str, Any] = {"latitude": at[0], "longitude": at[1]} if at else {}
    site = make_site(
        name=where, concession=make_asking_concession(), address=f"{where} 1, 3511 AB Utrecht", **coordinates
    )
    return make_station(site=site, **fields)


def prove(station: Station, code: str = "206", **fields: Any) -> Any:
    now = timezone.now()
    return append_evidence(station, code=code, **{"now": now, "window": (now, now), **fields})


def promise(code: str = "206") -> None:
    asked = ConcessionRequirement.objects.get(requirement__code=code)
    Promise.objects.create(asked=asked, operator=make_operator())


def points(user: Any, **query: Any) -> Any:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user)
    response = client.get(POINTS, query)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/geo+json"
    return json.loads(response.content)


def listed(user: Any, **query: Any) -> set[str]:
    """Identities in the table."""
    page = sees(user, PATH, **query)
    return {row.identity for row in Station.objects.all() if f"/stations/{row.identity}/naleving/" in page}


# ---------------------------------------------------------------- the table
def test_a_row_says_what_stands_there_and_what_was_proven(official: Any) -> None:
    station = placed("Molenweg", name="Molenweg 8", connection_a=35)
    found = prove(station)
    page = sees(official, PATH)
    for said in (
        "Molenweg 8",
        "Alpha",
        "3511 AB Utrecht",
        "3 x 35 A",
        "medium, 7.4 to 22 kW",
        "11.0 kW",
        "just now",
    ):
        assert said in page, said
    assert "1 charging object</strong>, 2 charging points" in page
    assert f'href="/bewijs/{found.pk}/">' in page
    assert '206<span class="laad-sr">: Proven</span>' in page
    assert '205<span class="laad-sr">: Not assessed</span>' in page
    assert '210<span class="laad-sr">: Future</span>' in page


def test_a_charging_point_is_an_evse_and_not_a_plug(official: Any) -> None:
    station = placed()
    Connector.objects.create(evse=station.evses.get(number=1), number=2)
    page = sees(official, PATH, columns="object,evses,connectors")
    assert "2 charging points" in page
    assert "National Agenda for Charging Infrastructure" in page
    cells = page.split("<tbody")[1]
    assert 'data-label="Charging points">2<' in cells
    assert 'data-label="Connectors">3<' in cells


def test_a_deviation_is_only_held_against_who_owes_it(official: Any) -> None:
    prove(placed(), verdict="deviation")
    assert '206<span class="laad-sr">: Not promised</span>' in sees(official, PATH)
    assert listed(official, standing="not") == set()
    promise()
    page = sees(official, PATH)
    assert '206<span class="laad-sr">: Deviation</span>' in page
    assert "laad-breach" in page
    assert len(listed(official, standing="not")) == 1


def test_objects_are_found_by_what_was_proven_of_a_requirement(official: Any) -> None:
    promise_of = placed("A", identity="NL-MET")
    prove(promise_of)
    promise()
    prove(placed("B", identity="NL-NOT"), verdict="deviation")
    placed("C", identity="NL-NONE")
    for standing, expected in (("met", "NL-MET"), ("not", "NL-NOT"), ("unknown", "NL-NONE")):
        assert listed(official, requirement="206", standing=standing) == {expected}
    assert listed(official, requirement="210", standing="unknown") == set(), "it is for the future"
    page = sees(official, PATH, standing="met")
    assert "Choose the requirement that is meant." in page


def test_objects_are_found_by_operator_place_proof_and_energy_back(
    official: Any, concession: Concession
) -> None:
    alpha = placed("Dam", identity="NL-DAM")
    beta = make_station(
        "NL-KADE", site=make_site(name="Kade", operator=make_operator("beta"), concession=concession)
    )
    make_capabilities(alpha, operation_modes=["ChargingOnly", "CentralSetpoint"])
    make_capabilities(beta, operation_modes=["ChargingOnly"])
    prove(alpha)
    assert listed(official, operator="beta") == {"NL-KADE"}
    assert listed(official, q="3511") == {"NL-DAM"}
    assert listed(official, v2x="yes") == {"NL-DAM"}
    assert listed(official, v2x="no") == {"NL-KADE"}
    assert listed(official, proof="valid") == {"NL-DAM"}
    assert listed(official, proof="none") == {"NL-KADE"}
    assert listed(official, proof="old") == set()
    prove(beta, code="211")  # seen to give back, whatever it says of itself
    assert listed(official, v2x="yes") == {"NL-DAM", "NL-KADE"}


def test_the_table_goes_along_as_a_file(official: Any) -> None:
    prove(placed("Dam", identity="NL-DAM"))
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(official)
    answer: Any = client.get(PATH, {"export": "csv"})
    head, row = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert "Power of a charging point (W)" in head
    assert "206 Proven" in row
    assert ",2,2," in row


def test_nobody_else_has_objects(official: Any) -> None:
    placed("Dam", identity="NL-DAM")
    stranger = make_official(municipality=make_municipality("elders"))
    assert listed(stranger) == set()
    assert points(stranger)["features"] == []
    assert "There are no charging objects yet" in sees(stranger, PATH)
    for user in (make_staff(), make_driver()):
        sees(user, PATH, status=404)
        sees(user, POINTS, status=404)


@pytest.mark.parametrize("path", [PATH, f"{PATH}?view=map", POINTS, f"{PATH}?requirement=206&standing=not"])
def test_many_objects_cost_as_much_as_few(official: Any, path: str) -> None:
    prove(placed("A"))
    few = queries_of(official, path)
    for number in range(20):
        prove(placed(f"B{number}"))
    assert queries_of(official, path) == few <= 15


# ---------------------------------------------------------------- the map
def test_the_map_has_the_same_places_as_a_list_and_asks_nothing_of_others(official: Any) -> None:
    placed("Dam")
    placed("Kade", at=None)
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(official)
    answer = client.get(PATH, {"view": "map"})
    page = " ".join(answer.content.decode().split())
    assert "img-src 'self' data:;" in f"{answer.headers['Content-Security-Policy']};"
    assert "leaflet.js" in page
    assert 'data-tiles=""' in page
    assert "Dam</a>" in page
    assert "Kade</a>" in page
    assert "1 place is not on the map" in page
    assert "leaflet" not in sees(official, PATH), "only this page loads it"


def test_a_background_is_allowed_on_this_page_alone_and_is_named(official: Any, settings: Any) -> None:
    settings.MAP_TILES_URL = TILES
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(official)
    policy = client.get(PATH, {"view": "map"}).headers["Content-Security-Policy"]
    assert "img-src 'self' data: https://tiles.example.test" in policy
    assert "tiles.example.test" not in client.get(PATH).headers["Content-Security-Policy"]
    assert "tiles.example.test" in sees(official, "/privacy/")
    settings.MAP_TILES_URL = ""
    assert "tiles.example.test" not in sees(official, "/privacy/")


def test_points_say_what_the_list_says(official: Any) -> None:
    prove(placed("Dam", at=(52.1, 5.1)))
    prove(placed("Kade", at=(52.2, 5.2)), verdict="deviation")
    placed("Laan", at=(52.3, 5.3))
    placed("Nergens", at=None)
    promise()
    found = points(official)
    assert found["bbox"] == [5.1, 52.1, 5.3, 52.3]
    told = {each["properties"]["name"]: each for each in found["features"]}
    assert {name: each["properties"]["standing"] for name, each in told.items()} == {
        "Dam": "met",
        "Kade": "not",
        "Laan": "unknown",
    }
    assert told["Dam"]["geometry"] == {"type": "Point", "coordinates": [5.1, 52.1]}
    assert told["Dam"]["properties"]["label"] == "Dam: 1 object, 2 charging points, meets what was judged"
    assert told["Dam"]["properties"]["url"] == "/laadobjecten/?q=Dam"


def test_points_follow_the_filter_and_what_is_in_sight(official: Any) -> None:
    placed("Dam", at=(52.1, 5.1))
    placed("Kade", at=(52.2, 5.2))

    def names(**query: Any) -> set[str]:
        return {each["properties"]["name"] for each in points(official, **query)["features"]}

    assert names(q="Kade") == {"Kade"}
    assert names(bbox="5.0,52.0,5.15,52.15") == {"Dam"}
    assert names(bbox="nan,1,2,3", zoom="99999") == {"Dam", "Kade"}, "what is none narrows nothing"
    assert names(bbox="9,9,8,8") == {"Dam", "Kade"}


def test_many_places_are_put_together(official: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects_map, "MOST_POINTS", 3)
    for number in range(4):
        placed(f"Dam {number}", at=(52.1 + number / 10_000, 5.1))
    placed("Kade", at=(52.9, 5.9))
    found = points(official, zoom="9")
    assert found["grouped"]
    groups = sorted(each["properties"]["places"] for each in found["features"])
    assert groups == [1, 4]
    assert {each["properties"]["failing"] for each in found["features"]} == {0}
    near = points(official, zoom="19", bbox="5.0,52.0999,5.2,52.10015")
    assert not near["grouped"]
    assert len(near["features"]) == 2


def test_a_group_looks_as_the_worst_of_its_places(official: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects_map, "MOST_POINTS", 3)
    near = [placed(f"Dam {number}", at=(52.1 + number / 10_000, 5.1)) for number in range(3)]
    far = placed("Kade", at=(52.9, 5.9))
    for station in (near[0], near[1]):
        prove(station, verdict="deviation")
    prove(near[2])

    def told() -> list[tuple[int, int, str]]:
        found = [each["properties"] for each in points(official, zoom="9")["features"]]
        return sorted((about["places"], about["failing"], about["label"]) for about in found)

    none = "none falls short of what is owed. Zoom in to tell them apart."
    assert told() == [
        (1, 0, f"1 place close together, {none}"),
        (3, 0, f"3 places close together, {none}"),
    ], "a wish that nobody promised"
    promise()
    assert told()[1] == (
        3,
        2,
        "3 places close together, 2 do not meet what is owed. Zoom in to tell them apart.",
    )
    prove(far, verdict="deviation")
    assert told()[0][2] == (
        "1 place close together, 1 does not meet what is owed. Zoom in to tell them apart."
    )


def test_what_an_official_ruled_counts_in_a_group_as_it_does_at_a_place(
    official: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    proof = prove(placed("Dam", at=(52.1, 5.1)))
    for number in range(3):
        placed(f"Kade {number}", at=(52.9, 5.9))
    promise()
    judgement = Judgement.objects.get(evidence=proof)

    def rules(to_status: str) -> tuple[int, str]:
        decisions.decide(
            judgement=judgement,
            to_status=to_status,
            reason="Seen on site.",
            decided_by=official,
            now=timezone.now(),
        )
        with monkeypatch.context() as patch:
            patch.setattr(objects_map, "MOST_POINTS", 3)
            grouped = points(official, zoom="9")["features"]
        alone = points(official, q="Dam")["features"]
        return sum(each["properties"]["failing"] for each in grouped), alone[0]["properties"]["standing"]

    assert rules("deviation") == (1, "not")
    assert rules("waived")[0] == 0
    assert rules("proven") == (0, "met")


def test_a_name_is_text(official: Any) -> None:
    placed("<b>Dam</b>")
    assert "<b>Dam" not in sees(official, PATH)
    assert "<b>Dam" not in sees(official, PATH, view="map")
