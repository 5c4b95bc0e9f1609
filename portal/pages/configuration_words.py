"""The words and marks of a station's configuration: outcomes, differences, and what a value may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.pages.icons import Mark
from stations.domain.device import Bounds, Difference, Kind, Problem
from stations.domain.pacing import Halt
from stations.models import ConfigurationChange, RolloutStation

State, RunState = ConfigurationChange.State, RolloutStation.State

OUTCOMES: Mapping[str, Mark] = {
    State.WAITING: Mark("info", "clock", gettext_lazy("waiting")),
    State.ASKED: Mark("info", "clock", gettext_lazy("asked")),
    State.ACCEPTED: Mark("good", "check", gettext_lazy("accepted")),
    State.REBOOT: Mark("warn", "again", gettext_lazy("accepted, counts after a restart")),
    State.SAME: Mark("calm", "check", gettext_lazy("was so already")),
    State.READ_ONLY: Mark("warn", "lock", gettext_lazy("cannot be changed there")),
    State.REJECTED: Mark("bad", "alert", gettext_lazy("rejected")),
    State.MISSING: Mark("bad", "alert", gettext_lazy("the station does not have it")),
    State.FAILED: Mark("bad", "alert", gettext_lazy("failed")),
    State.UNKNOWN: Mark("warn", "alert", gettext_lazy("no answer: unknown")),
    State.EXPIRED: Mark("warn", "clock", gettext_lazy("not sent in time")),
    State.CANCELLED: Mark("calm", "stop", gettext_lazy("cancelled")),
}
RUNS: Mapping[str, Mark] = {
    RunState.WAITING: Mark("info", "clock", gettext_lazy("waiting")),
    RunState.ASKED: Mark("info", "clock", gettext_lazy("asked")),
    RunState.DONE: Mark("good", "check", gettext_lazy("done")),
    RunState.SAME: Mark("calm", "check", gettext_lazy("nothing to change")),
    RunState.FAILED: Mark("bad", "alert", gettext_lazy("not all done")),
    RunState.CANCELLED: Mark("calm", "stop", gettext_lazy("cancelled")),
}
HALTS: Mapping[str, object] = {
    Halt.FIRST: gettext_lazy(
        "One of the first stations did not take it, so no other was asked. See below why, and try again."
    ),
    Halt.SHARE: gettext_lazy(
        "Too many stations did not take it, so the others were not asked. See below why, and try again."
    ),
    Halt.TEMPLATE: gettext_lazy(
        "The template was changed or deleted meanwhile, so the others were not asked. Roll it out anew."
    ),
}
DIFFERENCES: Mapping[str, Mark] = {
    Difference.SAME: Mark("good", "check", gettext_lazy("the same")),
    Difference.DIFFERS: Mark("warn", "alert", gettext_lazy("differs")),
    Difference.HIDDEN: Mark("info", "lock", gettext_lazy("cannot be read")),
    Difference.READ_ONLY: Mark("warn", "lock", gettext_lazy("differs, and cannot be changed")),
    Difference.MISSING: Mark("bad", "alert", gettext_lazy("not read there")),
}
PROBLEMS: Mapping[str, object] = {
    Problem.NOT_INTEGER: gettext_lazy("Give a whole number."),
    Problem.NOT_DECIMAL: gettext_lazy("Give a number, with a point for the decimals."),
    Problem.NOT_BOOLEAN: gettext_lazy("Give true or false."),
    Problem.NOT_MOMENT: gettext_lazy("Give a date and time, for example 2026-11-23T08:00:00Z."),
    Problem.NOT_LISTED: gettext_lazy("Choose from the values that the station has."),
    Problem.TOO_LOW: gettext_lazy("This is lower than the station takes."),
    Problem.TOO_HIGH: gettext_lazy("This is higher than the station takes."),
    Problem.TOO_LONG: gettext_lazy("This is longer than the station takes."),
}
# Severities of 2.0.1, part 2, N07: 0 is the worst.
SEVERITIES: tuple[object, ...] = (
    gettext_lazy("danger"),
    gettext_lazy("hardware failure"),
    gettext_lazy("system failure"),
    gettext_lazy("critical"),
    gettext_lazy("error"),
    gettext_lazy("alert"),
    gettext_lazy("warning"),
    gettext_lazy("notice"),
    gettext_lazy("information"),
    gettext_lazy("debug"),
)
MONITORS: Mapping[str, object] = {
    "UpperThreshold": gettext_lazy("above"),
    "LowerThreshold": gettext_lazy("below"),
    "Delta": gettext_lazy("changes by"),
    "Periodic": gettext_lazy("every so many seconds"),
    "PeriodicClockAligned": gettext_lazy("every so many seconds, by the clock"),
    "TargetDelta": gettext_lazy("away from its target by"),
    "TargetDeltaRelative": gettext_lazy("away from its target by a part of"),
}


def severity(number: Any) -> str:
    """`4 error`."""
    if not isinstance(number, int) or not 0 <= number < len(SEVERITIES):
        return _("not said")
    return f"{number} {SEVERITIES[number]}"


def severity_tone(number: Any) -> str:
    if not isinstance(number, int):
        return "calm"
    return "bad" if number <= 4 else "warn" if number <= 6 else "info"


def hint(bounds: Bounds, unit: str) -> str:
    """What a field takes, in a sentence or two."""
    parts = []
    low, high = bounds.minimum, bounds.maximum
    if bounds.kind in (Kind.INTEGER, Kind.DECIMAL):
        parts.append(_range(low, high, whole=bounds.kind == Kind.INTEGER))
        if unit:
            parts.append(_("In %(unit)s.") % {"unit": unit})
    elif bounds.kind == Kind.MOMENT:
        parts.append(_("A date and time, for example 2026-11-23T08:00:00Z."))
    elif bounds.kind in (Kind.SEQUENCE, Kind.MEMBERS):
        parts.append(_("With commas between them."))
        if bounds.choices:
            parts.append(_("Choose from: %(values)s.") % {"values": ", ".join(bounds.choices)})
    elif high is not None and bounds.kind == Kind.TEXT:
        parts.append(_("At most %(count)s characters.") % {"count": f"{high:g}"})
    return " ".join(part for part in parts if part)


def _range(low: float | None, high: float | None, *, whole: bool) -> str:
    if low is not None and high is not None:
        return _("From %(low)s to %(high)s.") % {"low": f"{low:.12g}", "high": f"{high:.12g}"}
    if low is not None:
        return _("%(low)s or more.") % {"low": f"{low:.12g}"}
    if high is not None:
        return _("%(high)s or less.") % {"high": f"{high:.12g}"}
    return _("A whole number.") if whole else ""
