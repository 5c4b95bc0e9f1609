"""Commands in words: what was asked, by whom, what the station answered, and what a schema has against a payload."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from stations.models import Command
from stations.ocpp.validation import SchemaViolation

State = Command.State
# State -> tone and icon of the pages.
_MARKS = {
    State.QUEUED: ("calm", "clock"),
    State.SENT: ("info", "hourglass"),
    State.ACCEPTED: ("good", "check"),
    State.REFUSED: ("bad", "cross"),
    State.FAILED: ("bad", "alert"),
    State.UNKNOWN: ("warn", "question"),
    State.EXPIRED: ("warn", "clock"),
    State.CANCELLED: ("calm", "cross"),
}
_MEANINGS = {
    State.QUEUED: gettext_lazy("Waits until the station is free, or comes online."),
    State.SENT: gettext_lazy("Waiting for the answer."),
    State.UNKNOWN: gettext_lazy("No answer came: it may or may not have happened."),
    State.EXPIRED: gettext_lazy("Not sent in time, so not sent at all."),
    State.CANCELLED: gettext_lazy("Taken back before it was sent."),
}
# Parts of the product that ask by themselves, by the beginning of their name in Command.origin.
_ORIGINS = {
    "api": gettext_lazy("API"),
    "reconcile": gettext_lazy("the portal: limits"),
    "probe": gettext_lazy("the portal: a probe"),
    "capabilities": gettext_lazy("the portal: what the station can do"),
    "configuration": gettext_lazy("the portal: configuration"),
    "security": gettext_lazy("the portal: security"),
    "local list": gettext_lazy("the portal: list of cards"),
    "certificates": gettext_lazy("the portal: certificates"),
}
_LISTS = {
    "configurationKey": gettext_lazy("values: %(n)s"),
    "getVariableResult": gettext_lazy("values: %(n)s"),
    "setVariableResult": gettext_lazy("values: %(n)s"),
    "certificateHashDataChain": gettext_lazy("certificates: %(n)s"),
    "certificateHashData": gettext_lazy("certificates: %(n)s"),
}
_SHOWN = 4  # leaves of a payload in one line


@dataclass(frozen=True, slots=True)
class CommandLine:
    """One command as the list shows it."""

    row: Command
    tone: str
    icon: str
    asked: str  # the payload in a few words
    who: str
    answer: str
    meaning: str
    sent: str  # raw
    answered: str  # raw
    can_cancel: bool
    can_ask_again: bool


def line_of(row: Command, *, may_operate: bool, reads: frozenset[str]) -> CommandLine:
    tone, icon = _MARKS[State(row.state)]
    is_open = row.state in Command.OPEN
    return CommandLine(
        row=row,
        tone=tone,
        icon=icon,
        asked=in_short(row.payload),
        who=who_asked(row),
        answer=answer_of(row),
        meaning=str(_MEANINGS.get(State(row.state), "")),
        sent=indented(row.payload),
        answered=indented(row.response) if row.response is not None else "",
        can_cancel=may_operate and row.state == State.QUEUED,
        can_ask_again=may_operate and not is_open and row.action in reads,
    )


def who_asked(row: Command) -> str:
    """The person, with the way where it was not a page; else the part of the product."""
    for name, words in _ORIGINS.items():
        if row.origin.startswith(name):
            origin = str(words)
            break
    else:
        origin = "" if row.origin == "person" else _("the portal")
    person = (row.requested_by.get_full_name() or row.requested_by.get_username()) if row.requested_by else ""
    if person and origin:
        return f"{person} ({origin})"
    return person or origin or _("somebody who is no longer known here")


def answer_of(row: Command) -> str:
    """The station's answer in a line; empty while there is none."""
    if row.error:
        return row.error
    if row.response is None:
        return ""
    said = [str(row.response["status"])] if "status" in row.response else []
    info = row.response.get("statusInfo")
    if isinstance(info, dict):
        said += [str(info[name]) for name in ("reasonCode", "additionalInfo") if info.get(name)]
    if "listVersion" in row.response:
        said.append(_("version %(n)s") % {"n": row.response["listVersion"]})
    elif "versionNumber" in row.response:
        said.append(_("version %(n)s") % {"n": row.response["versionNumber"]})
    for name, word in _LISTS.items():
        if isinstance(row.response.get(name), list):
            said.append(str(word % {"n": len(row.response[name])}))
    said += [str(row.response[name]) for name in ("filename", "fileName") if row.response.get(name)]
    return ", ".join(said) or (in_short(row.response) or _("taken in"))


def in_short(payload: dict[str, Any]) -> str:
    """The first leaves: type: Hard, connectorId: 1."""
    leaves = list(_leaves(payload))
    more = len(leaves) - _SHOWN
    text = ", ".join(f"{name}: {value}" for name, value in leaves[:_SHOWN])
    if more > 0:
        text += " " + ngettext("and %(n)d more", "and %(n)d more", more) % {"n": more}
    return text


def _leaves(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, str(key))
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, name)
    else:
        text = str(value)
        yield name, text if len(text) <= 60 else f"{text[:60]}…"


def indented(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


# ---------------------------------------------------------------- what a schema says
_PROBLEMS = (
    (re.compile(r'"(?P<what>[^"]+)" is a required property'), gettext_lazy("%(what)s is missing.")),
    (
        re.compile(r"Additional properties are not allowed \((?P<what>.+) (?:was|were) unexpected\)"),
        gettext_lazy("%(what)s is not known here."),
    ),
    (re.compile(r"is not one of (?P<what>.+)"), gettext_lazy("must be one of: %(what)s.")),
    (
        re.compile(r'is not of types? "?(?P<what>[^"]+)"?'),
        gettext_lazy("must be of the type %(what)s."),
    ),
    (
        re.compile(r"is longer than (?P<what>\d+) characters?"),
        gettext_lazy("must be at most %(what)s characters long."),
    ),
    (re.compile(r"has less than (?P<what>\d+) items?"), gettext_lazy("needs at least %(what)s item(s).")),
    (re.compile(r"has more than (?P<what>\d+) items?"), gettext_lazy("takes at most %(what)s item(s).")),
)


def problem_of(violation: SchemaViolation) -> str:
    """“connectorId” must be of the type integer. What we have no words for, the schema says in its own."""
    for pattern, words in _PROBLEMS:
        found = pattern.search(violation.problem)
        if found:
            problem = words % {"what": found["what"].replace("'", "").replace('"', "")}
            break
    else:
        problem = violation.problem
    return (
        _("“%(field)s”: %(problem)s") % {"field": violation.field, "problem": problem}
        if violation.field
        else str(problem)
    )
