"""Who may do what with evidence. Reading is `.visible_to(user)`; this is about deciding and probing."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec

from django.db.models import Q
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from stations.models import Concession, Station
from stations.models.access import Role, parties_of

if TYPE_CHECKING:
    from stations.models.access import Visitor
    from stations.models.site import StationQuerySet

P = ParamSpec("P")


def supervises(user: Visitor, concession: Concession) -> bool:
    """Whether `user` decides for the municipality of `concession`: an official there, or an administrator of all."""
    if getattr(user, "is_superuser", False):
        return True
    return concession.municipality_id in parties_of(user, roles=(Role.OFFICIAL,), party="municipality")


def is_official(user: Visitor) -> bool:
    """Whether `user` has the pages of those who supervise: an official somewhere, or an administrator of all."""
    if getattr(user, "is_superuser", False):
        return True
    return bool(parties_of(user, roles=(Role.OFFICIAL,), party="municipality"))


View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def officials_only(view: View[P]) -> View[P]:
    """For everybody else the page is not there."""

    @wraps(view)
    def looked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not is_official(request.user):
            raise Http404
        return view(request, *args, **kwargs)

    return looked


def may_probe(user: Visitor) -> StationQuerySet:
    """Stations that `user` may probe: an operator's own, and an official's where the concession allows it."""
    operable = Station.objects.operable_by(user)
    supervised = parties_of(user, roles=(Role.OFFICIAL,), party="municipality")
    if not supervised:
        return operable
    allowed = Q(site__concession__municipality__in=supervised, site__concession__officials_may_probe=True)
    return Station.objects.filter(allowed | Q(pk__in=operable.values("pk")))
