"""Everything a station can say, a full example each, and the event that it leaves here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

VERSIONS = ("1.6", "2.0.1", "2.1")
AT = "2026-07-01T12:00:00Z"
Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Saying:
    """`event`: the kind of the event that it becomes; "": none, what it says is kept elsewhere.

    `data`: what can be read in the event, or a part of it. `answer`: what must be in the answer.
    """

    payload: Payload
    event: str = ""
    data: Payload = field(default_factory=dict)
    answer: Payload = field(default_factory=dict)


HASHES = {"hashAlgorithm": "SHA256", "issuerNameHash": "aa", "issuerKeyHash": "bb", "serialNumber": "0c"}
PERIODS = [{"startPeriod": 0, "limit": 16}]
SCHEDULE = {"id": 1, "chargingRateUnit": "A", "duration": 600, "chargingSchedulePeriod": PERIODS}
PROFILE = {
    "id": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": [SCHEDULE],
}
VARIABLE = {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Power"}}
EVENT = {
    "eventId": 1,
    "timestamp": AT,
    "trigger": "Delta",
    "actualValue": "1",
    "eventNotificationType": "CustomMonitor",
    "techInfo": "idToken 04AABBCCDD",
    **VARIABLE,
}
MONITOR = {"id": 1, "transaction": False, "value": 9, "type": "UpperThreshold", "severity": 3}
TOKEN = {"idToken": "04AABBCCDD", "type": "ISO14443"}

_EVERY_VERSION = {
    "Heartbeat": Saying({}),
    "DataTransfer": Saying(
        {"vendorId": "com.vendor", "messageId": "x", "data": "idTag=04AABBCCDD"},
        "neutral",
        {"action": "DataTransfer", "vendor": "com.vendor", "message": "x"},
        {"status": "UnknownVendorId"},
    ),
    "SecurityEventNotification": Saying(
        {"type": "InvalidFirmwareSignature", "timestamp": AT, "techInfo": "slot 2"},
        "security",
        {"type": "InvalidFirmwareSignature", "info": "slot 2"},
    ),
    "FirmwareStatusNotification": Saying({"status": "Installed"}, "firmware", {"status": "Installed"}),
    "LogStatusNotification": Saying(
        {"status": "Uploaded", "requestId": 4},
        "upload_status",
        {"action": "LogStatusNotification", "status": "Uploaded", "request": 4},
    ),
    "SignCertificate": Saying(
        {"csr": "no request"},
        "certificate",
        {"state": "rejected", "reason": "no_authority"},
        {"status": "Rejected"},
    ),
}
_16 = _EVERY_VERSION | {
    "BootNotification": Saying(
        {"chargePointVendor": "V", "chargePointModel": "M", "firmwareVersion": "1"},
        "booted",
        {"vendor": "V", "model": "M", "firmware": "1"},
        {"status": "Accepted"},
    ),
    "StatusNotification": Saying(
        {"connectorId": 1, "errorCode": "NoError", "status": "Available", "timestamp": AT},
        "status",
        {"evse": 1, "status": "Available"},
    ),
    "Authorize": Saying({"idTag": "04AABBCCDD"}, answer={"idTagInfo": {"status": "Invalid"}}),
    "StartTransaction": Saying(
        {"connectorId": 1, "idTag": "04AABBCCDD", "meterStart": 7, "timestamp": AT},
        "session_started",
        {"evse": 1},
    ),
    "StopTransaction": Saying(
        {"transactionId": 987654, "meterStop": 9, "timestamp": AT, "reason": "EVDisconnected"},
        "orphan_stop",
        {"transaction": "987654", "reason": "EVDisconnected"},
    ),
    "MeterValues": Saying(
        {"connectorId": 1, "meterValue": [{"timestamp": AT, "sampledValue": [{"value": "5"}]}]}
    ),
    "SignedFirmwareStatusNotification": Saying(
        {"status": "InstallVerificationFailed", "requestId": 5},
        "firmware",
        {"action": "SignedFirmwareStatusNotification", "status": "InstallVerificationFailed", "request": 5},
    ),
    "DiagnosticsStatusNotification": Saying(
        {"status": "UploadFailed"},
        "upload_status",
        {"action": "DiagnosticsStatusNotification", "status": "UploadFailed", "request": None},
    ),
}
_201 = _EVERY_VERSION | {
    "BootNotification": Saying(
        {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M", "firmwareVersion": "1"}},
        "booted",
        {"vendor": "V", "reason": "PowerUp"},
        {"status": "Accepted"},
    ),
    "StatusNotification": Saying(
        {"timestamp": AT, "connectorStatus": "Occupied", "evseId": 1, "connectorId": 2},
        "status",
        {"evse": 1, "connector": 2, "status": "Occupied"},
    ),
    "Authorize": Saying({"idToken": TOKEN}, answer={"idTokenInfo": {"status": "Invalid"}}),
    "TransactionEvent": Saying(
        {
            "eventType": "Started",
            "timestamp": AT,
            "triggerReason": "CablePluggedIn",
            "seqNo": 0,
            "transactionInfo": {"transactionId": "t-1", "chargingState": "EVConnected"},
            "evse": {"id": 1},
        },
        "session_started",
        {"evse": 1, "charging_state": "EVConnected"},
    ),
    "MeterValues": Saying({"evseId": 1, "meterValue": [{"timestamp": AT, "sampledValue": [{"value": 5.0}]}]}),
    "PublishFirmwareStatusNotification": Saying(
        {"status": "Published", "location": ["https://local/firmware"], "requestId": 6},
        "firmware",
        {"action": "PublishFirmwareStatusNotification", "status": "Published", "request": 6},
    ),
    "NotifyReport": Saying(
        {
            "requestId": 1,
            "generatedAt": AT,
            "seqNo": 0,
            "reportData": [{**VARIABLE, "variableAttribute": [{"value": "1"}]}],
        }
    ),
    "NotifyEvent": Saying({"generatedAt": AT, "seqNo": 0, "eventData": [EVENT]}, "device_event"),
    "NotifyMonitoringReport": Saying(
        {
            "requestId": 1,
            "seqNo": 0,
            "generatedAt": AT,
            "monitor": [{**VARIABLE, "variableMonitoring": [MONITOR]}],
        }
    ),
    "ReportChargingProfiles": Saying(
        {"requestId": 1, "chargingLimitSource": "CSO", "evseId": 1, "chargingProfile": [PROFILE]},
        "profiles_reported",
        {"evse": 1, "source": "CSO", "is_last": True, "profiles": [PROFILE]},
    ),
    "NotifyChargingLimit": Saying(
        {"evseId": 1, "chargingLimit": {"chargingLimitSource": "EMS"}, "chargingSchedule": [SCHEDULE]},
        "external_limit_set",
        {"evse": 1, "source": "EMS", "schedules": [SCHEDULE]},
    ),
    "ClearedChargingLimit": Saying(
        {"chargingLimitSource": "EMS"}, "external_limit_cleared", {"evse": 0, "source": "EMS"}
    ),
    "ReservationStatusUpdate": Saying(
        {"reservationId": 3, "reservationUpdateStatus": "Expired"},
        "reservation_status",
        {"reservation": 3, "status": "Expired"},
    ),
    "Get15118EVCertificate": Saying(
        {"iso15118SchemaVersion": "urn:iso:15118:2:2013", "action": "Install", "exiRequest": "gAECAw=="},
        "ev_certificate_asked",
        {"step": "Install", "schema": "urn:iso:15118:2:2013"},
        {"status": "Failed"},
    ),
    "GetCertificateStatus": Saying(
        {"ocspRequestData": {**HASHES, "responderURL": "http://ocsp.test"}},
        "certificate_status_asked",
        {"certificates": [{"serial": "0c", "source": "OCSP", "urls": ["http://ocsp.test"]}]},
        {"status": "Failed"},
    ),
    "NotifyCustomerInformation": Saying(
        {"data": "04AABBCCDD charged", "seqNo": 0, "generatedAt": AT, "requestId": 7, "tbc": True},
        "customer_information",
        {"request": 7, "seq_no": 0, "is_last": False, "characters": 18},
    ),
    "NotifyDisplayMessages": Saying(
        {
            "requestId": 8,
            "messageInfo": [
                {
                    "id": 1,
                    "priority": "InFront",
                    "state": "Idle",
                    "message": {"format": "UTF8", "content": "Laadpunt vrij"},
                }
            ],
        },
        "display_messages",
        {
            "request": 8,
            "is_last": True,
            "messages": [
                {
                    "id": 1,
                    "priority": "InFront",
                    "state": "Idle",
                    "transaction": None,
                    "text": "Laadpunt vrij",
                }
            ],
        },
    ),
    "NotifyEVChargingNeeds": Saying(
        {
            "evseId": 1,
            "chargingNeeds": {
                "requestedEnergyTransfer": "AC_three_phase",
                "departureTime": "2026-07-01T17:00:00Z",
                "acChargingParameters": {
                    "energyAmount": 20000,
                    "evMinCurrent": 6,
                    "evMaxCurrent": 16,
                    "evMaxVoltage": 400,
                },
            },
        },
        "ev_charging_needs",
        {
            "evse": 1,
            "transfer": "AC_three_phase",
            "departure": "2026-07-01T17:00:00Z",
            "energy_wh": 20000,
            "min_a": 6,
            "max_a": 16,
        },
        {"status": "Rejected"},
    ),
    "NotifyEVChargingSchedule": Saying(
        {"timeBase": AT, "evseId": 1, "chargingSchedule": SCHEDULE},
        "ev_charging_schedule",
        {"evse": 1, "unit": "A", "duration_s": 600, "periods": PERIODS},
        {"status": "Accepted"},
    ),
}
_21 = _201 | {
    "NotifyEvent": Saying(
        {"generatedAt": AT, "seqNo": 0, "eventData": [{**EVENT, "severity": 5}]},
        "device_event",
        {"severity": 5},
    ),
    "NotifyMonitoringReport": Saying(
        {
            "requestId": 1,
            "seqNo": 0,
            "generatedAt": AT,
            "monitor": [
                {**VARIABLE, "variableMonitoring": [{**MONITOR, "eventNotificationType": "CustomMonitor"}]}
            ],
        }
    ),
    "NotifyEVChargingNeeds": Saying(
        {
            "evseId": 1,
            "timestamp": AT,
            "chargingNeeds": {
                "requestedEnergyTransfer": "AC_BPT",
                "availableEnergyTransfer": ["AC_BPT", "AC_three_phase"],
                "controlMode": "DynamicControl",
                "v2xChargingParameters": {
                    "maxChargePower": 11000,
                    "maxDischargePower": 7000,
                    "evTargetEnergyRequest": 9000,
                    "targetSoC": 80,
                },
            },
        },
        "ev_charging_needs",
        {
            "transfer": "AC_BPT",
            "available": ["AC_BPT", "AC_three_phase"],
            "control": "DynamicControl",
            "max_w": 11000,
            "max_discharge_w": 7000,
            "energy_wh": 9000,
            "target_soc_percent": 80,
        },
        {"status": "NoChargingProfile"},
    ),
    "NotifyPriorityCharging": Saying(
        {"transactionId": "t-1", "activated": True},
        "priority_charging",
        {"transaction": "t-1", "activated": True},
    ),
    "PullDynamicScheduleUpdate": Saying(
        {"chargingProfileId": 1}, "dynamic_update_asked", {"profile": 1}, {"status": "Rejected"}
    ),
    "BatterySwap": Saying(
        {
            "eventType": "BatteryIn",
            "requestId": 9,
            "idToken": TOKEN,
            "batteryData": [{"evseId": 1, "serialNumber": "B-1", "soC": 50, "soH": 90}],
        },
        "battery_swap",
        {
            "request": 9,
            "step": "BatteryIn",
            "batteries": [{"evse": 1, "serial": "B-1", "soc_percent": 50, "soh_percent": 90}],
        },
    ),
    "GetCertificateChainStatus": Saying(
        {
            "certificateStatusRequests": [
                {"source": "CRL", "urls": ["http://crl.test"], "certificateHashData": HASHES}
            ]
        },
        "certificate_status_asked",
        {"certificates": [{"serial": "0c", "source": "CRL", "urls": ["http://crl.test"]}]},
        {
            "certificateStatus": [
                {
                    "certificateHashData": HASHES,
                    "source": "CRL",
                    "status": "Failed",
                    "nextUpdate": "1970-01-01T00:00:00Z",
                }
            ]
        },
    ),
    "NotifyDERAlarm": Saying(
        {
            "controlType": "HFMustTrip",
            "gridEventFault": "OverFrequency",
            "alarmEnded": True,
            "timestamp": AT,
            "extraInfo": "51.6 Hz",
        },
        "der_alarm",
        {"control": "HFMustTrip", "fault": "OverFrequency", "ended": True, "info": "51.6 Hz"},
    ),
    "NotifyDERStartStop": Saying(
        {"controlId": "c-1", "started": True, "timestamp": AT, "supersededIds": ["c-0"]},
        "der_control",
        {"control": "c-1", "started": True, "superseded": ["c-0"]},
    ),
    "ReportDERControl": Saying(
        {
            "requestId": 10,
            "fixedVar": [
                {
                    "id": "c-1",
                    "isDefault": True,
                    "isSuperseded": False,
                    "fixedVar": {"priority": 2, "setpoint": 10, "unit": "PctMaxVar"},
                }
            ],
            "gradient": [{"id": "c-2", "gradient": {"priority": 3, "gradient": 1, "softGradient": 1}}],
        },
        "der_controls_reported",
        {
            "request": 10,
            "is_last": True,
            "controls": [
                {"id": "c-1", "type": "fixedVar", "is_default": True, "is_superseded": False, "priority": 2},
                {"id": "c-2", "type": "gradient", "is_default": None, "is_superseded": None, "priority": 3},
            ],
        },
    ),
    "NotifySettlement": Saying(
        {
            "transactionId": "t-1",
            "pspRef": "PSP-SECRET",
            "status": "Settled",
            "settlementAmount": 12.5,
            "settlementTime": AT,
        },
        "settlement",
        {"transaction": "t-1", "status": "Settled", "amount": 12.5},
    ),
    "NotifyWebPaymentStarted": Saying(
        {"evseId": 1, "timeout": 60}, "web_payment_started", {"evse": 1, "timeout_s": 60}
    ),
    "OpenPeriodicEventStream": Saying(
        {"constantStreamData": {"id": 2, "variableMonitoringId": 3, "params": {"interval": 5, "values": 10}}},
        "event_stream",
        {"stream": 2, "step": "opened", "monitor": 3, "interval_s": 5, "values": 10},
        {"status": "Accepted"},
    ),
    "ClosePeriodicEventStream": Saying({"id": 2}, "event_stream", {"stream": 2, "step": "closed"}),
    "VatNumberValidation": Saying(
        {"vatNumber": "NL000099998B57", "evseId": 1},
        "vat_number_asked",
        {"evse": 1},
        {"status": "Rejected", "vatNumber": "NL000099998B57"},
    ),
}
SAYINGS = {"1.6": _16, "2.0.1": _201, "2.1": _21}
# What must be in no event, whatever said it.
UNTELLABLE = ("04AABBCCDD", "PSP-SECRET", "NL000099998B57", "gAECAw==")
