"""Nobody is led away from the portal by an address that somebody else wrote."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client

from tests.factories import make_superuser
from tests.pages.test_access import World
from tests.security.asking import asked, lines, roles_that

pytestmark = pytest.mark.django_db

AWAY = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example/",
    "https:evil.example/",
    "http:///evil.example/",
    "javascript:alert(1)",
    "https://testserver@evil.example/",
    "https://testserver.evil.example/",
    "\thttps://evil.example/",
]
PASSWORD = "right-and-long-enough"


def leads_away(location: str) -> bool:
    """As a browser reads it: white space before it goes, and a backslash is a stroke."""
    plain = location.strip().replace("\\", "/")
    return plain.startswith("//") or not plain.startswith("/")


@pytest.mark.parametrize("next_", AWAY)
def test_signing_in_leads_nowhere_else(next_: str) -> None:
    make_superuser("root@example.test", password=PASSWORD)
    for path, name in (("/account/login/", "login"), ("/beheer/login/", "username")):
        for where in ({"path": f"{path}?next={next_}"}, {"path": path, "next": next_}):
            body = {name: "root@example.test", "password": PASSWORD, "next": where.get("next", "")}
            answer = Client().post(where["path"], {key: value for key, value in body.items() if value})
            assert not answer.has_header("Location") or not leads_away(answer["Location"])
            assert answer.status_code < 500


@pytest.mark.parametrize("next_", AWAY)
def test_signing_out_changing_the_language_or_a_password_leads_nowhere_else(next_: str) -> None:
    cache.clear()  # so many changes of a password are slowed down
    client = Client()
    client.force_login(make_superuser("root@example.test", password=PASSWORD))
    language = client.post("/taal/", {"language": "en", "next": next_})
    assert not leads_away(language["Location"])
    fresh = {"oldpassword": PASSWORD, "password1": "another-and-longer", "password2": "another-and-longer"}
    changed = client.post(f"/account/password/change/?next={next_}", {**fresh, "next": next_})
    assert changed.status_code == 302
    assert not leads_away(changed["Location"])
    out = client.post("/account/logout/", {"next": next_})
    assert not leads_away(out["Location"])


def test_a_place_within_the_portal_is_followed() -> None:
    client = Client()
    client.force_login(make_superuser())
    assert client.post("/taal/", {"language": "en", "next": "/stations/"})["Location"] == "/stations/"


def test_no_address_of_the_portal_takes_a_next_of_elsewhere(world: World) -> None:
    led = []
    for line in lines(writing=True):
        for role in roles_that(line, "->")[-1:]:
            with asked(line, world, role, extra={"next": "https://evil.example/"}) as answer:
                if leads_away(answer["Location"]):
                    led.append(f"{line}: {answer['Location']}")
    assert led == []
