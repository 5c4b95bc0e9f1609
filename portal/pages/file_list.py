"""The files that were asked of a station, as a list: how far each is, what the station said, and the file itself."""

from __future__ import annotations

from django import forms
from django.db.models.query import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.pages.icons import Mark
from portal.tables.columns import LOCAL_TIME, Cell, Column, Empty, List, Out, registered
from portal.templatetags.measures import UNKNOWN, megabytes, moment, short_hash
from stations.models import UploadTicket

State = UploadTicket.State
MARKS = {
    State.ASKED: Mark("calm", "hourglass", State.ASKED.label),
    State.UPLOADING: Mark("info", "hourglass", State.UPLOADING.label),
    State.RECEIVED: Mark("good", "check", State.RECEIVED.label),
    State.FAILED: Mark("bad", "alert", State.FAILED.label),
}


class FileFilter(forms.Form):
    kind = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Kind"),
        choices=[("", gettext_lazy("all")), *UploadTicket.Kind.choices],
    )
    state = forms.ChoiceField(
        required=False, label=gettext_lazy("State"), choices=[("", gettext_lazy("all")), *State.choices]
    )

    def narrow(self, rows: QuerySet[UploadTicket]) -> QuerySet[UploadTicket]:
        self.is_valid()
        chosen = {name: value for name, value in self.cleaned_data.items() if value}
        return rows.filter(**chosen)


def _asked(row: UploadTicket) -> Cell:
    who = (row.requested_by,) if row.requested_by else ()
    return Cell(moment(row.requested_at), who, moment=row.requested_at)


def _state(row: UploadTicket) -> Cell:
    notes: tuple[object, ...] = (row.problem,) if row.problem else ()
    if row.state == State.ASKED:
        notes += (_("the link works until %(time)s") % {"time": moment(row.expires_at)},)
    return Cell(mark=MARKS[State(row.state)], notes=notes)


def _said(row: UploadTicket) -> Cell:
    return Cell(row.said, (moment(row.said_at),)) if row.said else Cell(UNKNOWN)


def _file(row: UploadTicket) -> Cell:
    if not row.file:
        return Cell(_("none"), muted=True)
    url = reverse("stations:file", args=[row.station.identity, row.pk])
    return Cell(row.name, (f"{megabytes(row.size)}, SHA-256 {short_hash(row.sha256)}",), url=url)


FILES = registered(
    List(
        key="files",
        title=gettext_lazy("Files that were asked for"),
        sort="-asked",
        nothing=Empty(
            gettext_lazy("No log was asked for yet"),
            gettext_lazy("Ask for one with GetLog or GetDiagnostics; the file appears here."),
        ),
        no_match=Empty(
            gettext_lazy("No file fits these filters"), gettext_lazy("Choose another kind or state.")
        ),
        columns=(
            Column(
                "asked",
                gettext_lazy("Asked"),
                _asked,
                order=("pk",),
                most_first=True,
                outs=(
                    Out(gettext_lazy("Asked"), lambda row: row.requested_at, LOCAL_TIME),
                    Out(gettext_lazy("Asked by"), lambda row: str(row.requested_by or "")),
                ),
            ),
            Column(
                "kind",
                gettext_lazy("Kind"),
                lambda row: Cell(row.get_kind_display()),
                order=("kind", "-pk"),
                outs=(Out(gettext_lazy("Kind"), lambda row: row.get_kind_display()),),
            ),
            Column(
                "state",
                gettext_lazy("State"),
                _state,
                order=("state", "-pk"),
                outs=(
                    Out(gettext_lazy("State"), lambda row: row.get_state_display()),
                    Out(gettext_lazy("Problem"), lambda row: row.problem),
                ),
            ),
            Column(
                "said",
                gettext_lazy("The station says"),
                _said,
                outs=(
                    Out(gettext_lazy("The station says"), lambda row: row.said),
                    Out(gettext_lazy("Said at"), lambda row: row.said_at, LOCAL_TIME),
                ),
            ),
            Column(
                "file",
                gettext_lazy("File"),
                _file,
                outs=(
                    Out(gettext_lazy("File"), lambda row: row.name),
                    Out(gettext_lazy("Size"), lambda row: row.size, "B"),
                    Out("SHA-256", lambda row: row.sha256),
                ),
            ),
        ),
    )
)
