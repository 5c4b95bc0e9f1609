"""Why a profile is where it is, and what a composite showed: codes with values, said in the reader's language.

Stored is `Saying` of the pure code; a code that this version does not know reads as itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.timezone import localtime
from django.utils.translation import gettext, gettext_noop

from smartcharging.domain.progress import Because
from smartcharging.domain.rules import Problem, Rule
from smartcharging.domain.sayings import Saying, Words, words_json
from smartcharging.reasons import problem_text

PROBLEM, PLAIN = "problem", "plain"
_BECAUSE = {
    Because.NONE: "",
    Because.OBSTACLE: "%(words)s",  # its own words say it
    Because.STATION_SAYS: gettext_noop("The station answered: %(words)s"),
    Because.NO_ANSWER: gettext_noop("The station gave no answer."),
    Because.NOT_SENT: gettext_noop("It could not be sent in time."),
    Because.HIDDEN: gettext_noop(
        "It does not show in the composite schedule: another limit decides, or it starts later."
    ),
    Because.DIFFERS: gettext_noop("The station reports another limit. %(words)s"),
    Because.UNCOMPARABLE: gettext_noop(
        "The station accepted it, but what it reports could not be compared. %(words)s"
    ),
    Because.GAVE_UP: gettext_noop("Given up after several tries without a certain result."),
    Because.REPLACED: gettext_noop("A newer version took its place."),
    Because.NEVER_THERE: gettext_noop("It never stood on the station."),
    Because.LISTED: gettext_noop(
        "The station lists it among its profiles; its composite schedule does not tell. %(words)s"
    ),
    Because.LISTED_HIDDEN: gettext_noop(
        "The station lists it among its profiles. It does not show in the composite schedule: another limit decides,"
        " or it starts later."
    ),
    Because.SHOWN_NOT_LISTED: gettext_noop(
        "It shows in the composite schedule, but the station does not list it among its profiles."
    ),
    Because.NOT_LISTED: gettext_noop(
        "The station does not have it: it is not in its list of profiles. %(words)s"
    ),
    Because.LISTED_OTHER: gettext_noop("The station holds another profile under this number: %(words)s."),
    Because.NOT_APPLIED: gettext_noop(
        "The station lists it among its profiles, but its composite schedule does not follow it. %(words)s"
    ),
    Because.VANISHED: gettext_noop(
        "A limit of one session need not survive a restart of the station; it is sent again."
    ),
    Because.NEW_FIRMWARE: gettext_noop("The station has new firmware, so it is asked once more."),
}
_READINGS = {
    "D6": gettext_noop("The station converts A and W with the lowest number of phases (D6)."),
    "D8": gettext_noop("The station leaves relative limits out while no session runs (D8)."),
    "D9": gettext_noop("The station leaves limits out while no session runs (D9)."),
    "D9.other": gettext_noop(
        "While no session runs, the station reports a limit that is not ours. A default need not show then (D9),"
        " so this decides nothing."
    ),
    "D12": gettext_noop("The station adds up its EVSEs in another way (D12)."),
    "no_external": gettext_noop("The station leaves out a limit that others have set on it."),
}
_COMPARISONS = {
    "overtaken": gettext_noop("A later command overtook the question."),
    "unanswered": gettext_noop("The station gave no answer."),
    "rejected": gettext_noop("The station rejected the question: %(words)s"),
    "malformed": gettext_noop("The answer is not readable: %(words)s"),
    "clock": gettext_noop("The station answers about a moment that lies %(seconds)d s away."),
    "no_limit": gettext_noop("It names no limit where one should be, from %(at)s."),
    "difference": gettext_noop("The difference is at most %(largest)s %(unit)s, the first at %(at)s."),
    "external_unknown": gettext_noop(
        "Others have set a limit on the station, and it did not say how low. That may be the difference."
    ),
}
SENTENCES: dict[str, str] = {
    **{str(code): text for code, text in _BECAUSE.items()},
    **_READINGS,
    **_COMPARISONS,
    PLAIN: "%(words)s",
}


def say(code: str, values: Mapping[str, Any]) -> str:
    """The sentence of `code`; empty for no code."""
    if code == PROBLEM:
        return _say_problem(values)
    if code not in SENTENCES:
        return code
    template = SENTENCES[code]
    shown = {key: _shown(key, value) for key, value in values.items()}
    try:
        return (gettext(template) % {"words": "", **shown}).strip() if template else ""
    except (KeyError, TypeError, ValueError):  # values of another version
        return code


def of_problem(problem: Problem) -> Saying:
    """What is wrong with a profile, as a saying."""
    return Saying(PROBLEM, {**asdict(problem), "rule": str(problem.rule)})


def because(code: Because, words: Words = "") -> Saying:
    """Why a profile is where it is; `words` are the station's own, or a saying of ours."""
    if code is Because.NONE:
        return Saying(PLAIN, {"words": words_json(words)}) if words else Saying()
    return Saying(str(code), {"words": words_json(words)} if words else {})


def _say_problem(values: Mapping[str, Any]) -> str:
    try:
        return problem_text(Problem(**{**values, "rule": Rule(values["rule"])}))
    except (KeyError, TypeError, ValueError):  # a rule of another version
        return str(values.get("rule", ""))


def _shown(key: str, value: Any) -> Any:
    if isinstance(value, Mapping) and "code" in value:
        return say(value["code"], value.get("values", {}))
    if key == "at":
        at = localtime(datetime.fromisoformat(value))
        return f"{date_format(at, gettext('j M Y'))}, {at:%H:%M:%S}"
    if key == "largest":
        return number_format(value, 1)
    return value
