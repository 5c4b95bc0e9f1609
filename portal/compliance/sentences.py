"""What the checks and probes have to say, as sentences in the reader's language.

A finding is stored as a code with values; `say` makes the sentence. Evidence keeps the English one beside it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.formats import date_format, get_format
from django.utils.timezone import localtime
from django.utils.translation import gettext, gettext_noop, override

SENTENCES = {
    # Requirement 206, what the probe found
    "206.proven": gettext_noop(
        "All six levels of both kinds of profile showed in the composite schedule, and each time a level was "
        "cleared the level below took over."
    ),
    "206.refused": gettext_noop(
        "The station refused level %(level)s of %(purpose)s on EVSE %(evse)s. It must take six: levels 0 to 5."
    ),
    "206.does_not_return": gettext_noop(
        "Level %(cleared)s of %(purpose)s on EVSE %(evse)s was cleared, and level %(level)s did not return."
    ),
    "206.does_not_show": gettext_noop(
        "Of the six levels of %(purpose)s on EVSE %(evse)s, %(seen)s showed in the composite schedule."
    ),
    "206.fits_nothing": gettext_noop(
        "The composite schedule with %(purpose)s on EVSE %(evse)s fits no reading of the standard."
    ),
    "206.left_out_while_idle": gettext_noop(
        "While no car charges, the station leaves %(purpose)s out of its composite schedule. That is allowed, but "
        "it proves nothing. Repeat the probe while a car charges."
    ),
    "206.unreadable": gettext_noop(
        "The station gave no readable composite schedule with %(purpose)s on EVSE %(evse)s, so the levels could "
        "not be seen."
    ),
    "206.no_answer": gettext_noop(
        "The station did not answer when level %(level)s of %(purpose)s on EVSE %(evse)s was set. That is not a "
        "refusal."
    ),
    "206.not_set": gettext_noop(
        "Level %(level)s of %(purpose)s on EVSE %(evse)s could not be set: %(why)s. That says nothing about stacking."
    ),
    "206.not_cleared": gettext_noop(
        "The station did not clear level %(level)s of %(purpose)s on EVSE %(evse)s, so no lower level could take over. "
        "That says nothing about stacking."
    ),
    "206.other_times": gettext_noop(
        "The composite schedule with %(purpose)s on EVSE %(evse)s is right only if it begins when it was asked for. "
        "The station names another time. Look at its clock or time zone, and repeat the probe."
    ),
    "206.too_coarse": gettext_noop(
        "The station rounds its limits. The levels of %(purpose)s on EVSE %(evse)s cannot be told apart with certainty."
    ),
    "206.incomplete": gettext_noop("Not all of %(purpose)s on EVSE %(evse)s was tried."),
    # Requirement 206, what the configuration says
    "206.states_enough": gettext_noop(
        "The station states a highest stack level of %(level)s and room for %(profiles)s profiles. That is enough "
        "for six levels, but nobody saw it work."
    ),
    "206.states_level": gettext_noop(
        "The station states a highest stack level of %(level)s. That is enough for six levels, but nobody saw it work."
    ),
    "206.states_too_little": gettext_noop(
        "The station states a highest stack level of %(level)s and room for %(profiles)s profiles. Six levels need 5 "
        "and 6. Only a probe can decide."
    ),
    "206.states_nothing": gettext_noop("The station does not state how many levels it takes."),
    # Why a probe did not run, or stopped
    "probe.offline": gettext_noop("The station is not connected."),
    "probe.car_there": gettext_noop(
        "A car is connected to EVSE %(evse)s. The operator can allow the probe all the same."
    ),
    "probe.limits_moving": gettext_noop("Limits are being sent to this station. Try again in a minute."),
    "probe.no_composite": gettext_noop(
        "The station gives no composite schedule for EVSE %(evse)s (%(state)s), so nothing can be read back and what "
        "stands there is not known."
    ),
    "probe.not_explained": gettext_noop(
        "The composite schedule of EVSE %(evse)s is %(reported)s where our own records explain %(expected)s. Someone "
        "else may have set a profile, and the probe could overwrite it."
    ),
    "probe.not_ours": gettext_noop(
        "The composite schedule of EVSE %(evse)s is %(reported)s, and no limit of ours explains that. Someone else may "
        "have set a profile, and the probe could overwrite it."
    ),
    "probe.no_room": gettext_noop(
        "The limit that stands now, %(limit)s %(unit)s, leaves no room for six lower limits that can be told apart."
    ),
    "probe.no_unit": gettext_noop("The station states no rate unit that the probe can use."),
    "probe.car_came": gettext_noop("A car was connected to EVSE %(evse)s. The probe stopped for it."),
    "probe.rebooted": gettext_noop("The station started anew during the probe. Repeat the probe."),
    "probe.limits_changed": gettext_noop(
        "A limit of this station changed during the probe. Try again in a minute."
    ),
    "probe.no_frames": gettext_noop(
        "The messages of this probe were not all kept, so there is no evidence. Repeat the probe."
    ),
    "probe.lost": gettext_noop("The station no longer answers: %(action)s stayed without an answer."),
    "probe.cancelled": gettext_noop("The probe was stopped."),
    "probe.interrupted": gettext_noop("The portal stopped in the middle of the probe. Repeat the probe."),
    "probe.broken": gettext_noop("The probe stopped on an error of the portal: %(error)s."),
    "probe.no_concession": gettext_noop(
        "Requirement %(code)s does not count in the concession of this station."
    ),
    # Steps of a probe, as people watch them
    "step.before": gettext_noop("Read what stands on EVSE %(evse)s before anything changes"),
    "step.withdraw": gettext_noop("Take away our own profile %(profile)s for as long as the probe lasts"),
    "step.install": gettext_noop(
        "Set level %(level)s of %(purpose)s on EVSE %(evse)s: %(limit)s %(unit)s until %(until)s"
    ),
    "step.read": gettext_noop("Read the composite schedule of EVSE %(evse)s: levels %(levels)s are to show"),
    "step.clear": gettext_noop("Clear level %(level)s of %(purpose)s on EVSE %(evse)s"),
    "step.tidy": gettext_noop("Clear profile %(profile)s of the probe"),
    "step.put_back": gettext_noop("Set our own profile %(profile)s again"),
    "step.after": gettext_noop("Read what stands on EVSE %(evse)s after the probe"),
    "step.restored": gettext_noop("What stands is what stood before"),
    "step.not_restored": gettext_noop("What stands is not what stood before"),
}

# Of an answer: how it was, where the station gave no code of its own.
STATES = {
    "rejected": gettext_noop("refused"),
    "refused": gettext_noop("refused"),
    "failed": gettext_noop("failed"),
    "malformed": gettext_noop("not readable"),
    "unanswered": gettext_noop("no answer"),
}
WORDS = frozenset({"state", "why"})
LIMITS = frozenset({"limit", "reported", "expected"})

RESTORED_NAME = gettext_noop("Station restored afterwards")
RESTORED_RULE = gettext_noop("as it was before")


def say(code: str, values: Mapping[str, Any] | None = None) -> str:
    """The sentence of `code` in the active language; a code of another version reads as itself."""
    template = SENTENCES.get(code)
    return gettext(template) % _shown(values or {}) if template else code


def _shown(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values for a reader: states in words, decimals as the language writes them."""
    shown = dict(values)
    for key in WORDS & shown.keys():
        word = STATES.get(shown[key], "")
        shown[key] = gettext(word) if word else shown[key]
    for key in LIMITS & shown.keys():
        shown[key] = re.sub(r"(?<=\d)\.(?=\d)", get_format("DECIMAL_SEPARATOR"), str(shown[key]))
    return shown


def say_step(code: str, values: Mapping[str, Any]) -> str:
    """The sentence of a step, its times on the reader's clock."""
    shown = dict(values)
    if "until" in shown:
        shown["until"] = date_format(localtime(datetime.fromisoformat(shown["until"])), "H:i")
    return say(code, shown)


def say_in_english(code: str, values: Mapping[str, Any] | None = None) -> str:
    """As it is stored beside the evidence, whatever language is active."""
    with override("en"):
        return say_step(code, values or {})
