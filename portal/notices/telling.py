"""From causes to notices: whom each concerns, how they want it by mail, and a flood told as one.

Everything that one round finds is written in one transaction: what was told is remembered with the telling, so that a
process that dies in between tells it again as a whole, and a unique key for each person and cause keeps it at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from portal.accounts.models import User
from portal.notices import finding, sessions
from portal.notices.causes import Cause
from portal.notices.kinds import AUDIENCE, Kind, Way, usual_way
from portal.notices.mail_times import due_at
from portal.notices.models import MailChoice, Notice, Told
from portal.notices.webhooks import telling as webhooks
from stations.models import ChargingSession, Membership
from stations.models.access import Role

# One round at a time writes: two of them would each count a flood.
ROUND = "round"
# Each is of one person, or of one address.
NEVER_MANY = (Kind.CHARGING_FAILED, Kind.WEBHOOK_FAILING)


def look(now: datetime) -> int:
    """The round. Looks first and writes only where there is something to tell; how many causes there were."""
    finding.forget_what_is_over()
    events = sessions.new_events()
    webhooks.tell_sessions(events, now=now)
    found = list(sessions.failed_charges(events, now))
    if not found and not finding.find(now):
        return 0
    with transaction.atomic():
        Told.objects.get_or_create(name=ROUND, subject=0, defaults={"since": now})
        Told.objects.select_for_update().get(name=ROUND, subject=0)
        causes = [*finding.find(now), *found]
        tell(causes, now=now)
    return len(causes)


def tell(causes: Sequence[Cause], *, now: datetime) -> None:
    """Write down what is to be told, and that it was; call it in a transaction."""
    lasting = [cause for cause in causes if cause.kind != Kind.CHARGING_FAILED]
    Told.objects.bulk_create(
        [Told(name=cause.state, subject=cause.subject, since=now) for cause in lasting], ignore_conflicts=True
    )
    news = [cause for cause in causes if cause.is_news and cause.at > now - finding.NEWS]
    webhooks.tell(news, now=now)
    _notify(_bounded(news, now), now)


# ---------------------------------------------------------------- a flood
def _bounded(causes: Iterable[Cause], now: datetime) -> list[Cause]:
    """Of each kind and party no more in an hour than NOTICE_FLOOD; what is beyond is counted in one notice."""
    groups: dict[tuple[Kind, int | None, int | None], list[Cause]] = defaultdict(list)
    for cause in causes:
        groups[cause.kind, cause.operator, cause.municipality].append(cause)
    found: list[Cause] = []
    for (kind, _operator, _municipality), group in groups.items():
        found += group if kind in NEVER_MANY or _fits(group, now) else [_many(group, now)]
    return found


def _fits(group: Sequence[Cause], now: datetime) -> bool:
    first = group[0]
    of_hour = Notice.objects.filter(
        kind=first.kind,
        operator=first.operator,
        municipality=first.municipality,
        made_at__gte=now.replace(minute=0, second=0, microsecond=0),
    )
    told = set(of_hour.values_list("cause", flat=True).distinct()[: settings.NOTICE_FLOOD + 1])
    return len(told) + len(group) <= settings.NOTICE_FLOOD and _many(group, now).key not in told


def _many(group: Sequence[Cause], now: datetime) -> Cause:
    first = group[0]
    hour = f"{now:%Y%m%d%H}"
    said = {name: first.data[name] for name in ("concession", "operator") if name in first.data}
    return replace(
        first,
        key=f"many:{first.kind}:{first.operator}:{first.municipality}:{hour}",
        at=now,
        station=None,
        data={**said, "count": len(group)},
    )


def _count_up(many: Sequence[Cause]) -> None:
    """The one notice of this hour is there already: it says how many by now, and is unread again."""
    for cause in many:
        for notice in Notice.objects.select_for_update().filter(cause=cause.key):
            notice.data = notice.data | {"count": notice.data["count"] + cause.data["count"]}
            notice.read_at = None
            notice.save(update_fields=["data", "read_at"])


# ---------------------------------------------------------------- people
class Person(NamedTuple):
    user: int
    roles: frozenset[str]


def _notify(causes: Sequence[Cause], now: datetime) -> None:
    if not causes:
        return
    known = set(
        Notice.objects.filter(cause__in=[cause.key for cause in causes if "count" in cause.data]).values_list(
            "cause", flat=True
        )
    )
    _count_up([cause for cause in causes if cause.key in known])
    fresh = [cause for cause in causes if cause.key not in known]
    people = _People(fresh)
    rows = [
        _notice(cause, person, people.way(person, cause.kind), now)
        for cause in fresh
        for person in people.of(cause)
    ]
    Notice.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)


def _notice(cause: Cause, person: Person, way: Way, now: datetime) -> Notice:
    return Notice(
        user_id=person.user,
        kind=cause.kind,
        cause=cause.key,
        at=cause.at,
        made_at=now,
        station_id=cause.station,
        session_id=cause.session,
        operator_id=cause.operator,
        municipality_id=cause.municipality,
        data=dict(cause.data),
        mail=Notice.Mail.NONE if way == Way.NO else Notice.Mail.WAITING,
        mail_way=way,
        mail_due_at=due_at(way, now),
    )


class _People:
    """Who works for the parties of these causes, whose sessions they are, and what they chose; in three queries."""

    def __init__(self, causes: Sequence[Cause]) -> None:
        self._drivers = _drivers(causes)
        self._staff = _staff(causes)
        users = {user for members in self._staff.values() for user, _roles in members.items()}
        users |= set(self._drivers.values())
        chosen = MailChoice.objects.filter(user__in=users).values_list("user", "kind", "way")
        self._chosen = {(user, kind): Way(way) for user, kind, way in chosen}

    def of(self, cause: Cause) -> list[Person]:
        if cause.session is not None:
            driver = self._drivers.get(cause.session)
            return [Person(driver, frozenset())] if driver is not None else []
        parties = [("operator", cause.operator), ("municipality", cause.municipality)]
        found: dict[int, set[str]] = defaultdict(set)
        for party in parties:
            for user, roles in self._staff.get(party, {}).items():
                found[user] |= roles & AUDIENCE[cause.kind]
        return [Person(user, frozenset(roles)) for user, roles in sorted(found.items()) if roles]

    def way(self, person: Person, kind: Kind) -> Way:
        return self._chosen.get((person.user, kind)) or usual_way(kind, person.roles)


def _drivers(causes: Sequence[Cause]) -> dict[int, int]:
    """Whose session it is, by its key; only as far as the card was theirs then."""
    keys = [cause.session for cause in causes if cause.session is not None]
    rows = ChargingSession.objects.filter(pk__in=keys, token__user__is_active=True)
    held = Q(token__held_since__isnull=True) | Q(token__held_since__lte=F("started_at"))
    held |= Q(started_at__isnull=True, token__held_since__lte=F("received_at"))
    return dict(rows.filter(held).values_list("pk", "token__user"))


def _staff(causes: Sequence[Cause]) -> Mapping[tuple[str, int | None], dict[int, set[str]]]:
    """By party: who has which roles there."""
    operators = {cause.operator for cause in causes if cause.operator is not None}
    municipalities = {cause.municipality for cause in causes if cause.municipality is not None}
    found: dict[tuple[str, int | None], dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    rows = Membership.objects.filter(Q(operator__in=operators) | Q(municipality__in=municipalities))
    active: Any = rows.filter(user__in=User.objects.filter(is_active=True).values("pk"))
    for user, role, operator, municipality in active.values_list("user", "role", "operator", "municipality"):
        party = ("operator", operator) if role != Role.OFFICIAL else ("municipality", municipality)
        found[party][user].add(role)
    return found
