"""A passkey in a real browser, with a virtual authenticator of Chromium: set up, used, refused, removed."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import NARROW, People, Person
from tests.e2e.test_journeys import nl

pytestmark = pytest.mark.e2e
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
}


def test_a_passkey_opens_the_portal_and_a_finger_that_is_not_right_does_not(people: People) -> None:
    with people.visit("operator", size=NARROW) as person:
        page = person.page
        device = page.context.new_cdp_session(page)
        device.send("WebAuthn.enable")
        key = device.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})["authenticatorId"]

        _opens_after_password(person, "/account/2fa/webauthn/add/")
        page.locator("input[name=passwordless]").check()
        page.get_by_role("button", name=nl("Add"), exact=True).click()
        expect(page.locator("h2")).to_have_text(nl("Recovery codes"))

        _signs_out(person)
        device.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": False})
        _uses_passkey(page)
        expect(page.locator("#key-problem")).to_be_visible()
        expect(page.locator("#key-problem [data-part=unsupported]")).to_be_hidden()

        device.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": True})
        _uses_passkey(page)
        page.wait_for_url(lambda url: "/account/" not in url)

        # As it was: other journeys sign in without it.
        _opens_after_password(person, "/account/2fa/webauthn/")
        remove = page.locator("a[href$='/remove/']").get_attribute("href")
        assert remove
        _opens_after_password(person, remove)
        page.locator("main form button[type=submit]").click()
        expect(page.locator("main")).to_contain_text(nl("You have no passkey yet"))
        person.demo.states["operator"] = page.context.storage_state()
        assert not person.complaints


def _opens_after_password(person: Person, path: str) -> None:
    person.opens(path)
    if "/reauthenticate/" in person.page.url:
        if person.page.locator("input[name=password]").count() == 0:
            person.page.locator("a[href*='/account/reauthenticate/']").click()
        person.page.locator("input[name=password]").fill(person.demo.passwords["operator"])
        person.page.locator("main form button[type=submit]").click()
    if path not in person.page.url:
        person.opens(path)


def _signs_out(person: Person) -> None:
    person.opens("/account/logout/")
    person.page.locator("main form button").click()
    person.page.wait_for_url("**/account/login/")


def _uses_passkey(page: Page) -> None:
    page.get_by_role("button", name=nl("Sign in with a passkey")).click()
