"""A template to many stations: what it would change, then how far it is, station by station."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import Count, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.pages.configuration_forms import PaceForm, RolloutForm
from portal.pages.configuration_templates import crumbs
from portal.pages.configuration_words import DIFFERENCES, HALTS, OUTCOMES, RUNS
from portal.pages.hub import hub
from portal.pages.icons import Mark
from portal.pages.live_links import live_url
from portal.pages.station_list import matching
from portal.tables.columns import LOCAL_TIME, Cell, Column, Empty, List, Out, registered
from portal.tables.listing import Listing
from portal.templatetags.measures import moment
from stations import configuring, rollouts
from stations.domain.device import Difference
from stations.models import (
    ConfigurationChange,
    ConfigurationRollout,
    ConfigurationTemplate,
    RolloutStation,
    Station,
    TemplateEntry,
)
from stations.models.access import Visitor
from stations.tasks import carry_out_rollout

STATIONS_A_PAGE = 50
STOP_POLLING = 286  # htmx shows what comes with it, and asks no more
TO_SET = (Difference.DIFFERS, Difference.HIDDEN, Difference.MISSING)
RunState = RolloutStation.State


@dataclass(frozen=True, slots=True)
class PlanLine:
    """A station of a dry run: what would be sent to it, and how it stands to the rest."""

    station: Station
    would: tuple[tuple[TemplateEntry, str, Mark], ...]  # entry, value now, mark
    counts: tuple[tuple[int, Mark], ...]


@dataclass(frozen=True, slots=True)
class RunLine:
    run: RolloutStation
    mark: Mark
    changes: tuple[tuple[ConfigurationChange, Mark], ...]
    good: int


def plan(entries: Sequence[TemplateEntry], stations: Sequence[Station]) -> list[PlanLine]:
    """What the template would change at these stations: one query for all of them."""
    known = configuring.values_of(stations, entries)
    return [
        _plan_line(station, configuring.compare(entries, known.get(station.pk, {}))) for station in stations
    ]


def _plan_line(station: Station, rows: Sequence[Any]) -> PlanLine:
    counts = Counter(found for _entry, _row, found in rows)
    return PlanLine(
        station=station,
        would=tuple(
            (entry, row.value if row else "", DIFFERENCES[found])
            for entry, row, found in rows
            if found in TO_SET
        ),
        counts=tuple((counts[found], DIFFERENCES[found]) for found in Difference if counts[found]),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose stations and see what would change; a POST does it."""
    user = cast(Visitor, request.user)
    template = get_object_or_404(ConfigurationTemplate.objects.operable_by(user), pk=pk)
    stations = rollouts.suited(template, Station.objects.operable_by(user))
    form = RolloutForm(request.GET, stations=stations)
    chosen = form.narrowed(stations)
    if like := form.cleaned_data.get("like"):
        chosen = chosen.filter(pk__in=matching(request, QueryDict(like)).order_by().values("pk"))
    entries = list(template.entries.all())
    pace = PaceForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and pace.is_valid():
        return _start(request, template, chosen, pace, is_empty=not entries)
    stations_page = Paginator(chosen.select_related("site"), STATIONS_A_PAGE).get_page(
        request.GET.get("page")
    )
    context = {
        "template": template,
        "form": form,
        "pace": pace,
        "hidden": [bound for bound in form.hidden_fields() if bound.value()],
        "selects": [form[name] for name in ("site", "model", "firmware", "version")],
        "entries": entries,
        "page": stations_page,
        "lines": plan(entries, list(stations_page.object_list)),
        "count": stations_page.paginator.count,
        "is_filtered": any(request.GET.get(name) for name in form.fields),
        "crumbs": crumbs(
            (template.name, reverse("configuration:template", args=[template.pk])), (_("Roll out"), "")
        ),
    }
    return render(request, "pages/configuration/start.html", context)


def _start(
    request: HttpRequest,
    template: ConfigurationTemplate,
    chosen: QuerySet[Station],
    pace: PaceForm,
    *,
    is_empty: bool,
) -> HttpResponse:
    count = chosen.count()
    if is_empty or not count or request.POST.get("count") != str(count):
        # What would be done is not what was shown: look again.
        messages.error(request, _("The stations or the template have changed meanwhile. Look again."))
        return redirect(request.get_full_path())
    rollout = rollouts.start(
        template=template, stations=chosen, requested_by=request.user, now=timezone.now(), pace=pace.pace
    )
    carry_out_rollout.delay(rollout.pk)
    return redirect("configuration:rollout", rollout.pk)


# ---------------------------------------------------------------- how far it is
class RolloutFilter(forms.Form):
    state = forms.ChoiceField(
        required=False,
        label=gettext_lazy("State"),
        choices=[("", gettext_lazy("all")), *ConfigurationRollout.State.choices],
    )

    def narrow(self, rows: QuerySet[ConfigurationRollout]) -> QuerySet[ConfigurationRollout]:
        state = self.cleaned_data.get("state") if self.is_valid() else ""
        return rows.filter(state=state) if state else rows


def _asked(row: ConfigurationRollout) -> Cell:
    who = (row.requested_by,) if row.requested_by else ()
    return Cell(moment(row.requested_at), who, moment=row.requested_at)


