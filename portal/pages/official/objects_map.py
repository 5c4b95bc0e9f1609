"""The charging objects on a map: places as GeoJSON (RFC 7946), put together by a grid where there are many.

The map is an extra. The list of places beside it says the same, and stands there without script too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from csp.decorators import csp_update
from django.conf import settings
from django.db.models import (
    Avg,
    Count,
    F,
    FloatField,
    Max,
    Min,
    Q,
    QuerySet,
)
from django.db.models.functions import Cast, Floor
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.compliance.models import Judgement, Status
from portal.pages.official.badges import FAILS, MEETS, UNKNOWN, standing_of
from stations.models import Evse, Site

# More places than this in sight are put together.
MOST_POINTS = 150
LISTED = 50
# About how far apart groups stand, in pixels; a tile of the map is 256 wide.
APART_PX, TILE_PX = 64, 256
DEEPEST = 19
# In the Netherlands a degree of latitude is so many degrees of longitude wide.
LATITUDE = 0.61
HOW_MANY = (Count("station", distinct=True), Count("pk"))
Box = tuple[float, float, float, float]
"""West, south, east, north, in degrees: as GeoJSON has it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A site with its objects. `standing`: whether any of them falls short, or all that was judged is met."""

    site: Site
    objects: int
    evses: int
    standing: str

    @property
    def words(self) -> str:
        return {
            FAILS: _("does not meet what is owed"),
            MEETS: _("meets what was judged"),
            UNKNOWN: _("not judged yet"),
        }[self.standing]

    @property
    def label(self) -> str:
        objects = ngettext("%(n)d object", "%(n)d objects", self.objects) % {"n": self.objects}
        points = ngettext("%(n)d charging point", "%(n)d charging points", self.evses) % {"n": self.evses}
        return f"{self.site.name}: {objects}, {points}, {self.words}"

    @property
    def tone(self) -> str:
        return {FAILS: "bad", MEETS: "good", UNKNOWN: "calm"}[self.standing]

    @property
    def url(self) -> str:
        """The objects at this place, as a table."""
        return f"{reverse('official:objects')}?{urlencode({'q': self.site.name})}"


def page(
    request: HttpRequest, found: QuerySet[Any], context: dict[str, Any], *, now: datetime
) -> HttpResponseBase:
    sites = _sites(found)
    shown = list(sites.order_by("name", "pk")[: LISTED + 1])
    asked = request.GET.copy()
    for name in ("view", "page", "sort", "columns"):
        asked.pop(name, None)
    told = {
        **context,
        "places": places_of(shown[:LISTED], found, now),
        "is_more": len(shown) > LISTED,
        "listed": LISTED,
        "unplaced": _unplaced(sites),
        "points_url": f"{reverse('official:points')}?{asked.urlencode()}",
        "tiles_url": settings.MAP_TILES_URL,
        "attribution": settings.MAP_TILES_ATTRIBUTION,
    }
    host = tiles_host()
    # Of this page alone: no other lets the browser ask another server for anything.
    policy = {"img-src": [host]} if host else {}

    def drawn(request: HttpRequest) -> HttpResponseBase:
        return render(request, "pages/official/map.html", told)

    return csp_update(policy)(drawn)(request)


def tiles_host() -> str:
    """Where the background of the map comes from, as the content policy names it; empty where there is none."""
    parts = urlsplit(settings.MAP_TILES_URL)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def points_response(request: HttpRequest, found: QuerySet[Any], *, now: datetime) -> JsonResponse:
    """`bbox`: west,south,east,north in degrees; `zoom`: 0 to 19. What is neither is left out of account."""
    sites = _sites(found).filter(latitude__isnull=False, longitude__isnull=False)
    extent = _extent(sites)
    box = _box(request.GET.get("bbox", "")) or extent
    collection: dict[str, Any] = {"type": "FeatureCollection", "features": [], "grouped": False}
    if box and extent:
        collection["bbox"] = extent
        within = sites.filter(longitude__range=(box[0], box[2]), latitude__range=(box[1], box[3]))
        collection |= _features(within, found, _zoom(request.GET.get("zoom", ""), box), now)
    return JsonResponse(collection, content_type="application/geo+json")


def _features(sites: QuerySet[Site], found: QuerySet[Any], zoom: int, now: datetime) -> dict[str, Any]:
    few = list(sites.order_by("pk")[: MOST_POINTS + 1])
    if len(few) > MOST_POINTS:
        return {"grouped": True, "features": [_group(row) for row in _groups(sites, found, zoom, now)]}
    return {"features": [_point(place) for place in places_of(few, found, now)]}


def _point(place: Place) -> dict[str, Any]:
    about = {
        "name": place.site.name,
        "address": place.site.address,
        "label": place.label,
        "standing": place.standing,
        "url": place.url,
    }
    return _feature(float(place.site.longitude or 0), float(place.site.latitude or 0), about)


def _group(row: Mapping[str, Any]) -> dict[str, Any]:
    """It looks as the worst of its places does: where one falls short, the group does, and says how many do."""
    places, failing = row["places"], row["failing"]
    found = ngettext("%(n)d place close together", "%(n)d places close together", places) % {"n": places}
    if failing:
        told = ngettext(
            "%(places)s, %(n)d does not meet what is owed. Zoom in to tell them apart.",
            "%(places)s, %(n)d do not meet what is owed. Zoom in to tell them apart.",
            failing,
        )
    else:
        told = _("%(places)s, none falls short of what is owed. Zoom in to tell them apart.")
    about = {"places": places, "failing": failing, "label": told % {"places": found, "n": failing}}
    return _feature(row["east"], row["north"], about)


def _feature(longitude: float, latitude: float, about: dict[str, Any]) -> dict[str, Any]:
    at = {"type": "Point", "coordinates": [round(longitude, 6), round(latitude, 6)]}
    return {"type": "Feature", "geometry": at, "properties": about}


# ---------------------------------------------------------------- what is asked of the database


def _sites(found: QuerySet[Any]) -> QuerySet[Site]:
    return Site.objects.filter(pk__in=found.order_by().values("site"))


def _unplaced(sites: QuerySet[Site]) -> int:
    return sites.filter(Q(latitude=None) | Q(longitude=None)).count()


def places_of(sites: Sequence[Site], found: QuerySet[Any], now: datetime) -> list[Place]:
    """In two queries for any number of `sites`; their objects as far as `found` has them."""
    keys = [site.pk for site in sites]
    here = found.filter(site__in=keys).order_by().values("pk")
    counted = Evse.objects.filter(station__in=here, number__gt=0).order_by().values_list("station__site")
    counts = {site: (objects, evses) for site, objects, evses in counted.annotate(*HOW_MANY)}
    standings = _standings(here, now)
    return [
        Place(site, objects, evses, standings.get(site.pk, UNKNOWN))
        for site in sites
        for objects, evses in [counts.get(site.pk, (0, 0))]
    ]


def _standings(stations: QuerySet[Any], now: datetime) -> dict[int, str]:
    rows = Judgement.objects.filter(station__in=stations).as_they_count(now).with_owed()
    found: dict[int, set[str]] = defaultdict(set)
    for site, status, owed in rows.order_by().values_list("station__site", "counts_as", "owed").distinct():
        found[site].add(standing_of(Status(status), owed=owed))
    return {site: _worst(standings) for site, standings in found.items()}


def _worst(standings: Collection[str]) -> str:
    return next((each for each in (FAILS, MEETS) if each in standings), UNKNOWN)


def _groups(
    sites: QuerySet[Site], found: QuerySet[Any], zoom: int, now: datetime
) -> Iterator[Mapping[str, Any]]:
    """Places by cell of a grid that fits the zoom of the map, each at the mean of what is in it.

    `failing`: how many of them have an object that falls short, as `places_of` says it of each.
    """
    wide = 360 / 2**zoom * APART_PX / TILE_PX
    east, north = Cast(F("longitude"), FloatField()), Cast(F("latitude"), FloatField())
    cells = sites.order_by().annotate(column=Floor(east / wide), row=Floor(north / (wide * LATITUDE)))
    falls_short = Q(pk__in=_failing(found, now).values("station__site"))
    yield from cells.values("column", "row").annotate(
        places=Count("pk"), failing=Count("pk", filter=falls_short), east=Avg(east), north=Avg(north)
    )


def _failing(found: QuerySet[Any], now: datetime) -> QuerySet[Judgement]:
    """What is not met though it is owed, of the stations that were `found`."""
    # No other row can come to count as one: with these alone the database reckons but few.
    may_be = Q(status=Status.DEVIATION) | Q(last_decision__to_status=Status.DEVIATION)
    rows = Judgement.objects.filter(may_be, station__in=found.order_by().values("pk"))
    return rows.as_they_count(now).with_owed().filter(counts_as=Status.DEVIATION, owed=True).order_by()


def _extent(sites: QuerySet[Site]) -> Box | None:
    found = sites.aggregate(
        west=Min("longitude"), south=Min("latitude"), east=Max("longitude"), north=Max("latitude")
    )
    if found["west"] is None:
        return None
    return (float(found["west"]), float(found["south"]), float(found["east"]), float(found["north"]))


# ---------------------------------------------------------------- what the address says


def _box(text: str) -> Box | None:
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        return None
    # NaN and infinity compare as false.
    return (west, south, east, north) if -360 <= west <= east <= 360 and -90 <= south <= north <= 90 else None


def _zoom(text: str, box: Box) -> int:
    """That of the map, else the one at which `box` about fills it."""
    if text.isascii() and text.isdecimal() and len(text) <= 2:
        return min(int(text), DEEPEST)
    wide = max(box[2] - box[0], 0.001)
    return next((zoom for zoom in range(DEEPEST) if 360 / 2**zoom < wide), DEEPEST)
