"""`manage.py docs_ocpp_actions`: the page that says what is done with every action of OCPP, generated from the code."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from portal import ocpp_actions
from portal.management.commands.docs_configuration import Command as GeneratedPages


class Command(GeneratedPages):
    help = "Writes docs/ocpp-actions.md from the schemas and the code, or checks it."

    def pages(self) -> dict[Path, str]:
        return ocpp_actions.pages(settings.BASE_DIR)
