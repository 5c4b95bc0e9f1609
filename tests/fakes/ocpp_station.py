"""A station made with the `ocpp` package and `websockets` alone, as a maker of stations would: nothing of ours in it.

The station itself lives on an event loop in a thread of its own; what a test calls waits for it. Its memory (profiles,
transaction, sequence numbers) outlives its connections.
"""

# mypy: disable-error-code="untyped-decorator"
# The decorators are those of the `ocpp` package, which brings no types.

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from ocpp.routing import after, on
from ocpp.v16 import ChargePoint as ChargePoint16
from ocpp.v16 import call as call_16
from ocpp.v16 import call_result as result_16
from ocpp.v21 import ChargePoint as ChargePoint21
from ocpp.v21 import call as call_21
from ocpp.v21 import call_result as result_21
from ocpp.v201 import ChargePoint as ChargePoint201
from ocpp.v201 import call as call_201
from ocpp.v201 import call_result as result_201
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

T = TypeVar("T")
PATIENCE_S = 60


def wire_time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True)
class Memory:
    """What the station keeps over a lost connection."""

    profiles: dict[int, dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    transaction: Any = None
    seq_no: int = 0

    def composite(self, duration_s: int) -> dict[str, Any]:
        """What the one absolute profile that it has allows from now on; 16 A where there is none."""
        now = datetime.now(UTC).replace(microsecond=0)
        periods: list[dict[str, Any]] = [{"start_period": 0, "limit": 16.0}]
        for profile in self.profiles.values():
            schedule = profile["charging_schedule"]
            schedule = schedule[0] if isinstance(schedule, list) else schedule
            start = datetime.fromisoformat(schedule["start_schedule"])
            periods = []
            for period in schedule["charging_schedule_period"]:
                at_s = int((start + timedelta(seconds=period["start_period"]) - now).total_seconds())
                if at_s <= 0:
                    periods = [{"start_period": 0, "limit": period["limit"]}]
                elif at_s < duration_s:
                    periods.append({"start_period": at_s, "limit": period["limit"]})
        return {
            "schedule_start": wire_time(now),
            "duration": duration_s,
            "charging_rate_unit": "A",
            "charging_schedule_period": periods,
        }


class Station16(ChargePoint16):  # type: ignore[misc, unused-ignore]
    """OCPP 1.6, one connector."""

    memory: Memory

    @on("GetConfiguration")
    def on_get_configuration(self, **_: Any) -> Any:
        self.memory.asked.append("GetConfiguration")
        known = {
            "NumberOfConnectors": "1",
            "ChargeProfileMaxStackLevel": "10",
            "ChargingScheduleMaxPeriods": "24",
            "ChargingScheduleAllowedChargingRateUnit": "Current",
            "MaxChargingProfilesInstalled": "10",
            "SupportedFeatureProfiles": "Core,SmartCharging",
            "MeterValueSampleInterval": "60",
        }
        keys = [{"key": key, "readonly": True, "value": value} for key, value in known.items()]
        return result_16.GetConfiguration(configuration_key=keys)

    @on("SetChargingProfile")
    def on_set_charging_profile(self, connector_id: int, cs_charging_profiles: dict[str, Any]) -> Any:
        self.memory.asked.append("SetChargingProfile")
        self.memory.profiles[cs_charging_profiles["charging_profile_id"]] = cs_charging_profiles
        return result_16.SetChargingProfile(status="Accepted")

    @on("GetCompositeSchedule")
    def on_get_composite_schedule(self, connector_id: int, duration: int, **_: Any) -> Any:
        self.memory.asked.append("GetCompositeSchedule")
        composite = self.memory.composite(duration)
        start = composite.pop("schedule_start")
        return result_16.GetCompositeSchedule(
            status="Accepted", connector_id=connector_id, schedule_start=start, charging_schedule=composite
        )

    async def boot(self, message_id: str) -> Any:
        return await self.call(
            call_16.BootNotification(
                charge_point_vendor="Maker", charge_point_model="One", firmware_version="1.0"
            ),
            unique_id=message_id,
            suppress=False,
        )

    async def start_charging(self, at: datetime, wh: int, id_token: str, message_id: str) -> Any:
        answer = await self.call(
            call_16.StartTransaction(
                connector_id=1, id_tag=id_token, meter_start=wh, timestamp=wire_time(at)
            ),
            unique_id=message_id,
            suppress=False,
        )
        self.memory.transaction = answer.transaction_id
        return answer

    def sample(self, at: datetime, wh: int) -> Any:
        sampled = [
            {"value": str(wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
            {"value": "9.9", "measurand": "Current.Import", "phase": "L1", "unit": "A"},
        ]
        return call_16.MeterValues(
            connector_id=1,
            transaction_id=self.memory.transaction,
            meter_value=[{"timestamp": wire_time(at), "sampled_value": sampled}],
        )

    async def stop_charging(self, at: datetime, wh: int, message_id: str) -> Any:
        return await self.call(
            call_16.StopTransaction(
                transaction_id=self.memory.transaction, meter_stop=wh, timestamp=wire_time(at), reason="Local"
            ),
            unique_id=message_id,
            suppress=False,
        )


class Station2:
    """OCPP 2.x, one EVSE: what 2.0.1 and 2.1 have alike."""

    memory: Memory
    calls: Any
    results: Any
    call: Any
    known: tuple[tuple[str, str, str], ...] = (
        ("SmartChargingCtrlr", "Enabled", "true"),
        ("SmartChargingCtrlr", "ProfileStackLevel", "10"),
        ("SmartChargingCtrlr", "PeriodsPerSchedule", "24"),
        ("SmartChargingCtrlr", "RateUnit", "A"),
        ("ChargingStation", "SupplyPhases", "3"),
    )

    @on("GetBaseReport")
    def on_get_base_report(self, request_id: int, report_base: str, **_: Any) -> Any:
        self.memory.asked.append("GetBaseReport")
        return self.results.GetBaseReport(status="Accepted")

    @after("GetBaseReport")
    async def after_get_base_report(self, request_id: int, report_base: str, **_: Any) -> None:
        report = [
            {
                "component": {"name": component},
                "variable": {"name": name},
                "variable_attribute": [{"value": value, "mutability": "ReadOnly"}],
            }
            for component, name, value in self.known
        ]
        await self.call(
            self.calls.NotifyReport(
                request_id=request_id, generated_at=wire_time(datetime.now(UTC)), seq_no=0, report_data=report
            ),
            suppress=False,
        )

    @on("SetChargingProfile")
    def on_set_charging_profile(self, evse_id: int, charging_profile: dict[str, Any]) -> Any:
        self.memory.asked.append("SetChargingProfile")
        self.memory.profiles[charging_profile["id"]] = charging_profile
        return self.results.SetChargingProfile(status="Accepted")

    @on("GetCompositeSchedule")
    def on_get_composite_schedule(self, duration: int, evse_id: int, **_: Any) -> Any:
        self.memory.asked.append("GetCompositeSchedule")
        composite = self.memory.composite(duration)
        return self.results.GetCompositeSchedule(
            status="Accepted",
            schedule={
                "evse_id": evse_id,
                "schedule_start": composite.pop("schedule_start"),
                **composite,
            },
        )

    @on("GetChargingProfiles")
    def on_get_charging_profiles(self, request_id: int, **_: Any) -> Any:
        self.memory.asked.append("GetChargingProfiles")
        status = "Accepted" if self.memory.profiles else "NoProfiles"
        return self.results.GetChargingProfiles(status=status)

    @after("GetChargingProfiles")
    async def after_get_charging_profiles(self, request_id: int, **_: Any) -> None:
        """One profile in each part, in the order of their ids."""
        profiles = [self.memory.profiles[key] for key in sorted(self.memory.profiles)]
        for number, profile in enumerate(profiles, start=1):
            part = self.calls.ReportChargingProfiles(
                request_id=request_id,
                charging_limit_source="CSO",
                evse_id=1,
                charging_profile=[profile],
                tbc=number < len(profiles),
            )
            await self.call(part, suppress=False)

    def limited_by_another(self, limit_a: float) -> Any:
        """An energy manager in the house sets a limit."""
        period = {"start_period": 0, "limit": limit_a}
        schedule = {"id": 1, "charging_rate_unit": "A", "charging_schedule_period": [period]}
        return self.calls.NotifyChargingLimit(
            evse_id=1,
            charging_limit={"charging_limit_source": "EMS", "is_grid_critical": False},
            charging_schedule=[schedule],
        )

    def freed_by_another(self) -> Any:
        return self.calls.ClearedChargingLimit(charging_limit_source="EMS", evse_id=1)

    async def boot(self, message_id: str) -> Any:
        station = {"vendor_name": "Maker", "model": "Two", "firmware_version": "1.0"}
        return await self.call(
            self.calls.BootNotification(charging_station=station, reason="PowerUp"),
            unique_id=message_id,
            suppress=False,
        )

    async def start_charging(self, at: datetime, wh: int, id_token: str, message_id: str) -> Any:
        self.memory.transaction = "7e0c2b1a-aaaa-bbbb-cccc-000000000001"
        self.memory.seq_no = 0
        event = self._event("Started", "Authorized", at, wh, "Transaction.Begin")
        event.id_token = {"id_token": id_token, "type": "ISO14443"}
        event.evse = {"id": 1, "connector_id": 1}
        return await self.call(event, unique_id=message_id, suppress=False)

    def sample(self, at: datetime, wh: int) -> Any:
        self.memory.seq_no += 1
        return self._event("Updated", "MeterValuePeriodic", at, wh, "Sample.Periodic")

    async def stop_charging(self, at: datetime, wh: int, message_id: str) -> Any:
        last = self.memory.seq_no
        self.memory.seq_no += 1
        event = self._event("Ended", "StopAuthorized", at, wh, "Transaction.End")
        self.memory.seq_no = last
        return await self.call(event, unique_id=message_id, suppress=False)

    def _event(self, kind: str, reason: str, at: datetime, wh: int, context: str) -> Any:
        sampled = [
            {"value": float(wh), "measurand": "Energy.Active.Import.Register", "context": context},
            {"value": 9.9, "measurand": "Current.Import", "phase": "L1", "context": context},
        ]
        return self.calls.TransactionEvent(
            event_type=kind,
            timestamp=wire_time(at),
            trigger_reason=reason,
            seq_no=self.memory.seq_no,
            transaction_info={"transaction_id": self.memory.transaction, "charging_state": "Charging"},
            meter_value=[{"timestamp": wire_time(at), "sampled_value": sampled}],
        )


class Station201(Station2, ChargePoint201):  # type: ignore[misc, unused-ignore]
    """OCPP 2.0.1."""

    calls, results = call_201, result_201


class Station21(Station2, ChargePoint21):  # type: ignore[misc, unused-ignore]
    """OCPP 2.1, with what it says beyond 2.0.1."""

    calls, results = call_21, result_21
    known = (
        *Station2.known,
        ("SmartChargingCtrlr", "SupportsDynamicProfiles", "true"),
        ("SmartChargingCtrlr", "SupportsUseLocalTime", "false"),
        ("SmartChargingCtrlr", "SupportedAdditionalPurposes", "LocalGeneration"),
        ("V2XChargingCtrlr", "SupportedOperationModes", "ChargingOnly,CentralSetpoint"),
    )


MADE: dict[str, type[Station16 | Station201 | Station21]] = {
    "1.6": Station16,
    "2.0.1": Station201,
    "2.1": Station21,
}


class OcppStation:
    """The station as a test handles it. `connected` is the ChargePoint of the `ocpp` package, anew for each socket."""

    connected: Station16 | Station201 | Station21
    socket: ClientConnection
    unheard: Future[Any]

    def __init__(self, port: int, identity: str, *, version: str, password: str) -> None:
        self.port, self.identity, self.version, self.password = port, identity, version, password
        self.memory = Memory()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name=identity, daemon=True)
        self.thread.start()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE_S)

    def connect(self) -> None:
        self.do(self._connect())

    def send(self, call: Any, message_id: str) -> Any:
        """Send any CALL, and give its answer."""
        return self.do(self.connected.call(call, unique_id=message_id, suppress=False))

    def send_and_hear_nothing(self, call: Any, message_id: str) -> None:
        """Send a CALL over a line whose other direction is broken already: the answer never arrives."""
        self.do(self._deafen())
        self.unheard = asyncio.run_coroutine_threadsafe(
            self.connected.call(call, unique_id=message_id, suppress=False), self.loop
        )

    def cut(self) -> None:
        """The line breaks: no close frame, no end of stream in order."""
        self.unheard.cancel()
        self.do(self._abort())

    def close(self) -> None:
        self.do(self._close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(PATIENCE_S)
        self.loop.close()

    async def _connect(self) -> None:
        secret = base64.b64encode(f"{self.identity}:{self.password}".encode()).decode()
        self.socket = await connect(
            f"ws://127.0.0.1:{self.port}/ocpp/{self.identity}",
            subprotocols=[Subprotocol(f"ocpp{self.version}")],
            additional_headers={"Authorization": f"Basic {secret}"},
            proxy=None,
        )
        self.connected = MADE[self.version](self.identity, self.socket)
        self.connected.memory = self.memory
        self.serving = asyncio.create_task(self.connected.start())
        # The end of the line ends the serving; that is not an error of the station.
        self.serving.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def _deafen(self) -> None:
        self.socket.transport.pause_reading()  # type: ignore[attr-defined, unused-ignore]

    async def _abort(self) -> None:
        self.serving.cancel()
        self.socket.transport.abort()

    async def _close(self) -> None:
        self.serving.cancel()
        await self.socket.close()
