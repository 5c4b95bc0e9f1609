"""`manage.py import_requirements FILE.csv`: a set of requirements into the catalogue. Safe to repeat."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from portal.compliance import catalogue
from stations.models import Concession


class Command(BaseCommand):
    help = "Reads a set of requirements from a CSV file. Safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--name", help="name of the set; the file's own name by default")
        parser.add_argument("--set-version", default="1", help="version of the set (default 1)")
        parser.add_argument("--concession", metavar="SLUG", help="make the set count in this concession too")

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"]
        try:
            content = file.read_bytes()
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from None
        try:
            rows = catalogue.parse(content)
            requirement_set = catalogue.import_requirements(
                content=content,
                name=options["name"] or file.stem,
                version=options["set_version"],
                now=timezone.now(),
            )
        except catalogue.CatalogueError as error:
            raise CommandError(f"{file}: {error}") from None
        self.stdout.write(f"{requirement_set}: {len(rows)} requirements")
        if options["concession"]:
            concession = Concession.objects.filter(slug=options["concession"]).first()
            if concession is None:
                raise CommandError(f"no concession {options['concession']}")
            added = catalogue.apply_to(concession=concession, requirement_set=requirement_set, rows=rows)
            self.stdout.write(f"{concession.slug}: {added} added")
