"""A probe talking to its station: ask, wait for the answer, keep watch, write down what happens.

Other processes send and receive; here the Command row is asked for and watched until it is answered. Everything is
committed as it happens, so that people see it live and a crash leaves enough behind to restore the station.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from portal.compliance.checks.readings import Outcome
from portal.compliance.models import Probe
from portal.compliance.sentences import say_in_english
from smartcharging.models import DesiredProfile
from stations import commands
from stations.events import Kind
from stations.models import ChargingSession, Command, Connector, Event, Station
from stations.nudges import nudge_pages

POLL_S = 0.05
SLOW_POLL_S = 0.5  # of a station that takes its time
HEARTBEAT_S = 2.0
# Beyond the time in which a sent command is given up: it was never taken, or whoever gives up is gone as well.
PATIENCE_S = 20
# A car is there, or may charge at any moment; Finishing is a car that has charged. 2.x says Occupied for all of them.
CAR_THERE = frozenset({"Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Occupied"})
# A boot may take profiles away, and limits of others come and go.
UPSETTING = (Kind.BOOTED, Kind.EXTERNAL_LIMIT_SET, Kind.EXTERNAL_LIMIT_CLEARED)
# The station was asked and did say something.
ANSWERED = frozenset({Command.State.ACCEPTED, Command.State.REFUSED, Command.State.FAILED})


OUTCOMES: dict[str, Outcome] = {
    Command.State.ACCEPTED: "accepted",
    Command.State.REFUSED: "refused",
    Command.State.FAILED: "failed",
}


def outcome_of(command: Command) -> Outcome:
    return OUTCOMES[command.state]


def reason_of(command: Command) -> str:
    """The station's own code: the reason code of a 2.x refusal, or the error of a CALLERROR."""
    if command.state == Command.State.FAILED:
        return command.error[:200]
    info = (command.response or {}).get("statusInfo") or {}
    return str(info.get("reasonCode", "")) if isinstance(info, dict) else ""


class Stopped(Exception):
    """The probe cannot go on; `code` and `values` are the sentence that says why (sentences.py)."""

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


class Lost(Stopped):
    """The station does not answer: nothing more can be done until it is back."""


@dataclass(slots=True)
class Conversation:
    """One probe and its station. While it is `guarded`, a stop that was asked for, a car that comes, a boot and a limit
    that moves end it.

    `clock` and `sleep` are those of the process; a test brings its own, in which the station answers.
    """

    probe: Probe
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    guarded: bool = True
    message_ids: list[str] = field(default_factory=list)
    cars: dict[int, bool] = field(default_factory=dict)
    limits: dict[int, str] | None = None
    last_event: int | None = None
    _alive_at: datetime | None = None

    @property
    def station(self) -> Station:
        station: Station = self.probe.station
        return station

    def now(self) -> datetime:
        return self.clock()

    def ask(self, action: str, payload: dict[str, Any]) -> Command:
        """The answered command: accepted, refused or failed. Raises Stopped, and Lost where there is no answer."""
        self.watch()
        command = commands.request(
            station=self.station,
            action=action,
            payload=payload,
            origin=f"probe {self.probe.pk}",
            requested_by=self.probe.requested_by,
            now=self.now(),
            expires_in_s=PATIENCE_S,
        )
        self.message_ids.append(command.message_id)
        return self._answer(command)

    def _answer(self, command: Command) -> Command:
        given_up_at = self.now() + timedelta(seconds=settings.OCPP_CALL_TIMEOUT_S + PATIENCE_S)
        while command.state in Command.OPEN and self.now() < given_up_at:
            waited = self.now() - command.requested_at
            self.sleep(POLL_S if waited < timedelta(seconds=2) else SLOW_POLL_S)
            command.refresh_from_db(fields=["state", "sent_at", "answered_at", "response", "error"])
            self._keep_alive()
        if command.state in ANSWERED:
            return command
        commands.cancel(command, now=self.now())
        raise Lost("probe.lost", action=command.action)

    def watch(self) -> None:
        """Raise Stopped when someone asked to stop or a car came or went, while that matters."""
        self._keep_alive()
        if not self.guarded:
            return
        if Probe.objects.filter(pk=self.probe.pk, cancel_requested=True).exists():
            raise Stopped("probe.cancelled")
        happened = self._happened()
        if Kind.BOOTED in happened:
            raise Stopped("probe.rebooted")
        if happened or (self.limits is not None and self.limits != limits_of(self.station)):
            raise Stopped("probe.limits_changed")
        changed = [
            evse for evse, there in cars_at(self.station).items() if there != self.cars.get(evse, False)
        ]
        if changed:
            raise Stopped("probe.car_came", evse=min(changed))

    def _happened(self) -> set[str]:
        """What the station told since the watch began that changes what it should answer."""
        if self.last_event is None:
            return set()
        told = Event.objects.filter(station=self.station, kind__in=UPSETTING, pk__gt=self.last_event)
        return set(told.values_list("kind", flat=True))

    def keep_watch(self) -> None:
        """From now on: the station as it is here is what the answers are judged by, so a change of it ends the probe.

        After a boot profiles may be gone (1.6 does not say that they stay), and a limit that is sent meanwhile shows in
        the composite.
        """
        newest = Event.objects.filter(station=self.station).order_by("-pk").values_list("pk", flat=True)
        self.last_event = newest.first() or 0
        self.limits = limits_of(self.station)

    def _keep_alive(self) -> None:
        """A heartbeat now and then: a row without one is taken up by another process (running.recover)."""
        now = self.now()
        if self._alive_at is None or now - self._alive_at >= timedelta(seconds=HEARTBEAT_S):
            self._alive_at = now
            Probe.objects.filter(pk=self.probe.pk).update(heartbeat_at=now)

    def note(self, code: str, values: dict[str, Any] | None = None, *, holds: bool | None = None) -> None:
        """Add a step to what people watch."""
        values = values or {}
        step = {
            "at": self.now().isoformat(),
            "name": code.removeprefix("step."),
            "text": say_in_english(code, values),
            "code": code,
            "values": values,
            "holds": holds,
        }
        self.probe.steps.append(step)
        self.save(steps=self.probe.steps)

    def save(self, **fields: Any) -> None:
        """Write these fields of the probe, and no other: a stop that someone asks for is not overwritten."""
        for name, value in fields.items():
            setattr(self.probe, name, value)
        Probe.objects.filter(pk=self.probe.pk).update(heartbeat_at=self.now(), **fields)
        nudge_pages([self.station.pk])

    def remember(self, **facts: Any) -> None:
        """Keep what a restore needs, before the station is changed."""
        self.probe.before.update(facts)
        self.save(before=self.probe.before)


def limits_of(station: Station) -> dict[int, str]:
    """Our own limits that stand on the station, or are on their way to or from it: state by primary key."""
    rows = DesiredProfile.objects.filter(station=station).exclude(state=DesiredProfile.State.CLEARED)
    return dict(rows.values_list("pk", "state"))


def cars_at(station: Station) -> dict[int, bool]:
    """Whether a car is there, by EVSE: a session runs, or the station says so."""
    cars = dict.fromkeys(station.evses.values_list("number", flat=True), False)
    said = Connector.objects.filter(evse__station=station, status__in=CAR_THERE)
    cars.update(dict.fromkeys(said.values_list("evse__number", flat=True), True))
    sessions = ChargingSession.objects.filter(station=station, state=ChargingSession.State.ACTIVE)
    cars.update({number or 0: True for number in sessions.values_list("evse_number", flat=True)})
    return cars
