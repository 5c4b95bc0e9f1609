"""Templates of an operator: how its stations are to be set, and their way to many stations at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.pages.configuration_forms import EntryFormSet, EntryFormSetBase, NewTemplateForm
from portal.pages.logbook_rows import who_changed
from portal.pages.station import operable
from portal.tables.columns import LOCAL_TIME, Cell, Column, Empty, List, Out, moment_cell, registered
from portal.tables.listing import Listing
from stations import configuring
from stations.models import ConfigurationTemplate, Operator, Station
from stations.models.access import Visitor
from stations.ocpp.masking import MASK

ROWS_MORE = 5
Family = ConfigurationTemplate.Family


def crumbs(*more: tuple[str, str]) -> list[tuple[str, str]]:
    return [
        (_("Stations"), reverse("stations:list")),
        (_("Templates"), reverse("configuration:list")),
        *more,
    ]


def operators_of(request: HttpRequest) -> QuerySet[Operator]:
    """Those for which the visitor may send commands."""
    mine = Station.objects.operable_by(cast(Visitor, request.user)).values("site__operator")
    found: QuerySet[Operator] = Operator.objects.filter(pk__in=mine)
    return found


class TemplateFilter(forms.Form):
    q = forms.CharField(required=False, max_length=100, label=gettext_lazy("Name"))
    family = forms.ChoiceField(
        required=False,
        label=gettext_lazy("For"),
        choices=[("", gettext_lazy("all")), *Family.choices],
    )

    def narrow(self, rows: QuerySet[ConfigurationTemplate]) -> QuerySet[ConfigurationTemplate]:
        self.is_valid()
        chosen = self.cleaned_data
        if chosen.get("q"):
            rows = rows.filter(name__icontains=chosen["q"])
        return rows.filter(family=chosen["family"]) if chosen.get("family") else rows


TEMPLATES = registered(
    List(
        key="templates",
        title=gettext_lazy("Configuration templates"),
        sort="name",
        nothing=Empty(
            gettext_lazy("There is no template yet"),
            gettext_lazy(
                "A template says how stations are to be set. Make one of a station that is set well."
            ),
        ),
        no_match=Empty(
            gettext_lazy("No template fits this search"), gettext_lazy("Use fewer words or another filter.")
        ),
        columns=(
            Column(
                "name",
                gettext_lazy("Name"),
                lambda row: Cell(row.name, url=reverse("configuration:template", args=[row.pk])),
                order=("name",),
                outs=(Out(gettext_lazy("Name"), lambda row: row.name),),
            ),
            Column(
                "operator",
                gettext_lazy("Operator"),
                lambda row: Cell(row.operator),
                order=("operator__name", "name"),
                outs=(Out(gettext_lazy("Operator"), lambda row: row.operator.name),),
            ),
            Column(
                "family",
                gettext_lazy("For"),
                lambda row: Cell(row.get_family_display()),
                order=("family", "name"),
                outs=(Out(gettext_lazy("For"), lambda row: row.get_family_display()),),
            ),
            Column(
                "values",
                gettext_lazy("Values"),
                lambda row: Cell(row.values),
                outs=(Out(gettext_lazy("Values"), lambda row: row.values),),
            ),
            Column(
                "changed",
                gettext_lazy("Changed"),
                lambda row: moment_cell(row.changed_at),
                order=("changed_at",),
                most_first=True,
                outs=(Out(gettext_lazy("Changed"), lambda row: row.changed_at, LOCAL_TIME),),
            ),
        ),
    )
)


@require_safe
def template_list(request: HttpRequest) -> HttpResponseBase:
    """The templates that the visitor may see."""
    rows = ConfigurationTemplate.objects.visible_to(cast(Visitor, request.user)).select_related("operator")
    form = TemplateFilter(request.GET)
    found = form.narrow(rows).annotate(values=Count("entries"))
    listing = Listing(TEMPLATES, request, found, filters=form)
    context = {
        "listing": listing,
        "may_make": operators_of(request).exists(),
        "crumbs": [(_("Stations"), reverse("stations:list")), (_("Templates"), "")],
    }
    return listing.answer() or render(request, "pages/configuration/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A new template, empty or with what can be set at a station (`?from=`) as it is there."""
    operators = operators_of(request)
    if not operators.exists():
        raise Http404
    identity = request.GET.get("from", "")
    station = operable(request, identity) if identity else None
    initial = {"name": _("As %(station)s") % {"station": station.label} if station else ""}
    form = NewTemplateForm(
        request.POST if request.method == "POST" else None,
        operators=operators,
        station=station,
        initial=initial,
    )
    if request.method == "POST" and form.is_valid():
        template = _made(form.cleaned_data, station)
        messages.success(request, _("“%(name)s” is made.") % {"name": template.name})
        return redirect("configuration:template", template.pk)
    context = {"form": form, "station": station, "crumbs": crumbs((_("New template"), ""))}
    return render(request, "pages/configuration/new.html", context, status=422 if form.is_bound else 200)


