"""A template to many stations: a few first, then so many at once; stopped, tried again. Safe to run twice.

Who is connected goes first. The others are asked last and all together: their questions wait until each comes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.query import QuerySet

from stations.changes import ACTIONS, close_rollout, close_runs, settle
from stations.configuring import (
    ByPlace,
    Wish,
    change_of,
    difference,
    key_of,
    send,
    take_back,
    values_of,
)
from stations.domain.device import Difference
from stations.domain.pacing import USUAL, Halt, Pace, Tally
from stations.models import (
    Command,
    ConfigurationChange,
    ConfigurationRollout,
    ConfigurationTemplate,
    RolloutStation,
    Station,
    TemplateEntry,
)
from stations.presence import online

State, RunState, ChangeState = ConfigurationRollout.State, RolloutStation.State, ConfigurationChange.State
BATCH = 100
# A station that is away gets it when it comes back within this time.
PATIENCE = timedelta(days=1)
# Nothing is lost before a worker had the time to do it.
WAITS = timedelta(seconds=30)
# A station that was asked, and did not take it. Not: what was known to be read-only, or was never sent.
FAILURES = (ChangeState.REJECTED, ChangeState.MISSING, ChangeState.FAILED, ChangeState.UNKNOWN)
SETTLED = {Difference.SAME: ChangeState.SAME, Difference.READ_ONLY: ChangeState.READ_ONLY}


@transaction.atomic
def start(
    *,
    template: ConfigurationTemplate,
    stations: QuerySet[Station],
    requested_by: Any,
    now: datetime,
    pace: Pace = USUAL,
) -> ConfigurationRollout:
    """Write down that these stations are to get the template as it is; stations.tasks carries it out."""
    rollout = ConfigurationRollout.objects.create(
        operator=template.operator,
        template=template,
        template_name=template.name,
        requested_by=requested_by,
        requested_at=now,
        first_stations=pace.first,
        at_once=pace.at_once,
        stop_percent=pace.stop_percent,
    )
    ids = suited(template, stations).values_list("pk", flat=True)
    RolloutStation.objects.bulk_create(
        (RolloutStation(rollout=rollout, station_id=pk) for pk in ids), batch_size=500
    )
    close_rollout(rollout.pk, now=now)
    return rollout


def suited(template: ConfigurationTemplate, stations: QuerySet[Station]) -> QuerySet[Station]:
    """Those of `stations` that are the template's operator's and speak its version."""
    return stations.filter(site__operator=template.operator_id, ocpp_version__in=template.versions)


def carry_out(rollout_id: int, *, now: datetime) -> None:
    """Ask as many of the stations that wait as may be asked now; answers and the round of beat call it again."""
    while _next_batch(rollout_id, now):
        pass
    close_rollout(rollout_id, now=now)


@transaction.atomic
def _next_batch(rollout_id: int, now: datetime) -> bool:
    """False: nothing is to be done at this moment. Its row is locked, so that two workers do not each fill the room."""
    running = ConfigurationRollout.objects.select_for_update(of=("self",)).filter(state=State.RUNNING)
    rollout = running.filter(pk=rollout_id).select_related("requested_by", "template").first()
    if rollout is None:
        return False
    waiting = RolloutStation.objects.filter(rollout=rollout, state=RunState.WAITING)
    if not waiting.exists():
        return False
    tally = _tally(rollout, now)
    halt = rollout.pace.halt(tally)
    if rollout.is_outdated and waiting.filter(changes__isnull=True).exists():
        halt = Halt.TEMPLATE
    if halt is not None:
        _end(rollout.pk, State.STOPPED, halt, now)
        return False
    batch = _chosen(rollout, waiting, tally, now)
    entries = list(TemplateEntry.objects.filter(template=rollout.template_id))
    known = values_of([run.station for run in batch], entries)
    for run in batch:
        _ask(rollout, run, entries, known.get(run.station_id, {}), now)
    return bool(batch)


def _tally(rollout: ConfigurationRollout, now: datetime) -> Tally:
    runs = RolloutStation.objects.filter(rollout=rollout)
    failures = ConfigurationChange.objects.filter(run=OuterRef("pk"), state__in=FAILURES)
    return Tally(
        done=runs.filter(state=RunState.DONE).count(),
        failed=runs.filter(Exists(failures), state=RunState.FAILED).count(),
        busy=runs.filter(online(now, "station__presence__"), state=RunState.ASKED).count(),
    )


def _chosen(
    rollout: ConfigurationRollout, waiting: QuerySet[RolloutStation], tally: Tally, now: datetime
) -> list[RolloutStation]:
    """Who is asked next. What failed before comes last: the others are not to wait for it a second time."""
    tried = ConfigurationChange.objects.filter(run=OuterRef("pk"))
    queue = waiting.annotate(was_tried=Exists(tried)).order_by("was_tried", "pk").select_related("station")
    here = queue.filter(online(now, "station__presence__"))
    room = rollout.pace.room(tally)
    if here.exists():
        return list(here[: min(room, BATCH)])
    if rollout.pace.is_proven(tally):
        return list(queue[:BATCH])
    asked = RolloutStation.objects.filter(rollout=rollout, state=RunState.ASKED).count()
    return list(queue[: max(room + tally.busy - asked, 0)])


@transaction.atomic
def _ask(
    rollout: ConfigurationRollout,
    run: RolloutStation,
    entries: Sequence[TemplateEntry],
    known: ByPlace,
    now: datetime,
) -> None:
    """One station, all or nothing: claimed, its changes written down and its questions queued."""
    mine = RolloutStation.objects.filter(pk=run.pk, state=RunState.WAITING, rollout__state=State.RUNNING)
    if not mine.update(state=RunState.ASKED):
        return
    rows = list(run.changes.filter(state=ChangeState.WAITING))
    if not rows and not run.changes.exists():
        rows = [_change(rollout, run, entry, known, now) for entry in entries]
        rows = ConfigurationChange.objects.bulk_create(rows)
    to_send = [row for row in rows if row.state == ChangeState.WAITING]
    if to_send:
        expires_in_s = PATIENCE.total_seconds()
        send(run.station, to_send, requested_by=rollout.requested_by, now=now, expires_in_s=expires_in_s)
    else:
        close_runs([run.pk], now=now)


def _change(
    rollout: ConfigurationRollout, run: RolloutStation, entry: TemplateEntry, known: ByPlace, now: datetime
) -> ConfigurationChange:
    row = known.get(key_of(entry))
    wanted = Wish(entry.place, entry.value, entry.attribute, entry.sealed_value)
    change = change_of(run.station, wanted, row, requested_by=rollout.requested_by, now=now, run_id=run.pk)
    settled = SETTLED.get(difference(entry, row))
    if settled:
        change.state, change.settled_at, change.sealed_value = settled, now, ""
    return change


# ---------------------------------------------------------------- stopping and trying again
def cancel(*, rollout: ConfigurationRollout, now: datetime) -> bool:
    """Withdraw what was not sent yet; what a station has got stays there. False: it is over already."""
    return _end(rollout.pk, State.CANCELLED, None, now)


def _end(rollout_id: int, state: str, halt: Halt | None, now: datetime) -> bool:
    running = ConfigurationRollout.objects.filter(pk=rollout_id, state=State.RUNNING)
    if not running.update(state=state, stopped_for=halt or "", ended_at=now):
        return False
    withdraw(rollout_id, now=now)
    return True


def withdraw(rollout_id: int, *, now: datetime) -> None:
    """Of a roll-out that was stopped: no station more, and no question that still waits."""
    runs = RolloutStation.objects.filter(rollout=rollout_id)
    runs.filter(state=RunState.WAITING).update(state=RunState.CANCELLED, ended_at=now)
    queued = Command.objects.filter(
        state=Command.State.QUEUED,
        action__in=ACTIONS,
        pk__in=ConfigurationChange.objects.filter(
            run__rollout=rollout_id, run__state=RunState.ASKED, state=ChangeState.ASKED
        ).values("command"),
    )
    for command in queued:
        take_back(command=command, now=now)
    asked = runs.filter(state=RunState.ASKED)
    for run in asked:
        _end_cancelled(run, now)


def _end_cancelled(run: RolloutStation, now: datetime) -> None:
    states = set(run.changes.values_list("state", flat=True))
    if states & set(ConfigurationChange.OPEN):
        return  # sent: its answer still counts
    if ChangeState.CANCELLED in states:
        asked = RolloutStation.objects.filter(pk=run.pk, state=RunState.ASKED)
        asked.update(state=RunState.CANCELLED, ended_at=now)
    else:
        close_runs([run.pk], now=now)


@transaction.atomic
def retry(*, rollout: ConfigurationRollout, now: datetime) -> int:
    """Ask again what failed or was stopped; how many stations. Carry it out afterwards.

    Who was never asked is so now, unless the template is another by now.
    """
    over = ConfigurationRollout.objects.filter(pk=rollout.pk).exclude(state=State.RUNNING)
    again = RolloutStation.objects.filter(rollout=rollout, state__in=(RunState.FAILED, RunState.CANCELLED))
    ids = list(again.values_list("pk", flat=True))
    if not ids or not over.update(state=State.RUNNING, stopped_for="", ended_at=None):
        return 0
    changes = ConfigurationChange.objects.filter(run__in=ids, state__in=ConfigurationChange.RETRIABLE)
    changes.update(state=ChangeState.WAITING, command=None, reason="", settled_at=None)
    # What is read-only there stays so: only a station with something to ask waits again, or one never asked.
    waiting = ConfigurationChange.objects.filter(run__in=ids, state=ChangeState.WAITING).values("run")
    never = again.none() if rollout.is_outdated else again.filter(changes__isnull=True)
    found = RolloutStation.objects.filter(pk__in=[*_ids(waiting, "run"), *_ids(never.values("pk"), "pk")])
    count = found.update(state=RunState.WAITING, ended_at=None)
    close_rollout(rollout.pk, now=now)
    return count


def _ids(rows: Any, name: str) -> set[int]:
    return {row[name] for row in rows}


# ---------------------------------------------------------------- the round
def look_after(now: datetime) -> list[int]:
    """What got lost on its way: answers that were not heard, commands gone. The roll-outs to carry out further."""
    lost = ConfigurationChange.objects.filter(state=ChangeState.ASKED, requested_at__lt=now - WAITS).exclude(
        command__state__in=Command.OPEN
    )
    for command in Command.objects.filter(pk__in=lost.values("command")).select_related("station")[:1000]:
        settle(command, now=now)
    _settle_orphans(lost.filter(command__isnull=True), now)
    _close_running(now)
    waiting = RolloutStation.objects.filter(state=RunState.WAITING, rollout__state=State.RUNNING)
    return list(waiting.order_by("rollout").values_list("rollout", flat=True).distinct())


def _settle_orphans(rows: Iterable[ConfigurationChange], now: datetime) -> None:
    """Their command is gone (its station's past was deleted): nobody knows what came of it."""
    rows = list(rows)
    ConfigurationChange.objects.filter(pk__in=[row.pk for row in rows], state=ChangeState.ASKED).update(
        state=ChangeState.UNKNOWN, settled_at=now
    )
    close_runs({row.run_id for row in rows if row.run_id}, now=now)


def _close_running(now: datetime) -> None:
    """Two stations that answer at the same moment each see the other as open: the last one is closed here."""
    for rollout in ConfigurationRollout.objects.filter(state=State.RUNNING):
        asked = RolloutStation.objects.filter(rollout=rollout, state=RunState.ASKED)
        done = asked.exclude(changes__state__in=ConfigurationChange.OPEN)
        close_runs(done.values_list("pk", flat=True), now=now)
        close_rollout(rollout.pk, now=now)
    over = (State.CANCELLED, State.STOPPED)
    open_runs = RolloutStation.objects.filter(state__in=RolloutStation.OPEN, rollout__state__in=over)
    for rollout_id in set(open_runs.values_list("rollout", flat=True)):
        withdraw(rollout_id, now=now)
