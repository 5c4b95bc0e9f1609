"""What there is to tell: states of rows that nobody was told of yet, each looked for with one bounded query.

The rows are the truth: a round that did not run finds it all in the next, and what is over is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from portal.compliance.judgement import status_now
from portal.compliance.matrix import is_owed
from portal.compliance.models import Decision, Judgement, Promise, Status
from portal.notices.causes import Cause
from portal.notices.kinds import Kind
from portal.notices.models import Told
from smartcharging.models import Drift
from smartcharging.policies import DriftPolicy
from stations.models import ConfigurationRollout, Presence, RolloutStation

# What happened longer ago is no news: an installation that begins to tell does not begin with its past.
NEWS = timedelta(days=7)
# A limit that is put back by itself is no message. Who only wants to see drift is told at once.
REPAIR_TAKES = timedelta(minutes=10)
AT_ONCE = 500  # causes of one kind in one round; the next takes the rest

SILENT, DEVIATES, DRIFTED, STOPPED = "silent", "deviates", "drifted", "rollout"
TERM_ENDS, TERM_PASSED = "term_ends", "term_passed"


def find(now: datetime) -> list[Cause]:
    """All that is to be told, the oldest of each kind first."""
    looks = (silent_stations, deviations, terms, failed_rollouts, drifts)
    return [cause for look in looks for cause in look(now)]


def _untold(rows: QuerySet[Any], state: str, key: str = "pk") -> QuerySet[Any]:
    return rows.exclude(Exists(Told.objects.filter(name=state, subject=OuterRef(key))))


# ---------------------------------------------------------------- stations
def silent_stations(now: datetime) -> Iterator[Cause]:
    """Without a connection for longer than NOTICE_SILENT_MINUTES. One that never came is not there yet."""
    until = now - timedelta(minutes=settings.NOTICE_SILENT_MINUTES)
    gone = Presence.objects.filter(connection__isnull=True, disconnected_at__lte=until)
    rows = _untold(gone, SILENT).select_related("station__site__concession").order_by("disconnected_at")
    for lease in rows[:AT_ONCE]:
        station, since = lease.station, lease.disconnected_at or now
        yield Cause(
            kind=Kind.STATION_SILENT,
            key=f"{SILENT}:{station.pk}:{since.timestamp():.0f}",
            at=since,
            state=SILENT,
            subject=station.pk,
            operator=station.site.operator_id,
            station=station.pk,
            data={"station": station.identity, "label": station.label, "since": since.isoformat()},
            path=f"stations/{station.identity}/",
        )


def drifts(now: datetime) -> Iterator[Cause]:
    """Limits that a station lost and that were not put back by themselves."""
    only_shown = DriftPolicy.objects.filter(on_drift=DriftPolicy.OnDrift.SHOW).values("operator")
    lasting = Q(found_at__lte=now - REPAIR_TAKES)
    waits = lasting | Q(desired__station__site__operator__in=only_shown)
    rows = _untold(Drift.objects.open().filter(waits), DRIFTED)
    for drift in rows.select_related("desired__station__site").order_by("pk")[:AT_ONCE]:
        station = drift.desired.station
        yield Cause(
            kind=Kind.LIMIT_DRIFTED,
            key=f"{DRIFTED}:{drift.pk}",
            at=drift.found_at,
            state=DRIFTED,
            subject=drift.pk,
            operator=station.site.operator_id,
            station=station.pk,
            data={"station": station.identity, "label": station.label, "limit": drift.desired.name},
            path=f"profiles/{drift.desired_id}/",
        )


def failed_rollouts(now: datetime) -> Iterator[Cause]:
    """Roll-outs that stopped by themselves, or ended with stations where not all was done."""
    state = ConfigurationRollout.State
    bad = RolloutStation.objects.filter(rollout=OuterRef("pk"), state=RolloutStation.State.FAILED)
    over = ConfigurationRollout.objects.filter(ended_at__gt=now - NEWS)
    failed = over.filter(Q(state=state.STOPPED) | (Q(state=state.DONE) & Exists(bad)))
    count = Count("stations", filter=Q(stations__state=RolloutStation.State.FAILED))
    for rollout in _untold(failed, STOPPED).annotate(failed=count).order_by("pk")[:AT_ONCE]:
        ended_at = rollout.ended_at or now
        yield Cause(
            kind=Kind.ROLLOUT_FAILED,
            key=f"{STOPPED}:{rollout.pk}:{ended_at.timestamp():.0f}",
            at=ended_at,
            state=STOPPED,
            subject=rollout.pk,
            operator=rollout.operator_id,
            data={
                "rollout": rollout.pk,
                "template": rollout.template_name,
                "stations": rollout.failed,
                "stopped": rollout.state == state.STOPPED,
            },
            path=f"configuration-rollouts/{rollout.pk}/",
        )


# ---------------------------------------------------------------- requirements
def deviations(now: datetime) -> Iterator[Cause]:
    """Subjects that do not meet what is asked. What was not promised, or an official set aside, is no news."""
    rows = _untold(Judgement.objects.filter(status=Status.DEVIATION), DEVIATES)
    rows = rows.select_related("last_decision", *_SUBJECT).annotate(seen_at=F("evidence__created_at"))
    for row in rows.order_by("pk")[:AT_ONCE]:
        yield _of_judgement(
            Kind.DEVIATION,
            row,
            key=f"{DEVIATES}:{row.pk}:{row.evidence_id}",
            at=row.seen_at or now,
            state=DEVIATES,
            subject=row.pk,
            data={"evidence": row.evidence_id},
            path=f"evidence/{row.evidence_id}/" if row.evidence_id else "compliance/",
            is_news=_is_breach(row, now),
        )


def terms(now: datetime) -> Iterator[Cause]:
    """Days by which an official wants a deviation mended, that come near or have passed. Each is told once."""
    today = timezone.localdate(now)
    last = today + timedelta(days=settings.NOTICE_TERM_DAYS)
    standing = Decision.objects.filter(pk=F("judgement__last_decision")).select_related(
        *(f"judgement__{one}" for one in ("last_decision", *_SUBJECT))
    )
    near = standing.filter(restore_by__gte=today, restore_by__lte=last)
    over = standing.filter(restore_by__gte=today - NEWS, restore_by__lt=today)
    for state, rows in ((TERM_PASSED, over), (TERM_ENDS, near)):
        for decision in _untold(rows, state).order_by("restore_by", "pk")[:AT_ONCE]:
            if status_now(decision.judgement, now=now) == Status.DEVIATION:
                yield _term(decision, state, now)


def _term(decision: Decision, state: str, now: datetime) -> Cause:
    by = decision.restore_by.isoformat() if decision.restore_by else ""
    return _of_judgement(
        Kind.DEADLINE,
        decision.judgement,
        key=f"{state}:{decision.pk}",
        at=now,
        state=state,
        subject=decision.pk,
        data={"by": by, "passed": state == TERM_PASSED},
        path="compliance/",
    )


_SUBJECT = ("requirement", "concession", "operator", "station")


def _of_judgement(kind: Kind, row: Judgement, *, data: dict[str, Any], **about: Any) -> Cause:
    subject = row.station.label if row.station else row.operator.name
    said = {
        "code": row.requirement.code,
        "title": row.requirement.title,
        "concession": row.concession.slug,
        "subject": subject,
        "operator": row.operator.name,
        "station": row.station.identity if row.station else None,
    }
    return Cause(
        kind=kind,
        operator=row.operator_id,
        municipality=row.concession.municipality_id,
        station=row.station_id,
        data=said | data,
        **about,
    )


def _is_breach(row: Judgement, now: datetime) -> bool:
    """A wish is one only where it was promised."""
    promised = Promise.objects.filter(
        operator=row.operator_id, asked__concession=row.concession_id, asked__requirement=row.requirement_id
    )
    return (
        is_owed(row.requirement, promised=promised.exists()) and status_now(row, now=now) == Status.DEVIATION
    )


# ---------------------------------------------------------------- what is over
def forget_what_is_over() -> int:
    """States that people were told of and that no longer hold: if they come back they are told anew."""
    still: dict[str, Callable[[], QuerySet[Any]]] = {
        SILENT: lambda: Presence.objects.filter(pk=OuterRef("subject"), connection__isnull=True),
        DEVIATES: lambda: Judgement.objects.filter(pk=OuterRef("subject"), status=Status.DEVIATION),
        DRIFTED: lambda: Drift.objects.open().filter(pk=OuterRef("subject")),
        STOPPED: lambda: ConfigurationRollout.objects.filter(
            pk=OuterRef("subject"), ended_at__isnull=False, ended_at__lte=OuterRef("since")
        ),
    }
    found = [Told.objects.filter(~Exists(rows()), name=state) for state, rows in still.items()]
    # A look is free; a deletion waits its turn among the writers, also where there is nothing to delete.
    return sum(rows.delete()[0] for rows in found if rows.exists())
