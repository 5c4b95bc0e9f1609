"""Requirement 207 on the pages: the choice of a probe, and its evidence with all twenty periods beside the answer."""

from __future__ import annotations

import html
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from portal.compliance.models import Evidence, Requirement
from stations.models import Presence
from tests.compliance.fakes import FakeStation
from tests.compliance.test_habits import make
from tests.compliance.test_periods import NamesOnly, TakesOnly
from tests.compliance.test_periods import probed as probe_of
from tests.factories import make_official

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def official(client: Client) -> Any:
    user = make_official(name="Tineke Zomer")
    client.force_login(user)
    client.cookies["django_language"] = "en"
    return user


def probed(kind: type[FakeStation], **flags: Any) -> Evidence:
    station = make(kind, **flags)
    station.clock.at = timezone.now()
    Presence.objects.filter(station=station.row).update(renewed_at=station.clock.at)
    probe = probe_of(station)
    assert probe.evidence is not None, probe.reason
    return Evidence.objects.get(pk=probe.evidence.pk)


def page_of(client: Client, row: Evidence, query: str = "") -> str:
    answer = client.get(f"/bewijs/{row.pk}/{query}")
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def test_twenty_periods_stand_beside_the_answer(client: Client) -> None:
    page = page_of(client, probed(FakeStation))
    assert "all 20 came back in the composite schedule" in page
    assert "Limit of the station: periods that came back" in page
    assert "not tried: no session ran" in page
    assert "The station reports 20 limits in turn, from 6 A to 15 A." in page
    assert page.count(">Same</span>") == 20 or page.count("Same") >= 20
    assert "Set ChargePointMaxProfile on the whole station with 20 periods, from 6 to 15 A" in page


def test_a_refusal_has_its_maximum_and_no_picture(client: Client) -> None:
    page = page_of(client, probed(TakesOnly))
    assert "took at most 10 periods" in page
    assert "It states a maximum of 24" in page
    assert "with 11 periods" in page
    assert 'id="meting"' not in page


def test_what_an_answer_left_out_is_not_called_within_tolerance(client: Client) -> None:
    page = page_of(client, probed(NamesOnly))
    assert "each came back in turn, but never more than 8 at once" in page
    assert "Not counted" in page
    assert "Within tolerance" not in page


def test_in_dutch(client: Client) -> None:
    client.cookies["django_language"] = "nl"
    page = page_of(client, probed(FakeStation))
    assert "20 periodes" in page
    assert "periods" not in page.split("</h2>", 1)[1].split("<section", 2)[0]


def test_207_can_be_chosen_for_a_probe(client: Client) -> None:
    make(FakeStation)
    page = client.get("/steekproef/").content.decode()
    assert f'value="{Requirement.objects.get(code="207").pk}"' in page
