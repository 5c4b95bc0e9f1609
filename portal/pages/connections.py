"""The connections of a fleet, for who works there: who is silent, who is slow, who comes and goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django import forms
from django.core.paginator import Paginator
from django.db.models import Case, F, OrderBy, Q, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from portal.accounts.models import User
from stations.models import Station
from stations.presence import online

PAGE_SIZE = 50
FLAPPING = 5  # connections in a day
SLOW_MS = 5000
_HEALTH = "connection_health__"
SORTS: dict[str, tuple[str, bool]] = {
    # field, and whether the most of it comes first
    "silence": ("presence__last_message_at", False),
    "connections": (f"{_HEALTH}connections", True),
    "answers": (f"{_HEALTH}answer_p95_ms", True),
    "bad": (f"{_HEALTH}bad_frames", True),
    "clock": (f"{_HEALTH}clock_offset_s", True),
}
SHOWN = [
    ("", gettext_lazy("all")),
    ("offline", gettext_lazy("offline")),
    ("flapping", gettext_lazy("comes and goes")),
    ("slow", gettext_lazy("answers slowly")),
    ("bad", gettext_lazy("unreadable messages")),
]


@dataclass(frozen=True, slots=True)
class Column:
    key: str
    label: str
    sort: str


class ConnectionFilter(forms.Form):
    q = forms.CharField(required=False, max_length=100, label=gettext_lazy("Search"))
    show = forms.ChoiceField(required=False, choices=SHOWN, label=gettext_lazy("Show stations"))


@require_safe
def connections(request: HttpRequest) -> HttpResponse:
    """The stations of an operator by what is wrong with their connection, the worst first."""
    now = timezone.now()
    form = ConnectionFilter(request.GET)
    form.is_valid()
    sort = request.GET.get("sort", "silence")
    sort = sort if sort in SORTS else "silence"
    rows = _found(_rows(cast("User", request.user), now), form.cleaned_data)
    field, most_first = SORTS[sort]
    order: OrderBy = F(field).desc(nulls_last=True) if most_first else F(field).asc(nulls_last=True)
    page = Paginator(rows.order_by(order, "identity"), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "lines": list(page.object_list),
        "columns": _columns(sort),
        "sort": sort,
        "count": page.paginator.count,
        "is_filtered": any(form.cleaned_data.values()),
    }
    return render(request, "pages/connections.html", context)


def _rows(user: User, now: datetime) -> QuerySet[Any]:
    stations: QuerySet[Any] = Station.objects.worked_on_by(user)
    rows: QuerySet[Any] = stations.select_related("site", "presence", "connection_health").annotate(
        is_online=Case(When(online(now, "presence__"), then=Value(True)), default=Value(False))  # noqa: FBT003
    )
    return rows


def _found(rows: QuerySet[Any], chosen: dict[str, str]) -> QuerySet[Any]:
    if text := chosen.get("q"):
        rows = rows.filter(
            Q(identity__icontains=text) | Q(name__icontains=text) | Q(site__name__icontains=text)
        )
    match chosen.get("show"):
        case "offline":
            return rows.filter(is_online=False)
        case "flapping":
            return rows.filter(**{f"{_HEALTH}connections__gte": FLAPPING})
        case "slow":
            return rows.filter(**{f"{_HEALTH}answer_p95_ms__gte": SLOW_MS})
        case "bad":
            return rows.filter(**{f"{_HEALTH}bad_frames__gt": 0})
    return rows


def _columns(sorted_by: str) -> list[Column]:
    labels = {
        "silence": _("Last message"),
        "connections": _("Connections in a day"),
        "answers": _("Slowest answers (p95)"),
        "bad": _("Unreadable messages"),
        "clock": _("Clock"),
    }
    ways = {key: "descending" if most_first else "ascending" for key, (_field, most_first) in SORTS.items()}
    return [Column(key, label, ways[key] if key == sorted_by else "") for key, label in labels.items()]
