"""A station tells of its sessions, in its own version's words, through the code that takes in what a socket brings.

The words are the simulator's; nothing here knows what the check looks at.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import time
from dataclasses import dataclass
from typing import Any

from portal.simulator import past
from portal.simulator.defects import named
from portal.simulator.dialect import Dialect
from portal.simulator.metering import Meter
from portal.simulator.spec import PastSession, StationSpec
from portal.simulator.storing import Capabilities
from portal.simulator.v2 import Speech2
from portal.simulator.v16 import Speech16
from portal.simulator.wire import encode
from stations import intake
from stations.ingest import insert_readings
from stations.models import ChargingSession, Station
from stations.ocpp import masking, rpc
from stations.ocpp.readings import rows_of

HOUR = dt.timedelta(hours=1)


@dataclass
class Line:
    """What one station says, message after message; each is taken in at `clock`, a little later than the last."""

    station: Station
    clock: dt.datetime

    def __post_init__(self) -> None:
        self.numbers = itertools.count(1)
        self.station_id: int = self.station.pk
        self.identity: str = self.station.identity
        self.version: str = self.station.ocpp_version

    def say(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        self.clock += dt.timedelta(milliseconds=20)
        message_id = f"{self.station.pk}-{self.clock.timestamp():.3f}-{next(self.numbers)}"[:36]
        text = encode([2, message_id, action, payload])
        frame = rpc.parse(text)
        assert isinstance(frame, rpc.Call)
        if action == "MeterValues":
            self._measure(payload, message_id, text)
            return {}
        called = intake.Called(self, frame, text, self.clock, time.monotonic())
        ((answer, _),) = intake.take_calls([called])
        kind, _id, content = json.loads(answer or "")
        assert kind == 3, answer
        return dict(content)

    def _measure(self, payload: dict[str, Any], message_id: str, text: str) -> None:
        """As the gateway does it on its fast path."""
        rows = rows_of(
            payload["meterValue"],
            station_id=self.station.pk,
            evse_number=int(payload.get("connectorId", 0) or payload["evseId"]),
            transaction_id=str(payload.get("transactionId", "")),
            received_at=self.clock,
            message_id=message_id,
            message=masking.mask_text(text, "MeterValues"),
        )
        insert_readings(rows)

    def boot(self, firmware: str) -> None:
        self.say(
            "BootNotification",
            {"chargePointVendor": "V", "chargePointModel": "M", "firmwareVersion": firmware}
            if self.version == "1.6"
            else {
                "reason": "PowerUp",
                "chargingStation": {"vendorName": "V", "model": "M", "firmwareVersion": firmware},
            },
        )
        self.station.refresh_from_db()


def tell(
    line: Line,
    *sessions: PastSession,
    defect: str | None = None,
    dialect: Dialect | None = None,
    most: int | None = None,
) -> list[ChargingSession]:
    """What `sessions` left, told now; `most`: only so many messages, as of a session that still runs."""
    spec = StationSpec(line.station.identity, "ws://x", ocpp=line.version, defect=defect)
    speech = dialect or (
        Speech16(spec, Capabilities()) if line.version == "1.6" else Speech2(spec, Capabilities())
    )
    meters = {evse: Meter(1000.0 * evse, 500.0, defect=named(defect)) for evse in (1, 2)}
    for message in past.tell(sessions, meters, speech)[:most]:
        message.answered(line.say(message.action, message.build()))
    rows = ChargingSession.objects.filter(station=line.station).order_by("-pk")
    return list(rows[: len(sessions)])[::-1]


def v2g(started_at: dt.datetime, **fields: Any) -> PastSession:
    """Some kWh in, then more out, at a sample each five minutes or as told."""
    said: dict[str, Any] = {
        "evse": 1,
        "token": "04A1B2C3",
        "started_at": started_at,
        "ended_at": started_at + 4 * HOUR,
        "energy_wh": 5000.0,
        "discharge_wh": 8000.0,
        "sample_interval_s": 300,
    }
    return PastSession(**{**said, **fields})


def charged(started_at: dt.datetime, **fields: Any) -> PastSession:
    return v2g(started_at, discharge_wh=0.0, **fields)
