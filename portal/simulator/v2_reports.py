"""The device model over the wire: GetVariables, SetVariables, GetBaseReport with its NotifyReports."""

from __future__ import annotations

from collections.abc import Sequence

from portal.simulator.keys import take_password
from portal.simulator.link import Reply
from portal.simulator.settings import Setting
from portal.simulator.station import Station
from portal.simulator.wire import Message, Payload, stamp

PER_REPORT = 20


class Reports:
    def __init__(self, station: Station) -> None:
        self._station = station

    def get_variables(self, payload: Payload) -> Reply:
        return Reply({"getVariableResult": [self._got(row) for row in payload["getVariableData"]]})

    def set_variables(self, payload: Payload) -> Reply:
        return Reply({"setVariableResult": [self._set(row) for row in payload["setVariableData"]]})

    def get_base_report(self, payload: Payload) -> Reply:
        """FullInventory and ConfigurationInventory; no summary is kept (B07)."""
        base = payload["reportBase"]
        if base == "SummaryInventory":
            return Reply({"status": "NotSupported"})
        settings = [s for s in self._station.dialect.settings if base == "FullInventory" or not s.readonly]

        async def then() -> None:
            self._report(payload["requestId"], settings)

        return Reply({"status": "Accepted"}, then)

    def _report(self, request_id: int, settings: Sequence[Setting]) -> None:
        self._count_profiles()
        at = stamp(self._station.clock.now())
        pages = [settings[start : start + PER_REPORT] for start in range(0, len(settings), PER_REPORT)]
        for seq_no, page in enumerate(pages):
            self._station.link.tell(
                _message(
                    {
                        "requestId": request_id,
                        "generatedAt": at,
                        "seqNo": seq_no,
                        "tbc": seq_no < len(pages) - 1,
                        "reportData": [_row(setting) for setting in page],
                    }
                )
            )

    def _count_profiles(self) -> None:
        entries = self._station.dialect.settings.find("Entries", "SmartChargingCtrlr", "ChargingProfiles")
        if entries is not None:
            entries.value = str(len(self._station.schedules.profiles))

    def find(self, row: Payload) -> Setting | None:
        component, variable = row["component"], row["variable"]
        evse = component.get("evse", {}).get("id")
        return self._station.dialect.settings.find(
            variable["name"], component["name"], variable.get("instance"), evse
        )

    def _unknown(self, row: Payload) -> str:
        name = row["component"]["name"].lower()
        known = any(setting.component.lower() == name for setting in self._station.dialect.settings)
        return "UnknownVariable" if known else "UnknownComponent"

    def _got(self, row: Payload) -> Payload:
        self._count_profiles()
        setting, kind = self.find(row), row.get("attributeType", "Actual")
        result: Payload = {"component": row["component"], "variable": row["variable"]}
        if "attributeType" in row:
            result["attributeType"] = kind
        if setting is None:
            return result | {"attributeStatus": self._unknown(row)}
        if kind == "MaxSet" and setting.max_limit is not None:
            return result | {"attributeStatus": "Accepted", "attributeValue": str(setting.max_limit)}
        if kind != "Actual":
            return result | {"attributeStatus": "NotSupportedAttributeType"}
        if setting.writeonly:
            return result | {"attributeStatus": "Rejected"}
        return result | {"attributeStatus": "Accepted", "attributeValue": setting.value}

    def _set(self, row: Payload) -> Payload:
        setting = self.find(row)
        result: Payload = {"component": row["component"], "variable": row["variable"]}
        if row.get("attributeType", "Actual") != "Actual":
            return result | {
                "attributeStatus": "NotSupportedAttributeType",
                "attributeType": row["attributeType"],
            }
        if setting is None:
            return result | {"attributeStatus": self._unknown(row)}
        if setting.readonly or not setting.accepts(row["attributeValue"]):
            return result | {"attributeStatus": "Rejected"}
        setting.value = row["attributeValue"]
        if setting.name == "BasicAuthPassword":
            take_password(self._station, setting.value)
        return result | {"attributeStatus": "RebootRequired" if setting.needs_reboot else "Accepted"}


def _message(payload: Payload) -> Message:
    return Message("NotifyReport", lambda: payload)


def _row(setting: Setting) -> Payload:
    component: Payload = {"name": setting.component}
    if setting.evse is not None:
        component["evse"] = {"id": setting.evse}
    variable = {"name": setting.name} | ({"instance": setting.instance} if setting.instance else {})
    mutability = "ReadOnly" if setting.readonly else "WriteOnly" if setting.writeonly else "ReadWrite"
    attribute: Payload = {"mutability": mutability}
    if not setting.writeonly:
        attribute["value"] = setting.value
    characteristics: Payload = {"dataType": setting.kind, "supportsMonitoring": setting.monitored}
    if setting.unit:
        characteristics["unit"] = setting.unit
    if setting.min_limit is not None:
        characteristics["minLimit"] = setting.min_limit
    if setting.max_limit is not None:
        characteristics["maxLimit"] = setting.max_limit
    if setting.allowed:
        characteristics["valuesList"] = ",".join(setting.allowed)
    return {
        "component": component,
        "variable": variable,
        "variableAttribute": [attribute],
        "variableCharacteristics": characteristics,
    }
