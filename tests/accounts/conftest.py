"""People who come in as people do: through the pages, with nothing in their hands but what they know."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client

PASSWORD = "een zin die niemand raadt"


@pytest.fixture(autouse=True)
def nobody_was_slowed_before() -> Iterator[None]:
    """Counts of attempts outlive a test's database."""
    cache.clear()
    yield
    cache.clear()


@dataclass
class Visitor:
    """A browser. `page` is what it shows, in English, its white space made plain."""

    client: Client = field(default_factory=lambda: Client(headers={"Accept-Language": "en"}))
    answer: Any = None

    def opens(self, path: str, **query: Any) -> HttpResponse:
        self.answer = self.client.get(path, query)
        return self._follow()

    def sends(self, path: str, **said: Any) -> HttpResponse:
        self.answer = self.client.post(path, said)
        return self._follow()

    def signs_in(self, email: str, password: str = PASSWORD, **more: Any) -> HttpResponse:
        return self.sends("/account/login/", login=email, password=password, **more)

    def _follow(self) -> HttpResponse:
        """Where the browser ends up within the portal; an address elsewhere is not visited."""
        while self.answer.status_code in (301, 302) and self.answer["Location"].startswith("/"):
            self.path = self.answer["Location"]
            self.answer = self.client.get(self.path)
        response: HttpResponse = self.answer
        return response

    @property
    def page(self) -> str:
        return " ".join(self.answer.content.decode().replace("\N{NO-BREAK SPACE}", " ").split())

    def is_signed_in(self) -> bool:
        return "_auth_user_id" in self.client.session


@pytest.fixture
def visitor(db: None) -> Visitor:
    return Visitor()


@pytest.fixture
def new_visitor(db: None) -> Callable[[], Visitor]:
    return Visitor


@pytest.fixture
def forced(settings: Any) -> None:
    """An installation that asks for a second factor."""
    settings.SECOND_FACTOR_REQUIRED = True


def link_mailed_to(email: str, within: str = "/account/") -> str:
    """The path of the link in the last mail to this address."""
    bodies = [str(message.body) for message in mail.outbox if email in message.to]
    assert bodies, f"no mail to {email}, but to {[message.to for message in mail.outbox]}"
    found = re.search(rf"https?://[^/\s]+({within}\S+)", bodies[-1])
    assert found, bodies[-1]
    return found[1]
