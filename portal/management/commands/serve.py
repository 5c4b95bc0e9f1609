"""`manage.py serve`: the portal as it runs in production, pages and stations on one port."""

from __future__ import annotations

from typing import Any

import uvicorn
from django.core.management.base import BaseCommand, CommandParser

from portal.serving import server_config


class Command(BaseCommand):
    help = "Serves pages, API and the stations' sockets. Any number of these may run over one database and Redis."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        uvicorn.Server(server_config(host=options["host"], port=options["port"])).run()
