"""What the checks and probes have to say, as sentences in the reader's language.

A finding is stored as a code with values; `say` makes the sentence. Evidence keeps the English one beside it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.formats import date_format, get_format, number_format
from django.utils.timezone import localtime
from django.utils.translation import gettext, gettext_noop, override

from portal.compliance.checks import (
    periods_sentences,
    probe_sentences,
    registers_sentences,
    stacking_sentences,
)
from stations.models import Evse

# The sentences of each check stand beside it.
SENTENCES = {
    **probe_sentences.SENTENCES,
    **stacking_sentences.SENTENCES,
    **periods_sentences.SENTENCES,
    **registers_sentences.SENTENCES,
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
ENERGIES = frozenset({"flowed", "export", "imported", "fell"})

RESTORED_NAME = gettext_noop("Station restored afterwards")
RESTORED_RULE = gettext_noop("as it was before")


def say(code: str, values: Mapping[str, Any] | None = None) -> str:
    """The sentence of `code` in the active language; a code of another version reads as itself."""
    template = SENTENCES.get(code)
    return gettext(template) % _shown(values or {}) if template else code


def _shown(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values for a reader: places and states in words, numbers as the language writes them."""
    shown = dict(values)
    if "evse" in shown:
        shown["place"] = place_name(shown["evse"])
    for key in ENERGIES & shown.keys():
        shown[key] = number_format(shown[key], force_grouping=True)
    for key in WORDS & shown.keys():
        word = STATES.get(shown[key], "")
        shown[key] = gettext(word) if word else shown[key]
    for key in LIMITS & shown.keys():
        shown[key] = re.sub(r"(?<=\d)\.(?=\d)", get_format("DECIMAL_SEPARATOR"), str(shown[key]))
    return shown


def place_name(evse: int) -> str:
    """EVSE 0 is the station (OCPP 1.6: connector 0); the others are sockets A, B, and so on."""
    if not evse:
        return gettext("the whole station")
    return gettext("socket %(letter)s") % {"letter": Evse(number=evse).letter}


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
