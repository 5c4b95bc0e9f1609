"""`manage.py probe STATION REQUIREMENT`: a live probe, run by the portal that runs on the same database.

Exit 0 proven, 1 deviation, 2 not run or undecided, with the reason.
"""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from portal.compliance import probes
from portal.compliance.models import Probe
from stations.models import Station

# The server looks for rows of other processes twice a second.
TAKEN_WITHIN_S = 15
POLL_S = 0.25
EXIT = {"proven": 0, "deviation": 1}


class Command(BaseCommand):
    help = "Runs a live probe on a running portal over the same database."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("station", metavar="STATION")
        parser.add_argument("requirement", metavar="REQUIREMENT")
        parser.add_argument("--json", action="store_true")
        parser.add_argument(
            "--while-charging", action="store_true", help="the operator agrees, although a car charges"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        as_json: bool = options["json"]
        probe = self._start(options)
        if probe is None:
            sys.exit(2)
        try:
            self._follow(probe, quiet=as_json)
        except KeyboardInterrupt:
            probes.cancel_probe(probe, now=timezone.now())
            self.stderr.write("Asked to stop; the station is restored first.")
            sys.exit(2)
        self._report(probe, as_json=as_json)
        sys.exit(EXIT.get(probe.verdict, 2))

    def _start(self, options: dict[str, Any]) -> Probe | None:
        rows = Station.objects.select_related("site__concession")
        station = rows.filter(identity=options["station"]).first()
        if station is None:
            raise CommandError(f"no station {options['station']}", returncode=2)
        try:
            return probes.start_probe(
                station=station,
                code=options["requirement"],
                requested_by=None,
                now=timezone.now(),
                while_charging=options["while_charging"],
            )
        except probes.CannotProbe as error:
            self.stderr.write(str(error))
            return None

    def _follow(self, probe: Probe, *, quiet: bool) -> None:
        """Print the steps as they come, until the probe has ended. Nobody took it in time: exit 2."""
        begin = time.monotonic()
        printed = 0
        while True:
            probe.refresh_from_db()
            for step in [] if quiet else probe.steps[printed:]:
                mark = {True: "ok", False: "NO", None: "  "}[step["holds"]]
                self.stdout.write(f"{step['at'][11:19]}  {mark}  {step['text']}")
            printed = len(probe.steps)
            if probe.state not in Probe.OPEN:
                return
            if probe.state == Probe.State.RESTORING and "stopped" in probe.before:
                self._say_once(probe, quiet=quiet)
            if probe.state == Probe.State.QUEUED and time.monotonic() - begin > TAKEN_WITHIN_S:
                probes.cancel_probe(probe, now=timezone.now())
                probe.refresh_from_db()
                if probe.state == Probe.State.CANCELLED:
                    self.stderr.write("No portal is running on this database.")
                    sys.exit(2)
            time.sleep(POLL_S)

    def _say_once(self, probe: Probe, *, quiet: bool) -> None:
        """The station is gone: the portal goes on restoring it, and nobody has to wait for that here."""
        if probe.before.get("after") is None and probe.before["stopped"]["code"] == "probe.lost":
            self.stderr.write("The station no longer answers. It is restored when it is back.")
            sys.exit(2)

    def _report(self, probe: Probe, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(_as_json(probe), indent=2))
            return
        verdict = probe.verdict or probe.state.replace("_", " ")
        self.stdout.write(f"{verdict}: {probe.reason}")


def _as_json(probe: Probe) -> dict[str, Any]:
    return {
        "probe": probe.pk,
        "station": probe.station.identity,
        "requirement": probe.requirement.code,
        "state": probe.state,
        "verdict": probe.verdict or None,
        "reason": probe.reason,
        "restored": probe.restored,
        "evidence": probe.evidence_id,
        "steps": [
            {"at": step["at"], "name": step["name"], "text": step["text"], "holds": step["holds"]}
            for step in probe.steps
        ],
    }
