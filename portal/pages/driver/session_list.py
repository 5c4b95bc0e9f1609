"""A driver's own sessions as a list; the page draws it by month, and its files hold it as it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.pages.driver.words import length_of, socket_of
from portal.pages.energy import Energy, energies_of
from portal.pages.session_cells import in_kwh
from portal.tables.columns import LOCAL_TIME, Cell, Column, Empty, List, Out, registered
from portal.templatetags.measures import kwh, moment, money
from stations.costs import SessionCost, costs_of
from stations.models import ChargingSession


@dataclass(frozen=True, slots=True)
class Line:
    """A session in the list."""

    session: ChargingSession
    place: str
    socket: str
    energy: Energy
    cost: SessionCost
    length: str

    @property
    def is_active(self) -> bool:
        return self.session.state == ChargingSession.State.ACTIVE


def lines_of(found: Sequence[ChargingSession], *, now: datetime) -> list[Line]:
    """`found` come with their station, its site and its EVSEs."""
    energies, costs = energies_of(found), costs_of(found, now=now)
    return [
        Line(
            session,
            session.station.label,
            socket_of(session),
            energies[session.pk],
            costs[session.pk],
            length_of(session, now),
        )
        for session in found
    ]


class PeriodFilter(forms.Form):
    """A year or a month in which there is a session, and one of the own cards."""

    period = forms.ChoiceField(required=False, label=gettext_lazy("Period"))
    card = forms.ChoiceField(required=False, label=gettext_lazy("Card"))

    def __init__(self, data: Any, *, months: Sequence[Any], cards: Sequence[tuple[str, str]]) -> None:
        super().__init__(data)
        period: Any = self.fields["period"]
        period.choices = [("", _("everything")), *_periods(months), *_asked(data.get("period", ""), months)]
        card: Any = self.fields["card"]
        card.choices = [("", _("all cards")), *cards]
        if len(cards) < 2:
            del self.fields["card"]

    @property
    def is_of_card(self) -> bool:
        return bool(self.cleaned_data.get("card"))

    def of_card(self, rows: QuerySet[ChargingSession]) -> QuerySet[ChargingSession]:
        card = self.cleaned_data.get("card")
        return rows.filter(token=int(card)) if card else rows

    def within(self, rows: QuerySet[ChargingSession]) -> QuerySet[ChargingSession]:
        rows = self.of_card(rows)
        year, _dash, month = self.cleaned_data.get("period", "").partition("-")
        if not year:
            return rows
        rows = rows.filter(started_at__year=int(year))
        return rows.filter(started_at__month=int(month)) if month else rows


def _periods(months: Sequence[Any]) -> list[tuple[str, str]]:
    """Every year and every month in which there is a session, the newest first."""
    choices: list[tuple[str, str]] = []
    for year, inside in groupby(months, key=lambda month: month.year):
        choices.append((str(year), str(year)))
        choices += [(f"{month:%Y-%m}", date_format(month, "F Y")) for month in inside]
    return choices


def _asked(period: str, months: Sequence[Any]) -> list[tuple[str, str]]:
    """A period in which there is no session is a choice too, where an address asks for it."""
    if not _is_period(period) or period in dict(_periods(months)):
        return []
    return [(period, period)]


def _is_period(text: str) -> bool:
    """A year ("2026") or a month ("2026-11")."""
    year, _dash, month = text.partition("-")
    return (
        len(year) == 4
        and year.isdecimal()
        and 1970 <= int(year) <= 9000
        and (not month or (month.isdecimal() and 1 <= int(month) <= 12))
    )


def _start(line: Line) -> Cell:
    at = line.session.started_at
    url = reverse("driver:session", args=[line.session.pk])
    return Cell(moment(at), moment=at, url=url) if at else Cell(_("Start not known"), url=url)


def _cost(line: Line) -> Cell:
    cost = line.cost
    if cost.incl_tax is None:
        return Cell(_("no price known"), muted=True)
    return Cell(money(cost.incl_tax, cost.currency))


MY_SESSIONS = registered(
    List(
        key="my-sessions",
        title=gettext_lazy("My sessions"),
        sort="-start",
        page_size=30,
        nothing=Empty(
            gettext_lazy("You have no sessions yet"),
            gettext_lazy(
                "Charge with your own card at a station of this portal. The session appears here as soon as the car "
                "starts. Is it missing? Link your card to this account."
            ),
            "driver:cards",
            gettext_lazy("Link your card"),
        ),
        no_match=Empty(
            gettext_lazy("You did not charge in this period"), gettext_lazy("Choose another period or card.")
        ),
        columns=(
            Column(
                "start",
                gettext_lazy("Start"),
                _start,
                order=("started_at",),
                most_first=True,
                empty_last=True,
                outs=(
                    Out(gettext_lazy("Start"), lambda line: line.session.started_at, LOCAL_TIME),
                    Out(gettext_lazy("End"), lambda line: line.session.ended_at, LOCAL_TIME),
                ),
            ),
            Column(
                "place",
                gettext_lazy("Place"),
                lambda line: Cell(line.place),
                outs=(
                    Out(gettext_lazy("Place"), lambda line: line.place),
                    Out(gettext_lazy("Station"), lambda line: line.session.station.identity),
                    Out(gettext_lazy("Socket"), lambda line: line.socket),
                ),
            ),
            Column(
                "charged",
                gettext_lazy("Charged"),
                lambda line: Cell(kwh(line.energy.import_wh)),
                numeric=True,
                outs=(Out(gettext_lazy("Charged"), lambda line: in_kwh(line.energy.import_wh), "kWh"),),
            ),
            Column(
                "given_back",
                gettext_lazy("Given back"),
                lambda line: Cell(kwh(line.energy.export_wh)),
                numeric=True,
                outs=(Out(gettext_lazy("Given back"), lambda line: in_kwh(line.energy.export_wh), "kWh"),),
            ),
            Column(
                "cost",
                gettext_lazy("Cost"),
                _cost,
                numeric=True,
                outs=(
                    Out(gettext_lazy("Cost with taxes"), lambda line: line.cost.incl_tax),
                    Out(gettext_lazy("Cost without taxes"), lambda line: line.cost.excl_tax),
                    Out(gettext_lazy("Currency"), lambda line: line.cost.currency),
                ),
            ),
        ),
    )
)
