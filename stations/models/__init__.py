"""What is out there: parties, sites and stations, sessions and readings, commands, frames and events."""

from stations.models.command import Command
from stations.models.event import Event
from stations.models.frame import Frame
from stations.models.party import Concession, Membership, Municipality, Operator
from stations.models.presence import Presence
from stations.models.session import ChargingSession, MeterReading, Tariff, Token, TransactionEvent
from stations.models.site import Capabilities, ConfigurationValue, Connector, Evse, Site, Station

__all__ = [
    "Capabilities",
    "ChargingSession",
    "Command",
    "Concession",
    "ConfigurationValue",
    "Connector",
    "Event",
    "Evse",
    "Frame",
    "Membership",
    "MeterReading",
    "Municipality",
    "Operator",
    "Presence",
    "Site",
    "Station",
    "Tariff",
    "Token",
    "TransactionEvent",
]
