"""What every test has. Fixtures live beside the tests that use them, in a folder's own conftest."""

from __future__ import annotations

import gc
from importlib import import_module
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.db import connection

from tests.fakes import redis_databases

pytest_plugins = [
    "tests.skips",
    "tests.groups",
    "tests.fakes.databases",
    "tests.fakes.english",
    "tests.fakes.portal",
]


def pytest_configure() -> None:
    # Each test client makes the middleware anew; WhiteNoise would go through all static files each time (60 ms).
    settings.WHITENOISE_AUTOREFRESH = True
    settings.PASSWORD_HASHERS = ["tests.fakes.hashing.QuickHasher"]
    if settings.REDIS_URL:
        settings.CACHES["default"]["LOCATION"] = redis_databases.another()
    # How long an example takes says how busy the machine is, no more.
    slow_is_fine = [hypothesis.HealthCheck.too_slow]
    hypothesis.settings.register_profile("any pace", deadline=None, suppress_health_check=slow_is_fine)
    hypothesis.settings.load_profile("any pace")


def pytest_collection_finish() -> None:
    """Thousands of tests stay as long as the run: the collector of garbage need not look through them each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """A test may change evidence, to see that it is found, and its rows go afterwards: the triggers that forbid it are
    lifted here, and those of the audit log too. tests/compliance/test_append_only.py and
    tests/security/test_audit_append_only.py have them, and so has every portal that a test starts."""
    names = ("portal.compliance.migrations.0002_schedules", "stations.migrations.0012_audit")
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for append_only in map(import_module, names):
            for statement in append_only.lifting(connection.vendor):
                cursor.execute(statement)
