"""Setting and withdrawing a limit: fetch with permission, one service, render."""

from __future__ import annotations

import re
from typing import Any, cast

from django.contrib import messages
from django.forms import BaseFormSet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from smartcharging.drifts import CannotPutBack, put_back
from smartcharging.forms import (
    LimitForm,
    PeriodForm,
    PeriodFormSet,
    checks_of,
    first_rows,
    first_values,
    rows_of,
)
from smartcharging.models import DesiredProfile
from smartcharging.services import CannotSet, set_profile, withdraw
from stations.models import Station
from stations.models.access import Visitor

PERIOD_FIELD = re.compile(r"periods\[(\d+)\]\.(\w+)")


@require_http_methods(["GET", "HEAD", "POST"])
def set_limit(request: HttpRequest, identity: str) -> HttpResponse:
    """The form; a POST sets the limit, or adds an empty row."""
    station = get_object_or_404(Station.objects.plannable_by(cast(Visitor, request.user)), identity=identity)
    if request.method != "POST":
        form = LimitForm(station=station, initial=first_values(station, timezone.now()))
        return _page(request, station, form, PeriodFormSet(initial=first_rows()))
    if "add-row" in request.POST:
        form = LimitForm(station=station, initial=request.POST.dict())
        return _page(request, station, form, PeriodFormSet(initial=[*rows_of(request.POST), {}]))
    form, rows = LimitForm(request.POST, station=station), PeriodFormSet(request.POST)
    if form.is_valid() & rows.is_valid() and _set(request, station, form, rows):
        return redirect("stations:detail", station.identity)
    return _page(request, station, form, rows, status=422)


@require_POST
def withdraw_limit(request: HttpRequest, identity: str, pk: int) -> HttpResponse:
    """No longer want a limit; back to the station."""
    rows = DesiredProfile.objects.plannable_by(cast(Visitor, request.user)).current()
    row = get_object_or_404(rows, pk=pk, station__identity=identity)
    withdraw(row, requested_by=request.user, now=timezone.now())
    messages.success(request, _("“%(name)s” is being withdrawn.") % {"name": row.name})
    return redirect("stations:detail", identity)


@require_POST
def put_back_limit(request: HttpRequest, identity: str, pk: int) -> HttpResponse:
    """Send a limit again that the station has lost; back to what was read of it."""
    rows = DesiredProfile.objects.plannable_by(cast(Visitor, request.user)).current()
    row = get_object_or_404(rows, pk=pk, station__identity=identity)
    try:
        put_back(row, requested_by=request.user, now=timezone.now())
    except CannotPutBack as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("“%(name)s” is being put back.") % {"name": row.name})
    return redirect("stations:read_back", identity)


def _set(request: HttpRequest, station: Station, form: LimitForm, rows: BaseFormSet[PeriodForm]) -> bool:
    """Set it, and say so; False where it cannot be, with the reason at its field."""
    now = timezone.now()
    filled = [(row, row.period) for row in rows.forms if row.period is not None]
    periods = [period for _row, period in filled]
    try:
        row = set_profile(station=station, requested_by=request.user, now=now, **form.wish(now, periods))
    except CannotSet as error:
        _place_error(error, form, [row for row, _period in filled])
        return False
    messages.success(request, _("“%(name)s” is set; the station is being told.") % {"name": row.name})
    if form.clock_changes(now):
        messages.warning(
            request,
            _(
                "The clock changes before the last day. Stations count on in hours, so from then on the limits come"
                " an hour earlier or later. Set a second limit from that day on."
            ),
        )
    return True


def _place_error(error: CannotSet, form: LimitForm, rows: list[PeriodForm]) -> None:
    """Show the error beside what is wrong."""
    match = PERIOD_FIELD.fullmatch(error.field)
    if match and int(match[1]) < len(rows):
        rows[int(match[1])].add_error("since" if match[2] == "start_s" else "limit", str(error))
    else:
        form.add_error(LimitForm.field_of(error.field), str(error))


def _page(
    request: HttpRequest,
    station: Station,
    form: LimitForm,
    rows: BaseFormSet[PeriodForm],
    *,
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {
        "station": station,
        "form": form,
        "rows": rows,
        "checks": checks_of(station, timezone.now()),
        "crumbs": [
            (_("Stations"), reverse("stations:list")),
            (station.label, reverse("stations:detail", args=[station.identity])),
            (_("Set a limit"), ""),
        ],
    }
    return render(request, "smartcharging/set.html", context, status=status)
