"""The figures of requirement 211. Import and export have their DSMR codes beside their names. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_noop

from portal.compliance.checks.findings import Figure
from portal.compliance.checks.registers_look import FLOOR_WH, Look
from portal.compliance.checks.registers_samples import Sample, energy_wh, resolution_wh, rise, seconds

EXPORT = gettext_noop("Export register (2.8.x) rose")
IMPORT = gettext_noop("Import register (1.8.x) rose meanwhile")


def figures_of(look: Look, samples: Sequence[Sample]) -> tuple[Figure, ...]:
    """What the stretch that decides shows, and how well it could be seen. `samples`: all that were judged."""
    part, decided = look.part, look.verdict != "undecided"
    exported, imported = rise(part, "export"), rise(part, "import")
    proven = look.verdict == "proven"
    netted_import = look.values.get("register") == "import"
    figures = []
    if exported is not None:
        holds = (exported >= FLOOR_WH) if decided and not netted_import else None
        rule = gettext_noop("at least 100 Wh")
        figures.append(Figure("export_rise_wh", EXPORT, _round(exported), "Wh", rule, holds))
    if imported is not None:
        stood = proven or (0 <= imported < FLOOR_WH)
        rule = gettext_noop("stands still")
        figures.append(
            Figure("import_rise_wh", IMPORT, _round(imported), "Wh", rule, stood if decided else None)
        )
    flowed = energy_wh(part)
    if flowed:
        name = gettext_noop("Flowed out at least, by the power")
        figures.append(Figure("flowed_out_wh", name, _round(flowed), "Wh", "", None))
    return (*figures, *_how_well(part, samples))


def _how_well(part: Sequence[Sample], samples: Sequence[Sample]) -> tuple[Figure, ...]:
    values = [value for sample in part for value in (sample.import_wh, sample.export_wh)]
    return (
        Figure("duration_s", gettext_noop("Duration"), round(seconds(part[0], part[-1])), "s", "", None),
        Figure("samples", gettext_noop("Samples"), len(part), "", "", None),
        Figure("resolution_wh", gettext_noop("Smallest step seen"), resolution_wh(values), "Wh", "", None),
    )


def _round(value: float) -> float:
    return round(value, 1)
