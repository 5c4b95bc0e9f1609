"""In CI nothing that the product promises may be skipped: a skip is a failure.

A test that needs shared data, a browser or a database skips with a reason where a newcomer's machine has
none. With CI=true such a skip fails instead. The suite runs once on SQLite and once on PostgreSQL with Redis,
so a test of one of them is rightly skipped in the other run, when its reason is the one named here. A published
case of which its own makers say that it does not come out is skipped everywhere.
"""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

ONLY_ON_POSTGRESQL = "only on PostgreSQL"
ONLY_ON_SQLITE = "only on SQLite"
ONLY_WITH_REDIS = "only with Redis"
NOT_REPRODUCED = "not reproduced by its own source"


def allowed_reasons() -> frozenset[str]:
    """The reasons for which a test of this run may be skipped in CI."""
    on_postgresql = os.environ.get("DATABASE_URL", "").startswith(("postgres://", "postgresql://"))
    database = ONLY_ON_SQLITE if on_postgresql else ONLY_ON_POSTGRESQL
    known = {database, NOT_REPRODUCED}
    return frozenset(known if os.environ.get("REDIS_URL") else {*known, ONLY_WITH_REDIS})


def fail_forbidden_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure, unless it is an expected failure or its reason is allowed."""
    if not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = _reason(report.longrepr)
    if reason not in allowed_reasons():
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {reason}"


def _reason(longrepr: object) -> str:
    # pytest gives a skip as (file, line, "Skipped: the reason").
    text = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
    return str(text).removeprefix("Skipped: ")


if os.environ.get("CI") == "true":

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        fail_forbidden_skip(report)
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        report = yield
        fail_forbidden_skip(report)
        return report
