"""Intents of people: add a station, rotate its credentials, start, stop, reset, unlock: rows, or commands."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from stations import commands
from stations.credentials import digest_token, generate_secret, hash_secret, verify_secret
from stations.models import Command, Concession, Connector, Evse, Operator, Site, Station

__all__ = [
    "add_station",
    "digest_token",
    "expect_evses",
    "remote_start",
    "remote_stop",
    "reset",
    "rotate_secret",
    "unlock",
    "verify_secret",
]

# Until the station shows what it has: most public stations have two sockets.
EXPECTED_EVSES = 2
# A person waits for these; what was not sent by then is not wanted any more (rule 4: never repeated by itself).
PATIENCE_S = 60.0


@transaction.atomic
def add_station(
    *,
    identity: str,
    operator: Operator,
    concession: Concession,
    ocpp_version: str,
    name: str = "",
    connection_phases: int = 3,
    connection_a: int = 25,
    password: str | None = None,
    site: Site | None = None,
    now: datetime,
) -> tuple[Station, str]:
    """Register a station; gives it and its password, which is shown once and not kept.

    Without a `password` one is generated. Without a `site` it gets one of its own, named as the station. Raises
    django.core.exceptions.ValidationError by field.
    """
    kind = Station.Secret.CHOSEN if password else Station.Secret.GENERATED
    secret = password or generate_secret()
    site = site or _site(name or identity, operator, concession)
    station = Station(
        site=site,
        identity=identity,
        name=name,
        ocpp_version=ocpp_version,
        connection_phases=connection_phases,
        connection_a=connection_a,
        secret_kind=kind,
        secret_hash=hash_secret(secret.encode(), kind=kind),
    )
    station.full_clean()
    station.save()
    expect_evses(station=station)
    return station, secret


def expect_evses(*, station: Station) -> None:
    """Rows for the EVSEs that a new station most likely has; what it shows of itself corrects them."""
    for number in range(1, EXPECTED_EVSES + 1):
        evse, _ = Evse.objects.get_or_create(station=station, number=number)
        Connector.objects.get_or_create(evse=evse, number=1)


def rotate_secret(*, station: Station) -> str:
    """Give the station a new generated password and return it; the old one opens nothing from now on."""
    secret = generate_secret()
    station.secret_kind = Station.Secret.GENERATED
    station.secret_hash = hash_secret(secret.encode(), kind=Station.Secret.GENERATED)
    station.save(update_fields=["secret_kind", "secret_hash"])
    return secret


def reset(*, station: Station, hard: bool = False, requested_by: Any, now: datetime) -> Command:
    """Restart the station: at once (`hard`), or after what runs has ended."""
    if station.ocpp_version == "1.6":
        kind = "Hard" if hard else "Soft"
    else:
        kind = "Immediate" if hard else "OnIdle"
    return _ask(station, "Reset", {"type": kind}, requested_by, now)


def unlock(
    *, station: Station, evse_number: int, connector_number: int = 1, requested_by: Any, now: datetime
) -> Command:
    """Let go of a cable that is stuck."""
    if station.ocpp_version == "1.6":
        payload: dict[str, Any] = {"connectorId": evse_number}
    else:
        payload = {"evseId": evse_number, "connectorId": connector_number}
    return _ask(station, "UnlockConnector", payload, requested_by, now)


def remote_start(
    *, station: Station, evse_number: int, id_token: str, requested_by: Any, now: datetime
) -> Command:
    """Start charging for the holder of `id_token`."""
    if station.ocpp_version == "1.6":
        payload: dict[str, Any] = {"connectorId": evse_number, "idTag": id_token}
        return _ask(station, "RemoteStartTransaction", payload, requested_by, now)
    payload = {
        "evseId": evse_number,
        "idToken": {"idToken": id_token, "type": "Central"},
        "remoteStartId": int(now.timestamp()) % 2**31,
    }
    return _ask(station, "RequestStartTransaction", payload, requested_by, now)


def remote_stop(*, station: Station, transaction_id: str, requested_by: Any, now: datetime) -> Command:
    """Stop a transaction."""
    if station.ocpp_version == "1.6":
        payload: dict[str, Any] = {"transactionId": int(transaction_id)}
        return _ask(station, "RemoteStopTransaction", payload, requested_by, now)
    payload = {"transactionId": transaction_id}
    return _ask(station, "RequestStopTransaction", payload, requested_by, now)


def _ask(station: Station, action: str, payload: dict[str, Any], requested_by: Any, now: datetime) -> Command:
    return commands.request(
        station=station,
        action=action,
        payload=payload,
        origin="person",
        requested_by=requested_by,
        now=now,
        expires_in_s=PATIENCE_S,
    )


def _site(name: str, operator: Operator, concession: Concession) -> Site:
    concession.operators.add(operator)
    return Site.objects.create(name=name, operator=operator, concession=concession)
