"""Stacks, periods, limits and reboots, as a CSMS sees them through the socket."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from portal.simulator.cars import Car
from portal.simulator.simulated import SimulatedStation
from tests.simulator.conftest import Connect
from tests.simulator.csms import Csms
from tests.simulator.desk import Desk

HOUR_S = 3600


def whole(station: SimulatedStation) -> datetime:
    return station.clock.now().replace(microsecond=0)


async def stack(desk: Desk, start: datetime, *, purpose: str, evse: int) -> None:
    """Six levels of which the higher ends earlier, so that each is visible: 6 A for 1 h, 7 A until 2 h, ..."""
    for level in range(6):
        hours = 6 - level
        profile = desk.profile(
            100 + level,
            [(0, 6.0 + hours - 1)],
            purpose=purpose,
            level=level,
            start=start,
            duration_s=hours * HOUR_S,
        )
        assert await desk.installs(evse, profile) == "Accepted"


@pytest.mark.parametrize(("purpose", "evse"), [("max", 0), ("default", 0), ("default", 2)])
async def test_every_level_shows_and_the_next_takes_over(
    connect: Connect, desk: Desk, purpose: str, evse: int
) -> None:
    station = await connect(speed=1)
    await stack(desk, whole(station), purpose=purpose, evse=evse)
    limits = [limit for _, limit in await desk.composite(evse or 1, 7 * HOUR_S)]
    assert limits == [6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 25.0]
    for level in (5, 4, 3, 2, 1, 0):
        assert await desk.limit(evse or 1) == 6.0 + (5 - level)
        assert await desk.clears(100 + level) == "Accepted"
    assert await desk.limit(evse or 1) == 25.0
    assert await desk.clears(100) == "Unknown"


@pytest.mark.parametrize(("purpose", "evse"), [("max", 0), ("default", 1)])
async def test_no_stacking_accepts_all_and_keeps_the_last(
    connect: Connect, desk: Desk, purpose: str, evse: int
) -> None:
    station = await connect(speed=1, defect="no-stacking")
    await stack(desk, whole(station), purpose=purpose, evse=evse)
    limits = [limit for _, limit in await desk.composite(evse or 1, 7 * HOUR_S)]
    assert limits == [6.0, 25.0]
    assert await desk.clears(105) == "Accepted"
    assert await desk.limit(evse or 1) == 25.0


async def test_no_stacking_breaks_nothing_else(connect: Connect, desk: Desk) -> None:
    station = await connect(speed=1, defect="no-stacking")
    now = whole(station)
    periods = [(n * 60, 6.0 + n / 2) for n in range(20)]
    assert await desk.installs(1, desk.profile(1, periods, start=now)) == "Accepted"
    assert await desk.installs(2, desk.profile(2, [(0, 8.0)], start=now)) == "Accepted"
    assert await desk.installs(0, desk.profile(3, [(0, 20.0)], purpose="max", start=now)) == "Accepted"
    assert len(await desk.composite(1, HOUR_S)) == 20
    assert (await desk.limit(1), await desk.limit(2)) == (6.0, 8.0)


@pytest.mark.parametrize(("purpose", "evse"), [("max", 0), ("default", 1)])
async def test_twenty_periods_come_back(connect: Connect, desk: Desk, purpose: str, evse: int) -> None:
    station = await connect(speed=1)
    periods = [(n * 120, 6.0 + n / 2) for n in range(20)]
    profile = desk.profile(1, periods, purpose=purpose, start=whole(station))
    assert await desk.installs(evse, profile) == "Accepted"
    told = await desk.composite(evse or 1, 20 * 120)
    assert [limit for _, limit in told] == [limit for _, limit in periods]
    assert all(abs(a[0] - b[0]) <= 1 for a, b in zip(told, periods, strict=True))


async def test_the_lowest_of_transaction_and_station_counts(connect: Connect, desk: Desk) -> None:
    station = await connect()
    await station.plug_in(1, Car(), "A")
    transaction = await desk.begun(1)
    now = whole(station)
    assert (
        await desk.installs(0, desk.profile(1, [(0, 12.0)], purpose="default", level=9, start=now))
        == "Accepted"
    )
    tx = desk.profile(2, [(0, 20.0)], purpose="tx", transactionId=transaction)
    assert await desk.installs(1, tx) == "Accepted"
    assert await desk.limit(1) == 20.0  # a TxProfile overrules TxDefault whatever the level
    assert (
        await desk.installs(0, desk.profile(3, [(0, 11040.0)], purpose="max", unit="W", start=now))
        == "Accepted"
    )
    assert await desk.limit(1) == 16.0
    assert await desk.limit(1, unit="W") == 11040.0
    assert await desk.limit(0) == 16.0
    await station.unplug(1)
    assert await desk.limit(1) == 12.0  # the TxProfile went with its transaction


async def test_what_does_not_fit_is_rejected(connect: Connect, desk: Desk) -> None:
    station = await connect(speed=1)
    now = whole(station)
    periods = [(n, 6.0) for n in range(25)]
    bad = [
        (1, desk.profile(1, [(0, 6.0)], level=10, start=now)),
        (1, desk.profile(1, periods, start=now)),
        (1, desk.profile(1, [(60, 6.0)], start=now)),
        (1, desk.profile(1, [(0, 6.0), (0, 7.0)], start=now)),
        (1, desk.profile(1, [(0, -6.0)], start=now)),
        (3, desk.profile(1, [(0, 6.0)], start=now)),
        (1, desk.profile(1, [(0, 6.0)], purpose="max", start=now)),
        (0, desk.profile(1, [(0, 6.0)], purpose="max")),
        (1, desk.profile(1, [(0, 6.0)], purpose="tx")),
        (1, desk.profile(1, [(0, 6.0)], chargingProfileKind="Recurring")),
    ]
    for evse, profile in bad:
        assert await desk.installs(evse, profile) == "Rejected", profile
    assert await desk.limit(1) == 25.0


async def test_thirty_profiles_fit(connect: Connect, desk: Desk) -> None:
    station = await connect(speed=1)
    now = whole(station)
    spans: list[dict[str, Any]] = [{"validFrom": (now + timedelta(days=n)).isoformat()} for n in range(3)]
    spans = [
        span | {"validTo": (now + timedelta(days=n, hours=9)).isoformat()} for n, span in enumerate(spans)
    ]
    answers = []
    for n in range(31):
        evse, level = (1 if n < 10 else 2), n % 10
        extra = spans[n // 10] if n < 30 else spans[0]
        if desk.early:  # one level of one connector holds one profile: spread them over purposes and sockets
            purpose, evse = [("default", 1), ("default", 2), ("max", 0), ("default", 0)][n // 10]
        else:
            purpose = "default"
        profile = desk.profile(n + 1, [(0, 6.0)], purpose=purpose, level=level, start=now, **extra)
        answers.append(await desk.installs(evse, profile))
    assert answers == ["Accepted"] * 30 + ["Rejected"]


async def test_1e300_is_a_limit_and_infinity_is_none(connect: Connect, desk: Desk, csms: Csms) -> None:
    station = await connect(speed=1)
    assert await desk.installs(1, desk.profile(1, [(0, 1e300)], start=whole(station))) == "Accepted"
    assert await desk.limit(1) == 25.0
    assert await desk.installs(1, desk.profile(2, [(0, 14.1)], start=whole(station), level=1)) == "Accepted"
    assert await desk.limit(1) == 14.1


async def test_a_reset_reboots_and_keeps_the_profiles(csms: Csms, connect: Connect, desk: Desk) -> None:
    station = await connect()
    await station.plug_in(1, Car(), "A")
    transaction = await desk.begun(1)
    await desk.installs(1, desk.profile(1, [(0, 9.0)], start=whole(station)))
    await desk.installs(1, desk.profile(2, [(0, 7.0)], purpose="tx", level=1, transactionId=transaction))
    assert await desk.resets() == "Accepted"
    await csms.sees("BootNotification", times=2)
    assert csms.connections == 2
    assert len(desk.endings()) == 1
    await csms.until(lambda: station.link.registered, "the boot accepted")
    assert await desk.limit(1) == 9.0


@pytest.mark.parametrize("version", ["2.0.1", "2.1"], indirect=True)
async def test_a_reset_on_idle_waits_for_the_car(csms: Csms, connect: Connect) -> None:
    station = await connect()
    await station.plug_in(1, Car(), "A")
    assert (await csms.ask("Reset", {"type": "OnIdle"}))["status"] == "Scheduled"
    await csms.sees("TransactionEvent", triggerReason="ChargingStateChanged")
    assert len(csms.seen("BootNotification")) == 1
    await station.unplug(1)
    assert (await csms.sees("BootNotification", times=2)).payload["reason"] == "ScheduledReset"


async def test_profiles_on_disk_outlive_the_process(
    csms: Csms, connect: Connect, desk: Desk, tmp_path: Path
) -> None:
    station = await connect(speed=1, profile_store=tmp_path / "profiles.json")
    await desk.installs(2, desk.profile(1, [(0, 8.0), (600, 9.0)], start=whole(station)))
    await station.disconnect()
    before = len(csms.seen("StatusNotification"))
    await connect(speed=1, profile_store=tmp_path / "profiles.json", wait=False)
    await csms.sees("StatusNotification", times=before + 2)
    assert [limit for _, limit in await desk.composite(2, HOUR_S)] == [8.0, 9.0]


async def test_unknown_sockets_have_no_composite(csms: Csms, connect: Connect, version: str) -> None:
    await connect()
    key = "connectorId" if version == "1.6" else "evseId"
    assert (await csms.ask("GetCompositeSchedule", {key: 9, "duration": 60}))["status"] == "Rejected"


@pytest.mark.parametrize("version", ["1.6"], indirect=True)
async def test_in_16_the_same_level_replaces_and_clear_by_filter(
    csms: Csms, connect: Connect, desk: Desk
) -> None:
    station = await connect(speed=1)
    now = whole(station)
    await desk.installs(1, desk.profile(1, [(0, 9.0)], start=now))
    await desk.installs(1, desk.profile(2, [(0, 8.0)], start=now))
    assert await desk.clears(1) == "Unknown"
    assert await desk.limit(1) == 8.0
    wanted = {"connectorId": 1, "chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 0}
    assert (await csms.ask("ClearChargingProfile", wanted | {"stackLevel": 3}))["status"] == "Unknown"
    assert (await csms.ask("ClearChargingProfile", wanted))["status"] == "Accepted"
    assert await desk.limit(1) == 25.0


@pytest.mark.parametrize("version", ["2.0.1", "2.1"], indirect=True)
async def test_in_2x_the_same_level_is_refused_and_profiles_can_be_read(
    csms: Csms, connect: Connect, desk: Desk
) -> None:
    station = await connect(speed=1)
    now = whole(station)
    mine = desk.profile(1, [(0, 9.0)], start=now)
    await desk.installs(1, mine)
    payload = {"evseId": 1, "chargingProfile": desk.profile(2, [(0, 8.0)], start=now)}
    answer = await csms.ask("SetChargingProfile", payload)
    assert (answer["status"], answer["statusInfo"]["reasonCode"]) == ("Rejected", "DuplicateProfile")
    assert await desk.installs(0, desk.profile(3, [(0, 20.0)], purpose="max", start=now)) == "Accepted"
    asked = {"requestId": 4, "chargingProfile": {"chargingLimitSource": ["CSO"]}}
    assert (await csms.ask("GetChargingProfiles", asked))["status"] == "Accepted"
    await csms.sees("ReportChargingProfiles", times=2)
    reports = [call.payload for call in csms.seen("ReportChargingProfiles", requestId=4)]
    assert [(report["evseId"], report["tbc"]) for report in reports] == [(0, True), (1, False)]
    assert reports[1]["chargingProfile"] == [mine]
    nothing = {"requestId": 5, "chargingProfile": {"chargingProfileId": [99]}}
    assert (await csms.ask("GetChargingProfiles", nothing))["status"] == "NoProfiles"
