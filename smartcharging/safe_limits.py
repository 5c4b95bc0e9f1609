"""The safe limit of each station: who wants one, and bringing the wishes in line with that (docs/adr/0018).

From there on it is a wish like any other: sent, read back, and put back where a station lost it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, Exists, OuterRef
from django.db.models.query import QuerySet

from smartcharging.domain.checking import LOWEST_SHARE_A
from smartcharging.domain.profiles import NOMINAL_V
from smartcharging.models import DesiredProfile
from smartcharging.policies import SafeLimit
from smartcharging.services import SAFE_ID, safe_default_of, set_safe_default, withdraw
from stations.models import Capabilities, Station


class Wanted(NamedTuple):
    """The safe limit of a station: A per phase, or W in total."""

    unit: str
    limit: float


def keep(station_id: int, now: datetime) -> None:
    """Want the safe limit of this station as its operator has set it, or want it no more. Safe to run twice."""
    station = _looked_up().filter(pk=station_id).first()
    if station is None:
        return
    wanted = _wanted(station)
    if wanted is not None:
        set_safe_default(station=station, unit=wanted.unit, limit=wanted.limit, now=now)
        return
    row = safe_default_of(station)
    if row is not None:
        withdraw(row, requested_by=None, now=now)


def to_keep(operator_id: int | None = None) -> Iterator[int]:
    """Stations whose wish is not as it should be: of this operator, or of all. What they say is read in one go."""
    current = DesiredProfile.objects.current().filter(profile_id=SAFE_ID)
    has_policy = SafeLimit.objects.filter(operator=OuterRef("site__operator"))
    rows = _looked_up().filter(
        Exists(has_policy) | Exists(current.filter(station=OuterRef("pk"))),
        **({"site__operator": operator_id} if operator_id else {}),
    )
    stands = {row.station_id: _of_row(row) for row in current}
    for station in rows.iterator(chunk_size=1000):
        if _wanted(station) != stands.get(station.pk):
            yield station.pk


def wanted_at(station_ids: Collection[int]) -> set[int]:
    """At which of these stations there is anything to keep."""
    if not station_ids:
        return set()
    policies = SafeLimit.objects.filter(operator__sites__stations__in=station_ids)
    return set(policies.values_list("operator__sites__stations", flat=True)) & set(station_ids)


def _looked_up() -> QuerySet[Station]:
    """Stations with what decides: the policies, and how many share the connection."""
    default = SafeLimit.objects.filter(operator=OuterRef("site__operator"), station__isnull=True)
    rows: QuerySet[Station] = Station.objects.select_related("capabilities", "safe_limit").annotate(
        sockets=Count("evses"), default_a=default.values("limit_a")[:1]
    )
    return rows


def _wanted(station: Station) -> Wanted | None:
    """In A where the station takes that or does not say; never more than its share of the connection."""
    own: SafeLimit | None = getattr(station, "safe_limit", None)
    limit_a = own.limit_a if own is not None else station.default_a  # type: ignore[attr-defined]
    if limit_a is None:
        return None
    said: Capabilities | None = getattr(station, "capabilities", None)
    sockets = station.sockets or (said and said.evse_count) or 1  # type: ignore[attr-defined]
    limit_a = min(limit_a, max(LOWEST_SHARE_A, station.connection_a // sockets))
    units = {unit for unit in said.rate_units if unit in ("A", "W")} if said else set()
    if units == {"W"}:
        phases = (said and said.phases) or station.connection_phases
        return Wanted("W", limit_a * NOMINAL_V * phases)
    return Wanted("A", float(limit_a))


def _of_row(row: DesiredProfile) -> Wanted:
    return Wanted(row.unit, float(row.periods[0]["limit"]))
