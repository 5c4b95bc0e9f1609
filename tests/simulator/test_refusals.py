"""What the portal does not send because of a rule, a station that knows the rule refuses; what it sends, one takes.

The simulator has code of its own for both, so neither can agree with the other's mistakes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.simulator.limits import Limit
from portal.simulator.profiles import Running
from portal.simulator.schedules import Schedules
from portal.simulator.spec import StationSpec
from portal.simulator.storing import UNABLE, Capabilities, ProfileRefusedError
from portal.simulator.v2 import Speech2
from portal.simulator.v16 import Speech16
from smartcharging.domain.asking import set_charging_profile
from smartcharging.domain.checking import problems
from smartcharging.domain.profiles import Installed, OperationMode, Version
from smartcharging.domain.rules import Abilities, Place, Rule
from stations.ocpp.validation import SchemaViolation, check_request
from tests.domain.charging import NOW
from tests.domain.profile_strategies import profiles
from tests.domain.storing_rows import ROWS, Row

# A station has no part in these: ours alone, of the CSMS, lost in JSON, or of what this simulator cannot be.
NOT_THE_STATIONS = {
    Rule.TRANSACTION_WITHOUT_TX,  # a note on the field; stations overlook it
    Rule.STARTING_PURPOSE,
    Rule.STARTING_TRANSACTION,
    Rule.NOT_A_NUMBER,
    Rule.NOT_IN_VERSION,
    Rule.DECIMALS,
    Rule.DURATION,
    Rule.LONGER_THAN_RECURRENCE,
    Rule.VALIDITY,
    Rule.NO_END,
    Rule.HAS_ENDED,
    Rule.TOO_HIGH,
    Rule.PHASES,
    Rule.PHASES_SUPPORTED,
    Rule.PHASES_DC,
    Rule.NO_SMART_CHARGING,
    Rule.RESERVED_ID,
    Rule.EXTERNAL_ID,
    Rule.KIND_UNSUPPORTED,
    Rule.LOCAL_TIME_UNSUPPORTED,
    Rule.STATE_OF_CHARGE,
}


def simulated(version: Version, abilities: Abilities) -> Schedules:
    known = Capabilities()
    able = replace(
        known,
        max_stack_level=abilities.max_stack_level or known.max_stack_level,
        max_periods=abilities.max_periods or 1024,
        max_installed=abilities.max_profiles or known.max_installed,
        units=abilities.units or known.units,
    )
    spec = StationSpec("ST-1", "ws://nowhere", ocpp=version)
    speech = Speech16(spec, able) if version == "1.6" else Speech2(spec, able)
    hardware = {0: Limit(50.0, 3), 1: Limit(25.0, 3), 2: Limit(25.0, 3)}
    return Schedules(
        hardware=hardware, capabilities=able, read=speech.read_profile, rules_of_16=version == "1.6"
    )


def sent(item: Installed, version: Version) -> dict[str, Any] | None:
    """The profile as it goes out; None where the schema already refuses it."""
    try:
        payload = set_charging_profile(item.profile, evse=item.evse, ocpp=version)
        check_request(version, "SetChargingProfile", payload)
    except (SchemaViolation, ValueError, OverflowError):
        return None
    wire: dict[str, Any] = payload["csChargingProfiles" if version == "1.6" else "chargingProfile"]
    return wire


def install(station: Schedules, item: Installed, wire: dict[str, Any]) -> None:
    running = Running("7", NOW) if item.evse == 1 else None
    station.install(station.read(item.evse, wire), running)


def _station_rows() -> list[Any]:
    for_stations = [row for row in ROWS if row.rule not in NOT_THE_STATIONS]
    return [
        pytest.param(row, version, id=f"{row}-{version}-{at}")
        for at, row in enumerate(for_stations)
        for version in row.versions
        # Two that are never valid together: stations differ on whether K01.FR.52 holds then.
        if sent(row.new, version) is not None
        and not (row.rule is Rule.SAME_LEVEL and row.new.profile.valid_from)
    ]


@pytest.mark.parametrize(("row", "version"), _station_rows())
def test_what_a_rule_forbids_a_station_refuses(row: Row, version: Version) -> None:
    station = simulated(version, row.place.abilities)
    for item in row.place.installed:
        wire = sent(item, version)
        assert wire is not None
        if "phaseToUse" not in str(wire):  # a station that takes none
            install(station, item, wire)
    if row.place.leaving:
        station.capabilities = replace(station.capabilities, max_installed=len(station.profiles))
    wire = sent(row.new, version)
    assert wire is not None

    with pytest.raises(ProfileRefusedError):
        install(station, row.new, wire)


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
@settings(deadline=None)  # the first one compiles a schema
@given(data=st.data())
def test_what_the_rules_let_through_a_station_takes(version: Version, data: st.DataObject) -> None:
    """But for what this one says that it cannot do."""
    profile, evse = data.draw(profiles(version)), data.draw(st.integers(0, 1))
    abilities = Abilities(
        purposes=("PriorityCharging",),
        modes=(str(OperationMode.CENTRAL_SETPOINT), str(OperationMode.EXTERNAL_SETPOINT)),
        phase_switching=False,
        randomized_delay=False,
        limit_at_soc=False,
        max_stack_level=9,
    )
    place = Place(frozenset({1}), 25, version, transactions=((1, "7"),), abilities=abilities)
    item = Installed(profile, evse)
    if any(problems(profile, evse=evse, place=place, now=NOW)):
        return
    wire = sent(item, version)
    assert wire is not None
    if any(f"'{name}'" in str(wire) for name in UNABLE):
        return  # reactive power, say, or values for each phase, which no car here names (K01.FR.142)

    install(simulated(version, abilities), item, wire)
