"""Putting work aside: a person says why something needs no hand yet, and until when."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from stations.models import Aside


def put_aside(
    *,
    operator_id: int,
    station_id: int | None,
    kind: str,
    row: int,
    level: int,
    reason: str,
    until: datetime,
    put_by: Any,
    now: datetime,
) -> Aside:
    """Until `until`, or until it is worse than `level`; in place of what was said of it before."""
    said = {
        "station_id": station_id,
        "level": level,
        "reason": reason,
        "until": until,
        "put_by": put_by,
        "put_at": now,
    }
    aside, _made = Aside.objects.update_or_create(operator_id=operator_id, kind=kind, row=row, defaults=said)
    return aside


def take_back(*, operator_id: int, kind: str, row: int) -> bool:
    """It needs a hand after all. False: it was not put aside."""
    deleted, _of = Aside.objects.filter(operator_id=operator_id, kind=kind, row=row).delete()
    return bool(deleted)
