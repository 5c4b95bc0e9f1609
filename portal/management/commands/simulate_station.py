"""One simulated charging station against any CSMS. Needs no database."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.simulator import defects
from portal.simulator.link import StationRefusedError, address
from portal.simulator.simulated import SimulatedStation
from portal.simulator.spec import CARS_SYNTAX, StationSpec, cars

DEFECTS = "\n".join(
    f"  {d.name}: {d.shows} (breaks {', '.join(d.breaks) or 'none: drift'})" for d in defects.DEFECTS.values()
)
EXAMPLE = """\
example:
  manage.py simulate_station NL-ALPHA-1 --url ws://localhost:8000/ocpp --ocpp 2.0.1 \\
      --password secret --cars 1:11kW:60kWh:token=ABC,2:7.4kW:soc=80"""


class Command(BaseCommand):
    help = "Runs one simulated charging station against any CSMS, until Ctrl-C."
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.epilog = f"{CARS_SYNTAX}\n\ndefects:\n{DEFECTS}\n\n{EXAMPLE}"
        parser.add_argument("identity", metavar="ID", help="the station's OCPP identity")
        parser.add_argument(
            "--url", required=True, help="the CSMS, such as ws://localhost:8000/ocpp; the ID is appended"
        )
        parser.add_argument("--ocpp", required=True, help="1.6, 2.0.1 or 2.1")
        parser.add_argument("--password", help="for Basic auth, as add_station printed it")
        parser.add_argument("--sockets", type=int, default=2, help="how many (2)")
        parser.add_argument("--connection", default="3x25", help="phases x amperes of the grid (3x25)")
        parser.add_argument("--cars", default="", help="see below")
        parser.add_argument("--defect", metavar="NAME", help="what the station does wrong, see below")
        parser.add_argument(
            "--meter-interval", type=int, default=60, metavar="S", help="seconds between meter values (60)"
        )
        parser.add_argument(
            "--profile-store", type=Path, metavar="FILE", help="keeps charging profiles over restarts"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        spec = _spec(options)
        _log_to(self.stdout, verbosity=options["verbosity"])
        self.stdout.write(
            f"{spec.identity}: OCPP {spec.ocpp} at {address(spec.url, spec.identity)}; Ctrl-C stops"
        )
        try:
            with contextlib.suppress(KeyboardInterrupt):
                asyncio.run(_until_stopped(SimulatedStation(spec)))
        except StationRefusedError as refusal:
            raise CommandError(f"{spec.identity} was refused with {refusal}") from None
        self.stdout.write(f"{spec.identity}: stopped")


async def _until_stopped(station: SimulatedStation) -> None:
    """Run until Ctrl-C, or the SIGTERM of whatever supervises it; then end the sessions and go."""
    stop = asyncio.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C stops at once
            asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
    await station.run_until(stop)


def _spec(options: dict[str, Any]) -> StationSpec:
    if not options["url"].startswith(("ws://", "wss://")):
        raise CommandError(f"--url {options['url']} is no websocket address; write ws://host:port/ocpp")
    try:
        return StationSpec(
            identity=options["identity"],
            url=options["url"],
            ocpp=options["ocpp"],
            password=options["password"],
            sockets=options["sockets"],
            connection=options["connection"],
            cars=cars(options["cars"]),
            defect=options["defect"],
            meter_interval_s=options["meter_interval"],
            profile_store=options["profile_store"],
        )
    except ValueError as error:
        raise CommandError(str(error)) from None


def _log_to(stream: Any, *, verbosity: int) -> None:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    log = logging.getLogger("portal.simulator")
    log.handlers = [handler]
    log.propagate = False
    log.setLevel(logging.DEBUG if verbosity > 1 else logging.INFO)
