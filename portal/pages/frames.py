"""The messages of a station, as they went over its socket: for its operator only, newest first.

A line is a question with its answer and the time between them. What is filtered is what the exports hold.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from django import forms
from django.conf import settings
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from portal.pages.csv_download import harmless
from portal.pages.file_responses import streamed
from portal.pages.frame_words import Field, readable
from portal.pages.icons import Mark
from portal.pages.station import page, visit_as_staff
from portal.tables.columns import Empty, List, registered
from portal.tables.listing import Listing
from stations.exchanges import Cursor, Exchange, Outcome, Search, actions_of, bounded, exchanges_of
from stations.framelog import LogLine
from stations.models import Frame, Station

PAIRS_A_PAGE = 30
PAIRS_A_DOWNLOAD = 10_000
PAIRS_A_BITE = 500
PEEK = 110  # of the text, in the closed line
MOMENTS = ["%d-%m-%Y %H:%M", "%d-%m-%Y", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d"]
VIEWS = [("raw", _("as sent")), ("readable", _("in words"))]
# Only what narrows it: the log is drawn in lines of its own and is always newest first, which is how it is kept.
FRAMES = registered(
    List(
        key="frames",
        title=_("Messages"),
        columns=(),
        sort="",
        nothing=Empty(
            _("No messages yet"), _("What the station and the portal say to one another appears here.")
        ),
        no_match=Empty(
            _("No message fits these filters"),
            _("A message name is exact, for example StatusNotification."),
        ),
    )
)


@dataclass(frozen=True, slots=True)
class Part:
    """One frame of a pair: the whole text, indented where it is JSON, and its fields where these were asked for."""

    line: LogLine
    kind: str
    text: str
    fields: list[Field] | None


@dataclass(frozen=True, slots=True)
class Message:
    """A line of the log: `peek` fits on one line."""

    key: str
    exchange: Exchange
    is_in: bool
    peek: str
    mark: Mark
    remarks: tuple[Mark, ...]
    parts: tuple[Part, ...]


class FrameFilter(forms.Form):
    direction = forms.ChoiceField(
        required=False,
        label=_("Asked by"),
        choices=[("", _("both")), ("in", _("the station")), ("out", _("the portal"))],
    )
    action = forms.CharField(
        required=False,
        max_length=50,
        label=_("Message"),
        widget=forms.TextInput(attrs={"list": "actions", "autocomplete": "off"}),
    )
    outcome = forms.ChoiceField(
        required=False,
        label=_("Outcome"),
        choices=[
            ("", _("all")),
            (Outcome.ANSWERED, _("answered")),
            (Outcome.ERROR, _("error")),
            (Outcome.OPEN, _("no answer")),
            (Outcome.BROKEN, _("not readable")),
        ],
    )
    since = forms.DateTimeField(required=False, label=_("From"), input_formats=MOMENTS)
    until = forms.DateTimeField(required=False, label=_("Until"), input_formats=MOMENTS)
    transaction = forms.CharField(required=False, max_length=36, label=_("Transaction"))
    q = forms.CharField(required=False, max_length=100, label=_("Contains"))
    view = forms.ChoiceField(required=False, label=_("Show messages"), choices=VIEWS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("since", "until"):
            hint = {"placeholder": _("dd-mm-yyyy hh:mm"), "autocomplete": "off", "size": "16"}
            self.fields[name].widget.attrs |= hint

    def search(self) -> Search:
        """What was asked; a field that cannot be read says so and narrows nothing."""
        self.is_valid()
        chosen = self.cleaned_data
        return Search(
            direction=chosen.get("direction", ""),
            action=chosen.get("action", ""),
            text=chosen.get("q", ""),
            outcome=chosen.get("outcome", ""),
            transaction=chosen.get("transaction", ""),
            since=chosen.get("since"),
            until=chosen.get("until"),
        )


@require_safe
@vary_on_headers("HX-Request")
def frames(request: HttpRequest, identity: str) -> HttpResponseBase:
    """One page of the log; the next one is what came before its last line."""
    visited = visit_as_staff(request, identity)
    form = FrameFilter(request.GET)
    asked = form.search()
    listing = Listing(FRAMES, request, (), filters=form, views=("view",))
    if answer := listing.answer():
        return answer
    search = bounded(visited.station, asked)
    after = Cursor.read(request.GET.get("before", ""))
    found = exchanges_of(visited.station, search, after=after, limit=PAIRS_A_PAGE + 1)
    in_words = form.cleaned_data.get("view") == "readable"
    shown = [_message(one, now=visited.now, in_words=in_words) for one in found[:PAIRS_A_PAGE]]
    context = {
        "listing": listing,
        "actions": actions_of(visited.station),
        "messages_shown": shown,
        "before": after,
        "next_before": str(shown[-1].exchange.cursor) if len(found) > PAIRS_A_PAGE else "",
        "searched_since": search.since if asked.since is None else None,
        "kept_since": visited.now - timedelta(days=settings.OCPP_FRAME_RETENTION_DAYS),
        "most": PAIRS_A_DOWNLOAD,
    }
    return page(request, visited, "frames", context)


# ---------------------------------------------------------------- exports


@require_safe
def frames_csv(request: HttpRequest, identity: str) -> StreamingHttpResponse:
    """The same lines as a table, question and answer in a row, at most PAIRS_A_DOWNLOAD; times in UTC."""
    head = [
        "at",
        "asked_by",
        "action",
        "message_id",
        "outcome",
        "took_ms",
        "question",
        "answered_at",
        "answer",
    ]

    def row(one: Exchange) -> str:
        answer = one.answers[0] if one.answers else None
        return _csv_line(
            [
                one.question.at.isoformat(),
                one.question.direction,
                one.question.action,
                one.question.message_id,
                one.outcome.value,
                "" if one.took_ms is None else round(one.took_ms, 1),
                one.question.text,
                answer.at.isoformat() if answer else "",
                answer.text if answer else "",
            ]
        )

    return _download(request, identity, row, head=_csv_line(head), kind="text/csv", ending="csv")


@require_safe
def frames_jsonl(request: HttpRequest, identity: str) -> StreamingHttpResponse:
    """The same as JSON, a pair on each line."""

    def row(one: Exchange) -> str:
        return orjson.dumps(_as_json(one)).decode() + "\n"

    return _download(request, identity, row, head="", kind="application/x-ndjson", ending="jsonl")


def _as_json(one: Exchange) -> dict[str, Any]:
    return {
        "at": one.question.at.isoformat(),
        "asked_by": one.question.direction,
        "action": one.question.action,
        "message_id": one.question.message_id,
        "outcome": one.outcome.value,
        "took_ms": None if one.took_ms is None else round(one.took_ms, 1),
        "question": _parsed(one.question.text),
        "answers": [{"at": line.at.isoformat(), "frame": _parsed(line.text)} for line in one.answers],
    }


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text)
    except ValueError:
        return text


def _csv_line(cells: list[Any]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([harmless(cell) for cell in cells])
    return text.getvalue()


def _download(
    request: HttpRequest,
    identity: str,
    row: Callable[[Exchange], str],
    *,
    head: str,
    kind: str,
    ending: str,
) -> StreamingHttpResponse:
    station = visit_as_staff(request, identity).station
    search = bounded(station, FrameFilter(request.GET).search())
    bites = _bites(station, search)

    def pieces() -> Iterator[bytes]:
        yield head.encode()
        for bite in bites:
            yield "".join(map(row, bite)).encode()

    response = streamed(request, pieces())
    response["Content-Type"] = f"{kind}; charset=utf-8"
    response["Content-Disposition"] = f'attachment; filename="{identity}-messages.{ending}"'
    return response


def _bites(station: Station, search: Search) -> Iterator[list[Exchange]]:
    after, left = None, PAIRS_A_DOWNLOAD
    while left:
        bite = exchanges_of(station, search, after=after, limit=min(PAIRS_A_BITE, left))
        if not bite:
            return
        yield bite
        left, after = left - len(bite), bite[-1].cursor


# ---------------------------------------------------------------- a line


def _message(one: Exchange, *, now: datetime, in_words: bool) -> Message:
    line = one.question
    peek = line.text if len(line.text) <= PEEK else f"{line.text[:PEEK]}…"
    return Message(
        key=f"{one.cursor.source}{one.cursor.pk}",
        exchange=one,
        is_in=line.direction == Frame.Direction.IN,
        peek=peek,
        mark=_mark(one, now),
        remarks=tuple(_remarks(one)),
        parts=tuple(_part(each, in_words=in_words) for each in (line, *one.answers)),
    )


def _mark(one: Exchange, now: datetime) -> Mark:
    match one.outcome:
        case Outcome.ANSWERED if one.is_send:
            return Mark("calm", "check", _("asks no answer"))
        case Outcome.ANSWERED:
            return Mark("good", "check", _("answered"))
        case Outcome.ERROR:
            return Mark("bad", "alert", _("error"))
        case Outcome.OPEN if now - one.question.at < _patience():
            return Mark("calm", "hourglass", _("waiting"))
        case Outcome.OPEN:
            return Mark("warn", "clock", _("no answer"))
    if one.question.kind == Frame.Kind.BROKEN:
        return Mark("bad", "alert", _("not readable"))
    return Mark("warn", "question", _("answers nothing"))


def _remarks(one: Exchange) -> Iterator[Mark]:
    took_ms = one.took_ms
    if took_ms is not None and timedelta(milliseconds=took_ms) > _patience():
        yield Mark("warn", "clock", _("late"))
    if len(one.answers) > 1:
        yield Mark("warn", "again", _("answered more than once"))


def _patience() -> timedelta:
    return timedelta(seconds=settings.OCPP_CALL_TIMEOUT_S)


def _part(line: LogLine, *, in_words: bool) -> Part:
    kind = str(Frame.Kind(line.kind).label) if line.kind in Frame.Kind.values else line.kind
    return Part(line, kind, _indented(line.text), readable(line.text) if in_words else None)


def _indented(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
