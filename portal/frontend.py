"""Finds the front-end packages of node_modules: only the files that pages name, under `vendor/`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
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
)


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
