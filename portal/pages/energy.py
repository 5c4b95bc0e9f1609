"""The energy of sessions, in and out: by both registers, and while a session runs by the readings in it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from stations.models import ChargingSession, MeterReading


@dataclass(frozen=True, slots=True)
class Energy:
    """Both registers, end less start, in Wh; None: not known. Never taken off one another."""

    import_wh: float | None
    export_wh: float | None


def energies_of(sessions: Collection[ChargingSession]) -> dict[int, Energy]:
    """The energy of each session by its key, in one query at most, however many of them run."""
    running = [session.pk for session in sessions if session.state == ChargingSession.State.ACTIVE]
    return {session.pk: Energy(session.energy_wh, session.exported_wh) for session in sessions} | _so_far(
        running
    )


def _so_far(running: Collection[int]) -> dict[int, Energy]:
    """What sessions took and gave so far: the last register in each, less the one it started with.

    A 1.6 station starts a transaction with its import alone (meterStart, 4.8), so the export counts from the first
    reading in the session on.
    """
    if not running:
        return {}
    rows: QuerySet[Any] = with_energy_so_far(ChargingSession.objects.filter(pk__in=running))
    return {session.pk: energy_so_far(session) for session in rows.order_by().only("pk")}


def with_energy_so_far(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Running sessions with what `energy_so_far` tells of each, in the same query."""
    so_far: QuerySet[Any] = rows.annotate(import_so_far_wh=_IMPORT_SO_FAR, export_so_far_wh=_EXPORT_SO_FAR)
    return so_far


def energy_so_far(session: Any) -> Energy:
    """Of a running session that came `with_energy_so_far`."""
    return Energy(_rise(session.import_so_far_wh), _rise(session.export_so_far_wh))


def _rise(wh: float | None) -> float | None:
    """A register only rises: where it fell, what the session took so far is not known."""
    return None if wh is None or wh < 0 else wh


def _register(name: str, order: str) -> Subquery:
    """A register at the first ("sampled_at") or the last ("-sampled_at") reading of a session that has it."""
    inside = MeterReading.objects.filter(
        Q(**{f"{name}__isnull": False}),
        station=OuterRef("station"),
        evse_number=Coalesce(OuterRef("evse_number"), 0),
        sampled_at__gte=Coalesce(OuterRef("started_at"), OuterRef("received_at")),
    )
    return Subquery(inside.order_by(order).values(name)[:1])


# Made once: to put them together takes longer than the database does.
_IMPORT_SO_FAR = _register("import_wh", "-sampled_at") - Coalesce(
    F("start_import_wh"), _register("import_wh", "sampled_at")
)
_EXPORT_SO_FAR = _register("export_wh", "-sampled_at") - Coalesce(
    F("start_export_wh"), _register("export_wh", "sampled_at")
)
