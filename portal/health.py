"""Whether this process lives, and whether it can do its work: for whoever watches over it."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe


@require_safe
@login_not_required
def live(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "live"})


@require_safe
@login_not_required
def ready(request: HttpRequest) -> JsonResponse:
    """200 once the database is there and migrated and the cache answers; else 503, naming what is not."""
    problems = {name: problem for name, check in CHECKS.items() if (problem := _problem(check))}
    status = 503 if problems else 200
    return JsonResponse({"status": "not ready" if problems else "ready", "problems": problems}, status=status)


def _problem(check: Callable[[], str]) -> str:
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is why we are not ready
        # The kind of error only: its text may hold an address with a password.
        return type(error).__name__


def _migrated() -> str:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"{len(plan)} migrations to run" if plan else ""


def _cached() -> str:
    cache.set("health", "ready", 5)
    return "" if cache.get("health") == "ready" else "the cache forgets"


CHECKS = {"database": _migrated, "cache": _cached}
