"""Stored evidence judged again: the same verdict from nothing but what it stores, and what differs named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from portal.compliance.models import Evidence
from portal.compliance.reproduce import reproduce
from portal.compliance.tasks import observe_session
from tests.compliance.discharging import tell, v2g
from tests.compliance.fakes import append_evidence, make_fake
from tests.compliance.test_observing import YESTERDAY, make_line
from tests.compliance.test_probe import evidence_of, probed
from tests.factories import make_official

pytestmark = pytest.mark.django_db


def observation(version: str = "1.6", defect: str | None = None) -> Evidence:
    (session,) = tell(make_line(version), v2g(YESTERDAY), defect=defect)
    observe_session(session.pk)
    return Evidence.objects.get(station=session.station)


@pytest.mark.parametrize(
    ("version", "defect"),
    [("1.6", None), ("1.6", "netted-register"), ("2.0.1", "single-register"), ("2.1", None)],
)
def test_an_observation_says_the_same_again(version: str, defect: str | None) -> None:
    found = reproduce(observation(version, defect))
    assert found.is_computed
    assert found.is_same, found.differences
    assert found.is_same_engine


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_a_probe_says_the_same_again(version: str) -> None:
    found = reproduce(evidence_of(probed(make_fake(version=version))))
    assert found.is_same, found.differences
    assert found.finding is not None
    assert found.finding.verdict == "proven"


def test_a_sample_that_its_frame_does_not_carry_shows() -> None:
    row = observation()
    row.steps[2]["export_wh"] += 5
    differences = {item.what for item in reproduce(row).differences}
    assert "frames" in differences


def test_a_frame_that_is_gone_shows() -> None:
    row = evidence_of(probed(make_fake()))
    message_id = row.steps[-1]["message_id"]
    row.frames = [frame for frame in row.frames if frame["message_id"] != message_id]
    assert [item.what for item in reproduce(row).differences] == ["frames"]


def test_a_changed_verdict_or_figure_shows() -> None:
    row = observation()
    row.verdict = "deviation"
    row.figures[0]["value"] += 1
    found = {item.what: (item.then, item.now) for item in reproduce(row).differences}
    assert found["verdict"] == ("deviation", "proven")
    assert found.keys() == {"verdict", "export_rise_wh"}


def test_a_statement_has_nothing_to_compute_from() -> None:
    row = append_evidence(make_fake().row, method="declaration", verdict="declared", frames=[], steps=[])
    found = reproduce(row)
    assert not found.is_computed
    assert found.is_same


def test_the_command_names_the_first_that_differs(capsys: pytest.CaptureFixture[str]) -> None:
    good = observation()
    bad = observation("2.0.1")
    call_command("reproduce", good.pk)
    assert "1 of 1 say the same; 0 have nothing" in capsys.readouterr().out
    call_command("reproduce", concession="concessie", as_json=True)
    said: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert [(row["evidence"], row["same"]) for row in said] == [(good.pk, True), (bad.pk, True)]
    assert bad.station is not None
    other = append_evidence(
        bad.station,
        code="211",
        verdict="deviation",
        method="observation",
        engine="211 registers 0.1",
        **{name: getattr(bad, name) for name in ("configuration", "steps", "frames", "figures")},
    )
    with pytest.raises(SystemExit) as stop:
        call_command("reproduce")
    assert stop.value.code == 1
    error = capsys.readouterr().err
    assert f"(evidence {other.pk}): verdict was deviation, is proven" in error
    assert "211 registers 0.1, now 211 registers 1.0" in error
    for wrong in ({"concession": "none"}, {"evidence_id": [12345]}):
        with pytest.raises(CommandError):
            call_command("reproduce", *wrong.pop("evidence_id", []), **wrong)


def test_the_api_says_it_too(client: Client) -> None:
    row = observation()
    client.force_login(make_official())
    said = client.get(f"/api/v1/evidence/{row.pk}/reproduce/").json()
    assert said["same"] is True
    assert said["verdict"] == "proven"
    assert said["engine"] == said["engine_then"]
    assert said["differences"] == []
