"""The firmware updates of a station as a list: what was asked, how far it was fetched, and what the station said."""

from __future__ import annotations

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy

from portal.pages.icons import Mark
from portal.tables.columns import LOCAL_TIME, Cell, Column, Empty, List, Out, moment_cell, registered
from portal.templatetags.measures import UNKNOWN
from stations.models import FirmwareUpdate

State = FirmwareUpdate.State
MARKS = {
    State.ASKED: Mark("calm", "hourglass", State.ASKED.label),
    State.BUSY: Mark("info", "hourglass", State.BUSY.label),
    State.INSTALLED: Mark("good", "check", State.INSTALLED.label),
    State.FAILED: Mark("bad", "alert", State.FAILED.label),
}


class UpdateFilter(forms.Form):
    q = forms.CharField(required=False, max_length=100, label=gettext_lazy("Version or file"))
    state = forms.ChoiceField(
        required=False, label=gettext_lazy("State"), choices=[("", gettext_lazy("all")), *State.choices]
    )

    def narrow(self, rows: QuerySet[FirmwareUpdate]) -> QuerySet[FirmwareUpdate]:
        """A field that cannot be read narrows nothing; the form shows what is wrong with it."""
        self.is_valid()
        chosen = self.cleaned_data
        if text := chosen.get("q"):
            rows = rows.filter(Q(image__version__icontains=text) | Q(image__name__icontains=text))
        return rows.filter(state=chosen["state"]) if chosen.get("state") else rows


def _version(row: FirmwareUpdate) -> Cell:
    return Cell(row.image.version, (row.image.name,)) if row.image else Cell(UNKNOWN)


def _steps(row: FirmwareUpdate) -> str:
    return " → ".join(status for status, _at in row.steps) or row.said


FIRMWARE_UPDATES = registered(
    List(
        key="firmware-updates",
        title=gettext_lazy("Firmware updates"),
        sort="-asked",
        nothing=Empty(
            gettext_lazy("No firmware update yet"),
            gettext_lazy("An update with UpdateFirmware, and how far it is, appears here."),
        ),
        no_match=Empty(
            gettext_lazy("No update fits these filters"), gettext_lazy("Choose another version or state.")
        ),
        columns=(
            Column(
                "asked",
                gettext_lazy("Asked"),
                lambda row: moment_cell(row.asked_at),
                order=("pk",),
                most_first=True,
                outs=(Out(gettext_lazy("Asked"), lambda row: row.asked_at, LOCAL_TIME),),
            ),
            Column(
                "version",
                gettext_lazy("Version"),
                _version,
                order=("image__version", "-pk"),
                outs=(
                    Out(gettext_lazy("Version"), lambda row: row.image.version if row.image else ""),
                    Out(gettext_lazy("File"), lambda row: row.image.name if row.image else ""),
                ),
            ),
            Column(
                "state",
                gettext_lazy("State"),
                lambda row: Cell(mark=MARKS[State(row.state)]),
                order=("state", "-pk"),
                outs=(Out(gettext_lazy("State"), lambda row: row.get_state_display()),),
            ),
            Column(
                "fetched",
                gettext_lazy("Fetched"),
                template="pages/station/_update_fetched.html",
                outs=(
                    Out(gettext_lazy("Fetched"), lambda row: row.sent_bytes, "B"),
                    Out(gettext_lazy("Size"), lambda row: row.image.size if row.image else None, "B"),
                ),
            ),
            Column(
                "said",
                gettext_lazy("The station says"),
                template="pages/station/_update_said.html",
                outs=(
                    Out(gettext_lazy("The station says"), _steps),
                    Out(gettext_lazy("Said at"), lambda row: row.said_at, LOCAL_TIME),
                ),
            ),
        ),
    )
)
