"""What people do with webhooks: make, change, rotate, try, send again, remove."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction

from portal.notices.webhooks.models import Delivery, Endpoint
from portal.notices.webhooks.signing import new_secret
from portal.notices.webhooks.telling import deliveries_wait
from stations.models import Operator
from stations.sealing import seal

# For so long after a rotation both secrets sign: time to bring the new one over.
OVERLAP = timedelta(hours=24)


def make(
    *, operator: Operator, name: str, url: str, events: Sequence[str], now: datetime
) -> tuple[Endpoint, str]:
    """The endpoint, and its secret: shown once, kept sealed."""
    secret = new_secret()
    said = {"name": name, "url": url, "events": list(events), "made_at": now}
    return Endpoint.objects.create(operator=operator, sealed_secret=seal(secret), **said), secret


def change(*, endpoint: Endpoint, name: str, url: str, events: Sequence[str], is_on: bool) -> None:
    """Turned on by hand, one that failed is tried anew."""
    state = Endpoint.State.ON if is_on else Endpoint.State.OFF
    mine = Endpoint.objects.filter(pk=endpoint.pk)
    mine.update(name=name, url=url, events=list(events), state=state, failing_since=None)


def rotate(*, endpoint: Endpoint, now: datetime) -> str:
    """A new secret, shown once. The one before signs too for a day; one from before that no more."""
    secret = new_secret()
    Endpoint.objects.filter(pk=endpoint.pk).update(
        sealed_old_secret=endpoint.sealed_secret, old_until=now + OVERLAP, sealed_secret=seal(secret)
    )
    return secret


def send_again(*, delivery: Delivery, now: datetime) -> None:
    """From the start: with all its attempts, under the id that it had."""
    with transaction.atomic():
        Delivery.objects.filter(pk=delivery.pk).update(
            state=Delivery.State.WAITING, due_at=now, attempts=0, problem="", answer_code=None, answer_ms=None
        )
        wake = partial(deliveries_wait.send_robust, sender=Delivery, endpoint_id=delivery.endpoint_id)
        transaction.on_commit(wake)