ROLLOUTS = registered(
    List(
        key="rollouts",
        title=gettext_lazy("Roll-outs"),
        sort="-asked",
        nothing=Empty(
            gettext_lazy("Nothing has been rolled out yet"),
            gettext_lazy("A roll-out begins at a template."),
            "configuration:list",
            gettext_lazy("To the templates"),
        ),
        no_match=Empty(gettext_lazy("No roll-out is in this state"), gettext_lazy("Choose another state.")),
        columns=(
            Column(
                "template",
                gettext_lazy("Template"),
                lambda row: Cell(row.template_name, url=reverse("configuration:rollout", args=[row.pk])),
                order=("template_name", "-pk"),
                outs=(Out(gettext_lazy("Template"), lambda row: row.template_name),),
            ),
            Column(
                "operator",
                gettext_lazy("Operator"),
                lambda row: Cell(row.operator),
                order=("operator__name", "-pk"),
                outs=(Out(gettext_lazy("Operator"), lambda row: row.operator.name),),
            ),
            Column(
                "stations",
                gettext_lazy("Stations"),
                lambda row: Cell(row.count),
                outs=(Out(gettext_lazy("Stations"), lambda row: row.count),),
            ),
            Column(
                "state",
                gettext_lazy("State"),
                lambda row: Cell(row.get_state_display()),
                order=("state", "-pk"),
                outs=(Out(gettext_lazy("State"), lambda row: row.get_state_display()),),
            ),
            Column(
                "asked",
                gettext_lazy("Asked"),
                _asked,
                order=("pk",),
                most_first=True,
                outs=(
                    Out(gettext_lazy("Asked"), lambda row: row.requested_at, LOCAL_TIME),
                    Out(gettext_lazy("Asked by"), lambda row: str(row.requested_by or "")),
                ),
            ),
        ),
    )
)


@require_safe
def rollout_list(request: HttpRequest) -> HttpResponseBase:
    """The roll-outs that the visitor may see, newest first."""
    rows = ConfigurationRollout.objects.visible_to(cast(Visitor, request.user))
    rows = rows.select_related("operator", "requested_by").annotate(count=Count("stations"))
    form = RolloutFilter(request.GET)
    listing = Listing(ROLLOUTS, request, form.narrow(rows), filters=form)
    context = {"listing": listing, "crumbs": crumbs((_("Roll-outs"), ""))}
    return listing.answer() or render(request, "pages/configuration/rollouts.html", context)


@require_safe
def rollout(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is, and the outcome at every station."""
    user, live_id, now = cast(Visitor, request.user), hub.mark(), timezone.now()
    rows = ConfigurationRollout.objects.visible_to(user).select_related("operator", "requested_by")
    row = get_object_or_404(rows, pk=pk)
    is_open = row.state == ConfigurationRollout.State.RUNNING
    counts = dict(row.stations.order_by().values_list("state").annotate(n=Count("pk")))
    state = request.GET.get("state", "")
    runs = row.stations.filter(state=state) if state in RunState.values else row.stations.all()
    changes = ConfigurationChange.objects.order_by("pk")
    runs = runs.select_related("station__site").prefetch_related(Prefetch("changes", queryset=changes))
    runs_page: Page[Any] = Paginator(runs, STATIONS_A_PAGE).get_page(request.GET.get("page"))
    total = sum(counts.values())
    over = total - sum(counts.get(each, 0) for each in RolloutStation.OPEN)
    context = {
        "rollout": row,
        "halt": HALTS.get(row.stopped_for, ""),
        "tallies": [(key, counts.get(key, 0), mark) for key, mark in RUNS.items() if counts.get(key)],
        "total": total,
        "over": over,
        "state": state,
        "page": runs_page,
        "lines": [_run_line(run) for run in runs_page.object_list],
        "may_operate": ConfigurationRollout.objects.operable_by(user).filter(pk=pk).exists(),
        "is_open": is_open,
        "live_url": live_url("rollout", [pk], since=live_id),
        "now": now,
        "may_retry": counts.get(RunState.FAILED, 0) + counts.get(RunState.CANCELLED, 0) > 0,
        "crumbs": crumbs((_("Roll-outs"), reverse("configuration:rollouts")), (str(row), "")),
    }
    if not request.headers.get("HX-Request"):
        return render(request, "pages/configuration/rollout.html", context)
    status = HTTPStatus.OK if is_open else STOP_POLLING
    return render(request, "pages/configuration/_rollout.html", context, status=status)


def _run_line(run: Any) -> RunLine:
    changes = tuple(run.changes.all())
    good = sum(change.state in ConfigurationChange.GOOD for change in changes)
    told = tuple(
        (change, OUTCOMES[change.state])
        for change in changes
        if change.state not in (ConfigurationChange.State.SAME, ConfigurationChange.State.ACCEPTED)
    )
    return RunLine(run, RUNS[run.state], told, good)


@require_POST
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    """Withdraw what was not sent yet."""
    row = _operable(request, pk)
    if rollouts.cancel(rollout=row, now=timezone.now()):
        messages.success(request, _("What was not sent yet is withdrawn. What a station has, it keeps."))
    else:
        messages.info(request, _("This roll-out was over already."))
    return redirect("configuration:rollout", pk)


@require_POST
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask once more where it failed, or where it was stopped."""
    row = _operable(request, pk)
    count = rollouts.retry(rollout=row, now=timezone.now())
    if count:
        carry_out_rollout.delay(row.pk)
        said = ngettext("%(n)s station is asked again.", "%(n)s stations are asked again.", count)
        messages.success(request, said % {"n": count})
    else:
        messages.info(request, _("There is nothing to ask again."))
    return redirect("configuration:rollout", pk)


def _operable(request: HttpRequest, pk: int) -> ConfigurationRollout:
    rows = ConfigurationRollout.objects.operable_by(cast(Visitor, request.user))
    row: ConfigurationRollout = get_object_or_404(rows, pk=pk)
    return row
