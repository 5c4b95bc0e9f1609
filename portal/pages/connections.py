"""The connections of a fleet, for who works there: who is silent, who is slow, who comes and goes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from django import forms
from django.db.models import Case, Q, QuerySet, Value, When
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from portal.accounts.models import User
from portal.pages.icons import OFFLINE, ONLINE
from portal.tables.columns import LOCAL_TIME, Cell, Column, Empty, List, Out, registered
from portal.tables.listing import Listing
from portal.templatetags.measures import NBSP, UNKNOWN, age, figure, milliseconds
from stations.models import Station
from stations.presence import online

FLAPPING = 5  # connections in a day
SLOW_MS = 5000
_HEALTH = "connection_health__"
SHOWN = [
    ("", gettext_lazy("all")),
    ("offline", gettext_lazy("offline")),
    ("flapping", gettext_lazy("comes and goes")),
    ("slow", gettext_lazy("answers slowly")),
    ("bad", gettext_lazy("unreadable messages")),
]


class ConnectionFilter(forms.Form):
    q = forms.CharField(required=False, max_length=100, label=gettext_lazy("Search"))
    show = forms.ChoiceField(required=False, choices=SHOWN, label=gettext_lazy("Show stations"))


@require_safe
def connections(request: HttpRequest) -> HttpResponseBase:
    """The stations of an operator by what is wrong with their connection, the longest silent first."""
    form = ConnectionFilter(request.GET)
    form.is_valid()
    rows = _found(_rows(cast("User", request.user), timezone.now()), form.cleaned_data)
    listing = Listing(CONNECTIONS, request, rows, filters=form)
    return listing.answer() or render(request, "pages/connections.html", {"listing": listing})


def _rows(user: User, now: datetime) -> QuerySet[Any]:
    stations: QuerySet[Any] = Station.objects.worked_on_by(user)
    rows: QuerySet[Any] = stations.select_related("site", "presence", "connection_health").annotate(
        is_online=Case(When(online(now, "presence__"), then=Value(True)), default=Value(False))  # noqa: FBT003
    )
    return rows


def _found(rows: QuerySet[Any], chosen: dict[str, str]) -> QuerySet[Any]:
    if text := chosen.get("q"):
        rows = rows.filter(
            Q(identity__icontains=text) | Q(name__icontains=text) | Q(site__name__icontains=text)
        )
    match chosen.get("show"):
        case "offline":
            return rows.filter(is_online=False)
        case "flapping":
            return rows.filter(**{f"{_HEALTH}connections__gte": FLAPPING})
        case "slow":
            return rows.filter(**{f"{_HEALTH}answer_p95_ms__gte": SLOW_MS})
        case "bad":
            return rows.filter(**{f"{_HEALTH}bad_frames__gt": 0})
    return rows


# ---------------------------------------------------------------- the columns


def _name(station: Any) -> Cell:
    place = station.site.name
    note = f"{station.identity}, {place}" if station.name else place
    return Cell(station.label, (note,), url=reverse("stations:connection", args=[station.identity]))


def _silence(station: Any) -> Cell:
    at = _last_message(station)
    return Cell(mark=ONLINE if station.is_online else OFFLINE, notes=(age(at) if at else _("never seen"),))


def _last_message(station: Any) -> datetime | None:
    presence = getattr(station, "presence", None)
    return presence.last_message_at if presence else None


def _answers(station: Any) -> Cell:
    p95_ms = _measured("answer_p95_ms")(station)
    if p95_ms is None:
        return Cell(UNKNOWN)
    count = int(_measured("answers")(station) or 0)
    note = ngettext("%(n)s answer", "%(n)s answers", count) % {"n": count}
    return Cell(milliseconds(p95_ms), (note,))


def _clock(station: Any) -> Cell:
    offset_s = _measured("clock_offset_s")(station)
    return Cell(UNKNOWN if offset_s is None else f"{figure(offset_s)}{NBSP}s")


def _measured(name: str) -> Callable[[Any], float | None]:
    """A figure of the last day; None where none was taken yet."""

    def value(station: Any) -> float | None:
        health = getattr(station, "connection_health", None)
        return getattr(health, name, None)

    return value


def _counted(name: str) -> Callable[[Any], Cell]:
    return lambda station: Cell(figure(_measured(name)(station) or None))


CONNECTIONS = registered(
    List(
        key="connections",
        title=gettext_lazy("Connections"),
        sort="silence",
        nothing=Empty(
            gettext_lazy("There is no station for you yet"),
            gettext_lazy("Connections are shown to who works for the operator of a station."),
        ),
        no_match=Empty(
            gettext_lazy("No station fits this search"), gettext_lazy("Use fewer words or another filter.")
        ),
        columns=(
            Column(
                "identity",
                gettext_lazy("Station"),
                _name,
                order=("identity",),
                outs=(
                    Out(gettext_lazy("Station"), lambda station: station.identity),
                    Out(gettext_lazy("Name"), lambda station: station.name),
                    Out(gettext_lazy("Place"), lambda station: station.site.name),
                ),
            ),
            Column(
                "silence",
                gettext_lazy("Last message"),
                _silence,
                order=("presence__last_message_at",),
                empty_last=True,
                outs=(
                    Out(gettext_lazy("Last message"), _last_message, LOCAL_TIME),
                    Out(
                        gettext_lazy("Connectivity"),
                        lambda station: (ONLINE if station.is_online else OFFLINE).label,
                    ),
                ),
            ),
            Column(
                "connections",
                gettext_lazy("Connections in a day"),
                _counted("connections"),
                order=(f"{_HEALTH}connections",),
                most_first=True,
                empty_last=True,
                outs=(Out(gettext_lazy("Connections in a day"), _measured("connections")),),
            ),
            Column(
                "answers",
                gettext_lazy("Slowest answers (p95)"),
                _answers,
                order=(f"{_HEALTH}answer_p95_ms",),
                most_first=True,
                empty_last=True,
                outs=(
                    Out(gettext_lazy("Slowest answers, p95"), _measured("answer_p95_ms"), "ms"),
                    Out(gettext_lazy("Answers"), _measured("answers")),
                ),
            ),
            Column(
                "bad",
                gettext_lazy("Unreadable messages"),
                _counted("bad_frames"),
                order=(f"{_HEALTH}bad_frames",),
                most_first=True,
                empty_last=True,
                outs=(Out(gettext_lazy("Unreadable messages"), _measured("bad_frames")),),
            ),
            Column(
                "clock",
                gettext_lazy("Clock"),
                _clock,
                order=(f"{_HEALTH}clock_offset_s",),
                most_first=True,
                empty_last=True,
                outs=(Out(gettext_lazy("Clock"), _measured("clock_offset_s"), "s"),),
            ),
        ),
    )
)
