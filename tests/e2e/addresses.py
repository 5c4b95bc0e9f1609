"""Which pages each kind of visitor has; those with a number in their address are found by following links."""

from __future__ import annotations

import re

from tests.e2e.conftest import Person

CONCESSION = "/naleving/voorbeeldstad-2026/"
GOOD, DEFECTIVE, OF_2X = "ALF-0001", "BET-0001", "ALF-0003"

FIXED = {
    "anonymous": [
        "/account/login/",
        "/account/inactive/",
        "/account/signup/",
        "/account/password/reset/",
        "/toegankelijkheid/",
        "/privacy/",
    ],
    "official": [
        "/overzicht/",
        "/overzicht/?what=waiting",
        "/laadobjecten/",
        "/laadobjecten/?requirement=206&standing=not",
        "/laadobjecten/?view=map",
        "/gebruik/",
        f"{CONCESSION}?per=station_type",
        "/naleving/",
        CONCESSION,
        f"{CONCESSION}206/",
        f"{CONCESSION}206/?status=deviation",
        f"{CONCESSION}206/bewijs/",
        f"{CONCESSION}207/",
        f"{CONCESSION}208/",
        f"{CONCESSION}211/",
        "/steekproef/",
        "/steekproef/1/",
        "/stations/",
        f"/stations/{GOOD}/",
        f"/stations/{GOOD}/registers/",
        f"/stations/{GOOD}/waarom/?socket=1",
        f"/stations/{GOOD}/configuratie/",
        f"/stations/{DEFECTIVE}/naleving/",
        f"/stations/{DEFECTIVE}/naleving/bewijs/",
        "/logboek/",
        "/meldingen/",
        "/meldingen/voorkeuren/",
    ],
    "operator": [
        "/meldingen/",
        "/meldingen/voorkeuren/",
        "/webhooks/",
        "/webhooks/nieuw/",
        "/account/tokens/",
        "/werkvoorraad/",
        "/werkvoorraad/?show=aside",
        "/sessies/",
        "/sessies/?state=limited",
        "/tarieven/",
        "/configuratie/kiezen/?q=ALF",
        "/stations/",
        "/stations/?q=nergens",
        f"/stations/{GOOD}/",
        f"/stations/{GOOD}/waarom/",
        f"/stations/{GOOD}/teruggelezen/",
        f"/stations/{GOOD}/sessies/",
        f"/stations/{GOOD}/opdrachten/",
        f"/stations/{GOOD}/berichten/",
        f"/stations/{GOOD}/configuratie/",
        f"/stations/{GOOD}/naleving/",
        f"/stations/{GOOD}/limiet/",
        f"/stations/{GOOD}/opdrachten/nieuw/clear-cache/",
        f"/stations/{GOOD}/opdrachten/nieuw/firmware/",
        f"/stations/{GOOD}/berichten/?view=readable",
        f"/stations/{GOOD}/configuratie/vergelijken/",
        f"/stations/{GOOD}/configuratie/wijzigen/",
        f"/stations/{GOOD}/toegang/",
        f"/stations/{GOOD}/beveiliging/",
        f"/stations/{GOOD}/beveiliging/certificaten/",
        f"/stations/{GOOD}/beveiliging/profiel/",
        f"/stations/{GOOD}/verbinding/",
        f"/stations/{GOOD}/bestanden/",
        f"/stations/{GOOD}/bestanden/firmware/",
        f"/stations/{GOOD}/registers/",
        f"/stations/{GOOD}/registers/?view=quarters",
        f"/stations/{OF_2X}/configuratie/",
        f"/stations/{OF_2X}/bewaking/",
        f"/stations/{OF_2X}/bewaking/opgemerkt/",
        f"/stations/{OF_2X}/bewaking/nieuw/",
        "/passen/",
        "/logboek/",
        "/verbindingen/",
        "/mensen/",
        "/mensen/uitnodigen/",
        "/mensen/uitnodigingen/",
        "/account/",
        "/account/2fa/",
        "/account/2fa/webauthn/",
        "/account/email/",
        "/account/sessions/",
        "/account/3rdparty/",
        "/firmware/",
        "/configuratie/",
        "/configuratie/nieuw/",
        "/configuratie/rondes/",
        CONCESSION,
        "/api/v1/docs/",
    ],
    "driver": [
        "/mijn/laden/",
        "/mijn/sessies/",
        "/mijn/passen/",
        "/mijn/voorkeuren/",
        "/mijn/gegevens/",
        "/meldingen/",
        "/meldingen/voorkeuren/",
        "/account/tokens/",
        "/stations/",
        "/account/password/change/",
        "/account/logout/",
        "/no-such-page/",
    ],
    "admin": [
        f"/stations/{GOOD}/opdrachten/",
        f"/stations/{GOOD}/opdrachten/nieuw/raw/",
        f"/stations/{GOOD}/opdrachten/nieuw/reset/",
        "/stations/",
        "/beheer/",
    ],
}
# Where to look for links to pages with a number in their address, and how many of them to take.
NUMBERED = {
    "official": ((f"{CONCESSION}206/", f"{CONCESSION}207/", f"{CONCESSION}211/"), r"/bewijs/\d+/$"),
    "driver": (("/mijn/sessies/", "/mijn/passen/"), r"/mijn/(sessies/\d+|passen/\d+/loskoppelen)/$"),
    "operator": (
        ("/passen/", f"/stations/{GOOD}/sessies/", "/tarieven/"),
        r"/(passen|sessies|tarieven)/\d+/$",
    ),
}


def numbered(person: Person) -> list[str]:
    """The first and the last of the pages with a number in their address that this person's pages link to."""
    found: list[str] = []
    paths, pattern = NUMBERED.get(person.role, ((), ""))
    for path in paths:
        person.opens(path)
        links = person.page.locator("main a[href]").evaluate_all(
            "links => links.map((link) => link.getAttribute('href'))"
        )
        fitting = [link for link in links if re.search(pattern, link)]
        assert fitting, f"{path} leads nowhere"
        found += [fitting[0], fitting[-1]]
    return list(dict.fromkeys(found))
