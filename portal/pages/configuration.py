"""The configuration of a station: read, compared, changed; and what it watches by itself."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from portal.pages.configuration_forms import MOST_AT_ONCE, ChangeForm
from portal.pages.configuration_words import DIFFERENCES, OUTCOMES
from portal.pages.station import VALUES_A_PAGE, operable, page, visit, visit_as_staff
from stations import configuring, device_model
from stations.capabilities import how_known
from stations.domain.device import Difference
from stations.models import (
    Command,
    ConfigurationTemplate,
    ConfigurationValue,
    DeviceReading,
    Station,
)
from stations.models.access import Visitor

CHANGES = 10
SHOWN = [
    ("", gettext_lazy("all values")),
    ("writable", gettext_lazy("those that can be changed")),
    ("readonly", gettext_lazy("those that cannot")),
    ("reboot", gettext_lazy("waiting for a restart")),
    ("unknown", gettext_lazy("those that the station does not have")),
]
TO_SET = (Difference.DIFFERS, Difference.HIDDEN, Difference.MISSING)


@require_safe
@vary_on_headers("HX-Request")
def configuration(request: HttpRequest, identity: str) -> HttpResponse:
    """What the station said that it can do, every value as it was read, and what was changed last."""
    visited = visit(request, identity)
    station = visited.station
    asked, show = request.GET.get("q", "").strip()[:100], request.GET.get("show", "")
    values = _shown(station, show)
    if asked:
        values = values.filter(
            Q(name__icontains=asked) | Q(component__icontains=asked) | Q(value__icontains=asked)
        )
    values_page = Paginator(values, VALUES_A_PAGE).get_page(request.GET.get("page"))
    changes = (
        station.configuration_changes.select_related("requested_by")[:CHANGES] if visited.is_staff else []
    )
    context = {
        "page": values_page,
        "lines": [(row, _waits(row, station), _may_choose(row)) for row in values_page.object_list],
        "asked": asked,
        "show": show,
        "shown": SHOWN,
        "capabilities": getattr(station, "capabilities", None),
        "known": how_known(station, now=timezone.now()),
        "may_operate": visited.may_operate,
        "reading": reading_of(station, DeviceReading.Kind.VALUES),
        "changes": [(row, OUTCOMES[row.state]) for row in changes],
    }
    return page(request, visited, "configuration", context)


def _shown(station: Station, show: str) -> QuerySet[ConfigurationValue]:
    values: QuerySet[ConfigurationValue] = station.configuration.filter(is_derived=False)
    known = values.filter(is_unknown=False)
    readonly = Q(mutability="ReadOnly") | Q(mutability="", readonly=True)
    writable = Q(mutability__in=("ReadWrite", "WriteOnly")) | Q(mutability="", readonly=False)
    match show:
        case "writable":
            return known.filter(writable)
        case "readonly":
            return known.filter(readonly)
        case "reboot":
            waits = Q(station__booted_at__isnull=True) | Q(station__booted_at__lte=F("reboot_asked_at"))
            return known.filter(waits, reboot_asked_at__isnull=False)
        case "unknown":
            return values.filter(is_unknown=True)
    return known


def _waits(row: ConfigurationValue, station: Station) -> bool:
    """Set, but the station goes by it only after a restart that has not been yet."""
    asked_at = row.reboot_asked_at
    return asked_at is not None and (station.booted_at is None or station.booted_at <= asked_at)


def reading_of(station: Station, kind: str) -> DeviceReading | None:
    """The last question for everything, with the command that tells whether it was lost."""
    return station.device_readings.filter(kind=kind).select_related("command").first()


# ---------------------------------------------------------------- reading again
@require_POST
def read(request: HttpRequest, identity: str) -> HttpResponse:
    """Ask the station for all of it."""
    station = operable(request, identity)
    command = device_model.read_all(station=station, requested_by=request.user, now=timezone.now())
    say_asked(request, command)
    return redirect("stations:configuration", identity)


def say_asked(request: HttpRequest, command: Command | None) -> None:
    if command is None:
        messages.info(request, _("The station is being asked already."))
    else:
        messages.success(request, _("The station is asked. What it answers appears here."))


# ---------------------------------------------------------------- changing
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, identity: str) -> HttpResponse:
    """The chosen values in one form; a POST asks the station for what was changed in it."""
    station = operable(request, identity)
    chosen = request.GET.getlist("value")[:MOST_AT_ONCE]
    rows = _changeable(station, [int(pk) for pk in chosen if pk.isdecimal() and len(pk) < 19])
    form = ChangeForm(request.POST if request.method == "POST" else None, station=station, rows=rows)
    if request.method == "POST" and form.is_valid():
        changes = configuring.set_values(
            station=station, wishes=form.wishes(), requested_by=request.user, now=timezone.now()
        )
        say_sent(request, len(changes))
        return redirect("stations:configuration", identity)
    context = {
        "station": station,
        "form": form,
        "fields": list(form),
        "left_out": len(chosen) - len(rows),
        "crumbs": crumbs_of(station, _("Change values")),
    }
    return render(
        request, "pages/station/configuration_change.html", context, status=422 if form.is_bound else 200
    )


def say_sent(request: HttpRequest, count: int) -> None:
    said = ngettext(
        "%(n)s value is on its way to the station. What it says of it appears here.",
        "%(n)s values are on their way to the station. What it says of them appears here.",
        count,
    )
    messages.success(request, said % {"n": count})


def _changeable(station: Station, ids: list[int]) -> list[ConfigurationValue]:
    """Those of the chosen rows that can be set; the station may say no all the same."""
    rows = station.configuration.filter(pk__in=ids, is_unknown=False, is_derived=False)
    return [row for row in rows if _may_choose(row)]


def _may_choose(row: ConfigurationValue) -> bool:
    unfit = row.is_writable is False or row.is_unknown
    return not unfit and not configuring.is_password(row.place)


def crumbs_of(station: Station, last: str) -> list[tuple[str, str]]:
    return [
        (_("Stations"), reverse("stations:list")),
        (station.identity, reverse("stations:detail", args=[station.identity])),
        (_("Configuration"), reverse("stations:configuration", args=[station.identity])),
        (last, ""),
    ]


# ---------------------------------------------------------------- comparing
@require_http_methods(["GET", "HEAD", "POST"])
def compare(request: HttpRequest, identity: str) -> HttpResponse:
    """A station beside a template of its operator; a POST asks the station for all that differs."""
    visited = visit_as_staff(request, identity)
    station = visited.station
    templates = ConfigurationTemplate.objects.worked_on_by(cast(Visitor, request.user)).filter(
        operator=station.site.operator, family=configuring.family_of(station)
    )
    wanted = request.GET.get("template", "")
    template = templates.filter(pk=int(wanted)).first() if wanted.isdecimal() and len(wanted) < 19 else None
    entries = list(template.entries.all()) if template else []
    known = configuring.values_of([station], entries).get(station.pk, {})
    rows = configuring.compare(entries, known)
    if request.method == "POST":
        return _set_differing(request, operable(request, identity), rows)
    context: dict[str, Any] = {
        "station": station,
        "templates": templates,
        "template": template,
        "rows": [(entry, row, DIFFERENCES[found]) for entry, row, found in rows],
        "to_set": sum(found in TO_SET for _entry, _row, found in rows),
        "may_operate": visited.may_operate,
        "crumbs": crumbs_of(station, _("Compare with a template")),
    }
    return render(request, "pages/station/configuration_compare.html", context)


def _set_differing(request: HttpRequest, station: Station, rows: list[Any]) -> HttpResponseRedirect:
    wishes = [
        configuring.Wish(entry.place, entry.value, entry.attribute, entry.sealed_value)
        for entry, _row, found in rows
        if found in TO_SET
    ]
    if wishes:
        changes = configuring.set_values(
            station=station, wishes=wishes, requested_by=request.user, now=timezone.now()
        )
        say_sent(request, len(changes))
    else:
        messages.info(request, _("The station has all of this already."))
    return redirect("stations:configuration", station.identity)
