"""After-effects: they enqueue, and do nothing else. What they lose, a round of beat finds."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from portal.notices.tasks import deliver_to
from portal.notices.webhooks.telling import deliveries_wait


@receiver(deliveries_wait, dispatch_uid="notices.deliver")
def deliver_soon(endpoint_id: int, **_: Any) -> None:
    deliver_to.delay(endpoint_id)
