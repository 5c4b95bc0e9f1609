"""What a station has to say, whatever the OCPP version it says it in."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from portal.simulator.metering import Sample
from portal.simulator.profiles import StoredProfile
from portal.simulator.settings import Settings
from portal.simulator.wire import Message, Payload, Version

AVAILABLE, PREPARING, CHARGING, SUSPENDED_EV, SUSPENDED_EVSE, FINISHING, UNAVAILABLE, RESERVED = (
    "Available",
    "Preparing",
    "Charging",
    "SuspendedEV",
    "SuspendedEVSE",
    "Finishing",
    "Unavailable",
    "Reserved",
)


@dataclass(slots=True)
class Transaction:
    """`key` is the station's own id (2.x), `number` the CSMS's (1.6, None until it answered)."""

    evse: int
    token: str
    started_at: datetime
    import_wh: float
    remote: bool = False
    remote_start_id: int | None = None
    reservation_id: int | None = None
    key: str = field(default_factory=lambda: str(uuid.uuid4()))
    number: int | None = None
    priority: bool = False  # 2.1, UsePriorityCharging
    state: str = PREPARING
    events: int = 0
    next_sample_at: datetime | None = None

    def next_event(self) -> int:
        """seqNo of the next TransactionEvent: 0, 1, 2, ..."""
        self.events += 1
        return self.events - 1


class Dialect(Protocol):
    """Encodes; knows no station. Each Message is built when it is sent, so ids may still be unknown here."""

    version: Version
    settings: Settings
    firmware: str  # that it boots with
    reports_station_status: bool  # 1.6 has a connector 0, 2.x reports EVSEs only

    def boot(self, reason: str) -> Message: ...

    def heartbeat(self) -> Message: ...

    def status(self, evse: int, status: str, at: datetime) -> Message: ...

    def status_name(self, status: str) -> str:
        """The status as this version words it: 2.x knows only Occupied where 1.6 knows five."""
        ...

    def firmware_status(self) -> Message: ...

    def authorize(self, token: str) -> Message: ...

    def token_accepted(self, answer: Payload) -> bool: ...

    def started(
        self, tx: Transaction, sample: Sample, *, offline: bool, refused: Callable[[], None]
    ) -> Message: ...

    def sampled(self, tx: Transaction, sample: Sample, *, offline: bool) -> Message | None:
        """None where the settings leave nothing to say."""
        ...

    def state_changed(self, tx: Transaction, sample: Sample, *, offline: bool) -> Message | None: ...

    def ended(self, tx: Transaction, sample: Sample, reason: str, *, offline: bool) -> Message: ...

    def measured(self, evse: int, samples: Sequence[Sample], tx: Transaction | None) -> Message | None: ...

    def limit_set(self, profile: Payload) -> Message | None:
        """Somebody else than the CSMS limits the whole station, as a charging profile says; None: no word for it."""
        ...

    def limit_cleared(self) -> Message | None: ...

    def transaction_name(self, tx: Transaction) -> str: ...

    def read_profile(self, evse: int, wire: Payload) -> StoredProfile: ...

    @property
    def sample_interval_s(self) -> int: ...

    @property
    def aligned_interval_s(self) -> int: ...

    @property
    def heartbeat_interval_s(self) -> int: ...

    @heartbeat_interval_s.setter
    def heartbeat_interval_s(self, seconds: int) -> None: ...

    @property
    def connection_timeout_s(self) -> int: ...
