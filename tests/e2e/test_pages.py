"""Every page of every role, in both languages, wide and narrow: what axe, the browser and a Dutch reader find wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from babel.messages.pofile import read_po

from tests.e2e.addresses import FIXED, numbered
from tests.e2e.conftest import NARROW, ROOT, WIDE, People, Person

pytestmark = pytest.mark.e2e

CATALOGUE = ROOT / "portal" / "locale" / "nl" / "LC_MESSAGES" / "django.po"
# A role's pages in parts, so that two browsers have about as much to do. Part 0 has those with a number too.
AT_ONCE = 10
PARTS = [(role, part) for role, paths in FIXED.items() for part in range(-(-len(paths) // AT_ONCE))]
SMALLEST = {"width": 320, "height": 640}  # WCAG 1.4.10: no scrolling in two directions at 320 px


@pytest.fixture(scope="session")
def english_only() -> frozenset[str]:
    """English texts that a Dutch page must not show: whole messages that read otherwise in Dutch."""
    with CATALOGUE.open("rb") as file:
        messages = {message.id: message.string for message in read_po(file) if message.id}
    dutch = set(map(str, messages.values()))
    texts = {text for text in messages if isinstance(text, str) and "%" not in text}
    return frozenset(texts - dutch)


@pytest.mark.parametrize(("role", "part"), PARTS)
def test_pages_are_accessible_whole_and_in_ones_language(
    people: People, axe: str, english_only: frozenset[str], role: str, part: int
) -> None:
    wrong: list[str] = []
    with people.visit(role) as person:
        paths = FIXED[role][part * AT_ONCE : (part + 1) * AT_ONCE]
        for path in [*paths, *(() if part else numbered(person))]:
            person.opens(path)
            wrong += [f"{path}: in English: {text!r}" for text in in_english(person, english_only)]
            wrong += [f"{path} {problem}" for problem in look(person, axe, shot=path)]
            switch_to_english(person, path)
            wrong += [f"{path} {problem}" for problem in look(person, axe)]
            switch_back(person)
        expected = "the server responded with a status of 404"  # the page that is not there
        wrong += [text for text in person.complaints if not ("/no-such-page/" in text and expected in text)]
    assert not wrong, "\n".join(wrong)


def look(person: Person, axe: str, *, shot: str = "") -> Iterator[str]:
    """What is wrong with the page as it stands, at each width."""
    page = person.page
    language = page.locator("html").get_attribute("lang")
    page.evaluate(axe)
    for size in (WIDE, NARROW, SMALLEST):
        page.set_viewport_size({"width": size["width"], "height": size["height"]})
        scrolls = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        if scrolls:
            yield f"{language} {size['width']}: scrolls sideways"
        if size is SMALLEST:
            continue
        for violation in page.evaluate("axe.run({ resultTypes: ['violations'] })")["violations"]:
            yield f"{language} {size['width']}: {said(violation)}"
        if shot:
            person.shot(shot)
    page.set_viewport_size({"width": WIDE["width"], "height": WIDE["height"]})


def said(violation: dict[str, Any]) -> str:
    nodes = violation["nodes"]
    return f"{violation['id']} ({len(nodes)} x): {nodes[0]['html'][:160]}"


def in_english(person: Person, english_only: frozenset[str]) -> list[str]:
    """Texts of the page that are word for word an English message. A name that is data may be anything, and what went
    over the wire is shown as it was said."""
    texts: list[str] = person.page.evaluate(
        """() => {
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          const found = [];
          while (walker.nextNode()) {
            const parent = walker.currentNode.parentElement;
            const isData = parent.closest("script, style, [lang=en], [translate=no], pre, .laad-mono, .laad-said dd");
            if (!isData) found.push(walker.currentNode.data);
          }
          for (const named of document.querySelectorAll("[aria-label], [placeholder], [title]"))
            found.push(...["aria-label", "placeholder", "title"].map((name) => named.getAttribute(name) ?? ""));
          return found;
        }"""
    )
    plain = {re.sub(r"\s+", " ", text).strip() for text in texts}
    return sorted(plain & english_only)


def switch_to_english(person: Person, path: str) -> None:
    """By the switch of the page itself; one stays on the page. Django's own admin follows the choice."""
    page = person.page
    assert page.locator("html").get_attribute("lang") == "nl", path
    switch = page.locator(".laad-language button")
    if switch.count():
        switch.click()
        page.wait_for_load_state()
        assert page.url == person.demo.url + path, "the switch leads elsewhere"
    else:
        speak(person, "en")
        page.reload()
    assert (page.locator("html").get_attribute("lang") or "").startswith("en"), path


def switch_back(person: Person) -> None:
    speak(person, "nl")


def speak(person: Person, language: str) -> None:
    person.page.context.add_cookies([{"name": "django_language", "value": language, "url": person.demo.url}])


def test_the_look_itself_sees_what_is_wrong(people: People, axe: str, english_only: frozenset[str]) -> None:
    with people.visit("anonymous") as person:
        person.opens("/privacy/")
        assert not list(look(person, axe))
        english = min(english_only)
        person.page.locator("main").evaluate(
            """(main, text) => { main.append(document.createElement("select"), text);
              main.style.inlineSize = "2000px"; document.head.append(document.createElement("style"));
              const script = document.createElement("script"); script.text = "1"; document.head.append(script); }""",
            english,
        )
        found = "\n".join(look(person, axe))
        assert "select-name" in found
        assert "scrolls sideways" in found
        assert in_english(person, english_only) == [english]
        assert any("content policy: script-src" in line for line in person.complaints)
