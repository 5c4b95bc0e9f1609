"""Charts that are looked into, in a real browser: zoom, the line that a key moves, hours as our clock has them, and
what stands where no script runs. And what a live page does when its stream is lost."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.addresses import GOOD
from tests.e2e.conftest import NARROW, WIDE, People, Person
from tests.e2e.test_keyboard import nl, tab
from tests.e2e.test_pages import look

pytestmark = pytest.mark.e2e

STATION = f"/stations/{GOOD}/"
FETCH = "htmx.trigger(document.getElementById('live'), 'laad:poll')"
TIME = re.compile(r"^\d\d:\d\d(:\d\d)?( CES?T)?: ")


def drawn(person: Person, path: str = STATION) -> Page:
    """The page at `path`, once its chart is drawn."""
    person.opens(path)
    page = person.page
    expect(page.locator("[data-chart-box] canvas")).to_be_visible()
    expect(page.locator("figure:has([data-chart]) > .laad-chart").first).to_be_hidden()
    return page


def shown(page: Page) -> tuple[int, int]:
    """From when until when, in seconds."""
    first, last = (page.locator("[data-chart]").get_attribute("data-range") or "").split()
    return int(first), int(last)


def said(page: Page) -> str:
    page.wait_for_timeout(500)  # not more often than one can listen
    return page.locator("[data-chart-said]").inner_text()


def session_of(person: Person, path: str) -> str:
    """The last session that the list at `path` leads to."""
    person.opens(path)
    links = person.page.locator("main a[href*='/sessies/']").evaluate_all(
        "links => links.map((link) => link.getAttribute('href'))"
    )
    found: str = next(link for link in reversed(links) if re.search(r"/sessies/\d+/$", link))
    return found


def test_one_looks_into_the_day_by_keyboard_alone(people: People, axe: str) -> None:
    with people.visit("operator") as person:
        page = drawn(person)
        whole = shown(page)
        assert whole[1] - whole[0] in {23 * 3600, 24 * 3600, 25 * 3600}
        for _ in range(60):
            if tab(page)["text"] == nl("Zoom in"):
                break
        page.keyboard.press("Enter")
        first, last = shown(page)
        assert last - first == pytest.approx((whole[1] - whole[0]) / 2, abs=2)
        while tab(page)["id"] != "plot-power-box":
            pass
        page.keyboard.press("Home")
        assert TIME.match(said(page))
        for word in (nl("power"), nl("limit"), "kW"):
            assert word in said(page)
        before = said(page)
        page.keyboard.press("ArrowRight")
        assert said(page) != before
        page.keyboard.press("+")
        assert shown(page)[1] - shown(page)[0] == pytest.approx((last - first) / 2, abs=2)
        page.keyboard.press("PageDown")  # out of what is shown, which goes along
        assert shown(page)[0] < first
        page.keyboard.press("0")
        assert shown(page) == whole
        page.keyboard.press("End")
        assert said(page).startswith("24:00: ")
        assert nl("still to come") in said(page)
        assert not list(look(person, axe))
        assert person.complaints == []


def test_a_stretch_is_drawn_over_with_the_mouse_and_all_comes_back(people: People) -> None:
    with people.visit("operator") as person:
        page = drawn(person)
        whole = shown(page)
        over = page.locator(".u-over")
        over.hover()  # brings it into sight, and waits until the page stands still
        box = over.bounding_box()
        assert box
        middle = box["height"] / 2
        over.hover(position={"x": box["width"] * 0.25, "y": middle})
        assert TIME.match(said(page))
        page.mouse.down()
        over.hover(position={"x": box["width"] * 0.4, "y": middle})
        over.hover(position={"x": box["width"] * 0.5, "y": middle})
        page.mouse.up()
        expect(page.locator("[data-zoom=all]")).to_have_attribute("aria-disabled", "false")
        first, last = shown(page)
        span = whole[1] - whole[0]
        assert first - whole[0] == pytest.approx(span / 4, rel=0.02)
        assert last - first == pytest.approx(span / 4, rel=0.02)
        page.locator("[data-zoom=all]").click()
        assert shown(page) == whole
        assert person.complaints == []


def test_what_is_fetched_anew_keeps_the_drawing_the_zoom_and_the_focus(people: People) -> None:
    with people.visit("operator") as person:
        page = drawn(person)
        box = page.locator("[data-chart-box]")
        box.focus()
        page.keyboard.press("+")
        before = shown(page)
        page.locator("canvas").evaluate("canvas => { canvas.dataset.same = 'yes'; }")
        with page.expect_response(lambda answer: answer.url.endswith("vermogen.json")):
            page.evaluate(FETCH)
        page.wait_for_timeout(500)
        expect(page.locator("canvas")).to_have_attribute("data-same", "yes")
        expect(box).to_be_focused()
        assert shown(page) == before
        assert person.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_sessions_have_it_too_on_a_phone_and_in_the_dark(people: People, axe: str, scheme: Any) -> None:
    for role, path in (("driver", "/mijn/sessies/"), ("operator", f"{STATION}sessies/")):
        with people.visit(role, size=NARROW) as person:
            person.page.emulate_media(color_scheme=scheme)
            page = drawn(person, session_of(person, path))
            page.locator("[data-chart-box]").focus()
            page.keyboard.press("Home")
            assert nl("power") in said(page)
            assert not list(look(person, axe, shot=f"chart-{role}-{scheme}"))
            assert person.complaints == []


def test_without_script_and_in_forced_colours_the_drawing_of_the_server_stands(people: People) -> None:
    with people.visit("operator") as person:
        person.page.emulate_media(forced_colors="active")
        person.opens(STATION)
        expect(person.page.locator("#plot-power")).to_be_hidden()
        expect(person.page.locator("svg[aria-labelledby=power-wide]")).to_be_visible()
    context = people.browser.new_context(
        java_script_enabled=False,
        storage_state=people.demo.states["operator"],
        viewport={"width": WIDE["width"], "height": WIDE["height"]},
    )
    try:
        page = context.new_page()
        page.goto(people.demo.url + STATION)
        expect(page.locator("#plot-power")).to_be_hidden()
        expect(page.locator("svg[aria-labelledby=power-wide]")).to_be_visible()
    finally:
        context.close()


# ---------------------------------------------------------------- hours

# Midnight here in UTC, the hours of the day, and when the clock is set: seconds since 1970 and ahead of UTC.
SUMMER = (1774738800, 23, [[1774738800, 3600, "CET"], [1774746000, 7200, "CEST"]])  # 29 March 2026
WINTER = (1792879200, 25, [[1792879200, 7200, "CEST"], [1792890000, 3600, "CET"]])  # 25 October 2026
HOURS = """async ([start, hours, offsets]) => {
  const { clock, ticksOf } = await import("/static/portal/chart_numbers.js");
  const end = start + hours * 3600;
  return [ticksOf(offsets, start, end, 2000), ticksOf(offsets, start, end, 600)]
    .map((ticks) => ticks.map((at) => clock(offsets, at)));
}"""


@pytest.mark.parametrize("zone", ["Europe/Amsterdam", "America/New_York"])
@pytest.mark.parametrize(("day", "often"), [(SUMMER, 23), (WINTER, 25)])
def test_hours_are_those_of_our_clock_wherever_the_browser_is(
    people: People, day: tuple[int, int, list[Any]], often: int, zone: str
) -> None:
    context = people.browser.new_context(timezone_id=zone)
    try:
        page = context.new_page()
        page.goto(f"{people.demo.url}/privacy/")
        each, some = page.evaluate(HOURS, list(day))
    finally:
        context.close()
    assert len(each) == often + 1
    assert len(set(each)) == often  # midnight comes twice
    around = each[1:6]
    if often == 25:
        assert around == ["01:00", "02:00 CEST", "02:00 CET", "03:00", "04:00"]
    else:
        assert around == ["01:00", "03:00", "04:00", "05:00", "06:00"]
    assert some == ["00:00", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00", "00:00"]


# ---------------------------------------------------------------- the stream is lost


def test_where_there_is_no_stream_the_page_says_so_and_asks_by_itself(people: People) -> None:
    with people.visit("operator") as person:
        page = person.page
        page.clock.install()
        page.route("**/live/**", lambda route: route.fulfill(status=204))
        person.opens("/stations/")
        banner = page.locator("[data-live-stale]")
        expect(banner).to_be_hidden()
        page.wait_for_timeout(1000)
        page.clock.fast_forward(6_000)
        expect(banner).to_be_visible()
        with page.expect_request(lambda request: request.headers.get("hx-request") == "true"):
            page.clock.fast_forward(31_000)


def test_a_paused_list_stands_still_and_catches_up(people: People) -> None:
    with people.visit("operator") as person:
        page = person.page
        person.opens("/stations/")
        pause = page.locator("[data-live-pause]")
        time = page.locator(
            "#live .laad-card__foot", has_text=nl("Updated at %(time)s").split("%")[0].strip()
        )
        pause.press("Enter")
        expect(pause).to_have_attribute("aria-pressed", "true")
        page.wait_for_timeout(1000)  # what was on its way is there
        before = time.last.inner_text()
        page.wait_for_timeout(1100)
        page.evaluate(FETCH)
        page.wait_for_timeout(1000)
        assert time.last.inner_text() == before
        pause.press("Enter")
        expect(time.last).not_to_have_text(before)
        expect(page.locator("#stations-cap")).to_have_count(1)
        assert person.complaints == []
