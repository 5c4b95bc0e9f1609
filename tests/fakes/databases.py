"""Databases for tests: each a copy of one that was migrated once in a run, whichever of its workers came first."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.db.utils import load_backend
from django.test import TransactionTestCase

RUN = "LAADBEWIJS_TEST_RUN"  # the process that was started first; workers inherit it
MADE_BY_MIGRATE = {"django_content_type", "auth_permission"}
IS_SQLITE = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        os.environ[RUN] = str(os.getpid())


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and not IS_SQLITE:
        with contextlib.suppress(Exception):  # nothing was made where the server cannot be reached
            on_the_server(f'DROP DATABASE IF EXISTS "{_name("migrated")}" WITH (FORCE)')


def _name(what: str) -> str:
    return f"laadbewijs_test_{os.environ[RUN]}_{what}"


def on_the_server(sql: str) -> None:
    import psycopg

    with psycopg.connect(settings.DATABASE_URL, autocommit=True, connect_timeout=5) as server:
        server.execute(sql)  # type: ignore[call-overload, unused-ignore]


@contextlib.contextmanager
def looking_at(database: str) -> Iterator[None]:
    """The default connection of this thread is one to `database`. pytest-django's own comes back afterwards."""
    usual = connections["default"]
    engine = load_backend(usual.settings_dict["ENGINE"])
    mine = engine.DatabaseWrapper({**usual.settings_dict, "NAME": database}, "default")
    connections["default"] = mine
    try:
        yield
    finally:
        mine.close()
        connections["default"] = usual


class Databases:
    """`shared` is a folder of all workers of a run, `folder` of this one alone."""

    def __init__(self, shared: Path, folder: Path, blocker: Any) -> None:
        self.shared, self.folder, self.blocker = shared, folder, blocker
        self.made: list[str] = []

    def migrated(self) -> str:
        """The one that was migrated: to be copied, not to be used."""
        name = str(self.shared / "migrated.sqlite3") if IS_SQLITE else _name("migrated")
        is_done = self.shared / "migrated"
        with (self.shared / "migrated.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not is_done.exists():
                if not IS_SQLITE:
                    on_the_server(f'CREATE DATABASE "{name}"')
                with self.blocker.unblock(), looking_at(name):
                    call_command("migrate", verbosity=0)
                is_done.touch()
        return name

    def new(self) -> str:
        source, what = self.migrated(), f"portal{len(self.made)}"
        if IS_SQLITE:
            path = str(self.folder / f"{what}.sqlite3")
            shutil.copyfile(source, path)
        else:
            path = f"laadbewijs_test_{os.getpid()}_{what}"
            on_the_server(f'CREATE DATABASE "{path}" TEMPLATE "{source}"')
        self.made.append(path)
        return path

    def url(self, name: str) -> str:
        if IS_SQLITE:
            return f"sqlite:///{name}"
        return str(settings.DATABASE_URL).rpartition("/")[0] + f"/{name}"

    def drop(self) -> None:
        for name in () if IS_SQLITE else self.made:
            on_the_server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Iterator[Databases]:
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    databases = Databases(shared, tmp_path_factory.mktemp("databases"), django_db_blocker)
    try:
        yield databases
    finally:
        databases.drop()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None, databases: Databases) -> Iterator[None]:
    """pytest-django's own database begins as such a copy too, so that its migrating finds nothing left to do."""
    source = databases.migrated()
    test: dict[str, Any] = connection.settings_dict["TEST"]
    if not IS_SQLITE:
        test["TEMPLATE"] = source
        yield
        return
    # It is in memory, and lives as long as someone is connected to it.
    creation: Any = connection.creation
    memory = sqlite3.connect(creation._get_test_db_name(), uri=True)
    with contextlib.closing(sqlite3.connect(source)) as migrated:
        migrated.backup(memory)
    yield
    memory.close()


def _empty(test_case: TransactionTestCase) -> None:
    """What a test that commits has written goes away.

    Django's own way costs a third of a second on PostgreSQL, more than most of these tests: TRUNCATE gives each table
    a new file, though most have no row in them, and then post_migrate makes all content types and permissions anew.
    They stay, as no test changes them, and rows go by DELETE. Django declares its foreign keys deferred: within one
    transaction the order of the tables does not matter. Sequences go on, as they do there.
    """
    quote = connection.ops.quote_name
    found = set(connection.introspection.django_table_names(only_existing=True, include_views=False))
    tables = [quote(name) for name in sorted(found - MADE_BY_MIGRATE)]
    with transaction.atomic(), connection.cursor() as cursor:
        if not IS_SQLITE:  # as TRUNCATE does: who still writes is waited for, and its rows go too
            cursor.execute(f"LOCK TABLE {', '.join(tables)} IN EXCLUSIVE MODE")
        for table in tables:
            cursor.execute(f"DELETE FROM {table}")


@pytest.fixture(scope="session", autouse=True)
def _emptying() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", _empty)
        yield
