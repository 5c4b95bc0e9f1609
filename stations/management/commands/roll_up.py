"""`manage.py roll_up STATION --from DAY --until DAY`: makes the quarter-hours of these days again.

The round that runs every five minutes makes what new readings touch. This is for whoever restored readings from a
backup, or doubts a quarter: to make one twice changes nothing.
"""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from stations.models import Station
from stations.rollups import roll_up_again


class Command(BaseCommand):
    help = "Makes the quarter-hours of one station again from its readings, over whole days of local time."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("station", metavar="STATION")
        parser.add_argument(
            "--from", dest="first", required=True, type=date.fromisoformat, metavar="YYYY-MM-DD"
        )
        parser.add_argument(
            "--until", dest="last", required=True, type=date.fromisoformat, metavar="YYYY-MM-DD"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        station = Station.objects.filter(identity=options["station"]).first()
        if station is None:
            raise CommandError(f"no station {options['station']}")
        first, last = options["first"], options["last"]
        if last < first:
            raise CommandError(f"--until {last} comes before --from {first}")
        count = roll_up_again(station, start=_midnight(first), end=_midnight(last + timedelta(days=1)))
        self.stdout.write(f"{station.identity}: {count} quarter-hours of {first} to {last} made again")


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, datetime.min.time()))
