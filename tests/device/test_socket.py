"""A station on a real socket: its report, a value that is set, a monitor and what it tells."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytest
from django.utils import timezone

from stations import configuring, device_model, monitoring, rollouts
from stations.domain.pacing import Pace
from stations.models import (
    ConfigurationChange,
    ConfigurationRollout,
    ConfigurationValue,
    DeviceReading,
    Event,
    Station,
    VariableMonitor,
)
from stations.ocpp.device import Place
from tests.device.rows import entry, make_template
from tests.factories import make_station
from tests.fakes.portal import Portal
from tests.fakes.station import PASSWORD, FakeStation
from tests.fakes.until import until

pytestmark = pytest.mark.xdist_group("portal")

PLACE = Place("Temperature", "ChargingStation")
WITHIN_S = 30


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_the_device_model_over_the_line(portal: Portal, version: str) -> None:
    station = make_station(version=version, password=PASSWORD)
    at = timezone.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    with FakeStation(portal.port, station.identity, version=version) as line:
        device_model.read_all(station=station, now=timezone.now())
        question = line.question("GetBaseReport")
        line.answer(question, {"status": "Accepted"})
        part: dict[str, Any] = {"requestId": question.payload["requestId"], "generatedAt": at}
        rows = [
            entry("TxCtrlr", "EVConnectionTimeOut", "120"),
            entry("SecurityCtrlr", "BasicAuthPassword", "hunter2"),
        ]
        for number, row in enumerate(rows):
            said = {**part, "seqNo": number, "tbc": number == 0, "reportData": [row]}
            assert line.call("NotifyReport", said) == {}
        until(
            lambda: DeviceReading.objects.filter(station=station, state="complete").exists(),
            within_s=WITHIN_S,
        )
        assert ConfigurationValue.objects.get(station=station, name="BasicAuthPassword").value == "•••"

        wishes = [configuring.wish(Place("EVConnectionTimeOut", "TxCtrlr"), "90")]
        configuring.set_values(station=station, wishes=wishes, requested_by=None, now=timezone.now())
        question = line.question("SetVariables")
        place = wishes[0].place.wire()
        assert question.payload == {"setVariableData": [{"attributeValue": "90", **place}]}
        line.answer(question, {"setVariableResult": [{"attributeStatus": "RebootRequired", **place}]})
        until(
            lambda: ConfigurationChange.objects.filter(station=station, state="reboot").exists(),
            within_s=WITHIN_S,
        )

        monitoring.set_monitor(
            station=station, place=PLACE, kind="UpperThreshold", value=60, severity=2, requested_by=None,
            now=timezone.now(),
        )  # fmt: skip
        question = line.question("SetVariableMonitoring")
        result = {"type": "UpperThreshold", "severity": 2, "status": "Accepted", "id": 3, **PLACE.wire()}
        line.answer(question, {"setMonitoringResult": [result]})
        until(lambda: VariableMonitor.objects.filter(station=station, number=3).exists(), within_s=WITHIN_S)
        told = {
            "eventId": 1, "timestamp": at, "trigger": "Alerting", "actualValue": "61", "variableMonitoringId": 3,
            "eventNotificationType": "CustomMonitor", **PLACE.wire(),
        }  # fmt: skip
        assert line.call("NotifyEvent", {"generatedAt": at, "seqNo": 0, "eventData": [told]}) == {}
        until(lambda: Event.objects.filter(station=station, kind="device_event").exists(), within_s=WITHIN_S)
    data = Event.objects.get(station=station, kind="device_event").data
    assert (data["severity"], data["value"], data["component"]) == (2, "61", "ChargingStation")


def test_a_key_of_16_over_the_line(portal: Portal) -> None:
    station = make_station(password=PASSWORD)
    with FakeStation(portal.port, station.identity) as line:
        wishes = [configuring.wish(Place("ApnPassword"), "hunter2-hunter2")]
        configuring.set_values(station=station, wishes=wishes, requested_by=None, now=timezone.now())
        question = line.question("ChangeConfiguration")
        assert question.payload == {"key": "ApnPassword", "value": "hunter2-hunter2"}
        line.answer(question, {"status": "RebootRequired"})
        until(
            lambda: ConfigurationChange.objects.filter(station=station, state="reboot").exists(),
            within_s=WITHIN_S,
        )
    assert ConfigurationChange.objects.get(station=station).sealed_value == ""


def test_a_roll_out_goes_on_by_the_answers_a_few_first_then_so_many_at_once(portal: Portal) -> None:
    """The portal's own round carries it on: the test only answers."""
    stations = [make_station(password=PASSWORD, evses=0) for _number in range(5)]
    template = make_template(("", "HeartbeatInterval", "61"), name="By the answers")
    with ExitStack() as stack:
        lines = [stack.enter_context(FakeStation(portal.port, each.identity)) for each in stations]
        rollout = rollouts.start(
            template=template,
            stations=Station.objects.filter(pk__in=[each.pk for each in stations]),
            requested_by=None,
            now=timezone.now(),
            pace=Pace(first=1, at_once=2),
        )
        rollouts.carry_out(rollout.pk, now=timezone.now())
        for count, waiting in ((1, 4), (2, 2), (2, 0)):
            asked = until(lambda: asked_of(lines, count), within_s=60)  # noqa: B023 - called here
            assert rollout.stations.filter(state="waiting").count() == waiting
            for line in asked:
                question = line.question("ChangeConfiguration")
                assert question.payload == {"key": "HeartbeatInterval", "value": "61"}
                line.answer(question, {"status": "Accepted"})
        until(lambda: ConfigurationRollout.objects.filter(pk=rollout.pk, state="done").exists(), within_s=60)
    assert set(rollout.stations.values_list("state", flat=True)) == {"done"}


def asked_of(lines: list[FakeStation], count: int) -> list[FakeStation]:
    """Those that are asked by now, once they are so many; never more."""
    asked = [line for line in lines if line.is_asked("ChangeConfiguration", 0.05)]
    assert len(asked) <= count
    return asked if len(asked) == count else []
