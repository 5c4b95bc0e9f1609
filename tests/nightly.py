"""`make nightly`: every part is run, whatever an earlier one found. Exit 1 where one did not hold; what could not be
run here is said.

The tests come twice: on SQLite, and on PostgreSQL with Redis. Those are DATABASE_URL and REDIS_URL, or what listens
on the usual ports of this machine. Arguments go to pytest.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import psycopg
import redis

from tests.bench.endpoint import POSTGRES, ROOT

USUAL_REDIS = "redis://127.0.0.1:6379/0"
# A part that hangs is ended, and fails. All of them together take less than an hour on two quiet cores.
LIMIT_S = 3600
TIDYING_S = 60  # what it then has for itself

SERVERS = ("DATABASE_URL", "REDIS_URL")


class Part(NamedTuple):
    """A command to run, on these servers (none: SQLite alone); `lacking` says why it cannot be run."""

    name: str
    arguments: tuple[str, ...]
    servers: Mapping[str, str]
    lacking: str = ""


class Outcome(NamedTuple):
    name: str
    word: str  # ok, FAILED, or not run
    took_s: float
    why: str = ""


def parts(pytest_arguments: list[str]) -> Iterator[Part]:
    """The speed first, while the machine is quiet."""
    given = {name: os.environ[name] for name in SERVERS if os.environ.get(name)}
    database = given.get("DATABASE_URL", "")
    both = {
        "DATABASE_URL": database if database.startswith("postgres") else f"{POSTGRES}postgres",
        "REDIS_URL": given.get("REDIS_URL", USUAL_REDIS),
    }
    tests = ("-m", "pytest", "-m", "nightly", "--durations=0", "--durations-min=5", *pytest_arguments)
    yield Part("speed", ("-m", "tests.bench"), given)
    yield Part("speed over many stations and a big fleet", ("-m", "tests.bench", "--nightly"), given)
    yield Part("tests on SQLite", tests, {})
    yield Part("tests on PostgreSQL with Redis", tests, both, _lacking(both))


def _lacking(servers: Mapping[str, str]) -> str:
    """Why there is no PostgreSQL with Redis; empty: they answer."""
    try:
        psycopg.connect(servers["DATABASE_URL"], connect_timeout=3).close()
        redis.Redis.from_url(servers["REDIS_URL"], socket_connect_timeout=3).ping()
    except (psycopg.OperationalError, redis.RedisError) as error:
        return str(error).strip().splitlines()[0]
    return ""


def run(part: Part) -> Outcome:
    print(f"\n=== {part.name}", flush=True)
    if part.lacking:
        print(f"not run: {part.lacking}", flush=True)
        return Outcome(part.name, "not run", 0.0, part.lacking)
    began = time.monotonic()
    environment = {name: value for name, value in os.environ.items() if name not in SERVERS}
    why = _ended([sys.executable, *part.arguments], {**environment, **part.servers})
    return Outcome(part.name, "FAILED" if why else "ok", time.monotonic() - began, why)


def _ended(command: list[str], environment: dict[str, str]) -> str:
    """Run the command; gives what was wrong with its end. As upon Ctrl-C it may tidy up after its time."""
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        status = process.wait(LIMIT_S)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(TIDYING_S)
        process.kill()  # a shell that started us in the background had it ignore the interrupt
        process.wait()
        return f"not done after {LIMIT_S / 60:.0f} minutes"
    return f"exit {status}" if status else ""


def run_all(parts_to_run: Iterable[Part]) -> int:
    """The status to exit with: 1 where a part failed."""
    outcomes = [run(part) for part in parts_to_run]
    total_s = sum(one.took_s for one in outcomes)
    print(f"\n=== nightly: {total_s / 60:.1f} minutes")
    for one in outcomes:
        print(f"{one.word:<8} {one.took_s / 60:5.1f} min  {one.name}{f' ({one.why})' if one.why else ''}")
    return int(any(one.word == "FAILED" for one in outcomes))


if __name__ == "__main__":
    sys.exit(run_all(parts(sys.argv[1:])))
