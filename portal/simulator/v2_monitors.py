"""Monitors of a 2.x station: thresholds, differences and intervals, and what they tell (2.0.1, N01 to N07)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.simulator.link import Reply
from portal.simulator.settings import BOOLEAN, INTEGER, Setting
from portal.simulator.station import Station
from portal.simulator.wire import Message, Payload, stamp

NUMBERS = (INTEGER, "decimal")
MOST_SEVERITY = 9
CRITERIA = {
    "ThresholdMonitoring": ("UpperThreshold", "LowerThreshold"),
    "DeltaMonitoring": ("Delta", "TargetDelta", "TargetDeltaRelative"),
    "PeriodicMonitoring": ("Periodic", "PeriodicClockAligned"),
}
PER_REPORT = 20


@dataclass(slots=True)
class Monitor:
    number: int
    setting: Setting
    wanted: Payload
    hard_wired: bool = False
    is_over: bool = False  # a threshold: on which side the value is
    told: str | None = None  # a difference: from what
    told_at: datetime | None = None

    @property
    def kind(self) -> str:
        return str(self.wanted["type"])


class Monitors:
    def __init__(self, station: Station, find: Callable[[Payload], Setting | None]) -> None:
        self._station = station
        self._find = find
        self._monitors: dict[int, Monitor] = {}
        self._next = 1
        self._events = 0
        self._severity = MOST_SEVERITY
        self._base = "All"
        self.handlers: dict[str, Callable[[Payload], Reply]] = {
            "SetVariableMonitoring": self._set_all,
            "ClearVariableMonitoring": self._clear,
            "SetMonitoringBase": self._set_base,
            "SetMonitoringLevel": self._set_level,
            "GetMonitoringReport": self._report,
        }
        self._wire_hard()
        station.each_tick.append(self._look)

    def _wire_hard(self) -> None:
        """A station of its own watches its temperature; nobody takes that away."""
        setting = self._station.dialect.settings.find("Temperature", "ChargingStation")
        if setting is not None:
            wanted = {"type": "UpperThreshold", "value": 75.0, "severity": 2, "transaction": False}
            self._keep(setting, wanted | _place(setting), hard_wired=True)

    # Asked

    def _set_all(self, payload: Payload) -> Reply:
        return Reply({"setMonitoringResult": [self._set(row) for row in payload["setMonitoringData"]]})

    def _set(self, row: Payload) -> Payload:
        result = {key: row[key] for key in ("type", "severity", "component", "variable")}
        setting = self._find(row)
        if setting is None:
            return result | {"status": self._unknown(row)}
        if not 0 <= row["severity"] <= MOST_SEVERITY:
            return result | {"status": "Rejected"}
        counts = setting.kind in NUMBERS or (setting.kind == BOOLEAN and row["type"] == "Delta")
        if not setting.monitored or (not counts and not row["type"].startswith("Periodic")):
            return result | {"status": "UnsupportedMonitorType"}
        number = row.get("id")
        if number is not None and number not in self._monitors:
            return result | {"status": "Rejected"}
        same = [m for m in self._monitors.values() if m.setting is setting and m.kind == row["type"]]
        if any(m.wanted["severity"] == row["severity"] and m.number != number for m in same):
            return result | {"status": "Duplicate"}
        return result | {"status": "Accepted", "id": self._keep(setting, row, number=number).number}

    def _unknown(self, row: Payload) -> str:
        name = row["component"]["name"].lower()
        known = any(setting.component.lower() == name for setting in self._station.dialect.settings)
        return "UnknownVariable" if known else "UnknownComponent"

    def _keep(
        self, setting: Setting, wanted: Payload, *, number: int | None = None, hard_wired: bool = False
    ) -> Monitor:
        if number is None:
            number, self._next = self._next, self._next + 1
        monitor = Monitor(number, setting, wanted, hard_wired, told=self._value(setting))
        self._monitors[number] = monitor
        return monitor

    def _clear(self, payload: Payload) -> Reply:
        return Reply({"clearMonitoringResult": [self._clear_one(number) for number in payload["id"]]})

    def _clear_one(self, number: int) -> Payload:
        monitor = self._monitors.get(number)
        if monitor is None:
            return {"id": number, "status": "NotFound"}
        if monitor.hard_wired:
            return {"id": number, "status": "Rejected"}
        del self._monitors[number]
        return {"id": number, "status": "Accepted"}

    def _set_base(self, payload: Payload) -> Reply:
        """The factory had only what is wired: the others go (N02.FR.02)."""
        self._base = payload["monitoringBase"]
        if self._base != "All":
            self._monitors = {n: m for n, m in self._monitors.items() if m.hard_wired}
        return Reply({"status": "Accepted"})

    def _set_level(self, payload: Payload) -> Reply:
        if not 0 <= payload["severity"] <= MOST_SEVERITY:
            return Reply({"status": "Rejected"})
        self._severity = payload["severity"]
        return Reply({"status": "Accepted"})

    def _report(self, payload: Payload) -> Reply:
        kinds = {kind for each in payload.get("monitoringCriteria", CRITERIA) for kind in CRITERIA[each]}
        wanted = [self._find(row) for row in payload.get("componentVariable", ()) if "variable" in row]
        found = [
            m for m in self._monitors.values() if m.kind in kinds and (not wanted or m.setting in wanted)
        ]
        if not found:
            return Reply({"status": "EmptyResultSet"})

        async def then() -> None:
            self._tell_report(payload["requestId"], found)

        return Reply({"status": "Accepted"}, then)

    def _tell_report(self, request_id: int, found: list[Monitor]) -> None:
        at = stamp(self._station.clock.now())
        pages = [found[start : start + PER_REPORT] for start in range(0, len(found), PER_REPORT)]
        for seq_no, page in enumerate(pages):
            payload = {
                "requestId": request_id,
                "seqNo": seq_no,
                "generatedAt": at,
                "tbc": seq_no < len(pages) - 1,
                "monitor": [
                    _place(monitor.setting) | {"variableMonitoring": [self._row(monitor)]} for monitor in page
                ],
            }
            self._tell("NotifyMonitoringReport", payload)

    def _row(self, monitor: Monitor) -> Payload:
        row: Payload = {key: monitor.wanted[key] for key in ("value", "type", "severity")}
        row |= {"id": monitor.number, "transaction": monitor.wanted.get("transaction", False)}
        if self._station.spec.ocpp == "2.1":
            row["eventNotificationType"] = _made_by(monitor)
        return row

    # Watching

    def _look(self) -> None:
        if not self._station.link.registered:
            return
        charging = any(socket.transaction for socket in self._station.sockets.values())
        now = self._station.clock.now()
        told = [
            event
            for monitor in self._monitors.values()
            if charging or not monitor.wanted.get("transaction", False)
            if (event := self._noticed(monitor, now)) is not None
        ]
        if told:
            self._tell(
                "NotifyEvent", {"generatedAt": stamp(now), "seqNo": 0, "tbc": False, "eventData": told}
            )

    def _noticed(self, monitor: Monitor, now: datetime) -> Payload | None:
        value = self._value(monitor.setting)
        if monitor.kind.startswith("Periodic"):
            return self._on_time(monitor, value, now)
        if monitor.kind.endswith("Threshold"):
            return self._across(monitor, value, now)
        if not _differs(value, monitor.told, float(monitor.wanted["value"])):
            return None
        monitor.told = value
        return self._event(monitor, value, now, "Delta")

    def _on_time(self, monitor: Monitor, value: str, now: datetime) -> Payload | None:
        every_s = max(float(monitor.wanted["value"]), 1.0)
        if monitor.told_at is not None and (now - monitor.told_at).total_seconds() < every_s:
            return None
        monitor.told_at = now
        return self._event(monitor, value, now, "Periodic")

    def _across(self, monitor: Monitor, value: str, now: datetime) -> Payload | None:
        """Told when it is crossed, and once more when it is over (N07.FR.16, .17)."""
        bound, number = float(monitor.wanted["value"]), float(value)
        is_over = number > bound if monitor.kind == "UpperThreshold" else number < bound
        if is_over == monitor.is_over:
            return None
        monitor.is_over = is_over
        return self._event(monitor, value, now, "Alerting", cleared=not is_over)

    def _event(
        self, monitor: Monitor, value: str, now: datetime, trigger: str, *, cleared: bool = False
    ) -> Payload | None:
        if monitor.wanted["severity"] > self._severity:
            return None
        self._events += 1
        return {
            "eventId": self._events,
            "timestamp": stamp(now),
            "trigger": trigger,
            "actualValue": value,
            "cleared": cleared,
            "eventNotificationType": _made_by(monitor),
            "variableMonitoringId": monitor.number,
            **_place(monitor.setting),
        }

    def _value(self, setting: Setting) -> str:
        """As it is now: what is measured is not what the settings remember."""
        if setting.name == "Power" and setting.component in ("EVSE", "ChargingStation"):
            sockets = self._station.sockets.values()
            return str(round(sum(s.meter.power_w for s in sockets if setting.evse in (None, s.evse)), 1))
        return setting.value

    def _tell(self, action: str, payload: dict[str, Any]) -> None:
        self._station.link.tell(Message(action, lambda: payload))


def _differs(value: str, told: str | None, by: float) -> bool:
    try:
        return told is not None and abs(float(value) - float(told)) >= by
    except ValueError:
        return value != told


def _made_by(monitor: Monitor) -> str:
    return "HardWiredMonitor" if monitor.hard_wired else "CustomMonitor"


def _place(setting: Setting) -> Payload:
    component: Payload = {"name": setting.component}
    if setting.evse is not None:
        component["evse"] = {"id": setting.evse}
    variable = {"name": setting.name} | ({"instance": setting.instance} if setting.instance else {})
    return {"component": component, "variable": variable}
