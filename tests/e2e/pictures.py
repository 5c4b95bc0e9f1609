"""`make pictures`: the pictures of docs/pages.md, taken in a demo that is proven: each page wide and on a phone.

What a page looks like follows from the code, so they are all made anew at once, never touched up.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.e2e.addresses import CONCESSION, DEFECTIVE, GOOD
from tests.e2e.conftest import NARROW, ROOT, WIDE, People, Person, proven_demo, started_browser

FOLDER = ROOT / "docs" / "images"
QUALITY = 72
SETTLED_MS = 400  # a chart that is drawn by script, a part that is fetched


class Picture(NamedTuple):
    """`path`: where the page is; with `link`, behind the first link there whose address matches it."""

    name: str
    role: str
    path: str
    link: str = ""


PICTURES = (
    Picture("sign-in", "anonymous", "/account/login/"),
    Picture("accessibility", "anonymous", "/toegankelijkheid/"),
    Picture("overview", "official", "/overzicht/"),
    Picture("matrix", "official", CONCESSION),
    Picture("requirement", "official", f"{CONCESSION}206/?status=deviation"),
    Picture("evidence", "official", f"{CONCESSION}206/?status=deviation", r"/bewijs/\d+/$"),
    Picture("probe", "official", "/steekproef/"),
    Picture("objects", "official", "/laadobjecten/"),
    Picture("map", "official", "/laadobjecten/?view=map"),
    Picture("usage", "official", "/gebruik/"),
    Picture("station-compliance", "official", f"/stations/{DEFECTIVE}/naleving/"),
    Picture("work", "beta", "/werkvoorraad/"),
    Picture("stations", "operator", "/stations/"),
    Picture("station", "operator", f"/stations/{GOOD}/"),
    Picture("why", "operator", f"/stations/{GOOD}/waarom/?socket=1"),
    Picture("limit", "operator", f"/stations/{GOOD}/limiet/"),
    Picture("registers", "operator", f"/stations/{GOOD}/registers/"),
    Picture("read-back", "operator", f"/stations/{GOOD}/teruggelezen/"),
    Picture("frames", "operator", f"/stations/{GOOD}/berichten/"),
    Picture("configuration", "operator", f"/stations/{GOOD}/configuratie/"),
    Picture("commands", "operator", f"/stations/{GOOD}/opdrachten/"),
    Picture("sessions", "operator", "/sessies/"),
    Picture("tariffs", "operator", "/tarieven/"),
    Picture("cards", "operator", "/passen/"),
    Picture("connections", "operator", "/verbindingen/"),
    Picture("webhooks", "operator", "/webhooks/"),
    Picture("people", "operator", "/mensen/"),
    Picture("notices", "operator", "/meldingen/"),
    Picture("logbook", "operator", "/logboek/"),
    Picture("charging", "driver", "/mijn/laden/"),
    Picture("driver", "driver", "/mijn/sessies/"),
    Picture("session", "driver", "/mijn/sessies/", r"/mijn/sessies/\d+/$"),
    Picture("preferences", "driver", "/mijn/voorkeuren/"),
    Picture("data", "driver", "/mijn/gegevens/"),
    Picture("account", "driver", "/account/"),
    Picture("administration", "admin", "/beheer/"),
)


def take(person: Person, picture: Picture) -> None:
    person.opens(picture.path)
    if picture.link:
        links = person.page.locator("main a[href]").evaluate_all(
            "links => links.map((link) => link.getAttribute('href'))"
        )
        person.opens(next(link for link in links if re.search(picture.link, link)))
    if person.page.locator("main").count() and "404" in person.page.title():
        raise SystemExit(f"{picture.path}: there is no such page")
    for size in (WIDE, NARROW):
        person.page.set_viewport_size({"width": size["width"], "height": size["height"]})
        person.page.wait_for_timeout(SETTLED_MS)
        file = FOLDER / f"{picture.name}-{size['width']}.jpg"
        person.page.screenshot(path=file, type="jpeg", quality=QUALITY)
        print(f"{file.relative_to(ROOT)}  {file.stat().st_size / 1000:.0f} kB", flush=True)


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        proven_demo(Path(folder)) as demo,
        started_browser() as browser,
    ):
        people = People(browser, demo)
        for role in dict.fromkeys(picture.role for picture in PICTURES):
            with people.visit(role) as person:
                for picture in PICTURES:
                    if picture.role == role:
                        take(person, picture)


if __name__ == "__main__":
    main()
