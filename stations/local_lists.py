"""The local list of each station: which tokens it may accept while it is offline (OCPP 1.6, 3.5.3; 2.0.1, D01, D02).

A sync is a plan in the station's row: a Full list or what changed since, in parts as large as the station takes. A part
goes out when the one before it was accepted. The numbers of tokens are in the commands alone, never in a row here.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import Any

from django.db.models import Q

from stations import commands
from stations.models import Command, ConfigurationValue, LocalList, Station, Token
from stations.ocpp.v16 import wire_time
from stations.sealing import Unsealable

State = LocalList.State
ORIGIN = "local list"
ACTIONS = frozenset({"SendLocalList", "GetLocalListVersion"})
# Where a station does not say what it takes: what any should (the smallest limits seen are 20 to 50).
PART = 20
MOST_ID_TAG = 20  # characters (1.6, 7.27)
MOST = 10_000
PATIENCE_S = 3600.0
# Keys of 1.6, and variables of LocalAuthListCtrlr. The value of Entries is how many there are; its limit is the limit.
PART_LIMITS = ("SendLocalListMaxLength", "ItemsPerMessage")
LIST_LIMITS = ("LocalAuthListMaxLength", "Entries")


def local_list_of(station: Station, *, now: datetime) -> LocalList:
    return LocalList.objects.get_or_create(station=station, defaults={"changed_at": now})[0]


def eligible(station: Station, *, now: datetime) -> list[Token]:
    """The operator's tokens that may charge offline and whose number is known, at most as many as the station takes."""
    tokens = Token.objects.filter(
        Q(expires_at__isnull=True) | Q(expires_at__gt=now),
        operator__sites__stations=station.pk,
        offline_allowed=True,
        blocked=False,
    ).exclude(sealed_number="")
    most = _limit(station, LIST_LIMITS) or MOST
    rows = tokens.select_related("group").distinct().order_by("pk")
    return list(islice((token for token in rows if _holds(token, station)), most))


def _holds(token: Token, station: Station) -> bool:
    """1.6 has no words for a token that holds at some sockets alone: offline it would hold at all of them."""
    if not token.only_at:
        return True
    return station.ocpp_version != "1.6" and bool(token.evses_at(station.identity))


def left_out(station: Station, *, now: datetime) -> int:
    """Tokens that should be on the list, and whose number is not known: they were made before it was kept."""
    return (
        Token.objects.filter(
            operator__sites__stations=station.pk, offline_allowed=True, blocked=False, sealed_number=""
        )
        .distinct()
        .count()
    )


