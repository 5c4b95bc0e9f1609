"""`manage.py compliance`: the matrix, for people and (`--json`) for programs."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from portal.compliance.matrix import Standing
from portal.compliance.statuses import as_json, figures_of, standings_of
from stations.models import Concession, Station


class Command(BaseCommand):
    help = "The status of every requirement for every subject."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--concession", metavar="SLUG")
        parser.add_argument("--station", metavar="ID", help="only this station")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        concessions = _concessions(options["concession"], options["station"])
        rows = [
            row
            for concession in concessions
            for row in standings_of(concession, now=timezone.now(), station=options["station"])
        ]
        if options["json"]:
            self.stdout.write(json.dumps(as_json(rows), indent=2))
        else:
            self._table(rows)

    def _table(self, rows: Iterable[Standing]) -> None:
        figures = figures_of(rows)
        self.stdout.write(f"{'req.':<6}{'subject':<24}{'status':<16}{'evidence':<10}{'at':<18}figures")
        for row in rows:
            at = f"{row.at:%Y-%m-%d %H:%MZ}" if row.at else "-"
            numbers = ", ".join(f"{key} {value}" for key, value in figures.get(row.evidence_id, {}).items())
            self.stdout.write(
                f"{row.code:<6}{row.subject:<24}{row.status:<16}{row.evidence_id or '-':<10}{at:<18}{numbers}"
            )


def _concessions(slug: str | None, identity: str | None) -> list[Concession]:
    rows = Concession.objects.order_by("slug")
    if slug:
        rows = rows.filter(slug=slug)
        if not rows:
            raise CommandError(f"no concession {slug}")
    if identity:
        if not Station.objects.filter(identity=identity).exists():
            raise CommandError(f"no station {identity}")
        rows = rows.filter(sites__stations__identity=identity)
    return list(rows)
