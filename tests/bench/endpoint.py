"""Targets 1, 2 and 3: what a MeterValues and an idle station cost the server.

The server runs on one core, the load and the database on the other; figures are per second of the server process's
own CPU time, and targets 1 and 2 are ratios to the documented example of the `ocpp` package, in the same run.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import uvloop

from tests.bench.load import PASSWORD, LoadStation, connect

ROOT = Path(__file__).resolve().parents[2]
STATIONS = 100
IDLE_STATIONS = 3000
WARM_UP_S = 1.5
MEASURED_S = 5.0
ROUNDS = 3
POSTGRES = "postgres://postgres@127.0.0.1:5432/"


@contextlib.contextmanager
def sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/bench.sqlite3"


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """A database of its own. Raises psycopg.OperationalError where there is no server."""
    name = f"laadbewijs_bench_{os.getpid()}"
    with psycopg.connect(f"{POSTGRES}postgres", autocommit=True, connect_timeout=3) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        try:
            yield f"{POSTGRES}{name}"
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def environment(database_url: str) -> dict[str, str]:
    return os.environ | {
        "DATABASE_URL": database_url,
        "REDIS_URL": "",
        "SECRET_KEY": "bench",
        "LOG_LEVEL": "ERROR",
        "OCPP_MAX_FRAMES_PER_S": "1000000",
        "PYTHONPATH": str(ROOT),
    }


def fill(database_url: str, stations: int) -> None:
    command = [sys.executable, "-m", "tests.bench.fill", str(stations)]
    subprocess.run(command, check=True, cwd=ROOT, env=environment(database_url))


@contextlib.contextmanager
def server(module: str, *arguments: str, database_url: str = "sqlite://") -> Iterator[tuple[int, int]]:
    """A server process pinned to core 0: (pid, port)."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", module, str(port), *arguments],
        cwd=ROOT,
        env=environment(database_url),
    )
    os.sched_setaffinity(process.pid, {0})
    try:
        _wait_for(port, process)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise RuntimeError("the server does not listen")


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


async def _rate(pid: int, port: int, identities: list[str], first: int) -> float:
    """Acknowledged messages per second of the server's CPU time."""
    stations = await connect(identities, port=port, password=PASSWORD)
    for number, station in enumerate(stations):
        station.start(first + number * 1_000_000)
    await asyncio.sleep(WARM_UP_S)
    answered, cpu = _answered(stations), cpu_s(pid)
    await asyncio.sleep(MEASURED_S)
    answered, cpu = _answered(stations) - answered, cpu_s(pid) - cpu
    for station in stations:
        station.running = False
    await asyncio.sleep(0.3)
    errors = sum(station.errors for station in stations)
    for station in stations:
        station.transport.close()
    if errors:
        raise RuntimeError(f"{errors} answers were errors")
    return answered / cpu


def _answered(stations: list[LoadStation]) -> int:
    return sum(station.answered for station in stations)


def measure_rate(module: str, *arguments: str, database_url: str = "sqlite://") -> float:
    identities = [f"B{number:05}" for number in range(STATIONS)]
    with server(module, *arguments, database_url=database_url) as (pid, port):
        return uvloop.run(_rate(pid, port, identities, first=0))


async def _idle(pid: int, port: int, identities: list[str]) -> float:
    """KiB that each further idle station adds, after the first hundred have warmed the process up."""
    first = await connect(identities[:100], port=port, password=PASSWORD)
    await asyncio.sleep(2)
    before = memory_kib(pid)
    rest = await connect(identities[100:], port=port, password=PASSWORD)
    await asyncio.sleep(3)
    grown = memory_kib(pid) - before
    for station in first + rest:
        station.transport.close()
    return grown / len(rest)


def measure_idle(database_url: str) -> float:
    raise_file_limit()
    identities = [f"B{number:05}" for number in range(IDLE_STATIONS)]
    with server("tests.bench.server", database_url=database_url) as (pid, port):
        return uvloop.run(_idle(pid, port, identities))


def raise_file_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20_000), hard))


def measure(rounds: int = ROUNDS) -> list[dict[str, Any]]:
    """Targets 1 (both databases), 2 and 3, interleaved so that a change of the machine's speed hits all alike."""
    os.sched_setaffinity(0, {1} if (os.cpu_count() or 1) > 1 else {0})
    runs: dict[str, list[float]] = {
        "documented": [],
        "sqlite": [],
        "postgres": [],
        "no store": [],
        "idle": [],
    }
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
        runs["documented"].append(measure_rate("tests.bench.documented"))
        with sqlite() as url:
            fill(url, IDLE_STATIONS)
            runs["no store"].append(measure_rate("tests.bench.server", "--no-store", database_url=url))
            runs["sqlite"].append(measure_rate("tests.bench.server", database_url=url))
            runs["idle"].append(measure_idle(url))
        with contextlib.suppress(psycopg.OperationalError), postgres() as url:
            fill(url, STATIONS)
            runs["postgres"].append(measure_rate("tests.bench.server", database_url=url))
    return [
        _ratio("1", "MeterValues durable, SQLite FULL", runs["sqlite"], runs["documented"], 7),
        _ratio("1", "MeterValues durable, PostgreSQL", runs["postgres"], runs["documented"], 5),
        _ratio("2", "MeterValues answered, not stored", runs["no store"], runs["documented"], 10),
        figure("3", "idle station at 3,000", runs["idle"], "KiB", 32, at_most=True),
        figure("-", "documented example of the ocpp package", runs["documented"], "messages per CPU-s", None),
    ]


def _ratio(target: str, name: str, ours: list[float], theirs: list[float], goal: float) -> dict[str, Any]:
    ratios = [a / b for a, b in zip(ours, theirs, strict=False)]
    return figure(target, name, ratios, "x documented example", goal)


def figure(
    target: str, name: str, runs: list[float], unit: str, goal: float | None, *, at_most: bool = False
) -> dict[str, Any]:
    value = statistics.median(runs) if runs else None
    holds = None if value is None or goal is None else (value <= goal if at_most else value >= goal)
    return {
        "target": target,
        "name": name,
        "value": None if value is None else round(value, 2),
        "unit": unit,
        "goal": goal,
        "holds": holds,
        "runs": [round(run, 2) for run in runs],
    }
