"""Webhooks and what was sent by them, as lists."""

from __future__ import annotations

from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.notices.webhooks.models import TEST, Delivery, Endpoint, Event
from portal.pages.icons import Mark
from portal.tables.columns import LOCAL_TIME, Cell, Column, Empty, List, Out, moment_cell, registered
from portal.templatetags.measures import UNKNOWN, milliseconds, moment

State = Delivery.State
_LOOKS = {
    Endpoint.State.ON: ("good", "check"),
    Endpoint.State.FAILING: ("bad", "alert"),
    Endpoint.State.OFF: ("calm", "pause"),
}
_SENT = {State.WAITING: ("warn", "clock"), State.SENT: ("good", "check"), State.FAILED: ("bad", "alert")}


def mark_of(endpoint: Endpoint) -> Mark:
    tone, icon = _LOOKS[Endpoint.State(endpoint.state)]
    return Mark(tone, icon, endpoint.get_state_display())


def event_words(name: str) -> str:
    if name == TEST:
        return _("Test")
    return str(Event(name).label) if name in Event.values else name


def _events(endpoint: Endpoint) -> Cell:
    return Cell(", ".join(event_words(name) for name in endpoint.events))


ENDPOINTS = registered(
    List(
        key="webhooks",
        title=gettext_lazy("Webhooks"),
        sort="name",
        nothing=Empty(
            gettext_lazy("No other system is told yet"),
            gettext_lazy("A webhook tells your own system what happens here, as it happens."),
            "webhooks:new",
            gettext_lazy("Add a webhook"),
        ),
        no_match=Empty(gettext_lazy("No webhook fits these filters")),
        columns=(
            Column(
                "name",
                gettext_lazy("Name"),
                lambda row: Cell(
                    row.name, (str(row.operator),), url=reverse("webhooks:detail", args=[row.pk])
                ),
                order=("name",),
                outs=(
                    Out(gettext_lazy("Name"), lambda row: row.name),
                    Out(gettext_lazy("Operator"), lambda row: str(row.operator)),
                ),
            ),
            Column(
                "url",
                gettext_lazy("Address"),
                lambda row: Cell(row.url, code=True),
                outs=(Out(gettext_lazy("Address"), lambda row: row.url),),
            ),
            Column(
                "events",
                gettext_lazy("Tells of"),
                _events,
                outs=(Out(gettext_lazy("Tells of"), lambda row: " ".join(row.events)),),
            ),
            Column(
                "state",
                gettext_lazy("State"),
                lambda row: Cell(mark=mark_of(row)),
                order=("state",),
                outs=(Out(gettext_lazy("State"), lambda row: row.get_state_display()),),
            ),
        ),
    )
)


class DeliveryFilter(forms.Form):
    state = forms.ChoiceField(
        required=False, label=gettext_lazy("State"), choices=[("", gettext_lazy("all")), *State.choices]
    )

    def narrow(self, rows: Any) -> Any:
        """A field that cannot be read narrows nothing; the form shows what is wrong with it."""
        self.is_valid()
        state = self.cleaned_data.get("state")
        return rows.filter(state=state) if state else rows


def _state(row: Delivery) -> Cell:
    tone, icon = _SENT[State(row.state)]
    notes = (str(row.get_problem_display()),) if row.problem else ()
    return Cell(mark=Mark(tone, icon, row.get_state_display()), notes=notes)


def _answer(row: Delivery) -> Cell:
    if row.answer_code is None:
        return Cell(_("none") if row.tried_at else UNKNOWN, muted=True)
    return Cell(row.answer_code, (milliseconds(row.answer_ms),), code=True)


def _tried(row: Delivery) -> Cell:
    if row.tried_at is None:
        return Cell(_("not tried yet"), muted=True)
    due = _("again at %(time)s") % {"time": moment(row.due_at)} if row.state == State.WAITING else ""
    return Cell(moment(row.tried_at), (due,) if due else (), moment=row.tried_at)


DELIVERIES = registered(
    List(
        key="webhook-deliveries",
        title=gettext_lazy("What was sent"),
        sort="-made",
        nothing=Empty(
            gettext_lazy("Nothing was sent yet"),
            gettext_lazy("Send a test to see whether your system takes it."),
        ),
        no_match=Empty(gettext_lazy("Nothing has this state"), gettext_lazy("Choose another state, or all.")),
        columns=(
            Column(
                "event",
                gettext_lazy("Tells of"),
                lambda row: Cell(event_words(row.event), (row.message_id,)),
                outs=(
                    Out(gettext_lazy("Tells of"), lambda row: row.event),
                    Out(gettext_lazy("Message"), lambda row: row.message_id),
                ),
            ),
            Column(
                "made",
                gettext_lazy("Made"),
                lambda row: moment_cell(row.made_at),
                order=("made_at",),
                most_first=True,
                outs=(Out(gettext_lazy("Made"), lambda row: row.made_at, LOCAL_TIME),),
            ),
            Column(
                "state",
                gettext_lazy("State"),
                _state,
                outs=(
                    Out(gettext_lazy("State"), lambda row: row.get_state_display()),
                    Out(gettext_lazy("Problem"), lambda row: row.get_problem_display()),
                ),
            ),
            Column(
                "answer",
                gettext_lazy("Answer"),
                _answer,
                numeric=True,
                outs=(
                    Out(gettext_lazy("Answer"), lambda row: row.answer_code),
                    Out(gettext_lazy("Took"), lambda row: row.answer_ms, "ms"),
                ),
            ),
            Column(
                "attempts",
                gettext_lazy("Attempts"),
                lambda row: Cell(row.attempts),
                numeric=True,
                outs=(Out(gettext_lazy("Attempts"), lambda row: row.attempts),),
            ),
            Column(
                "tried",
                gettext_lazy("Last attempt"),
                _tried,
                outs=(Out(gettext_lazy("Last attempt"), lambda row: row.tried_at, LOCAL_TIME),),
            ),
            Column("again", gettext_lazy("Send again"), template="webhooks/_again.html"),
        ),
    )
)
