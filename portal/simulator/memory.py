"""What a station knows after its power was cut: how its meters stood, and the transactions that were open."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from portal.simulator.dialect import SUSPENDED_EV, Transaction
from portal.simulator.sockets import Socket


@dataclass(frozen=True, slots=True)
class Memory:
    """A file that is written while the station lives; without a path nothing is remembered."""

    path: Path | None

    def keep(self, sockets: Iterable[Socket], at: datetime) -> None:
        """Write down how it stands at `at`; a cut in the middle of it leaves the text of before."""
        if self.path is None:
            return
        rows = [_row(s) for s in sockets]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_suffix(".new")
        beside.write_text(json.dumps({"at": at.isoformat(), "sockets": rows}), encoding="utf-8")
        beside.replace(self.path)

    def recall(self, sockets: dict[int, Socket]) -> list[tuple[Transaction, datetime]]:
        """Set the meters to where they stood, if that is further on; the transactions that were cut off, and when."""
        if self.path is None or not self.path.is_file():
            return []
        kept = json.loads(self.path.read_text(encoding="utf-8"))
        cut = []
        for row in kept["sockets"]:
            if row["evse"] not in sockets:
                continue
            meter = sockets[row["evse"]].meter
            if row["open"] is not None:
                meter.taken_wh = row["import_wh"]
                cut.append((_transaction(row["evse"], row["open"]), datetime.fromisoformat(kept["at"])))
            meter.taken_wh = max(meter.taken_wh, row["import_wh"])
            meter.given_wh = max(meter.given_wh, row.get("export_wh", 0.0))
        return cut


def _row(socket: Socket) -> dict[str, Any]:
    meter = socket.meter
    return {
        "evse": socket.evse,
        "import_wh": meter.taken_wh,
        "export_wh": meter.given_wh,
        "open": _open(socket),
    }


def _open(socket: Socket) -> dict[str, Any] | None:
    """None also where the CSMS of 1.6 gave no number yet: nothing can be said of it afterwards."""
    tx = socket.transaction
    if tx is None:
        return None
    return {
        "token": tx.token,
        "started_at": tx.started_at.isoformat(),
        "import_wh": tx.import_wh,
        "key": tx.key,
        "number": tx.number,
        "events": tx.events,
    }


def _transaction(evse: int, kept: dict[str, Any]) -> Transaction:
    return Transaction(
        evse=evse,
        token=kept["token"],
        started_at=datetime.fromisoformat(kept["started_at"]),
        import_wh=kept["import_wh"],
        key=kept["key"],
        number=kept["number"],
        state=SUSPENDED_EV,
        events=kept["events"],
    )
