"""The operator's cards as a list: what each is called, whose group it is of, and whether a driver has linked it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.db.models.query import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.pages.icons import Mark
from portal.tables.columns import LOCAL_TIME, Cell, Column, Empty, List, Out, registered
from portal.templatetags.measures import moment, short_day

LINKED, FREE = (
    Mark("good", "check", gettext_lazy("linked")),
    Mark("calm", "status-empty", gettext_lazy("not linked")),
)
BLOCKED, OPEN = (
    Mark("bad", "alert", gettext_lazy("blocked")),
    Mark("good", "check", gettext_lazy("may charge")),
)


class CardFilter(forms.Form):
    q = forms.CharField(required=False, max_length=50, label=gettext_lazy("Label"))
    linked = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Driver"),
        choices=[
            ("", gettext_lazy("all")),
            ("yes", gettext_lazy("linked")),
            ("no", gettext_lazy("not linked")),
            ("code", gettext_lazy("a code is open")),
        ],
    )
    blocked = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Charging"),
        choices=[("", gettext_lazy("all")), ("no", OPEN.label), ("yes", BLOCKED.label)],
    )

    def narrow(self, rows: QuerySet[Any], now: datetime) -> QuerySet[Any]:
        """A field that cannot be read narrows nothing; the form shows what is wrong with it."""
        self.is_valid()
        if text := self.cleaned_data.get("q"):
            rows = rows.filter(label__icontains=text)
        if blocked := self.cleaned_data.get("blocked"):
            rows = rows.filter(blocked=blocked == "yes")
        match self.cleaned_data.get("linked"):
            case "yes":
                return rows.filter(user__isnull=False)
            case "no":
                return rows.filter(user__isnull=True)
            case "code":
                return rows.filter(code_until__gt=now)
        return rows


def _driver(token: Any) -> Cell:
    if token.user_id:
        return Cell(mark=LINKED)
    if token.code_until:
        text = _("code until %(day)s") % {"day": short_day(token.code_until)}
        return Cell(mark=Mark("calm", "clock", text))
    return Cell(mark=FREE)


def _said(token: Any) -> str:
    """For a file: who the driver is, is the driver's own to say."""
    return str((LINKED if token.user_id else FREE).label)


def _until(token: Any) -> Cell:
    at = token.expires_at
    return Cell(moment(at), moment=at) if at else Cell(_("no end"), muted=True)


CARDS = registered(
    List(
        key="cards",
        title=gettext_lazy("Cards and other tokens"),
        sort="card",
        nothing=Empty(
            gettext_lazy("There are no cards yet"),
            gettext_lazy("An administrator of the operator adds them in the administration, under Tokens."),
        ),
        no_match=Empty(
            gettext_lazy("No card is like that"), gettext_lazy("Use fewer words or another filter.")
        ),
        columns=(
            Column(
                "card",
                gettext_lazy("Card"),
                lambda row: Cell(row, (row.get_kind_display(),), url=reverse("card", args=[row.pk])),
                order=("label",),
                outs=(
                    Out(gettext_lazy("Card"), str),
                    Out(gettext_lazy("Kind"), lambda row: row.get_kind_display()),
                ),
            ),
            Column(
                "operator",
                gettext_lazy("Operator"),
                lambda row: Cell(row.operator),
                order=("operator__name", "label"),
                outs=(Out(gettext_lazy("Operator"), lambda row: row.operator.name),),
            ),
            Column(
                "group",
                gettext_lazy("Group"),
                lambda row: Cell(row.group) if row.group else Cell(_("none"), muted=True),
                order=("group__name", "label"),
                empty_last=True,
                outs=(Out(gettext_lazy("Group"), lambda row: str(row.group or "")),),
            ),
            Column(
                "driver",
                gettext_lazy("Driver"),
                _driver,
                outs=(
                    Out(gettext_lazy("Driver"), _said),
                    Out(gettext_lazy("Code until"), lambda row: row.code_until, LOCAL_TIME),
                ),
            ),
            Column(
                "blocked",
                gettext_lazy("Charging"),
                lambda row: Cell(mark=BLOCKED if row.blocked else OPEN),
                order=("blocked", "label"),
                outs=(Out(gettext_lazy("Charging"), lambda row: (BLOCKED if row.blocked else OPEN).label),),
            ),
            Column(
                "until",
                gettext_lazy("Valid until"),
                _until,
                order=("expires_at", "label"),
                empty_last=True,
                usual=False,
                outs=(Out(gettext_lazy("Valid until"), lambda row: row.expires_at, LOCAL_TIME),),
            ),
        ),
    )
)
