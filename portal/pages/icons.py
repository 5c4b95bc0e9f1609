"""The icons, as paths in a box of 16 by 16, and the marks made of them: icon, colour and word. Own drawings.

Strokes take the text colour; class `f` fills with it, class `k` is a line in the colour of the surface.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal.compliance.models import Status

RING = '<circle cx="8" cy="8" r="6.2"/>'

ICONS: Mapping[str, str] = {
    # what people do
    "search": '<circle cx="7" cy="7" r="4.7"/><path d="M10.5 10.5l3.5 3.5"/>',
    "download": '<path d="M8 2.5v7.6M4.8 7.2L8 10.3l3.2-3.1M3 13.5h10"/>',
    "again": '<path d="M3 6.5h7a3.5 3.5 0 0 1 0 7H6M5.8 3.5l-3 3 3 3"/>',
    "plus": '<path d="M8 3v10M3 8h10"/>',
    "minus": '<path d="M3 8h10"/>',
    "bin": '<path d="M2.8 4.5h10.4M6.3 4.5v-2h3.4v2M4.3 4.5l.6 9h6.2l.6-9"/>',
    "pause": '<path d="M5.5 3v10M10.5 3v10"/>',
    "play": '<path d="M5 3l8 5-8 5z"/>',
    "stop": '<rect x="4" y="4" width="8" height="8" rx="1"/>',
    "sort": '<path d="M5 6.5L8 3.5l3 3M5 9.5l3 3 3-3"/>',
    "sliders": '<path d="M2.5 5h6M11.5 5h2M2.5 11h2M7.5 11h6"/><circle cx="10" cy="5" r="1.5"/>'
    '<circle cx="6" cy="11" r="1.5"/>',
    "sign-out": '<path d="M6.5 2.5h-3v11h3M6 8h7.5M10.8 5.2L13.6 8l-2.8 2.8"/>',
    # signs
    "check": '<path d="M3 8.6l3.2 3.2L13 4.8"/>',
    "cross": '<path d="M4 4l8 8M12 4l-8 8"/>',
    "alert": '<path d="M5.2 1.5h5.6l3.7 3.7v5.6l-3.7 3.7H5.2l-3.7-3.7V5.2z" class="f"/>'
    '<path d="M8 4.4v4.2M8 11.3v.1" class="k"/>',
    "clock": RING + '<path d="M8 4.4V8l2.6 1.8"/>',
    "hourglass": '<path d="M4.5 2h7M4.5 14h7M5.2 2c0 3.4 5.6 4 5.6 6s-5.6 2.6-5.6 6M10.8 2c0 3.4-5.6 4-5.6 6'
    's5.6 2.6 5.6 6"/>',
    "question": RING + '<path d="M6.2 6.3a1.9 1.9 0 1 1 2.7 1.8c-.6.3-.9.7-.9 1.4M8 11.6v.1"/>',
    "bell": '<path d="M4 11.5V7a4 4 0 0 1 8 0v4.5M2.8 11.5h10.4M6.8 13.8h2.4"/>',
    "info": RING + '<path d="M8 7.4v3.8M8 4.7v.1"/>',
    "lock": '<rect x="3" y="7" width="10" height="7" rx="1.5"/><path d="M5.3 7V4.8a2.7 2.7 0 0 1 5.4 0V7"/>',
    "link": '<path d="M6.6 9.4a2.6 2.6 0 0 0 3.7 0l2.5-2.5a2.6 2.6 0 0 0-3.7-3.7L8.2 4.1M9.4 6.6a2.6 2.6 0 0 '
    '0-3.7 0L3.2 9.1a2.6 2.6 0 0 0 3.7 3.7l.9-.9"/>',
    # things
    "bolt": '<path d="M9 1.5L3.5 9H8l-1 5.5L12.5 7H8z"/>',
    "station": '<path d="M4 14V3.5A1.5 1.5 0 0 1 5.5 2h3A1.5 1.5 0 0 1 10 3.5V14M2.8 14h8.4M10 6h1.6l1.4 '
    '1.6v3.2a1 1 0 0 1-2 0V9.6H10M7.6 4.8L5.9 8h2.2l-1 2.8"/>',
    "list": '<path d="M5.5 4h8M5.5 8h8M5.5 12h8M2.5 4h.1M2.5 8h.1M2.5 12h.1"/>',
    "in": '<path d="M2.5 2.5v11M14 8H5.5M8.5 4.8L5.3 8l3.2 3.2"/>',
    "out": '<path d="M2.5 2.5v11M5.5 8H14M11 4.8L14.2 8 11 11.2"/>',
    "person": '<circle cx="8" cy="5.2" r="2.8"/><path d="M2.8 14c.6-3 2.6-4.4 5.2-4.4s4.6 1.4 5.2 4.4"/>',
    "globe": RING + '<path d="M1.8 8h12.4M8 1.8c-4 4-4 8.4 0 12.400M8 1.8c4 4 4 8.4 0 12.4"/>',
    "arrow": '<path d="M3 8h9.500M9 4.500L12.5 8 9 11.5"/>',
    "chevron": '<path d="M6 3.500l4.5 4.500L6 12.5"/>',
    "down": '<path d="M3.5 6l4.5 4.500L12.5 6"/>',
    # the ladder: the fuller the icon, the stronger the proof
    "status-empty": '<circle cx="8" cy="8" r="6.2" stroke-dasharray="2.2 2.6"/>',
    "status-said": RING + '<path d="M5.4 6.6h5.2M5.4 9.4h3.2"/>',
    "status-half": RING + '<path d="M8 1.8a6.2 6.2 0 0 1 0 12.4z" class="f"/>',
    "status-full": '<circle cx="8" cy="8" r="6.5" class="f"/><path d="M5 8.3l2.1 2.1L11.2 6" class="k"/>',
    "status-restored": '<path d="M13.6 6.2A6 6 0 1 0 14 8.6"/><path d="M14.2 2.6v3.8h-3.8"/>'
    '<path d="M5.6 8.4l1.8 1.8 3.2-3.6"/>',
    "status-later": '<path d="M3 4l4 4-4 4M8.6 4l4 4-4 4"/>',
    "status-bar": RING + '<path d="M5 8h6"/>',
    "status-not": RING + '<path d="M3.7 12.300l8.6-8.6"/>',
    "status-waived": '<path d="M3.5 1.8h6.2l2.8 2.8v9.6h-9z"/><path d="M5.7 8.900l1.7 1.7 2.9-3.4"/>',
}


@dataclass(frozen=True, slots=True)
class Mark:
    """How a state looks: `tone` is one of good, bad, warn, info, calm; `icon` a key of ICONS, empty for the tone's."""

    tone: str
    icon: str
    label: str | Promise
    meaning: str | Promise = ""


