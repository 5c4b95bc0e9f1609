"""`manage.py messages`: the Dutch catalogue, without gettext on the machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal import messages

PACKAGES = ("portal", "v2x", "smartcharging", "stations")


class Command(BaseCommand):
    help = (
        "Brings the Dutch catalogue up to date with the source, checks that it is complete, or compiles it."
    )
    # The catalogue is compiled during set-up, before anything that checks look at is in place.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--update", action="store_true", help="take new messages in, drop those that went")
        what.add_argument(
            "--check", action="store_true", help="exit 1 and name what is missing, fuzzy or obsolete"
        )
        what.add_argument("--compile", action="store_true", help="write the file that Django reads")

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(settings.LOCALE_PATHS[0]) / "nl" / "LC_MESSAGES" / "django.po"
        if options["compile"]:
            self.stdout.write(f"Compiled {messages.compile_catalog(path).relative_to(settings.BASE_DIR)}")
            return
        source = messages.extract_catalog(settings.BASE_DIR, PACKAGES)
        catalog = messages.update(path, source) if options["update"] else messages.read_catalog(path)
        faults = messages.faults(catalog, source)
        for fault in faults:
            self.stdout.write(fault)
        if faults and options["check"]:
            raise CommandError(
                f"The Dutch catalogue has {len(faults)} faults. `make messages` takes new messages in."
            )
        self.stdout.write(f"{len(source)} messages, {len(faults)} of them not yet right in Dutch")
