"""The commands of a station: what was asked, by whom, and what it answered; and a form for each that can be given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models.query import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from portal.pages.commands_form import CommandForm
from portal.pages.commands_forms import FORMS
from portal.pages.commands_list import COMMANDS
from portal.pages.commands_offers import groups_of, offer_of, place_of
from portal.pages.commands_words import CommandLine, line_of
from portal.pages.station import operable, page, visit_as_staff
from portal.tables.listing import Listing
from smartcharging.day_fields import DayField, on_days
from stations import commands, reserving, services
from stations.models import Command, Reservation
from stations.ocpp.directions import TO_STATION
from stations.presence import is_living

RESERVATIONS = 10
WHO = [
    ("person", gettext_lazy("people")),
    ("api", gettext_lazy("the API")),
    ("portal", gettext_lazy("the portal itself")),
]


class CommandFilter(forms.Form):
    action = forms.ChoiceField(required=False, label=gettext_lazy("Command"))
    state = forms.ChoiceField(
        required=False,
        label=gettext_lazy("State"),
        choices=[("", gettext_lazy("all")), *Command.State.choices],
    )
    who = forms.ChoiceField(
        required=False, label=gettext_lazy("Asked by"), choices=[("", gettext_lazy("all")), *WHO]
    )
    since = DayField(required=False, label=gettext_lazy("From"))
    until = DayField(required=False, label=gettext_lazy("Up to and including"))

    def __init__(self, *args: Any, version: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = sorted(TO_STATION[version])
        self.fields["action"].choices = [("", _("all")), *((name, name) for name in names)]  # type: ignore[attr-defined]

    def narrow(self, rows: QuerySet[Command]) -> QuerySet[Command]:
        """A field that cannot be read narrows nothing; the form shows what is wrong with it."""
        self.is_valid()
        chosen = self.cleaned_data
        for name in ("action", "state"):
            if chosen.get(name):
                rows = rows.filter(**{name: chosen[name]})
        if chosen.get("who") == "portal":
            rows = rows.exclude(origin__in=("person", "api"))
        elif chosen.get("who"):
            rows = rows.filter(origin=chosen["who"])
        return rows.filter(on_days(chosen, "requested_at"))


@require_safe
@vary_on_headers("HX-Request")
def station_commands(request: HttpRequest, identity: str) -> HttpResponseBase:
    """The commands of a station, newest first, for who works for its operator."""
    visited = visit_as_staff(request, identity)
    station = visited.station
    chosen = CommandFilter(request.GET, version=station.ocpp_version)
    rows = chosen.narrow(Command.objects.filter(station=station).select_related("requested_by"))

    def lines(found: Sequence[Command]) -> list[CommandLine]:
        return [line_of(row, may_operate=visited.may_operate, reads=commands.READS) for row in found]

    listing = Listing(COMMANDS, request, rows, filters=chosen, lines=lines)
    if answer := listing.answer():
        return answer
    reservations = Reservation.objects.filter(station=station).select_related("token", "requested_by")
    context = {
        "listing": listing,
        "may_operate": visited.may_operate,
        "groups": groups_of(place_of(station)) if visited.may_operate else [],
        "reservations": list(reservations[:RESERVATIONS]),
    }
    return page(request, visited, "commands", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new_command(request: HttpRequest, identity: str, kind: str) -> HttpResponse:
    """The form of one command. A consequential one is shown in words first, to be confirmed."""
    station = operable(request, identity)
    place = place_of(station)
    offer = offer_of(place, kind)
    if offer is None:
        raise Http404
    form_class = FORMS[kind]
    if request.method != "POST":
        return _form_page(request, station, form_class(station=station), offer.reason)
    if "back" in request.POST:
        return _form_page(
            request, station, form_class(initial=request.POST.dict(), station=station), offer.reason
        )
    form = form_class(request.POST, station=station)
    if offer.reason or not form.is_valid():
        return _form_page(request, station, form, offer.reason, status=422)
    consequence = form.consequence()
    if consequence and "confirmed" not in request.POST:
        return _form_page(request, station, form, "", consequence=consequence)
    if not form.give(request.user, timezone.now()):
        return _form_page(request, station, form, "", status=422)
    messages.success(request, _("Asked: %(what)s. Its answer appears below.") % {"what": form.title})
    return redirect("stations:commands", identity)


@require_POST
def cancel_command(request: HttpRequest, identity: str, pk: int) -> HttpResponse:
    """Take back a command that was not sent yet."""
    command = get_object_or_404(Command, station=operable(request, identity), pk=pk)
    if commands.cancel(command, now=timezone.now()):
        messages.success(request, _("%(action)s is taken back.") % {"action": command.action})
    else:
        messages.error(request, _("Too late: %(action)s was sent already.") % {"action": command.action})
    return redirect("stations:commands", identity)


@require_POST
def ask_again(request: HttpRequest, identity: str, pk: int) -> HttpResponse:
    """The same question once more; only what changes nothing at the station."""
    command = get_object_or_404(Command, station=operable(request, identity), pk=pk)
    try:
        services.ask_again(command=command, requested_by=request.user, now=timezone.now())
    except (services.CannotAskAgain, ValueError, LookupError):
        messages.error(request, _("%(action)s cannot be asked again by itself.") % {"action": command.action})
    else:
        messages.success(request, _("%(action)s is asked again.") % {"action": command.action})
    return redirect("stations:commands", identity)


@require_POST
def cancel_reservation(request: HttpRequest, identity: str, pk: int) -> HttpResponse:
    """Ask the station to let go of a reservation."""
    rows = Reservation.objects.filter(state__in=Reservation.OPEN)
    reservation = get_object_or_404(rows, station=operable(request, identity), pk=pk)
    reserving.cancel(reservation=reservation, requested_by=request.user, now=timezone.now())
    messages.success(request, _("The station is asked to let go of the reservation."))
    return redirect("stations:commands", identity)


def _form_page(
    request: HttpRequest,
    station: Any,
    form: CommandForm,
    reason: str,
    *,
    consequence: str = "",
    status: int = 200,
) -> HttpResponse:
    presence = getattr(station, "presence", None)
    here = reverse("stations:commands", args=[station.identity])
    context = {
        "station": station,
        "form": form,
        "reason": reason,
        "consequence": consequence,
        # What was filled in, to be sent again with the confirmation.
        "kept": [(name, request.POST.get(name, "")) for name in form.fields if name in request.POST],
        "is_online": presence is not None and is_living(presence, timezone.now()),
        "crumbs": [
            (_("Stations"), reverse("stations:list")),
            (station.identity, reverse("stations:detail", args=[station.identity])),
            (_("Commands"), here),
            (form.title, ""),
        ],
    }
    return render(request, "pages/station/command.html", context, status=status)
