"""The stations that a visitor may see: a table to search, sort and page through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import django_filters
from django.core.paginator import Paginator
from django.db.models import (
    Case,
    IntegerField,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from portal.accounts.models import User
from portal.compliance.models import Judgement
from portal.pages.deliveries import MARKS, WORST_FIRST
from portal.pages.icons import Mark
from portal.pages.words import socket_status
from smartcharging.models import DesiredProfile
from stations.models import Operator, Station
from stations.models.site import OcppVersion
from stations.presence import online, since

PAGE_SIZE = 50
SORTS = {
    "identity": ("identity",),
    "place": ("site__name", "identity"),
    "operator": ("site__operator__name", "identity"),
    "version": ("ocpp_version", "identity"),
    "online": ("-is_online", "identity"),
    "state": ("worst", "identity"),
}
ONLINE = [("yes", gettext_lazy("online")), ("no", gettext_lazy("offline"))]
STATES = [
    ("trouble", gettext_lazy("refused, drifted or unknown")),
    (DesiredProfile.State.CONFIRMED, gettext_lazy("confirmed")),
    ("none", gettext_lazy("no profile")),
]
TROUBLE = (
    DesiredProfile.State.DRIFTED,
    DesiredProfile.State.REFUSED,
    DesiredProfile.State.UNKNOWN,
    DesiredProfile.State.UNSUPPORTED,
)


@dataclass(frozen=True, slots=True)
class Line:
    """A station as the table shows it."""

    station: Station
    is_online: bool
    since: datetime | None
    mark: Mark | None
    sockets: tuple[tuple[str, str], ...]
    proven_at: datetime | None


@dataclass(frozen=True, slots=True)
class Column:
    key: str
    label: str
    sort: str  # ascending, descending or none


class StationFilter(django_filters.FilterSet):
    """Made with `user` and `now`, so that a visitor chooses among what he may see."""

    q = django_filters.CharFilter(method="by_text", label=gettext_lazy("Search"))
    operator = django_filters.ModelChoiceFilter(
        field_name="site__operator",
        queryset=lambda request: Operator.objects.visible_to(request.user),
        label=gettext_lazy("Operator"),
        empty_label=gettext_lazy("all"),
    )
    version = django_filters.ChoiceFilter(
        field_name="ocpp_version",
        choices=OcppVersion.choices,
        label=gettext_lazy("OCPP version"),
        empty_label=gettext_lazy("all"),
    )
    online = django_filters.ChoiceFilter(
        method="by_presence",
        choices=ONLINE,
        label=gettext_lazy("Connectivity"),
        empty_label=gettext_lazy("all"),
    )
    state = django_filters.ChoiceFilter(
        method="by_state",
        choices=STATES,
        label=gettext_lazy("Limits"),
        empty_label=gettext_lazy("all"),
    )

    class Meta:
        model = Station
        fields: list[str] = []

    def by_text(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(
            Q(identity__icontains=value)
            | Q(name__icontains=value)
            | Q(site__name__icontains=value)
            | Q(site__address__icontains=value)
        )

    def by_presence(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(is_online=value == "yes")

    def by_state(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        if value == "none":
            return rows.filter(worst__isnull=True)
        states = TROUBLE if value == "trouble" else (value,)
        return rows.filter(worst__in=[WORST_FIRST.index(DesiredProfile.State(state)) for state in states])


@require_safe
def station_list(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    rows = _rows(cast("User", request.user), now)
    chosen = StationFilter(request.GET, queryset=rows, request=request)
    found = chosen.qs if chosen.form.is_valid() else rows
    sort = request.GET.get("sort", "identity")
    key, descending = sort.removeprefix("-"), sort.startswith("-")
    key = key if key in SORTS else "identity"
    order = [_turned(name) if descending else name for name in SORTS[key]]
    page = Paginator(found.order_by(*order), PAGE_SIZE).get_page(request.GET.get("page"))
    lines = [_line(station) for station in page.object_list]
    context = {
        "filter": chosen,
        "selects": [chosen.form[name] for name in ("operator", "version", "online", "state")],
        "page": page,
        "lines": lines,
        "columns": _columns(key, descending=descending),
        "sort": sort if key in SORTS else "",
        "is_filtered": any(request.GET.get(name) for name in chosen.filters),
        "count": page.paginator.count,
    }
    return render(request, "pages/stations.html", context)


def _rows(user: User, now: datetime) -> QuerySet[Any]:
    """Stations with all that a line shows, in a number of queries that does not depend on how many there are."""
    profiles = DesiredProfile.objects.current().filter(station=OuterRef("pk")).order_by()
    rank = Case(
        *(When(state=state, then=Value(place)) for place, state in enumerate(WORST_FIRST)),
        output_field=IntegerField(),
    )
    worst = profiles.values("station").annotate(worst=Min(rank)).values("worst")
    proofs = Judgement.objects.filter(station=OuterRef("pk")).order_by().values("station")
    stations = Station.objects.visible_to(user).with_sockets().select_related("site__operator", "presence")
    rows: QuerySet[Any] = stations.annotate(
        is_online=Case(When(online(now, "presence__"), then=Value(True)), default=Value(False)),  # noqa: FBT003
        worst=Subquery(worst),
        proven_at=Subquery(proofs.annotate(at=Max("evidence__created_at")).values("at")),
    )
    return rows


def _line(station: Any) -> Line:
    presence = getattr(station, "presence", None)
    return Line(
        station=station,
        is_online=station.is_online,
        since=since(presence, is_online=station.is_online) if presence else None,
        mark=None if station.worst is None else MARKS[WORST_FIRST[station.worst]],
        sockets=tuple((evse.letter, socket_status(evse.connectors.all())) for evse in station.evses.all()),
        proven_at=station.proven_at,
    )


def _turned(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def _columns(sorted_by: str, *, descending: bool) -> Sequence[Column]:
    labels = {
        "identity": _("Station"),
        "place": _("Place"),
        "operator": _("Operator"),
        "version": _("OCPP"),
        "online": _("Connectivity"),
        "state": _("Limits"),
    }
    way = "descending" if descending else "ascending"
    return [Column(key, label, way if key == sorted_by else "") for key, label in labels.items()]
