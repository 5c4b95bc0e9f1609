"""Prints an API token of a user, for scripts."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from portal.accounts import api_tokens
from portal.accounts.models import User
from stations.scopes import Scope


class Command(BaseCommand):
    help = "Prints a new API token of the user with this e-mail address, for all that the user may."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument(
            "--scope", action="append", choices=Scope.values, help="Only this; may be repeated."
        )

    def handle(self, *, email: str, scope: list[str] | None, **_: Any) -> None:
        user = User.objects.filter(email__iexact=email).first()
        if user is None:
            raise CommandError(f"No user with e-mail address {email!r}.")
        _row, key = api_tokens.make(
            user=user,
            name="manage.py api_token",
            scopes=scope or Scope.values,
            now=timezone.now(),
            is_whole=True,
        )
        self.stdout.write(key)
