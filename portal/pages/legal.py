"""What every public page must say of itself: how accessible it is, and what it does with personal data."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from portal.pages.official.objects_map import tiles_host


@login_not_required
@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    return render(request, "pages/accessibility.html")


@login_not_required
@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    context = {"frame_days": settings.OCPP_FRAME_RETENTION_DAYS, "map_host": tiles_host()}
    return render(request, "pages/privacy.html", context)
