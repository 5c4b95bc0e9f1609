"""What a station and we said to one another, newest first: frames, and the readings that keep their message.

Line by line (`frames_of`), or each question with its answer (stations.exchanges).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice, takewhile

import orjson
from django.db.models.query import QuerySet

from stations.models import Frame, MeterReading, Station

METER_VALUES = "MeterValues"
# As many frames of one moment may follow a full page.
SAME_MOMENT = 50


@dataclass(frozen=True, slots=True)
class LogLine:
    """One frame as sent, tokens and secrets masked. `direction` is "in" (from the station) or "out"."""

    at: datetime
    direction: str
    kind: str
    action: str
    message_id: str
    text: str


@dataclass(frozen=True, slots=True)
class _Wanted:
    station: Station
    direction: str
    action: str
    text: str
    before: datetime | None
    since: datetime | None
    limit: int


def frames_of(
    station: Station,
    *,
    direction: str = "",
    action: str = "",
    text: str = "",
    before: datetime | None = None,
    since: datetime | None = None,
    limit: int = 100,
) -> list[LogLine]:
    """About `limit` lines, newest first; the next page is `before` the time of the last line of this one.

    Lines of one moment stay on one page, so that none is lost between two. `direction` "in" or "out", `action`
    (exact), `text` (contained) and `since` narrow it; empty is all.
    """
    wanted = _Wanted(station, direction, action, text, before, since, limit + SAME_MOMENT)
    lines = merge(_frames(wanted), _readings(wanted), key=lambda line: line.at, reverse=True)
    page = list(islice(lines, limit))
    page.extend(takewhile(lambda line: bool(page) and line.at == page[-1].at, lines))
    return page


def _frames(wanted: _Wanted) -> Iterator[LogLine]:
    rows = Frame.objects.filter(station=wanted.station)
    if wanted.direction:
        rows = rows.filter(direction=wanted.direction)
    if wanted.action:
        rows = rows.filter(action=wanted.action)
    if wanted.text:
        rows = rows.filter(text__icontains=wanted.text)
    if wanted.before:
        rows = rows.filter(at__lt=wanted.before)
    if wanted.since:
        rows = rows.filter(at__gte=wanted.since)
    for row in rows.order_by("-at", "-pk")[: wanted.limit]:
        yield LogLine(row.at, row.direction, row.kind, row.action, row.message_id, row.text)


def _readings(wanted: _Wanted) -> Iterator[LogLine]:
    """MeterValues are kept once, beside their readings; the answer is always the same and is made here."""
    if wanted.action not in ("", METER_VALUES):
        return
    for row in _messages(wanted)[: wanted.limit]:
        answer = orjson.dumps([3, row.message_id, {}]).decode()
        lines = (
            LogLine(row.received_at, "out", Frame.Kind.RESULT, METER_VALUES, row.message_id, answer),
            LogLine(row.received_at, "in", Frame.Kind.CALL, METER_VALUES, row.message_id, row.message),
        )
        for line in lines:
            if wanted.direction in ("", line.direction) and wanted.text.lower() in line.text.lower():
                yield line


def _messages(wanted: _Wanted) -> QuerySet[MeterReading]:
    rows = MeterReading.objects.filter(station=wanted.station).exclude(message="")
    if wanted.before:
        rows = rows.filter(received_at__lt=wanted.before)
    if wanted.since:
        rows = rows.filter(received_at__gte=wanted.since)
    if wanted.text:
        rows = rows.filter(message__icontains=wanted.text)
    return rows.order_by("-received_at", "-pk")
