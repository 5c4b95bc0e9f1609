"""Target 7 for the pages that compute most, on one busy station; `python -m tests.bench.pages` alone needs a database.

Twelve profiles of twenty periods stand on it, all daily, and one meter was read every minute of the day before.
The pages over a big fleet are measured apart, on PostgreSQL.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from datetime import timedelta
from typing import Any

GOAL_MS = 60
WARM_UP, ROUNDS = 3, 15
PROFILES, PERIODS = 12, 20
READ_EVERY_S = 60  # as the product asks of a station


def measure() -> list[dict[str, Any]]:
    """In a process of its own, with settings and a database of its own."""
    from tests.bench import endpoint

    with endpoint.sqlite() as database:
        found = subprocess.run(
            [sys.executable, "-m", "tests.bench.pages"],
            env=endpoint.environment(database),
            cwd=endpoint.ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
    return list(json.loads(found.stdout))


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    from django.core.management import call_command
    from django.test import Client
    from django.test.utils import override_settings
    from django.utils import timezone

    from portal.serving import settle
    from tests.factories import make_staff

    call_command("migrate", verbosity=0)
    settle()
    _busy_station()
    yesterday = timezone.localdate() - timedelta(days=1)
    client = Client()
    client.force_login(make_staff())
    pages = {
        "station page, 12 profiles of 20 periods": "/stations/B-1/",
        "why this limit, 12 profiles of 20 periods": "/stations/B-1/waarom/",
        "registers, a day read every minute": f"/stations/B-1/registers/?day={yesterday}",
    }
    with override_settings(ALLOWED_HOSTS=["testserver"]):
        print(json.dumps([_figure(name, client, path) for name, path in pages.items()]))


def _busy_station() -> None:
    from django.utils import timezone

    from stations.models import MeterReading
    from tests.factories import make_station
    from tests.pages.visiting import make_online, want

    station = make_station("B-1")
    make_online(station)
    now = timezone.now()
    for level in range(PROFILES):
        periods = [
            {"start_s": number * 600, "limit": 10 + level + number % 5, "phases": None}
            for number in range(PERIODS)
        ]
        want(
            station,
            f"Level {level}",
            stack_level=level,
            kind="recurring",
            recurrency="daily",
            start_schedule=now - timedelta(hours=level),
            duration_s=3600 * (14 - level),
            periods=periods,
        )
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    MeterReading.objects.bulk_create(
        MeterReading(
            station=station,
            evse_number=1,
            sampled_at=midnight - timedelta(seconds=ago),
            received_at=now,
            context="Sample.Periodic",
            import_wh=1e6 - ago,
            export_wh=2e5,
            import_w=7400.0,
        )
        for ago in range(READ_EVERY_S, 86_400, READ_EVERY_S)
    )


def _figure(name: str, client: Any, path: str) -> dict[str, Any]:
    runs = [_time_ms(client, path) for _ in range(WARM_UP + ROUNDS)][WARM_UP:]
    value = statistics.median(runs)
    return {
        "target": "7",
        "name": name,
        "value": round(value, 1),
        "unit": "ms",
        "goal": GOAL_MS,
        "holds": value <= GOAL_MS,
        "runs": [round(run, 1) for run in runs],
    }


def _time_ms(client: Any, path: str) -> float:
    """Processor time of this process: the database is in it."""
    began = time.process_time()
    answer = client.get(path)
    took = (time.process_time() - began) * 1000
    if answer.status_code != 200:
        raise RuntimeError(f"{path} answers {answer.status_code}")
    return took


if __name__ == "__main__":
    main()
