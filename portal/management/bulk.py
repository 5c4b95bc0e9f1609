"""Many rows at once: COPY on PostgreSQL, `executemany` elsewhere. For databases made to measure on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from django.db import connection, models, transaction

AT_ONCE = 5_000

Row = Sequence[Any]


def table_of(model: type[models.Model]) -> str:
    return model._meta.db_table  # noqa: SLF001 - Django's own documented way


def insert(model: type[models.Model], columns: Sequence[str], rows: Iterable[Row]) -> int:
    """Write rows of text, numbers, booleans and None; what is not among `columns` gets the field's own default.

    Times are text in UTC as both databases read them: `2026-07-01 12:00:00`.
    """
    constants = _constants(model, columns)
    names = [*columns, *constants]
    rest = tuple(constants.values())
    write = _copy if connection.vendor == "postgresql" else _many
    return write(table_of(model), names, ((*row, *rest) for row in rows))


def empty(tables: Iterable[type[models.Model]]) -> None:
    """Throw all rows of these tables away, and of those that hang on them."""
    names = [f'"{table_of(model)}"' for model in tables]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"TRUNCATE {', '.join(names)} RESTART IDENTITY CASCADE")
            return
        cursor.execute("PRAGMA foreign_keys = OFF")
        for name in names:
            cursor.execute(f"DELETE FROM {name}")  # noqa: S608 - a name of ours
        cursor.execute("PRAGMA foreign_keys = ON")


def go_on_counting(model: type[models.Model]) -> None:
    """After rows with keys of their own: the next key follows on them."""
    if connection.vendor == "postgresql":
        table = table_of(model)
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'),"  # noqa: S608 - a name of ours
                f" (SELECT COALESCE(max(id), 0) + 1 FROM {table}), false)"
            )


def _constants(model: type[models.Model], columns: Sequence[str]) -> dict[str, Any]:
    """What every row gets in the columns that must have something and were not given."""
    constants: dict[str, Any] = {}
    for field in model._meta.concrete_fields:  # noqa: SLF001
        if field.column is None or field.column in columns or field.null or field.auto_created:
            continue
        if not isinstance(field, models.AutoField):
            value = field.get_default()
            is_json = isinstance(field, models.JSONField)
            constants[field.column] = "{}" if is_json and value == {} else "[]" if is_json else value
    return constants


def _copy(table: str, names: Sequence[str], rows: Iterable[Row]) -> int:
    count = 0
    statement = f"COPY {table} ({', '.join(names)}) FROM STDIN"
    with _bare(table), connection.cursor() as cursor, cursor.copy(statement) as copy:
        for count, row in enumerate(rows, start=1):  # noqa: B007 - the number of the last
            copy.write_row(row)
    return count


@contextmanager
def _bare(table: str) -> Iterator[None]:
    """Without indexes and foreign keys meanwhile: to sort and to check once is faster than row by row.

    In one transaction, so that no table is left without them. Within the transaction of a test nothing is taken away:
    a table of which rows are yet to be checked cannot be altered.
    """
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
        constraints, indexes = _constraints_of(table), _indexes_of(table)
        for name, _definition in constraints:
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        for name, _definition in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        yield
        for _name, definition in indexes:
            cursor.execute(definition)
        for name, definition in constraints:
            cursor.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')


def _constraints_of(table: str) -> list[tuple[str, str]]:
    """Names and definitions of what is unique or points elsewhere; keys stay, since others point at them."""
    return _asked(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = %s::regclass AND contype IN ('u', 'f') AND NOT EXISTS (SELECT FROM pg_constraint other"
        "  WHERE other.conindid = pg_constraint.conindid AND other.contype = 'f' AND pg_constraint.contype = 'u')",
        table,
    )


def _indexes_of(table: str) -> list[tuple[str, str]]:
    """Those that belong to no constraint; of a table in parts, those of all its parts."""
    return _asked(
        "SELECT relname, replace(pg_get_indexdef(oid), ' ON ONLY ', ' ON ')"
        " FROM pg_index JOIN pg_class ON oid = indexrelid"
        " WHERE indrelid = %s::regclass AND NOT EXISTS"
        " (SELECT FROM pg_constraint WHERE conindid = indexrelid AND conrelid = indrelid)",
        table,
    )


def _asked(statement: str, table: str) -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [table])
        return list(cursor.fetchall())


def _many(table: str, names: Sequence[str], rows: Iterable[Row]) -> int:
    places = ", ".join("?" * len(names))
    statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})"  # noqa: S608 - names of ours
    count, rows = 0, iter(rows)
    while chunk := list(islice(rows, AT_ONCE)):
        with transaction.atomic():
            connection.connection.executemany(statement, chunk)
        count += len(chunk)
    return count
