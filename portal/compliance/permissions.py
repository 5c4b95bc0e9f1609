"""Who may do what with evidence. Reading is `.visible_to(user)`; this is about deciding and probing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q

from stations.models import Concession, Station
from stations.models.access import Role, parties_of

if TYPE_CHECKING:
    from stations.models.access import Visitor
    from stations.models.site import StationQuerySet


def supervises(user: Visitor, concession: Concession) -> bool:
    """Whether `user` decides for the municipality of `concession`: an official there, or an administrator of all."""
    if getattr(user, "is_superuser", False):
        return True
    parties = parties_of(user, roles=(Role.OFFICIAL,), party="municipality")
    return bool(parties.filter(municipality=concession.municipality_id).exists())


def may_probe(user: Visitor) -> StationQuerySet:
    """Stations that `user` may probe: an operator's own, and an official's where the concession allows it."""
    supervised = parties_of(user, roles=(Role.OFFICIAL,), party="municipality")
    allowed = Q(site__concession__municipality__in=supervised, site__concession__officials_may_probe=True)
    operable = Station.objects.operable_by(user).values("pk")
    return Station.objects.filter(allowed | Q(pk__in=operable))
