"""How many notices wait for a person: what the head of every page shows."""

from __future__ import annotations

from typing import Any

from portal.notices.models import Notice

# A number of two digits says enough, and to count on would cost each page.
MOST_UNREAD = 99


def unread_of(user: Any) -> int:
    """At most one more than MOST_UNREAD; one query."""
    return len(Notice.objects.of(user).unread().order_by().values_list("pk", flat=True)[: MOST_UNREAD + 1])
