"""What is out there: parties, sites and stations, sessions and readings, commands, frames and events."""

from stations.models.aside import Aside
from stations.models.audit import AuditEntry
from stations.models.claim import TokenClaim
from stations.models.command import Command
from stations.models.device import (
    Capabilities,
    ConfigurationChange,
    ConfigurationRollout,
    ConfigurationTemplate,
    ConfigurationValue,
    DeviceReading,
    RolloutStation,
    TemplateEntry,
    VariableMonitor,
)
from stations.models.event import Event
from stations.models.frame import Frame
from stations.models.history import ConnectionHealth, ConnectionSpan
from stations.models.local_list import LocalList
from stations.models.party import Concession, Membership, Municipality, Operator
from stations.models.presence import Presence
from stations.models.reservation import Reservation
from stations.models.rollup import QuarterHour, RollUp
from stations.models.security import InstalledCertificate, ProfileRaise, SecretRotation, StationCertificate
from stations.models.session import ChargingSession, MeterReading, TransactionEvent
from stations.models.site import Connector, Evse, Site, Station
from stations.models.tariff import Tariff
from stations.models.token import Token, TokenGroup
from stations.models.upload import FirmwareImage, FirmwareUpdate, UploadTicket

__all__ = [
    "Aside",
    "AuditEntry",
    "Capabilities",
    "ChargingSession",
    "Command",
    "Concession",
    "ConfigurationChange",
    "ConfigurationRollout",
    "ConfigurationTemplate",
    "ConfigurationValue",
    "ConnectionHealth",
    "ConnectionSpan",
    "Connector",
    "DeviceReading",
    "Event",
    "Evse",
    "FirmwareImage",
    "FirmwareUpdate",
    "Frame",
    "InstalledCertificate",
    "LocalList",
    "Membership",
    "MeterReading",
    "Municipality",
    "Operator",
    "Presence",
    "ProfileRaise",
    "QuarterHour",
    "Reservation",
    "RollUp",
    "RolloutStation",
    "SecretRotation",
    "Site",
    "Station",
    "StationCertificate",
    "Tariff",
    "TemplateEntry",
    "Token",
    "TokenClaim",
    "TokenGroup",
    "TransactionEvent",
    "UploadTicket",
    "VariableMonitor",
]
