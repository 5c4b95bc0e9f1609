"""The audit log, for who answers for a party: who changed what, when, and by which door."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any, cast

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from portal.accounts.models import User
from portal.pages import logbook_words as words
from portal.pages.csv_download import csv_download
from portal.pages.logbook_list import LOGBOOK, lines_of
from portal.pages.logbook_rows import entries_of, may_read, named, narrowed
from portal.tables.listing import Listing
from stations.models import AuditEntry
from stations.models.audit import AuditQuerySet

MOST_DOWNLOADED = 10_000
DAYS = ["%d-%m-%Y", "%Y-%m-%d"]
ALL = ("", gettext_lazy("all"))


class LogFilter(forms.Form):
    who = forms.CharField(required=False, max_length=100, label=gettext_lazy("Who"))
    object = forms.CharField(required=False, max_length=100, label=gettext_lazy("Object or station"))
    model = forms.ChoiceField(required=False, label=gettext_lazy("Kind of object"))
    action = forms.ChoiceField(
        required=False, label=gettext_lazy("Action"), choices=[ALL, *AuditEntry.Action.choices]
    )
    door = forms.ChoiceField(
        required=False, label=gettext_lazy("By way of"), choices=[ALL, *AuditEntry.Door.choices]
    )
    since = forms.DateField(required=False, label=gettext_lazy("From day"), input_formats=DAYS)
    until = forms.DateField(required=False, label=gettext_lazy("Until day"), input_formats=DAYS)
    # Of a link from the page of an object: there is no need to type them.
    station = forms.CharField(
        required=False, max_length=48, widget=forms.HiddenInput, label=gettext_lazy("Station")
    )
    key = forms.CharField(
        required=False, max_length=64, widget=forms.HiddenInput, label=gettext_lazy("Object")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.ChoiceField", self.fields["model"]).choices = [ALL, *words.kinds()]
        for name in ("since", "until"):
            hint = {"placeholder": _("dd-mm-yyyy"), "autocomplete": "off", "size": "10"}
            self.fields[name].widget.attrs |= hint


@require_safe
def logbook(request: HttpRequest) -> HttpResponseBase:
    """Newest first; 404 for who answers for no party."""
    form, rows = _found(request)
    lines = partial(lines_of, user=cast("User", request.user))
    listing = Listing(LOGBOOK, request, rows, filters=form, lines=lines)
    context = {
        "listing": listing,
        "of": form.cleaned_data.get("station", ""),
        "query": request.GET.urlencode(),
    }
    return listing.answer() or render(request, "pages/logbook.html", context)


@require_safe
def logbook_csv(request: HttpRequest) -> HttpResponse:
    """What the page would show, a row for each field that changed, the newest changes first."""
    _form, rows = _found(request)
    head = ["at", "who", "party", "role", "by_way_of", "action", "kind", "key", "object", "station"]
    head += ["field", "before", "after", "request_id"]
    return csv_download([head, *_csv_rows(rows, cast("User", request.user))], "logboek.csv")


def _csv_rows(rows: AuditQuerySet, user: User) -> Iterator[list[str]]:
    for entry in rows[:MOST_DOWNLOADED]:
        first = [
            timezone.localtime(entry.at).isoformat(),
            named(entry, user),
            entry.party,
            entry.role,
            entry.door,
        ]
        first += [entry.action, entry.model, entry.key, entry.label]
        first.append(entry.station.identity if entry.station else "")
        for name, (before, after) in entry.changes.items() or [("", (None, None))]:
            yield [*first, name, _plain(before), _plain(after), entry.request_id]


def _plain(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)


def _found(request: HttpRequest) -> tuple[LogFilter, AuditQuerySet]:
    user = cast("User", request.user)
    if not may_read(user):
        raise Http404
    form = LogFilter(request.GET)
    form.is_valid()  # a field that cannot be read says so and narrows nothing
    return form, narrowed(entries_of(user), form.cleaned_data)
