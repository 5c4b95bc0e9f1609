"""The API at its edges: moments outside of any calendar, pages without an end, fields that nobody may set."""

from __future__ import annotations

import datetime as dt
from io import BytesIO
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from portal.json_body import JSONBody, TooLarge
from portal.paging import MOST
from smartcharging.models import DesiredProfile
from stations.models import Station
from stations.models.access import Role
from tests.api.conftest import Signed
from tests.api.test_profiles import API, wish
from tests.factories import make_capabilities, make_staff, make_station

EDGES = (
    "0001-01-01",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-14:00",
)


@pytest.fixture
def station(db: None) -> Station:
    station = make_station("NL-ALF-1", version="2.1")
    make_capabilities(station)
    return station


@pytest.fixture
def planner(station: Station, signed: Signed) -> APIClient:
    return signed(make_staff(role=Role.OPERATOR))


@pytest.mark.parametrize("moment", EDGES)
@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("stations/NL-ALF-1/limit/?hours=168&", "at"),
        ("registers/NL-ALF-1/?", "from"),
        ("registers/NL-ALF-1/?", "to"),
        ("stations/NL-ALF-1/messages/?", "before"),
    ],
)
def test_a_moment_outside_of_any_calendar_is_refused(
    planner: APIClient, path: str, field: str, moment: str
) -> None:
    answer = planner.get(f"{API}/{path}{field}={moment.replace('+', '%2B')}")
    assert answer.status_code == 400
    assert answer.json().keys() == {field}


@pytest.mark.parametrize("moment", EDGES)
@pytest.mark.parametrize("field", ["start_schedule", "valid_from", "valid_to"])
def test_a_limit_at_the_edge_of_the_calendar_is_no_error_of_ours(
    planner: APIClient, field: str, moment: str
) -> None:
    answer = planner.post(f"{API}/profiles/", wish(**{field: moment}), format="json")
    assert answer.status_code in {201, 400}, answer.content


@pytest.mark.parametrize("number", ["1000000", "9" * 20, "9" * 5000, "-1", "x"])
@pytest.mark.parametrize("path", ["registers", "profiles", "registers/NL-ALF-1"])
def test_a_page_has_an_end(planner: APIClient, path: str, number: str) -> None:
    planner.post(f"{API}/profiles/", wish(), format="json")
    for query in (f"limit={number}", f"limit={number}&offset=1", f"offset={number}"):
        assert planner.get(f"{API}/{path}/?{query}").status_code == 200
    next_page = planner.get(f"{API}/profiles/?limit={number}").json()["next"]
    assert next_page is None or f"limit={MOST}" in next_page


def test_what_a_limit_has_become_is_not_for_the_caller_to_say(planner: APIClient, station: Station) -> None:
    other = make_station("NL-ALF-2")
    said: dict[str, Any] = {
        "id": 99,
        "profile_id": 5,
        "version": 9,
        "state": "confirmed",
        "attempts": 4,
        "station_id": other.pk,
        "requested_by": 1,
        "requested_at": "2020-01-01T00:00:00Z",
        "withdrawn_at": "2020-01-01T00:00:00Z",
        "settled_at": "2020-01-01T00:00:00Z",
        "confirmed_at": "2020-01-01T00:00:00Z",
    }
    answer = planner.post(f"{API}/profiles/", wish(**said), format="json")
    assert answer.status_code == 201
    row = DesiredProfile.objects.get()
    assert (row.station_id, row.profile_id, row.version, row.state) == (station.pk, 1000, 1, "pending")
    assert (row.attempts, row.withdrawn_at, row.settled_at, row.confirmed_at) == (0, None, None, None)
    assert timezone.now() - row.requested_at < dt.timedelta(minutes=1)


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"null",
        b'"x"',
        b"{",
        b"\xff",
        b'{"station": ["NL-ALF-1"], "periods": {}}',
        b'{"station": {"a": 1}, "periods": [[]]}',
        b'{"periods": [' + b'{"start_s": 0, "limit": 1},' * 20_000 + b"{}]}",
        b"[" * 5000 + b"]" * 5000,
        b'{"station": "NL-ALF-1\\u0000"}',
        b'{"stack_level": 1e400, "duration_s": NaN}',
    ],
)
@pytest.mark.parametrize("path", ["profiles", "stations/NL-ALF-1/commands", "probes"])
def test_a_body_that_is_none_is_refused_and_no_error_of_ours(
    planner: APIClient, path: str, body: bytes
) -> None:
    answer = planner.post(f"{API}/{path}/", body, content_type="application/json")
    assert answer.status_code == 400, answer.content[:200]


def test_a_body_larger_than_any_is_not_read(planner: APIClient, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    planner.raise_request_exception = False
    answer = planner.post(f"{API}/profiles/", b" " * 2000, content_type="application/json")
    assert answer.status_code in {400, 413}, "whether Django or the parser comes first depends on who asks"
    with pytest.raises(TooLarge):
        JSONBody().parse(BytesIO(b" " * 2000))
