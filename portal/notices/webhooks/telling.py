"""From what happened to deliveries: a row for each endpoint that asked for it, in the transaction of the finding.

What is sent holds who and what, and where the API has the rest: never a card, a driver or a secret.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import uuid4

import orjson
from django.conf import settings
from django.db import transaction
from django.dispatch import Signal

from portal.notices.causes import Cause
from portal.notices.webhooks.models import TEST, Delivery, Endpoint, Event
from stations.events import Kind as Happened
from stations.models import Event as StationEvent
from stations.models import Station

# Once deliveries are durable; receivers enqueue, and beat finds what they lose. `endpoint_id`.
deliveries_wait = Signal()

OF_SESSIONS: Mapping[str, Event] = {
    Happened.SESSION_STARTED: Event.SESSION_STARTED,
    Happened.SESSION_ENDED: Event.SESSION_ENDED,
    Happened.SESSION_UNCLOSED: Event.SESSION_ENDED,
}


def tell(causes: Iterable[Cause], *, now: datetime) -> None:
    """To the endpoints of the operator that each is about."""
    wanted = [cause for cause in causes if cause.kind in Event.values and cause.operator is not None]
    listeners = _listeners({cause.operator for cause in wanted})
    _keep(
        (
            _delivery(endpoint, cause.kind, key=cause.key, at=cause.at, said=_said(cause), now=now)
            for cause in wanted
            for endpoint in listeners.get(cause.operator, ())
            if cause.kind in endpoint.events
        ),
    )


def tell_sessions(events: Sequence[StationEvent], *, now: datetime) -> None:
    """Sessions that began and ended, as far as somebody asked. Rounds overlap; a unique key keeps each at once."""
    meant = [event for event in events if event.kind in OF_SESSIONS]
    listeners = _listeners(None) if meant else {}
    if not listeners:
        return
    rows = Station.objects.filter(pk__in={event.station_id for event in meant}).select_related("site")
    stations = {station.pk: station for station in rows}
    with transaction.atomic():
        _keep(_of_sessions(meant, stations, listeners, now))


def _of_sessions(
    events: Iterable[StationEvent],
    stations: Mapping[int, Station],
    listeners: Mapping[int | None, Sequence[Endpoint]],
    now: datetime,
) -> Iterator[Delivery]:
    for event in events:
        station, name = stations.get(event.station_id), OF_SESSIONS[event.kind]
        for endpoint in listeners.get(station.site.operator_id, ()) if station else ():
            if station and name in endpoint.events:
                session = event.data.get("session")
                said = {
                    "subject": {"kind": "station", "id": station.identity},
                    "evse": event.data.get("evse"),
                    "api": api_address(f"sessions/{session}/"),
                }
                yield _delivery(
                    endpoint, name, key=f"{event.kind}:{session}", at=event.at, said=said, now=now
                )


def test_of(endpoint: Endpoint, *, now: datetime) -> Delivery:
    """Something to try an endpoint with, whatever it asked for and whether or not it is on."""
    said = {"subject": {"kind": "webhook", "id": str(endpoint.pk)}, "api": api_address("webhooks/")}
    row = _delivery(endpoint, TEST, key=uuid4().hex, at=now, said=said, now=now)
    with transaction.atomic():
        row.save()
        _wake({endpoint.pk})
    return row


# ---------------------------------------------------------------- what is sent
def _delivery(
    endpoint: Endpoint, event: str, *, key: str, at: datetime, said: Mapping[str, Any], now: datetime
) -> Delivery:
    """`key` names what happened: the message has one id of it, at each attempt."""
    message_id = f"msg_{sha256(key.encode()).hexdigest()[:32]}"
    data = {"id": message_id, "operator": endpoint.operator.slug, **said}
    body = orjson.dumps({"type": event, "timestamp": at.isoformat(), "data": data}).decode()
    return Delivery(endpoint=endpoint, message_id=message_id, event=event, body=body, made_at=now, due_at=now)


def _said(cause: Cause) -> dict[str, Any]:
    """The subject by its identity, and the facts; names of people and cards are not among them."""
    station = cause.data.get("station")
    subject = {"kind": "station", "id": station} if station else {"kind": "operator", "id": None}
    if "rollout" in cause.data:
        subject = {"kind": "rollout", "id": str(cause.data["rollout"])}
    facts = {name: cause.data[name] for name in _FACTS if name in cause.data}
    return {"subject": subject, "facts": facts, "api": api_address(cause.path)}


_FACTS = ("code", "concession", "since", "limit", "by", "passed", "template", "stations", "stopped")


def api_address(path: str) -> str:
    """Where the API has it."""
    portal: str = settings.PUBLIC_URL.rstrip("/")
    return f"{portal}/api/v1/{path}"


# ---------------------------------------------------------------- rows
def _listeners(operators: set[int | None] | None) -> dict[int | None, list[Endpoint]]:
    """Endpoints that are on, by operator; of all of them where `operators` is None."""
    rows = Endpoint.objects.filter(state=Endpoint.State.ON).select_related("operator")
    if operators is not None:
        rows = rows.filter(operator__in=operators)
    found: dict[int | None, list[Endpoint]] = defaultdict(list)
    for endpoint in rows:
        found[endpoint.operator_id].append(endpoint)
    return found


def _keep(rows: Iterable[Delivery]) -> None:
    kept = Delivery.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
    _wake({row.endpoint_id for row in kept})


def _wake(endpoint_ids: set[int]) -> None:
    for endpoint_id in sorted(endpoint_ids):
        transaction.on_commit(partial(deliveries_wait.send_robust, sender=Delivery, endpoint_id=endpoint_id))
