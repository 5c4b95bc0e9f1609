"""Target 4: SetChargingProfile to 2,000 connected stations, all answered and recorded durably, in at most 3 s.

From the first command that is queued, in a process that holds no socket, to the moment that the last answer stands in
its row. The stations answer at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from typing import Any

import psycopg
import uvloop

from tests.bench import endpoint, load

STATIONS = 2_000
GOAL_S = 3
ROUNDS = 3
PROFILE = {
    "connectorId": 0,
    "csChargingProfiles": {
        "chargingProfileId": 7,
        "stackLevel": 1,
        "chargingProfilePurpose": "ChargePointMaxProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": {
            "startSchedule": "2026-07-01T12:00:00Z",
            "duration": 86400,
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 3600 * n, "limit": 10 + n % 6} for n in range(20)],
        },
    },
}
ASKED = b'"SetChargingProfile"'


class Obedient(load.LoadStation):
    """Accepts every profile."""

    def _answered(self, payload: bytes) -> None:
        if payload.startswith(b"[2,"):
            message_id = json.loads(payload)[1]
            status = b'{"status":"Accepted"}' if ASKED in payload else b"{}"
            answer = b'[3,"' + message_id.encode() + b'",' + status + b"]"
            self.transport.write(load.text_frame(answer))


async def _rounds(port: int, database_url: str) -> list[float]:
    """Seconds of each round, told by the process that queues."""
    identities = [f"B{number:05}" for number in range(STATIONS)]
    stations = await load.connect(identities, port=port, password=load.PASSWORD, make=Obedient)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.bench.commands",
        env=endpoint.environment(database_url),
        cwd=endpoint.ROOT,
        stdout=subprocess.PIPE,
    )
    told, _ = await process.communicate()
    for station in stations:
        station.transport.close()
    if process.returncode:
        raise RuntimeError("the commands were not all answered")
    return list(json.loads(told))


def _runs(database_url: str) -> list[float]:
    endpoint.fill(database_url, STATIONS)
    with endpoint.server("tests.bench.server", database_url=database_url) as (_pid, port):
        return uvloop.run(_rounds(port, database_url))


def measure() -> list[dict[str, Any]]:
    endpoint.raise_file_limit()
    runs: dict[str, list[float]] = {"SQLite FULL": [], "PostgreSQL": []}
    for name, database in (("SQLite FULL", endpoint.sqlite), ("PostgreSQL", endpoint.postgres)):
        with contextlib.suppress(psycopg.OperationalError), database() as url:
            runs[name] = _runs(url)
    return [
        endpoint.figure("4", f"a profile to 2,000 stations, {name}", took, "s", GOAL_S, at_most=True)
        for name, took in runs.items()
    ]


def main() -> None:
    """Queue for all, wait for the last answer; as often as there are rounds."""
    import time

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    from django.utils import timezone

    from stations import commands
    from stations.models import Command, Station

    took = []
    for _ in range(ROUNDS):
        began = time.monotonic()
        commands.request_all(
            stations=list(Station.objects.all()),
            action="SetChargingProfile",
            payload=PROFILE,
            origin="bench",
            now=timezone.now(),
        )
        queued = time.monotonic()
        while Command.objects.filter(origin="bench").exclude(state=Command.State.ACCEPTED).exists():
            if time.monotonic() - queued > 60:
                sys.exit(1)
            time.sleep(0.02)
        took.append(round(time.monotonic() - began, 2))
        print(f"queued in {queued - began:.2f} s, all answered in {took[-1]} s", file=sys.stderr)
    print(json.dumps(took))


if __name__ == "__main__":
    main()