def _made(said: dict[str, Any], station: Station | None) -> ConfigurationTemplate:
    now = timezone.now()
    template = configuring.new_template(
        operator=station.site.operator if station else said["operator"],
        family=configuring.family_of(station) if station else said["family"],
        now=now,
    )
    wishes = configuring.wishes_from(station) if station else []
    return configuring.save_template(template=template, name=said["name"], wishes=wishes, now=now)


@dataclass(frozen=True, slots=True)
class TemplatePage:
    """The template as it is, and the rows of its form where the visitor may change it."""

    template: ConfigurationTemplate
    rows: EntryFormSetBase | None
    name: str
    name_error: str = ""


@require_http_methods(["GET", "HEAD", "POST"])
def template(request: HttpRequest, pk: int) -> HttpResponse:
    """One template; who may send commands for its operator changes it here."""
    user = cast(Visitor, request.user)
    row = get_object_or_404(ConfigurationTemplate.objects.visible_to(user), pk=pk)
    may_change = ConfigurationTemplate.objects.operable_by(user).filter(pk=pk).exists()
    if request.method != "POST":
        rows = _rows(row, first_rows(row)) if may_change else None
        return _page(request, TemplatePage(row, rows, row.name))
    if not may_change:
        raise Http404
    if "add-rows" in request.POST:
        typed = typed_rows(request.POST)
        more: list[dict[str, str]] = [{} for _each in range(ROWS_MORE)]
        return _page(
            request, TemplatePage(row, _rows(row, [*typed, *more]), request.POST.get("template-name", ""))
        )
    return _save(request, row)


def _save(request: HttpRequest, row: ConfigurationTemplate) -> HttpResponse:
    rows = EntryFormSet(request.POST)
    rows.needs_component = row.family == Family.V2
    name = request.POST.get("template-name", "").strip()[:100]
    taken = ConfigurationTemplate.objects.filter(operator=row.operator, name=name).exclude(pk=row.pk)
    error = _("Give a name.") if not name else ""
    error = _("There is a template of this name already.") if taken.exists() else error
    if error or not rows.is_valid() or any(form.errors for form in rows.forms):
        return _page(request, TemplatePage(row, rows, name, error), status=422)
    wishes = [wish for form in rows.forms if (wish := form.wish) is not None]
    configuring.save_template(template=row, name=name, wishes=wishes, now=timezone.now())
    messages.success(request, _("“%(name)s” is saved.") % {"name": name})
    return redirect("configuration:template", row.pk)


def first_rows(row: ConfigurationTemplate) -> list[dict[str, str]]:
    """What is in it; a secret is not sent to the browser."""
    entries = [
        {
            "component": entry.component,
            "name": entry.name,
            "value": "" if entry.value == MASK else entry.value,
        }
        for entry in row.entries.all()
    ]
    return entries or [{} for _each in range(ROWS_MORE)]


def typed_rows(post: Any) -> list[dict[str, str]]:
    """What was typed so far, as far as it says anything."""
    total = post.get("form-TOTAL_FORMS", "")
    count = min(int(total), 200) if total.isdecimal() and len(total) < 5 else 0
    names = ("component", "name", "value")
    typed = [{name: post.get(f"form-{index}-{name}", "") for name in names} for index in range(count)]
    return [row for row in typed if row["name"] or row["component"]]


def _rows(row: ConfigurationTemplate, initial: list[dict[str, str]]) -> EntryFormSetBase:
    rows = EntryFormSet(initial=initial)
    rows.needs_component = row.family == Family.V2
    return rows


def _page(request: HttpRequest, shown: TemplatePage, *, status: int = 200) -> HttpResponse:
    row = shown.template
    context = {
        "shown": shown,
        "template": row,
        "entries": row.entries.all(),
        "is_v2": row.family == Family.V2,
        "mask": MASK,
        "rollouts": row.rollouts.all()[:5],
        "log_url": who_changed(request.user, model="stations.configurationtemplate", key=row.pk),
        "crumbs": crumbs((row.name, "")),
    }
    return render(request, "pages/configuration/template.html", context, status=status)


@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Away with it; what was rolled out stays where it is."""
    rows = ConfigurationTemplate.objects.operable_by(cast(Visitor, request.user))
    row = get_object_or_404(rows, pk=pk)
    row.delete()
    messages.success(request, _("“%(name)s” is deleted.") % {"name": row.name})
    return redirect("configuration:list")
