"""No page asks more of the database because the fleet is larger; how much each asks is kept beside this.

Where a page rightly changes, or comes new: `KEEP_QUERY_COUNTS=1 python -m pytest tests/pages/test_query_counts.py`.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from portal.management.fleet import Fleet, Size
from tests.pages.fleet_pages import client_of, pages, people, queries_of
from tests.pages.visiting import MOST_QUERIES

KEPT = Path(__file__).with_name("query_counts.txt")
# Each page as the first of these who gets it sees it.
ROLES = ("manager", "official", "driver", "superuser")


def counts(stations: int) -> dict[str, int]:
    """Queries for each page and role, over a fleet of this many stations."""
    connection.check_constraints()  # PostgreSQL empties no table whose foreign keys it has yet to look at
    Fleet(Size(stations, stations * 6, stations * 60), timezone.now()).make(lambda _name, _count: None)
    clients = {role: client_of(user) for role, user in people().items()}
    found: dict[str, tuple[str, str]] = {}
    for role, address, path in sorted(
        pages(), key=lambda page: ROLES.index(page[0]) if page[0] in ROLES else 9
    ):
        found.setdefault(address, (role, path))
    return {
        f"{role} {address}": queries_of(clients[role], path)
        for address, (role, path) in sorted(found.items())
    }


@pytest.mark.django_db
def test_the_number_of_queries_does_not_grow_with_the_fleet() -> None:
    few, many = counts(2), counts(40)
    assert {page: (few[page], many[page]) for page in few if few[page] != many[page]} == {}
    assert {page: count for page, count in many.items() if count > MOST_QUERIES} == {}
    if os.environ.get("KEEP_QUERY_COUNTS"):
        KEPT.write_text("".join(f"{page} {count}\n" for page, count in many.items()))
    kept = dict(line.rsplit(maxsplit=1) for line in KEPT.read_text().splitlines())
    told = {page: str(count) for page, count in many.items()}
    assert told == kept
