"""What a station says of itself, in the words of the page. A word that is not known here is shown as it came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stations.models import Connector

# ChargePointStatus of OCPP 1.6 and ConnectorStatusEnumType of 2.x.
CONNECTOR_STATUS: Mapping[str, object] = {
    "Available": gettext_lazy("free"),
    "Preparing": gettext_lazy("preparing"),
    "Charging": gettext_lazy("charging"),
    "SuspendedEV": gettext_lazy("waiting for the car"),
    "SuspendedEVSE": gettext_lazy("paused by the station"),
    "Finishing": gettext_lazy("finishing"),
    "Reserved": gettext_lazy("reserved"),
    "Occupied": gettext_lazy("occupied"),
    "Unavailable": gettext_lazy("out of service"),
    "Faulted": gettext_lazy("faulted"),
}


# Reason of a StopTransaction (1.6) and ReasonEnumType (2.x), as a driver reads it.
END_REASON: Mapping[str, object] = {
    "DeAuthorized": gettext_lazy("The card was no longer accepted."),
    "EmergencyStop": gettext_lazy("The emergency button was pressed."),
    "EnergyLimitReached": gettext_lazy("The amount of energy that was asked for is reached."),
    "EVDisconnected": gettext_lazy("The plug was taken out."),
    "Local": gettext_lazy("Stopped at the station."),
    "MasterPass": gettext_lazy("Stopped by the operator at the station."),
    "PowerLoss": gettext_lazy("The station lost its power."),
    "Reboot": gettext_lazy("The station restarted."),
    "HardReset": gettext_lazy("The station restarted."),
    "SoftReset": gettext_lazy("The station restarted."),
    "ImmediateReset": gettext_lazy("The station restarted."),
    "Remote": gettext_lazy("Stopped from a distance."),
    "SOCLimitReached": gettext_lazy("The battery is as full as was asked."),
    "StoppedByEV": gettext_lazy("The car stopped."),
    "TimeLimitReached": gettext_lazy("The time that was asked for is over."),
    "UnlockCommand": gettext_lazy("The plug was released from a distance."),
    "GroundFault": gettext_lazy("A fault in the cable or the car."),
    "OvercurrentFault": gettext_lazy("The car drew too much current."),
}


def connector_status(status: str) -> str:
    return str(CONNECTOR_STATUS.get(status, status)) if status else _("not reported yet")


def socket_status(connectors: Iterable[Connector]) -> str:
    return ", ".join(connector_status(connector.status) for connector in connectors)


def end_reason(reason: str) -> str:
    return str(END_REASON.get(reason, reason))
