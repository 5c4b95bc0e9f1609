"""Which pages each kind of visitor has; those with a number in their address are found by following links."""

from __future__ import annotations

import re

from tests.e2e.conftest import Person

CONCESSION = "/naleving/voorbeeldstad-2026/"
GOOD, DEFECTIVE = "ALF-0001", "BET-0001"

FIXED = {
    "anonymous": ["/account/login/", "/account/inactive/", "/toegankelijkheid/", "/privacy/"],
    "official": [
        "/naleving/",
        CONCESSION,
        f"{CONCESSION}206/",
        f"{CONCESSION}206/?status=deviation",
        f"{CONCESSION}208/",
        "/steekproef/",
        "/steekproef/1/",
        "/stations/",
        f"/stations/{GOOD}/",
        f"/stations/{GOOD}/configuratie/",
        f"/stations/{DEFECTIVE}/naleving/",
    ],
    "operator": [
        "/stations/",
        "/stations/?q=nergens",
        f"/stations/{GOOD}/",
        f"/stations/{GOOD}/sessies/",
        f"/stations/{GOOD}/berichten/",
        f"/stations/{GOOD}/configuratie/",
        f"/stations/{GOOD}/naleving/",
        f"/stations/{GOOD}/limiet/",
        CONCESSION,
        "/api/v1/docs/",
    ],
    "driver": [
        "/mijn/sessies/",
        "/stations/",
        "/account/password/change/",
        "/account/logout/",
        "/no-such-page/",
    ],
    "admin": ["/stations/", "/beheer/"],
}
# Where to look for links to pages with a number in their address, and how many of them to take.
NUMBERED = {
    "official": (f"{CONCESSION}206/", r"/bewijs/\d+/$"),
    "driver": ("/mijn/sessies/", r"/mijn/sessies/\d+/$"),
}


def addresses(person: Person) -> list[str]:
    """The pages of this person's role; of numbered ones the first and the last that are linked to."""
    found: list[str] = []
    if person.role in NUMBERED:
        path, pattern = NUMBERED[person.role]
        person.opens(path)
        links = person.page.locator("main a[href]").evaluate_all(
            "links => links.map((link) => link.getAttribute('href'))"
        )
        numbered = [link for link in links if re.search(pattern, link)]
        assert numbered, f"{path} leads nowhere"
        found = list(dict.fromkeys([numbered[0], numbered[-1]]))
    return [*FIXED[person.role], *found]
