"""A piece of evidence as files: the measurement as CSV, and all that was hashed as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from portal.compliance import registers_page
from portal.compliance.dossier import Dossier
from portal.compliance.evidence import FIELDS, RELATIONS
from portal.compliance.evidence_chart import comparison
from portal.compliance.models import Evidence

CSV_HEADING = ("at", "purpose", "evse", "step", "holds", "from", "expected", "reported", "unit", "message_id")


def csv_rows(dossier: Dossier) -> Iterator[tuple[Any, ...]]:
    """The heading and a line for each step; of one that was read, a line for each period. Of an observation a line for
    each sample.

    For programs: times in UTC, points.
    """
    if "observation" in dossier.evidence.configuration:
        yield from registers_page.csv_rows(dossier.evidence)
        return
    yield CSV_HEADING
    for step in dossier.steps:
        first = (step.at.isoformat(), step.purpose, step.evse, step.kind, step.holds)
        drawn = comparison(dossier, step.number) if step.reported else None
        if drawn is None:
            yield (*first, "", "", "", "", step.message_id)
            continue
        for period in drawn.periods:
            values = (period.start.isoformat(), period.expected, period.reported, step.unit)
            yield (*first, *values, step.message_id)


def as_json(evidence: Evidence) -> dict[str, Any]:
    """Every field that the hash covers, and the hash: enough to verify it elsewhere."""
    content = {name: getattr(evidence, name) for name in (*FIELDS, *RELATIONS)}
    return {**content, "hash": evidence.hash}
