"""`--dist loadgroup`: the tests of one `xdist_group` go to one worker, and the largest group begins first.

pytest-xdist's own way, a suffix to the name of each test, groups nothing from pytest 9.2 on, and says nothing of it
(pytest-xdist, issue 1386): every worker would start each server that tests share. Here the names stay as they are,
and a worker writes down the group of each test for the process that deals them out.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling  # type: ignore[import-untyped]

WRITTEN = "groups_written"  # by this name a worker hears where to write them


class ByGroup(LoadScopeScheduling):
    """Deals out whole groups; a test without one is a group of its own."""

    def __init__(self, config: pytest.Config, log: Any, written: Path) -> None:
        super().__init__(config, log)
        self.written = written
        self.groups: dict[str, str] = {}

    def schedule(self) -> None:
        self.groups = self.groups or json.loads(self.written.read_text())
        super().schedule()

    def _split_scope(self, nodeid: str) -> str:
        return self.groups.get(nodeid, nodeid)


class Dealer:
    """What the process does that deals out the tests."""

    def __init__(self, written: Path) -> None:
        self.written = written

    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput[WRITTEN] = str(self.written)

    @pytest.hookimpl(tryfirst=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> ByGroup:
        return ByGroup(config, log, self.written)


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("dist", "no") == "loadgroup":
        folder = tempfile.TemporaryDirectory(prefix="groups-")
        config.add_cleanup(folder.cleanup)
        config.pluginmanager.register(Dealer(Path(folder.name) / "groups.json"))


@pytest.hookimpl(tryfirst=True)  # before the worker tells that it has collected
def pytest_collection_finish(session: pytest.Session) -> None:
    worker: dict[str, Any] = getattr(session.config, "workerinput", {})
    if WRITTEN in worker:
        written = Path(worker[WRITTEN])
        own = written.with_suffix(f".{worker['workerid']}")
        groups = {item.nodeid: group for item in session.items if (group := _group_of(item))}
        own.write_text(json.dumps(groups))
        own.replace(written)  # whole, whichever worker reads or writes meanwhile; all of them say the same


def _group_of(item: pytest.Item) -> str | None:
    mark = item.get_closest_marker("xdist_group")  # a test's own before that of its file
    return str(mark.args[0]) if mark else None
