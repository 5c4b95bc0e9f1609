"""Who may charge for free at a station: what is answered (stations.authorisation), and what the station is told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from stations import commands
from stations.models import Command, Station

Policy = Station.FreeVend
ORIGIN = "free vend"


@transaction.atomic
def set_policy(*, station: Station, policy: str, requested_by: Any, now: datetime) -> Command:
    """From now on `policy` decides the answers here. The station is told what to do by itself, when it is reached.

    Offline it takes tokens that it does not know; a 2.x station asks for none where none is needed. 1.6 has no
    standard key for that: there the vendor's own setting makes the station start by itself.
    """
    Station.objects.filter(pk=station.pk).update(free_vend=Policy(policy))
    station.free_vend = policy
    action, payload = told(station.ocpp_version, policy)
    return commands.request(
        station=station, action=action, payload=payload, origin=ORIGIN, requested_by=requested_by, now=now
    )


def told(version: str, policy: str) -> tuple[str, dict[str, Any]]:
    """The command that goes with a policy."""
    takes_unknown = _word(said=policy != Policy.OFF)
    if version == "1.6":
        return "ChangeConfiguration", {"key": "AllowOfflineTxForUnknownId", "value": takes_unknown}
    values = {
        "Enabled": _word(said=policy != Policy.NO_TOKEN),
        "OfflineTxForUnknownIdEnabled": takes_unknown,
    }
    data = [
        {"component": {"name": "AuthCtrlr"}, "variable": {"name": name}, "attributeValue": value}
        for name, value in values.items()
    ]
    return "SetVariables", {"setVariableData": data}


def _word(*, said: bool) -> str:
    return "true" if said else "false"
