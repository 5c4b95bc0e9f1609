"""Sending what waits: claimed by its row, tried for a day with growing pauses, then given up and told to its owner."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from portal.notices.causes import Cause
from portal.notices.kinds import Kind
from portal.notices.telling import tell
from portal.notices.webhooks import signing
from portal.notices.webhooks.guard import Answer, Unreachable, post
from portal.notices.webhooks.models import Delivery, Endpoint, Problem
from stations.sealing import Unsealable, unseal

logger = logging.getLogger(__name__)

State = Delivery.State
PAUSES = (
    *(timedelta(seconds=seconds) for seconds in (5, 30)),
    *(timedelta(minutes=minutes) for minutes in (2, 10, 30)),
    *(timedelta(hours=hours) for hours in (1, 2, 4, 8, 8)),
)  # 23 hours and 43 minutes together
# Who claimed a row has tried within this time; after that it is due again, for its process is gone.
LEASE = timedelta(seconds=60)
# One that does not answer holds up its own other messages, and nobody else's.
IN_A_ROW = 50
AGENT = "Laadbewijs-Webhook/1"


def deliver(endpoint_id: int) -> int:
    """Send what is due at one endpoint, in order, until it does not answer. How many were tried."""
    waiting = Delivery.objects.filter(endpoint=endpoint_id).exclude(endpoint__state=Endpoint.State.OFF)
    due = waiting.due(timezone.now()).order_by("pk")
    rows = list(due.select_related("endpoint__operator")[:IN_A_ROW])
    for count, row in enumerate(rows, start=1):
        now = timezone.now()
        if claim(row, now) and not attempt(row):
            return count
    return len(rows)


def claim(row: Delivery, now: datetime) -> bool:
    """For one process alone; its attempt counts from here on, whether or not it comes to the end of it."""
    mine = Delivery.objects.filter(pk=row.pk, state=State.WAITING, due_at=row.due_at, attempts=row.attempts)
    if not mine.update(due_at=now + LEASE, attempts=F("attempts") + 1, tried_at=now):
        return False
    row.attempts += 1
    return True


def attempt(row: Delivery) -> bool:
    """Send one that was claimed and write down what came of it. False: the endpoint did not answer at all."""
    now, body = timezone.now(), row.body.encode()
    try:
        sent = signing.headers(
            message_id=row.message_id,
            body=body,
            now=now,
            secrets_in_force=secrets_of(row.endpoint, now),
        )
        content = {"content-type": "application/json", "user-agent": AGENT, "connection": "close"}
        answer = post(row.endpoint.url, body=body, headers=content | sent)
    except Unsealable:
        _missed(row, None, Problem.SECRET)
        return True
    except Unreachable as error:
        _missed(row, None, error.problem)
        return False
    if 200 <= answer.status < 300:
        _taken(row, answer)
    else:
        _missed(row, answer, Problem.REDIRECT if 300 <= answer.status < 400 else Problem.REFUSED)
    return True


def secrets_of(endpoint: Endpoint, now: datetime) -> list[str]:
    """Those in force, the newest first. Raises Unsealable."""
    sealed = [endpoint.sealed_secret]
    if endpoint.sealed_old_secret and endpoint.old_until and endpoint.old_until > now:
        sealed.append(endpoint.sealed_old_secret)
    return [unseal(each) for each in sealed]


def _taken(row: Delivery, answer: Answer) -> None:
    with transaction.atomic():
        mine = Delivery.objects.filter(pk=row.pk, state=State.WAITING)
        mine.update(state=State.SENT, answer_code=answer.status, answer_ms=answer.ms, problem="")
        failing = Endpoint.objects.filter(pk=row.endpoint_id, state=Endpoint.State.FAILING)
        failing.update(state=Endpoint.State.ON, failing_since=None)


def _missed(row: Delivery, answer: Answer | None, problem: str) -> None:
    now = timezone.now()
    code, took_ms = (answer.status, answer.ms) if answer else (None, None)
    told = {"answer_code": code, "answer_ms": took_ms, "problem": problem}
    mine = Delivery.objects.filter(pk=row.pk, state=State.WAITING)
    if row.attempts <= len(PAUSES):
        mine.update(due_at=now + PAUSES[row.attempts - 1], **told)
        return
    logger.warning("Webhook %s: message %s is given up, %s", row.endpoint_id, row.message_id, problem)
    with transaction.atomic():
        if mine.update(state=State.FAILED, **told):
            _give_up(row.endpoint, now)


def _give_up(endpoint: Endpoint, now: datetime) -> None:
    """From here on nothing new is kept for it. What waits still has its own time; one that is taken turns it on."""
    on = Endpoint.objects.filter(pk=endpoint.pk, state=Endpoint.State.ON)
    if on.update(state=Endpoint.State.FAILING, failing_since=now):
        tell([_failing(endpoint, now)], now=now)


def _failing(endpoint: Endpoint, now: datetime) -> Cause:
    return Cause(
        kind=Kind.WEBHOOK_FAILING,
        key=f"webhook:{endpoint.pk}:{now.timestamp():.0f}",
        at=now,
        state="webhook",
        subject=endpoint.pk,
        operator=endpoint.operator_id,
        data={"webhook": endpoint.pk, "name": endpoint.name},
    )
