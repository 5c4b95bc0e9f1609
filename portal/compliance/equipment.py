"""What a station is and says of itself, as evidence keeps it: a proof holds for that equipment only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stations.models import Capabilities, Station

# When it was read says nothing of the equipment.
MOMENT = "read_at"
UNKNOWN: tuple[Any, ...] = (None, "", [])


def configuration_of(station: Station) -> dict[str, Any]:
    """What the station is and says of itself now, as evidence keeps it."""
    said = Capabilities.objects.filter(station=station).first()
    return {
        "station": {
            "vendor": station.vendor,
            "model": station.model,
            "ocpp_version": station.ocpp_version,
            "connection": f"{station.connection_phases} x {station.connection_a} A",
        },
        "capabilities": {
            "max_stack_level": said.max_stack_level,
            "max_periods": said.max_periods,
            "max_profiles": said.max_profiles,
            "rate_units": said.rate_units,
            "read_at": said.read_at.isoformat(),
        }
        if said
        else {},
    }


def differs(then: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether hardware or configuration changed between two `configuration_of`; what one did not know is no change."""
    return any(
        _known_otherwise(then.get(part) or {}, now.get(part) or {}) for part in ("station", "capabilities")
    )


def _known_otherwise(then: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    both = {key for key in then if then[key] not in UNKNOWN and now.get(key) not in UNKNOWN} - {MOMENT}
    return any(then[key] != now[key] for key in both)
