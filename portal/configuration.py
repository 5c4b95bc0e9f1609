"""docs/configuration.md and .env.example, written from the registry in portal.env."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path

from portal.env import Variable

PAGE_TOP = """\
# Configuration

Everything an installation may choose is an environment variable; `portal/settings.py` reads each once, with a
type, and a value of the wrong type ends the process with its name. This page and `.env.example` are generated
(`make docs`): change the text where the variable is read.
"""
EXAMPLE_TOP = """\
# Copy to .env and fill in; compose.yaml reads it. Types and defaults are explained in docs/configuration.md.
# A line that stays commented out keeps the default. This file is generated (`make docs`).

# The password of the database that compose.yaml starts; DATABASE_URL and REDIS_URL follow from it there.
POSTGRES_PASSWORD=
"""


def pages(registry: Mapping[str, Variable], root: Path) -> dict[Path, str]:
    """The generated files, by path, for the variables in `registry` of the checkout at `root`."""
    variables = sorted(registry.values(), key=lambda variable: (variable.group, variable.name))
    groups = [(group, list(members)) for group, members in groupby(variables, key=lambda each: each.group)]
    return {
        root / "docs" / "configuration.md": PAGE_TOP
        + "".join(_section(*group, root=root) for group in groups),
        root / ".env.example": EXAMPLE_TOP + "".join(_examples(*group, root=root) for group in groups),
    }


def _section(group: str, variables: Iterable[Variable], *, root: Path) -> str:
    rows = [
        f"| `{variable.name}` | {variable.kind} | {_default_cell(variable, root)} | {variable.text} |"
        for variable in variables
    ]
    return "\n".join(
        [
            "",
            f"## {group}",
            "",
            "| variable | type | default | what it does |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _examples(group: str, variables: Iterable[Variable], *, root: Path) -> str:
    lines = [f"\n# {group}\n"]
    for variable in variables:
        lines += [f"# {variable.text}\n", f"#{variable.name}={_default(variable, root)}\n"]
    return "".join(lines)


def _default_cell(variable: Variable, root: Path) -> str:
    default = _default(variable, root)
    return f"`{default}`" if default else "none"


def _default(variable: Variable, root: Path) -> str:
    # A default below the checkout is shown relative to it: the page is the same on every machine.
    return variable.default.replace(f"{root}/", "")
