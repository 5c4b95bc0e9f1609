"""Who may charge at a station: free or by token, what it does while it is offline, and the list that it holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from portal.pages.station import operable, page, visit_as_staff
from stations import free_vend, local_lists
from stations.models import ConfigurationValue, LocalList, Station

State = LocalList.State
TONES = {
    State.NEVER: "calm",
    State.SENDING: "calm",
    State.CURRENT: "good",
    State.OTHER: "warn",
    State.FAILED: "bad",
    State.NOT_SUPPORTED: "calm",
}
# Keys of 1.6 and variables of 2.x that say the same, and what they mean: who reads this need not know the standard.
BEHAVIOUR = (
    (
        ("LocalPreAuthorize", "LocalPreAuthorization"),
        gettext_lazy("Starts at once with a token from its list or its memory, and asks afterwards."),
    ),
    (
        ("LocalAuthorizeOffline", "LocalAuthorizationOffline"),
        gettext_lazy("While offline, takes tokens from its list or its memory."),
    ),
    (
        ("AllowOfflineTxForUnknownId", "OfflineTxForUnknownIdEnabled"),
        gettext_lazy("While offline, takes tokens that it does not know. They are judged when it is back."),
    ),
    (
        ("StopTransactionOnInvalidId", "StopTxOnInvalidId"),
        gettext_lazy("Stops a session whose token is refused afterwards."),
    ),
    (("MaxEnergyOnInvalidId",), gettext_lazy("Gives this much energy (Wh) before it stops such a session.")),
    (("LocalAuthListEnabled", "LocalAuthListCtrlr.Enabled"), gettext_lazy("Uses its local list.")),
    (
        ("AuthorizationCacheEnabled", "AuthCacheCtrlr.Enabled"),
        gettext_lazy("Remembers tokens that were accepted before."),
    ),
    (
        ("AuthorizeRemoteTxRequests", "AuthorizeRemoteStart"),
        gettext_lazy("Asks again before it starts a session that was started from here."),
    ),
    (("AuthCtrlr.Enabled",), gettext_lazy("Asks for a token at all.")),
)


PROBLEMS = {
    "Failed": gettext_lazy("The station could not store the list."),
    "NotSupported": gettext_lazy("The station takes no local list."),
    "NotImplemented": gettext_lazy("The station takes no local list."),
    "VersionMismatch": gettext_lazy("The station holds another version, and took the whole list neither."),
    "unknown": gettext_lazy("The station did not answer. It is sent again after its next start."),
    "expired": gettext_lazy("The station was not online in time. It is sent again after its next start."),
}


class PolicyForm(forms.Form):
    policy = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Who may charge"),
        choices=Station.FreeVend.choices,
        widget=forms.RadioSelect,
        help_text=gettext_lazy("A blocked token is refused, also where charging is free."),
    )


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One setting of the station as it was read."""

    name: str
    value: str
    meaning: str


@require_safe
@vary_on_headers("HX-Request")
def access(request: HttpRequest, identity: str) -> HttpResponse:
    """For who works for the operator; what can be changed is for who may send commands."""
    visited = visit_as_staff(request, identity)
    station = visited.station
    row = LocalList.objects.filter(station=station).first() or LocalList(station=station)
    context = {
        "form": PolicyForm(initial={"policy": station.free_vend}),
        "behaviour": behaviour_of(station),
        "list": row,
        "problem": PROBLEMS.get(row.problem, row.problem),
        "tone": TONES[State(row.state)],
        "left_out": local_lists.left_out(station, now=visited.now),
        "may_operate": visited.may_operate,
    }
    return page(request, visited, "access", context)


@require_POST
def set_policy(request: HttpRequest, identity: str) -> HttpResponse:
    station = operable(request, identity)
    form = PolicyForm(request.POST)
    if form.is_valid():
        policy = form.cleaned_data["policy"]
        free_vend.set_policy(station=station, policy=policy, requested_by=request.user, now=timezone.now())
        messages.success(request, _("Saved. The station is told as soon as it is online."))
    else:
        messages.error(request, _("Choose one of the options."))
    return redirect("stations:access", identity=identity)


@require_POST
def sync_list(request: HttpRequest, identity: str) -> HttpResponse:
    """The difference, or with `full` the whole list."""
    station = operable(request, identity)
    row = local_lists.sync(
        station=station,
        requested_by=request.user,
        full="full" in request.POST,
        now=timezone.now(),
    )
    if row.state == State.SENDING:
        messages.success(request, _("The list is sent. This page shows how far it is."))
    else:
        messages.info(request, _("Nothing changed: the station has this list already."))
    return redirect("stations:access", identity=identity)


@require_POST
def ask_version(request: HttpRequest, identity: str) -> HttpResponse:
    station = operable(request, identity)
    now = timezone.now()
    local_lists.local_list_of(station, now=now)
    local_lists.ask_version(station=station, requested_by=request.user, now=now)
    messages.success(request, _("The station is asked which version it holds."))
    return redirect("stations:access", identity=identity)


def behaviour_of(station: Station) -> list[Behaviour]:
    """What the station said of itself, in the order of the table; what it did not say is not shown."""
    names = {name.rpartition(".")[2] for known, _meaning in BEHAVIOUR for name in known}
    values = ConfigurationValue.objects.filter(station=station, name__in=names)
    said: dict[str, Any] = {}
    for row in values:
        said[f"{row.component}.{row.name}" if row.name == "Enabled" else row.name] = row.value
    return [
        Behaviour(name, said[name], str(meaning))
        for known, meaning in BEHAVIOUR
        for name in known
        if name in said
    ]
