"""A person's notices as a list: what happened, of which kind, when, whether it was read, and what its mail came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django import forms
from django.urls import reverse
from django.utils.translation import gettext_lazy

from portal.notices.kinds import Kind
from portal.notices.mailing import state_words
from portal.notices.models import Notice, NoticeQuerySet
from portal.notices.words import LOOKS, Said, said
from portal.pages.icons import Mark
from portal.tables.columns import LOCAL_TIME, Cell, Column, Empty, List, Out, moment_cell, registered


class NoticeFilter(forms.Form):
    kind = forms.ChoiceField(
        required=False, label=gettext_lazy("Kind"), choices=[("", gettext_lazy("all")), *Kind.choices]
    )
    read = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Read"),
        choices=[
            ("", gettext_lazy("all")),
            ("no", gettext_lazy("unread")),
            ("yes", gettext_lazy("read")),
        ],
    )

    def narrow(self, rows: NoticeQuerySet) -> NoticeQuerySet:
        """A field that cannot be read narrows nothing; the form shows what is wrong with it."""
        self.is_valid()
        if kind := self.cleaned_data.get("kind"):
            rows = rows.filter(kind=kind)
        match self.cleaned_data.get("read"):
            case "no":
                return rows.unread()
            case "yes":
                return rows.filter(read_at__isnull=False)
        return rows


@dataclass(frozen=True, slots=True)
class Line:
    notice: Notice
    said: Said


def _lines(rows: Sequence[Notice]) -> list[Line]:
    return [Line(row, said(row)) for row in rows]


def _what(line: Line) -> Cell:
    notes = (line.said.text,) if line.said.text else ()
    return Cell(line.said.title, notes, url=reverse("notices:open", args=[line.notice.pk]))


def _kind(line: Line) -> Cell:
    tone, icon = LOOKS[line.notice.kind]
    return Cell(mark=Mark(tone, icon, line.notice.get_kind_display()))


NOTICES = registered(
    List(
        key="notices",
        title=gettext_lazy("Notices"),
        sort="-when",
        lines=_lines,
        nothing=Empty(
            gettext_lazy("Nothing was to be told yet"),
            gettext_lazy("What needs your eye comes here, and by mail as you choose."),
            "notices:preferences",
            gettext_lazy("Choose what comes by mail"),
        ),
        no_match=Empty(
            gettext_lazy("No notice fits these filters"), gettext_lazy("Choose another kind, or all.")
        ),
        columns=(
            Column(
                "what",
                gettext_lazy("What"),
                _what,
                outs=(
                    Out(gettext_lazy("What"), lambda line: line.said.title),
                    Out(gettext_lazy("More"), lambda line: line.said.text),
                ),
            ),
            Column(
                "kind",
                gettext_lazy("Kind"),
                _kind,
                outs=(Out(gettext_lazy("Kind"), lambda line: line.notice.get_kind_display()),),
            ),
            Column(
                "when",
                gettext_lazy("Told"),
                lambda line: moment_cell(line.notice.made_at),
                order=("made_at",),
                most_first=True,
                outs=(
                    Out(gettext_lazy("Told"), lambda line: line.notice.made_at, LOCAL_TIME),
                    Out(gettext_lazy("When it happened"), lambda line: line.notice.at, LOCAL_TIME),
                ),
            ),
            Column(
                "read",
                gettext_lazy("Read"),
                template="notices/_read.html",
                outs=(Out(gettext_lazy("Read"), lambda line: line.notice.read_at, LOCAL_TIME),),
            ),
            Column(
                "mail",
                gettext_lazy("Mail"),
                lambda line: Cell(state_words(line.notice)),
                outs=(Out(gettext_lazy("Mail"), lambda line: state_words(line.notice)),),
            ),
        ),
    )
)
