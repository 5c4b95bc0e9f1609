"""What a station of 2.x tells of its profiles, and of limits that are not the CSMS's."""

from __future__ import annotations

import pytest

from tests.simulator.conftest import Connect
from tests.simulator.csms import Csms, Payload
from tests.simulator.desk import Desk
from tests.simulator.test_reboot import back, whole

ONLY_2 = pytest.mark.parametrize("version", ["2.0.1", "2.1"], indirect=True)


async def reports(csms: Csms, request_id: int, **asked: object) -> list[Payload]:
    """Every ReportChargingProfiles that answers a GetChargingProfiles."""
    criterion: Payload = {"requestId": request_id, "chargingProfile": asked.pop("chargingProfile", {})}
    assert (await csms.ask("GetChargingProfiles", criterion | asked))["status"] == "Accepted"
    await csms.sees("ReportChargingProfiles", requestId=request_id, tbc=False)
    return [call.payload for call in csms.seen("ReportChargingProfiles", requestId=request_id)]


@ONLY_2
async def test_many_profiles_come_in_parts(csms: Csms, connect: Connect, desk: Desk) -> None:
    station = await connect(speed=1)
    now = whole(station)
    for level in range(8):
        assert (
            await desk.installs(1, desk.profile(10 + level, [(0, 9.0)], level=level, start=now)) == "Accepted"
        )
    await desk.installs(0, desk.profile(1, [(0, 20.0)], purpose="max", start=now))
    told = await reports(csms, 7)
    assert [(report["evseId"], len(report["chargingProfile"]), report["tbc"]) for report in told] == [
        (0, 1, True),
        (1, 6, True),
        (1, 2, False),
    ]
    ids = [profile["id"] for report in told for profile in report["chargingProfile"]]
    assert ids == [1, *range(10, 18)]
    [one] = await reports(csms, 8, evseId=1, chargingProfile={"stackLevel": 3})
    assert [profile["id"] for profile in one["chargingProfile"]] == [13]


@ONLY_2
async def test_a_limit_from_outside_is_told_counts_and_is_not_ours_to_clear(
    csms: Csms, connect: Connect, desk: Desk
) -> None:
    station = await connect(speed=1)
    await desk.installs(1, desk.profile(1, [(0, 16.0)], start=whole(station)))
    station.limit_externally(10.0)
    told = (await csms.sees("NotifyChargingLimit")).payload
    assert told["chargingLimit"]["chargingLimitSource"] == "SO"
    assert told["chargingSchedule"][0]["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 10.0}]
    assert [await desk.limit(1), await desk.limit(0)] == [10.0, 10.0]
    own, outside = await reports(csms, 4)
    assert (own["chargingLimitSource"], outside["chargingLimitSource"]) == ("CSO", "SO")
    [profile] = outside["chargingProfile"]
    assert profile["chargingProfilePurpose"] == "ChargingStationExternalConstraints"
    assert await desk.clears(profile["id"]) == "Unknown"
    assert len(await reports(csms, 5, chargingProfile={"chargingLimitSource": ["SO"]})) == 1
    station.limit_externally(None)
    assert (await csms.sees("ClearedChargingLimit")).payload["chargingLimitSource"] == "SO"
    assert await desk.limit(1) == 16.0
    station.limit_externally(None)
    assert len(csms.seen("ClearedChargingLimit")) == 1


async def test_a_limit_from_outside_holds_in_every_version(
    csms: Csms, connect: Connect, desk: Desk, version: str
) -> None:
    station = await connect(external_limit_a=12.0)
    assert await desk.limit(1) == 12.0
    assert station.station.schedules.station_limit(station.clock.now()).amperes == 12.0
    if version == "1.6":
        assert not csms.seen("NotifyChargingLimit")
        return
    await csms.sees("NotifyChargingLimit")
    await station.reboot()
    await back(csms, station)
    await csms.sees("NotifyChargingLimit", times=2)  # told again: a CSMS forgets what was before a boot
    assert await desk.limit(1) == 12.0
