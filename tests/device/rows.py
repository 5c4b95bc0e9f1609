"""What tests of the device model start from: reports as stations send them, and rows as they are kept."""

from __future__ import annotations

from typing import Any

from stations import configuring, device_model
from stations.models import ConfigurationTemplate, ConfigurationValue, Station
from stations.models.device import Placed
from stations.ocpp.device import Place, read_place
from tests.factories import NOW, make_operator
from tests.ocpp.conversation import answer, say, wire


def entry(
    component: str, name: str, value: str | None = None, *, mutability: str = "ReadWrite", **said: Any
) -> dict[str, Any]:
    """One variable of a report; `said` are its characteristics, `attributes` more of them."""
    place = read_place(component, name)
    assert place is not None
    attribute: dict[str, Any] = {"mutability": mutability}
    if value is not None:
        attribute["value"] = value
    more = said.pop("attributes", [])
    traits = {"dataType": "string", "supportsMonitoring": False, **said}
    return {**place.wire(), "variableAttribute": [attribute, *more], "variableCharacteristics": traits}


def report(station: Station, *parts: list[dict[str, Any]], request_id: int = 1) -> None:
    for number, part in enumerate(parts):
        payload = {
            "requestId": request_id,
            "generatedAt": wire(NOW),
            "seqNo": number,
            "tbc": number < len(parts) - 1,
            "reportData": part,
        }
        assert say(station, "NotifyReport", payload) == {}


def read(station: Station, *parts: list[dict[str, Any]]) -> None:
    """Asked by a person, and answered in full."""
    command = device_model.read_all(station=station, now=NOW)
    assert command is not None
    answer(command, {"status": "Accepted"})
    report(station, *parts, request_id=command.payload["requestId"])


def make_value(
    station: Station, name: str, value: str, component: str = "", **said: Any
) -> ConfigurationValue:
    place = read_place(component, name) or Place(name)
    return ConfigurationValue.objects.create(
        station=station,
        **Placed.columns(place),
        **{"value": value, "read_at": NOW, "readonly": False, **said},
    )


def make_template(
    *entries: tuple[str, str, str], name: str = "Basis", family: str = "1.6", operator: Any = None
) -> ConfigurationTemplate:
    """With entries of (component, name, value)."""
    template = configuring.new_template(operator=operator or make_operator(), family=family, now=NOW)
    places = [(read_place(component, key), value) for component, key, value in entries]
    wishes = [configuring.wish(place, value) for place, value in places if place]
    return configuring.save_template(template=template, name=name, wishes=wishes, now=NOW)
