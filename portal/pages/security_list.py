"""What happened around the security of a station, as a list: told by the station, or seen by the portal."""

from __future__ import annotations

from collections.abc import Sequence

from django import forms
from django.db.models import Q
from django.db.models.query import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.pages.icons import Mark
from portal.pages.security_words import CRITICAL, MEANINGS, OURS, Line, line_of
from portal.tables.columns import LOCAL_TIME, Cell, Column, Empty, List, Out, moment_cell, registered
from smartcharging.day_fields import DayField, on_days
from stations.events import Kind
from stations.models import Event, Station


class EventFilter(forms.Form):
    source = forms.ChoiceField(
        required=False,
        label=gettext_lazy("What"),
        choices=[
            ("", gettext_lazy("all")),
            ("critical", gettext_lazy("critical")),
            ("station", gettext_lazy("told by the station")),
            ("portal", gettext_lazy("seen by the portal")),
        ],
    )
    type = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Event"),
        choices=[("", gettext_lazy("all")), *((name, name) for name in sorted(MEANINGS))],
    )
    since = DayField(required=False, label=gettext_lazy("From"))
    until = DayField(required=False, label=gettext_lazy("Up to and including"))

    def found(self, station: Station) -> QuerySet[Event]:
        """A field that cannot be read narrows nothing; the form shows what is wrong with it."""
        self.is_valid()
        chosen = self.cleaned_data
        from_station = Q(kind=Kind.SECURITY)
        match chosen.get("source"):
            case "critical":
                wanted = from_station & Q(data__type__in=CRITICAL)
            case "station":
                wanted = from_station
            case "portal":
                wanted = Q(kind__in=OURS)
            case _:
                wanted = from_station | Q(kind__in=OURS)
        if chosen.get("type"):
            wanted &= Q(kind=Kind.SECURITY, data__type=chosen["type"])
        wanted &= on_days(chosen, "at")
        return Event.objects.filter(wanted, station=station)


def lines_of(events: Sequence[Event]) -> list[Line]:
    return [line_of(event) for event in events]


def _what(line: Line) -> Cell:
    return Cell(line.text, (line.detail,) if line.detail else ())


def _weight(line: Line) -> Cell:
    if line.is_critical:
        return Cell(mark=Mark("bad", "alert", _("critical")))
    return Cell(_("not critical"), muted=True)


def _by(line: Line) -> Cell:
    if line.is_ours:
        return Cell(mark=Mark(line.tone, "info", _("the portal")))
    return Cell(mark=Mark("calm", "station", _("the station")), notes=(line.name,))


SECURITY_EVENTS = registered(
    List(
        key="security-events",
        title=gettext_lazy("What happened"),
        sort="-when",
        lines=lines_of,
        nothing=Empty(
            gettext_lazy("Nothing has happened yet"),
            gettext_lazy(
                "What the station tells about its security, and what the portal sees, appears here."
            ),
        ),
        no_match=Empty(
            gettext_lazy("Nothing fits these filters"), gettext_lazy("Choose another event or day.")
        ),
        columns=(
            Column(
                "when",
                gettext_lazy("When"),
                lambda line: moment_cell(line.at),
                order=("at",),
                most_first=True,
                outs=(Out(gettext_lazy("When"), lambda line: line.at, LOCAL_TIME),),
            ),
            Column(
                "what",
                gettext_lazy("What"),
                _what,
                outs=(
                    Out(gettext_lazy("What"), lambda line: line.text),
                    Out(gettext_lazy("Details"), lambda line: line.detail),
                    Out(gettext_lazy("Event"), lambda line: line.name),
                ),
            ),
            Column(
                "weight",
                gettext_lazy("How bad"),
                _weight,
                outs=(Out(gettext_lazy("Critical"), lambda line: _("yes") if line.is_critical else _("no")),),
            ),
            Column(
                "by",
                gettext_lazy("Told by"),
                _by,
                outs=(
                    Out(
                        gettext_lazy("Told by"),
                        lambda line: _("the portal") if line.is_ours else _("the station"),
                    ),
                ),
            ),
        ),
    )
)
