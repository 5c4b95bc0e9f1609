"""The audit log as a list: a line for each change, with every field that it changed in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.accounts.models import User
from portal.pages import logbook_words as words
from portal.pages.logbook_rows import named
from portal.tables.columns import LOCAL_TIME, Cell, Column, Empty, List, Out, moment_cell, registered
from portal.templatetags.laad import breakable
from stations.models import AuditEntry

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


def lines_of(entries: Sequence[AuditEntry], *, user: User) -> list[Line]:
    return [_line(entry, user) for entry in entries]


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


# ---------------------------------------------------------------- the columns
def _who(line: Line) -> Cell:
    role = ", ".join(part for part in (line.role, line.entry.party) if part)
    return Cell(breakable(line.who), (role,)) if line.who else Cell(role, muted=True)


def _object(line: Line) -> Cell:
    entry = line.entry
    notes: tuple[object, ...] = (line.kind,)
    if entry.station and entry.model != "stations.station":
        notes += (entry.station.identity,)
    label = format_html('<span translate="no">{}</span>', breakable(entry.label))
    return Cell(label, notes, url=line.url)


def _in_words(line: Line) -> str:
    return "; ".join(f"{change.name}: {_told(change)}" for change in line.changes)


def _told(change: Change) -> str:
    if change.is_secret:
        return _("changed (a secret is not shown)")
    return f"{change.before} → {change.after}" if change.before else change.after


LOGBOOK = registered(
    List(
        key="logbook",
        title=gettext_lazy("Changes by people, the newest first"),
        sort="-when",
        nothing=Empty(
            gettext_lazy("Nobody has changed anything yet"),
            gettext_lazy(
                "Every change that a person makes on the pages, through the API or in the administration comes here."
            ),
        ),
        no_match=Empty(
            gettext_lazy("No change fits this search"), gettext_lazy("Use fewer words, or other days.")
        ),
        columns=(
            Column(
                "when",
                gettext_lazy("When"),
                lambda line: moment_cell(line.entry.at),
                order=("pk",),  # the order in which they were made, and the one that is indexed by party
                most_first=True,
                outs=(Out(gettext_lazy("When"), lambda line: line.entry.at, LOCAL_TIME),),
            ),
            Column(
                "who",
                gettext_lazy("Who"),
                _who,
                outs=(
                    Out(gettext_lazy("Who"), lambda line: line.who),
                    Out(gettext_lazy("Party"), lambda line: line.entry.party),
                    Out(gettext_lazy("Role"), lambda line: line.role),
                ),
            ),
            Column(
                "object",
                gettext_lazy("Object"),
                _object,
                outs=(
                    Out(gettext_lazy("Kind of object"), lambda line: line.kind),
                    Out(gettext_lazy("Object"), lambda line: line.entry.label),
                    Out(
                        gettext_lazy("Station"),
                        lambda line: line.entry.station.identity if line.entry.station else "",
                    ),
                ),
            ),
            Column(
                "changed",
                gettext_lazy("What changed"),
                template="pages/_logbook_changes.html",
                outs=(
                    Out(gettext_lazy("Action"), lambda line: line.entry.get_action_display()),
                    Out(gettext_lazy("What changed"), _in_words),
                ),
            ),
            Column(
                "door",
                gettext_lazy("By way of"),
                lambda line: Cell(line.entry.get_door_display()),
                outs=(Out(gettext_lazy("By way of"), lambda line: line.entry.get_door_display()),),
            ),
        ),
    )
)
