"""`manage.py make_fleet`: fills an empty database with a made-up fleet, to measure pages on. Safe to repeat."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.models import Max
from django.utils import timezone

from portal.management.fleet import MAIL, PREFIX, Fleet, Size
from stations.models import ChargingSession, MeterReading, Municipality, Operator, RollUp, Station


class Command(BaseCommand):
    help = (
        "Fills a database with a made-up fleet, by COPY on PostgreSQL. Refuses one that holds anything else."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--stations", type=int, default=10_000)
        parser.add_argument("--sessions", type=int, default=1_000_000, help="over all stations")
        parser.add_argument("--readings", type=int, default=10_000_000, help="over all sessions")
        parser.add_argument("--again", action="store_true", help="make it anew where it is there already")

    def handle(self, *args: Any, **options: Any) -> None:
        size = Size(options["stations"], options["sessions"], options["readings"])
        if _holds_other():
            raise CommandError(
                "This database holds other things than a fleet of this command: nothing is done."
            )
        if not options["again"] and _is_there(size):
            self.stdout.write("The fleet is there already.")
            return
        began = time.monotonic()

        def told(name: str, count: int) -> None:
            self.stdout.write(f"{time.monotonic() - began:7.1f} s  {count:>11,} {name}")
            self.stdout.flush()

        Fleet(size, timezone.now()).make(told)
        newest = MeterReading.objects.aggregate(Max("pk"))["pk__max"] or 0
        # It was made to its end, which is what _is_there looks for; and beat has nothing to catch up with.
        RollUp.objects.create(pk=1, before=newest, until=newest)
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("VACUUM ANALYZE")
        self.stdout.write(f"{time.monotonic() - began:7.1f} s  done")


def _holds_other() -> bool:
    return (
        Station.objects.exclude(identity__startswith=PREFIX).exists()
        or get_user_model().objects.exclude(email__endswith=MAIL).exists()
        or Operator.objects.exclude(slug__startswith="fleet-").exists()
        or Municipality.objects.exclude(slug__startswith="fleet-").exists()
    )


def _is_there(size: Size) -> bool:
    return (
        RollUp.objects.exists()
        and Station.objects.count() == size.stations
        and ChargingSession.objects.count() == size.stations * size.sessions_a_station
    )
