"""Two workers on one station at once: one command for one wish. SQLite lets only one writer in at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from smartcharging import dispatch, services
from smartcharging.models import Delivery, DesiredProfile, Drift
from stations.models import Command
from tests.skips import ONLY_ON_POSTGRESQL
from tests.smartcharging.conftest import wants
from tests.smartcharging.fake_station import FakeStation

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason=ONLY_ON_POSTGRESQL),
]
WORKERS = 4


def all_at_once(station_id: int, fake: FakeStation) -> None:
    barrier = Barrier(WORKERS)

    def work(_number: int) -> None:
        try:
            barrier.wait(timeout=60)
            dispatch.reconcile(station_id, fake.now)
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(work, range(WORKERS)))


def test_each_step_is_done_once() -> None:
    fake = FakeStation("1.6", capabilities={})
    fake.connects()
    row = wants(fake, 14, duration_s=86_400)
    other = wants(fake, 20, duration_s=86_400, stack_level=0)

    for _ in range(6):
        all_at_once(fake.row.pk, fake)
        while fake.answers_one():
            pass

    assert {profile.state for profile in DesiredProfile.objects.all()} == {"confirmed"}
    assert Delivery.objects.filter(desired=row).count() == Delivery.objects.filter(desired=other).count() == 1
    assert Command.objects.filter(action="GetCompositeSchedule").count() == 1


def test_a_list_is_asked_for_once_and_a_lost_limit_is_put_back_once() -> None:
    fake = FakeStation("2.0.1", capabilities={})
    fake.connects()
    row = wants(fake, 14, duration_s=86_400)
    fake.works()
    fake.later(60)
    fake.reboots(forgetting=True)

    for _ in range(8):
        all_at_once(fake.row.pk, fake)
        while fake.answers_one():
            pass

    assert DesiredProfile.objects.get().state == "confirmed"
    assert Command.objects.filter(action="GetChargingProfiles").count() == 1
    assert Delivery.objects.filter(desired=row).count() == 2
    assert [drift.end for drift in Drift.objects.all()] == ["repaired"]


def test_two_wishes_at_once_for_one_place_become_two_versions() -> None:
    fake = FakeStation("1.6", capabilities={})
    barrier = Barrier(WORKERS)

    def wish(limit: int) -> None:
        try:
            barrier.wait(timeout=60)
            wants(fake, limit + 6)
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(wish, range(WORKERS)))

    versions = DesiredProfile.objects.order_by("version").values_list("version", "profile_id")
    assert list(versions) == [(number, services.FIRST_ID) for number in (1, 2, 3, 4)]
    assert DesiredProfile.objects.current().get().version == WORKERS
