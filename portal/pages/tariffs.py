"""The operator's tariffs: which hold, what each says in plain words, where it is used, and what a session would cost.

They are written in the administration; stations.domain.tariff is their one owner, and reckons the example here too.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from portal.accounts.models import User
from portal.pages.cost_words import cost_rows, notes
from portal.pages.tariff_list import TARIFFS, TariffFilter
from portal.pages.work.queue import works_for_an_operator
from portal.tables.listing import Listing
from portal.templatetags.measures import money
from smartcharging.day_fields import ClockField, DayField
from stations.costs import LINE_V, ZONE, SessionCost
from stations.domain import tariff as rules
from stations.models import Station, Tariff
from stations.tariff_words import sentences

STATIONS_SHOWN = 25
FRIDAY = 4


class ExampleForm(forms.Form):
    """A session that somebody has in mind; power is taken to be even while it charges."""

    energy_kwh = forms.DecimalField(
        label=gettext_lazy("Energy (kWh)"),
        localize=True,
        validators=[MinValueValidator(0), MaxValueValidator(1000)],
    )
    charging_h = forms.DecimalField(
        label=gettext_lazy("Hours of charging"),
        localize=True,
        validators=[MinValueValidator(Decimal("0.01")), MaxValueValidator(72)],
    )
    parked_h = forms.DecimalField(
        label=gettext_lazy("Then hours parked without charging"),
        localize=True,
        required=False,
        validators=[MinValueValidator(0), MaxValueValidator(72)],
    )
    day = DayField(label=gettext_lazy("Begins on"))
    at = ClockField(label=gettext_lazy("At"))

    def periods(self) -> list[rules.Period]:
        said = self.cleaned_data
        start = timezone.make_aware(datetime.combine(said["day"], said["at"]))
        charged = start + _hours(said["charging_h"])
        power_kw = said["energy_kwh"] / said["charging_h"]
        periods = [
            rules.Period(
                start,
                charged,
                said["energy_kwh"],
                power_kw=power_kw,
                current_a=power_kw * 1000 / LINE_V,
            )
        ]
        if said["parked_h"]:
            periods.append(rules.Period(charged, charged + _hours(said["parked_h"]), is_charging=False))
        return periods


def _hours(hours: Decimal) -> timedelta:
    return timedelta(seconds=int(hours * 3600))


@require_safe
def tariff_list(request: HttpRequest) -> HttpResponseBase:
    """The tariffs of the operators that the visitor works for; 404 for who works for none."""
    user, now = cast("User", request.user), timezone.now()
    if not works_for_an_operator(user):
        raise Http404
    form = TariffFilter(request.GET)
    own = Station.objects.filter(tariff=OuterRef("pk")).order_by().values("tariff")
    rows = _rows(user).annotate(used_at=Subquery(own.annotate(count=Count("pk")).values("count")))
    listing = Listing(TARIFFS, request, form.narrow(rows, now), filters=form)
    context = {"listing": listing, "may_edit": _may_edit(user, Tariff.objects.all())}
    return listing.answer() or render(request, "pages/tariffs.html", context)


@require_safe
def tariff(request: HttpRequest, pk: int) -> HttpResponse:
    """One tariff in words, with an example: a GET, so that the address says what was asked."""
    user, now = cast("User", request.user), timezone.now()
    found = get_object_or_404(_rows(user), pk=pk)
    terms, problem = _read(found)
    form = ExampleForm(request.GET) if "energy_kwh" in request.GET else ExampleForm(initial=_usual(now))
    stations = found.stations.order_by("identity").select_related("site")
    shown = list(stations[: STATIONS_SHOWN + 1])
    context = {
        "tariff": found,
        "sentences": sentences(terms) if terms else [],
        "problem": problem,
        "form": form,
        "example": _example(terms, form, now) if terms else None,
        "stations": shown[:STATIONS_SHOWN],
        "are_more": len(shown) > STATIONS_SHOWN,
        "is_usual": _usual_of(found, now) == found.pk,
        "holds": found.valid_from <= now and (found.valid_until is None or now < found.valid_until),
        "may_edit": _may_edit(user, Tariff.objects.filter(pk=pk)),
        "crumbs": [(_("Tariffs"), reverse("tariffs")), (found.name, "")],
    }
    return render(request, "pages/tariff.html", context, status=422 if form.errors else 200)


def _rows(user: User) -> QuerySet[Any]:
    rows: QuerySet[Any] = Tariff.objects.visible_to(user).select_related("operator")
    return rows


def _may_edit(user: User, rows: QuerySet[Any]) -> bool:
    return user.is_staff and cast("Any", rows).administered_by(user).exists()


def _read(found: Tariff) -> tuple[rules.Tariff | None, str]:
    """What it says, or what is wrong with it."""
    try:
        return found.parsed(), ""
    except rules.BadTariff as bad:
        return None, str(bad)


def _usual(now: datetime) -> dict[str, object]:
    """20 kWh in two hours from the coming Friday at 18:00."""
    today = timezone.localdate(now)
    friday = today + timedelta(days=(FRIDAY - today.weekday()) % 7)
    return {"energy_kwh": 20, "charging_h": 2, "parked_h": 0, "day": friday, "at": "18:00"}


def _usual_of(found: Tariff, now: datetime) -> int | None:
    """The tariff of the operator's stations without one of their own (stations.costs)."""
    holding = Tariff.objects.filter(
        Q(valid_until__isnull=True) | Q(valid_until__gt=now), operator=found.operator_id, valid_from__lte=now
    )
    return holding.order_by("-valid_from", "-pk").values_list("pk", flat=True).first()


def _example(terms: rules.Tariff, form: ExampleForm, now: datetime) -> dict[str, Any] | None:
    """The cost of the session in the form, line by line; as it comes, that of the usual one."""
    asked = form if form.is_bound else ExampleForm(_said(form))
    if not asked.is_valid():
        return None
    found = rules.price(terms, asked.periods(), zone=ZONE)
    cost = SessionCost(
        found.currency,
        found.excl_tax,
        found.incl_tax,
        found.lines,
        limited_by=found.limited_by,
        is_final=True,
    )
    return {
        "rows": cost_rows(cost),
        "notes": list(notes(cost)),
        "total": money(found.incl_tax, found.currency),
        "tax": money(found.tax, found.currency),
        "excl": money(found.excl_tax, found.currency),
    }


def _said(form: ExampleForm) -> dict[str, str]:
    """What an unbound form shows, as it would be sent."""
    return {
        name: str(form.fields[name].widget.format_value(form[name].value()) or "") for name in form.fields
    }
