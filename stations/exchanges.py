"""The frame log in pairs: each question with what was answered to it, and how long that took.

Pages follow one another by a cursor of moment and row, so that none is lost or shown twice. An answer is found by its
message id within HORIZON of its question; what answers nothing is a line of its own.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from heapq import merge
from itertools import islice
from typing import Any

import orjson
from django.db.models import DateTimeField, Exists, ExpressionWrapper, Max, Min, OuterRef, Q, Value
from django.db.models.query import QuerySet

from stations.framelog import METER_VALUES, LogLine
from stations.models import ChargingSession, Frame, MeterReading, Station

# An answer that came later than this belongs to nobody any more.
HORIZON = timedelta(hours=1)
# Where a search says nothing of the time, so far back from the newest message.
SEARCHED = timedelta(days=7)
AROUND, AFTERWARDS = timedelta(hours=1), timedelta(days=7)
RECENT = 5000
_ANSWERS = (Frame.Kind.RESULT, Frame.Kind.ERROR)
_SEND = "[6"  # OCPP-J 2.1: a message that asks for no answer


class Outcome(StrEnum):
    ANSWERED = "answered"
    ERROR = "error"
    OPEN = "open"  # no answer
    BROKEN = "broken"  # no frame, or an answer to nothing


@dataclass(frozen=True, slots=True)
class Search:
    """What to show; empty is all. `transaction` is the number of 1.6 or the id of 2.x; moments are of the question."""

    direction: str = ""
    action: str = ""
    text: str = ""
    outcome: str = ""
    transaction: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_narrow(self) -> bool:
        return any((self.action, self.text, self.outcome, self.transaction, self.direction))


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last question of a page: the next one begins after it. `pk` 0: before the moment, whatever the row."""

    at: datetime
    source: str = "f"  # f: frames, m: MeterValues
    pk: int = 0

    def __str__(self) -> str:
        return f"{self.at.isoformat()}|{self.source}{self.pk}"

    @classmethod
    def read(cls, text: str) -> Cursor | None:
        """None where it is not one of ours; a moment alone is one too."""
        moment, _, row = text.partition("|")
        try:
            at = datetime.fromisoformat(moment)
            pk = int(row[1:] or 0)
        except ValueError:
            return None
        if at.tzinfo is None or row[:1] not in ("", "f", "m") or not 0 <= pk < 2**63:
            return None
        return cls(at, row[:1] or "f", pk)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answers, the first one first: more than one is a station that repeats itself."""

    question: LogLine
    answers: tuple[LogLine, ...]
    cursor: Cursor
    outcome: Outcome
    is_send: bool = False

    @property
    def took_ms(self) -> float | None:
        """From the question to its first answer. MeterValues keep one moment for both."""
        if not self.answers or self.cursor.source == "m":
            return None
        return (self.answers[0].at - self.question.at).total_seconds() * 1000

    def lines(self) -> Iterator[LogLine]:
        """Newest first, as in the log line by line."""
        yield from reversed(self.answers)
        yield self.question


def exchanges_of(
    station: Station, search: Search, *, after: Cursor | None = None, limit: int = 50
) -> list[Exchange]:
    """`limit` of them, the newest question first; the next page is `after` the cursor of the last of this one."""
    found = merge(
        _from_frames(station, search, after, limit),
        _from_readings(station, search, after, limit),
        key=lambda one: (one.cursor.at, one.cursor.source == "f", one.cursor.pk),
        reverse=True,
    )
    page = list(islice(found, limit))
    return _answered(station, page)


def bounded(station: Station, search: Search) -> Search:
    """`search` with a beginning: a narrow one would else read all that is kept, to find nothing."""
    if search.since or not search.is_narrow:
        return search
    if search.transaction:
        return _around_session(station, search)
    newest = search.until or Frame.objects.filter(station=station).aggregate(at=Max("at"))["at"]
    return replace(search, since=newest - SEARCHED) if newest else search


def _around_session(station: Station, search: Search) -> Search:
    """When the session was: its messages may have come later than they say, not earlier."""
    sessions = ChargingSession.objects.filter(station=station, transaction_id=search.transaction)
    ran = sessions.order_by().aggregate(
        first=Min("received_at"), told=Min("started_at"), last=Max("received_at"), ended=Max("ended_at")
    )
    if ran["first"] is None:
        return search
    first, last = min(ran["first"], ran["told"] or ran["first"]), ran["ended"]
    until = search.until or (max(last, ran["last"]) + AFTERWARDS if last else None)
    return replace(search, since=first - AROUND, until=until)


def lines_of(
    station: Station, search: Search, *, before: datetime | None = None, limit: int = 100
) -> list[LogLine]:
    """The lines of the exchanges found, newest question first; go on with `before` = the time of the last line."""
    after = Cursor(before) if before else None
    found = exchanges_of(station, bounded(station, search), after=after, limit=limit)
    return [line for one in found for line in one.lines()]


def actions_of(station: Station) -> list[str]:
    """The messages that occur among the newest ones, by name."""
    newest = Frame.objects.filter(station=station).order_by("-at").values_list("action", flat=True)[:RECENT]
    return sorted({action for action in newest if action} | {METER_VALUES})


# ---------------------------------------------------------------- frames


def _from_frames(station: Station, search: Search, after: Cursor | None, limit: int) -> Iterator[Exchange]:
    questions = Q(kind__in=(Frame.Kind.CALL, Frame.Kind.BROKEN))
    strays = Q(kind__in=_ANSWERS, direction=Frame.Direction.IN, action="")
    rows: QuerySet[Any] = Frame.objects.filter(questions | strays, station=station)
    rows = _in_time(rows, "at", search, after, "f")
    if search.direction:
        rows = rows.filter(direction=search.direction)
    if search.action:
        rows = rows.filter(action=search.action)
    if search.text:
        contained = Q(text__icontains=search.text)
        rows = rows.filter(contained | _answered_by(station, search, contained))
    if search.transaction:
        named = _names(search.transaction)
        rows = rows.filter(named | _answered_by(station, search, named))
    if search.outcome:
        rows = _with_outcome(rows, station, search)
    for row in rows.order_by("-at", "-pk")[:limit]:
        yield _exchange(row)


def _in_time(
    rows: QuerySet[Any], field: str, search: Search, after: Cursor | None, source: str
) -> QuerySet[Any]:
    if search.since:
        rows = rows.filter(**{f"{field}__gte": search.since})
    if search.until:
        rows = rows.filter(**{f"{field}__lt": search.until})
    if after is None:
        return rows
    rows = rows.filter(**{f"{field}__lte": after.at})
    earlier = Q(**{f"{field}__lt": after.at})
    if after.pk and after.source == source:
        return rows.filter(earlier | Q(pk__lt=after.pk))
    # At one moment frames stand before readings.
    return rows if after.pk and source == "m" else rows.filter(earlier)


def _answers_to_it() -> QuerySet[Frame]:
    """The answers to the question of the outer query."""
    return Frame.objects.filter(
        station=OuterRef("station"),
        message_id=OuterRef("message_id"),
        kind__in=_ANSWERS,
        at__gte=OuterRef("at"),
        # Some stations begin their ids anew at each boot.
        at__lte=ExpressionWrapper(OuterRef("at") + Value(HORIZON), output_field=DateTimeField()),
    ).exclude(direction=OuterRef("direction"))


def _answered_by(station: Station, search: Search, wanted: Q) -> Q:
    """Questions with such an answer. Looked up the other way round first: such answers are few, questions many."""
    answers = Frame.objects.filter(wanted, station=station, kind__in=_ANSWERS).exclude(message_id="")
    if search.since:
        answers = answers.filter(at__gte=search.since)
    if search.until:
        answers = answers.filter(at__lt=search.until + HORIZON)
    return Q(message_id__in=answers.order_by().values("message_id")) & Q(
        Exists(_answers_to_it().filter(wanted))
    )


def _names(transaction: str) -> Q:
    """Frames that name this transaction; in 1.6 the answer to StartTransaction is the first that does."""
    pattern = rf'"transactionId"\s*:\s*"?{re.escape(transaction)}"?\s*[,}}]'
    return Q(text__contains=transaction) & Q(text__regex=pattern)


def _with_outcome(rows: QuerySet[Any], station: Station, search: Search) -> QuerySet[Any]:
    calls = rows.filter(kind=Frame.Kind.CALL)
    match search.outcome:
        case Outcome.ANSWERED:
            return calls.filter(Exists(_answers_to_it().filter(kind=Frame.Kind.RESULT)))
        case Outcome.ERROR:
            return calls.filter(_answered_by(station, search, Q(kind=Frame.Kind.ERROR)))
        case Outcome.OPEN:
            return calls.filter(~Exists(_answers_to_it())).exclude(text__startswith=_SEND)
        case _:
            return rows.exclude(kind=Frame.Kind.CALL)


def _exchange(row: Frame) -> Exchange:
    line = LogLine(row.at, row.direction, row.kind, row.action, row.message_id, row.text)
    is_send = row.kind == Frame.Kind.CALL and row.text.startswith(_SEND)
    outcome = Outcome.OPEN if row.kind == Frame.Kind.CALL else Outcome.BROKEN
    return Exchange(line, (), Cursor(row.at, "f", row.pk), Outcome.ANSWERED if is_send else outcome, is_send)


def _answered(station: Station, page: Sequence[Exchange]) -> list[Exchange]:
    """The page with its answers: one query, whatever the page."""
    asked = [one for one in page if one.question.kind in (Frame.Kind.CALL, Frame.Kind.BROKEN)]
    open_ = [one for one in asked if one.cursor.source == "f" and one.question.message_id]
    if not open_:
        return list(page)
    rows = Frame.objects.filter(
        station=station,
        message_id__in={one.question.message_id for one in open_},
        kind__in=_ANSWERS,
        at__gte=min(one.question.at for one in open_),
        at__lte=max(one.question.at for one in open_) + HORIZON,
    ).order_by("at", "pk")
    by_id: dict[str, list[Frame]] = defaultdict(list)
    for row in rows:
        by_id[row.message_id].append(row)
    return list(_paired(page, by_id))


def _paired(page: Sequence[Exchange], by_id: dict[str, list[Frame]]) -> Iterator[Exchange]:
    """Newest first: what came after a later question with the same id is the answer to that one."""
    later: dict[tuple[str, str], datetime] = {}
    for one in page:
        question = one.question
        key = (question.direction, question.message_id)
        end = later.get(key)
        rows = [row for row in by_id.get(question.message_id, ()) if end is None or row.at < end]
        yield _with_answers(one, rows)
        if question.kind == Frame.Kind.CALL:
            later[key] = question.at


def _with_answers(one: Exchange, rows: Iterable[Frame]) -> Exchange:
    question = one.question
    if question.kind in _ANSWERS or one.cursor.source == "m":
        return one
    answers = tuple(
        LogLine(row.at, row.direction, row.kind, row.action, row.message_id, row.text)
        for row in rows
        if row.direction != question.direction and question.at <= row.at <= question.at + HORIZON
    )
    if not answers or question.kind == Frame.Kind.BROKEN:
        return replace(one, answers=answers)
    is_error = answers[0].kind == Frame.Kind.ERROR
    return replace(one, answers=answers, outcome=Outcome.ERROR if is_error else Outcome.ANSWERED)


# ---------------------------------------------------------------- readings


def _from_readings(station: Station, search: Search, after: Cursor | None, limit: int) -> Iterator[Exchange]:
    """MeterValues are kept once, beside their readings; the answer is always the same and is made here."""
    if search.action not in ("", METER_VALUES) or search.direction == Frame.Direction.OUT:
        return
    if search.outcome not in ("", Outcome.ANSWERED):
        return
    rows: QuerySet[Any] = MeterReading.objects.filter(station=station).exclude(message="")
    rows = _in_time(rows, "received_at", search, after, "m")
    if search.text:
        rows = rows.filter(message__icontains=search.text)
    if search.transaction:
        rows = rows.filter(transaction_id=search.transaction)
    for row in rows.order_by("-received_at", "-pk")[:limit]:
        at, text = row.received_at, orjson.dumps([3, row.message_id, {}]).decode()
        question = LogLine(at, "in", Frame.Kind.CALL, METER_VALUES, row.message_id, row.message)
        answer = LogLine(at, "out", Frame.Kind.RESULT, METER_VALUES, row.message_id, text)
        yield Exchange(question, (answer,), Cursor(at, "m", row.pk), Outcome.ANSWERED)
