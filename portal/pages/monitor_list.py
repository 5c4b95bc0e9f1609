"""What a 2.x station watches by itself, as a list: which value, when it tells, how bad that is, and how it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.pages.configuration_words import MONITORS, severity, severity_tone
from portal.pages.icons import Mark
from portal.tables.columns import LOCAL_TIME, Cell, Column, Empty, List, Out, moment_cell, registered
from stations.models import VariableMonitor

State = VariableMonitor.State


class MonitorFilter(forms.Form):
    q = forms.CharField(required=False, max_length=100, label=gettext_lazy("Variable or component"))
    kind = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Told when"),
        choices=[("", gettext_lazy("all")), *MONITORS.items()],
    )
    state = forms.ChoiceField(
        required=False, label=gettext_lazy("State"), choices=[("", gettext_lazy("all")), *State.choices]
    )

    def narrow(self, rows: QuerySet[VariableMonitor]) -> QuerySet[VariableMonitor]:
        """A field that cannot be read narrows nothing; the form shows what is wrong with it."""
        self.is_valid()
        chosen = {name: value for name, value in self.cleaned_data.items() if value}
        if text := chosen.pop("q", ""):
            rows = rows.filter(Q(name__icontains=text) | Q(component__icontains=text))
        return rows.filter(**chosen)


@dataclass(frozen=True, slots=True)
class Line:
    """A monitor as the list shows it; `when` says in words at what its value is told."""

    monitor: VariableMonitor
    when: object
    may_clear: bool


def lines_of(monitors: Sequence[VariableMonitor]) -> list[Line]:
    return [
        Line(
            monitor=row,
            when=MONITORS.get(row.kind, row.kind),
            # Hard-wired and preconfigured ones are the station's own (2.0.1, N06.FR.04): it refuses.
            may_clear=row.made_by in ("", "CustomMonitor") and row.state != State.CLEARING,
        )
        for row in monitors
    ]


def _bad(line: Line) -> Cell:
    bad = line.monitor.severity
    return Cell(mark=Mark(severity_tone(bad), "", severity(bad)))


def _state(line: Line) -> Cell:
    reason = line.monitor.reason
    return Cell(line.monitor.get_state_display(), (reason,) if reason else ())


MONITORS_OF_STATION = registered(
    List(
        key="monitors",
        title=gettext_lazy("Monitors"),
        sort="bad",
        lines=lines_of,
        nothing=Empty(
            gettext_lazy("No monitor is known"), gettext_lazy("Read them from the station, or add one.")
        ),
        no_match=Empty(
            gettext_lazy("No monitor fits these filters"), gettext_lazy("Use fewer words or another filter.")
        ),
        columns=(
            Column(
                "variable",
                gettext_lazy("Variable"),
                template="pages/station/_monitor_variable.html",
                order=("name", "component"),
                outs=(
                    Out(gettext_lazy("Variable"), lambda line: line.monitor.name),
                    Out(gettext_lazy("Component"), lambda line: line.monitor.component),
                ),
            ),
            Column(
                "when",
                gettext_lazy("Told when"),
                template="pages/station/_monitor_when.html",
                order=("kind", "value"),
                outs=(
                    Out(gettext_lazy("Told when"), lambda line: str(line.when)),
                    Out(gettext_lazy("Value"), lambda line: line.monitor.value),
                    Out(
                        gettext_lazy("Only while a car charges"),
                        lambda line: _("yes") if line.monitor.only_in_transactions else _("no"),
                    ),
                ),
            ),
            Column(
                "bad",
                gettext_lazy("How bad"),
                _bad,
                order=("severity", "component", "name"),
                outs=(Out(gettext_lazy("How bad"), lambda line: severity(line.monitor.severity)),),
            ),
            Column(
                "state",
                gettext_lazy("State"),
                _state,
                order=("state", "component", "name"),
                outs=(
                    Out(gettext_lazy("State"), lambda line: line.monitor.get_state_display()),
                    Out(gettext_lazy("Reason"), lambda line: line.monitor.reason),
                ),
            ),
            Column(
                "read",
                gettext_lazy("Last heard of"),
                lambda line: moment_cell(line.monitor.read_at),
                order=("read_at",),
                most_first=True,
                usual=False,
                outs=(Out(gettext_lazy("Last heard of"), lambda line: line.monitor.read_at, LOCAL_TIME),),
            ),
            Column(
                "remove",
                gettext_lazy("Remove"),
                template="pages/station/_monitor_remove.html",
                outs=(Out(gettext_lazy("No."), lambda line: line.monitor.number),),
            ),
        ),
    )
)
