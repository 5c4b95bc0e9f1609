"""docs/ocpp-actions.md tells of every action, and tells what the code does."""

from __future__ import annotations

import re

import pytest
from django.conf import settings

from portal import ocpp_actions
from stations.events import Kind
from stations.ocpp import directions, noted, validation

VERSIONS = validation.VERSIONS


@pytest.fixture(scope="module")
def page() -> str:
    [text] = ocpp_actions.pages(settings.BASE_DIR).values()
    return text


def rows(part: str) -> dict[str, list[str]]:
    """Cells by action."""
    lines = [line.strip("| ").split(" | ") for line in part.splitlines() if re.match(r"\| \w+ \| \d", line)]
    return {cells[0]: cells[1:] for cells in lines}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_action_of_the_schemas_is_on_the_page_in_its_direction(page: str, version: str) -> None:
    heard, said = (
        {action for action, cells in rows(part).items() if version in cells[0].split(", ")}
        for part in page.split("## To a station")
    )
    assert said == directions.TO_STATION[version]
    assert heard >= directions.from_station(version)
    assert heard | said >= validation.actions(version) | validation.sent(version)


def test_the_page_says_what_the_code_does(page: str) -> None:
    heard, said = (rows(part) for part in page.split("## To a station"))
    assert heard["BootNotification"][0] == "1.6, 2.0.1, 2.1"
    assert heard["BootNotification"][3:] == ["`stations.handlers.station_state.boot`", "`booted`"]
    assert heard["NotifyDERAlarm"][1] == "neutral"
    assert heard["NotifyPeriodicEventStream"][1] == "none (SEND)"
    assert "smartcharging.dispatch" in said["SetChargingProfile"][2]
    assert said["SetVariables"][1].startswith("`"), "a page for it"
    assert said["CostUpdated"][0] == "2.0.1, 2.1"


def test_every_event_that_a_message_becomes_has_a_kind_and_a_sentence() -> None:
    for action, topic in noted.TOPICS.items():
        assert topic.kind in Kind.values, action
        assert topic.fields.__doc__, action
