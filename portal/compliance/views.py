"""The pages of who supervises: matrix, requirement, evidence, probe."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from stations.models import Concession


@require_safe
def concessions(request: HttpRequest) -> HttpResponse:
    rows = Concession.objects.visible_to(request.user).select_related("municipality")
    return render(request, "compliance/concessions.html", {"concessions": rows})


@require_safe
def matrix(request: HttpRequest, concession: str) -> HttpResponse:
    found = get_object_or_404(Concession.objects.visible_to(request.user), slug=concession)
    return render(request, "compliance/matrix.html", {"concession": found})
