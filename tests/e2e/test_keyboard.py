"""By keyboard alone: where one is can be seen, and every main action is reached."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation
from playwright.sync_api import Page, expect

from tests.e2e.addresses import CONCESSION
from tests.e2e.conftest import People

pytestmark = pytest.mark.e2e

# A part within a control of the browser (the calendar of a date field) has the browser's own ring.
FOCUSED = """() => {
  const at = document.activeElement, style = getComputedStyle(at);
  const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  return { name: at.name || "", text: (at.innerText || "").trim().split("\\n")[0], tag: at.tagName,
    id: at.id, html: at.outerHTML.slice(0, 120), isSeen: ring || style.boxShadow !== "none" || !at.matches(":focus") };
}"""


def tab(page: Page) -> dict[str, Any]:
    """One step on; whoever cannot see where the focus is has lost it."""
    page.keyboard.press("Tab")
    focused: dict[str, Any] = page.evaluate(FOCUSED)
    assert focused["tag"] == "BODY" or focused["isSeen"], f"no visible focus: {focused['html']}"
    return focused


def tab_to(page: Page, *, name: str = "", text: str = "", most: int = 80) -> None:
    for _ in range(most):
        focused = tab(page)
        if (name and focused["name"] == name) or (text and focused["text"] == text):
            return
    raise AssertionError(f"{name or text} is not reached in {most} steps from the top of {page.url}")


def nl(text: str) -> str:
    with translation.override("nl"):
        return translation.gettext(text)


@pytest.mark.parametrize(
    ("role", "path"),
    [
        ("official", CONCESSION),
        ("operator", "/stations/"),
        ("driver", "/mijn/sessies/"),
        ("anonymous", "/account/login/"),
    ],
)
def test_the_first_tab_leads_past_the_menu(people: People, role: str, path: str) -> None:
    with people.visit(role) as person:
        person.opens(path)
        if role == "anonymous":
            person.page.locator("body").evaluate("document.activeElement.blur()")
        first = tab(person.page)
        assert first["text"] == nl("To the content")
        expect(person.page.locator(".utrecht-skip-link")).to_be_in_viewport()
        person.page.keyboard.press("Enter")
        assert person.page.evaluate("document.activeElement.id") == "main"


def test_a_limit_is_set_without_a_mouse(people: People) -> None:
    with people.visit("operator") as person:
        page = person.page
        person.opens("/stations/ALF-0002/")
        tab_to(page, text=nl("Set a limit"))
        page.keyboard.press("Enter")
        page.wait_for_url("**/limiet/")
        tab_to(page, name="form-0-limit")
        page.keyboard.type("13")
        tab_to(page, name="name")
        page.keyboard.type("Zonder muis")
        tab_to(page, name="stack_level")
        page.keyboard.press("Control+a")
        page.keyboard.type("8")
        tab_to(page, text=nl("Set the limit"))
        page.keyboard.press("Enter")
        row = page.get_by_role("row").filter(has_text="Zonder muis")
        expect(row).to_contain_text(nl("Confirmed"), timeout=20_000)
        row.get_by_role("button").focus()
        page.keyboard.press("Enter")
        expect(page.locator(".laad-limit")).not_to_contain_text("Zonder muis", timeout=20_000)


def test_evidence_is_judged_without_a_mouse(people: People) -> None:
    with people.visit("official") as person:
        page = person.page
        person.opens(CONCESSION)
        tab_to(page, text="Stacken laadprofielen")
        page.keyboard.press("Enter")
        page.wait_for_url("**/206/")
        page.get_by_role("main").locator("a[href^='/bewijs/']").first.focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/bewijs/**")
        tab_to(page, name="reason", most=300)
        page.keyboard.type("Gelezen en gewogen, zonder muis.")
        tab_to(page, text=nl("Record the judgement"))
        page.keyboard.press("Enter")
        expect(page.get_by_text(nl("Your judgement is recorded."))).to_be_visible()
