"""The messages of a station, as they went over its socket: for its operator only, newest first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from portal.pages.csv_download import csv_download
from portal.pages.station import page, visit_as_staff
from stations.framelog import LogLine, frames_of
from stations.models import Frame, Station

LINES_A_PAGE = 50
LINES_A_DOWNLOAD = 10_000
PEEK = 110  # of the text, in the closed line


@dataclass(frozen=True, slots=True)
class Message:
    """A line of the log: `peek` fits on one line, `text` is the whole, indented where it is JSON."""

    line: LogLine
    is_in: bool
    kind: str
    peek: str
    text: str


class FrameFilter(forms.Form):
    direction = forms.ChoiceField(
        required=False,
        label=_("Direction"),
        choices=[("", _("both")), ("in", _("from the station")), ("out", _("to the station"))],
    )
    action = forms.CharField(required=False, max_length=50, label=_("Message"))
    q = forms.CharField(required=False, max_length=100, label=_("Contains"))

    def found(self, station: Station, *, before: datetime | None, limit: int) -> list[LogLine]:
        chosen = self.cleaned_data if self.is_valid() else {}
        return frames_of(
            station,
            direction=chosen.get("direction", ""),
            action=chosen.get("action", ""),
            text=chosen.get("q", ""),
            before=before,
            limit=limit,
        )


@require_safe
@vary_on_headers("HX-Request")
def frames(request: HttpRequest, identity: str) -> HttpResponse:
    """One page of the log; the next one is what came before its last line."""
    visited = visit_as_staff(request, identity)
    form = FrameFilter(request.GET)
    before = _moment(request.GET.get("before", ""))
    lines = form.found(visited.station, before=before, limit=LINES_A_PAGE + 1)
    shown = [_message(line) for line in lines[:LINES_A_PAGE]]
    context = {
        "form": form,
        "messages_shown": shown,
        "before": before,
        "next_before": shown[-1].line.at.isoformat() if len(lines) > LINES_A_PAGE else "",
        "is_filtered": any(form.data.get(name) for name in form.fields),
    }
    return page(request, visited, "frames", context)


@require_safe
def frames_csv(request: HttpRequest, identity: str) -> HttpResponse:
    """The same lines as a table, at most LINES_A_DOWNLOAD; times in UTC."""
    visited = visit_as_staff(request, identity)
    lines = FrameFilter(request.GET).found(visited.station, before=None, limit=LINES_A_DOWNLOAD)

    def rows() -> Iterator[list[object]]:
        yield ["at", "direction", "kind", "action", "message_id", "text"]
        for line in lines:
            yield [line.at.isoformat(), line.direction, line.kind, line.action, line.message_id, line.text]

    return csv_download(rows(), f"{identity}-messages.csv")


def _moment(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def _message(line: LogLine) -> Message:
    kind = str(Frame.Kind(line.kind).label) if line.kind in Frame.Kind.values else line.kind
    peek = line.text if len(line.text) <= PEEK else f"{line.text[:PEEK]}…"
    return Message(line, line.direction == Frame.Direction.IN, kind, peek, _indented(line.text))


def _indented(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
