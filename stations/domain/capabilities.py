"""What a station can do, from its configuration keys (1.6) or variables (2.x). Pure; what was not said is None."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
SAMPLED_IN = (("sampleddatactrlr", "txupdatedmeasurands"), ("aligneddatactrlr", "measurands"))


@dataclass(frozen=True, slots=True)
class StationCapabilities:
    smart_charging: bool | None = None
    max_stack_level: int | None = None
    max_periods: int | None = None
    max_profiles: int | None = None
    rate_units: tuple[str, ...] = ()
    phases: int | None = None
    evse_count: int | None = None
    measurands: tuple[str, ...] = ()  # sampled in a transaction or by the clock, as the station is set now
    measurands_offered: tuple[str, ...] | None = None  # what it could be set to; 1.6 never says so
    feature_profiles: tuple[str, ...] = ()
    ac_phase_switching: bool | None = None
    # OCPP 2.1. None: not said.
    supported_purposes: tuple[str, ...] | None = None
    dynamic_profiles: bool | None = None
    local_time: bool | None = None
    operation_modes: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class ScheduleFeatures:
    """What only a schedule written by hand asks for, so that nothing keeps it. None: not said."""

    randomized_delay: bool | None = None
    limit_at_soc: bool | None = None
    evse_sleep: bool | None = None
    max_external_id: int | None = None
    dc_evses: frozenset[int] = frozenset()


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
        measurands=_each_once(keys.get("metervaluessampleddata"), keys.get("metervaluesaligneddata")),
        feature_profiles=features,
    )


def from_variables(variables: Mapping[tuple[str, str], str]) -> StationCapabilities:
    """From the device model (2.0.1 and 2.1 part 2, appendix 3); by component and variable in lower case.

    A feature that is named for each EVSE apart counts where one EVSE has it: a station that lacks it on another
    refuses there, and says so. 2.1 came with `SupportsFeature[UseLocalTime]` first, then with `SupportsUseLocalTime`.
    """

    def charging(name: str) -> str | None:
        return variables.get(("smartchargingctrlr", name))

    evses = {component for component, _ in variables if component.startswith("evse#")}
    enabled = charging("enabled") or charging("available")
    purposes = charging("supportedadditionalpurposes")
    modes = _of_each(variables, "v2xchargingctrlr", "supportedoperationmodes")
    return StationCapabilities(
        smart_charging=enabled.strip().lower() == "true" if enabled else None,
        max_stack_level=count(charging("profilestacklevel")),
        max_periods=count(charging("periodsperschedule")),
        max_profiles=count(charging("entries[chargingprofiles].maxlimit")),
        rate_units=rate_units(charging("rateunit")),
        phases=count(variables.get(("chargingstation", "supplyphases")), at_most=3),
        evse_count=min(len(evses), MAX_EVSES) or None,
        measurands=_sampled(variables),
        measurands_offered=_offered(variables),
        ac_phase_switching=_any_true(_of_each(variables, "smartchargingctrlr", "acphaseswitchingsupported")),
        supported_purposes=None if purposes is None else listed(purposes),
        dynamic_profiles=_feature(variables, "dynamicprofiles"),
        local_time=_feature(variables, "uselocaltime"),
        operation_modes=_each_once(*modes) if modes else None,
    )


def schedule_features(variables: Mapping[tuple[str, str], str]) -> ScheduleFeatures:
    """From the device model; by component and variable in lower case.

    An EVSE without AC phases is DC (SupplyPhases); one that lets its input be chosen counts as AC here (K01.FR.54).
    """
    phases = {of: text for (of, name), text in variables.items() if name == "supplyphases"}
    numbers = [of.removeprefix("evse#") for of, text in phases.items() if count(text) == 0]
    chosen = _any_true(_of_each(variables, "evse", "dcinputphasecontrol"))
    max_id = _of_each(variables, "smartchargingctrlr", "maxexternalconstraintsid")
    return ScheduleFeatures(
        randomized_delay=_feature(variables, "randomizeddelay"),
        limit_at_soc=_feature(variables, "limitatsoc"),
        evse_sleep=_feature(variables, "evsesleep"),
        max_external_id=int(max_id[0]) if max_id and max_id[0].lstrip("-").isdecimal() else None,
        dc_evses=frozenset() if chosen else frozenset(int(each) for each in numbers if each.isdecimal()),
    )


def _sampled(variables: Mapping[tuple[str, str], str]) -> tuple[str, ...]:
    """In a transaction, by the clock, and (2.1) in an operation mode of V2X beside those."""
    always = [variables.get(place) for place in SAMPLED_IN]
    in_modes = [
        text
        for (component, name), text in variables.items()
        if component.startswith("v2xchargingctrlr") and name.startswith("txupdatedmeasurands[")
    ]
    return _each_once(*always, *in_modes)


def _offered(variables: Mapping[tuple[str, str], str]) -> tuple[str, ...] | None:
    lists = [
        text for component, name in SAMPLED_IN if (text := variables.get((component, f"{name}.valueslist")))
    ]
    return _each_once(*lists) if lists else None


def _feature(variables: Mapping[tuple[str, str], str], name: str) -> bool | None:
    said = [
        *_of_each(variables, "smartchargingctrlr", f"supports{name}"),
        *_of_each(variables, "smartchargingctrlr", f"supportsfeature[{name}]"),
    ]
    return _any_true(said)


def _of_each(variables: Mapping[tuple[str, str], str], component: str, name: str) -> list[str]:
    """The values of a variable of the station and of each EVSE (`smartchargingctrlr#1`)."""
    return [
        text
        for (of, variable), text in variables.items()
        if variable == name and (of == component or of.startswith(f"{component}#"))
    ]


def _any_true(said: Iterable[str]) -> bool | None:
    words = {text.strip().lower() for text in said}
    return True if "true" in words else False if "false" in words else None


def _each_once(*lists: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item for text in lists for item in listed(text)))


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
