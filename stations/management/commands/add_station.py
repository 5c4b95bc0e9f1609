"""Registers a station; prints its address and its password once."""

from __future__ import annotations

import re
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from stations.models import Concession, Operator, Station
from stations.models.site import OcppVersion
from stations.services import add_station


class Command(BaseCommand):
    help = "Registers a station and prints its OCPP address and password, once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("identity", metavar="ID")
        parser.add_argument("--operator", required=True, metavar="SLUG")
        parser.add_argument("--municipality", required=True, metavar="SLUG")
        parser.add_argument("--ocpp", required=True, choices=OcppVersion.values)
        parser.add_argument("--password", help="chosen; without it one is generated")
        parser.add_argument("--connection", default="3x25", help="phases x ampere, as in 3x25")
        parser.add_argument("--name", default="", help="street name and number, for people")

    def handle(self, **options: Any) -> None:
        phases, ampere = _connection(options["connection"])
        operator = Operator.objects.filter(slug=options["operator"]).first()
        if operator is None:
            raise CommandError(f"No operator {options['operator']!r}. There are: {_slugs(Operator)}.")
        try:
            station, password = add_station(
                identity=options["identity"],
                operator=operator,
                concession=_concession(options["municipality"], operator),
                ocpp_version=options["ocpp"],
                name=options["name"],
                connection_phases=phases,
                connection_a=ampere,
                password=options["password"],
                now=timezone.now(),
            )
        except ValidationError as error:
            problems = [f"{field}: {' '.join(said)}" for field, said in error.message_dict.items()]
            raise CommandError("; ".join(problems)) from None
        self.stdout.write(f"address  {ocpp_address(station)}")
        self.stdout.write(f"password {password}")


def ocpp_address(station: Station) -> str:
    """Where the station connects to: the portal's address, as a websocket."""
    return f"{re.sub('^http', 'ws', settings.PUBLIC_URL.rstrip('/'))}/ocpp/{station.identity}"


def _concession(municipality: str, operator: Operator) -> Concession:
    """The municipality's concession that the operator works in; the newest where there are more."""
    concessions = Concession.objects.filter(municipality__slug=municipality)
    found: Concession | None = concessions.filter(operators=operator).order_by("-starts_on").first()
    if found is None:
        raise CommandError(f"Operator {operator.slug!r} has no concession of municipality {municipality!r}.")
    return found


def _connection(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([1-3])x(\d{1,4})", text)
    if match is None:
        raise CommandError(f"--connection {text!r}: phases x ampere, as in 3x25")
    return int(match[1]), int(match[2])


def _slugs(model: type[Operator]) -> str:
    return ", ".join(model.objects.values_list("slug", flat=True)) or "none"
