"""The charging objects of a municipality: a table of stations with what was proven of each, and the same on a map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from django.db.models import Count, F, Max, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from portal.compliance.models import Judgement
from portal.compliance.permissions import officials_only
from portal.pages.official import objects_map
from portal.pages.official.badges import Badge, badges_of
from portal.pages.official.objects_filter import MAP, ObjectFilter
from portal.pages.official.power_class import class_of
from portal.paging import COUNTED
from portal.tables.columns import LOCAL_TIME, Cell, Column, Empty, List, Out, registered
from portal.tables.listing import Listing
from portal.templatetags.measures import age, kw
from stations.models import Connector, Evse, Station

if TYPE_CHECKING:
    from portal.accounts.models import User

LINE_V = 230


@dataclass(frozen=True, slots=True)
class Line:
    """A station as the table shows it."""

    station: Any
    badges: tuple[Badge, ...]

    @property
    def evses(self) -> int:
        return self.station.points or 0

    @property
    def connectors(self) -> int:
        return self.station.plugs or 0

    @property
    def socket_w(self) -> float | None:
        """What its strongest EVSE could give, as it is set; None where it has none yet."""
        return None if self.station.socket_a is None else float(self.station.socket_a * LINE_V)

    @property
    def proven_at(self) -> datetime | None:
        return self.station.proven_at  # type: ignore[no-any-return]  # annotated

    @property
    def is_breach(self) -> bool:
        return any(badge.is_breach for badge in self.badges)


@require_safe
@officials_only
def objects(request: HttpRequest) -> HttpResponseBase:
    user, now = cast("User", request.user), timezone.now()
    form = ObjectFilter(request.GET, user=user, now=now)
    found = form.narrow(objects_of(user))
    listing = Listing(OBJECTS, request, found, filters=form, views=("view",), lines=partial(_lines, now=now))
    if answer := listing.answer():
        return answer
    context = {"listing": listing, "evses": _evses(found)}
    if form.cleaned_data.get("view") == MAP:
        return objects_map.page(request, found, context, now=now)
    return render(request, "pages/official/objects.html", context)


@require_safe
@officials_only
def points(request: HttpRequest) -> HttpResponseBase:
    """GeoJSON of what the same address shows as a table; `bbox` and `zoom` say what of it is in sight."""
    user, now = cast("User", request.user), timezone.now()
    found = ObjectFilter(request.GET, user=user, now=now).narrow(objects_of(user))
    return objects_map.points_response(request, found, now=now)


def objects_of(user: User) -> QuerySet[Any]:
    """Stations in the municipalities that `user` supervises, with all that a line shows but its badges."""
    proofs = Judgement.objects.filter(station=OuterRef("pk")).order_by().values("station")
    evses = Evse.objects.filter(station=OuterRef("pk"), number__gt=0).order_by().values("station")
    plugs = Connector.objects.filter(evse__station=OuterRef("pk"), evse__number__gt=0).order_by()
    strongest = Max(F("socket_phases") * F("socket_a"))  # A over all phases
    rows: QuerySet[Any] = Station.objects.supervised_by(user).select_related("site__operator")
    found: QuerySet[Any] = rows.annotate(
        proven_at=Subquery(proofs.annotate(newest=Max("at")).values("newest")),
        points=Subquery(evses.annotate(count=Count("pk")).values("count")),
        socket_a=Subquery(evses.annotate(strongest=strongest).values("strongest")),
        plugs=Subquery(plugs.values("evse__station").annotate(count=Count("pk")).values("count")),
    )
    return found


def _lines(stations: Sequence[Any], *, now: datetime) -> list[Line]:
    badges = badges_of(stations, now)
    return [Line(station, badges[station.pk]) for station in stations]


def _evses(found: QuerySet[Any]) -> int:
    """Charging points among the objects that are counted."""
    bounded = found.order_by().values("pk")[:COUNTED]
    return Evse.objects.filter(station__in=bounded, number__gt=0).count()


# ---------------------------------------------------------------- the columns


def _name(line: Line) -> Cell:
    station = line.station
    notes = (station.identity,) if station.name else ()
    return Cell(station.label, notes, url=reverse("stations:compliance", args=[station.identity]))


def _place(line: Line) -> Cell:
    site = line.station.site
    return Cell(site.name, (site.address,) if site.address else (_("address not known"),))


def _power(line: Line) -> Cell:
    if line.socket_w is None:
        return Cell(_("not known yet"), muted=True)
    return Cell(class_of(line.socket_w), (kw(line.socket_w),))


def _connection(line: Line) -> str:
    return f"{line.station.connection_phases} x {line.station.connection_a} A"


def _proof(line: Line) -> Cell:
    if line.proven_at is None:
        return Cell(_("no proof yet"), muted=True)
    return Cell(age(line.proven_at), moment=line.proven_at)


def _requirements(line: Line) -> str:
    return "; ".join(f"{badge.code} {badge.mark.label}" for badge in line.badges)


OBJECTS = registered(
    List(
        key="objects",
        title=gettext_lazy("Charging objects"),
        sort="object",
        nothing=Empty(
            gettext_lazy("There are no charging objects yet"),
            gettext_lazy("As soon as an operator adds a station in your municipality, it stands here."),
        ),
        no_match=Empty(
            gettext_lazy("No object fits these filters"),
            gettext_lazy("Search for another place, or choose less."),
        ),
        columns=(
            Column(
                "object",
                gettext_lazy("Object"),
                _name,
                order=("identity",),
                outs=(
                    Out(gettext_lazy("Identity"), lambda line: line.station.identity),
                    Out(gettext_lazy("Name"), lambda line: line.station.name),
                ),
            ),
            Column(
                "operator",
                gettext_lazy("Operator"),
                lambda line: Cell(line.station.site.operator),
                order=("site__operator__name",),
                outs=(Out(gettext_lazy("Operator"), lambda line: line.station.site.operator.name),),
            ),
            Column(
                "place",
                gettext_lazy("Place"),
                _place,
                order=("site__name",),
                outs=(
                    Out(gettext_lazy("Place"), lambda line: line.station.site.name),
                    Out(gettext_lazy("Address"), lambda line: line.station.site.address),
                ),
            ),
            Column(
                "evses",
                gettext_lazy("Charging points"),
                lambda line: Cell(line.evses),
                order=("points",),
                most_first=True,
                empty_last=True,
                numeric=True,
                outs=(
                    Out(gettext_lazy("Charging points"), lambda line: line.evses),
                    Out(gettext_lazy("Connectors"), lambda line: line.connectors),
                ),
            ),
            Column(
                "connectors",
                gettext_lazy("Connectors"),
                lambda line: Cell(line.connectors),
                numeric=True,
                usual=False,
            ),
            Column(
                "power",
                gettext_lazy("Power of a charging point"),
                _power,
                outs=(
                    Out(
                        gettext_lazy("Power class"),
                        lambda line: "" if line.socket_w is None else class_of(line.socket_w),
                    ),
                    Out(gettext_lazy("Power of a charging point"), lambda line: line.socket_w, "W"),
                ),
            ),
            Column(
                "connection",
                gettext_lazy("Connection"),
                lambda line: Cell(_connection(line)),
                order=("connection_phases", "connection_a"),
                outs=(
                    Out(gettext_lazy("Phases"), lambda line: line.station.connection_phases),
                    Out(gettext_lazy("Connection"), lambda line: line.station.connection_a, "A"),
                ),
            ),
            Column(
                "requirements",
                gettext_lazy("Requirements"),
                template="pages/official/_badges.html",
                attention=lambda line: line.is_breach,
                outs=(Out(gettext_lazy("Requirements"), _requirements),),
            ),
            Column(
                "proof",
                gettext_lazy("Last proof"),
                _proof,
                order=("proven_at",),
                most_first=True,
                empty_last=True,
                outs=(Out(gettext_lazy("Last proof"), lambda line: line.proven_at, LOCAL_TIME),),
            ),
        ),
    )
)
