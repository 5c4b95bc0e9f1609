"""Target 7: every page over a fleet of 10,000 stations, 1,000,000 sessions and 10,000,000 readings on PostgreSQL.

`make_fleet` makes it once, in the database laadbewijs_fleet on the server of DATABASE_URL (or of this machine), where
it stays for the next time: some minutes and about 6 GB. FLEET_SIZE=1000,100000,1000000 takes another size.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from typing import Any

import psycopg

NAME = "laadbewijs_fleet"
SIZE = os.environ.get("FLEET_SIZE", "10000,1000000,10000000").split(",")
GOAL_MS, GOAL_QUERIES = 60, 15
WARM_UP, ROUNDS = 2, 7


def measure() -> list[dict[str, Any]]:
    """In a process of its own, over the fleet; "not measured" where there is no PostgreSQL."""
    from tests.bench import endpoint

    given = os.environ.get("DATABASE_URL", "")
    server = given.rpartition("/")[0] if given.startswith("postgres") else endpoint.POSTGRES.rstrip("/")
    try:
        _make_database(server)
    except psycopg.OperationalError:
        return [_figure("every page over a big fleet", None, "ms", GOAL_MS)]
    environment = endpoint.environment(f"{server}/{NAME}")
    stations, sessions, readings = SIZE
    size = ["--stations", stations, "--sessions", sessions, "--readings", readings]
    for command in (["migrate", "--verbosity", "0"], ["make_fleet", *size]):
        subprocess.run(
            [sys.executable, "manage.py", *command],
            env=environment,
            cwd=endpoint.ROOT,
            check=True,
            stdout=sys.stderr,
        )
    found = subprocess.run(
        [sys.executable, "-m", "tests.bench.fleet"],
        env=environment,
        cwd=endpoint.ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return list(json.loads(found.stdout))


def _make_database(server: str) -> None:
    with psycopg.connect(f"{server}/postgres", autocommit=True, connect_timeout=3) as connection:
        is_there = connection.execute("SELECT FROM pg_database WHERE datname = %s", [NAME]).fetchone()
        if is_there is None:
            connection.execute(f'CREATE DATABASE "{NAME}"')


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    from django.test.utils import override_settings

    from portal.serving import settle

    settle()
    with override_settings(ALLOWED_HOSTS=["testserver"]):
        print(json.dumps(list(_measured())))


def _measured() -> list[dict[str, Any]]:
    """A row for each page, of the role that waits longest; and one that sums up the queries."""
    from tests.pages.fleet_pages import client_of, pages, people, queries_of

    clients = {role: client_of(user) for role, user in people().items()}
    slowest: dict[str, tuple[float, str, list[float]]] = {}
    most = (0, "")
    for role, address, path in pages():
        runs = [_time_ms(clients[role], path) for _ in range(WARM_UP + ROUNDS)][WARM_UP:]
        median_ms = statistics.median(runs)
        print(f"{median_ms:8.1f} ms  {role:<12} {path}", file=sys.stderr, flush=True)
        slowest[address] = max(slowest.get(address, (0.0, "", [])), (median_ms, role, runs))
        most = max(most, (queries_of(clients[role], path), f"{role} {address}"))
    figures = [
        _figure(f"{address} ({role})", round(median_ms, 1), "ms", GOAL_MS, runs)
        for address, (median_ms, role, runs) in slowest.items()
    ]
    return [*figures, _figure(f"most queries: {most[1]}", most[0], "queries", GOAL_QUERIES)]


def _time_ms(client: Any, path: str) -> float:
    """From question to answer: the database is another process, and its time counts too."""
    began = time.perf_counter()
    status = client.get(path).status_code
    took_ms = (time.perf_counter() - began) * 1000
    if status != 200:
        raise RuntimeError(f"{path} answers {status}")
    return took_ms


def _figure(
    name: str, value: float | None, unit: str, goal: float, runs: list[float] | None = None
) -> dict[str, Any]:
    return {
        "target": "7",
        "name": name,
        "value": value,
        "unit": unit,
        "goal": goal,
        "holds": None if value is None else value <= goal,
        "runs": [round(run, 1) for run in runs or []],
    }


if __name__ == "__main__":
    main()
