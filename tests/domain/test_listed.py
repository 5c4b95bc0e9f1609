"""A profile in a station's own list: what a station may add or round, and what makes it another."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from smartcharging.domain.asking import set_charging_profile
from smartcharging.domain.comparing import lowest
from smartcharging.domain.external import external_limit
from smartcharging.domain.judging import Question, StationFacts, expected_periods
from smartcharging.domain.listed import ListedProfile, find
from smartcharging.domain.profiles import (
    ChargingPeriod,
    ChargingProfile,
    ChargingSchedule,
    CompositePeriod,
    Kind,
    Purpose,
    Version,
)
from smartcharging.domain.progress import Listed

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
SCHEDULE = ChargingSchedule("A", (ChargingPeriod(0, 14.1, 3), ChargingPeriod(900, 10)), NOW, 3600)
WANTED = ChargingProfile(1000, 2, Purpose.STATION_MAX, Kind.ABSOLUTE, SCHEDULE, valid_to=NOW.replace(day=3))


def on_the_wire(**fields: Any) -> dict[str, Any]:
    wire: dict[str, Any] = set_charging_profile(WANTED, evse=0, ocpp="2.0.1")["chargingProfile"]
    schedule = fields.pop("schedule", {})
    return {**wire, **fields, "chargingSchedule": [{**wire["chargingSchedule"][0], **schedule}]}


def found(
    *wires: dict[str, Any], evse: int = 0, version: Version = "2.0.1"
) -> tuple[Listed, tuple[str, ...]]:
    listed = [ListedProfile(evse, "CSO", wire) for wire in wires]
    result = find(WANTED, evse=0, listed=listed, version=version)
    return result.listed, result.fields


PERIODS: list[dict[str, Any]] = [
    {"startPeriod": 0, "limit": 14.1, "numberPhases": 3},
    {"startPeriod": 900, "limit": 10},
]


@pytest.mark.parametrize(
    ("wire", "listed", "fields"),
    [
        (on_the_wire(), Listed.PRESENT, ()),
        (on_the_wire(validFrom="2026-06-01T00:00:00Z"), Listed.PRESENT, ()),  # we said none
        (on_the_wire(validTo="2026-07-03T14:00:00.400+02:00"), Listed.PRESENT, ()),
        (on_the_wire(stackLevel=3), Listed.DIFFERENT, ("stackLevel",)),
        (on_the_wire(validTo="2026-07-04T12:00:00Z"), Listed.DIFFERENT, ("validTo",)),
        (on_the_wire(schedule={"duration": 1800}), Listed.DIFFERENT, ("duration",)),
        (on_the_wire(schedule={"chargingRateUnit": "W"}), Listed.DIFFERENT, ("chargingRateUnit",)),
        (
            on_the_wire(chargingProfilePurpose="TxDefaultProfile"),
            Listed.DIFFERENT,
            ("chargingProfilePurpose",),
        ),
        (
            on_the_wire(schedule={"chargingSchedulePeriod": PERIODS[:1]}),
            Listed.DIFFERENT,
            ("chargingSchedulePeriod",),
        ),
        # Fewer phases than asked, the phases it assumed, a limit rounded down: all legal (K01.FR.19, .49; D14).
        (
            on_the_wire(
                schedule={
                    "chargingSchedulePeriod": [
                        {"startPeriod": 0, "limit": 14.0, "numberPhases": 1},
                        {"startPeriod": 900, "limit": 10, "numberPhases": 3},
                    ]
                }
            ),
            Listed.PRESENT,
            (),
        ),
        (on_the_wire(id=7), Listed.MISSING, ()),
        (on_the_wire(chargingProfileKind="Odd"), Listed.SILENT, ()),
    ],
)
def test_what_the_list_says(wire: dict[str, Any], listed: Listed, fields: tuple[str, ...]) -> None:
    assert found(wire) == (listed, fields)


def test_another_place_is_another_profile() -> None:
    assert found(on_the_wire(), evse=1) == (Listed.DIFFERENT, ("evseId",))


def test_an_empty_list_has_none() -> None:
    assert found() == (Listed.MISSING, ())


def test_a_list_that_names_an_id_twice_has_it_if_one_is_ours() -> None:
    assert found(on_the_wire(stackLevel=4), on_the_wire())[0] is Listed.PRESENT


def test_2_1_lists_what_it_added() -> None:
    wire = on_the_wire(
        schedule={"chargingSchedulePeriod": [{**one, "operationMode": "ChargingOnly"} for one in PERIODS]}
    )
    assert found(wire, version="2.1") == (Listed.PRESENT, ())


def test_limits_of_several_sources_hold_at_once_whoever_came_last() -> None:
    def told(key: int, limit: float) -> Any:
        schedule = {
            "id": 1,
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
        }
        return external_limit([schedule], key=key, evse=0, since=NOW, version="2.0.1").installed

    facts = StationFacts("2.0.1", 25, sockets=((1, 16),))
    for order in ((9, 12), (12, 9)):
        installed = [item for key, limit in enumerate(order, 1) for item in told(key, limit)]
        periods = expected_periods(installed, Question(0, NOW, 3600, "A"), facts)
        assert [period.limit for period in periods] == [9]
        capped = expected_periods(installed, Question(0, NOW, 3600, "A"), facts, capped=True)
        assert [period.limit for period in capped] == [9]


def test_the_lowest_of_composites_at_each_moment() -> None:
    one = (CompositePeriod(0, 10, 3), CompositePeriod(100, None, None))
    other = (CompositePeriod(0, 12, 3), CompositePeriod(50, 8, 3), CompositePeriod(150, 8, 3))
    assert lowest([one, other], duration_s=200) == (CompositePeriod(0, 10, 3), CompositePeriod(50, 8, 3))


def test_a_limit_without_a_schedule_is_one_of_unknown_size() -> None:
    assert external_limit([], key=1, evse=0, since=NOW, version="2.1").is_whole is False
    assert external_limit(["odd"], key=1, evse=0, since=NOW, version="2.1").is_whole is False
