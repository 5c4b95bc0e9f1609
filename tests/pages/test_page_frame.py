"""What stands around every page: help, errors that help, a theme of one's own, and how much a first look costs."""

from __future__ import annotations

import gzip
import re
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from django.contrib.staticfiles import finders
from django.core.exceptions import RequestDataTooBig
from django.core.management import call_command
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import NoReverseMatch, get_resolver

from portal.body_limit import BodyLimit
from portal.frontend import NODE_MODULES, ThemeFinder
from portal.pages import refusals
from portal.pages.help_texts import HELP
from portal.static_files import StaticFilesMiddleware
from tests.factories import make_driver, make_staff, make_station, make_superuser
from tests.pages.visiting import sees

pytestmark = pytest.mark.django_db

BUDGET_BYTES = 150_000  # style and script of a first view, as they are sent
STATIC = Path("portal/static/portal")


def named_files(page: str) -> list[str]:
    """The style sheets and scripts that a page names, as static files."""
    return [unquote(name) for name in re.findall(r'(?:href|src)="/static/([^"]+\.(?:css|js))"', page)]


# ---------------------------------------------------------------- how much


@pytest.mark.parametrize("path", ["/stations/", "/stations/S-1/", "/mijn/sessies/", "/account/login/"])
def test_a_first_look_stays_within_the_budget(path: str) -> None:
    make_station("S-1")
    client = Client()
    if "account" not in path:
        client.force_login(make_staff() if path.startswith("/stations") else make_driver())
    files = named_files(client.get(path).content.decode())
    assert len(files) >= 8
    sizes = {name: len(gzip.compress(Path(str(finders.find(name))).read_bytes())) for name in files}
    assert sum(sizes.values()) <= BUDGET_BYTES, sizes


def test_what_is_collected_is_sent_compressed(tmp_path: Path, settings: Any) -> None:
    settings.STATIC_ROOT = tmp_path
    call_command("collectstatic", "--no-input", verbosity=0)
    settings.WHITENOISE_USE_FINDERS = False
    middleware = StaticFilesMiddleware(lambda _request: None)
    request = RequestFactory().get("/static/portal/portal.css", headers={"Accept-Encoding": "gzip"})
    answer = middleware(request)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding"
    plain = (STATIC / "portal.css").read_bytes()
    assert gzip.decompress(answer.content) == plain
    assert len(answer.content) < len(plain) / 3
    assert middleware(RequestFactory().get("/static/portal/portal.css")).content == plain


def test_a_page_with_a_form_is_not_compressed() -> None:
    answer = Client(headers={"Accept-Encoding": "gzip"}).get("/account/login/")
    assert "Content-Encoding" not in answer.headers


# ---------------------------------------------------------------- theme


@pytest.fixture
def own_theme(tmp_path: Path, settings: Any) -> Path:
    file = tmp_path / "voorbeeldstad.css"
    file.write_text(".voorbeeldstad-theme { --basis-color-action-1-inverse-bg-default: #00654a; }")
    settings.THEME_CLASS, settings.THEME_FILE = "voorbeeldstad-theme", str(file)
    return file


def test_a_theme_of_ones_own_is_one_class_and_one_file(own_theme: Path) -> None:
    client = Client()
    for page in (client.get("/privacy/").content.decode(), render_to_string("500.html")):
        assert '<html lang="nl" class="utrecht-root voorbeeld-theme voorbeeldstad-theme laad' in page
        # After the design system's own, so that it counts; before our own layer, which only uses it.
        names = named_files(page)
        assert names.index("theme/theme.css") == names.index("portal/portal.css") - 1
    answer = client.get("/static/theme/theme.css")
    assert answer.content == own_theme.read_bytes()
    assert answer.headers["Content-Type"].startswith("text/css")


def test_it_is_collected_under_the_same_name(own_theme: Path, tmp_path: Path, settings: Any) -> None:
    settings.STATIC_ROOT = tmp_path / "collected"
    call_command("collectstatic", "--no-input", verbosity=0)
    assert (settings.STATIC_ROOT / "theme" / "theme.css").read_bytes() == own_theme.read_bytes()


def test_without_one_the_pages_name_none() -> None:
    assert "theme/theme.css" not in Client().get("/privacy/").content.decode()
    assert ThemeFinder().check() == []


@pytest.mark.parametrize(
    ("name", "file", "said"),
    [
        ("voorbeeldstad-theme", "", "portal.E001"),
        ("", "there.css", "portal.E001"),
        ("voorbeeldstad-theme", "not-there.css", "portal.E002"),
        ("another-theme", "there.css", "portal.E003"),
    ],
)
def test_half_a_theme_is_found_before_the_start(
    name: str, file: str, said: str, tmp_path: Path, settings: Any
) -> None:
    (tmp_path / "there.css").write_text(".voorbeeldstad-theme {}")
    settings.THEME_CLASS, settings.THEME_FILE = name, str(tmp_path / file) if file else ""
    assert [problem.id for problem in ThemeFinder().check()] == [said]


