"""How a station speaks OCPP 1.6."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from portal.simulator import defects
from portal.simulator.dialect import Transaction
from portal.simulator.metering import Sample, offered
from portal.simulator.profiles import MAX, TX, TX_DEFAULT, Period, StoredProfile
from portal.simulator.settings import BOOLEAN, INTEGER, LIST, LIST_MOST, LIST_PART, Setting, Settings
from portal.simulator.spec import StationSpec
from portal.simulator.storing import Capabilities
from portal.simulator.wire import V16, Message, Payload, instant, stamp

PURPOSES = {"ChargePointMaxProfile": MAX, "TxDefaultProfile": TX_DEFAULT, "TxProfile": TX}
RECURRENCES_S = {"Daily": 86_400, "Weekly": 7 * 86_400}
UNKNOWN_TRANSACTION = -1  # errata 3.18: the CSMS never answered the StartTransaction


class Speech16:
    """A `Dialect`."""

    version = V16
    reports_station_status = True

    def __init__(self, spec: StationSpec, capabilities: Capabilities) -> None:
        self._spec = spec
        self.firmware = spec.firmware
        self.settings = Settings(_settings(spec, capabilities))

    def boot(self, reason: str) -> Message:
        del reason  # 1.6 has no word for it
        payload = {
            "chargePointVendor": self._spec.vendor[:20],
            "chargePointModel": self._spec.model[:20],
            "chargePointSerialNumber": (self._spec.serial or self._spec.identity)[:25],
            "firmwareVersion": self.firmware[:50],
            "meterType": "simulated, MID class B",
        }
        return Message("BootNotification", lambda: payload)

    def heartbeat(self) -> Message:
        return Message("Heartbeat", dict)

    def status(self, evse: int, status: str, at: datetime) -> Message:
        payload = {"connectorId": evse, "errorCode": "NoError", "status": status, "timestamp": stamp(at)}
        return Message("StatusNotification", lambda: payload)

    def status_name(self, status: str) -> str:
        return status

    def firmware_status(self) -> Message:
        return Message("FirmwareStatusNotification", lambda: {"status": "Idle"})

    def authorize(self, token: str) -> Message:
        return Message("Authorize", lambda: {"idTag": token})

    def token_accepted(self, answer: Payload) -> bool:
        return bool(answer.get("idTagInfo", {}).get("status") == "Accepted")

    def started(
        self, tx: Transaction, sample: Sample, *, offline: bool, refused: Callable[[], None]
    ) -> Message:
        del offline
        payload = {
            "connectorId": tx.evse,
            "idTag": tx.token,
            "meterStart": round(sample.import_wh),
            "timestamp": stamp(sample.at),
        }
        payload |= {} if tx.reservation_id is None else {"reservationId": tx.reservation_id}

        def answered(answer: Payload) -> None:
            tx.number = answer.get("transactionId")
            if not self.token_accepted(answer):
                refused()

        return Message("StartTransaction", lambda: payload, answered)

    def sampled(self, tx: Transaction, sample: Sample, *, offline: bool) -> Message | None:
        del offline
        return self.measured(tx.evse, [sample], tx)

    def state_changed(self, tx: Transaction, sample: Sample, *, offline: bool) -> Message | None:
        del tx, sample, offline  # StatusNotification says it already
        return None

    def ended(self, tx: Transaction, sample: Sample, reason: str, *, offline: bool) -> Message:
        del offline
        data = self._meter_value(sample, "StopTxnSampledData")
        payload: Payload = {
            "meterStop": round(sample.import_wh),
            "timestamp": stamp(sample.at),
            "reason": reason,
            "idTag": tx.token,
        }
        if data["sampledValue"]:
            payload["transactionData"] = [data]
        return Message("StopTransaction", lambda: payload | {"transactionId": _number(tx)})

    def measured(self, evse: int, samples: Sequence[Sample], tx: Transaction | None) -> Message | None:
        values = [self._meter_value(sample, _key(sample)) for sample in samples]
        if not any(value["sampledValue"] for value in values):
            return None
        payload = {"connectorId": evse, "meterValue": values}
        return Message("MeterValues", lambda: payload | ({"transactionId": _number(tx)} if tx else {}))

    def _meter_value(self, sample: Sample, key: str) -> Payload:
        wanted = self.settings.members(key)
        values: list[dict[str, Any]] = []
        for measurand, unit, phase, location, value in sample.values():
            if measurand in wanted:
                row = {"value": str(value), "context": sample.context, "measurand": measurand}
                row |= {"location": location, "unit": unit} | ({"phase": phase} if phase else {})
                values.append(row)
        return {"timestamp": stamp(sample.at), "sampledValue": values}

    def limit_set(self, profile: Payload) -> Message | None:
        del profile  # 1.6 has no word for it
        return None

    def limit_cleared(self) -> Message | None:
        return None

    def transaction_name(self, tx: Transaction) -> str:
        return str(_number(tx))

    def read_profile(self, evse: int, wire: Payload) -> StoredProfile:
        """A ChargingProfile as installed on connector `evse`. CallError where a time is none."""
        schedule = wire["chargingSchedule"]
        kind = wire["chargingProfileKind"]
        recurring = kind == "Recurring"
        return StoredProfile(
            profile_id=wire["chargingProfileId"],
            evse=evse,
            purpose=PURPOSES[wire["chargingProfilePurpose"]],
            level=wire["stackLevel"],
            kind=kind,
            unit=schedule["chargingRateUnit"],
            periods=tuple(
                Period(p["startPeriod"], p["limit"], p.get("numberPhases"))
                for p in schedule["chargingSchedulePeriod"]
            ),
            wire=wire,
            start=None if kind == "Relative" else _time(schedule, "startSchedule"),
            duration_s=schedule.get("duration"),
            recurrence_s=RECURRENCES_S.get(wire.get("recurrencyKind", "")) if recurring else None,
            valid_from=_time(wire, "validFrom"),
            valid_to=_time(wire, "validTo"),
            transaction=str(wire["transactionId"]) if "transactionId" in wire else None,
        )

    @property
    def sample_interval_s(self) -> int:
        return self.settings.number("MeterValueSampleInterval")

    @property
    def aligned_interval_s(self) -> int:
        return self.settings.number("ClockAlignedDataInterval")

    @property
    def heartbeat_interval_s(self) -> int:
        return self.settings.number("HeartbeatInterval")

    @heartbeat_interval_s.setter
    def heartbeat_interval_s(self, seconds: int) -> None:
        self.settings.change("HeartbeatInterval", str(seconds))

    @property
    def connection_timeout_s(self) -> int:
        return self.settings.number("ConnectionTimeOut")


def _key(sample: Sample) -> str:
    return "MeterValuesAlignedData" if sample.context == "Sample.Clock" else "MeterValuesSampledData"


def _number(tx: Transaction) -> int:
    return UNKNOWN_TRANSACTION if tx.number is None else tx.number


def _time(wire: Payload, name: str) -> datetime | None:
    return instant(wire[name], version=V16) if name in wire else None


def _settings(spec: StationSpec, able: Capabilities) -> list[Setting]:
    """The keys of 1.6, chapter 9, that mean something here."""
    measurands = offered(defects.named(spec.defect))
    all_values = ",".join(measurands)
    registers = "Energy.Active.Import.Register,Energy.Active.Export.Register"
    units = ",".join({"A": "Current", "W": "Power"}[unit] for unit in able.units)
    profiles = "Core,SmartCharging,RemoteTrigger,Reservation,LocalAuthListManagement,FirmwareManagement"
    phases = ",".join(f"{n}.RST" for n in range(spec.sockets + 1))
    fixed = {
        "ChargeProfileMaxStackLevel": (str(able.max_stack_level), INTEGER),
        "ChargingScheduleMaxPeriods": (str(able.max_periods), INTEGER),
        "MaxChargingProfilesInstalled": (str(able.max_installed), INTEGER),
        "ChargingScheduleAllowedChargingRateUnit": (units, LIST),
        "NumberOfConnectors": (str(spec.sockets), INTEGER),
        "SupportedFeatureProfiles": (profiles, LIST),
        "GetConfigurationMaxKeys": ("100", INTEGER),
        "ConnectorSwitch3to1PhaseSupported": ("false", BOOLEAN),
        "ConnectorPhaseRotation": (phases, LIST),
        "AuthorizeRemoteTxRequests": ("false", BOOLEAN),
        "LocalAuthorizeOffline": ("true", BOOLEAN),
        "LocalPreAuthorize": ("false", BOOLEAN),
        "SendLocalListMaxLength": (str(LIST_PART), INTEGER),
        "LocalAuthListMaxLength": (str(LIST_MOST), INTEGER),
        "StopTransactionOnEVSideDisconnect": ("true", BOOLEAN),
        "StopTransactionOnInvalidId": ("true", BOOLEAN),
        "UnlockConnectorOnEVSideDisconnect": ("true", BOOLEAN),
        "ResetRetries": ("0", INTEGER),
        "TransactionMessageAttempts": ("3", INTEGER),
        "TransactionMessageRetryInterval": ("0", INTEGER),
    }
    return [
        *(Setting(name, value, readonly=True, kind=kind) for name, (value, kind) in fixed.items()),
        Setting("AllowOfflineTxForUnknownId", "true", kind=BOOLEAN),
        Setting("LocalAuthListEnabled", "true", kind=BOOLEAN),
        Setting("HeartbeatInterval", "300", kind=INTEGER),
        Setting("ConnectionTimeOut", "120", kind=INTEGER),
        Setting("MinimumStatusDuration", "0", kind=INTEGER, needs_reboot=True),
        Setting("WebSocketPingInterval", "20", readonly=True, kind=INTEGER),
        Setting("MeterValueSampleInterval", str(spec.meter_interval_s), kind=INTEGER),
        Setting("ClockAlignedDataInterval", "900", kind=INTEGER),
        Setting("MeterValuesSampledData", all_values, kind=LIST, allowed=measurands),
        Setting("MeterValuesAlignedData", registers, kind=LIST, allowed=measurands),
        Setting("StopTxnSampledData", registers, kind=LIST, allowed=measurands),
        Setting("StopTxnAlignedData", "", kind=LIST, allowed=measurands),
        Setting("SecurityProfile", "1", kind=INTEGER, min_limit=1, max_limit=3),
        # Real stations show this secret to whoever asks; a portal has to mask it.
        Setting("AuthorizationKey", spec.password or ""),
    ]
