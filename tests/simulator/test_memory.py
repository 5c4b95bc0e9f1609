"""Power that is cut: what was open is ended at the next start, and no register falls."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from portal.simulator.cars import Car
from portal.simulator.simulated import SimulatedStation
from portal.simulator.spec import StationSpec
from tests.simulator.conftest import station_of
from tests.simulator.csms import Csms


async def cut_off(station: SimulatedStation, running: asyncio.Task[None]) -> None:
    """As SIGKILL does: nothing more is said."""
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def is_kept(path: Path, version: str) -> bool:
    """In 1.6 that takes the number that the CSMS gave."""
    if not path.exists():
        return False  # before its first tick
    kept = json.loads(path.read_text())["sockets"][0]
    return bool(kept["open"] and kept["import_wh"] > 0 and (version != "1.6" or kept["open"]["number"]))


async def test_what_was_open_is_ended_at_the_next_start(csms: Csms, version: str, tmp_path: Path) -> None:
    spec = StationSpec(
        identity="ST-1", url=csms.url, ocpp=version, password="secret", memory=tmp_path / "ST-1.json"
    )
    first = station_of(spec)
    running = asyncio.create_task(first.run())
    started, ended = (
        ("StartTransaction", "StopTransaction") if version == "1.6" else ("TransactionEvent",) * 2
    )
    await csms.sees("StatusNotification", times=3 if version == "1.6" else 2)
    assert await first.plug_in(1, Car(soc=0.2, token="TOKEN"))
    await csms.sees(started)
    await csms.until(lambda: is_kept(tmp_path / "ST-1.json", version), "the session in the file, with energy")
    stood_wh = first.station.sockets[1].meter.import_wh
    await cut_off(first, running)
    await csms.until(lambda: csms.socket is None, "the line go down, with all that was on it")
    before = len(csms.seen(ended))

    second = station_of(spec)
    running = asyncio.create_task(second.run())
    last = (await csms.sees(ended, times=before + 1)).payload
    reason = last["reason"] if version == "1.6" else last["transactionInfo"]["stoppedReason"]
    assert reason == "PowerLoss"
    if version != "1.6":
        assert last["eventType"] == "Ended"
        assert last["offline"] is True
    assert second.station.sockets[1].meter.import_wh >= stood_wh * 0.9
    await cut_off(second, running)


def test_without_a_file_nothing_is_remembered(tmp_path: Path) -> None:
    station = SimulatedStation(StationSpec(identity="ST-2", url="ws://localhost:1"))
    assert station.station.memory.recall(station.station.sockets) == []
    assert list(tmp_path.iterdir()) == []
