"""The audit log, for who answers for a party: who changed what, when, and by which door."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from portal.accounts.models import User
from portal.pages import logbook_words as words
from portal.pages.csv_download import csv_download
from portal.pages.logbook_rows import entries_of, may_read, named, narrowed
from stations.models import AuditEntry
from stations.models.audit import AuditQuerySet

PAGE_SIZE = 50
MOST_DOWNLOADED = 10_000
DAYS = ["%d-%m-%Y", "%Y-%m-%d"]
ALL = ("", gettext_lazy("all"))
# Where an object has a page of its own; what has none is shown in the administration.
PAGES = {
    "stations.configurationtemplate": "configuration:template",
    "stations.configurationrollout": "configuration:rollout",
    "compliance.probe": "compliance:probe",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One field: its name, and what it was and became in words. Of a secret only that it is another."""

    name: str
    before: str
    after: str
    is_secret: bool


@dataclass(frozen=True, slots=True)
class Line:
    entry: AuditEntry
    who: str
    role: str
    kind: str
    url: str
    changes: tuple[Change, ...]


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
    station = forms.CharField(required=False, max_length=48, widget=forms.HiddenInput)
    key = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.ChoiceField", self.fields["model"]).choices = [ALL, *words.kinds()]
        for name in ("since", "until"):
            hint = {"placeholder": _("dd-mm-yyyy"), "autocomplete": "off", "size": "10"}
            self.fields[name].widget.attrs |= hint


@require_safe
def logbook(request: HttpRequest) -> HttpResponse:
    """Newest first; 404 for who answers for no party."""
    form, rows = _found(request)
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    user = cast("User", request.user)
    context = {
        "form": form,
        "page": page,
        "lines": [_line(entry, user) for entry in page.object_list],
        "count": page.paginator.count,
        "is_filtered": any(form.cleaned_data.values()) or bool(form.errors),
        "of": form.cleaned_data.get("station", ""),
        "query": request.GET.urlencode(),
    }
    return render(request, "pages/logbook.html", context)


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


def _line(entry: AuditEntry, user: User) -> Line:
    return Line(
        entry=entry,
        who=named(entry, user),
        role=words.role_words(entry.role),
        kind=words.kind_words(entry.model),
        url=_url(entry, user),
        changes=tuple(_change(entry.model, name, pair) for name, pair in entry.changes.items()),
    )


def _change(model: str, name: str, pair: list[Any]) -> Change:
    before, after = (words.value_words(model, name, value) for value in pair)
    return Change(words.field_words(model, name), before, after, words.is_secret(pair))


def _url(entry: AuditEntry, user: User) -> str:
    """Where the object is to be seen; empty where it is gone, or has no page for this visitor."""
    if entry.action == AuditEntry.Action.DELETED:
        return ""
    if entry.station and (entry.model == "stations.station" or entry.model not in PAGES):
        return reverse("stations:detail", args=[entry.station.identity])
    if entry.model in PAGES:
        return reverse(PAGES[entry.model], args=[entry.key])
    model = words.model_of(entry.model)
    if user.is_staff and model is not None and admin.site.is_registered(model):
        return _in_admin(entry)
    return ""


def _in_admin(entry: AuditEntry) -> str:
    try:
        return reverse(f"admin:{entry.model.replace('.', '_')}_change", args=[entry.key])
    except NoReverseMatch:
        return ""
