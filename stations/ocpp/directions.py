"""Which way an action goes: what a CSMS asks of a station; all else of its version, a station asks of the CSMS. Pure.

From OCPP 1.6 (chapters 4 and 5) with its security whitepaper, and part 2 of 2.0.1 and 2.1 ("messages"): the schemas
that ship with the `ocpp` package do not say it. DataTransfer goes both ways.
"""

from __future__ import annotations

from stations.ocpp import validation
from stations.ocpp.rpc import CallFailed

BOTH_WAYS = frozenset({"DataTransfer"})

_EVERY_VERSION = frozenset(
    {
        "CancelReservation", "CertificateSigned", "ChangeAvailability", "ClearCache", "ClearChargingProfile",
        "DataTransfer", "DeleteCertificate", "GetCompositeSchedule", "GetInstalledCertificateIds",
        "GetLocalListVersion", "GetLog", "InstallCertificate", "ReserveNow", "Reset", "SendLocalList",
        "SetChargingProfile", "TriggerMessage", "UnlockConnector", "UpdateFirmware",
    }
)  # fmt: skip
_ONLY_V16 = frozenset(
    {
        "ChangeConfiguration", "ExtendedTriggerMessage", "GetConfiguration", "GetDiagnostics", "RemoteStartTransaction",
        "RemoteStopTransaction", "SignedUpdateFirmware",
    }
)  # fmt: skip
_SINCE_V201 = frozenset(
    {
        "ClearDisplayMessage", "ClearVariableMonitoring", "CostUpdated", "CustomerInformation", "GetBaseReport",
        "GetChargingProfiles", "GetDisplayMessages", "GetMonitoringReport", "GetReport", "GetTransactionStatus",
        "GetVariables", "PublishFirmware", "RequestStartTransaction", "RequestStopTransaction", "SetDisplayMessage",
        "SetMonitoringBase", "SetMonitoringLevel", "SetNetworkProfile", "SetVariableMonitoring", "SetVariables",
        "UnpublishFirmware",
    }
)  # fmt: skip
_SINCE_V21 = frozenset(
    {
        "AFRRSignal", "AdjustPeriodicEventStream", "ChangeTransactionTariff", "ClearDERControl", "ClearTariffs",
        "GetDERControl", "GetPeriodicEventStream", "GetTariffs", "NotifyAllowedEnergyTransfer",
        "NotifyWebPaymentStarted", "RequestBatterySwap", "SetDERControl", "SetDefaultTariff", "UpdateDynamicSchedule",
        "UsePriorityCharging",
    }
)  # fmt: skip

TO_STATION: dict[str, frozenset[str]] = {
    "1.6": _EVERY_VERSION | _ONLY_V16,
    "2.0.1": _EVERY_VERSION | _SINCE_V201,
    "2.1": _EVERY_VERSION | _SINCE_V201 | _SINCE_V21,
}


class WrongDirection(validation.UnknownAction):
    """The version has the action, but it is a station that asks it."""


def from_station(version: str) -> frozenset[str]:
    """What a station of this version may ask of us."""
    return (validation.actions(version) - TO_STATION[version]) | BOTH_WAYS


def check_to_station(version: str, action: str) -> None:
    """Raises UnknownAction where the version does not have it, WrongDirection where only a station asks it."""
    if action in TO_STATION[version]:
        return
    if action in validation.actions(version):
        raise WrongDirection(f"in OCPP {version} a station sends {action}; it cannot be asked of one")
    raise validation.UnknownAction(f"OCPP {version} has no action {action[:50]!r}")


def not_from_stations(action: str, version: str) -> CallFailed:
    return CallFailed("NotSupported", f"{action[:50]} is not a message from a station in OCPP {version}")
