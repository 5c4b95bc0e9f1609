"""The page and the files of an observation: both registers drawn, each sample in the table, in Dutch too."""

from __future__ import annotations

import csv
import io
import re

import pytest
from django.test import Client

from portal.compliance.models import Evidence
from portal.compliance.registers_page import measured
from portal.compliance.tasks import observe_session
from portal.pages.charts import Label
from tests.compliance.discharging import tell, v2g
from tests.compliance.test_observing import YESTERDAY, make_line
from tests.factories import make_official

pytestmark = pytest.mark.django_db


def observation(defect: str | None = None) -> Evidence:
    (session,) = tell(make_line(), v2g(YESTERDAY), defect=defect)
    observe_session(session.pk)
    return Evidence.objects.get(station=session.station)


def page(client: Client, row: Evidence, query: str = "", language: str = "en") -> str:
    client.force_login(make_official())
    answer = client.get(f"/bewijs/{row.pk}/{query}", headers={"accept-language": language})
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_page_draws_both_registers_and_lists_every_sample(client: Client) -> None:
    row = observation()
    html = page(client, row)
    assert "Import register 1.8.x" in html
    assert "Export register 2.8.x" in html
    assert html.count('class="export-line"') == 2  # wide and narrow
    assert html.count("out of the car") >= 5
    assert len(re.findall(r"<td[^>]*>-\d", html)) >= 5  # power with its sign
    assert "0.1 Wh" in html or "1 Wh" in html  # how finely the register counts, among the facts
    assert "Step by step" not in html


def test_a_register_that_counts_back_goes_below_the_line(client: Client) -> None:
    found = measured(observation("netted-register"))
    assert found is not None
    assert found.moments[-1].import_wh is not None
    labels = [mark.text for mark in found.registers[0].marks if isinstance(mark, Label)]
    assert any(label.startswith("-") for label in labels)


def test_the_samples_come_as_a_file(client: Client) -> None:
    row = observation()
    client.force_login(make_official())
    answer = client.get(f"/bewijs/{row.pk}/metingen.csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode())))
    assert rows[0][:5] == ["at", "evse", "context", "import_wh_1.8.x", "export_wh_2.8.x"]
    assert len(rows) == len(row.steps) + 1


def test_an_observation_is_judged_again_on_its_page(client: Client) -> None:
    html = page(client, observation("single-register"), "?opnieuw=1")
    assert "the check of today finds the same" in html
