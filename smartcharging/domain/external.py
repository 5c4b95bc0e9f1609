"""Limits that others set on a station (2.x NotifyChargingLimit, K11, K12), as the schedule engine sees them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from smartcharging.domain.fields import MalformedProfile
from smartcharging.domain.profiles import Installed, Purpose, Version
from smartcharging.domain.wire import parse_profile


@dataclass(frozen=True, slots=True)
class External:
    """`installed`: what can be computed with. `is_whole`: the station said all of it, in a way that can be read."""

    installed: tuple[Installed, ...] = ()
    is_whole: bool = True


def external_limit(
    schedules: Iterable[Any],
    *,
    key: int,
    evse: int,
    since: datetime,
    version: Version,
    purpose: Purpose = Purpose.EXTERNAL_CONSTRAINTS,
) -> External:
    """The schedules of one NotifyChargingLimit as constraints on `evse` (0: the station) from `since` on.

    `purpose` LOCAL_GENERATION: power made on the spot, which comes on top (2.1, K27).

    No schedule: the station is limited, by how much it did not say (chargingSchedule is optional). The ids are
    negative, as those of external constraints should be (K01.FR.22), and stand for `key`.
    """
    found: list[Installed] = []
    schedules = list(schedules)
    for schedule in schedules:
        try:
            profile = parse_profile(_as_profile(schedule, key, since, purpose), version)
        except MalformedProfile:
            return External(tuple(found), is_whole=False)
        found.append(Installed(profile, evse, since))
    return External(tuple(found), is_whole=bool(schedules))


def _as_profile(schedule: Any, key: int, since: datetime, purpose: Purpose) -> Mapping[str, Any]:
    start = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    own = schedule if isinstance(schedule, Mapping) else {}
    return {
        "id": -key,
        "stackLevel": 0,
        "chargingProfilePurpose": str(purpose),
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [{"startSchedule": start} | dict(own)],
    }
