"""The sessions of a fleet, for who works for its operator: when, where, how much in and out, how fast, what it cost.

A million of them: sorted by what an index serves, found by keys that are looked up first, counted as far as people
page.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast

from django import forms
from django.db.models import Exists, Q, QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from portal.accounts.models import User
from portal.pages.fleet_session_limits import limits_during
from portal.pages.fleet_session_lines import FLEET_SESSIONS, lines_of
from portal.pages.work.queue import works_for_an_operator
from portal.tables.listing import Listing
from smartcharging.day_fields import DayField, midnight, on_days
from stations.models import ChargingSession, Station, Token

State = ChargingSession.State
# More stations or cards than these are not named one by one: the database joins.
MOST_KEYS = 3000
# So far back are sessions held against limits, where no day is asked for: the database looks at each of them.
LIMITED_WITHIN = timedelta(days=31)


class FleetFilter(forms.Form):
    q = forms.CharField(required=False, max_length=100, label=gettext_lazy("Station"))
    place = forms.CharField(required=False, max_length=100, label=gettext_lazy("Place"))
    card = forms.CharField(required=False, max_length=50, label=gettext_lazy("Card"))
    state = forms.ChoiceField(
        required=False,
        label=gettext_lazy("State"),
        choices=[
            ("", gettext_lazy("all")),
            *State.choices,
            ("limited", gettext_lazy("with a limit at its station, the last month")),
        ],
    )
    since = DayField(required=False, label=gettext_lazy("From"))
    until = DayField(required=False, label=gettext_lazy("Up to and including"))
    transaction = forms.CharField(required=False, max_length=36, label=gettext_lazy("Transaction"))

    def narrow(self, rows: QuerySet[Any], user: User, now: datetime) -> QuerySet[Any]:
        """A field that cannot be read narrows nothing; the form shows what is wrong with it."""
        self.is_valid()
        chosen = self.cleaned_data
        match chosen.get("state"):
            case State.ORPHAN:
                rows = rows.filter(state=State.ORPHAN)
            case "limited":
                since = chosen.get("since")
                first = midnight(since) if since else now - LIMITED_WITHIN
                rows = rows.filter(Exists(limits_during(now)), started_at__gte=first)
            case state:
                # What has no start is found under its own state: it has no place in an order by start.
                rows = rows.filter(started_at__isnull=False, **({"state": state} if state else {}))
        rows = rows.filter(on_days(chosen, "started_at"))
        if chosen.get("transaction"):
            rows = rows.filter(transaction_id=chosen["transaction"])
        return self._at(rows, user)

    def _at(self, rows: QuerySet[Any], user: User) -> QuerySet[Any]:
        """At stations, at places, with cards that have these words in their names."""
        text, place, card = (self.cleaned_data.get(name, "") for name in ("q", "place", "card"))
        if text or place:
            stations = Station.objects.worked_on_by(user)
            if text:
                stations = stations.filter(Q(identity__icontains=text) | Q(name__icontains=text))
            if place:
                stations = stations.filter(Q(site__name__icontains=place) | Q(site__address__icontains=place))
            rows = _among(rows, "station", stations)
        if card:
            rows = _among(rows, "token", Token.objects.visible_to(user).filter(label__icontains=card))
        return rows


def _among(rows: QuerySet[Any], name: str, found: QuerySet[Any]) -> QuerySet[Any]:
    """By the keys themselves where they are few: then the planner knows it, and takes the index by station or card."""
    keys = list(found.order_by().values_list("pk", flat=True)[: MOST_KEYS + 1])
    return rows.filter(**{f"{name}__in": keys if len(keys) <= MOST_KEYS else found.order_by().values("pk")})


@require_safe
def fleet_sessions(request: HttpRequest) -> HttpResponseBase:
    """For who works for an operator; an official never sees a single driver's session."""
    user, now = cast("User", request.user), timezone.now()
    if not works_for_an_operator(user):
        raise Http404
    form = FleetFilter(request.GET)
    rows = ChargingSession.objects.worked_on_by(user).select_related("station__site", "token")
    listing = Listing(
        FLEET_SESSIONS,
        request,
        form.narrow(rows, user, now),
        filters=form,
        lines=partial(lines_of, now=now),
    )
    return listing.answer() or render(request, "pages/sessions.html", {"listing": listing})
