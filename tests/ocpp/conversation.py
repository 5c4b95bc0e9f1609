"""What a station says and hears, without a socket: payload in, payload out, both checked against the schemas."""

from __future__ import annotations

import datetime as dt
from typing import Any

from stations import handlers
from stations.models import Command, Event, Station
from stations.ocpp import validation
from tests.factories import NOW


def say(station: Station, action: str, payload: dict[str, Any], *, now: dt.datetime = NOW) -> dict[str, Any]:
    """The answer to a CALL of the station."""
    version = station.ocpp_version
    validation.check_request(version, action, payload)
    answer = handlers.handle(Station.objects.get(pk=station.pk), version, action, payload, now=now)
    validation.check_response(version, action, answer)
    return answer


def answer(
    command: Command, response: dict[str, Any] | None, *, state: str = "accepted", now: dt.datetime = NOW
) -> None:
    """The station answers a command."""
    if response is not None:
        validation.check_response(command.station.ocpp_version, command.action, response)
    Command.objects.filter(pk=command.pk).update(state=state, response=response, answered_at=now)
    handlers.on_answer(Command.objects.get(pk=command.pk), now=now)


def happened(station: Station, kind: str) -> list[dict[str, Any]]:
    """Data of the events of one kind, oldest first."""
    rows = Event.objects.filter(station=station, kind=kind).order_by("pk")
    return [dict(data) for data in rows.values_list("data", flat=True)]


def wire(at: dt.datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def minutes(count: float) -> dt.datetime:
    """So many minutes after the hour that the tests live in."""
    return NOW + dt.timedelta(minutes=count)