ONLINE, OFFLINE = Mark("good", "status-full", _("Online")), Mark("warn", "status-bar", _("Offline"))
NOT_PROMISED = "not_promised"
UNDECIDED = Mark("calm", "question", _("Undecided"), _("The answers prove nothing, either way."))

# In the order of the ladder, as the legend tells it.
MARKS: Mapping[str, Mark] = {
    Status.NOT_ASSESSED: Mark("calm", "status-empty", Status.NOT_ASSESSED.label, _("Nothing is known yet.")),
    Status.DECLARED: Mark(
        "info",
        "status-said",
        Status.DECLARED.label,
        _("The operator says so. It is recorded who said it and when."),
    ),
    Status.SUBSTANTIATED: Mark(
        "info",
        "status-half",
        Status.SUBSTANTIATED.label,
        _("Read from the settings of the station or from a document. Not yet seen working."),
    ),
    Status.PROVEN: Mark(
        "good",
        "status-full",
        Status.PROVEN.label,
        _("Measured or tried on the live station. The evidence is attached."),
    ),
    Status.DEVIATION: Mark(
        "bad",
        "alert",
        Status.DEVIATION.label,
        _("The evidence contradicts the requirement or the promise."),
    ),
    Status.RESTORED: Mark(
        "good", "status-restored", Status.RESTORED.label, _("Proven again after a deviation.")
    ),
    Status.STALE: Mark(
        "warn",
        "clock",
        Status.STALE.label,
        _("It was proven, but the firmware or the settings changed since, or the proof is too old."),
    ),
    Status.FUTURE: Mark(
        "calm",
        "status-later",
        Status.FUTURE.label,
        _("Asked for later. What is known already is shown beside it."),
    ),
    NOT_PROMISED: Mark(
        "calm",
        "status-bar",
        _("Not promised"),
        _("A wish that the operator did not promise. That is no shortcoming."),
    ),
    Status.NOT_APPLICABLE: Mark(
        "calm", "status-not", Status.NOT_APPLICABLE.label, _("Does not count here. The reason is given.")
    ),
    Status.WAIVED: Mark(
        "calm",
        "status-waived",
        Status.WAIVED.label,
        _("An exemption, with its reason and who signed it."),
    ),
}


def mark_of_verdict(verdict: str) -> Mark:
    """The mark of what a piece of evidence says (a value of Evidence.Verdict): that of the status it proposes."""
    return MARKS.get(verdict, UNDECIDED)
