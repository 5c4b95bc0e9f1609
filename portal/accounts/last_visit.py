"""When somebody was here before: what "since your previous visit" counts from.

A visit ends when its person was away for VISIT_AWAY_MIN minutes, so that to load a page again empties nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.deprecation import MiddlewareMixin

from stations.models.access import Role, memberships_of

if TYPE_CHECKING:
    from portal.accounts.models import User

# Within a visit its last moment is written down no more often than this.
WRITTEN_EVERY = timedelta(minutes=1)


class LastVisit(models.Model):
    """The visit that is going on, and where the one before it ended. Of officials alone, and told to nobody else."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="last_visit"
    )
    seen_at = models.DateTimeField()
    before = models.DateTimeField(null=True, help_text="The end of the visit before; null: there was none")

    def __str__(self) -> str:
        return f"{self.user_id} at {self.seen_at:%Y-%m-%d %H:%M}"


def arrive(user: User, *, now: datetime) -> datetime | None:
    """Note that `user` is here; gives the end of the previous visit, None on the first."""
    visit = LastVisit.objects.filter(user=user).first()
    if visit is None:
        # Of two pages that are asked for at once one makes the row.
        LastVisit.objects.bulk_create([LastVisit(user=user, seen_at=now)], ignore_conflicts=True)
        return None
    if now - visit.seen_at < WRITTEN_EVERY:
        return visit.before
    change = {"seen_at": now}
    if now - visit.seen_at > timedelta(minutes=settings.VISIT_AWAY_MIN):
        change["before"] = visit.seen_at
    # And one begins the visit.
    if not LastVisit.objects.filter(pk=visit.pk, seen_at=visit.seen_at).update(**change):
        visit.refresh_from_db()
        return visit.before
    return change.get("before", visit.before)


class LastVisitMiddleware(MiddlewareMixin):
    """An official who reads any page is here. What a page fetches by itself is no sign of anybody."""

    def __init__(self, get_response: Any) -> None:
        super().__init__(get_response)
        # What this process wrote last, so that most pages ask nothing of the database.
        self._written: dict[int, datetime] = {}

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        user: Any = getattr(request, "user", None)
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        if user is None or not is_page or response.status_code >= 400 or "HX-Request" in request.headers:
            return response
        now = timezone.now()
        if user.is_authenticated and self._is_due(user, now):
            self._written[user.pk] = now
            arrive(user, now=now)
        return response

    def _is_due(self, user: User, now: datetime) -> bool:
        if not any(row.role == Role.OFFICIAL for row in memberships_of(user)):
            return False
        written = self._written.get(user.pk)
        return written is None or now - written >= WRITTEN_EVERY
