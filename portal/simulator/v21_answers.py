"""What a station answers in OCPP 2.1 beyond 2.0.1: Dynamic profiles (K28) and priority charging (K21)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from portal.simulator.link import OfflineError, Reply
from portal.simulator.profiles import PRIORITY, StoredProfile
from portal.simulator.station import Station
from portal.simulator.storing import ProfileRefusedError
from portal.simulator.v2_answers import Answers2, status
from portal.simulator.wire import CallError, Message, Payload, stamp


class Answers21(Answers2):
    """All of 2.0.1, and more. Asks for the updates of Dynamic profiles when they are due."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._handlers |= {
            "UpdateDynamicSchedule": self._update_dynamic_schedule,
            "UsePriorityCharging": self._use_priority_charging,
        }
        self._asking: set[int] = set()
        station.each_tick.append(self._pull_what_is_due)

    # Dynamic profiles

    def _update_dynamic_schedule(self, payload: Payload) -> Reply:
        try:
            self._update(payload["chargingProfileId"], payload["scheduleUpdate"])
        except ProfileRefusedError as refusal:
            return status("Rejected", reason=refusal.reason, info=refusal.why)
        return status("Accepted")

    def _update(self, profile_id: int, values: dict[str, Any]) -> None:
        """Other values in the one period of a Dynamic profile, which counts anew from now (K28.FR.06, .09, .14)."""
        known = next((p for p in self._dynamic() if p.profile_id == profile_id), None)
        if known is None:
            raise ProfileRefusedError("InvalidProfile", f"no Dynamic profile {profile_id} (K28.FR.11)")
        schedule = known.wire["chargingSchedule"][0]
        period = schedule["chargingSchedulePeriod"][0] | {
            k: v for k, v in values.items() if k != "customData"
        }
        wire = known.wire | {
            "dynUpdateTime": stamp(self._station.clock.now()),
            "chargingSchedule": [schedule | {"chargingSchedulePeriod": [period]}],
        }
        self._station.schedules.replace(self._station.dialect.read_profile(known.evse, wire))

    def _dynamic(self) -> list[StoredProfile]:
        return [profile for profile in self._station.schedules.profiles if profile.kind == "Dynamic"]

    def _pull_what_is_due(self) -> None:
        """PullDynamicScheduleUpdate every dynUpdateInterval (K28.FR.10)."""
        now = self._station.clock.now()
        for profile in self._dynamic():
            due = profile.update_every_s and profile.start is not None
            if due and profile.start is not None and self._station.link.registered:
                late = now >= profile.start + timedelta(seconds=profile.update_every_s)
                if late and profile.profile_id not in self._asking:
                    self._asking.add(profile.profile_id)
                    self._station.spawn(self._pull(profile))

    async def _pull(self, profile: StoredProfile) -> None:
        """Without an answer the next one is asked an interval later."""
        asked = {"chargingProfileId": profile.profile_id}
        try:
            answer = await self._station.link.call(Message("PullDynamicScheduleUpdate", lambda: asked))
            if answer.get("status") == "Accepted" and "scheduleUpdate" in answer:
                self._update(profile.profile_id, answer["scheduleUpdate"])
            else:
                await self._station.clock.sleep(profile.update_every_s)
        except (OfflineError, CallError, ProfileRefusedError) as error:
            self._station.note("no update of profile %s: %s", profile.profile_id, error)
            await self._station.clock.sleep(profile.update_every_s)
        finally:
            self._asking.discard(profile.profile_id)

    # Priority

    def _use_priority_charging(self, payload: Payload) -> Reply:
        """A PriorityCharging profile instead of Tx and TxDefault, until it is switched off or the session ends."""
        for socket in self._station.sockets.values():
            tx = socket.transaction
            if tx is not None and tx.key == payload["transactionId"]:
                if payload["activate"] and not self._has_priority(socket.evse):
                    return status("NoProfile")
                tx.priority = payload["activate"]
                return status("Accepted")
        return status("Rejected", reason="TxNotFound")

    def _has_priority(self, evse: int) -> bool:
        profiles = self._station.schedules.profiles
        return any(p.purpose == PRIORITY and p.evse in {0, evse} for p in profiles)