def test_every_token_that_our_own_layer_leans_on_is_of_the_design_system() -> None:
    """So a theme that gives the same tokens recolours all of it, light and dark."""
    theme = NODE_MODULES / "@nl-design-system-unstable/voorbeeld-design-tokens/dist/theme.css"
    given = set(re.findall(r"(--basis-[\w-]+)\s*:", theme.read_text()))
    own = "".join(file.read_text() for file in STATIC.glob("*.css") if file.name != "admin.css")
    given |= set(re.findall(r"(--basis-[\w-]+)\s*:", own))
    assert set(re.findall(r"var\((--basis-[\w-]+)", own)) - given == set()


def test_lists_take_their_colours_from_tokens_alone_so_that_dark_holds_there_too() -> None:
    rules = (STATIC / "tables.css").read_text()
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(", rules)
    assert "prefers-color-scheme: dark" in (STATIC / "portal.css").read_text()


# ---------------------------------------------------------------- help


def test_help_stands_under_its_page_closed() -> None:
    make_station("S-1")
    page = sees(make_staff(), "/stations/")
    assert "Help with this page" in page
    assert "Click a heading to sort." in page
    assert '<details class="laad-help" id="page-help">' in page
    assert "Help with this page" not in sees(make_staff(), "/privacy/")


def test_every_help_is_of_a_page_that_there_is() -> None:
    resolver = get_resolver()
    for name in HELP:
        parts = name.split(":")
        assert resolver.reverse_dict.getlist(parts[-1]) or _in_a_namespace(resolver, parts), name


def _in_a_namespace(resolver: Any, parts: list[str]) -> bool:
    for namespace in parts[:-1]:
        try:
            _prefix, resolver = resolver.namespace_dict[namespace]
        except KeyError as error:
            raise NoReverseMatch(namespace) from error
    return bool(resolver.reverse_dict.getlist(parts[-1]))


# ---------------------------------------------------------------- when it goes wrong


@pytest.mark.parametrize("name", ["400.html", "413.html", "500.html", "403_csrf.html"])
def test_error_pages_lean_on_nothing_and_lead_on(name: str) -> None:
    page = render_to_string(name)
    assert 'href="/"' in page
    assert page.count("<h1") == 1


def test_a_strange_request_is_told_from_one_that_is_too_large() -> None:
    request = RequestFactory().get("/")
    assert refusals.bad_request(request, ValueError()).status_code == 400
    answer = refusals.bad_request(request, RequestDataTooBig())
    assert answer.status_code == 413
    assert b'aria-hidden="true">413</p>' in answer.content


def test_a_form_that_is_too_large_gets_a_page(settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    client = Client(headers={"Accept-Language": "en"}, raise_request_exception=False)
    client.force_login(make_superuser())
    answer = client.post("/lijsten/stations/filters/", {"name": "x" * 200})
    assert answer.status_code == 413
    assert "This is too large for us to take" in answer.content.decode()


@pytest.mark.parametrize(
    ("accepts", "kind", "said"),
    [
        (b"text/html,*/*", b"text/html; charset=utf-8", "We take at most 16.8 MB at once."),
        (b"*/*", b"text/plain; charset=utf-8", "This is too large: at most 16777216 bytes."),
    ],
)
async def test_a_body_that_is_too_large_is_refused_in_a_page_or_in_a_line(
    accepts: bytes, kind: bytes, said: str
) -> None:
    sent: list[dict[str, Any]] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("what is too large goes no further")

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def told(path: str, text: str) -> None:
        assert path == "/firmware"

    headers = [(b"content-length", b"99999999"), (b"accept", accepts), (b"accept-language", b"en")]
    scope = {"type": "http", "method": "POST", "path": "/firmware", "headers": headers, "query_string": b""}
    await BodyLimit(application, told)(scope, receive, send)
    assert sent[0]["status"] == 413
    assert dict(sent[0]["headers"])[b"content-type"] == kind
    assert said in BytesIO(sent[1]["body"]).read().decode().replace("\N{NO-BREAK SPACE}", " ")


# ---------------------------------------------------------------- forms


def test_what_is_wrong_with_a_form_stands_first_and_leads_to_its_fields() -> None:
    make_station("S-1")
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(make_staff())
    page = client.post("/stations/S-1/limiet/", {"rows-TOTAL_FORMS": "0", "rows-INITIAL_FORMS": "0"}).content
    text = " ".join(page.decode().split())
    summary = re.search(r"<div [^>]*data-error-summary>.*?</div>", text)
    assert summary
    assert 'tabindex="-1"' in summary[0]
    targets = re.findall(r'href="#([^"]+)"', summary[0])
    assert targets
    for target in targets:
        field = re.search(rf'<(?:input|select|textarea)[^>]* id="{target}"[^>]*>', text)
        assert field, target
    invalid = re.findall(r'<(?:input|select|textarea)[^>]*aria-invalid="true"[^>]*>', text)
    for field_html in invalid:
        if 'type="radio"' in field_html:
            continue  # the group around them says what is wrong
        described = re.search(r'aria-describedby="([^"]+)"', field_html)
        assert described, field_html
        for name in described[1].split():
            assert f'id="{name}"' in text


def test_a_wrong_password_names_no_field() -> None:
    answer = Client(headers={"Accept-Language": "en"}).post(
        "/account/login/", {"login": "a@b.example", "password": "wrong"}
    )
    summary = re.search(r"<div [^>]*data-error-summary>.*?</div>", answer.content.decode(), re.DOTALL)
    assert summary
    assert "<ul>" not in summary[0]
