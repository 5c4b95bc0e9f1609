"""`manage.py demo`: the whole portal on this machine, with stations that live."""

from __future__ import annotations

import logging
import threading
import time
import webbrowser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import close_old_connections, connection

from portal.demo import cast
from portal.demo.show import Show, missing
from portal.demo.stage import Stage
from portal.serving import server_config


def _memory_of_stations() -> Path:
    """Where the stations keep their profiles: beside the SQLite file, so that two demos do not share stations."""
    database = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return Path(database).with_name(f"{Path(database).stem}-stations")
    return settings.VAR_DIR / f"{database}-stations"


class Command(BaseCommand):
    help = "Fills and serves the demo on DATABASE_URL, or on var/demo.sqlite3."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--headless", action="store_true", help="open no browser")
        parser.add_argument(
            "--until-proven",
            action="store_true",
            help="exit 0 as soon as every station has its expected status; 1 after 10 minutes",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        # The stations' own story is told by the pages; what they complain of is shown here.
        logging.getLogger("portal.simulator").setLevel(logging.ERROR)
        # Often enough to see the power move while one looks.
        settings.OCPP_SAMPLE_INTERVAL_S = 10
        settings.PUBLIC_URL = f"http://localhost:{options['port']}"
        settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
        call_command("migrate", verbosity=0)
        try:
            cast.check_is_demo()
        except cast.NotTheDemoError as strange:
            raise CommandError(str(strange)) from None
        people = cast.fill(datetime.now(UTC))
        stage = Stage(
            url=f"ws://localhost:{options['port']}/ocpp",
            passwords=people.station_passwords,
            newcomers=people.newcomers,
            folder=_memory_of_stations(),
        )
        connection.close()
        self.proven = False
        self.server = uvicorn.Server(server_config(host="127.0.0.1", port=options["port"]))
        show = Show(stage=stage, port=options["port"], say=self._say)
        run = threading.Thread(target=self._run, args=(show, people, options, started), daemon=True)
        run.start()
        try:
            self.server.run()
        except KeyboardInterrupt:
            self._say("The demo has stopped.")
        finally:
            stage.stop()
        if not self.server.started:
            raise CommandError(
                f"Port {options['port']} is taken: choose another with --port (make demo PORT=8001)."
            )
        if options["until_proven"]:
            self._conclude()

    def _run(self, show: Show, people: cast.Cast, options: dict[str, Any], started: float) -> None:
        show.wait_until_ready()
        self._greet(people, options["port"], time.monotonic() - started)
        if not options["headless"]:
            webbrowser.open(f"http://localhost:{options['port']}/")
        try:
            self.proven = show.play()
        finally:
            if options["until_proven"]:
                self.server.should_exit = True
        if self.proven:
            self._say(f"Proof after {time.monotonic() - started:.0f} s. Ctrl-C stops the demo.")

    def _greet(self, people: cast.Cast, port: int, seconds: float) -> None:
        self._say(f"\nLaadbewijs runs after {seconds:.0f} s: http://localhost:{port}/")
        self._say(f"Stations connect to:     ws://localhost:{port}/ocpp/<station id>")
        self._say("Sign in as:")
        for _, email, name in cast.PEOPLE:
            self._say(f"  {email:<24} {people.password:<16} {name}")
        self._say("")

    def _conclude(self) -> None:
        """The matrix, and what is missing from it."""
        close_old_connections()
        call_command("compliance", concession=cast.CONCESSION[0], stdout=self.stdout)
        found = ", ".join(f"{identity} {what}" for identity, what in missing())
        if not self.proven or found:
            raise CommandError(f"Not as expected: {found or 'the demo was stopped'}")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
