"""Laws of what goes out: it reads back as it was, and what the rules accept, the schema and the engine accept."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartcharging.domain.asking import set_charging_profile
from smartcharging.domain.checking import problems
from smartcharging.domain.profiles import NOTHING, Installed, LocalLimit, Transaction, Version, policy_for
from smartcharging.domain.rules import Place
from smartcharging.domain.schedule import composite_schedule
from smartcharging.domain.wire import parse_profile
from stations.ocpp.validation import check_request
from tests.domain.charging import NOW
from tests.domain.profile_strategies import profiles

VERSIONS: list[Version] = ["1.6", "2.0.1", "2.1"]
versions = pytest.mark.parametrize("version", VERSIONS)


def written(payload: dict[str, Any], version: Version) -> Any:
    return payload["csChargingProfiles" if version == "1.6" else "chargingProfile"]


@versions
@settings(deadline=None)  # the first one compiles a schema
@given(data=st.data())
def test_what_is_written_reads_back_as_it_was(version: Version, data: st.DataObject) -> None:
    profile = data.draw(profiles(version))

    payload = json.loads(json.dumps(set_charging_profile(profile, evse=1, ocpp=version)))

    assert parse_profile(written(payload, version), version) == profile


@versions
@settings(deadline=None)  # the first one compiles a schema
@given(data=st.data())
def test_what_the_rules_accept_goes_out_by_the_schema_and_can_be_computed(
    version: Version, data: st.DataObject
) -> None:
    profile, evse = data.draw(profiles(version)), data.draw(st.integers(0, 1))
    place = Place(frozenset({1}), 25, version, transactions=((1, "7"),))
    if any(problems(profile, evse=evse, place=place, now=NOW)):
        return

    check_request(version, "SetChargingProfile", set_charging_profile(profile, evse=evse, ocpp=version))
    answer = composite_schedule(
        installed=[Installed(profile, evse, NOW)],
        now=NOW,
        duration_s=86_400,
        unit="A",
        evse=1,
        evse_count=1,
        transactions=[Transaction(7 if version == "1.6" else "7", 1, NOW)],
        defaults=LocalLimit(limit_a=25.0),
        policy=policy_for(version),
    )
    assert answer.periods[0].start_s == 0
    assert all(period.limit is not None and 0 <= period.limit < NOTHING for period in answer.periods)
