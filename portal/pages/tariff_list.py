"""Tariffs as a list: what each says in short, since when it holds, and at how many stations."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.pages.icons import Mark
from portal.tables.columns import LOCAL_TIME, Cell, Column, Empty, List, Out, moment_cell, registered
from portal.templatetags.measures import figure, moment
from stations.domain.tariff import BadTariff
from stations.tariff_words import sentences

HOLDS = Mark("good", "check", gettext_lazy("Holds"))
LATER = Mark("info", "clock", gettext_lazy("Later"))
OVER = Mark("calm", "status-bar", gettext_lazy("Over"))
SENTENCES = 3


class TariffFilter(forms.Form):
    q = forms.CharField(required=False, max_length=100, label=gettext_lazy("Name or operator"))
    state = forms.ChoiceField(
        required=False,
        label=gettext_lazy("State"),
        choices=[
            ("", gettext_lazy("all")),
            ("holds", HOLDS.label),
            ("later", LATER.label),
            ("over", OVER.label),
        ],
    )

    def narrow(self, rows: QuerySet[Any], now: datetime) -> QuerySet[Any]:
        self.is_valid()
        if text := self.cleaned_data.get("q"):
            rows = rows.filter(Q(name__icontains=text) | Q(operator__name__icontains=text))
        match self.cleaned_data.get("state"):
            case "holds":
                return rows.filter(Q(valid_until__isnull=True) | Q(valid_until__gt=now), valid_from__lte=now)
            case "later":
                return rows.filter(valid_from__gt=now)
            case "over":
                return rows.filter(valid_until__lte=now)
        return rows


def mark_of(tariff: Any, now: datetime) -> Mark:
    if tariff.valid_from > now:
        return LATER
    return HOLDS if tariff.valid_until is None or now < tariff.valid_until else OVER


def in_short(tariff: Any) -> list[str]:
    """Its prices, a sentence each; a tariff that cannot be reckoned with says so."""
    try:
        return sentences(tariff.parsed())
    except BadTariff:
        return [_("This tariff cannot be read: sessions under it get no amount.")]


def _prices(tariff: Any) -> Cell:
    first, *others = in_short(tariff) or [""]
    more = len(others) - SENTENCES + 1
    notes = tuple(others[: SENTENCES - 1])
    return Cell(first, (*notes, _("and %(n)d more") % {"n": more}) if more > 0 else notes)


def _until(tariff: Any) -> Cell:
    at = tariff.valid_until
    return Cell(moment(at), moment=at) if at else Cell(_("no end"), muted=True)


TARIFFS = registered(
    List(
        key="tariffs",
        title=gettext_lazy("Tariffs"),
        sort="-from",
        nothing=Empty(
            gettext_lazy("There is no tariff yet"),
            gettext_lazy("Without a tariff a session gets no amount. An administrator adds one."),
        ),
        no_match=Empty(
            gettext_lazy("No tariff fits this search"), gettext_lazy("Use fewer words or another state.")
        ),
        columns=(
            Column(
                "name",
                gettext_lazy("Tariff"),
                lambda row: Cell(row.name, url=reverse("tariff", args=[row.pk])),
                order=("name",),
                outs=(Out(gettext_lazy("Tariff"), lambda row: row.name),),
            ),
            Column(
                "operator",
                gettext_lazy("Operator"),
                lambda row: Cell(row.operator),
                order=("operator__name", "name"),
                outs=(Out(gettext_lazy("Operator"), lambda row: row.operator.name),),
            ),
            Column(
                "prices",
                gettext_lazy("What it says"),
                _prices,
                outs=(
                    Out(gettext_lazy("What it says"), lambda row: " ".join(in_short(row))),
                    Out(gettext_lazy("Currency"), lambda row: row.currency),
                ),
            ),
            Column(
                "state",
                gettext_lazy("State"),
                lambda row: Cell(mark=mark_of(row, timezone.now())),
                outs=(Out(gettext_lazy("State"), lambda row: mark_of(row, timezone.now()).label),),
            ),
            Column(
                "from",
                gettext_lazy("Valid from"),
                lambda row: moment_cell(row.valid_from),
                order=("valid_from",),
                most_first=True,
                outs=(Out(gettext_lazy("Valid from"), lambda row: row.valid_from, LOCAL_TIME),),
            ),
            Column(
                "until",
                gettext_lazy("Valid until"),
                _until,
                order=("valid_until",),
                empty_last=True,
                outs=(Out(gettext_lazy("Valid until"), lambda row: row.valid_until, LOCAL_TIME),),
            ),
            Column(
                "stations",
                gettext_lazy("Stations of its own"),
                lambda row: Cell(figure(row.used_at or 0)),
                numeric=True,
                outs=(Out(gettext_lazy("Stations of its own"), lambda row: row.used_at or 0),),
            ),
        ),
    )
)
