"""The description of the API is made without a warning, so that a generated client gets the names we chose."""

from __future__ import annotations

from pathlib import Path

from django.core.management import call_command


def test_the_description_of_the_api_has_nothing_to_warn_of(tmp_path: Path) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yml"))
