"""The stations that a visitor may see: a table to search, sort and page through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import django_filters
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
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from portal.accounts.models import User
from portal.compliance.models import Judgement
from portal.pages.deliveries import MARKS, WORST_FIRST
from portal.pages.hub import hub
from portal.pages.icons import OFFLINE, ONLINE, Mark
from portal.pages.live_links import live_url
from portal.pages.words import socket_status
from portal.tables.columns import LOCAL_TIME, Cell, Column, Empty, List, Out, registered
from portal.tables.listing import Listing
from portal.tables.saved import lasting_part
from portal.templatetags.measures import age, short_day
from smartcharging.models import DesiredProfile
from stations.models import Operator, Station
from stations.models.access import OPERATING_ROLES, parties_of
from stations.models.site import OcppVersion
from stations.presence import online, since

PRESENCES = [("yes", gettext_lazy("online")), ("no", gettext_lazy("offline"))]
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
        choices=PRESENCES,
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
def station_list(request: HttpRequest) -> HttpResponseBase:
    live_id, now = hub.mark(), timezone.now()
    rows = _rows(cast("User", request.user), now)
    chosen = StationFilter(request.GET, queryset=rows, request=request)
    found = chosen.qs if chosen.form.is_valid() else rows
    listing = Listing(STATIONS, request, found, filters=chosen.form)
    if answer := listing.answer():
        return answer
    identities = [line.station.identity for line in listing.lines]
    context = {
        "listing": listing,
        "live_url": live_url("station", identities, since=live_id),
        "choose_url": _choose_url(request) if identities else "",
        "now": now,
    }
    return render(request, "pages/stations.html", context)


def _choose_url(request: HttpRequest) -> str:
    """Where who may send commands chooses among what is shown; empty for anyone else."""
    user = cast("User", request.user)
    if not user.is_superuser and not parties_of(user, roles=OPERATING_ROLES, party="operator"):
        return ""
    return f"{reverse('configuration:choose')}?{lasting_part(request.GET.urlencode())}"


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


def matching(request: HttpRequest, query: QueryDict) -> QuerySet[Any]:
    """The stations that the list shows its visitor for this part of its address; one that cannot be read: none."""
    rows = _rows(cast("User", request.user), timezone.now())
    chosen = StationFilter(query, queryset=rows, request=request)
    found: QuerySet[Any] = chosen.qs if chosen.form.is_valid() else rows.none()
    return found


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


# ---------------------------------------------------------------- the columns


def _lines(rows: Sequence[Any]) -> list[Line]:
    return [_line(station) for station in rows]


def _name(line: Line) -> Cell:
    station = line.station
    notes = (station.identity,) if station.name else ()
    return Cell(station.label, notes, url=reverse("stations:detail", args=[station.identity]))


def _place(line: Line) -> Cell:
    site = line.station.site
    return Cell(site.name, (site.address,) if site.address else ())


def _connectivity(line: Line) -> Cell:
    note = _("for %(age)s") % {"age": age(line.since)} if line.since else _("never seen")
    return Cell(mark=ONLINE if line.is_online else OFFLINE, notes=(note,))


def _limits(line: Line) -> Cell:
    return Cell(mark=line.mark) if line.mark else Cell(_("no profile"), muted=True)


def _sockets(line: Line) -> str:
    return ", ".join(f"{letter} {words}" for letter, words in line.sockets)


def _hardware(line: Line) -> Cell:
    return _text(f"{line.station.vendor} {line.station.model}".strip())


def _text(text: str) -> Cell:
    """What a station said of itself, or not yet."""
    return Cell(text) if text else Cell(_("not reported yet"), muted=True)


def _proof(line: Line) -> Cell:
    if line.proven_at is None:
        return Cell(_("none yet"), muted=True)
    return Cell(short_day(line.proven_at), moment=line.proven_at)


STATIONS = registered(
    List(
        key="stations",
        title=gettext_lazy("Stations"),
        sort="identity",
        lines=_lines,
        nothing=Empty(
            gettext_lazy("There is no station for you yet"),
            gettext_lazy("An administrator adds stations to your operator or concession."),
        ),
        no_match=Empty(
            gettext_lazy("No station fits this search"), gettext_lazy("Use fewer words or another filter.")
        ),
        columns=(
            Column(
                "identity",
                gettext_lazy("Station"),
                _name,
                order=("identity",),
                outs=(
                    Out(gettext_lazy("Station"), lambda line: line.station.identity),
                    Out(gettext_lazy("Name"), lambda line: line.station.name),
                ),
            ),
            Column(
                "place",
                gettext_lazy("Place"),
                _place,
                order=("site__name", "identity"),
                outs=(
                    Out(gettext_lazy("Place"), lambda line: line.station.site.name),
                    Out(gettext_lazy("Address"), lambda line: line.station.site.address),
                ),
            ),
            Column(
                "operator",
                gettext_lazy("Operator"),
                lambda line: Cell(line.station.site.operator),
                order=("site__operator__name", "identity"),
                outs=(Out(gettext_lazy("Operator"), lambda line: line.station.site.operator.name),),
            ),
            Column(
                "version",
                gettext_lazy("OCPP"),
                lambda line: Cell(line.station.ocpp_version),
                order=("ocpp_version", "identity"),
                outs=(Out(gettext_lazy("OCPP"), lambda line: line.station.ocpp_version),),
            ),
            Column(
                "online",
                gettext_lazy("Connectivity"),
                _connectivity,
                order=("-is_online", "identity"),
                outs=(
                    Out(
                        gettext_lazy("Connectivity"),
                        lambda line: (ONLINE if line.is_online else OFFLINE).label,
                    ),
                    Out(gettext_lazy("Since"), lambda line: line.since, LOCAL_TIME),
                ),
            ),
            Column(
                "state",
                gettext_lazy("Limits"),
                _limits,
                order=("worst", "identity"),
                empty_last=True,
                outs=(Out(gettext_lazy("Limits"), lambda line: line.mark.label if line.mark else ""),),
            ),
            Column(
                "sockets",
                gettext_lazy("Sockets"),
                template="pages/_sockets.html",
                outs=(Out(gettext_lazy("Sockets"), _sockets),),
            ),
            Column(
                "proof",
                gettext_lazy("Last proof"),
                _proof,
                outs=(Out(gettext_lazy("Last proof"), lambda line: line.proven_at, LOCAL_TIME),),
            ),
            Column(
                "hardware",
                gettext_lazy("Make and model"),
                _hardware,
                order=("vendor", "model", "identity"),
                usual=False,
                outs=(
                    Out(gettext_lazy("Make"), lambda line: line.station.vendor),
                    Out(gettext_lazy("Model"), lambda line: line.station.model),
                ),
            ),
            Column(
                "firmware",
                gettext_lazy("Firmware"),
                lambda line: _text(line.station.firmware),
                order=("firmware", "identity"),
                usual=False,
                outs=(Out(gettext_lazy("Firmware"), lambda line: line.station.firmware),),
            ),
        ),
    )
)
