"""Lists in a real browser: their menus by keyboard, wide and narrow, and a form that brings one to what is wrong."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import NARROW, People
from tests.e2e.test_pages import look

pytestmark = pytest.mark.e2e


def test_columns_and_a_filter_are_kept_and_the_menus_are_accessible(people: People, axe: str) -> None:
    with people.visit("operator") as person:
        page = person.page
        heads = page.locator("th[scope=col]")
        person.opens("/stations/?version=1.6")
        usual = heads.count()
        page.locator("#stations-columns summary").press("Enter")
        page.locator("#stations-column-hardware").press("Space")
        page.locator("#stations-filters summary").press("Enter")
        assert not list(look(person, axe, shot="stations-menus"))
        with page.expect_navigation(url=lambda url: "columns=" in url):
            page.locator("#stations-columns button").first.press("Enter")
        assert "version=1.6" in page.url
        assert heads.count() == usual + 1
        page.locator("#stations-filters summary").press("Enter")
        page.locator("#stations-name").fill("Oude versie")
        page.locator("#stations-default").press("Space")
        with page.expect_navigation():
            page.locator("#stations-name").press("Enter")
        person.opens("/stations/")
        assert "version=1.6" in page.url
        assert page.locator(".laad-chip").count() == 1
        with page.expect_navigation(url=lambda url: "version=1.6" not in url):
            page.locator(".laad-chip").press("Enter")
        # As it was, for who comes after.
        page.locator("#stations-filters summary").press("Enter")
        with page.expect_navigation():
            page.locator("#stations-filters button[value=forget]").press("Enter")
        page.locator("#stations-columns summary").press("Enter")
        with page.expect_navigation():
            page.locator("#stations-columns button[name=usual]").press("Enter")
        assert heads.count() == usual
        assert not person.complaints


def test_on_a_phone_the_order_is_a_choice_of_its_own(people: People) -> None:
    with people.visit("operator", size=NARROW) as person:
        page = person.page
        person.opens("/stations/?filter=none")
        assert page.locator("#stations-sort").is_visible()
        page.locator("#stations-sort").select_option("-identity")
        with page.expect_navigation(url=lambda url: "sort=-identity" in url):
            page.locator("#stations-form button[type=submit]").press("Enter")
        links = page.locator("tbody th a").evaluate_all("links => links.map((link) => link.pathname)")
        assert len(links) > 1
        assert links == sorted(links, reverse=True)


def test_a_form_that_is_not_right_takes_the_focus_to_what_is_wrong(people: People, axe: str) -> None:
    with people.visit("anonymous") as person:
        page = person.page
        person.opens("/account/login/")
        with page.expect_navigation():
            page.locator("#id_login").press("Enter")
        assert page.locator("[data-error-summary]").evaluate("box => box === document.activeElement")
        page.locator("[data-error-summary] a").first.press("Enter")
        assert page.evaluate("document.activeElement.id") == "id_login"
        assert not list(look(person, axe))
