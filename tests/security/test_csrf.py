"""No form, and no call of the API from a browser, is taken from another site's page."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.factories import make_api_key
from tests.pages.test_access import World
from tests.security.asking import BY_LINK, asked, lines, roles_that

pytestmark = pytest.mark.django_db

# Without a sign-in nobody can be led to it: a station follows a signed link, and the language is nobody's secret.
OPEN_TO_ALL = BY_LINK


def test_every_write_without_a_token_of_the_form_is_refused(world: World) -> None:
    browser = Client(enforce_csrf_checks=True, headers={"accept-language": "en"})
    taken = []
    for line in lines(writing=True):
        if line.address.startswith(OPEN_TO_ALL):
            continue
        role = (roles_that(line, "->", "200", "201", "202", "204", "422") or ["superuser"])[-1]
        with asked(line, world, role, client=browser) as answer:
            if answer.status_code != 403:
                taken.append(f"{line}: {answer.status_code}")
    assert taken == []


def test_a_token_of_another_site_is_refused(world: World) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.cookies = world.cookies["manager"]
    browser.cookies["csrftoken"] = "a" * 32
    body = {"policy": "", "csrfmiddlewaretoken": "a" * 32}
    path = f"/stations/{world.station.identity}/toegang/beleid/"
    headers = {"Origin": "https://elsewhere.example"}
    assert browser.post(path, body, headers=headers).status_code == 403
    assert browser.post(path, body, headers={"Origin": "http://testserver"}).status_code == 302


def test_a_token_of_the_api_needs_none(world: World) -> None:
    """A program has no cookies that a page could make use of."""
    program = Client(enforce_csrf_checks=True)
    key = make_api_key(world.rows["user"])
    path = "/api/v1/sessions/"
    assert program.get(path, headers={"Authorization": f"Token {key}"}).status_code == 200
    body = {"action": "Reset", "payload": {}}
    answer = program.post(
        f"/api/v1/stations/{world.station.identity}/commands/",
        body,
        content_type="application/json",
        headers={"Authorization": f"Token {key}"},
    )
    assert answer.status_code == 404  # a driver's: not refused for want of a form, but it has no such station
