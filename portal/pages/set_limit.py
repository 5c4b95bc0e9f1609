"""Set a limit on a station, or withdraw one."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from smartcharging import services
from smartcharging.models import DesiredProfile
from stations.models import Station


@require_http_methods(["GET", "HEAD", "POST"])
def set_limit(request: HttpRequest, identity: str) -> HttpResponse:
    station = get_object_or_404(Station.objects.plannable_by(request.user), identity=identity)
    return redirect("stations:detail", station.identity)


@require_POST
def withdraw(request: HttpRequest, identity: str, pk: int) -> HttpResponse:
    """Clear this profile from the station; it stays visible until the station has done so."""
    rows = DesiredProfile.objects.plannable_by(request.user).filter(station__identity=identity)
    desired = get_object_or_404(rows, pk=pk)
    services.withdraw(desired, requested_by=request.user, now=timezone.now())
    messages.success(request, _("%(name)s is being withdrawn.") % {"name": desired.name})
    return redirect("stations:detail", identity)
