"""The sessions of a station as a list: when, where, how much in and out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.pages.energy import Energy, energies_of
from portal.pages.session_cells import CHARGED, GIVEN_BACK, MARKS, START
from portal.tables.columns import LOCAL_TIME, Cell, Column, Empty, List, Out, registered
from portal.templatetags.measures import UNKNOWN, moment
from smartcharging.day_fields import DayField, on_days
from stations.models import ChargingSession

State = ChargingSession.State


class SessionFilter(forms.Form):
    state = forms.ChoiceField(
        required=False, label=gettext_lazy("State"), choices=[("", gettext_lazy("all")), *State.choices]
    )
    since = DayField(required=False, label=gettext_lazy("From"))
    until = DayField(required=False, label=gettext_lazy("Up to and including"))
    transaction = forms.CharField(required=False, max_length=36, label=gettext_lazy("Transaction"))

    def narrow(self, rows: QuerySet[ChargingSession]) -> QuerySet[ChargingSession]:
        """A field that cannot be read narrows nothing; the form shows what is wrong with it."""
        self.is_valid()
        chosen = self.cleaned_data
        if chosen.get("state"):
            rows = rows.filter(state=chosen["state"])
        rows = rows.filter(on_days(chosen, "started_at"))
        if chosen.get("transaction"):
            rows = rows.filter(transaction_id=chosen["transaction"])
        return rows


@dataclass(frozen=True, slots=True)
class Line:
    session: ChargingSession
    energy: Energy


def _lines(sessions: Sequence[ChargingSession]) -> list[Line]:
    """`sessions` come with their station."""
    energies = energies_of(sessions)
    return [Line(session, energies[session.pk]) for session in sessions]


def _end(line: Line) -> Cell:
    at = line.session.ended_at
    if at:
        return Cell(moment(at), moment=at)
    return Cell(_("still charging") if line.session.state == State.ACTIVE else _("unknown"))


def _state(line: Line) -> Cell:
    session = line.session
    notes = (_("sent later, the station was offline"),) if session.was_offline else ()
    return Cell(mark=MARKS[State(session.state)], notes=notes)


def _socket(line: Line) -> Cell:
    number = line.session.evse_number
    return Cell(UNKNOWN if number is None else number)


SESSIONS = registered(
    List(
        key="sessions",
        title=gettext_lazy("Sessions"),
        sort="-start",
        lines=_lines,
        nothing=Empty(
            gettext_lazy("Nobody has charged here yet"),
            gettext_lazy("A session appears here as soon as a car starts."),
        ),
        no_match=Empty(
            gettext_lazy("No session fits these filters"), gettext_lazy("Choose another state or day.")
        ),
        columns=(
            START,
            Column(
                "end",
                gettext_lazy("End"),
                _end,
                order=("ended_at",),
                most_first=True,
                empty_last=True,
                outs=(Out(gettext_lazy("End"), lambda line: line.session.ended_at, LOCAL_TIME),),
            ),
            Column(
                "socket",
                gettext_lazy("Socket"),
                _socket,
                order=("evse_number", "-started_at"),
                outs=(Out(gettext_lazy("Socket"), lambda line: line.session.evse_number),),
            ),
            CHARGED,
            GIVEN_BACK,
            Column(
                "transaction",
                gettext_lazy("Transaction"),
                lambda line: Cell(line.session.transaction_id or UNKNOWN, code=True),
                outs=(Out(gettext_lazy("Transaction"), lambda line: line.session.transaction_id),),
            ),
            Column(
                "state",
                gettext_lazy("State"),
                _state,
                order=("state", "-started_at"),
                outs=(Out(gettext_lazy("State"), lambda line: line.session.get_state_display()),),
            ),
        ),
    )
)
