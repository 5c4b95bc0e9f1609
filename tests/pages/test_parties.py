"""Whose rows someone sees who has roles at several parties."""

from __future__ import annotations

import pytest
from django.test import Client

from portal.accounts.models import User
from stations.models import Membership, Site, Station
from stations.models.access import Role
from tests.factories import (
    make_concession,
    make_driver,
    make_municipality,
    make_official,
    make_operator,
    make_site,
    make_staff,
    make_station,
    make_superuser,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def sites() -> dict[str, Site]:
    """Two municipalities, in each a site of alpha and one of beta."""
    found = {}
    for town in ("noord", "zuid"):
        concession = make_concession(slug=town, municipality=make_municipality(town))
        for operator in ("alpha", "beta"):
            place = f"{town}-{operator}"
            found[place] = make_site(operator=make_operator(operator), concession=concession, name=place)
            make_station(place, site=found[place])
    return found


def seen_by(user: User) -> list[str]:
    return sorted(Station.objects.visible_to(user).values_list("identity", flat=True))


def test_each_sees_the_stations_of_the_own_parties(sites: dict[str, Site]) -> None:
    assert seen_by(make_staff(operator=make_operator("alpha"))) == ["noord-alpha", "zuid-alpha"]
    assert seen_by(make_official(municipality=make_municipality("zuid"))) == ["zuid-alpha", "zuid-beta"]
    assert seen_by(make_driver()) == []
    assert seen_by(make_superuser()) == sorted(sites)


def test_roles_at_both_kinds_of_party_add_up(sites: dict[str, Site]) -> None:
    user = make_staff(operator=make_operator("alpha"), role=Role.READER)
    Membership.objects.create(user=user, role=Role.OFFICIAL, municipality=make_municipality("zuid"))
    assert seen_by(user) == ["noord-alpha", "zuid-alpha", "zuid-beta"]
    assert not Station.objects.plannable_by(user).exists()


def test_a_role_that_is_taken_away_counts_from_the_next_request(
    client: Client, sites: dict[str, Site]
) -> None:
    user = make_staff(operator=make_operator("alpha"))
    client.force_login(user)
    assert client.get("/stations/noord-alpha/").status_code == 200
    user.memberships.all().delete()
    assert client.get("/stations/noord-alpha/").status_code == 404
