"""What a station made of the values that it was asked to take: each change settled, each roll-out moved on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from stations import device_model
from stations.models import (
    Command,
    ConfigurationChange,
    ConfigurationRollout,
    ConfigurationValue,
    RolloutStation,
)
from stations.models.device import Attribute
from stations.nudges import nudge_pages
from stations.ocpp.device import place_of

State = ConfigurationChange.State
ACTIONS = ("SetVariables", "ChangeConfiguration")
# ConfigurationStatus of 1.6 and SetVariableStatusEnumType of 2.x.
STATES = {
    "Accepted": State.ACCEPTED,
    "RebootRequired": State.REBOOT,
    "Rejected": State.REJECTED,
    "NotSupported": State.MISSING,
    "UnknownComponent": State.MISSING,
    "UnknownVariable": State.MISSING,
    "NotSupportedAttributeType": State.MISSING,
}
LOST = {
    Command.State.UNKNOWN: State.UNKNOWN,
    Command.State.EXPIRED: State.EXPIRED,
    Command.State.CANCELLED: State.CANCELLED,
    Command.State.FAILED: State.FAILED,
    Command.State.REFUSED: State.REJECTED,
}
# An answer after the time-out still counts, as for its command.
SETTLED_LATER = (*ConfigurationChange.OPEN, State.UNKNOWN)


def settle(command: Command, *, now: datetime) -> None:
    """Take over how `command` ended; safe to run twice."""
    if command.action not in ACTIONS or command.state in Command.OPEN:
        return
    rows = list(ConfigurationChange.objects.filter(command=command, state__in=SETTLED_LATER))
    if not rows:
        return
    results = _results(command)
    for row in rows:
        state, reason = results.get((row.place.key, row.attribute)) or _of_command(command)
        _settle_one(row, state, reason, now)
    close_runs({row.run_id for row in rows if row.run_id}, now=now)
    nudge_pages([command.station_id])


def _results(command: Command) -> dict[tuple[tuple[str, str], str], tuple[str, str]]:
    """Of 2.x: each variable has an outcome of its own."""
    response = command.response or {}
    return {
        (place_of(each).key, each.get("attributeType", "Actual")): (
            STATES[each["attributeStatus"]],
            device_model.reason_of(each, "attributeStatusInfo"),
        )
        for each in response.get("setVariableResult", ())
        if command.state == Command.State.ACCEPTED
    }


def _of_command(command: Command) -> tuple[str, str]:
    """Of 1.6, whose answer is about one key; or of a command that was not answered."""
    status = (command.response or {}).get("status", "")
    if status in STATES and command.state in (Command.State.ACCEPTED, Command.State.REFUSED):
        return STATES[status], status if status not in ("Accepted", "RebootRequired") else ""
    if command.state == Command.State.ACCEPTED:
        return State.FAILED, "the answer does not name it"
    return LOST[Command.State(command.state)], command.error[:600]


def _settle_one(row: ConfigurationChange, state: str, reason: str, now: datetime) -> None:
    said: dict[str, Any] = {"state": state, "reason": reason, "settled_at": now}
    if state in ConfigurationChange.GOOD:
        said["sealed_value"] = ""
    ConfigurationChange.objects.filter(pk=row.pk, state__in=SETTLED_LATER).update(**said)
    values = ConfigurationValue.objects.filter(
        station_id=row.station_id, component=row.component, name=row.name, attribute=row.attribute
    )
    if state == State.REBOOT:
        values.update(reboot_asked_at=now)
    if state in (State.ACCEPTED, State.REBOOT) and row.attribute != Attribute.ACTUAL:
        values.update(value=row.value, read_at=now)  # the actual one: stations.capabilities


def close_runs(runs: Iterable[int], *, now: datetime) -> None:
    """End what has nothing open any more: the stations of a roll-out, then the roll-out."""
    rollouts = set()
    for run in RolloutStation.objects.filter(pk__in=list(runs)):
        states = set(ConfigurationChange.objects.filter(run=run).values_list("state", flat=True))
        if states & set(ConfigurationChange.OPEN):
            continue
        # A late answer can still make a failure good; what was cancelled stays so.
        movable = RolloutStation.objects.filter(
            pk=run.pk, state__in=(RolloutStation.State.ASKED, RolloutStation.State.FAILED)
        )
        movable.update(state=_outcome(states), ended_at=now)
        rollouts.add(run.rollout_id)
    for rollout in rollouts:
        close_rollout(rollout, now=now)


def _outcome(states: set[str]) -> str:
    if not states <= set(ConfigurationChange.GOOD):
        return RolloutStation.State.FAILED
    return RolloutStation.State.SAME if states <= {State.SAME} else RolloutStation.State.DONE


def close_rollout(rollout_id: int, *, now: datetime) -> None:
    if not RolloutStation.objects.filter(rollout=rollout_id, state__in=RolloutStation.OPEN).exists():
        running = ConfigurationRollout.objects.filter(pk=rollout_id, state=ConfigurationRollout.State.RUNNING)
        running.update(state=ConfigurationRollout.State.DONE, ended_at=now)
