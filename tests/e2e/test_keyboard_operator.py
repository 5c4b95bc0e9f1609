"""The daily work of an operator without a mouse: commands, configuration, roll-outs, messages, monitors.

Each ends with what axe finds on the page that it led to, for these pages have no address before somebody made them.
"""

from __future__ import annotations

import re

import pytest
from django.utils import translation
from playwright.sync_api import Page, expect

from tests.e2e.conftest import People, Person
from tests.e2e.test_keyboard import nl, tab, tab_to
from tests.e2e.test_pages import look

pytestmark = pytest.mark.e2e

SOON_MS = 30_000  # a station's answer, and the page that hears of it
STATION, OF_2X = "ALF-0001", "ALF-0003"


def nl_many(text: str, n: int) -> str:
    with translation.override("nl"):
        return translation.ngettext(text, text, n) % {"n": n}


def enter(page: Page) -> None:
    page.keyboard.press("Enter")


def chooses_last(page: Page) -> None:
    """Of a list that has the focus."""
    page.keyboard.press("End")


def is_clean(person: Person, axe: str) -> None:
    assert not list(look(person, axe))


def test_a_command_is_given_and_confirmed(people: People, axe: str) -> None:
    with people.visit("operator") as person:
        page = person.page
        person.opens(f"/stations/{STATION}/opdrachten/")
        tab_to(page, text=nl("Forget the cards it knows"))
        enter(page)
        page.wait_for_url("**/nieuw/clear-cache/")
        tab_to(page, text=nl("Empty the memory of cards"))
        enter(page)
        expect(page.get_by_role("alert")).to_contain_text(nl("Are you sure?"))
        is_clean(person, axe)
        tab_to(page, text=nl("Empty the memory of cards"))
        enter(page)
        page.wait_for_url("**/opdrachten/")
        row = page.get_by_role("row").filter(has_text="ClearCache").first
        expect(row).to_contain_text(nl("accepted"), timeout=SOON_MS)


def test_a_key_is_changed(people: People, axe: str) -> None:
    with people.visit("operator") as person:
        page = person.page
        person.opens(f"/stations/{STATION}/configuratie/")
        tab_to(page, name="q")
        page.keyboard.type("MinimumStatusDuration")
        enter(page)
        page.wait_for_url("**q=MinimumStatusDuration**")
        tab_to(page, name="value")
        page.keyboard.press("Space")
        tab_to(page, text=nl("Change the chosen values"))
        enter(page)
        page.wait_for_url("**/wijzigen/**")
        is_clean(person, axe)
        field = page.get_by_label("MinimumStatusDuration")
        tab_to(page, name=field.get_attribute("name") or "")
        page.keyboard.press("Control+a")
        page.keyboard.type("3" if field.input_value() != "3" else "4")
        tab_to(page, text=nl("Send to the station"))
        enter(page)
        page.wait_for_url(re.compile(r"/configuratie/(\?.*)?$"))
        changed = page.get_by_role("table", name=nl("Changed last")).get_by_role("row").nth(1)
        expect(changed).to_contain_text("MinimumStatusDuration")
        expect(changed).to_contain_text(nl("accepted, counts after a restart"), timeout=SOON_MS)


def test_a_template_is_made_and_rolled_out(people: People, axe: str) -> None:
    with people.visit("operator") as person:
        page = person.page
        person.opens(f"/stations/{STATION}/configuratie/vergelijken/")
        tab_to(page, text=nl("Make a template of this station"))
        enter(page)
        page.wait_for_url("**/nieuw/**")
        tab_to(page, text=nl("Make the template"))
        enter(page)
        page.wait_for_url(re.compile(r"/configuratie/\d+/$"))
        is_clean(person, axe)
        tab_to(page, text=nl("Roll out"))
        enter(page)
        page.wait_for_url("**/uitrollen/")
        tab_to(page, name="q")
        page.keyboard.type(STATION)
        enter(page)
        page.wait_for_url(f"**q={STATION}**")
        is_clean(person, axe)
        tab_to(page, text=nl_many("Send to %(n)s station", 1))
        enter(page)
        page.wait_for_url(re.compile(r"/rondes/\d+/$"))
        expect(page.locator("#rollout-live h2")).not_to_contain_text(nl("Running"), timeout=SOON_MS)
        is_clean(person, axe)


def test_the_log_is_filtered_and_a_pair_is_opened(people: People) -> None:
    with people.visit("operator") as person:
        page = person.page
        person.opens(f"/stations/{STATION}/berichten/")
        tab_to(page, name="action")
        page.keyboard.type("BootNotification")
        enter(page)
        page.wait_for_url("**action=BootNotification**")
        summary = page.locator(".laad-frames summary").first
        for _ in range(80):
            if tab(page)["id"] == summary.get_attribute("id"):
                break
        expect(summary).to_be_focused()
        enter(page)
        opened = page.locator(".laad-frames details[open]")
        expect(opened.locator("pre").first).to_contain_text("chargePointVendor")
        # What happens meanwhile is drawn, and neither closes the pair nor takes the focus away.
        page.evaluate("htmx.trigger(document.getElementById('live'), 'laad:poll')")
        page.wait_for_load_state("networkidle")
        expect(summary).to_be_focused()
        expect(opened).to_have_count(1)


def test_a_monitor_is_added(people: People, axe: str) -> None:
    with people.visit("operator") as person:
        page = person.page
        person.opens(f"/stations/{OF_2X}/bewaking/")
        tab_to(page, text=nl("New monitor"))
        enter(page)
        page.wait_for_url("**/bewaking/nieuw/")
        tab_to(page, name="variable")
        chooses_last(page)
        place = page.locator("[name=variable] option:checked").inner_text()
        tab_to(page, name="value")
        page.keyboard.type("5")
        tab_to(page, text=nl("Add the monitor"))
        enter(page)
        page.wait_for_url("**/bewaking/")
        expect(page.get_by_role("table", name=nl("Monitors"))).to_contain_text(place.rpartition(".")[2])
        is_clean(person, axe)


def test_a_live_page_keeps_the_focus_on_what_has_no_id(people: People) -> None:
    with people.visit("operator") as person:
        page = person.page
        person.opens(f"/stations/{STATION}/opdrachten/")
        tab_to(page, text=nl("Unlock a cable"))
        with page.expect_response(lambda response: "opdrachten" in response.url):
            page.evaluate("htmx.trigger(document.getElementById('live'), 'laad:poll')")
        focused = page.locator("#live a:focus")
        expect(focused).to_have_text(nl("Unlock a cable"))
