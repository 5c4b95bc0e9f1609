"""Finds what is not ours to keep: files of node_modules that pages name (`vendor/`), and a municipality's own theme."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.checks import CheckMessage, Error
from django.core.files.storage import FileSystemStorage

NODE_MODULES = Path(settings.BASE_DIR) / "node_modules"
# Every file that a page may ask for. A package brings hundreds; what is not named here is not served.
SERVED = (
    "@utrecht/component-library-css/dist/index.css",
    "@nl-design-system-unstable/voorbeeld-design-tokens/dist/theme.css",
    *(f"@fontsource/source-sans-3/{weight}.css" for weight in (400, 500, 600, 700)),
    "@fontsource/source-sans-3/files/*.woff2",
    "htmx.org/dist/htmx.min.js",
    "htmx-ext-sse/dist/sse.min.js",
    "uplot/dist/uPlot.iife.min.js",
    "uplot/dist/uPlot.min.css",
    "leaflet/dist/leaflet.js",
    "leaflet/dist/leaflet.css",
)
# The address of a municipality's own theme, wherever its file stands.
THEME_URL = "theme/theme.css"


class NodeModulesFinder(BaseFinder):
    """Maps `vendor/<package>/<file>` to node_modules, which `make setup` fills from package-lock.json."""

    storage = FileSystemStorage(location=str(NODE_MODULES))
    storage.prefix = "vendor"  # type: ignore[attr-defined]  # staticfiles reads it: the part of the URL before the path

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> str | list[str]:  # type: ignore[override]  # noqa: FBT001, FBT002 - Django's
        inside = path.removeprefix("vendor/")
        found = inside != path and any(Path(inside).match(pattern) for pattern in SERVED)
        file = NODE_MODULES / inside
        if not (found and file.is_file()):
            return []
        return [str(file)] if find_all else str(file)

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, FileSystemStorage]]:
        for pattern in SERVED:
            for file in sorted(NODE_MODULES.glob(pattern)):
                yield str(file.relative_to(NODE_MODULES)), self.storage


class ThemeStorage(FileSystemStorage):
    """One file that is called theme.css here, whatever its own name."""

    prefix = str(Path(THEME_URL).parent)  # staticfiles reads it: the part of the URL before the path

    def __init__(self, file: Path) -> None:
        super().__init__(location=str(file.parent))
        self._file = file

    def path(self, name: str) -> str:
        return str(self._file)


class ThemeFinder(BaseFinder):
    """The one file of THEME_FILE, under one name, so that no page has to know where an installation keeps it."""

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> str | list[str]:  # type: ignore[override]  # noqa: FBT001, FBT002 - Django's
        if path != THEME_URL or not settings.THEME_FILE:
            return []
        return [settings.THEME_FILE] if find_all else str(settings.THEME_FILE)

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        """A theme is one class and one file, and the file has rules for the class."""
        name, file = settings.THEME_CLASS, settings.THEME_FILE
        if not name and not file:
            return []
        if not name or not file:
            return [Error("A theme needs both THEME_CLASS and THEME_FILE.", id="portal.E001")]
        if not Path(file).is_file():
            return [Error(f"THEME_FILE is not there: {file}", id="portal.E002")]
        if f".{name}" not in Path(file).read_text():
            return [Error(f"THEME_FILE has no rule for the class {name}.", id="portal.E003")]
        return []

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, FileSystemStorage]]:
        if settings.THEME_FILE:
            yield Path(THEME_URL).name, ThemeStorage(Path(settings.THEME_FILE))
