"""Two thousand stations over two gateways: a command finds each of them (target 4, on more than one machine)."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator

import pytest
from django.utils import timezone

from stations import commands
from stations.models import Station
from tests.fakes.portal import Portal
from tests.faults.breaking import have_ended
from tests.faults.fleet import Member, alive, make_fleet

pytestmark = [pytest.mark.xdist_group("mortal"), pytest.mark.nightly]

COUNT = int(os.environ.get("FLEET_STATIONS", "2000"))  # fewer try it on a busy machine
WITHIN_S = 10  # of both servers, their workers and the fleet itself on two cores


@pytest.fixture
def many_files() -> Iterator[None]:
    usual = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(20_000, usual[1]), usual[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, usual)


def ask_all(stations: list[Station]) -> float:
    """Gives the seconds from the last wish to the last durable answer."""
    now = timezone.now()
    began = time.monotonic()
    keys = [commands.request(station=one, action="ClearCache", payload={}, now=now).pk for one in stations]
    asked_s = time.monotonic() - began
    states = have_ended(keys, within_s=60)
    took_s = time.monotonic() - began
    assert states == {"accepted": len(keys)}
    print(
        f"{len(keys)} commands over two gateways: asked in {asked_s:.1f} s, all answered after {took_s:.1f} s"
    )
    return took_s - asked_s


@pytest.mark.usefixtures("many_files")
def test_each_of_two_thousand_over_two_gateways_gets_its_command(mortal_portal: Portal) -> None:
    identities = make_fleet("FLEET", COUNT)
    mortal_portal.restart()
    other = mortal_portal.twin()
    other.start()
    try:
        ports = [mortal_portal.port, other.port]
        members = [Member(one, ports[n % 2 :][:1], every_s=60) for n, one in enumerate(identities)]
        with alive(members, within_s=90):
            took_s = ask_all(list(Station.objects.filter(identity__startswith="FLEET-")))
    finally:
        other.stop()
    assert took_s < WITHIN_S
    assert all(member.asked.count("ClearCache") == 1 for member in members)
    assert mortal_portal.errors() == []
