"""What stations say and what we answer, the same for every OCPP version. Pure.

v16 and v2 decode payloads to these and encode the answers. Energies are Wh, times aware UTC; tokens do not show in a
repr, so that no log holds one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ocpp.v16.enums import AuthorizationStatus

from stations.ocpp.readings import parse_time
from stations.ocpp.rpc import CallFailed

MAX_EVSE = 100
MAX_REGISTER_WH = 1e15
MeterValues = list[dict[str, Any]]  # as on the wire: stations.ocpp.readings knows what is in them


# ---------------------------------------------------------------- from the station
@dataclass(frozen=True, slots=True)
class BootNotification:
    vendor: str
    model: str
    serial_number: str
    firmware: str
    reason: str  # 1.6 gives none


@dataclass(frozen=True, slots=True)
class Heartbeat:
    pass


@dataclass(frozen=True, slots=True)
class StatusNotification:
    """EVSE 0 is the station itself. `at` is None where the station gave no time (1.6)."""

    evse_number: int
    connector_number: int
    status: str
    error_code: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class IdToken:
    """A token as it was read. `needs_check`: False for a start without identification (2.x, NoAuthorization)."""

    value: str = field(repr=False)
    needs_check: bool = True


@dataclass(frozen=True, slots=True)
class Authorize:
    id_token: IdToken


@dataclass(frozen=True, slots=True)
class StartTransaction:
    """1.6 alone: the station asks for the transaction's number."""

    connector_number: int
    id_token: IdToken
    import_wh: float
    at: datetime


@dataclass(frozen=True, slots=True)
class StopTransaction:
    """1.6 alone."""

    transaction_id: str
    import_wh: float
    at: datetime
    reason: str
    id_token: IdToken | None
    meter_values: MeterValues


@dataclass(frozen=True, slots=True)
class TransactionEvent:
    """2.x: Started, Updated or Ended. Events may come late, twice, or out of their order."""

    event_type: str
    transaction_id: str
    seq_no: int
    trigger_reason: str
    at: datetime
    offline: bool
    charging_state: str
    stopped_reason: str
    evse_number: int | None
    id_token: IdToken | None
    meter_values: MeterValues


@dataclass(frozen=True, slots=True)
class DataTransfer:
    vendor_id: str
    message_name: str


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    kind: str
    at: datetime
    info: str


@dataclass(frozen=True, slots=True)
class FirmwareStatus:
    action: str
    status: str
    request_id: int | None


@dataclass(frozen=True, slots=True)
class ReportedValue:
    """One variable (2.x) or configuration key (1.6: no component) with what it was read as. None: not said."""

    component: str
    name: str
    value: str | None
    readonly: bool | None = None
    max_limit: float | None = None
    choices: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """NotifyReport: a part of what GetBaseReport asked for."""

    request_id: int
    seq_no: int
    is_last: bool
    values: tuple[ReportedValue, ...]


@dataclass(frozen=True, slots=True)
class Neutral:
    """A message that this product does not act on: answered, and kept as an event."""

    action: str
    payload: dict[str, Any] = field(repr=False)


Message = (
    BootNotification
    | Heartbeat
    | StatusNotification
    | Authorize
    | StartTransaction
    | StopTransaction
    | TransactionEvent
    | DataTransfer
    | SecurityEvent
    | FirmwareStatus
    | Report
    | Neutral
)


# ---------------------------------------------------------------- to the station
@dataclass(frozen=True, slots=True)
class BootAccepted:
    now: datetime
    interval_s: int


@dataclass(frozen=True, slots=True)
class CurrentTime:
    now: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """On a token. The names are 1.6's (7.2); 2.x has them too."""

    status: AuthorizationStatus
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Authorized:
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class TransactionStarted:
    transaction_id: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class TransactionNoted:
    """The answer to a StopTransaction and to every TransactionEvent: a verdict only where a token came with it."""

    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class VendorUnknown:
    pass


@dataclass(frozen=True, slots=True)
class Empty:
    """Nothing to say, or (NeutralReply) only what the schema requires."""


@dataclass(frozen=True, slots=True)
class NeutralReply:
    action: str


Reply = (
    BootAccepted
    | CurrentTime
    | Authorized
    | TransactionStarted
    | TransactionNoted
    | VendorUnknown
    | Empty
    | NeutralReply
)


# What the schemas require of an answer that means "noted": the one table of neutral answers, for all versions.
# We sign no certificates (SignCertificate), answer no contract (Get15118EVCertificate), plan no ISO 15118 schedule.
REQUIRED_IN_NEUTRAL: dict[str, dict[str, Any]] = {
    "SignCertificate": {"status": "Rejected"},
    "Get15118EVCertificate": {"status": "Failed", "exiResponse": ""},
    "GetCertificateStatus": {"status": "Failed"},
    "NotifyEVChargingNeeds": {"status": "Rejected"},
    "NotifyEVChargingSchedule": {"status": "Accepted"},
    # 2.1
    "OpenPeriodicEventStream": {"status": "Rejected"},
    "PullDynamicScheduleUpdate": {"status": "Rejected"},
}


def whole_number(value: int, *, field_name: str, at_most: int) -> int:
    """`value`, which must be 0 to `at_most`: schemas set no bounds, columns have them. Raises CallFailed."""
    if not 0 <= value <= at_most:
        raise CallFailed("PropertyConstraintViolation", f"{field_name}: must be 0 to {at_most}")
    return value


def register_wh(value: float, *, field_name: str) -> float:
    """A register's value in Wh, within reason. Raises CallFailed."""
    if not abs(value) <= MAX_REGISTER_WH:
        raise CallFailed("PropertyConstraintViolation", f"{field_name}: no register reaches {value:.3g} Wh")
    return float(value)


def readable(meter_values: MeterValues) -> MeterValues:
    """Those whose time can be read: one that cannot must not hold up the transaction that it came with (rule 6)."""
    return [meter_value for meter_value in meter_values if _has_time(meter_value)]


def _has_time(meter_value: dict[str, Any]) -> bool:
    try:
        parse_time(meter_value["timestamp"])
    except CallFailed:
        return False
    return True


def not_from_stations(action: str, version: str) -> CallFailed:
    return CallFailed("NotSupported", f"{action[:50]} is not a message from a station in OCPP {version}")
