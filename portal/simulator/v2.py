"""How a station speaks OCPP 2.0.1 and 2.1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from portal.simulator.dialect import AVAILABLE, FINISHING, PREPARING, RESERVED, UNAVAILABLE, Transaction
from portal.simulator.metering import CLOCK, PERIODIC, TRIGGER, Sample
from portal.simulator.profiles import StoredProfile
from portal.simulator.spec import StationSpec
from portal.simulator.storing import Capabilities
from portal.simulator.v2_profiles import read
from portal.simulator.v2_variables import variables
from portal.simulator.wire import V21, V201, Message, Payload, stamp

# Why a transaction ended, in the station's (1.6) words -> (triggerReason, stoppedReason)
ENDINGS = {
    "EVDisconnected": ("EVDeparted", "EVDisconnected"),
    "Remote": ("RemoteStop", "Remote"),
    "DeAuthorized": ("Deauthorized", "DeAuthorized"),
    "HardReset": ("ResetCommand", "ImmediateReset"),
    "SoftReset": ("ResetCommand", "ImmediateReset"),
    "UnlockCommand": ("UnlockCommand", "Other"),
    "PowerLoss": ("AbnormalCondition", "PowerLoss"),
    "Local": ("StopAuthorized", "Local"),
}
EXTERNAL_SOURCE = "SO"  # the system operator
SAMPLE_TRIGGERS = {PERIODIC: "MeterValuePeriodic", CLOCK: "MeterValueClock", TRIGGER: "Trigger"}


class Speech2:
    """A `Dialect`."""

    reports_station_status = False

    def __init__(self, spec: StationSpec, capabilities: Capabilities) -> None:
        self._spec = spec
        self.firmware = spec.firmware
        self.version = V21 if spec.ocpp == "2.1" else V201
        self.settings = variables(spec, capabilities)

    def boot(self, reason: str) -> Message:
        station = {
            "vendorName": self._spec.vendor[:50],
            "model": self._spec.model[:20],
            "serialNumber": (self._spec.serial or self._spec.identity)[:25],
            "firmwareVersion": self.firmware[:50],
        }
        return Message("BootNotification", lambda: {"reason": reason, "chargingStation": station})

    def heartbeat(self) -> Message:
        return Message("Heartbeat", dict)

    def status(self, evse: int, status: str, at: datetime) -> Message:
        payload = {
            "timestamp": stamp(at),
            "connectorStatus": self.status_name(status),
            "evseId": evse,
            "connectorId": 1,
        }
        return Message("StatusNotification", lambda: payload)

    def status_name(self, status: str) -> str:
        return status if status in {AVAILABLE, UNAVAILABLE, RESERVED} else "Occupied"

    def firmware_status(self) -> Message:
        return Message("FirmwareStatusNotification", lambda: {"status": "Idle"})

    def authorize(self, token: str) -> Message:
        return Message("Authorize", lambda: {"idToken": {"idToken": token, "type": "ISO14443"}})

    def token_accepted(self, answer: Payload) -> bool:
        """A TransactionEvent's answer without idTokenInfo says nothing against the token."""
        return bool(answer.get("idTokenInfo", {}).get("status", "Accepted") == "Accepted")

    def started(
        self, tx: Transaction, sample: Sample, *, offline: bool, refused: Callable[[], None]
    ) -> Message:
        trigger = "RemoteStart" if tx.remote else "Authorized"
        payload = self._event(tx, sample, "Started", trigger, "TxStartedMeasurands", offline=offline)
        payload["idToken"] = {"idToken": tx.token, "type": "Central" if tx.remote else "ISO14443"}
        if tx.remote_start_id is not None:
            payload["transactionInfo"]["remoteStartId"] = tx.remote_start_id
        if tx.reservation_id is not None:
            payload["reservationId"] = tx.reservation_id

        def answered(answer: Payload) -> None:
            if not self.token_accepted(answer):
                refused()

        return Message("TransactionEvent", lambda: payload, answered)

    def sampled(self, tx: Transaction, sample: Sample, *, offline: bool) -> Message | None:
        trigger = SAMPLE_TRIGGERS[sample.context]
        payload = self._event(tx, sample, "Updated", trigger, "TxUpdatedMeasurands", offline=offline)
        return Message("TransactionEvent", lambda: payload)

    def state_changed(self, tx: Transaction, sample: Sample, *, offline: bool) -> Message | None:
        payload = self._event(tx, sample, "Updated", "ChargingStateChanged", "", offline=offline)
        return Message("TransactionEvent", lambda: payload)

    def ended(self, tx: Transaction, sample: Sample, reason: str, *, offline: bool) -> Message:
        trigger, stopped = ENDINGS[reason]
        payload = self._event(tx, sample, "Ended", trigger, "TxEndedMeasurands", offline=offline)
        payload["transactionInfo"]["stoppedReason"] = stopped
        if trigger == "EVDeparted":
            payload["transactionInfo"]["chargingState"] = "Idle"
        return Message("TransactionEvent", lambda: payload)

    def measured(self, evse: int, samples: Sequence[Sample], tx: Transaction | None) -> Message | None:
        del tx  # MeterValues stand outside transactions in 2.x
        values = [self._meter_value(sample, *_measurands(sample)) for sample in samples]
        values = [value for value in values if value["sampledValue"]]
        return Message("MeterValues", lambda: {"evseId": evse, "meterValue": values}) if values else None

    def _event(
        self, tx: Transaction, sample: Sample, kind: str, trigger: str, measurands: str, *, offline: bool
    ) -> Payload:
        state = "EVConnected" if tx.state in {PREPARING, FINISHING} else tx.state
        payload: Payload = {
            "eventType": kind,
            "timestamp": stamp(sample.at),
            "triggerReason": trigger,
            "seqNo": tx.next_event(),
            "offline": offline,
            "transactionInfo": {"transactionId": tx.key, "chargingState": state},
            "evse": {"id": tx.evse, "connectorId": 1},
        }
        if measurands:
            value = self._meter_value(sample, measurands, "SampledDataCtrlr")
            payload |= {"meterValue": [value]} if value["sampledValue"] else {}
        return payload

    def _meter_value(self, sample: Sample, measurands: str, component: str) -> Payload:
        wanted = self.settings.members(measurands, component)
        rows = []
        for measurand, unit, phase, location, value in sample.values():
            if measurand in wanted:
                row: Payload = {"value": value, "context": sample.context, "measurand": measurand}
                row |= {"location": location, "unitOfMeasure": {"unit": unit}}
                rows.append(row | ({"phase": phase} if phase else {}))
        return {"timestamp": stamp(sample.at), "sampledValue": rows}

    def transaction_name(self, tx: Transaction) -> str:
        return tx.key

    def limit_set(self, profile: Payload) -> Message | None:
        """NotifyChargingLimit, with the schedule (K12.FR.01)."""
        limit = {"chargingLimitSource": EXTERNAL_SOURCE, "isGridCritical": False}
        payload = {"chargingLimit": limit, "evseId": 0, "chargingSchedule": profile["chargingSchedule"]}
        return Message("NotifyChargingLimit", lambda: payload)

    def limit_cleared(self) -> Message | None:
        """ClearedChargingLimit (K13)."""
        return Message("ClearedChargingLimit", lambda: {"chargingLimitSource": EXTERNAL_SOURCE, "evseId": 0})

    def read_profile(self, evse: int, wire: Payload) -> StoredProfile:
        """A ChargingProfile as installed on `evse`. CallError where a time is none."""
        return read(evse, wire, version=self.version)

    @property
    def sample_interval_s(self) -> int:
        return self.settings.number("TxUpdatedInterval", "SampledDataCtrlr")

    @property
    def aligned_interval_s(self) -> int:
        return self.settings.number("Interval", "AlignedDataCtrlr")

    @property
    def heartbeat_interval_s(self) -> int:
        return self.settings.number("HeartbeatInterval", "OCPPCommCtrlr")

    @heartbeat_interval_s.setter
    def heartbeat_interval_s(self, seconds: int) -> None:
        self.settings.change("HeartbeatInterval", str(seconds), "OCPPCommCtrlr")

    @property
    def connection_timeout_s(self) -> int:
        return self.settings.number("EVConnectionTimeOut", "TxCtrlr")


def _measurands(sample: Sample) -> tuple[str, str]:
    """(variable, component) that names what a MeterValues message holds."""
    if sample.context == CLOCK:
        return "Measurands", "AlignedDataCtrlr"
    return "TxUpdatedMeasurands", "SampledDataCtrlr"
