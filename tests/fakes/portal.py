"""A portal as it runs: a real server process over a database of its own, to kill and to start again.

Fixtures: `portal` is one server shared by the tests of a worker; `mortal_portal` is another, which tests may kill.
While a test has either, the ORM of the test process looks at that portal's database, through a connection of its
own. So the test is the "other process" of the specification: what it writes, the server finds by itself or by a
nudge. Such tests do not use pytest-django's `db`. Mark them `xdist_group("portal")` or `("mortal")`, so that one
worker has one server.

On PostgreSQL each portal has a database on the server of DATABASE_URL. With REDIS_URL it has a Redis database, and a
Celery process beside the server.
"""

from __future__ import annotations

import contextlib
import copy
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.db.utils import load_backend
from django.test import override_settings

ROOT = Path(__file__).resolve().parents[2]
# Redis has 16 databases; the first is the installation's.
REDIS_PER_WORKER = 3


@dataclass(slots=True)
class Portal:
    """The processes of one portal. `stop` ends them whatever state they are in."""

    folder: Path
    database: str  # the name as Django has it: a file on SQLite
    redis_url: str
    environment: dict[str, str]
    port: int = 0
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        """Start on the same database and, from the second time on, the same port; returns when it listens."""
        self.port = self.port or _free_port()
        server = self._run("manage.py", "serve", "--port", str(self.port))
        if self.redis_url:
            schedule = str(self.folder / "beat")
            self._run(
                "-m", "celery", "-A", "portal", "worker", "-B", "-s", schedule, "-P", "threads", "-c", "4"
            )
        _wait_for(self.port, server, self.log)

    def kill(self) -> None:
        """SIGKILL, as by a power cut: nothing is tidied up."""
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # a worker's beat is a process of its own
        self._reap()

    def stop(self) -> None:
        for process in self.processes:
            process.terminate()
        self._reap()

    def restart(self) -> None:
        self.kill()
        self.start()

    def twin(self) -> Portal:
        """A second server over the same database and Redis, not started yet; whoever starts it stops it."""
        return Portal(self.folder, self.database, self.redis_url, self.environment)

    def errors(self) -> list[str]:
        """What our own code logged as an error."""
        return re.findall(
            r"^.* ERROR (?:stations|smartcharging|portal)\..*$", self.log.read_text(), re.MULTILINE
        )

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def _run(self, *arguments: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def _reap(self) -> None:
        for process in self.processes:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.processes.clear()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """The server listens only once it has started altogether."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError(f"the server does not listen:\n{log.read_text()[-4000:]}")


# ---------------------------------------------------------------- databases


def _worker() -> int:
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


class Databases:
    """Makes databases, each a copy of one that was migrated once."""

    def __init__(self, folder: Path, blocker: Any) -> None:
        self.folder, self.blocker = folder, blocker
        self.is_sqlite = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
        self.made: list[str] = []
        self.migrated = ""

    def new(self) -> str:
        if not self.migrated:
            self.migrated = self._empty("migrated")
            with self.blocker.unblock(), looking_at(self.migrated):
                call_command("migrate", verbosity=0)
        return self._copy(f"portal{len(self.made)}")

    def url(self, name: str) -> str:
        if self.is_sqlite:
            return f"sqlite:///{name}"
        return str(settings.DATABASE_URL).rpartition("/")[0] + f"/{name}"

    def drop(self) -> None:
        if not self.is_sqlite:
            for name in (self.migrated, *self.made):
                self._on_the_server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _empty(self, name: str) -> str:
        if self.is_sqlite:
            return str(self.folder / f"{name}.sqlite3")
        name = f"laadbewijs_test_{os.getpid()}_{name}"
        self._on_the_server(f'CREATE DATABASE "{name}"')
        return name

    def _copy(self, name: str) -> str:
        if self.is_sqlite:
            path = str(self.folder / f"{name}.sqlite3")
            shutil.copyfile(self.migrated, path)
        else:
            path = f"laadbewijs_test_{os.getpid()}_{name}"
            self._on_the_server(f'CREATE DATABASE "{path}" TEMPLATE "{self.migrated}"')
        self.made.append(path)
        return path

    def _on_the_server(self, sql: str) -> None:
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


@contextlib.contextmanager
def talking_to(redis_url: str) -> Iterator[None]:
    """Nudges and tasks of this process go by this Redis; without one they reach nobody, as from any other process."""
    if not redis_url:
        yield
        return
    from portal.celery import app

    layers: Any = copy.deepcopy(settings.CHANNEL_LAYERS)
    layers["default"]["CONFIG"]["hosts"][0]["address"] = redis_url
    usual = app.conf.broker_url
    try:
        with override_settings(REDIS_URL=redis_url, CHANNEL_LAYERS=layers):
            _point_celery_at(redis_url)
            yield
    finally:
        _point_celery_at(usual)


def _point_celery_at(url: str) -> None:
    from portal.celery import app

    app.conf.update(broker_url=url, broker_write_url=url, broker_read_url=url)
    app._after_fork()  # type: ignore[attr-defined]  # forget the connections


# ---------------------------------------------------------------- fixtures


class Makers:
    """Makes portals and ends them all."""

    def __init__(self, folder: Path, databases: Databases) -> None:
        self.folder, self.databases = folder, databases
        self.portals: list[Portal] = []

    def make(self, **variables: str) -> Portal:
        """A portal that was not started yet; `variables` are added to its environment."""
        database = self.databases.new()
        folder = self.folder / f"portal{len(self.portals)}"
        folder.mkdir()
        redis_url = self._redis_url()
        environment = os.environ | {
            "DATABASE_URL": self.databases.url(database),
            "REDIS_URL": redis_url,
            "SECRET_KEY": settings.SECRET_KEY,  # hashes are keyed with it, and tests make them too
            "LOG_LEVEL": "INFO",
            "PYTHONUNBUFFERED": "1",
            **variables,
        }
        portal = Portal(folder, database, redis_url, environment)
        self.portals.append(portal)
        return portal

    def _redis_url(self) -> str:
        if not settings.REDIS_URL:
            return ""
        import redis

        number = 1 + (_worker() * REDIS_PER_WORKER + len(self.portals) % REDIS_PER_WORKER) % 15
        url = f"{settings.REDIS_URL.rpartition('/')[0]}/{number}"
        redis.Redis.from_url(url).flushdb()
        return url

    def stop(self) -> None:
        for portal in self.portals:
            portal.stop()


@pytest.fixture(scope="session")
def _makers(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Iterator[Makers]:
    folder = tmp_path_factory.mktemp("portals")
    databases = Databases(folder, django_db_blocker)
    makers = Makers(folder, databases)
    try:
        yield makers
    finally:
        makers.stop()
        databases.drop()


@pytest.fixture(scope="session")
def _shared_portal(_makers: Makers) -> Iterator[Portal]:
    # Short times, so that time-outs and half-open sockets need no long tests.
    portal = _makers.make(OCPP_PING_S="1", OCPP_CALL_TIMEOUT_S="2")
    portal.start()
    yield portal
    portal.stop()
    # Whatever stations sent, nothing of it was a surprise.
    assert portal.errors() == []


@contextlib.contextmanager
def _seen(portal: Portal, blocker: Any) -> Iterator[Portal]:
    with blocker.unblock(), looking_at(portal.database), talking_to(portal.redis_url):
        yield portal


@pytest.fixture
def portal(_shared_portal: Portal, django_db_blocker: Any) -> Iterator[Portal]:
    """A running server, shared: make stations of your own, and do not kill it."""
    with _seen(_shared_portal, django_db_blocker) as shared:
        yield shared


@pytest.fixture(scope="session")
def _mortal_portal(_makers: Makers) -> Iterator[Portal]:
    portal = _makers.make()
    portal.start()
    yield portal
    portal.stop()
    assert portal.errors() == []


@pytest.fixture
def mortal_portal(_mortal_portal: Portal, django_db_blocker: Any) -> Iterator[Portal]:
    """A running server that may be killed, and should be running again at the end of the test."""
    if (
        not _mortal_portal.processes
    ):  # a test failed between a kill and its start: that is not the next one's fault
        _mortal_portal.start()
    with _seen(_mortal_portal, django_db_blocker) as shared:
        yield shared
