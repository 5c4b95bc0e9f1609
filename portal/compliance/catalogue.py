"""The catalogue: a set of requirements from a CSV file, and which of them count in a concession.

Columns as the Dutch guidelines come: any category, any number, and more than one version of a set may be in use.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import transaction

from portal.compliance.models import ConcessionRequirement, Requirement, RequirementSet
from stations.models import Concession

SHIPPED = Path(__file__).parent / "data" / "requirements-200-212.csv"
COLUMNS = (
    "subcategorie",
    "id",
    "onderwerp",
    "omschrijving",
    "bestaand_toekomst",
    "eis_wens",
    "prio",
    "commentaar",
)
OBLIGATIONS = {"eis": Requirement.Obligation.EIS, "wens": Requirement.Obligation.WENS}
HORIZONS = {"bestaand": Requirement.Horizon.EXISTING, "toekomst": Requirement.Horizon.FUTURE}
# What a status belongs to (requirements.md): these are judged on each station, all others on the operator's
# back office.
JUDGED_ON_STATIONS = frozenset({"205", "206", "207", "208", "209", "210", "211"})


class CatalogueError(ValueError):
    """A file that is not a set of requirements; `line` counts from 1, the heading included."""

    def __init__(self, what: str, *, line: int | None = None, column: str = "") -> None:
        place = ", ".join(
            part for part in (f"line {line}" if line else "", f"column {column}" if column else "") if part
        )
        super().__init__(f"{place}: {what}" if place else what)
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """One requirement as the file says it. `priority` and `comment` are a municipality's own, mostly empty."""

    code: str
    category: str
    title: str
    text: str
    obligation: str
    horizon: str
    priority: int | None
    comment: str

    @property
    def subject(self) -> Requirement.Subject:
        return subject_of(self.code)


def subject_of(code: str) -> Requirement.Subject:
    """Whether requirement `code` is judged on each station, or once per operator."""
    return Requirement.Subject.STATION if code in JUDGED_ON_STATIONS else Requirement.Subject.OPERATOR


def parse(content: bytes) -> tuple[CatalogueRow, ...]:
    """Rows of a catalogue file (UTF-8, commas, with a heading); CatalogueError names line and column."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise CatalogueError("the file is not UTF-8 text", line=line) from None
    rows: list[CatalogueRow] = []
    lines_by_code: dict[str, int] = {}
    for line, cells in _records(text):
        row = _row(line, cells)
        if row.code in lines_by_code:
            raise CatalogueError(
                f"{row.code!r} is on line {lines_by_code[row.code]} already", line=line, column="id"
            )
        lines_by_code[row.code] = line
        rows.append(row)
    if not rows:
        raise CatalogueError("the file has no requirements")
    return tuple(rows)


def _records(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """(first line, cells by column) of each record; a cell may span lines."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    begin = 1
    try:
        heading = next(reader, [])
        _check_heading(heading)
        begin = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                _check_width(begin, cells, heading)
                yield begin, dict(zip(heading, cells, strict=True))
            begin = reader.line_num + 1
    except csv.Error as error:
        raise CatalogueError(f"not readable as CSV: {error}", line=begin) from None


def _check_heading(heading: list[str]) -> None:
    """The columns in any order, each once; the first that is wrong is named."""
    for column in COLUMNS:
        if column not in heading:
            raise CatalogueError("this column is missing", line=1, column=column)
    for column in heading:
        if column not in COLUMNS:
            raise CatalogueError("this column is not known", line=1, column=column or "(empty)")
    if len(heading) != len(COLUMNS):
        twice = next(column for column in heading if heading.count(column) > 1)
        raise CatalogueError("this column is there twice", line=1, column=twice)


def _check_width(line: int, cells: list[str], heading: list[str]) -> None:
    if len(cells) < len(heading):
        raise CatalogueError(
            f"{len(cells)} cells where {len(heading)} are needed", line=line, column=heading[len(cells)]
        )
    if len(cells) > len(heading):
        raise CatalogueError(
            f"{len(cells)} cells where {len(heading)} are needed", line=line, column=str(len(heading) + 1)
        )


def _row(line: int, cells: Mapping[str, str]) -> CatalogueRow:
    def text(column: str, *, longest: int) -> str:
        value = cells[column].strip()
        if not value:
            raise CatalogueError("is empty", line=line, column=column)
        if len(value) > longest:
            raise CatalogueError(f"longer than {longest} characters", line=line, column=column)
        return value

    def choice(column: str, choices: Mapping[str, str]) -> str:
        value = cells[column].strip()
        if value.lower() not in choices:
            known = " or ".join(name.capitalize() for name in choices)
            raise CatalogueError(f"{value!r} is not {known}", line=line, column=column)
        return choices[value.lower()]

    return CatalogueRow(
        code=text("id", longest=20),
        category=text("subcategorie", longest=100),
        title=text("onderwerp", longest=200),
        text=text("omschrijving", longest=20_000),
        obligation=choice("eis_wens", OBLIGATIONS),
        horizon=choice("bestaand_toekomst", HORIZONS),
        priority=_priority(line, cells["prio"].strip()),
        comment=cells["commentaar"].strip(),
    )


def _priority(line: int, value: str) -> int | None:
    if not value:
        return None
    if not (value.isascii() and value.isdigit()) or int(value) > 32_767:
        raise CatalogueError(f"{value!r} is not a whole number", line=line, column="prio")
    return int(value)


@transaction.atomic
def import_requirements(*, content: bytes, name: str, version: str, now: datetime) -> RequirementSet:
    """The set of that name and version, made from `content` unless it is there. Safe to repeat.

    The same name and version with other content is a CatalogueError: evidence refers to the set, so it never changes.
    """
    rows = parse(content)
    digest = hashlib.sha256(content).hexdigest()
    requirement_set, created = RequirementSet.objects.get_or_create(
        name=name, version=version, defaults={"sha256": digest, "imported_at": now}
    )
    if not created and requirement_set.sha256 != digest:
        raise CatalogueError(
            f"{name} {version} was imported before with other content: give this one another version"
        )
    if created:
        Requirement.objects.bulk_create(_requirement(requirement_set, row) for row in rows)
    return requirement_set


def _requirement(requirement_set: RequirementSet, row: CatalogueRow) -> Requirement:
    return Requirement(
        requirement_set=requirement_set,
        code=row.code,
        category=row.category,
        title=row.title,
        text=row.text,
        obligation=row.obligation,
        horizon=row.horizon,
        subject=row.subject,
    )


@transaction.atomic
def apply_to(
    *, concession: Concession, requirement_set: RequirementSet, rows: tuple[CatalogueRow, ...] = ()
) -> int:
    """Make every requirement of the set count in `concession`; returns how many did not before.

    `rows` brings the file's own priorities and comments along; what the municipality filled in stays.
    """
    own = {row.code: row for row in rows}
    added = 0
    for requirement in requirement_set.requirements.all():
        row = own.get(requirement.code)
        _, created = ConcessionRequirement.objects.get_or_create(
            concession=concession,
            requirement=requirement,
            defaults={"priority": row.priority, "comment": row.comment} if row else {},
        )
        added += created
    return added
