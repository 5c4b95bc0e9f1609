"""The frame of every page: who may see it, what it leads to, in which language, and what it lets the browser do."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import pytest
from django.contrib.staticfiles import finders
from django.template import Context, RequestContext, Template
from django.test import Client, RequestFactory
from django.utils import translation

from portal.compliance.models import Status
from portal.pages.icons import MARKS
from tests.factories import (
    make_concession,
    make_driver,
    make_official,
    make_operator,
    make_staff,
    make_superuser,
    make_token,
)

pytestmark = pytest.mark.django_db


def rendered(template: str, **context: Any) -> str:
    return Template("{% load laad measures %}" + template).render(Context(context))


# ---------------------------------------------------------------- who comes in
def test_a_visitor_is_asked_to_sign_in(client: Client) -> None:
    response = client.get("/", follow=True)
    assert response.redirect_chain[0][0] == "/account/login/?next=/"
    assert 'name="login"' in response.content.decode()


@pytest.mark.parametrize("path", ["/toegankelijkheid/", "/privacy/", "/account/login/"])
def test_public_pages_need_no_account(client: Client, path: str) -> None:
    assert client.get(path).status_code == 200


def test_a_wrong_password_is_said_beside_the_form(client: Client) -> None:
    make_official(email="official@example.test", password="right-and-long-enough")
    answer = client.post("/account/login/", {"login": "official@example.test", "password": "wrong"})
    assert "laad-error--form" in answer.content.decode()


def test_signing_out_is_confirmed(client: Client) -> None:
    client.force_login(make_driver())
    page = client.post("/account/logout/", follow=True).content.decode()
    assert "laad-alert--success" in page
    assert client.get("/").status_code == 302


def test_everyone_lands_on_the_page_with_their_answer(client: Client) -> None:
    make_concession(slug="stad", operators=(make_operator(),))
    doors = {
        make_official().pk: "/overzicht/",
        make_staff().pk: "/werkvoorraad/",
        make_token(user=make_driver()).user_id: "/mijn/laden/",
        make_driver().pk: "/account/",  # who has no card either is told whom to ask
        make_superuser().pk: "/werkvoorraad/",
    }
    for key, door in doors.items():
        client.force_login(_user(key))
        assert client.get("/").headers["Location"] == door


def _user(key: Any) -> Any:
    from portal.accounts.models import User

    return User.objects.get(pk=key)


def test_an_official_of_two_concessions_chooses(client: Client) -> None:
    make_concession(slug="noord")
    make_concession(slug="zuid")
    client.force_login(make_official())
    assert 'href="/naleving/"' in client.get("/", follow=True).content.decode()
    page = client.get("/naleving/").content.decode()
    assert "/naleving/noord/" in page
    assert "/naleving/zuid/" in page


def test_a_driver_is_shown_only_what_is_theirs(client: Client) -> None:
    client.force_login(make_driver())
    page = client.get("/toegankelijkheid/").content.decode()
    assert "/mijn/sessies/" in page
    assert "/naleving/" not in page
    assert 'href="/stations/"' not in page


def test_the_header_says_who_and_for_whom(client: Client) -> None:
    client.force_login(make_staff(operator=make_operator("beta"), name="Bram Vos"))
    page = client.get("/privacy/").content.decode()
    assert "Bram Vos" in page
    assert ">BV<" in page
    assert "Beta" in page


# ---------------------------------------------------------------- language
def test_the_language_can_be_changed_before_signing_in(client: Client) -> None:
    assert '<html lang="nl"' in client.get("/privacy/").content.decode()
    client.post("/taal/", {"language": "en", "next": "/privacy/"})
    assert '<html lang="en"' in client.get("/privacy/").content.decode()


# ---------------------------------------------------------------- what the browser may do
@pytest.mark.parametrize("path", ["/account/login/", "/privacy/", "/toegankelijkheid/"])
def test_pages_obey_their_own_policy(client: Client, path: str) -> None:
    response = client.get(path)
    page = response.content.decode()
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert " style=" not in page
    assert "<style" not in page
    assert "<script>" not in page
    assert "onclick" not in page


def test_every_file_that_the_frame_names_is_there(client: Client) -> None:
    page = client.get("/account/login/").content.decode()
    named = [unquote(part.split('"')[0]) for part in page.split("/static/")[1:]]
    assert len(named) >= 9
    assert [name for name in named if finders.find(name) is None] == []


def test_what_is_not_named_is_not_served() -> None:
    assert finders.find("vendor/htmx.org/package.json") is None
    assert finders.find("vendor/../package.json") is None


def test_a_page_that_does_not_exist_helps(client: Client) -> None:
    client.force_login(make_driver())
    response = client.get("/bestaat-niet/")
    assert response.status_code == 404
    assert 'class="laad-oops__code"' in response.content.decode()


@pytest.mark.parametrize("name", ["400.html", "500.html", "403_csrf.html"])
def test_error_pages_lean_on_nothing(name: str) -> None:
    from django.template.loader import render_to_string

    assert 'href="/"' in render_to_string(name)


# ---------------------------------------------------------------- components
@pytest.mark.parametrize("status", [*Status.values, "not_promised"])
def test_every_status_has_a_mark_with_icon_and_word(status: str) -> None:
    html = rendered("{% mark status %}", status=status)
    assert "<svg" in html
    assert str(MARKS[status].label) in html


def test_no_two_statuses_share_an_icon() -> None:
    icons = [mark.icon for mark in MARKS.values()]
    assert len(icons) == len(set(icons)) == len(Status.values) + 1


def test_what_people_type_is_escaped_in_a_mark() -> None:
    assert "<b>" not in rendered('{% sign "good" text %}', text="<b>")


@pytest.mark.parametrize(
    ("text", "value", "said"),
    [
        ("{{ value|kw }}", 11_040, "11,0\xa0kW"),
        ("{{ value|kwh }}", 12_345, "12,35\xa0kWh"),
        ("{{ value|ampere }}", 16.0, "16\xa0A"),
        ("{{ value|ampere }}", 12.5, "12,5\xa0A"),
        ("{{ value|limit:'W' }}", 3_680, "3,7\xa0kW"),
        ("{{ value|limit:'A' }}", None, "\N{EN DASH}"),
        ("{{ value|euro }}", Decimal("4.5"), "€\xa04,50"),
        ("{{ value|duration }}", 50, "50\xa0s"),
        ("{{ value|duration }}", 1860, "31\xa0min"),
        ("{{ value|figure }}", 6, "6"),
        ("{{ value|figure }}", 0.25, "0,3"),
    ],
)
def test_numbers_are_written_as_in_dutch(text: str, value: Any, said: str) -> None:
    with translation.override("nl"):
        assert rendered(text, value=value) == said


def test_times_are_of_amsterdam_in_24_hours() -> None:
    at = dt.datetime(2026, 10, 25, 1, 30, 5, tzinfo=dt.UTC)  # the second 02:30 of that night
    with translation.override("nl"):
        assert rendered("{{ at|clock }} {{ at|clock_s }} {{ at|day }}", at=at) == (
            "02:30 02:30:05 zondag 25 oktober 2026"
        )


def test_pages_of_a_list_keep_the_filters() -> None:
    from django.core.paginator import Paginator

    request = RequestFactory().get("/stations/", {"status": "deviation", "page": "2"})
    page = Paginator(range(60), 20).get_page(2)
    html = Template("{% load laad %}{% pagination page %}").render(RequestContext(request, {"page": page}))
    assert "?status=deviation&amp;page=3" in html
    assert 'aria-current="page"' in html
