"""What a CSMS may want from a station, apart from the words it says it in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta

from portal.simulator.limits import Limit
from portal.simulator.profiles import CHARGING_ONLY, TX
from portal.simulator.sockets import Permission, Socket
from portal.simulator.station import Station
from portal.simulator.storing import ProfileRefusedError
from portal.simulator.wire import Payload, stamp


def remote_start(
    station: Station,
    *,
    evse: int | None,
    token: str,
    remote_start_id: int | None = None,
    profile: Payload | None = None,
) -> tuple[Socket | None, Callable[[], Awaitable[None]] | None]:
    """(socket, what to do after the answer); no socket where none is free or the profile does not fit."""
    socket = _socket(station, evse, token)
    if socket is None:
        return None, None
    now = station.clock.now()
    if profile is not None:
        try:
            _check_start_profile(station, socket, profile)
        except ProfileRefusedError:
            return None, None
    until = now + timedelta(seconds=station.dialect.connection_timeout_s)
    permission = Permission(token, until, remote_start_id, profile)
    socket.permission = permission

    async def begin() -> None:
        if socket.car is not None and socket.permission is permission:
            socket.permission = None
            station.start(socket, permission, remote=True)
        station.report_statuses()

    return socket, begin


def _check_start_profile(station: Station, socket: Socket, wire: Payload) -> None:
    """A TxProfile without transactionId (1.6, 5.16; 2.0.1, F01)."""
    profile = station.dialect.read_profile(socket.evse, wire)
    if profile.purpose != TX or profile.transaction is not None:
        raise ProfileRefusedError("InvalidProfile", "only a TxProfile without transactionId")
    station.schedules.check(profile)


def _socket(station: Station, evse: int | None, token: str) -> Socket | None:
    asked = [socket for socket in station.sockets.values() if evse in {None, socket.evse}]
    free = [socket for socket in asked if socket.free and socket.takes(token)]
    return next((socket for socket in free if socket.car is not None), free[0] if free else None)


def change_availability(station: Station, *, evse: int, operative: bool) -> str:
    """Accepted, or Scheduled where a transaction has to end first. `evse` 0 is the whole station."""
    scheduled = False
    for socket in station.sockets.values():
        if evse not in {0, socket.evse}:
            continue
        if socket.transaction is not None and not operative:
            socket.inoperative_after = scheduled = True
        else:
            socket.operative, socket.inoperative_after = operative, False
    return "Scheduled" if scheduled else "Accepted"


def install(station: Station, evse: int, wire: Payload) -> None:
    """Keep a charging profile, or ProfileRefusedError. A Dynamic one counts from now on (2.1, K28.FR.05)."""
    if wire["chargingProfileKind"] == "Dynamic":
        wire = wire | {"dynUpdateTime": stamp(station.clock.now())}
    profile = station.dialect.read_profile(evse, wire)
    socket = station.sockets.get(evse)
    tx = socket.transaction if socket else None
    station.schedules.install(profile, station.as_running(tx) if tx else None)


def composite(station: Station, evse: int, duration_s: int, unit: str) -> tuple[datetime, int, list[Payload]]:
    """(start, answered seconds, chargingSchedulePeriods in `unit`)."""
    now = station.clock.now().replace(microsecond=0)
    duration_s, changes = station.schedules.composite(evse, now, duration_s, station.running(), unit)
    return now, duration_s, readable(changes, unit)


def readable(changes: Iterable[tuple[int, Limit]], unit: str) -> list[Payload]:
    """chargingSchedulePeriods in `unit`; neighbours that read the same are one."""
    periods: list[Payload] = []
    for start_s, limit in changes:
        value = {"limit": limit.in_unit(unit), "numberPhases": limit.phases} | _operation(limit, unit)
        if not periods or periods[-1] != {"startPeriod": periods[-1]["startPeriod"]} | value:
            periods.append({"startPeriod": start_s} | value)
    return periods


def _operation(limit: Limit, unit: str) -> Payload:
    """What a period of 2.1 says beyond its limit; nothing where the car only charges. A station has no mode of its
    own, but may know how much its EVSEs give back together."""
    told: Payload = {} if limit.mode in {None, CHARGING_ONLY} else {"operationMode": limit.mode}
    if limit.setpoint_a is not None:
        told["setpoint"] = limit.told(limit.setpoint_a, unit)
    if limit.discharge_a is not None:
        told["dischargeLimit"] = limit.told(limit.discharge_a, unit)
    return told
