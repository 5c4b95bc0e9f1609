"""SQLite under threads that all write: who waited longest is next, and who fails holds up nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connections
from django.db.transaction import Atomic

from portal.sqlite3 import base
from portal.sqlite3.base import DatabaseWrapper
from tests.fakes.until import until


@pytest.fixture
def file(tmp_path: Path, django_db_blocker: Any) -> Iterator[str]:
    """A database of its own, with a number to count in."""
    name = str(tmp_path / "turns.sqlite3")
    with django_db_blocker.unblock():
        with opened(name, "one") as one:
            execute(one, "CREATE TABLE counted (n INTEGER)")
            execute(one, "INSERT INTO counted VALUES (0)")
        yield name


@contextmanager
def opened(file: str, alias: str, *, timeout: float = 20) -> Iterator[DatabaseWrapper]:
    options = {"transaction_mode": "IMMEDIATE", "timeout": timeout, "init_command": "PRAGMA journal_mode=WAL"}
    usual = connections["default"].settings_dict
    connection = DatabaseWrapper({**usual, "NAME": file, "OPTIONS": options}, alias)
    connections[alias] = connection  # where Atomic finds it, in this thread
    try:
        yield connection
    finally:
        connection.close()
        del connections[alias]


def atomic(connection: DatabaseWrapper) -> Atomic:
    return Atomic(connection.alias, savepoint=True, durable=False)


def execute(connection: DatabaseWrapper, sql: str) -> Any:
    with connection.cursor() as cursor:
        return cursor.execute(sql)


def counted(connection: DatabaseWrapper) -> int:
    with connection.cursor() as cursor:
        return int(cursor.execute("SELECT n FROM counted").fetchone()[0])


def count(connection: DatabaseWrapper) -> None:
    execute(connection, "UPDATE counted SET n = n + 1")


def count_in_transaction(connection: DatabaseWrapper) -> None:
    with atomic(connection):
        count(connection)


@contextmanager
def waiting(file: str, write: Callable[[DatabaseWrapper], None]) -> Iterator[None]:
    """Another thread wants to `write`, and waits; at the end it has."""

    def run() -> None:
        with opened(file, "two") as connection:
            write(connection)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    until(lambda: base._turns[file]._waiting, within_s=20)
    yield
    thread.join(20)
    assert not thread.is_alive()


@pytest.mark.parametrize("write", [count, count_in_transaction])
def test_who_waits_is_next_though_another_begins_again_at_once(
    file: str, write: Callable[[DatabaseWrapper], None]
) -> None:
    with opened(file, "one") as one:
        begun = atomic(one)
        begun.__enter__()
        with waiting(file, write):
            begun.__exit__(None, None, None)
            with atomic(one):
                assert counted(one) == 1


def test_a_transaction_that_fails_or_is_closed_hands_its_turn_on(file: str) -> None:
    with opened(file, "one") as one:
        begun = atomic(one)
        begun.__enter__()
        with waiting(file, count):
            begun.__exit__(ZeroDivisionError, ZeroDivisionError(), None)
        begun = atomic(one)
        begun.__enter__()
        with waiting(file, count):
            one.close()
        begun.__exit__(None, None, None)
        assert counted(one) == 2


def test_who_has_waited_long_enough_is_told_so_and_stands_in_nobodys_way(file: str) -> None:
    told: list[str] = []

    def give_up() -> None:
        with opened(file, "two", timeout=0.1) as two, pytest.raises(OperationalError) as locked:
            count(two)
        told.append(str(locked.value))

    with opened(file, "one") as one:
        with atomic(one):
            thread = threading.Thread(target=give_up)
            thread.start()
            thread.join(20)
        assert told == ["database is locked"]
        count(one)
        assert counted(one) == 1


def test_turns_come_in_the_order_of_asking() -> None:
    turns, order = base.Turns(), []
    assert turns.take(0)

    def run(number: int) -> None:
        assert turns.take(20)
        order.append(number)
        turns.hand_on()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(5)]
    for number, thread in enumerate(threads, start=1):
        thread.start()
        until(partial(is_long, turns, number), within_s=20)
    turns.hand_on()
    for thread in threads:
        thread.join(20)
    assert order == list(range(5))


def is_long(turns: base.Turns, number: int) -> bool:
    return len(turns._waiting) == number
