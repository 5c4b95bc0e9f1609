"""The driver's own sessions by month, with what they cost, and as a table to take along."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Case, Count, F, Max, Q, QuerySet, Sum, Value, When
from django.db.models.functions import TruncMonth
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from portal.pages.csv_download import csv_download
from portal.pages.driver.notices import notices_of
from portal.pages.driver.words import card_name, length_of, socket_of
from portal.pages.energy import Energy, energies_of
from stations.costs import SessionCost, costs_of
from stations.models import ChargingSession, Token

PAGE_SIZE = 30


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


@dataclass(frozen=True, slots=True)
class Total:
    """A whole month: `cost` is None where nothing has a price, or in more than one currency; `unpriced` have none."""

    count: int
    import_wh: float | None
    cost: Decimal | None = None
    currency: str = ""
    unpriced: int = 0


@dataclass(frozen=True, slots=True)
class Month:
    """A group of the list, with the totals of the whole month, also of what stands on another page."""

    label: str
    total: Total
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Filter:
    """`period`: a year ("2026") or a month ("2026-11"); `card`: the key of an own card. Anything else is no choice."""

    period: str = ""
    card: str = ""

    @classmethod
    def of(cls, request: HttpRequest) -> Filter:
        period, card = request.GET.get("period", ""), request.GET.get("card", "")
        return cls(period if _is_period(period) else "", card if card.isdecimal() and len(card) < 19 else "")

    @property
    def is_used(self) -> bool:
        return bool(self.period or self.card)

    @property
    def query(self) -> str:
        """As it stands in an address."""
        said = {"period": self.period, "card": self.card}
        return "&".join(f"{name}={value}" for name, value in said.items() if value)

    def of_card(self, rows: QuerySet[ChargingSession]) -> QuerySet[ChargingSession]:
        return rows.filter(token=int(self.card)) if self.card else rows

    def within(self, rows: QuerySet[ChargingSession]) -> QuerySet[ChargingSession]:
        rows = self.of_card(rows)
        if not self.period:
            return rows
        year, _dash, month = self.period.partition("-")
        rows = rows.filter(started_at__year=int(year))
        return rows.filter(started_at__month=int(month)) if month else rows


def own_sessions(request: HttpRequest) -> QuerySet[ChargingSession]:
    """With all that a page says of their place."""
    sessions = ChargingSession.objects.of_driver(request.user)
    return sessions.select_related("station__site__operator").prefetch_related("station__evses")


@require_safe
def sessions(request: HttpRequest) -> HttpResponse:
    """All own sessions, what runs now first, then by month."""
    chosen, now = Filter.of(request), timezone.now()
    mine = ChargingSession.objects.of_driver(request.user)
    months = list(mine.datetimes("started_at", "month", order="DESC"))
    running_first = Case(When(state=ChargingSession.State.ACTIVE, then=Value(0)), default=Value(1))
    found = chosen.within(own_sessions(request)).order_by(running_first, "-started_at", "-pk")
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    lines = _lines(list(page.object_list), now)
    ended = [line for line in lines if not line.is_active]
    cards = list(Token.objects.filter(user=request.user.pk).select_related("operator"))
    context = {
        "page": page,
        "active": [line for line in lines if line.is_active],
        "months": _grouped(ended, _totals(chosen.of_card(mine))),
        "choices": _choices(months),
        "cards": [Choice(str(card.pk), card_name(card)) for card in cards],
        "chosen": chosen,
        "has_any": bool(months),
        "cards_url": reverse("driver:cards"),
        "now": now,
        "notices": notices_of(request.user, now=now),
    }
    return render(request, "pages/driver/sessions.html", context)


@require_safe
def sessions_csv(request: HttpRequest) -> HttpResponse:
    """The same sessions as a table: energies in kWh, import and export apart; times with their zone."""
    found = list(Filter.of(request).within(own_sessions(request)))

    def rows() -> Iterator[list[object]]:
        yield [
            "start",
            "end",
            "place",
            "station",
            "charged_kwh",
            "returned_kwh",
            "price_per_kwh",
            "cost",
            "cost_excl_tax",
            "currency",
        ]
        for line in _lines(found, timezone.now()):
            session, cost = line.session, line.cost
            yield [
                _iso(session.started_at),
                _iso(session.ended_at),
                line.place,
                session.station.identity,
                _kwh(line.energy.import_wh),
                _kwh(line.energy.export_wh),
                cost.price_per_kwh,
                cost.incl_tax,
                cost.excl_tax,
                cost.currency,
            ]

    return csv_download(rows(), "sessions.csv")


def _is_period(text: str) -> bool:
    year, _dash, month = text.partition("-")
    return (
        len(year) == 4
        and year.isdecimal()
        and 1970 <= int(year) <= 9000
        and (not month or (month.isdecimal() and 1 <= int(month) <= 12))
    )


def _choices(months: Sequence[Any]) -> list[Choice]:
    """Every year and every month in which there is a session, the newest first."""
    choices = []
    for year, inside in groupby(months, key=lambda month: month.year):
        choices.append(Choice(str(year), str(year)))
        choices += [Choice(f"{month:%Y-%m}", date_format(month, "F Y")) for month in inside]
    return choices


def _totals(mine: QuerySet[ChargingSession]) -> dict[date, Total]:
    rows = (
        mine.filter(state=ChargingSession.State.ENDED, started_at__isnull=False)
        .annotate(month=TruncMonth("started_at"))
        .order_by()
        .values("month")
        .annotate(
            count=Count("pk"),
            energy=Sum(F("end_import_wh") - F("start_import_wh")),
            cost=Sum("cost_incl_tax"),
            priced=Count("cost_incl_tax"),
            currencies=Count("cost_currency", distinct=True, filter=Q(cost_incl_tax__isnull=False)),
            currency=Max("cost_currency"),
        )
    )
    return {row["month"].date(): _total(row) for row in rows}


def _total(row: Mapping[str, Any]) -> Total:
    is_one = row["currencies"] == 1
    return Total(
        row["count"],
        row["energy"],
        row["cost"] if is_one else None,
        row["currency"] if is_one else "",
        row["count"] - row["priced"],
    )


def _grouped(lines: Sequence[Line], totals: Mapping[date, Total]) -> list[Month]:
    months = []
    for month, inside in groupby(lines, key=lambda line: _month_of(line.session)):
        own = list(inside)
        alone = Total(len(own), None)
        label = date_format(month, "F Y") if month else _("Start not known")
        months.append(Month(label, totals.get(month, alone) if month else alone, own))
    return months


def _month_of(session: ChargingSession) -> date | None:
    if session.started_at is None:
        return None
    return timezone.localtime(session.started_at).date().replace(day=1)


def _lines(found: Sequence[ChargingSession], now: datetime) -> list[Line]:
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


def _iso(moment: datetime | None) -> str:
    return timezone.localtime(moment).isoformat() if moment else ""


def _kwh(energy_wh: float | None) -> object:
    return "" if energy_wh is None else round(energy_wh / 1000, 3)
