"""From the list of stations to a roll-out: some of what it shows, or all of it, and which template."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from portal.pages.configuration_templates import crumbs
from portal.pages.station_list import matching
from stations.models import ConfigurationTemplate, Station
from stations.models.access import Visitor

MOST_SHOWN = 50
# What this page asks by itself; all else in its address is the filter of the list.
OWN = ("template", "station", "all")


class ChooseForm(forms.Form):
    template = forms.ModelChoiceField(
        queryset=ConfigurationTemplate.objects.none(),
        label=gettext_lazy("Template"),
        error_messages={"required": gettext_lazy("Choose a template.")},
    )

    def __init__(self, data: Any, *, templates: QuerySet[Any]) -> None:
        super().__init__(data)
        cast("forms.ModelChoiceField[Any]", self.fields["template"]).queryset = templates


@require_safe
def choose(request: HttpRequest) -> HttpResponse:
    """For who may send commands; 404 for anyone else. Nothing is sent from here: the template's own page asks first."""
    user = cast(Visitor, request.user)
    if not Station.objects.operable_by(user).exists():
        raise Http404
    like = _like(request.GET)
    stations = Station.objects.operable_by(user).filter(
        pk__in=matching(request, like).order_by().values("pk")
    )
    templates = ConfigurationTemplate.objects.operable_by(user).select_related("operator")
    form = ChooseForm(request.GET if "template" in request.GET else None, templates=templates)
    if form.is_bound and form.is_valid():
        named = request.GET.getlist("station")
        if named or "all" in request.GET:
            said = {"like": like.urlencode()} if "all" in request.GET else {"stations": ",".join(named)}
            url = reverse("configuration:start", args=[form.cleaned_data["template"].pk])
            return redirect(f"{url}?{urlencode(said)}")
        messages.error(request, _("Tick at least one station, or choose all of them."))
    context = {
        "form": form,
        "has_templates": templates.exists(),
        "stations": list(stations.select_related("site").order_by("identity")[:MOST_SHOWN]),
        "count": stations.count(),
        "ticked": frozenset(request.GET.getlist("station")),
        "like": [(name, value) for name, values in like.lists() for value in values],
        "crumbs": crumbs((_("Roll out"), "")),
    }
    return render(request, "pages/configuration/choose.html", context)


def _like(asked: QueryDict) -> QueryDict:
    """The filter of the list, without what this page asks."""
    like = asked.copy()
    for name in OWN:
        like.pop(name, None)
    return like
