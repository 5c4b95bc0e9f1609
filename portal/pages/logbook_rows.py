"""The rows of the audit log that a visitor may read, found and narrowed; for its page, its export and the API."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from stations.models import AuditEntry
from stations.models.access import Role, Visitor, memberships_of
from stations.models.audit import AuditQuerySet

READERS = frozenset({Role.OFFICIAL, Role.ADMINISTRATOR})


def may_read(user: Visitor) -> bool:
    """Who answers for a party: its officials, the administrators of an operator, and superusers."""
    if getattr(user, "is_superuser", False):
        return True
    return not READERS.isdisjoint(membership.role for membership in memberships_of(user))


def who_changed(user: Visitor, **found: Any) -> str:
    """Where it stands who changed an object (`station=...`, or `model=...` and `key=...`); empty: not for this user."""
    return f"{reverse('logbook')}?{urlencode(found)}" if may_read(user) else ""


def entries_of(user: Visitor) -> AuditQuerySet:
    rows: AuditQuerySet = AuditEntry.objects.readable_by(user)
    return rows.select_related("station", "user")


def named(entry: AuditEntry, user: Visitor) -> str:
    """Who made the change. Of a driver the log holds no name: a superuser finds it as long as the account has one."""
    if entry.who or not getattr(user, "is_superuser", False):
        return entry.who
    return str(entry.user or "")


def narrowed(rows: AuditQuerySet, chosen: dict[str, Any]) -> AuditQuerySet:
    """The rows for a search; a key that is not there, or empty, narrows nothing."""
    if text := chosen.get("who"):
        rows = rows.filter(Q(who__icontains=text) | Q(party__icontains=text))
    if text := chosen.get("object"):
        rows = rows.filter(Q(label__icontains=text) | Q(station__identity__icontains=text))
    if identity := chosen.get("station"):
        rows = rows.filter(station__identity=identity)
    if since := chosen.get("since"):
        rows = rows.filter(at__gte=_midnight(since))
    if until := chosen.get("until"):
        rows = rows.filter(at__lt=_midnight(until + timedelta(days=1)))
    exact = {name: chosen[name] for name in ("model", "action", "door", "key") if chosen.get(name)}
    return rows.filter(**exact)


def _midnight(on: date) -> datetime:
    return timezone.make_aware(datetime.combine(on, time()))
