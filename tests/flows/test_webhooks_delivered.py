"""A webhook from a real server to a real endpoint: whatever dies in between, what happened is told, under one id."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from portal.notices import telling
from portal.notices.webhooks import services
from portal.notices.webhooks.models import Delivery
from tests.factories import make_operator, make_station
from tests.fakes.portal import Portal
from tests.fakes.until import until
from tests.notices.endpoint import Endpoint, listening
from tests.notices.test_telling import gone

pytestmark = pytest.mark.xdist_group("mortal")


def told(endpoint: Endpoint, slug: str) -> None:
    """A station of an operator that listens there is silent; found by this process, to be sent by the server's."""
    operator = make_operator(slug)
    services.make(
        operator=operator, name="x", url=endpoint.url, events=["station_silent"], now=timezone.now()
    )
    gone(make_station(operator=operator))
    telling.look(timezone.now())


def due(slug: str) -> bool:
    """The lease of who died is over."""
    late = timezone.now() - timedelta(seconds=1)
    return bool(Delivery.objects.filter(endpoint__operator__slug=slug, state="waiting").update(due_at=late))


def state(slug: str) -> str:
    return str(Delivery.objects.get(endpoint__operator__slug=slug).state)


def test_it_is_taken_by_an_endpoint_that_first_refuses(mortal_portal: Portal) -> None:
    with listening(500, 204) as endpoint:
        told(endpoint, "hook-refuses")
        until(lambda: endpoint.taken, within_s=30)
        until(lambda: Delivery.objects.get(endpoint__operator__slug="hook-refuses").answer_code == 500)
        due("hook-refuses")
        until(lambda: state("hook-refuses") == "sent", within_s=30)
        assert len({message.headers["webhook-id"] for message in endpoint.taken}) == 1


def test_a_process_that_dies_while_it_sends_loses_nothing(mortal_portal: Portal) -> None:
    with listening("hang", 204) as endpoint:
        told(endpoint, "hook-dies")
        until(lambda: endpoint.taken, within_s=30)
        mortal_portal.kill()  # it was sent, and the answer never came
        assert state("hook-dies") == "waiting"
        mortal_portal.start()
        due("hook-dies")
        until(lambda: state("hook-dies") == "sent", within_s=30)
        first, again = endpoint.taken
        assert first.headers["webhook-id"] == again.headers["webhook-id"]
        assert first.body == again.body
