"""Requirement 211 by what a station states that it measures: substantiated at most. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_noop

from portal.compliance.checks.findings import Figure, Finding

IMPORT, EXPORT = "Energy.Active.Import.Register", "Energy.Active.Export.Register"
# Where the measurands of samples within a session are set (1.6, 9.1.22; 2.0.1, TxUpdatedMeasurands).
KEYS = {"1.6": "MeterValuesSampledData"}
KEY_OF_2 = "SampledDataCtrlr.TxUpdatedMeasurands"


def key_of(ocpp_version: str) -> str:
    return KEYS.get(ocpp_version, KEY_OF_2)


def registers_among(measurands: Sequence[str]) -> str | None:
    """The energy registers in a list of measurands, as text; None where the list is not known."""
    if not measurands:
        return None
    return ", ".join(name for name in (IMPORT, EXPORT) if name in measurands) or "-"


def judge_stated(capabilities: Mapping[str, Any]) -> Finding | None:
    """None where the station does not state what it samples. A register that is missing may only be unconfigured:
    then nothing is said against it, and what to set is named."""
    sampled, offered = capabilities.get("registers"), capabilities.get("registers_offered")
    if sampled is None:
        return None
    both = IMPORT in sampled and EXPORT in sampled
    figures = (
        Figure(
            "registers_sampled", gettext_noop("Registers sampled"), sampled, "", gettext_noop("both"), both
        ),
    )
    values = {"key": capabilities.get("registers_key", "")}
    if both:
        return Finding("substantiated", "211.states_both", values, figures)
    if EXPORT in sampled:
        return Finding("undecided", "211.states_no_import", values, figures)
    if EXPORT in (offered or ""):
        return Finding("substantiated", "211.states_offered", values, figures)
    return Finding("undecided", "211.states_none", values, figures)
