"""Firmware on offer as a list: which versions there are, and how far they came."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.tables.columns import LOCAL_TIME, Cell, Column, Empty, List, Out, registered
from portal.templatetags.measures import megabytes, moment, short_hash
from stations.models import FirmwareImage


class ImageFilter(forms.Form):
    q = forms.CharField(required=False, max_length=100, label=gettext_lazy("Version, file or operator"))

    def narrow(self, rows: QuerySet[FirmwareImage]) -> QuerySet[FirmwareImage]:
        text = self.cleaned_data["q"] if self.is_valid() else ""
        if not text:
            return rows
        return rows.filter(
            Q(version__icontains=text) | Q(name__icontains=text) | Q(operator__name__icontains=text)
        )


def _file(row: Any) -> Cell:
    return Cell(row.name, (f"{megabytes(row.size)}, SHA-256 {short_hash(row.sha256)}",))


def _added(row: Any) -> Cell:
    who = (row.uploaded_by,) if row.uploaded_by else ()
    return Cell(moment(row.uploaded_at), who, moment=row.uploaded_at)


def _outcome(row: Any) -> Cell:
    counts = {"installed": row.installed, "busy": row.open, "failed": row.failed}
    return Cell(_("%(installed)s installed, %(busy)s busy, %(failed)s failed") % counts)


FIRMWARE = registered(
    List(
        key="firmware",
        title=gettext_lazy("Firmware on offer"),
        sort="-added",
        nothing=Empty(
            gettext_lazy("There is no firmware yet"),
            gettext_lazy("Add a file; then it can be sent to stations with UpdateFirmware."),
        ),
        no_match=Empty(gettext_lazy("No firmware fits this search"), gettext_lazy("Use fewer words.")),
        columns=(
            Column(
                "version",
                gettext_lazy("Version"),
                lambda row: Cell(row.version, (row.notes,) if row.notes else ()),
                order=("version", "-pk"),
                outs=(
                    Out(gettext_lazy("Version"), lambda row: row.version),
                    Out(gettext_lazy("Notes"), lambda row: row.notes),
                ),
            ),
            Column(
                "operator",
                gettext_lazy("Operator"),
                lambda row: Cell(row.operator),
                order=("operator__name", "-pk"),
                outs=(Out(gettext_lazy("Operator"), lambda row: row.operator.name),),
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
            Column(
                "added",
                gettext_lazy("Added"),
                _added,
                order=("pk",),
                most_first=True,
                outs=(
                    Out(gettext_lazy("Added"), lambda row: row.uploaded_at, LOCAL_TIME),
                    Out(gettext_lazy("Added by"), lambda row: str(row.uploaded_by or "")),
                ),
            ),
            Column(
                "stations",
                gettext_lazy("Stations"),
                _outcome,
                outs=(
                    Out(gettext_lazy("Installed"), lambda row: row.installed),
                    Out(gettext_lazy("Busy"), lambda row: row.open),
                    Out(gettext_lazy("Failed"), lambda row: row.failed),
                ),
            ),
            Column(
                "remove",
                gettext_lazy("Remove"),
                template="pages/_firmware_remove.html",
                outs=(Out(gettext_lazy("No."), lambda row: row.pk),),
            ),
        ),
    )
)
