"""What people come for, in Dutch and with a mouse, wide and narrow. Words come from the catalogue, as on the pages."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from django.utils import translation
from playwright.sync_api import Locator, Page, expect

from portal.demo.cast import DRIVER_TOKEN, OTHER_TOKENS
from stations.ocpp.masking import MASK
from tests.e2e.addresses import CONCESSION
from tests.e2e.conftest import NARROW, WIDE, People

pytestmark = pytest.mark.e2e

SOON_MS = 20_000  # a station's answer, read back and shown
PROBE_MS = 90_000
both_widths = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])


def nl(text: str) -> str:
    """The Dutch of a message of the portal."""
    with translation.override("nl"):
        return translation.gettext(text)


def heading(page: Page) -> Locator:
    return page.get_by_role("heading", level=1)


def main_link(page: Page, text: str) -> Locator:
    return page.get_by_role("main").get_by_role("link", name=nl(text)).first


@both_widths
def test_the_official_finds_the_deviation_of_a_defective_station_and_decides(
    people: People, size: dict[str, int]
) -> None:
    """From the overview to the proof, and back: what is decided has its term there."""
    station = "BET-0003" if size is WIDE else "BET-0005"  # no other journey judges these
    with people.visit("official", size=size) as person:
        page = person.page
        person.opens("/")
        assert page.url.endswith("/overzicht/"), "an official lands on the overview"
        expect(page.get_by_role("heading", name=nl("Since your previous visit"))).to_be_visible()
        row = page.locator("#duties tbody tr").filter(has_text=station)
        expect(row).to_contain_text(nl("Waits for your judgement"))
        expect(row).to_contain_text("Beta Charge")
        row.locator("a[href^='/bewijs/']").click()

        expect(heading(page)).to_contain_text(nl("Evidence on %(code)s: %(place)s").split("%")[0].strip())
        expect(page.locator(".laad-verdict")).to_contain_text(nl("Deviation"))
        expect(page.locator("section[aria-labelledby=chain-h]")).to_contain_text(nl("Correct"))
        page.get_by_label(nl("Reason")).fill("Niet volgens de toezegging.")
        page.get_by_label(nl("Restored before")).fill("31-12-2099")
        page.get_by_role("button", name=nl("Record the judgement")).click()
        expect(page.get_by_text(nl("Your judgement is recorded."))).to_be_visible()

        person.opens("/overzicht/")
        row = page.locator("#duties tbody tr").filter(has_text=station)
        expect(row).to_contain_text(nl("Operator restores"))
        expect(row).to_contain_text("2099")
        person.shot("overzicht-beoordeeld")


@both_widths
def test_the_official_finds_an_object_on_the_map_by_keyboard(people: People, size: dict[str, int]) -> None:
    with people.visit("official", size=size) as person:
        page = person.page
        person.opens("/laadobjecten/?view=map")
        mark = page.locator(".leaflet-marker-icon").first
        expect(mark).to_be_visible()
        assert page.locator(".leaflet-marker-icon").count() == 9, "each place of the demo"
        mark.focus()
        expect(mark).to_have_attribute("aria-label", re.compile(r"laadpunt|charging point"))
        page.keyboard.press("Enter")
        link = page.locator(".leaflet-popup a")
        expect(link).to_be_focused()
        person.shot("kaart-open")
        page.keyboard.press("Enter")
        page.wait_for_url("**/laadobjecten/?q=*")
        expect(page.locator("tbody tr")).to_have_count(1)
        assert not person.complaints


@both_widths
def test_the_official_sees_proof_and_judges_it(people: People, size: dict[str, int]) -> None:
    with people.visit("official", size=size) as person:
        page = person.page
        person.opens(CONCESSION)
        row = page.get_by_role("row").filter(has=page.get_by_role("link", name="Stacken laadprofielen"))
        alpha, beta = row.locator(".laad-cell").all()
        expect(alpha).to_contain_text(nl("Proven"))
        expect(beta).to_contain_text(nl("Deviation"))

        row.get_by_role("link", name="Stacken laadprofielen").click()
        expect(heading(page)).to_contain_text("206")
        page.get_by_role("main").locator("a[href^='/bewijs/']").first.click()
        expect(page.locator("#meting svg").first).to_be_visible()
        expect(page.locator("#meting figcaption")).not_to_be_empty()
        frame = page.locator("section[aria-labelledby=frames-h] details").first
        frame.locator("summary").click()
        expect(frame.locator("pre")).to_contain_text("[2,")
        expect(page.locator("section[aria-labelledby=chain-h]")).to_contain_text(nl("Correct"))

        reason = f"Gezien op een scherm van {size['width']} breed."
        page.get_by_label(nl("Reason")).fill(reason)
        page.get_by_role("button", name=nl("Record the judgement")).click()
        expect(page.get_by_text(nl("Your judgement is recorded."))).to_be_visible()
        expect(page.locator("section[aria-labelledby=decisions-h]")).to_contain_text(reason)


@pytest.mark.parametrize(
    ("size", "code", "station", "verdict"),
    [(WIDE, "207", "ALF-0003", "Proven"), (NARROW, "206", "BET-0002", "Deviation")],
    ids=["wide", "narrow"],
)
def test_the_official_watches_a_probe_to_its_end(
    people: People, size: dict[str, int], code: str, station: str, verdict: str
) -> None:
    with people.visit("official", size=size) as person:
        page = person.page
        person.opens(CONCESSION)
        main_link(page, "Live probe").click()
        for label, text in (("Requirement", code), ("Station", station)):
            choice = page.get_by_label(nl(label), exact=True)
            choice.select_option(label=choice.locator("option", has_text=text).inner_text())
        page.get_by_role("button", name=nl("Start the probe")).click()
        expect(heading(page)).to_contain_text(code)
        page.evaluate("window.sameVisit = true")
        end = page.locator("section[aria-labelledby=state-h]")
        expect(end).to_contain_text(nl(verdict), timeout=PROBE_MS)
        expect(end).to_contain_text(nl("Put back as it was, and read back"))
        assert page.evaluate("window.sameVisit"), "the page was not loaded again"
        person.shot("steekproef-klaar")
        end.get_by_role("link", name=nl("See the evidence")).click()
        expect(page.locator(".laad-verdict")).to_contain_text(nl(verdict))


@pytest.mark.parametrize(("size", "level", "limit"), [(WIDE, 7, 12), (NARROW, 8, 11)], ids=["wide", "narrow"])
def test_the_operator_sets_a_limit_and_sees_it_confirmed(
    people: People, size: dict[str, int], level: int, limit: int
) -> None:
    name = f"Druk op het net {size['width']}"
    with people.visit("operator", size=size) as person:
        page = person.page
        person.opens("/stations/")
        expect(page.get_by_role("main")).to_contain_text("ALF-0001")
        page.locator("main a[href='/stations/ALF-0001/']").first.click()
        hero = page.locator(".laad-limit")
        expect(hero.locator("strong")).to_contain_text("A")
        expect(hero.locator(".laad-limit__win")).not_to_be_empty()

        main_link(page, "Set a limit").click()
        page.get_by_role("textbox", name=nl("Name")).fill(name)
        page.get_by_label(nl("Level"), exact=True).fill(str(level))
        page.locator("[name=form-0-limit]").fill(str(limit))
        page.get_by_role("button", name=nl("Set the limit")).click()
        page.wait_for_url("**/stations/ALF-0001/", timeout=SOON_MS)

        page.evaluate("window.sameVisit = true")
        row = page.get_by_role("row").filter(has_text=name)
        expect(row).to_contain_text(nl("Confirmed"), timeout=SOON_MS)
        expect(row).to_contain_text(f"{limit} A")
        expect(hero.locator("strong")).to_have_text(f"{limit}A")
        expect(hero).to_contain_text(name)
        assert page.evaluate("window.sameVisit"), "the page was not loaded again"
        person.shot("limiet-bevestigd")

        row.get_by_role("button", name=nl("Withdraw")).click()
        expect(hero).not_to_contain_text(name, timeout=SOON_MS)


@both_widths
def test_the_operator_sees_why_a_station_is_limited(people: People, size: dict[str, int]) -> None:
    """From the work of the day to the one sentence, and to all that had a say in it."""
    with people.visit("operator", size=size) as person:
        page = person.page
        person.opens("/")
        assert page.url.endswith("/werkvoorraad/"), "an operator lands on the work"
        expect(heading(page)).to_have_text(nl("Work"))
        person.shot("werkvoorraad")
        menu = page.get_by_role("navigation", name=nl("Main menu"))
        menu.get_by_role("link", name=nl("Stations"), exact=True).click()
        page.get_by_label(nl("Search"), exact=True).fill("ALF-0001")
        page.get_by_role("main").get_by_role("button", name=nl("Show"), exact=True).click()
        page.locator("main a[href='/stations/ALF-0001/']").first.click()

        hero = page.locator(".laad-limit")
        expect(hero.locator("strong")).to_contain_text("A")
        expect(hero.locator(".laad-limit__win")).not_to_be_empty()
        main_link(page, "Why this limit?").click()
        claims = page.get_by_role("region", name=nl("What gives a limit at this moment"))
        expect(claims).to_contain_text("Netbewust laden")
        expect(claims.locator("strong").first).to_be_visible()
        person.shot("waarom")


@both_widths
def test_the_operator_puts_work_aside_and_takes_it_back(people: People, size: dict[str, int]) -> None:
    with people.visit("operator", size=size) as person:
        page = person.page
        person.opens("/werkvoorraad/")
        lines = page.locator("main tbody tr")
        if not lines.count():
            expect(page.get_by_role("main")).to_contain_text(nl("Nothing asks for your attention"))
            return
        told = lines.first.get_by_role("rowheader").inner_text().splitlines()[0]
        lines.first.get_by_role("link", name=nl("Put aside")).click()
        page.get_by_label(nl("Why it can wait")).fill("De monteur komt donderdag.")
        page.get_by_role("button", name=nl("Put aside")).click()
        expect(
            page.get_by_text(nl("Put aside. It comes back after that day, or when it gets worse."))
        ).to_be_visible()
        person.opens("/werkvoorraad/?show=aside")
        aside = page.locator("main tbody tr").filter(has_text="De monteur komt donderdag.")
        expect(aside).to_contain_text(told)
        person.shot("opzij")
        aside.get_by_role("button", name=nl("Take it back")).first.click()
        expect(page.get_by_text(nl("It stands in the list again."))).to_be_visible()


@both_widths
def test_the_operator_reads_what_was_said_but_no_card_number(people: People, size: dict[str, int]) -> None:
    with people.visit("operator", size=size) as person:
        page = person.page
        person.opens("/stations/ALF-0001/")
        page.get_by_role("main").get_by_role("link", name=nl("Diagnosis"), exact=True).click()
        page.locator("[name=action]").fill("StartTransaction")
        page.get_by_role("main").get_by_role("button", name=nl("Show")).click()
        started = page.locator(".laad-frames details").filter(has_text='"idTag"').first
        started.locator("summary").click()
        expect(started.locator("pre").first).to_contain_text(re.compile(rf'"idTag":\s*"{MASK}'))
        person.shot("berichten-open")
        for token in (DRIVER_TOKEN, *OTHER_TOKENS):
            assert token not in page.content()


@both_widths
def test_the_driver_reads_a_session_and_takes_it_along(people: People, size: dict[str, int]) -> None:
    with people.visit("driver", size=size) as person:
        page = person.page
        person.opens("/")
        expect(page.get_by_text(nl("You are charging now"))).to_be_visible()
        person.opens("/mijn/sessies/")
        months = page.locator("section[aria-labelledby^=month-] h2").all_inner_texts()
        assert len(months) >= 2, "sessions by month"
        page.locator(".laad-rides a").first.click()
        expect(page.locator("section[aria-labelledby=chart-h] figcaption")).to_contain_text("kW")
        events = page.locator("section[aria-labelledby=time-h] li")
        assert events.count() >= 2, "a timeline from start to end"
        with page.expect_download() as started:
            page.get_by_role("main").get_by_role("link", name="CSV").click()
        rows = list(csv.DictReader(Path(started.value.path()).read_text("utf-8-sig").splitlines()))
        assert rows
        assert any(float(row["import_w"] or 0) > 0 for row in rows)
        assert DRIVER_TOKEN not in page.content()


def test_the_administrator_keeps_master_data(people: People) -> None:
    with people.visit("admin") as person:
        person.opens("/beheer/")
        person.page.locator("#content a[href='/beheer/stations/station/']").first.click()
        expect(person.page.get_by_role("link", name="ALF-0001")).to_be_visible()
