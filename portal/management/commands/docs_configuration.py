"""`manage.py docs_configuration`: the pages that are generated from the settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal import configuration, env


class Command(BaseCommand):
    help = "Writes docs/configuration.md and .env.example from the settings, or checks them."
    # It tells of the settings alone, and can do so before there are pages.
    requires_system_checks = []

    def pages(self) -> dict[Path, str]:
        """The generated files, by path."""
        return configuration.pages(env.REGISTRY, settings.BASE_DIR)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="write nothing; exit 1 when a page is out of date"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        pages = self.pages()
        stale = [path for path, text in pages.items() if not path.exists() or path.read_text() != text]
        names = ", ".join(path.relative_to(settings.BASE_DIR).as_posix() for path in stale)
        if stale and options["check"]:
            raise CommandError(f"Out of date: {names}. `make docs` writes them.")
        for path in stale:
            _write(path, pages[path])
        self.stdout.write(f"Written: {names}" if stale else "Up to date")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
