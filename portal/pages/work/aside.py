"""Putting an item of work aside, with a reason and until a day; and taking it back."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts.models import User
from portal.pages.work.items import Item, Kind
from portal.pages.work.queue import found_for, may_put_aside
from smartcharging.day_fields import DayField, midnight
from stations import asides

LONGEST = timedelta(days=366)
USUAL = timedelta(days=7)


class AsideForm(forms.Form):
    reason = forms.CharField(
        max_length=200,
        label=gettext_lazy("Why it can wait"),
        help_text=gettext_lazy("Your colleagues read this, for instance: the mechanic comes on Thursday."),
        error_messages={"required": gettext_lazy("Say why, in a few words.")},
    )
    until = DayField(
        label=gettext_lazy("Up to and including"),
        error_messages={"required": gettext_lazy("Give the last day on which it can wait.")},
    )

    def clean_until(self) -> date:
        day: date = self.cleaned_data["until"]
        today = timezone.localdate()
        if not today <= day <= today + LONGEST:
            raise forms.ValidationError(_("Give a day from today on, within a year."))
        return day


@require_http_methods(["GET", "HEAD", "POST"])
def put_aside(request: HttpRequest, kind: str, row: int) -> HttpResponse:
    """The form, with what it is about; 404 for who may not, and where it asks for no hand any more."""
    item = _item(request, kind, row)
    usual = {"until": timezone.localdate() + USUAL}
    form = AsideForm(request.POST if request.method == "POST" else None, initial=usual)
    if form.is_bound and form.is_valid():
        _put(item, form.cleaned_data, request.user)
        messages.success(request, _("Put aside. It comes back after that day, or when it gets worse."))
        return redirect("work")
    context = {
        "item": item,
        "form": form,
        "crumbs": [(_("Work"), reverse("work")), (_("Put aside"), "")],
    }
    return render(request, "pages/work/aside.html", context, status=422 if form.is_bound else 200)


def _put(item: Item, said: dict[str, Any], user: Any) -> None:
    found = item.found
    asides.put_aside(
        operator_id=found.operator_id,
        station_id=found.station_id,
        kind=found.kind,
        row=found.row,
        level=item.level,
        reason=said["reason"],
        until=midnight(said["until"] + timedelta(days=1)),
        put_by=user,
        now=timezone.now(),
    )


@require_POST
def take_back(request: HttpRequest, kind: str, row: int) -> HttpResponse:
    item = _item(request, kind, row)
    if asides.take_back(operator_id=item.found.operator_id, kind=kind, row=row):
        messages.success(request, _("It stands in the list again."))
    return redirect("work")


def _item(request: HttpRequest, kind: str, row: int) -> Item:
    user = cast("User", request.user)
    found = found_for(user, now=timezone.now(), kind=kind, row=row) if kind in Kind.values else []
    if not found or not may_put_aside(user, found[0].found.operator_id):
        raise Http404
    return found[0]
