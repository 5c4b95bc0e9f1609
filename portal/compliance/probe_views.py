"""Starting a live probe, and watching it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.compliance.models import Probe


@require_http_methods(["GET", "POST"])
def probe_start(request: HttpRequest) -> HttpResponse:
    raise NotImplementedError


@require_safe
def probe(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Probe.objects.visible_to(request.user), pk=pk)
    return render(request, "compliance/probe.html", {"probe": found})


@require_POST
def probe_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    return redirect("compliance:probe", pk=pk)
