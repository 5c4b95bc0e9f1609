"""Prints an API token of a user, for scripts."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rest_framework.authtoken.models import Token

from portal.accounts.models import User


class Command(BaseCommand):
    help = "Prints an API token of the user with this e-mail address; the same one each time."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")

    def handle(self, *, email: str, **_: Any) -> None:
        user = User.objects.filter(email__iexact=email).first()
        if user is None:
            raise CommandError(f"No user with e-mail address {email!r}.")
        self.stdout.write(Token.objects.get_or_create(user=user)[0].key)
