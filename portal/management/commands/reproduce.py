"""`manage.py reproduce`: judges stored evidence again from what it stores; exit 1 with the first that differs."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet
from django.utils.translation import override

from portal.compliance import reproduce
from portal.compliance.models import Evidence
from stations.models import Concession


class Command(BaseCommand):
    help = "Judges stored evidence again and compares verdict, finding, figures and frames. Without ids: all of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("evidence_id", nargs="*", type=int)
        parser.add_argument("--concession", metavar="SLUG")
        parser.add_argument("--json", action="store_true", dest="as_json", help="print a list of objects")

    def handle(self, *args: Any, **options: Any) -> None:
        with override("en"):
            found = [reproduce.as_json(reproduce.reproduce(row)) for row in _rows(options).iterator()]
        if options["as_json"]:
            self.stdout.write(json.dumps(found, indent=2, ensure_ascii=False))
        else:
            self.stdout.write(reproduce.tally(found))
        first = next((row for row in found if not row["same"]), None)
        if first is not None:
            what = "; ".join(
                f"{item['what']} was {item['then']}, is {item['now']}" for item in first["differences"]
            )
            engines = f"{first['engine_then']}, now {first['engine']}"
            place = f"{first['concession']}, link {first['sequence']} (evidence {first['evidence']})"
            self.stderr.write(f"{place}: {what} ({engines})")
            sys.exit(1)


def _rows(options: dict[str, Any]) -> QuerySet[Evidence]:
    rows = Evidence.objects.select_related("requirement", "concession").order_by("concession", "sequence")
    if options["concession"]:
        if not Concession.objects.filter(slug=options["concession"]).exists():
            raise CommandError(f"no concession {options['concession']}")
        rows = rows.filter(concession__slug=options["concession"])
    wanted = set(options["evidence_id"])
    if wanted:
        rows = rows.filter(pk__in=wanted)
        missing = wanted - set(rows.values_list("pk", flat=True))
        if missing:
            raise CommandError(f"no evidence {', '.join(map(str, sorted(missing)))}")
    return rows
