"""`manage.py verify_evidence`: recomputes the hash chain; exit 1 with the first broken link.

It also says which status its evidence does not carry, and names the last hash: who writes that down elsewhere can see
later that no link was cut off.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from portal.compliance import evidence, judgement
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
                continue
            rows_off = judgement.unfounded(concession, now=timezone.now())
            for row in rows_off:
                subject = row.station or row.operator
                self.stderr.write(
                    f"{concession.slug}: {row.requirement.code} of {subject} is {row.status}, "
                    "which its evidence does not say"
                )
            broken = broken or bool(rows_off)
            length, last = evidence.chain_end(concession)
            self.stdout.write(f"{concession.slug}: {length} links hold, the last is {last}")
        if broken:
            sys.exit(1)
