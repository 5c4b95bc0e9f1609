"""Intents of people: add a station, rotate its credentials, start, stop, reset, unlock: rows, or commands."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from stations import certificates, commands, presence, securing
from stations.commands import PATIENCE_S, ask
from stations.credentials import digest_token, generate_secret, hash_secret, verify_secret
from stations.models import Command, Concession, Connector, Evse, Operator, Site, Station
from stations.ocpp.masking import MASK
from stations.ocpp.v16 import wire_time

__all__ = [
    "CannotAskAgain",
    "add_station",
    "ask_again",
    "ask_as_written",
    "change_availability",
    "clear_cache",
    "data_transfer",
    "digest_token",
    "expect_evses",
    "get_diagnostics",
    "get_installed_certificates",
    "get_local_list_version",
    "get_log",
    "remote_start",
    "remote_stop",
    "reset",
    "rotate_secret",
    "trigger",
    "unlock",
    "update_firmware",
    "verify_secret",
]

# Until the station shows what it has: most public stations have two sockets.
EXPECTED_EVSES = 2
# What only the security extension of 1.6 can trigger (ExtendedTriggerMessage).
EXTENDED_TRIGGERS = frozenset({"LogStatusNotification", "SignChargePointCertificate"})


class CannotAskAgain(ValueError):
    """This command does something: it is asked anew, by a person who means it."""


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


@transaction.atomic
def rotate_secret(*, station: Station) -> str:
    """Give the station a new generated password and return it.

    The old one opens nothing from now on, and a socket that it opened is closed.
    """
    secret, now = generate_secret(), timezone.now()
    station.secret_kind = Station.Secret.GENERATED
    station.secret_hash = hash_secret(secret.encode(), kind=Station.Secret.GENERATED)
    station.save(update_fields=["secret_kind", "secret_hash"])
    securing.withdraw_rotations(station, now=now)
    if not certificates.opened_socket(station.pk).exists():
        presence.expel(station_id=station.pk, reason=presence.REPLACED, now=now)
    return secret


def reset(*, station: Station, hard: bool = False, requested_by: Any, now: datetime) -> Command:
    """Restart the station: at once (`hard`), or after what runs has ended."""
    if station.ocpp_version == "1.6":
        kind = "Hard" if hard else "Soft"
    else:
        kind = "Immediate" if hard else "OnIdle"
    return ask(station, "Reset", {"type": kind}, requested_by, now)


def unlock(
    *, station: Station, evse_number: int, connector_number: int = 1, requested_by: Any, now: datetime
) -> Command:
    """Let go of a cable that is stuck."""
    if station.ocpp_version == "1.6":
        payload: dict[str, Any] = {"connectorId": evse_number}
    else:
        payload = {"evseId": evse_number, "connectorId": connector_number}
    return ask(station, "UnlockConnector", payload, requested_by, now)


def remote_start(
    *,
    station: Station,
    evse_number: int,
    id_token: str,
    kind: str = "Central",
    requested_by: Any,
    now: datetime,
) -> Command:
    """Start charging for the holder of `id_token`; EVSE 0 lets the station choose."""
    if station.ocpp_version == "1.6":
        payload: dict[str, Any] = {"idTag": id_token}
        if evse_number:
            payload = {"connectorId": evse_number} | payload
        return ask(station, "RemoteStartTransaction", payload, requested_by, now)
    payload = {
        "idToken": {"idToken": id_token, "type": kind},
        "remoteStartId": int(now.timestamp()) % 2**31,
    }
    if evse_number:
        payload = {"evseId": evse_number} | payload
    return ask(station, "RequestStartTransaction", payload, requested_by, now)


def remote_stop(*, station: Station, transaction_id: str, requested_by: Any, now: datetime) -> Command:
    """Stop a transaction."""
    if station.ocpp_version == "1.6":
        payload: dict[str, Any] = {"transactionId": int(transaction_id)}
        return ask(station, "RemoteStopTransaction", payload, requested_by, now)
    payload = {"transactionId": transaction_id}
    return ask(station, "RequestStopTransaction", payload, requested_by, now)


def change_availability(
    *, station: Station, evse_number: int = 0, operative: bool, requested_by: Any, now: datetime
) -> Command:
    """Put an EVSE (0: the whole station) into use or out of it; a running transaction ends by itself first."""
    word = "Operative" if operative else "Inoperative"
    if station.ocpp_version == "1.6":
        payload: dict[str, Any] = {"connectorId": evse_number, "type": word}
    else:
        payload = {"operationalStatus": word} | ({"evse": {"id": evse_number}} if evse_number else {})
    return ask(station, "ChangeAvailability", payload, requested_by, now)


def trigger(
    *, station: Station, message: str, evse_number: int = 0, requested_by: Any, now: datetime
) -> Command:
    """Ask the station to send `message` now; EVSE 0: of the whole station."""
    if station.ocpp_version == "1.6":
        payload: dict[str, Any] = {"requestedMessage": message}
        payload |= {"connectorId": evse_number} if evse_number else {}
        action = "ExtendedTriggerMessage" if message in EXTENDED_TRIGGERS else "TriggerMessage"
        return ask(station, action, payload, requested_by, now)
    payload = {"requestedMessage": message} | ({"evse": {"id": evse_number}} if evse_number else {})
    if evse_number and message == "StatusNotification":
        payload["evse"]["connectorId"] = 1  # 2.0.1, F06.FR.13: this one needs its connector
    return ask(station, "TriggerMessage", payload, requested_by, now)


def clear_cache(*, station: Station, requested_by: Any, now: datetime) -> Command:
    """Forget which tokens it let charge before."""
    return ask(station, "ClearCache", {}, requested_by, now)


def get_local_list_version(*, station: Station, requested_by: Any, now: datetime) -> Command:
    return ask(station, "GetLocalListVersion", {}, requested_by, now)


def get_installed_certificates(*, station: Station, requested_by: Any, now: datetime) -> list[Command]:
    """Ask which certificates it trusts. 1.6 asks for one kind at a time."""
    if station.ocpp_version != "1.6":
        return [ask(station, "GetInstalledCertificateIds", {}, requested_by, now)]
    kinds = ("CentralSystemRootCertificate", "ManufacturerRootCertificate")
    return [
        ask(station, "GetInstalledCertificateIds", {"certificateType": kind}, requested_by, now)
        for kind in kinds
    ]


def data_transfer(
    *,
    station: Station,
    vendor_id: str,
    message_id: str = "",
    data: str = "",
    requested_by: Any,
    now: datetime,
) -> Command:
    """A vendor's own message; what it does, only the vendor knows."""
    payload = {"vendorId": vendor_id} | ({"messageId": message_id} if message_id else {})
    return ask(station, "DataTransfer", payload | ({"data": data} if data else {}), requested_by, now)


