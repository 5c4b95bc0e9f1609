"""A portal as it runs: a real server process over a database of its own, to kill and to start again.

Fixtures: `portal` is one server shared by the tests of a worker; `mortal_portal` is another, which tests may kill.
While a test has either, the ORM of the test process looks at that portal's database, through a connection of its
own. So the test is the "other process" of the specification: what it writes, the server finds by itself or by a
nudge. Such tests do not use pytest-django's `db`. Mark them `xdist_group("portal")` or `("mortal")`, so that one
worker has one server.

`frail_portal` reaches its database and its Redis through proxies that a test may cut; a portal has `workers` Celery
processes, and `twin` gives another server over the same database, elsewhere.

On PostgreSQL each portal has a database on the server of DATABASE_URL. With REDIS_URL it has a Redis database, and a
Celery process beside the server.
"""

from __future__ import annotations

import contextlib
import copy
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import override_settings

from tests.fakes import redis_databases
from tests.fakes.databases import IS_SQLITE, Databases, looking_at
from tests.fakes.proxy import Proxy

ROOT = Path(__file__).resolve().parents[2]
_numbers = count()


@dataclass(slots=True)
class Portal:
    """The processes of one portal. `stop` ends them whatever state they are in."""

    folder: Path
    database: str  # the name as Django has it: a file on SQLite
    redis_url: str
    environment: dict[str, str]
    workers: int = 1  # Celery processes, where there is Redis; the first has a beat
    database_line: Proxy | None = None  # between the processes and PostgreSQL
    redis_line: Proxy | None = None
    port: int = 0
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        """Start on the same database and, from the second time on, the same port; returns when it listens."""
        self.port = self.port or _free_port()
        server = self._run("manage.py", "serve", "--port", str(self.port))
        for number in range(self.workers if self.redis_url else 0):
            self.start_worker(has_beat=number == 0)
        _wait_for(self.port, server, self.log)

    def start_worker(self, *, has_beat: bool) -> subprocess.Popen[bytes]:
        name = f"worker{next(_numbers)}"
        beat = ("-B", "-s", str(self.folder / f"beat-of-{name}")) if has_beat else ()
        return self._run(
            *("-m", "celery", "-A", "portal", "worker", "-n", f"{name}@%h", "-P", "threads", "-c", "4"), *beat
        )

    @property
    def server(self) -> subprocess.Popen[bytes]:
        return self.processes[0]

    def kill(self) -> None:
        """SIGKILL, as by a power cut: nothing is tidied up."""
        for process in self.processes:
            kill(process)
        self._reap()

    def stop(self) -> None:
        for process in self.processes:
            process.terminate()
        self._reap()

    def restart(self) -> None:
        self.kill()
        self.start()

    def twin(self, *, workers: int = 1) -> Portal:
        """A second server over the same database and Redis, not started yet; whoever starts it stops it."""
        return Portal(self.folder, self.database, self.redis_url, self.environment, workers)

    def errors(self, since: int = 0) -> list[str]:
        """What our own code logged as an error, from this place in the log on."""
        log = self.log.read_bytes()[since:].decode(errors="replace")
        return re.findall(r"^.* ERROR (?:stations|smartcharging|portal)\..*$", log, re.MULTILINE)

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


def kill(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL, with its children: a worker's beat is a process of its own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


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


# ---------------------------------------------------------------- Redis
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
    app._after_fork()  # forget the connections


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
        redis_url = redis_databases.another() if settings.REDIS_URL else ""
        environment = os.environ | {
            "DATABASE_URL": self.databases.url(database),
            "REDIS_URL": redis_url,
            "SECRET_KEY": settings.SECRET_KEY,  # hashes are keyed with it, and tests make them too
            "LOG_LEVEL": "INFO",
            "UPLOAD_DIR": str(folder / "uploads"),
            "PYTHONUNBUFFERED": "1",
            "WEBHOOKS_TO_PRIVATE": "yes",  # whoever takes them is a test
            "API_READS_PER_MINUTE": "1000000",
            "API_WRITES_PER_MINUTE": "1000000",
            **variables,
        }
        portal = Portal(folder, database, redis_url, environment)
        self.portals.append(portal)
        return portal

    def make_frail(self, **variables: str) -> Portal:
        """As make(), and its processes reach PostgreSQL and Redis through proxies. The test reaches them directly."""
        portal = self.make(**variables)
        if not IS_SQLITE:
            portal.database_line = _put_between(portal.environment, "DATABASE_URL", 5432)
        if portal.redis_url:
            portal.redis_line = _put_between(portal.environment, "REDIS_URL", 6379)
        return portal

    def stop(self) -> None:
        for portal in self.portals:
            portal.stop()
            for line in (portal.database_line, portal.redis_line):
                if line is not None:
                    line.stop()


def _put_between(environment: dict[str, str], name: str, usual_port: int) -> Proxy:
    """A proxy before the service of this variable, which names the proxy from here on."""
    address = urlsplit(environment[name])
    proxy = Proxy((address.hostname or "127.0.0.1", address.port or usual_port))
    people = address.netloc.rpartition("@")[0]
    netloc = f"{people}@127.0.0.1:{proxy.port}" if people else f"127.0.0.1:{proxy.port}"
    environment[name] = address._replace(netloc=netloc).geturl()
    return proxy


@pytest.fixture(scope="session")
def _makers(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[Makers]:
    makers = Makers(tmp_path_factory.mktemp("portals"), databases)
    try:
        yield makers
    finally:
        makers.stop()


@pytest.fixture(scope="session")
def _shared_portal(_makers: Makers) -> Iterator[Portal]:
    # Short times and small files, so that time-outs, half-open sockets and too large files need no long tests; not so
    # short that a busy machine makes a station late that is not.
    portal = _makers.make(
        OCPP_PING_S="4", OCPP_CALL_TIMEOUT_S="6", OCPP_LEASE_S="18", UPLOAD_MAX_BYTES=str(21 << 20)
    )
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


@pytest.fixture(scope="session")
def _frail_portal(_makers: Makers) -> Iterator[Portal]:
    # Short times here too; a ping has to bear that the machine is busy.
    portal = _makers.make_frail(
        OCPP_PING_S="10",
        OCPP_CALL_TIMEOUT_S="2",
        OCPP_LEASE_S="6",
        OCPP_MAX_FRAMES_PER_S="60",
        OCPP_FLOOD_S="3",
    )
    portal.workers = 2
    portal.start()
    yield portal
    portal.stop()


@pytest.fixture
def frail_portal(_frail_portal: Portal, django_db_blocker: Any) -> Iterator[Portal]:
    """A server with two workers, whose lines may be cut and whose processes may be killed; all mended afterwards."""
    for line in (_frail_portal.database_line, _frail_portal.redis_line):
        if line is not None:
            line.restore()
    if not _frail_portal.processes or any(one.poll() is not None for one in _frail_portal.processes):
        _frail_portal.stop()
        _frail_portal.start()
    with _seen(_frail_portal, django_db_blocker) as shared:
        yield shared
