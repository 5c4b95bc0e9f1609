"""`manage.py verify_evidence`: recomputes the hash chain; exit 1 with the first broken link."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal.compliance import evidence
from stations.models import Concession


class Command(BaseCommand):
    help = "Recomputes the hash chain of the evidence of each concession."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--concession", metavar="SLUG")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = Concession.objects.order_by("slug")
        if options["concession"]:
            rows = rows.filter(slug=options["concession"])
            if not rows:
                raise CommandError(f"no concession {options['concession']}")
        broken = False
        for concession in rows:
            link = evidence.verify(concession)
            if link is not None:
                self.stderr.write(f"{link}")
                broken = True
            else:
                self.stdout.write(f"{concession.slug}: {evidence.chain_length(concession)} links hold")
        if broken:
            sys.exit(1)
