"""Starting a live probe, watching it, and stopping it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.compliance import probes
from portal.compliance.forms import ProbeForm
from portal.compliance.models import Probe, Requirement
from portal.compliance.permissions import may_probe
from portal.compliance.probe_page import probe_page
from stations.models import Concession, Station


@require_http_methods(["GET", "HEAD", "POST"])
def probe_start(request: HttpRequest) -> HttpResponse:
    """GET: the choice of station and requirement; POST: start."""
    stations = (
        may_probe(request.user).select_related("site__operator", "site__concession").order_by("identity")
    )
    if request.method != "POST":
        chosen = stations.filter(site__concession__slug=request.GET.get("concession", ""))
        form = ProbeForm(
            stations=chosen if chosen.exists() else stations,
            requirements=_requirements(request),
            initial={"requirement": request.GET.get("requirement"), "station": request.GET.get("station")},
        )
        return _choice(request, form)
    form = ProbeForm(request.POST, stations=stations, requirements=_requirements(request))
    if not form.is_valid():
        return _choice(request, form, status=422)
    return _start(request, form)


def _start(request: HttpRequest, form: ProbeForm) -> HttpResponse:
    station: Station = form.cleaned_data["station"]
    asked: Requirement = form.cleaned_data["requirement"]
    try:
        started = probes.start_probe(
            station=station, code=asked.code, requested_by=request.user, now=timezone.now()
        )
    except probes.CannotProbe as error:
        running = Probe.objects.filter(station=station, state__in=Probe.OPEN).first()
        if running is not None:
            messages.info(request, str(error))
            return redirect("compliance:probe", pk=running.pk)
        form.add_error(None, str(error))
        return _choice(request, form, status=422)
    return redirect("compliance:probe", pk=started.pk)


def _requirements(request: HttpRequest) -> QuerySet[Requirement]:
    """What counts in a concession of the reader, and can be probed."""
    asked = Requirement.objects.filter(
        uses__concession__in=Concession.objects.visible_to(request.user), code__in=probes.PROBES
    )
    return asked.distinct()


def _choice(request: HttpRequest, form: ProbeForm, status: int = 200) -> HttpResponse:
    return render(request, "compliance/probe_start.html", {"form": form}, status=status)


@require_safe
def probe(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole page, or for htmx only the part that changes."""
    rows = Probe.objects.visible_to(request.user).select_related(
        "station__site__operator", "station__site__concession", "requirement", "evidence"
    )
    found = get_object_or_404(rows, pk=pk)
    context: dict[str, Any] = {
        "probe": found,
        "page": probe_page(found, timezone.now()),
        "may_stop": may_probe(request.user).filter(pk=found.station_id).exists(),
        "crumbs": _crumbs(found),
    }
    fragment = bool(request.headers.get("HX-Request"))
    return render(request, "compliance/_probe_live.html" if fragment else "compliance/probe.html", context)


def _crumbs(found: Probe) -> list[tuple[str, str]]:
    concession, asked = found.station.site.concession, found.requirement
    return [
        (concession.name, reverse("compliance:matrix", args=[concession.slug])),
        (
            f"{asked.code} {asked.title}",
            reverse("compliance:requirement", args=[concession.slug, asked.code]),
        ),
        (_("Live probe of %(station)s") % {"station": found.station}, ""),
    ]


@require_POST
def probe_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Probe.objects.visible_to(request.user), pk=pk)
    if not may_probe(request.user).filter(pk=found.station_id).exists():
        raise PermissionDenied(_("You may watch this probe, but not stop it."))
    if probes.cancel_probe(found, now=timezone.now()):
        messages.info(request, _("The probe stops, and the station is put back as it was."))
    else:
        messages.info(request, _("The probe had ended already."))
    return redirect("compliance:probe", pk=pk)
