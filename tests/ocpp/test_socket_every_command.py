"""Commands of every version as they come out of a real socket: what was asked, whole, and valid by its schema."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from stations import commands, services
from stations.models import Command, Frame
from stations.ocpp import validation
from stations.ocpp.masking import MASK
from tests.factories import make_station
from tests.fakes.portal import Portal
from tests.fakes.station import PASSWORD, FakeStation
from tests.fakes.until import until
from tests.ocpp.samples import smallest_answer, smallest_request

pytestmark = pytest.mark.xdist_group("portal")

SAMPLE = {
    "1.6": [
        "Reset",
        "ReserveNow",
        "SendLocalList",
        "GetLog",
        "SignedUpdateFirmware",
        "DataTransfer",
        "ClearCache",
    ],
    "2.0.1": [
        "Reset",
        "ReserveNow",
        "SendLocalList",
        "SetNetworkProfile",
        "CustomerInformation",
        "ClearCache",
    ],
    "2.1": [
        "SetDERControl",
        "RequestBatterySwap",
        "AdjustPeriodicEventStream",
        "SetDefaultTariff",
        "AFRRSignal",
    ],
}


@pytest.mark.parametrize("version", SAMPLE)
def test_each_comes_out_as_it_was_asked(portal: Portal, version: str) -> None:
    station = make_station(version=version, password=PASSWORD)
    asked = {action: smallest_request(version, action) for action in SAMPLE[version]}
    rows = [
        commands.request(station=station, action=action, payload=payload, now=timezone.now())
        for action, payload in asked.items()
    ]
    with FakeStation(portal.port, station.identity, version=version) as line:
        for row in rows:
            question = line.question()
            assert (question.message_id, question.action) == (row.message_id, row.action)
            assert question.payload == asked[row.action]
            validation.check_request(version, question.action, question.payload)
            line.answer(question, smallest_answer(version, question.action))
        until(lambda: not Command.objects.filter(station=station, state__in=Command.OPEN).exists())
    assert not Command.objects.filter(station=station, state="failed").exists()


def test_a_sealed_token_reaches_the_station_and_nothing_else(portal: Portal) -> None:
    station = make_station(password=PASSWORD)
    command = services.remote_start(
        station=station, evse_number=1, id_token="04A1B2C3", requested_by=None, now=timezone.now()
    )
    with FakeStation(portal.port, station.identity) as line:
        question = line.question()
        assert question.payload == {"connectorId": 1, "idTag": "04A1B2C3"}
        line.answer(question, {"status": "Accepted"})
        until(lambda: Command.objects.get(pk=command.pk).state == "accepted")
    row: Any = Command.objects.get(pk=command.pk)
    assert (row.payload["idTag"], row.sealed_payload) == (MASK, "")
    assert not Frame.objects.filter(station=station, text__contains="04A1B2C3").exists()
