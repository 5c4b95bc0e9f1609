"""An operator's desk: asks a station for things in the words of its OCPP version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.simulator.csms import Csms, Payload

PURPOSES = {
    "1.6": {"max": "ChargePointMaxProfile", "default": "TxDefaultProfile", "tx": "TxProfile"},
    "2.0.1": {"max": "ChargingStationMaxProfile", "default": "TxDefaultProfile", "tx": "TxProfile"},
    "2.1": {
        "max": "ChargingStationMaxProfile",
        "default": "TxDefaultProfile",
        "tx": "TxProfile",
        "priority": "PriorityCharging",
    },
}


@dataclass
class Desk:
    csms: Csms
    version: str

    @property
    def early(self) -> bool:
        return self.version == "1.6"

    def profile(
        self,
        profile_id: int,
        periods: list[tuple[int, float]],
        *,
        purpose: str = "default",
        level: int = 0,
        unit: str = "A",
        start: datetime | None = None,
        duration_s: int | None = None,
        **extra: Any,
    ) -> Payload:
        """A profile: Absolute from `start` on, Relative without."""
        rows = [{"startPeriod": at, "limit": limit} for at, limit in periods]
        schedule: Payload = {"chargingRateUnit": unit, "chargingSchedulePeriod": rows}
        if start is not None:
            schedule["startSchedule"] = start.isoformat()
        if duration_s is not None:
            schedule["duration"] = duration_s
        common = {
            "stackLevel": level,
            "chargingProfilePurpose": PURPOSES[self.version][purpose],
            "chargingProfileKind": "Absolute" if start else "Relative",
        }
        if self.early:
            return common | {"chargingProfileId": profile_id, "chargingSchedule": schedule} | extra
        return common | {"id": profile_id, "chargingSchedule": [schedule | {"id": 1}]} | extra

    async def installs(self, evse: int, profile: Payload) -> str:
        if self.early:
            payload = {"connectorId": evse, "csChargingProfiles": profile}
        else:
            payload = {"evseId": evse, "chargingProfile": profile}
        return str((await self.csms.ask("SetChargingProfile", payload))["status"])

    async def clears(self, profile_id: int) -> str:
        key = "id" if self.early else "chargingProfileId"
        return str((await self.csms.ask("ClearChargingProfile", {key: profile_id}))["status"])

    async def composite(self, evse: int, duration_s: int = 3600, unit: str = "A") -> list[tuple[int, float]]:
        """[(seconds from now, limit), ...] as the station answers."""
        key = "connectorId" if self.early else "evseId"
        asked = {key: evse, "duration": duration_s, "chargingRateUnit": unit}
        answer = await self.csms.ask("GetCompositeSchedule", asked)
        assert answer["status"] == "Accepted", answer
        schedule = answer["chargingSchedule" if self.early else "schedule"]
        assert schedule["chargingRateUnit"] == unit
        assert "startSchedule" not in schedule
        return [(row["startPeriod"], row["limit"]) for row in schedule["chargingSchedulePeriod"]]

    async def limit(self, evse: int, unit: str = "A") -> float:
        """What the station says counts now."""
        return (await self.composite(evse, 1, unit))[0][1]

    async def starts(self, evse: int, token: str = "REMOTE", profile: Payload | None = None) -> str:
        if self.early:
            payload: Payload = {"connectorId": evse, "idTag": token}
            action = "RemoteStartTransaction"
        else:
            payload = {"evseId": evse, "idToken": {"idToken": token, "type": "Central"}, "remoteStartId": 7}
            action = "RequestStartTransaction"
        payload |= {"chargingProfile": profile} if profile else {}
        return str((await self.csms.ask(action, payload))["status"])

    async def stops(self, transaction: int | str) -> str:
        action = "RemoteStopTransaction" if self.early else "RequestStopTransaction"
        return str((await self.csms.ask(action, {"transactionId": transaction}))["status"])

    async def resets(self) -> str:
        kind = "Hard" if self.early else "Immediate"
        return str((await self.csms.ask("Reset", {"type": kind}))["status"])

    async def triggers(self, message: str) -> str:
        return str((await self.csms.ask("TriggerMessage", {"requestedMessage": message}))["status"])

    async def begun(self, evse: int) -> int | str:
        """The id of the (latest) transaction that the station told to have started at that socket."""
        if self.early:
            await self.csms.sees("StartTransaction", connectorId=evse)
            order = [call for call in self.csms.calls if call.action == "StartTransaction"]
            latest = max(i for i, call in enumerate(order) if call.payload["connectorId"] == evse)
            return 101 + latest

        def starts() -> list[Payload]:
            events = self.csms.seen("TransactionEvent", eventType="Started")
            return [call.payload for call in events if call.payload["evse"]["id"] == evse]

        await self.csms.until(starts, "a start")
        return str(starts()[-1]["transactionInfo"]["transactionId"])

    def endings(self) -> list[tuple[float, str]]:
        """(import register in Wh, reason) of every ended transaction."""
        if self.early:
            calls = [call.payload for call in self.csms.seen("StopTransaction")]
            return [(float(call["meterStop"]), call["reason"]) for call in calls]
        calls = [call.payload for call in self.csms.seen("TransactionEvent", eventType="Ended")]
        return [
            (
                _value(call["meterValue"][0], "Energy.Active.Import.Register"),
                call["transactionInfo"]["stoppedReason"],
            )
            for call in calls
        ]

    def readings(self, measurand: str, phase: str | None = None, evse: int | None = None) -> list[float]:
        """Every periodic value of a measurand, in the order told."""
        found = []
        for call in self.csms.calls:
            if call.action == "MeterValues" or call.payload.get("triggerReason") == "MeterValuePeriodic":
                told = call.payload.get("connectorId") or call.payload.get("evse", {}).get("id")
                if evse in {None, told}:
                    found += [_value(row, measurand, phase) for row in call.payload["meterValue"]]
        return found


def _value(meter_value: Payload, measurand: str, phase: str | None = None) -> float:
    return next(
        float(row["value"])
        for row in meter_value["sampledValue"]
        if row["measurand"] == measurand and row.get("phase") == phase
    )
