"""The real demo as a process, and people who look at it with a real browser.

The demo is started once for all journeys, on a database of its own, and stopped by its pid. With SCREENSHOTS=<folder>
every page that is visited is saved there at both widths.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
PATIENCE_S = 480
WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 390, "height": 844}
# What the browser refuses is told on the console, where every visit listens.
TELL_REFUSALS = """addEventListener("securitypolicyviolation", (event) =>
  console.error(`refused by the content policy: ${event.violatedDirective} ${event.blockedURI}`));"""


@dataclass(slots=True)
class Demo:
    """A demo that is proven: its address, and the sign-ins it printed."""

    url: str
    passwords: dict[str, str]  # by role: the part of the address before the @
    states: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with proven_demo(tmp_path_factory.mktemp("demo")) as started:
        yield started


@contextmanager
def proven_demo(folder: Path) -> Iterator[Demo]:
    """The demo on a database in `folder`, once it is proven; it ends with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "demo.log"
    command = [sys.executable, "manage.py", "demo", "--headless", "--port", str(port)]
    environ = {**os.environ, "DATABASE_URL": f"sqlite:///{folder / 'demo.sqlite3'}", "PYTHONUNBUFFERED": "1"}
    with log.open("w") as told:
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=told, stderr=subprocess.STDOUT)
    try:
        printed = _wait_until_proven(process, log)
        signs = re.findall(r"^\s+(\w+)@demo\.example\s+(\S+)", printed, re.MULTILINE)
        yield Demo(url=f"http://localhost:{port}", passwords=dict(signs))
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_until_proven(process: subprocess.Popen[bytes], log: Path) -> str:
    """What the demo printed, once it says that it is proven and two cars charge."""
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        printed = log.read_text()
        if "Proof after" in printed:
            return printed
        assert process.poll() is None, f"the demo ended:\n{printed}"
        time.sleep(0.3)
    raise AssertionError(f"not proven after {PATIENCE_S} s:\n{log.read_text()}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if chromium() is None:
        pytest.skip("there is no Chromium on this machine (Debian: apt install chromium)")
    with started_browser() as started:
        yield started


def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def started_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield started
        started.close()


@dataclass(slots=True)
class Person:
    """Someone at a browser. `complaints` is what the browser had to say: errors, refusals, failed requests."""

    role: str
    page: Page
    demo: Demo
    complaints: list[str]

    def opens(self, path: str) -> None:
        self.page.goto(self.demo.url + path)

    def shot(self, name: str) -> None:
        folder = os.environ.get("SCREENSHOTS")
        if folder:
            width = (self.page.viewport_size or WIDE)["width"]
            Path(folder).mkdir(parents=True, exist_ok=True)
            slug = re.sub(r"\W+", "-", name).strip("-").lower() or "home"
            self.page.screenshot(
                path=f"{folder}/{self.role}-{slug}-{width}.png", full_page=True, caret="initial"
            )


class People:
    """Signs people in, each once; later visits come with the same session."""

    def __init__(self, browser: Browser, demo: Demo) -> None:
        self.browser, self.demo = browser, demo

    @contextmanager
    def visit(self, role: str, *, size: dict[str, int] = WIDE, language: str = "nl") -> Iterator[Person]:
        context = self._context(role, size, language)
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda line: _note(complaints, page, line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: _note(complaints, page, str(error)))
        try:
            yield Person(role, page, self.demo, complaints)
        finally:
            context.close()

    def _context(self, role: str, size: dict[str, int], language: str) -> BrowserContext:
        if role != "anonymous" and role not in self.demo.states:
            self.demo.states[role] = self._sign_in(role)
        context = self.browser.new_context(
            viewport={"width": size["width"], "height": size["height"]},
            locale="nl-NL",
            timezone_id="Europe/Amsterdam",
            storage_state=self.demo.states.get(role),
        )
        context.add_cookies([{"name": "django_language", "value": language, "url": self.demo.url}])
        context.add_init_script(TELL_REFUSALS)
        return context

    def _sign_in(self, role: str) -> Any:
        context = self.browser.new_context(locale="nl-NL")
        page = context.new_page()
        page.goto(f"{self.demo.url}/")
        page.locator("input[name=login]").fill(f"{role}@demo.example")
        page.locator("input[name=password]").fill(self.demo.passwords[role])
        page.locator("main form button[type=submit]").click()
        page.wait_for_url(lambda url: "/account/" not in url)
        state = context.storage_state()
        context.close()
        return state


def _note(complaints: list[str], page: Page, text: str) -> None:
    complaints.append(f"{page.url}: {text}")


@pytest.fixture(scope="session")
def people(browser: Browser, demo: Demo) -> People:
    return People(browser, demo)


@pytest.fixture(scope="session")
def axe() -> str:
    if not AXE.exists():
        pytest.skip("axe-core is not in node_modules (make setup)")
    return AXE.read_text()
