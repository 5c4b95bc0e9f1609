"""What a station can do, from its configuration keys (1.6) or variables (2.x). Pure; what was not said is None."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# 1.6, 9.4.3 allows "Current" and "Power"; stations also say A, W, or other spellings of either.
RATE_UNITS = {
    "a": "A",
    "amp": "A",
    "amps": "A",
    "ampere": "A",
    "current": "A",
    "w": "W",
    "watt": "W",
    "watts": "W",
    "power": "W",
}

MAX_EVSES = 100


@dataclass(frozen=True, slots=True)
class StationCapabilities:
    smart_charging: bool | None = None
    max_stack_level: int | None = None
    max_periods: int | None = None
    max_profiles: int | None = None
    rate_units: tuple[str, ...] = ()
    phases: int | None = None
    evse_count: int | None = None
    measurands: tuple[str, ...] = ()
    feature_profiles: tuple[str, ...] = ()


def from_keys(keys: Mapping[str, str]) -> StationCapabilities:
    """From the keys of GetConfiguration (1.6, section 9); `keys` by lower-case name."""
    features = listed(keys.get("supportedfeatureprofiles"))
    return StationCapabilities(
        smart_charging=any(each.lower() == "smartcharging" for each in features) if features else None,
        max_stack_level=count(keys.get("chargeprofilemaxstacklevel")),
        max_periods=count(keys.get("chargingschedulemaxperiods")),
        max_profiles=count(keys.get("maxchargingprofilesinstalled")),
        rate_units=rate_units(keys.get("chargingscheduleallowedchargingrateunit")),
        evse_count=count(keys.get("numberofconnectors"), at_most=MAX_EVSES),
        measurands=listed(keys.get("metervaluessampleddata")),
        feature_profiles=features,
    )


def from_variables(variables: Mapping[tuple[str, str], str]) -> StationCapabilities:
    """From the device model (2.0.1 part 2, appendix 1); by component and variable in lower case."""

    def charging(name: str) -> str | None:
        return variables.get(("smartchargingctrlr", name))

    evses = {component for component, _ in variables if component.startswith("evse#")}
    enabled = charging("enabled") or charging("available")
    return StationCapabilities(
        smart_charging=enabled.strip().lower() == "true" if enabled else None,
        max_stack_level=count(charging("profilestacklevel")),
        max_periods=count(charging("periodsperschedule")),
        max_profiles=count(charging("entries[chargingprofiles].maxlimit")),
        rate_units=rate_units(charging("rateunit")),
        phases=count(variables.get(("chargingstation", "supplyphases")), at_most=3),
        evse_count=min(len(evses), MAX_EVSES) or None,
        measurands=listed(variables.get(("sampleddatactrlr", "txupdatedmeasurands"))),
    )


def rate_units(text: str | None) -> tuple[str, ...]:
    """`A`, `W` or both, of any spelling; empty where none is understood."""
    said = {RATE_UNITS.get(each.lower()) for each in listed(text)}
    return tuple(unit for unit in ("A", "W") if unit in said)


def listed(text: str | None) -> tuple[str, ...]:
    """The items of a comma-separated list; quotes, brackets and semicolons that some stations add fall away."""
    cleaned = (text or "").replace(";", ",").strip("[] ")
    return tuple(item for each in cleaned.split(",") if (item := each.strip(" \"'")))


def count(text: str | None, *, at_most: int = 2**31 - 1) -> int | None:
    """A whole number of 0 to `at_most`, else None: what no column holds is not believed. `8.0` counts as 8."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return int(number) if 0 <= number <= at_most and number == int(number) else None
