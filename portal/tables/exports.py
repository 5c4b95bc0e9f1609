"""Lists as files: CSV as the rows come from the database, XLSX written row by row to a file that is sent whole."""

from __future__ import annotations

import csv
import io
import math
import tempfile
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import chain, islice
from typing import IO, Any

from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone, translation
from django.utils.functional import Promise
from xlsxwriter import Workbook  # type: ignore[import-untyped]

from portal.pages.csv_download import FORMULA, harmless
from portal.pages.file_responses import PIECE_BYTES, streamed
from portal.tables.columns import Column, Out, Value

MOST_ROWS = 100_000
ROWS_A_BITE = 500
_WIDTH = 18  # of a column, in characters
_LONGEST = 32_767  # characters in a cell, by the file format
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


Lines = Callable[[Sequence[Any]], Sequence[Any]]


def csv_export(
    name: str, columns: Sequence[Column], bites: Iterable[Sequence[Any]], request: HttpRequest
) -> StreamingHttpResponse:
    """As a Dutch spreadsheet reads it in Dutch (semicolons, decimal comma), else with commas; times with their zone."""
    language = translation.get_language() or ""
    outs = _outs(columns)
    head = [_head(out) for out in outs]

    def pieces() -> Iterator[bytes]:
        # Without the mark a spreadsheet takes UTF-8 for something else.
        yield BOM_UTF8 + _csv_text([head], language)
        left = iter(bites)
        while True:
            # What is made after the answer began is made in no language of its own.
            with translation.override(language):
                lines = next(left, ())
                told = [[_csv_value(out.value(line), language) for out in outs] for line in lines]
            if not told:
                return
            yield _csv_text(told, language)

    return _attachment(request, pieces(), f"{name}.csv", "text/csv; charset=utf-8")


def xlsx_export(
    name: str, columns: Sequence[Column], bites: Iterable[Sequence[Any]], request: HttpRequest
) -> StreamingHttpResponse:
    """Numbers and times as such (times of Europe/Amsterdam); texts never as formulas. One row in memory at a time."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - open until it is sent, and gone with that
    outs = _outs(columns)
    book = Workbook(file, {"constant_memory": True, "default_date_format": "yyyy-mm-dd hh:mm:ss"})
    sheet = book.add_worksheet()
    bold, plain = book.add_format({"bold": True}), book.add_format({"quote_prefix": True})
    sheet.freeze_panes(1, 1)
    sheet.set_column(0, len(outs) - 1, _WIDTH)
    for number, out in enumerate(outs):
        sheet.write_string(0, number, _head(out), bold)
    row = 0
    for row, line in enumerate(chain.from_iterable(bites), start=1):
        for number, out in enumerate(outs):
            _write(sheet, (row, number), out.value(line), plain)
    sheet.autofilter(0, 0, row, len(outs) - 1)
    book.close()
    return _attachment(request, _read(file), f"{name}.xlsx", _XLSX)


def _read(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while piece := file.read(PIECE_BYTES):
            yield piece


def _attachment(
    request: HttpRequest, pieces: Iterator[bytes], name: str, content_type: str
) -> StreamingHttpResponse:
    response = streamed(request, pieces)
    response["Content-Type"] = content_type
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def bites(rows: Any, lines: Lines) -> Iterator[Sequence[Any]]:
    """The lines of a query or a sequence, some hundreds at a time, MOST_ROWS in all."""
    bounded = rows[:MOST_ROWS]
    left = bounded.iterator(chunk_size=ROWS_A_BITE) if isinstance(rows, QuerySet) else iter(bounded)
    while bite := list(islice(left, ROWS_A_BITE)):
        yield lines(bite)


def _outs(columns: Sequence[Column]) -> list[Out]:
    return [out for column in columns for out in column.outs]


def _head(out: Out) -> str:
    return f"{out.label} ({out.unit})" if out.unit else str(out.label)


# ---------------------------------------------------------------- a value in each format


def _csv_text(rows: Sequence[Sequence[object]], language: str) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=";" if language == "nl" else ",").writerows(rows)
    return text.getvalue().encode()


def _csv_value(value: Value, language: str) -> object:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat(timespec="seconds")
    if isinstance(value, float | Decimal):
        return str(value).replace(".", ",") if language == "nl" else str(value)
    return harmless(str(value)) if isinstance(value, str | Promise) else value


def _write(sheet: Any, place: tuple[int, int], value: Value, plain: Any) -> None:
    if value is None:
        return
    if isinstance(value, datetime):
        sheet.write_datetime(*place, timezone.localtime(value).replace(tzinfo=None))
    elif isinstance(value, int | float | Decimal):
        if math.isfinite(value):
            sheet.write_number(*place, value)
    else:
        text = str(value)[:_LONGEST]
        # A string is no formula; the prefix keeps it one after somebody edits the cell.
        sheet.write_string(*place, text, *([plain] if text.startswith(FORMULA) else []))
