"""`manage.py composite_schedule`: the composite schedule of one vector, or of many. Needs no database."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from smartcharging.domain.fields import MalformedProfile
from smartcharging.domain.vectors import answer

MALFORMED = 2  # exit code


class Command(BaseCommand):
    """Reads JSON, prints JSON; for malformed input one line that names the field, and exit 2."""

    help = (
        'Computes the composite schedule of a vector, of a list of vectors or of {"vectors": [...]}, '
        "given as JSON on standard input or in a file."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--file", type=Path, help="read this file instead of standard input")

    def handle(self, *_args: Any, file: Path | None, **_options: Any) -> None:
        try:
            document = json.loads(file.read_bytes() if file else sys.stdin.buffer.read())
        except OSError as error:
            raise CommandError(f"--file: {error.strerror}: {file}", returncode=MALFORMED) from None
        except (ValueError, RecursionError) as error:  # ValueError: also not UTF-8, also an endless number
            raise CommandError(f"input: not JSON: {error}", returncode=MALFORMED) from None
        try:
            composites = answer(document)
        except MalformedProfile as malformed:
            raise CommandError(str(malformed), returncode=MALFORMED) from None
        self.stdout.write(json.dumps(composites, indent=1))
