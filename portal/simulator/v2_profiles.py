"""A ChargingProfile of OCPP 2.0.1 or 2.1, from the wire."""

from __future__ import annotations

from datetime import datetime

from portal.simulator.profiles import (
    CHARGING_ONLY,
    EXTERNAL,
    MAX,
    PRIORITY,
    TX,
    TX_DEFAULT,
    Period,
    StoredProfile,
    at_the_wall,
)
from portal.simulator.storing import UNABLE
from portal.simulator.wire import V21, Payload, Version, instant

PURPOSES = {
    "ChargingStationMaxProfile": MAX,
    "TxDefaultProfile": TX_DEFAULT,
    "TxProfile": TX,
    "PriorityCharging": PRIORITY,
    "ChargingStationExternalConstraints": EXTERNAL,
}
RECURRENCES_S = {"Daily": 86_400, "Weekly": 7 * 86_400}


def read(evse: int, wire: Payload, *, version: Version) -> StoredProfile:
    """The profile as installed on `evse`. CallError where a time is none."""
    schedule = wire["chargingSchedule"][0]
    purpose, kind = str(wire["chargingProfilePurpose"]), wire["chargingProfileKind"]
    known = PURPOSES.get(purpose, purpose)
    local = _local(schedule, version)
    # A maximum is a cap and says nothing of who decides; elsewhere no mode means ChargingOnly.
    mode = None if version is not V21 or known in {MAX, EXTERNAL} else CHARGING_ONLY
    start = (
        _time(wire, "dynUpdateTime", version)
        if kind == "Dynamic"
        else _time(schedule, "startSchedule", version)
    )
    return StoredProfile(
        profile_id=wire["id"],
        evse=evse,
        purpose=known,
        level=wire["stackLevel"],
        kind=kind,
        unit=schedule["chargingRateUnit"],
        periods=tuple(_period(row, mode) for row in schedule["chargingSchedulePeriod"]),
        wire=wire,
        start=at_the_wall(local) if local else start,
        duration_s=schedule.get("duration"),
        recurrence_s=RECURRENCES_S.get(wire.get("recurrencyKind", "")) if kind == "Recurring" else None,
        valid_from=_time(wire, "validFrom", version),
        valid_to=_time(wire, "validTo", version),
        transaction=wire.get("transactionId"),
        schedules=len(wire["chargingSchedule"]),
        local_start=local,
        max_offline_s=wire.get("maxOfflineDuration"),
        gone_after_offline=wire.get("invalidAfterOfflineDuration", False),
        update_every_s=wire.get("dynUpdateInterval", 0),
        unable=frozenset(UNABLE) & _asked(schedule),
    )


def _period(row: Payload, mode: str | None) -> Period:
    return Period(
        row["startPeriod"],
        row.get("limit"),
        row.get("numberPhases"),
        row.get("operationMode", mode),
        row.get("dischargeLimit"),
        row.get("setpoint"),
    )


def _asked(schedule: Payload) -> set[str]:
    """The names of all that the schedule and its periods say; what is switched off is not asked."""
    rows = [schedule, *schedule["chargingSchedulePeriod"]]
    return {name for row in rows for name, value in row.items() if value is not False}


def _time(wire: Payload, name: str, version: Version) -> datetime | None:
    return instant(wire[name], version=version) if name in wire else None


def _local(schedule: Payload, version: Version) -> datetime | None:
    """startSchedule as a clock on the wall shows it: with useLocalTime its offset is disregarded (2.1)."""
    if not schedule.get("useLocalTime") or _time(schedule, "startSchedule", version) is None:
        return None
    return datetime.fromisoformat(schedule["startSchedule"]).replace(tzinfo=None, microsecond=0)
