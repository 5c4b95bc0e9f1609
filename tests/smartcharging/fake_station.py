"""A station at the edge: it answers commands by the frames a gateway would hand over, and keeps its profiles with the
simulator's code, which shares nothing with the portal's engine."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from portal.simulator.schedules import (
    Capabilities,
    Limit,
    ProfileRefusedError,
    Running,
    Schedules,
)
from portal.simulator.spec import StationSpec
from portal.simulator.v2 import Speech2
from portal.simulator.v16 import Speech16
from smartcharging import dispatch
from smartcharging.models import DesiredProfile
from stations import commands, events, presence
from stations.models import Command, Event, Presence, Station
from tests.factories import NOW, make_capabilities, make_station

Payload = dict[str, Any]
Answer = Callable[[Payload], Payload | None]
QUARTER_S = 15 * 60


class CallErrorAnswer(Exception):
    """The station answers a CALLERROR with this text."""


class FakeStation:
    """One station, its line and its clock. `answers` overrides what it says to an action; None is silence."""

    def __init__(self, version: str = "1.6", *, capabilities: Payload | None = None, **fields: Any) -> None:
        self.now = NOW
        self.row: Station = make_station(version=version, **fields)
        if capabilities is not None:
            make_capabilities(self.row, **capabilities)
        self.connection = uuid.uuid4()
        self.seen: list[tuple[str, Payload]] = []
        self.answers: dict[str, Answer] = {}
        self.running: dict[int, Running] = {}
        spec = StationSpec(identity="x", url="ws://localhost", ocpp=version)
        able = Capabilities()
        speech = Speech16(spec, able) if version == "1.6" else Speech2(spec, able)
        hardware = {0: Limit(25, 3), 1: Limit(16, 3), 2: Limit(16, 3)}
        self.schedules = Schedules(
            hardware=hardware, capabilities=able, read=speech.read_profile, rules_of_16=version == "1.6"
        )
        self.read_profile = speech.read_profile

    @property
    def is_16(self) -> bool:
        return self.row.ocpp_version == "1.6"

    # Its line

    def connects(self) -> None:
        self.connection = uuid.uuid4()
        lease = presence.Lease(self.row, self.connection, uuid.uuid4(), self.row.ocpp_version)
        presence.take([lease], now=self.now)

    def disconnects(self) -> None:
        presence.end([presence.Ending(self.row.pk, self.connection, "gone")], now=self.now)

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        Presence.objects.filter(station=self.row, connection__isnull=False).update(renewed_at=self.now)

    def reboots(self, *, forgetting: bool = False, firmware_changed: bool = False) -> None:
        """It starts anew: connects, and says so (BootNotification)."""
        self.disconnects()
        if forgetting:
            self.schedules.profiles = []
        self.later(20)
        self.connects()
        self.row.booted_at = self.now
        self.row.save(update_fields=["booted_at"])
        self.tells(events.Kind.BOOTED, firmware_changed=firmware_changed)

    def tells(self, kind: str, **data: Any) -> Event:
        """What the handler of a message of its own makes of it."""
        return events.record(station_id=self.row.pk, kind=kind, at=self.now, now=self.now, data=data)

    # What it is asked

    def answers_one(self) -> bool:
        """Take the next command off the line and answer it; False: there is none."""
        claimed = commands.claim([self.row.pk], now=self.now)
        if not claimed:
            return False
        command = claimed[0]
        self.seen.append((command.action, command.payload))
        try:
            response = self._answer(command)
        except CallErrorAnswer as error:
            self._complete(command, error=str(error))
            return True
        if response is None:
            commands.lose([self.row.pk], now=self.now)
        else:
            self._complete(command, response=response)
        return True

    def _complete(self, command: Command, **answer: Any) -> None:
        done = commands.complete(
            station_id=self.row.pk, message_id=command.message_id, now=self.now, **answer
        )
        assert done is not None

    def _answer(self, command: Command) -> Payload | None:
        override = self.answers.get(command.action)
        if override is not None:
            return override(command.payload)
        own = {
            "SetChargingProfile": self.set_profile,
            "ClearChargingProfile": self.clear_profile,
            "GetCompositeSchedule": self.composite,
            "GetChargingProfiles": self.list_profiles,
        }
        return own[command.action](command.payload)

    def set_profile(self, payload: Payload) -> Payload:
        evse = payload["connectorId"] if self.is_16 else payload["evseId"]
        wire = payload["csChargingProfiles"] if self.is_16 else payload["chargingProfile"]
        try:
            self.schedules.install(self.read_profile(evse, wire), self.running.get(evse))
        except ProfileRefusedError as error:
            if self.is_16:
                return {"status": "Rejected"}
            return {"status": "Rejected", "statusInfo": {"reasonCode": error.reason}}
        return {"status": "Accepted"}

    def clear_profile(self, payload: Payload) -> Payload:
        number = payload["id"] if self.is_16 else payload["chargingProfileId"]
        cleared = self.schedules.clear(lambda profile: profile.profile_id == number)
        return {"status": "Accepted" if cleared else "Unknown"}

    def composite(self, payload: Payload) -> Payload:
        evse = payload["connectorId"] if self.is_16 else payload["evseId"]
        unit = payload["chargingRateUnit"]
        now = self.now.replace(microsecond=0)
        duration_s, changes = self.schedules.composite(evse, now, payload["duration"], self.running)
        periods = [{"startPeriod": at, "limit": limit.in_unit(unit)} for at, limit in changes]
        schedule = {"chargingRateUnit": unit, "chargingSchedulePeriod": periods, "duration": duration_s}
        start = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        if self.is_16:
            return {
                "status": "Accepted",
                "connectorId": evse,
                "scheduleStart": start,
                "chargingSchedule": schedule,
            }
        return {"status": "Accepted", "schedule": {**schedule, "evseId": evse, "scheduleStart": start}}

    def list_profiles(self, payload: Payload) -> Payload:
        """One part for each EVSE, the last without `tbc` (K09.FR.03)."""
        held = self.schedules.profiles
        evses = sorted({profile.evse for profile in held})
        for evse in evses:
            wires = [profile.wire for profile in held if profile.evse == evse]
            self.reports(payload["requestId"], evse, wires, is_last=evse == evses[-1])
        return {"status": "Accepted" if held else "NoProfiles"}

    def reports(
        self, request_id: int, evse: int, wires: list[Payload], *, is_last: bool = True, source: str = "CSO"
    ) -> None:
        self.tells(
            events.Kind.PROFILES_REPORTED,
            request_id=request_id,
            evse=evse,
            source=source,
            is_last=is_last,
            profiles=wires,
            left_out=0,
        )

    # Together with the portal

    def works(self, *, seconds: int = 0, rounds: int = 50) -> None:
        """Portal and station go on until both are quiet; then `seconds` pass in steps of 60, each with its beat.

        After a quarter of an hour the steps are as long as that: what is tried again with growing pauses has been
        tried as often as it will be, and no step later may do anything about it.
        """
        self._until_quiet(rounds)
        passed = 0
        while passed < seconds:
            step = 60 if passed < QUARTER_S else QUARTER_S
            self.later(step)
            self._until_quiet(rounds)
            passed += step

    def _until_quiet(self, rounds: int) -> None:
        for _ in range(rounds):
            moved = dispatch.reconcile(self.row.pk, self.now)
            if not self.is_online:
                return
            if not self.answers_one() and not moved:
                return
        raise AssertionError("portal and station keep each other busy")

    @property
    def is_online(self) -> bool:
        return presence.is_online(self.row.pk, self.now)

    def times(self, action: str) -> int:
        return sum(1 for seen, _ in self.seen if seen == action)

    def holds(self) -> list[int]:
        return sorted(profile.profile_id for profile in self.schedules.profiles)


def fresh(row: DesiredProfile) -> DesiredProfile:
    row.refresh_from_db()
    return row
