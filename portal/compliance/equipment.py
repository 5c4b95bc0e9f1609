"""What a station is and says of itself, as evidence keeps it: a proof holds for that equipment only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portal.compliance.checks.registers_stated import key_of, registers_among
from stations.domain.capabilities import listed
from stations.models import Capabilities, ConfigurationValue, Station

# When it was read says nothing of the equipment.
MOMENT = "read_at"
UNKNOWN: tuple[Any, ...] = (None, "", [])
# What a proof depends on, beside the station itself: other measurands change nothing in how profiles stack. A
# requirement that is not named here depends on all of it.
ON_PROFILES = frozenset({"max_stack_level", "max_periods", "max_profiles", "rate_units"})
DEPENDS_ON = {"206": ON_PROFILES, "207": ON_PROFILES, "211": frozenset({"registers"})}
# Which measurands a 2.x station can sample: the values list of the variable that says which it does.
CHOICES = "TxUpdatedMeasurands.valuesList"


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
            "registers": registers_among(said.measurands),
            "registers_offered": registers_among(_choices(station)),
            "registers_key": key_of(station.ocpp_version),
            "read_at": said.read_at.isoformat(),
        }
        if said
        else {},
    }


def _choices(station: Station) -> tuple[str, ...]:
    row = ConfigurationValue.objects.filter(station=station, name__iexact=CHOICES).first()
    return listed(row.value) if row else ()


def differs(then: Mapping[str, Any], now: Mapping[str, Any], *, code: str = "") -> bool:
    """Whether hardware, or configuration that requirement `code` depends on, changed between two
    `configuration_of`; what one of them did not know is no change."""
    said = (then.get("capabilities") or {}, now.get("capabilities") or {})
    only = DEPENDS_ON.get(code)
    capabilities = [{key: value for key, value in one.items() if only is None or key in only} for one in said]
    return _known_otherwise(then.get("station") or {}, now.get("station") or {}) or _known_otherwise(
        *capabilities
    )


def _known_otherwise(then: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    both = {key for key in then if then[key] not in UNKNOWN and now.get(key) not in UNKNOWN} - {MOMENT}
    return any(then[key] != now[key] for key in both)
