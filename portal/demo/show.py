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

from portal.compliance.models import Judgement, Probe
from portal.compliance.probes import CannotProbe, start_probe
from portal.demo.cast import STATIONS
from portal.demo.limits import set_demo_limits
from portal.demo.stage import PAST, Stage
from smartcharging.models import DesiredProfile
from stations import presence
from stations.models import Capabilities, ChargingSession, Station

logger = logging.getLogger(__name__)

PATIENCE_S = 600.0
PROBE_AGAIN_S = 20.0

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
        self._set_limits()
        self._wait(self._limits_settled, "limits are set and read back")
        proven = self._probe()
        self.stage.cars_arrive()
        self.say("Two cars arrive at ALF-0001.")
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

    def _set_limits(self) -> None:
        """As an operator would; a demo that is started again finds them standing."""
        for station in Station.objects.filter(site__operator__slug="alpha"):
            if not DesiredProfile.objects.current().filter(station=station).exists():
                set_demo_limits(station)

    def _limits_settled(self) -> bool:
        return not DesiredProfile.objects.current().unsettled().exists()

    def _probe(self) -> bool:
        """Probe what is not yet as expected, until it is, or PATIENCE_S is over."""
        seen: set[int] = set()
        last: dict[str, float] = {}
        while missing := missing_statuses():
            if time.monotonic() - self.started > PATIENCE_S:
                return False
            for identity, code in missing:
                if time.monotonic() - last.get(identity, -PROBE_AGAIN_S) >= PROBE_AGAIN_S:
                    last[identity] = time.monotonic()
                    self._start_probe(identity, code)
            self._tell_outcomes(seen)
            time.sleep(0.3)
        self._tell_outcomes(seen)
        return True

    def _start_probe(self, identity: str, code: str) -> None:
        if Probe.objects.filter(station__identity=identity, state__in=Probe.OPEN).exists():
            return
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


def missing_statuses() -> list[tuple[str, str]]:
    """(station, requirement) whose status is not, or not yet, the expected one."""
    found = {
        (row.station.identity, row.requirement.code): row.status
        for row in Judgement.objects.filter(~Q(station=None)).select_related("station", "requirement")
        if row.station is not None
    }
    return [
        (role.identity, code)
        for role in STATIONS
        for code, status in role.expected.items()
        if found.get((role.identity, code)) != status
    ]
