"""What a 2.x station noticed by itself (NotifyEvent), as a list: what, how bad, and which value it had."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models.query import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.pages.configuration_words import severity, severity_tone
from portal.pages.icons import Mark
from portal.tables.columns import LOCAL_TIME, Cell, Column, Empty, List, Out, moment_cell, registered
from portal.templatetags.measures import UNKNOWN
from smartcharging.day_fields import DayField, on_days
from stations.models import Event

BAD_UNTIL = 4  # what the page calls bad (configuration_words.severity_tone)


class DeviceEventFilter(forms.Form):
    how_bad = forms.ChoiceField(
        required=False,
        label=gettext_lazy("How bad"),
        choices=[("", gettext_lazy("all")), ("bad", gettext_lazy("errors and worse"))],
    )
    since = DayField(required=False, label=gettext_lazy("From"))
    until = DayField(required=False, label=gettext_lazy("Up to and including"))

    def narrow(self, rows: QuerySet[Event]) -> QuerySet[Event]:
        """A field that cannot be read narrows nothing; the form shows what is wrong with it."""
        self.is_valid()
        chosen = self.cleaned_data
        if chosen.get("how_bad"):
            rows = rows.filter(data__severity__lte=BAD_UNTIL)
        return rows.filter(on_days(chosen, "at"))


def _place(event: Event) -> str:
    return ".".join(part for part in (event.data.get("component"), event.data.get("variable")) if part)


def _what(event: Event) -> Cell:
    if count := event.data.get("left_out"):
        words = ngettext("%(n)s more in one message, not kept", "%(n)s more in one message, not kept", count)
        return Cell(words % {"n": count}, muted=True)
    return Cell(_place(event), (_("over"),) if event.data.get("cleared") else ())


def _value(event: Event) -> Cell:
    info = event.data.get("info")
    return Cell(event.data.get("value") or UNKNOWN, (info,) if info else (), code=True)


def _bad(event: Event) -> Cell:
    number = event.data.get("severity")
    return Cell(mark=Mark(severity_tone(number), "", severity(number)))


def _said(name: str) -> Any:
    return lambda event: str(event.data.get(name) or "")


DEVICE_EVENTS = registered(
    List(
        key="device-events",
        title=gettext_lazy("What the station noticed"),
        sort="-when",
        nothing=Empty(
            gettext_lazy("Nothing has been told yet"),
            gettext_lazy("What a monitor notices appears here as soon as the station tells it."),
        ),
        no_match=Empty(gettext_lazy("Nothing fits these filters"), gettext_lazy("Choose other days.")),
        columns=(
            Column(
                "what",
                gettext_lazy("What"),
                _what,
                outs=(
                    Out(gettext_lazy("What"), _place),
                    Out(gettext_lazy("Over"), lambda event: _("yes") if event.data.get("cleared") else ""),
                ),
            ),
            Column(
                "value",
                gettext_lazy("Value"),
                _value,
                outs=(
                    Out(gettext_lazy("Value"), _said("value")),
                    Out(gettext_lazy("Details"), _said("info")),
                ),
            ),
            Column(
                "bad",
                gettext_lazy("How bad"),
                _bad,
                outs=(Out(gettext_lazy("How bad"), lambda event: severity(event.data.get("severity"))),),
            ),
            Column(
                "when",
                gettext_lazy("When"),
                lambda event: moment_cell(event.at),
                order=("pk",),  # as they were told; the index is by station and key
                most_first=True,
                outs=(Out(gettext_lazy("When"), lambda event: event.at, LOCAL_TIME),),
            ),
        ),
    )
)