def sync(*, station: Station, requested_by: Any = None, full: bool = False, now: datetime) -> LocalList:
    """Bring the station's list up to date: what changed since it accepted the last, or all of it.

    Nothing is sent where nothing changed, or while an earlier sync is under way (unless `full`).
    """
    row = local_list_of(station, now=now)
    if row.state == State.SENDING and not full and _is_open(row.command):
        return row
    tokens = eligible(station, now=now)
    wanted = _fingerprints(station, tokens)
    plan = _plan(row, wanted, full=full or row.state in (State.NEVER, State.OTHER, State.FAILED))
    if plan is None:
        if row.state != State.CURRENT:
            _change(row, now, state=State.CURRENT, problem="")
        return row
    size = _limit(station, PART_LIMITS) or PART
    count = len(plan["put"]) + len(plan["drop"])
    _change(
        row,
        now,
        state=State.SENDING,
        problem="",
        plan=plan,
        parts_total=max(1, -(-count // size)),
        parts_done=0,
        requested_by=requested_by,
    )
    _send_part(row, now)
    return row


def ask_version(*, station: Station, requested_by: Any = None, now: datetime) -> Command:
    """What the station says that it holds; a difference brings a Full list."""
    return commands.request(
        station=station,
        action="GetLocalListVersion",
        payload={},
        origin=ORIGIN,
        requested_by=requested_by,
        now=now,
        expires_in_s=PATIENCE_S,
    )


def stations_of(operator_id: int) -> list[Station]:
    """Those of this operator that were given a list, and take one."""
    lists = LocalList.objects.exclude(state__in=(State.NEVER, State.NOT_SUPPORTED))
    return list(Station.objects.filter(site__operator=operator_id, local_list__in=lists))


def check(*, station: Station, now: datetime) -> None:
    """After a boot: send what did not arrive, else ask for the version; a station without a list is left alone."""
    row = LocalList.objects.filter(station=station).first()
    if row is None or row.state in (State.NEVER, State.NOT_SUPPORTED):
        return
    if row.state == State.CURRENT:
        ask_version(station=station, now=now)
    else:
        sync(station=station, requested_by=row.requested_by, full=True, now=now)


def take_in(command: Command, *, now: datetime) -> None:
    """What came of a command about the list, answered or lost. Safe to run twice."""
    row = LocalList.objects.filter(station=command.station_id).select_related("station", "command").first()
    if row is None:
        return
    if command.action == "GetLocalListVersion":
        _take_in_version(row, command, now)
    elif row.command_id == command.pk and row.state == State.SENDING:
        _take_in_part(row, command, now)


# ---------------------------------------------------------------- what to send
def _plan(row: LocalList, wanted: dict[str, str], *, full: bool) -> dict[str, Any] | None:
    """None: nothing changed. A token that is gone takes its number with it, so that only a Full list drops it."""
    held: dict[str, str] = row.held
    gone = set(held) - set(wanted)
    known = set(
        map(str, Token.objects.filter(pk__in=gone).exclude(sealed_number="").values_list("pk", flat=True))
    )
    if full or gone - known:
        return {"full": True, "put": sorted(wanted, key=int), "drop": []}
    changed = sorted((key for key, mark in wanted.items() if held.get(key) != mark), key=int)
    if not changed and not gone:
        return None
    return {"full": False, "put": changed, "drop": sorted(gone, key=int)}


def _send_part(row: LocalList, now: datetime) -> None:
    """The next part of the plan; its tokens leave the plan when it is accepted."""
    station = row.station
    put, drop = _part(row)
    tokens = {
        str(token.pk): token for token in Token.objects.filter(pk__in=[*put, *drop]).select_related("group")
    }
    entries = [entry for key in put if (entry := _entry(station, tokens.get(key)))]
    entries += [entry for key in drop if (entry := _entry(station, tokens.get(key), drops=True))]
    is_first_of_full = row.plan["full"] and row.parts_done == 0
    version = row.version + 1
    payload: dict[str, Any] = {
        "listVersion" if station.ocpp_version == "1.6" else "versionNumber": version,
        "updateType": "Full" if is_first_of_full else "Differential",
    }
    if entries:
        payload["localAuthorizationList"] = entries
    command = commands.request(
        station=station,
        action="SendLocalList",
        payload=payload,
        origin=ORIGIN,
        requested_by=row.requested_by,
        now=now,
        expires_in_s=PATIENCE_S,
    )
    _change(row, now, command=command, version=version)


def _part(row: LocalList) -> tuple[list[str], list[str]]:
    size = _limit(row.station, PART_LIMITS) or PART
    put = row.plan["put"][:size]
    return put, row.plan["drop"][: size - len(put)]


def _entry(station: Station, token: Token | None, *, drops: bool = False) -> dict[str, Any] | None:
    """AuthorizationData; without its info it takes the token off the list (1.6, 7.1; 2.0.1, D02)."""
    try:
        number = token.number() if token else ""
    except Unsealable:
        return None
    is_too_long = station.ocpp_version == "1.6" and len(number) > MOST_ID_TAG
    if token is None or not number or is_too_long:
        return None
    entry: dict[str, Any]
    group_id = token.group.group_id if token.group else ""
    info: dict[str, Any] = {"status": "Accepted"}
    if station.ocpp_version == "1.6":
        entry = {"idTag": number}
        info |= {"expiryDate": wire_time(token.expires_at)} if token.expires_at else {}
        info |= {"parentIdTag": group_id} if group_id else {}
        return entry if drops else {**entry, "idTagInfo": info}
    entry = {"idToken": {"idToken": number, "type": token.kind}}
    info |= {"cacheExpiryDateTime": wire_time(token.expires_at)} if token.expires_at else {}
    evses = token.evses_at(station.identity)
    info |= {"evseId": list(evses)} if evses else {}
    info |= {"groupIdToken": {"idToken": group_id, "type": "Central"}} if group_id else {}
    return entry if drops else {**entry, "idTokenInfo": info}


def _fingerprints(station: Station, tokens: Iterable[Token]) -> dict[str, str]:
    return {str(token.pk): _fingerprint(token, station) for token in tokens}


def _fingerprint(token: Token, station: Station) -> str:
    """Other when the entry would be another; nothing of the number can be read in it."""
    expires = wire_time(token.expires_at) if token.expires_at else ""
    group_id = token.group.group_id if token.group else ""
    places = "".join(f"|{number}" for number in token.evses_at(station.identity))
    return sha256(f"{token.digest}|{expires}|{group_id}|{token.kind}{places}".encode()).hexdigest()[:16]


def _limit(station: Station, names: Iterable[str]) -> int:
    """What the station says that it takes; 0: not said."""
    rows = ConfigurationValue.objects.filter(
        station=station, component__in=("", "LocalAuthListCtrlr"), name__in=names
    )
    for value, most, name in rows.values_list("value", "max_limit", "name"):
        if name == "Entries" and most:
            return int(most)
        if name != "Entries" and value.isdecimal() and int(value) > 0:
            return int(value)
    return 0


# ---------------------------------------------------------------- what came of it
def _take_in_part(row: LocalList, command: Command, now: datetime) -> None:
    if command.state == Command.State.ACCEPTED:
        _accepted(row, now)
        return
    said = str((command.response or {}).get("status", ""))
    if said == "VersionMismatch" and not row.plan["full"]:
        # What stands there is not what we think: all of it, anew (1.6, 5.15; 2.0.1, D02).
        _change(row, now, state=State.OTHER)
        sync(station=row.station, requested_by=row.requested_by, full=True, now=now)
        return
    code = said or command.error.partition(":")[0]
    unsupported = code in ("NotSupported", "NotImplemented")
    state = State.NOT_SUPPORTED if unsupported else State.FAILED
    _change(row, now, state=state, problem=(code or str(command.state))[:200])


def _accepted(row: LocalList, now: datetime) -> None:
    put, drop = _part(row)
    held = {} if row.plan["full"] and row.parts_done == 0 else dict(row.held)
    tokens = Token.objects.filter(pk__in=put).select_related("group")
    held |= _fingerprints(row.station, tokens)
    held = {key: mark for key, mark in held.items() if key not in drop}
    plan = {
        "full": row.plan["full"],
        "put": row.plan["put"][len(put) :],
        "drop": row.plan["drop"][len(drop) :],
    }
    done = not plan["put"] and not plan["drop"]
    said = {"held": held, "plan": plan, "count": len(held), "version_known": row.version}
    _change(row, now, parts_done=row.parts_done + 1, **said)
    if done:
        _change(row, now, state=State.CURRENT, synced_at=now, command=None)
    else:
        _send_part(row, now)


def _take_in_version(row: LocalList, command: Command, now: datetime) -> None:
    """0 is an empty list; -1 (1.6, 6.24) that the station keeps none."""
    if command.state != Command.State.ACCEPTED or not command.response:
        return
    said = command.response.get("listVersion", command.response.get("versionNumber"))
    if not isinstance(said, int):
        return
    if said < 0:
        _change(row, now, version_known=said, state=State.NOT_SUPPORTED, problem="NotSupported")
        return
    is_other = said != row.version and row.state != State.SENDING
    _change(row, now, version_known=said, **({"state": State.OTHER} if is_other and row.version else {}))
    if is_other and row.version:
        sync(station=row.station, requested_by=row.requested_by, full=True, now=now)


def _is_open(command: Command | None) -> bool:
    return command is not None and command.state in Command.OPEN


def _change(row: LocalList, now: datetime, **said: Any) -> None:
    LocalList.objects.filter(pk=row.pk).update(changed_at=now, **said)
    row.changed_at = now
    for name, value in said.items():
        setattr(row, name, value)