def get_log(
    *, station: Station, kind: str, location: str, request_id: int, requested_by: Any, now: datetime
) -> Command:
    """Have the station bring its log ("DiagnosticsLog", "SecurityLog") to `location`."""
    payload = {"logType": kind, "requestId": request_id, "log": {"remoteLocation": location}}
    return ask(station, "GetLog", payload, requested_by, now)


def get_diagnostics(*, station: Station, location: str, requested_by: Any, now: datetime) -> Command:
    """The same in OCPP 1.6 without its security extension; the station chooses the name of the file."""
    return ask(station, "GetDiagnostics", {"location": location}, requested_by, now)


def update_firmware(
    *,
    station: Station,
    location: str,
    retrieve_at: datetime,
    request_id: int,
    signing_certificate: str = "",
    signature: str = "",
    requested_by: Any,
    now: datetime,
) -> Command:
    """Have the station fetch firmware from `location` and install it; with a signature it checks whose it is."""
    at = wire_time(retrieve_at)
    if station.ocpp_version == "1.6" and not signature:
        payload: dict[str, Any] = {"location": location, "retrieveDate": at}
        return ask(station, "UpdateFirmware", payload, requested_by, now)
    firmware = {"location": location, "retrieveDateTime": at}
    if signature:
        firmware |= {"signingCertificate": signing_certificate, "signature": signature}
    action = "SignedUpdateFirmware" if station.ocpp_version == "1.6" else "UpdateFirmware"
    return ask(station, action, {"requestId": request_id, "firmware": firmware}, requested_by, now)


def ask_as_written(
    *,
    station: Station,
    action: str,
    payload: dict[str, Any],
    requested_by: Any,
    now: datetime,
    check: bool = True,
) -> Command:
    """Any action, with its payload as on the wire. Raises what commands.request raises."""
    return commands.request(
        station=station,
        action=action,
        payload=payload,
        origin="person",
        requested_by=requested_by,
        now=now,
        expires_in_s=PATIENCE_S,
        check=check,
    )


def ask_again(*, command: Command, requested_by: Any, now: datetime) -> Command:
    """The same question once more. Raises CannotAskAgain for a deed (rule 4), or what is not known whole."""
    if command.action not in commands.READS or MASK in str(command.payload):
        raise CannotAskAgain(command.action)
    return ask(command.station, command.action, command.payload, requested_by, now)


def _site(name: str, operator: Operator, concession: Concession) -> Site:
    concession.operators.add(operator)
    return Site.objects.create(name=name, operator=operator, concession=concession)
