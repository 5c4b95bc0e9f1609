"""What happens in the demo, in order: stations connect, limits are set, the probes run, cars arrive."""

from __future__ import annotations

import logging
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db import close_old_connections
from django.db.models import Q

from portal.compliance import usage_counting
from portal.compliance.models import Judgement, Probe
from portal.compliance.probes import PROBES, CannotProbe, start_probe
from portal.demo.cast import STATIONS
from portal.demo.limits import set_demo_limits
from portal.demo.stage import PAST, Stage
from smartcharging.models import DesiredProfile, Drift
from stations import presence
from stations.models import Capabilities, ChargingSession, Municipality, Station

logger = logging.getLogger(__name__)

PATIENCE_S = 600.0
AGAIN_S = 20.0
DRIFTING = tuple(role.identity for role in STATIONS if role.drifts)

Say = Callable[[str], None]


@dataclass(slots=True)
class Show:
    """Runs beside the server, in a thread. `say` prints a line of progress."""

    stage: Stage
    port: int
    say: Say
    started: float = field(default_factory=time.monotonic)

    def wait_until_ready(self) -> None:
        address = f"http://127.0.0.1:{self.port}/health/ready"
        while True:
            with suppress(OSError), urllib.request.urlopen(address, timeout=5) as answer:
                if answer.status == 200:
                    return
            time.sleep(0.1)

    def play(self) -> bool:
        """All of it; True once every station has the status that is expected of it."""
        try:
            return self._play()
        finally:
            close_old_connections()

    def _play(self) -> bool:
        self.stage.start()
        self._wait(self._all_connected, "stations connect over their sockets")
        self._wait(self._capabilities_read, "what each station can do is read")
        self._wait(self._past_is_told, "what happened while they were offline is told")
        self._count_usage()
        self._set_limits()
        self._wait(self._limits_settled, "limits are set and read back")
        proven = self._prove() and self._lose_profiles()
        self.stage.cars_arrive()
        self.say("Two cars arrive at ALF-0001, and at ALF-0002 one that gives back.")
        return proven

    def _wait(self, holds: Callable[[], bool], what: str, patience_s: float = 90.0) -> bool:
        since = time.monotonic()
        while not holds():
            if time.monotonic() - since > patience_s:
                self.say(f"Still waiting, going on: {what}.")
                return False
            time.sleep(0.2)
        self.say(f"{what[0].upper()}{what[1:]}.")
        return True

    def _all_connected(self) -> bool:
        return Station.objects.filter(presence.online(datetime.now(UTC), "presence__")).count() == len(
            STATIONS
        )

    def _capabilities_read(self) -> bool:
        return Capabilities.objects.count() == len(STATIONS)

    def _past_is_told(self) -> bool:
        """The queued sessions of each station have arrived, with their own times, and have ended."""
        sessions = ChargingSession.objects.values_list("state", flat=True)
        told = len(sessions) > len(STATIONS) * len(PAST)
        return told and ChargingSession.State.ACTIVE not in set(sessions)

    def _count_usage(self) -> None:
        """As the caretaker does each quarter of an hour: how much was charged in the months that are over."""
        now = datetime.now(UTC)
        for municipality in Municipality.objects.all():
            for key, month in usage_counting.months_to_count(now=now):
                if key == municipality.pk:
                    usage_counting.count_month(municipality, month, now=now)

    def _set_limits(self) -> None:
        """As an operator would; a demo that is started again finds them standing."""
        limited = Q(site__operator__slug="alpha") | Q(identity__in=DRIFTING)
        for station in Station.objects.filter(limited):
            if not DesiredProfile.objects.current().filter(station=station).exists():
                set_demo_limits(station)

    def _limits_settled(self) -> bool:
        return not DesiredProfile.objects.current().unsettled().exists()

    def _prove(self) -> bool:
        """Probe what is not yet as expected, and let cars give back, until it is; PATIENCE_S at most."""
        seen: set[int] = set()
        asked: dict[tuple[str, str], float] = {}
        while found := missing_statuses():
            if self._is_late():
                return False
            self._tell_outcomes(seen)
            for identity, codes in found.items():
                code = _next(codes)
                if time.monotonic() - asked.get((identity, code), -AGAIN_S) >= AGAIN_S:
                    asked[identity, code] = time.monotonic()
                    self._ask(identity, code)
            time.sleep(0.3)
        self._tell_outcomes(seen)
        return True

    def _ask(self, identity: str, code: str) -> None:
        """What can bring an answer: a probe, one at a time, or a car that gives back."""
        here = {"station__identity": identity}
        if code in PROBES and not Probe.objects.filter(**here, state__in=Probe.OPEN).exists():
            self._start_probe(identity, code)
        active = ChargingSession.objects.filter(**here, state=ChargingSession.State.ACTIVE)
        if code not in PROBES and not active.exists():
            self.stage.car_gives_back(identity)
            self.say(f"{identity}: a car arrives that gives back.")

    def _lose_profiles(self) -> bool:
        """The stations that forget start anew; what they lost is found by reading back, and set again."""
        for identity in missing_drifts():
            self.stage.reboot(identity)
            self.say(f"{identity} loses its power for a moment, and with it its profiles.")
        return self._wait(lambda: not missing_drifts(), "what was lost is found and set again")

    def _is_late(self) -> bool:
        return time.monotonic() - self.started > PATIENCE_S

    def _start_probe(self, identity: str, code: str) -> None:
        station = Station.objects.get(identity=identity)
        try:
            start_probe(station=station, code=code, requested_by=None, now=datetime.now(UTC))
        except CannotProbe as reason:
            self.say(f"{identity}: no probe of {code} yet: {reason}")
        else:
            self.say(f"{identity}: probe of requirement {code} starts.")

    def _tell_outcomes(self, seen: set[int]) -> None:
        for probe in (
            Probe.objects.exclude(state__in=Probe.OPEN).exclude(pk__in=seen).select_related("station")
        ):
            seen.add(probe.pk)
            self.say(f"{probe.station.identity}: {probe.verdict or probe.state}. {probe.reason}")


def _next(codes: list[str]) -> str:
    """Probes first: a car that is there would stop them."""
    return min(codes, key=lambda code: (code not in PROBES, code))


def missing() -> list[tuple[str, str]]:
    """(station, what) that is not, or not yet, as expected."""
    statuses = [(identity, code) for identity, codes in missing_statuses().items() for code in codes]
    return [*statuses, *((identity, "drift") for identity in missing_drifts())]


def missing_statuses() -> dict[str, list[str]]:
    """The requirements, by station, whose status is not or not yet the expected one."""
    found = {
        (row.station.identity, row.requirement.code): row.status
        for row in Judgement.objects.filter(~Q(station=None)).select_related("station", "requirement")
        if row.station is not None
    }
    wrong = {
        role.identity: [
            code for code, status in role.expected.items() if found.get((role.identity, code)) != status
        ]
        for role in STATIONS
    }
    return {identity: codes for identity, codes in wrong.items() if codes}


def missing_drifts() -> list[str]:
    """Stations that forget, of which no loss was found and repaired yet."""
    repaired = Drift.objects.filter(end=Drift.End.REPAIRED).values_list(
        "desired__station__identity", flat=True
    )
    return [identity for identity in DRIFTING if identity not in set(repaired)]
