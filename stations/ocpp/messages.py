"""What stations say and what we answer, the same for every OCPP version. Pure.

v16 and v2 decode payloads to these and encode the answers. Energies are Wh, times aware UTC; tokens do not show in a
repr, so that no log holds one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ocpp.v16.enums import AuthorizationStatus

from stations.ocpp.device import Place

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
    reservation_id: int | None = None


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
    reservation_id: int | None = None


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
    # Of 2.x only, as far as it was said; `place` is the same as component and name, part by part.
    place: Place | None = None
    attribute: str = "Actual"
    mutability: str = ""
    data_type: str = ""
    unit: str = ""
    min_limit: float | None = None
    persistent: bool | None = None
    constant: bool | None = None
    supports_monitoring: bool | None = None
    is_unknown: bool = False  # asked for by name, and the station does not have it


@dataclass(frozen=True, slots=True)
class Report:
    """NotifyReport: a part of what GetBaseReport asked for."""

    request_id: int
    seq_no: int
    is_last: bool
    values: tuple[ReportedValue, ...]


@dataclass(frozen=True, slots=True)
class ReportedMonitor:
    place: Place
    number: int
    kind: str
    value: float
    severity: int
    only_in_transactions: bool
    made_by: str = ""  # 2.1 says it


@dataclass(frozen=True, slots=True)
class MonitorReport:
    """NotifyMonitoringReport: a part of what GetMonitoringReport asked for."""

    request_id: int
    seq_no: int
    is_last: bool
    monitors: tuple[ReportedMonitor, ...]


@dataclass(frozen=True, slots=True)
class DeviceEvent:
    """What a monitor of the station, or the station by itself, noticed. `severity` is said from 2.1 on."""

    place: Place
    number: int
    at: datetime
    trigger: str
    value: str = field(repr=False)
    kind: str
    is_cleared: bool
    monitor: int | None
    severity: int | None
    cause: int | None
    code: str
    info: str = field(repr=False)
    transaction_id: str


@dataclass(frozen=True, slots=True)
class DeviceEvents:
    """NotifyEvent."""

    events: tuple[DeviceEvent, ...]


@dataclass(frozen=True, slots=True)
class ReportedProfiles:
    """ReportChargingProfiles (2.x): a part of the answer to GetChargingProfiles. Profiles are as on the wire."""

    request_id: int
    evse_number: int
    source: str
    is_last: bool
    profiles: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class ExternalLimit:
    """NotifyChargingLimit (2.x): something beside us limits the station. EVSE 0 is the station; None: not said."""

    evse_number: int
    source: str
    is_grid_critical: bool | None
    is_local_generation: bool | None
    schedules: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class ExternalLimitCleared:
    """ClearedChargingLimit (2.x)."""

    evse_number: int
    source: str


@dataclass(frozen=True, slots=True)
class PriorityCharging:
    """NotifyPriorityCharging (2.1): a driver switched it on or off at the station."""

    transaction_id: str
    activated: bool


@dataclass(frozen=True, slots=True)
class DynamicUpdateAsked:
    """PullDynamicScheduleUpdate (2.1): the station asks for the next values of a Dynamic profile."""

    profile_id: int


@dataclass(frozen=True, slots=True)
class SigningRequest:
    """SignCertificate: a PKCS #10 request (PEM). 1.6 has no kind, and only 2.1 a request id."""

    csr: str = field(repr=False)
    kind: str = ""
    request_id: int | None = None


@dataclass(frozen=True, slots=True)
class UploadStatus:
    """LogStatusNotification, and 1.6's DiagnosticsStatusNotification, which names no request."""

    action: str
    status: str
    request_id: int | None


@dataclass(frozen=True, slots=True)
class ReservationStatus:
    """ReservationStatusUpdate (2.x): a reservation is over without a transaction of its own."""

    reservation_id: int
    status: str


@dataclass(frozen=True, slots=True)
class Noted:
    """A message that is kept as an event of its own `kind`, and moves nothing else (stations.ocpp.noted).

    `at` is None where the station gave no time; `asked` is the payload, of which some answers repeat a part.
    """

    action: str
    kind: str
    data: dict[str, Any] = field(repr=False)
    at: datetime | None
    asked: dict[str, Any] = field(repr=False)


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
    | MonitorReport
    | DeviceEvents
    | ReportedProfiles
    | ExternalLimit
    | ExternalLimitCleared
    | PriorityCharging
    | DynamicUpdateAsked
    | SigningRequest
    | UploadStatus
    | ReservationStatus
    | Noted
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
    group_id: str = field(default="", repr=False)  # parentIdTag, groupIdToken: who may stop it too
    evses: tuple[int, ...] = ()  # the only ones of this station at which it holds; none: all of them
    is_elsewhere: bool = False  # Invalid, for it holds at other places: 2.x has a word for that


@dataclass(frozen=True, slots=True)
class Authorized:
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class TransactionStarted:
    transaction_id: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class TransactionNoted:
    """The answer to a StopTransaction and to every TransactionEvent: a verdict only where a token came with it.

    `total_cost`: with taxes, to a 2.x station that shows it, when the transaction has ended (2.0.1, I03).
    """

    verdict: Verdict | None
    total_cost: float | None = None


@dataclass(frozen=True, slots=True)
class VendorUnknown:
    pass


@dataclass(frozen=True, slots=True)
class SigningAnswered:
    """Whether the certificate will come (CertificateSigned)."""

    accepted: bool


@dataclass(frozen=True, slots=True)
class Empty:
    """Nothing to say, or (NeutralReply) only what the schema requires."""


@dataclass(frozen=True, slots=True)
class NeutralReply:
    """`asked`: the payload of the question, of which some answers must repeat a part."""

    action: str
    asked: dict[str, Any] = field(default_factory=dict, repr=False)


Reply = (
    BootAccepted
    | CurrentTime
    | Authorized
    | TransactionStarted
    | TransactionNoted
    | VendorUnknown
    | SigningAnswered
    | Empty
    | NeutralReply
)
