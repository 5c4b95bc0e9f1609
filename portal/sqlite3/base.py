"""SQLite as Django has it, and the threads of this process take turns at writing.

SQLite lets one write at a time; who finds it taken sleeps and looks again, up to a tenth of a second later. The writer
of the sockets begins its next transaction within a millisecond, so under load the others found it taken for 20 s, and
gave up ("database is locked"). Here who waited longest is next. Other processes still wait in SQLite's own way.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError
from django.db.backends.sqlite3 import base

WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")


class Turns:
    """A lock that is handed on in the order of asking."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._is_taken = False
        self._waiting: deque[threading.Lock] = deque()

    def take(self, within_s: float) -> bool:
        """False: it was not our turn in time."""
        with self._mutex:
            if not self._is_taken:
                self._is_taken = True
                return True
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        if mine.acquire(timeout=within_s):
            return True
        with self._mutex:
            if mine in self._waiting:
                self._waiting.remove(mine)
                return False
        return True  # handed on at the last moment

    def hand_on(self) -> None:
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False


_turns: defaultdict[str, Turns] = defaultdict(Turns)  # for each file


class DatabaseWrapper(base.DatabaseWrapper):
    """A transaction has its turn from begin to end, and a single statement outside of one for itself."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._has_turn = False
        self.execute_wrappers.append(self._execute_in_turn)

    def _start_transaction_under_autocommit(self) -> None:
        self._take_turn()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]  # not in the stubs
        except BaseException:
            self._hand_on_turn()
            raise

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]  # as above
        self._hand_on_turn()  # not where it failed: a rollback follows

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]  # as above
        finally:
            self._hand_on_turn()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]  # as above
        finally:
            self._hand_on_turn()

    def _execute_in_turn(
        self,
        execute: Callable[..., Any],
        sql: str,
        params: Any,
        many: bool,  # noqa: FBT001 - Django gives it in its place
        context: Any,
    ) -> Any:
        if self._has_turn or not sql.startswith(WRITES):
            return execute(sql, params, many, context)
        with self._turn():
            return execute(sql, params, many, context)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        self._take_turn()
        try:
            yield
        finally:
            self._hand_on_turn()

    def _take_turn(self) -> None:
        """Raises OperationalError as SQLite does. A database in memory has one connection, or locks of its own."""
        if self.is_in_memory_db():
            return
        if not _turns[self._file].take(self.settings_dict["OPTIONS"].get("timeout", 5)):
            raise OperationalError("database is locked")
        self._has_turn = True

    def _hand_on_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            _turns[self._file].hand_on()

    @property
    def _file(self) -> str:
        return str(self.settings_dict["NAME"])
