"""Statuses as programs get them: from `manage.py compliance --json` and the API (interfaces.md)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from portal.compliance.evidence import timestamp
from portal.compliance.matrix import Standing, standings
from portal.compliance.models import Evidence
from stations.models import Concession

Figures = dict[str, float | str]


def standings_of(concession: Concession, *, now: datetime, station: str | None = None) -> list[Standing]:
    """Every requirement for every subject, or for the station of that identity alone."""
    rows = standings(concession, now)
    if station is None:
        return rows
    return [row for row in rows if row.station is not None and row.station.identity == station]


def figures_of(rows: Iterable[Standing]) -> dict[int | None, Figures]:
    """The figures behind each standing as {key: value}, by evidence; in one query."""
    keys = {row.evidence_id for row in rows if row.evidence_id}
    found = Evidence.objects.filter(pk__in=keys).values_list("pk", "figures")
    return {pk: {figure["key"]: figure["value"] for figure in figures} for pk, figures in found}


def as_json(rows: Sequence[Standing]) -> list[dict[str, Any]]:
    figures = figures_of(rows)
    return [
        {
            "requirement": row.code,
            "subject": row.subject,
            "status": row.status.value,
            "figures": figures.get(row.evidence_id, {}),
            "evidence": row.evidence_id,
            "at": timestamp(row.at) if row.at else None,
        }
        for row in rows
    ]
