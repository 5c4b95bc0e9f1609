"""What a test of a page starts from: a visitor who reads it, a station that is here, a limit wanted or reported."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from smartcharging.models import Comparison, Delivery, DesiredProfile, ReportedSchedule
from stations.models import Presence, Station
from tests.factories import make_command

HOUR = dt.timedelta(hours=1)
MOST_QUERIES = 15


def sees(user: Any, path: str, *, status: int = 200, **query: Any) -> str:
    """The page as `user` gets it, in English, its white space made plain."""
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user)
    response = client.get(path, query)
    assert response.status_code == status
    return " ".join(response.content.decode().replace("\N{NO-BREAK SPACE}", " ").split())


def queries_of(user: Any, path: str) -> int:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user)
    client.get(path)  # what a process learns once, such as content types
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


def make_online(station: Station, *, since: dt.timedelta = HOUR) -> Presence:
    now = timezone.now()
    return Presence.objects.create(
        station=station, connection=uuid4(), gateway=uuid4(), connected_at=now - since, renewed_at=now
    )


def want(
    station: Station, name: str = "Evening", *, limit: float = 12.0, state: str = "confirmed", **fields: Any
) -> DesiredProfile:
    """A profile of the whole station that began an hour ago and lasts five hours, and that the station accepted."""
    now = timezone.now()
    answers = {"refused": "refused", "unknown": "unknown", "pending": "queued", "unsupported": ""}
    said: dict[str, Any] = {
        "profile_id": 1000 + DesiredProfile.objects.count(),
        "purpose": "station_max",
        "kind": "absolute",
        "start_schedule": now - HOUR,
        "duration_s": 5 * 3600,
        "unit": "A",
        "periods": [{"start_s": 0, "limit": limit, "phases": None}],
        "stack_level": 5,
        "requested_at": now - 2 * HOUR,
        **fields,
    }
    row = DesiredProfile.objects.create(station=station, name=name, state=state, **said)
    answer = answers.get(state, "accepted")
    if answer:
        sent_at = None if answer == "queued" else now - 2 * HOUR
        command = make_command(
            station, "SetChargingProfile", state=answer, sent_at=sent_at, answered_at=sent_at
        )
        Delivery.objects.create(desired=row, command=command, intent="set")
    return row


def report(
    station: Station, limit: float, *, evse: int = 0, verdict: str = "equal", reason: str = ""
) -> ReportedSchedule:
    now = timezone.now()
    row = ReportedSchedule.objects.create(
        station=station,
        command=make_command(station, "GetCompositeSchedule", state="accepted", answered_at=now),
        evse_number=evse,
        read_at=now,
        state="read",
        start=now,
        duration_s=86_400,
        unit="A",
        periods=[{"start_s": 0, "limit": limit, "phases": 3}],
    )
    Comparison.objects.create(reported=row, verdict=verdict, reason_text=reason)
    return row
