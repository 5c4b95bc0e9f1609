"""What a station is asked for its own security over OCPP: another password, a higher security profile.

Of both it holds that the old way stays open until the station has shown, by coming back, that it took the new one: a
lost answer must lock nobody out (rule 4).
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from stations import commands, credentials, events
from stations.models import (
    Command,
    ConfigurationValue,
    ProfileRaise,
    SecretRotation,
    Station,
    StationCertificate,
)

Rotated, Raised, Sent = SecretRotation.State, ProfileRaise.State, Command.State
ORIGIN = "security"
# The station has as long as this to be connected at all; then the change is withdrawn.
PATIENCE_S = 3600.0

_ask = partial(commands.ask, origin=ORIGIN, patience_s=PATIENCE_S)
MAX_OPEN_ROTATIONS = 5
# The slots that raised profiles go into by turns (SetNetworkProfile), and where their order stands. A station refuses
# the slot that it uses, and so it keeps its way back.
NETWORK_SLOTS = (1, 2)
NETWORK_PRIORITY = ("OCPPCommCtrlr", "NetworkConfigurationPriority")


class NotPossible(ValueError):
    """A change that cannot be asked of this station now; says why."""


# ---------------------------------------------------------------- another password
def rotate_over_ocpp(*, station: Station, requested_by: Any = None, now: datetime) -> SecretRotation:
    """Have the station take a new generated password (1.6: AuthorizationKey; 2.x: BasicAuthPassword, A01).

    Raises NotPossible.
    """
    pending = SecretRotation.objects.filter(station=station, state__in=SecretRotation.OPEN)
    if pending.filter(state=Rotated.ASKED).exists():
        raise NotPossible(_("A new password was asked for already, and waits for the station."))
    if pending.count() >= MAX_OPEN_ROTATIONS:
        raise NotPossible(_("Of too many new passwords it is not known whether the station took them."))
    secret = credentials.new_secret(station.ocpp_version)
    with transaction.atomic():
        # Durable before the station can have it: the digest stands before the message leaves.
        rotation = SecretRotation.objects.create(
            station=station, hashes=secret.hashes, requested_by=requested_by, requested_at=now
        )
        rotation.command = _set(
            station,
            key="AuthorizationKey",
            variable=("SecurityCtrlr", "BasicAuthPassword"),
            value=secret.sent,
            requested_by=requested_by,
            now=now,
        )
        rotation.save(update_fields=["command"])
        _record_rotation(rotation, now)
    return rotation


def pending_with(station: Station, password: bytes) -> SecretRotation | None:
    """The change of password that this one belongs to, if the station shows one that it was asked to take."""
    rows = SecretRotation.objects.filter(station=station, state__in=SecretRotation.OPEN)
    return next((row for row in rows if credentials.is_one_of(password, row.hashes)), None)


def came_back(rotation: SecretRotation, *, password_digest: str, now: datetime) -> None:
    """The station came with its new password: that is the password now, and no other opens any more."""
    open_row = SecretRotation.objects.filter(pk=rotation.pk, state__in=SecretRotation.OPEN)
    if not open_row.update(state=Rotated.DONE, hashes=[], settled_at=now):
        return
    rotation.state = Rotated.DONE
    Station.objects.filter(pk=rotation.station_id).update(
        secret_kind=Station.Secret.GENERATED, secret_hash=password_digest
    )
    earlier = SecretRotation.objects.filter(
        station_id=rotation.station_id, state__in=SecretRotation.OPEN, pk__lt=rotation.pk
    )
    earlier.update(state=Rotated.REPLACED, hashes=[], settled_at=now)
    _record_rotation(rotation, now)


def withdraw_rotations(station: Station, *, now: datetime) -> None:
    """A person gave the station another password by hand: nothing that was asked over OCPP opens any more."""
    SecretRotation.objects.filter(station=station, state__in=SecretRotation.OPEN).update(
        state=Rotated.REPLACED, hashes=[], settled_at=now
    )


def _settle_rotation(rotation: SecretRotation, command: Command, now: datetime) -> None:
    state = {
        "yes": Rotated.ACCEPTED,
        "no": Rotated.REFUSED,
        "unsent": Rotated.WITHDRAWN,
        "unknown": Rotated.UNKNOWN,
    }[outcome_of(command)]
    fields: dict[str, Any] = {"state": state}
    if state not in SecretRotation.OPEN:
        fields |= {"hashes": [], "settled_at": now}
    before = SecretRotation.objects.filter(pk=rotation.pk, state__in=SecretRotation.OPEN)
    if before.exclude(state=state).update(**fields):
        rotation.state = state
        _record_rotation(rotation, now)


def _record_rotation(rotation: SecretRotation, now: datetime) -> None:
    data = {"rotation": rotation.pk, "state": str(rotation.state)}
    events.record(station_id=rotation.station_id, kind=events.Kind.SECRET_ROTATED, at=now, now=now, data=data)


# ---------------------------------------------------------------- a higher profile
def raise_profile(*, station: Station, wanted: int, requested_by: Any = None, now: datetime) -> ProfileRaise:
    """Have the station come back with a higher security profile. Raises NotPossible.

    1.6: SecurityProfile (white paper, A05), upon which the station comes back by itself. 2.x: a network profile, its
    place in the order, a restart (B09, B10). What is required here follows only once the station came back with it.
    """
    _check_raise(station, wanted, now)
    with transaction.atomic():
        raised = ProfileRaise.objects.create(
            station=station, wanted=wanted, requested_by=requested_by, requested_at=now
        )
        if station.ocpp_version == "1.6":
            command = _set(
                station,
                key="SecurityProfile",
                variable=("", ""),
                value=str(wanted),
                requested_by=requested_by,
                now=now,
            )
        else:
            slot = _free_slot(station)
            payload = {"configurationSlot": slot, "connectionData": _network(station, wanted)}
            command = _ask(station, "SetNetworkProfile", payload, requested_by, now)
        _step(raised, command)
        _record_raise(raised, now)
    return raised


def require_profile(*, station: Station, wanted: int, now: datetime) -> None:
    """From its next connection on the station must show this much, or need not any more."""
    before = Station.objects.values_list("security_profile", flat=True).get(pk=station.pk)
    if not Station.objects.filter(pk=station.pk, security_profile=before).update(security_profile=wanted):
        return
    station.security_profile = wanted
    data = {"before": before, "wanted": wanted, "state": "required"}
    events.record(station_id=station.pk, kind=events.Kind.SECURITY_PROFILE, at=now, now=now, data=data)


def showed(station: Station, *, level: int, now: datetime) -> None:
    """The station came in with this much: a raise to it is done, and less is refused from now on."""
    rows = ProfileRaise.objects.filter(station=station, state__in=ProfileRaise.OPEN, wanted__lte=level)
    for raised in rows:
        still = ProfileRaise.objects.filter(pk=raised.pk, state__in=ProfileRaise.OPEN)
        if still.update(state=Raised.DONE, settled_at=now):
            Station.objects.filter(pk=station.pk, security_profile__lt=raised.wanted).update(
                security_profile=raised.wanted
            )
            raised.state = Raised.DONE
            _record_raise(raised, now)


def _check_raise(station: Station, wanted: int, now: datetime) -> None:
    if wanted <= station.security_profile:
        # 2.0.1, A05.FR.04: a station refuses a lower one.
        raise NotPossible(_("Over OCPP a security profile can only be raised."))
    if ProfileRaise.objects.filter(station=station, state__in=ProfileRaise.OPEN).exists():
        raise NotPossible(_("A change of security profile is under way already."))
    if wanted >= Station.SecurityProfile.TLS and not settings.PUBLIC_URL.startswith("https:"):
        raise NotPossible(_("This portal is not reached over TLS: its PUBLIC_URL begins with http."))
    if wanted == Station.SecurityProfile.CERTIFICATE and not _has_certificate(station, now):
        # A05.FR.06
        raise NotPossible(_("The station has no valid certificate yet: have it ask for one first."))


def _has_certificate(station: Station, now: datetime) -> bool:
    accepted = StationCertificate.objects.filter(
        station=station, kind=StationCertificate.Kind.STATION, state=StationCertificate.State.ACCEPTED
    )
    return any(row.is_valid_at(now) for row in accepted)


def _free_slot(station: Station) -> int:
    used = _slot_in_use(station)
    return next(slot for slot in reversed(NETWORK_SLOTS) if slot != used)


def _slot_in_use(station: Station) -> int | None:
    """The first of its order, as it was read; a raise that was done since then knows better. None: not known."""
    component, name = NETWORK_PRIORITY
    read = ConfigurationValue.objects.filter(station=station, component=component, name=name).first()
    done = ProfileRaise.objects.filter(station=station, state=Raised.DONE).order_by("-pk").first()
    if done and done.settled_at and (read is None or read.read_at < done.settled_at):
        within = (done.requested_at, done.settled_at)
        ours = Command.objects.filter(station=station, origin=ORIGIN, requested_at__range=within)
        sent = ours.filter(action="SetNetworkProfile", state=Sent.ACCEPTED).order_by("-pk").first()
        if sent is not None:
            return int(sent.payload["configurationSlot"])
    first = re.match(r"\s*(\d+)", read.value) if read else None
    return int(first[1]) if first else None


def _network(station: Station, wanted: int) -> dict[str, Any]:
    address = re.sub("^http", "ws", settings.PUBLIC_URL.rstrip("/"))
    version = "OCPP20" if station.ocpp_version == "2.0.1" else "OCPP21"  # the 2.0.1 schema has no OCPP201
    return {
        "ocppVersion": version,
        "ocppTransport": "JSON",
        "ocppCsmsUrl": f"{address}/ocpp",
        "messageTimeout": 30,
        "securityProfile": wanted,
        "ocppInterface": "Wired0",
    }


def _settle_raise(raised: ProfileRaise, command: Command, now: datetime) -> None:
    outcome = outcome_of(command)
    if outcome == "yes" and _next_step(raised, command, now):
        return
    state = {
        "yes": Raised.ACCEPTED,
        "no": Raised.REFUSED,
        "unsent": Raised.WITHDRAWN,
        "unknown": Raised.UNKNOWN,
    }[outcome]
    settled_at = None if state in ProfileRaise.OPEN else now
    still = ProfileRaise.objects.filter(pk=raised.pk, state__in=ProfileRaise.OPEN)
    if still.update(state=state, settled_at=settled_at):
        raised.state = state
        _record_raise(raised, now)


def _next_step(raised: ProfileRaise, command: Command, now: datetime) -> bool:
    """2.x: the network profile, then its place in the order, then a restart that puts it to use (B10)."""
    station = command.station
    if command.action == "SetNetworkProfile":
        first = command.payload["configurationSlot"]
        order = [first, *(slot for slot in NETWORK_SLOTS if slot != first)]
        then = _set(
            station,
            key="",
            variable=NETWORK_PRIORITY,
            value=",".join(map(str, order)),
            requested_by=raised.requested_by,
            now=now,
        )
    elif command.action == "SetVariables":
        then = _ask(station, "Reset", {"type": "OnIdle"}, raised.requested_by, now)
    else:
        return False
    _step(raised, then)
    return True


def _step(raised: ProfileRaise, command: Command) -> None:
    raised.command, raised.step = command, command.action
    raised.save(update_fields=["command", "step"])


def _record_raise(raised: ProfileRaise, now: datetime) -> None:
    data = {"wanted": raised.wanted, "state": str(raised.state)}
    events.record(station_id=raised.station_id, kind=events.Kind.SECURITY_PROFILE, at=now, now=now, data=data)


# ---------------------------------------------------------------- what came of it
ACTIONS = frozenset({"ChangeConfiguration", "SetVariables", "SetNetworkProfile", "Reset"})


def take_in(command: Command, *, now: datetime) -> None:
    """After an answer, or when it is known that there will be none: the change goes on, or has its named end."""
    if command.origin != ORIGIN or command.action not in ACTIONS:
        return
    rotation = SecretRotation.objects.filter(command=command).first()
    if rotation is not None:
        _settle_rotation(rotation, command, now)
        return
    raised = ProfileRaise.objects.filter(command=command).select_related("requested_by").first()
    if raised is not None:
        _settle_raise(raised, command, now)


def outcome_of(command: Command) -> str:
    """yes, no, unsent or unknown. An error tells not whether it was done: both passwords stay (rule 4)."""
    match command.state:
        case Sent.ACCEPTED:
            return "yes" if _was_set(command) else "no"
        case Sent.REFUSED:
            return "no"
        case Sent.FAILED if command.error.startswith(("NotSupported", "NotImplemented")):
            return "no"
        case Sent.EXPIRED | Sent.CANCELLED:
            return "unsent"
        case _:
            return "unknown"


def _was_set(command: Command) -> bool:
    """SetVariables answers each variable by itself; every other action has one status."""
    results = (command.response or {}).get("setVariableResult")
    if results is None:
        return True
    return all(result.get("attributeStatus") in ("Accepted", "RebootRequired") for result in results)


def _set(
    station: Station, *, key: str, variable: tuple[str, str], value: str, requested_by: Any, now: datetime
) -> Command:
    """Set a configuration key (1.6) or a variable of a component (2.x)."""
    if station.ocpp_version == "1.6":
        return _ask(station, "ChangeConfiguration", {"key": key, "value": value}, requested_by, now)
    component, name = variable
    item = {"component": {"name": component}, "variable": {"name": name}, "attributeValue": value}
    return _ask(station, "SetVariables", {"setVariableData": [item]}, requested_by, now)
