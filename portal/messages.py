"""The message catalogues, on a machine without gettext: extract, bring up to date, judge, compile.

Source strings are English; `locale/nl` is the translation that has to be complete. The catalogue holds no
dates, hosts or line numbers, so that a change in it is a change in what people read.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

# Which argument is the message, per function: Babel's own, and Django's lazy ones.
KEYWORDS: Mapping[str, Any] = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
HEADER = """\
# Dutch catalogue of Laadbewijs, under EUPL-1.2. `make messages` keeps it in step with the source.
msgid ""
msgstr ""
"Language: nl\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

"""


def extract_catalog(root: Path, packages: Iterable[str]) -> Catalog:
    """Every translatable string of the `packages` (folders under `root`): Python files and templates."""
    catalog = Catalog()
    for path in _sources(root, packages):
        text = path.read_text(encoding="utf-8")
        origin = path.relative_to(root).as_posix()
        if path.suffix != ".py":
            # templatize leaves the layout of the page, which would be wrong indentation in Python.
            lines = templatize(text, origin=origin).splitlines()
            text = "\n".join(line.lstrip() for line in lines)
        # Babel's own parser of Python knows each way to write a string; it reads bytes.
        found = extract(
            "python", io.BytesIO(text.encode()), keywords=KEYWORDS, comment_tags=("Translators:",)
        )
        for line, message, comments, context in found:
            catalog.add(message, None, [(origin, line)], auto_comments=comments, context=context)
    return catalog


def _sources(root: Path, packages: Iterable[str]) -> Iterator[Path]:
    for package in packages:
        for path in sorted((root / package).rglob("*")):
            is_template = "templates" in path.parts and path.suffix in {".html", ".txt"}
            if path.suffix == ".py" or is_template:
                yield path


def read_catalog(path: Path) -> Catalog:
    """The catalogue in the file `path`, or an empty Dutch one where there is none yet."""
    if not path.exists():
        return Catalog(locale="nl")
    with path.open("rb") as file:
        return read_po(file, locale="nl")


def update(path: Path, source: Catalog) -> Catalog:
    """Write `source`'s messages to `path` with the translations that `path` already has; return the result.

    A message that the source no longer has is dropped: the history of the file keeps it.
    """
    catalog = read_catalog(path)
    catalog.update(source, no_fuzzy_matching=True, update_header_comment=False)
    catalog.obsolete.clear()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + _as_po(catalog), encoding="utf-8")
    return catalog


def _as_po(catalog: Catalog) -> str:
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=110, omit_header=True, sort_output=True, include_lineno=False)
    return buffer.getvalue().decode()


def compile_catalog(path: Path) -> Path:
    """Write the compiled catalogue that Django reads beside `path`; return its path."""
    compiled = path.with_suffix(".mo")
    with compiled.open("wb") as file:
        write_mo(file, read_catalog(path))
    return compiled


def faults(catalog: Catalog, source: Catalog) -> list[str]:
    """What keeps `catalog` from being the complete translation of `source`, one line for each message."""
    found = []
    for message in source:
        if not message.id:
            continue
        translation = catalog.get(message.id, message.context)
        found += [f"{fault}: {_shown(message)}" for fault in _faults_of(translation, catalog)]
    found += [f"obsolete: {_shown(message)}" for message in catalog if _is_obsolete(message, source)]
    return found + [f"obsolete: {_shown(message)}" for message in catalog.obsolete.values()]


def _faults_of(translation: Message | None, catalog: Catalog) -> list[str]:
    if translation is None:
        return ["not in the catalogue"]
    texts = [translation.string] if isinstance(translation.string, str) else list(translation.string or [])
    if not texts or not all(texts):
        return ["not translated"]
    if translation.fuzzy:
        return ["fuzzy"]
    if _braces(" ".join(texts)) != _braces(_original(translation)):
        return ["other {names} than the original"]
    return [str(error) for error in translation.check(catalog)]


def _original(message: Message) -> str:
    """The source text; of a plural the general form, which names everything that is filled in."""
    return message.id if isinstance(message.id, str) else message.id[-1]


def _braces(text: str) -> set[str]:
    return set(re.findall(r"{\w*}", text))


def _is_obsolete(message: Message, source: Catalog) -> bool:
    return bool(message.id) and source.get(message.id, message.context) is None


def _shown(message: Message) -> str:
    text = _original(message)
    context = f" (context {message.context!r})" if message.context else ""
    where = ", ".join(sorted({file for file, _ in message.locations}))
    return f"{text!r}{context}" + (f" in {where}" if where else "")
