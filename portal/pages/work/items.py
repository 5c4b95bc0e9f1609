"""From what was found to an item of work: one sentence, how bad, and where to go. Pure: no query, no clock."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum
from typing import NamedTuple, Protocol

from django.db.models import TextChoices
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.pages.icons import Mark
from portal.pages.security_words import MEANINGS
from portal.templatetags.measures import moment, short_day
from smartcharging.models import DesiredProfile
from smartcharging.sayings import say
from stations.models import Command, ConfigurationRollout, Evse
from stations.models.session import Fall

DAY = timedelta(days=1)
SOON = timedelta(days=30)  # what ends within it is told
URGENT_FROM = timedelta(days=7)  # and within this it is urgent
TERM_SOON = timedelta(days=14)
NO_ERROR = ("", "NoError")


class Kind(TextChoices):
    """What asks for a hand; the order is that of the filter."""

    SILENT = "silent", gettext_lazy("Silent stations")
    FAULT = "fault", gettext_lazy("Faults of sockets")
    LIMIT = "limit", gettext_lazy("Limits that do not stand")
    ROLLOUT = "rollout", gettext_lazy("Roll-outs")
    COMMAND = "command", gettext_lazy("Commands in vain")
    COMPLIANCE = "compliance", gettext_lazy("Deviations from requirements")
    SECURITY = "security", gettext_lazy("Security and alarms")
    CERTIFICATE = "certificate", gettext_lazy("Certificates of stations")
    ROOT = "root", gettext_lazy("Root certificates")
    REGISTER = "register", gettext_lazy("Registers that jump")
    MESSAGES = "messages", gettext_lazy("Messages that cannot be read")
    CARD = "card", gettext_lazy("Cards that wait")


class Level(IntEnum):
    """How bad; the higher the sooner."""

    LATER = 1
    SOON = 2
    URGENT = 3


LEVELS: Mapping[Level, Mark] = {
    Level.URGENT: Mark("bad", "alert", gettext_lazy("Now")),
    Level.SOON: Mark("warn", "clock", gettext_lazy("Soon")),
    Level.LATER: Mark("info", "info", gettext_lazy("When it suits")),
}


class Row(NamedTuple):
    """What a source found. `identity` and `name` are of the station, empty where it is about none.

    `other` is a second moment: when it was last seen, or when it ends. `code`, `text` and `more` are the kind's own.
    """

    kind: str
    row: int
    operator_id: int
    station_id: int | None
    identity: str
    name: str
    since: datetime | None
    other: datetime | None
    code: str
    text: str
    more: str


class PutAside(Protocol):
    """What was said of an item (stations.models.Aside)."""

    level: int
    reason: str
    until: datetime
    put_at: datetime


@dataclass(frozen=True, slots=True)
class Item:
    """`told` is the sentence; `url` and `action` lead to where it is mended. `aside`: it is put aside."""

    found: Row
    level: Level
    told: str
    since: datetime | None
    url: str
    action: str
    aside: PutAside | None = None

    @property
    def kind(self) -> Kind:
        return Kind(self.found.kind)

    @property
    def rank(self) -> tuple[int, float]:
        """The worst first, and of those the newest: what stands there for weeks is known, or to be put aside."""
        return -self.level, -self.since.timestamp() if self.since else float("inf")


class _Said(NamedTuple):
    level: Level
    told: str
    since: datetime | None
    url: str
    action: str


Sayer = Callable[[Row, datetime], _Said]


def items_of(rows: Iterable[Row], asides: Mapping[tuple[str, int], PutAside], *, now: datetime) -> list[Item]:
    """All of it, what is put aside with why; of an event that comes again and again the newest alone."""
    items = []
    for row in _newest_alone(rows):
        said = _SAY[Kind(row.kind)](row, now)
        aside = asides.get((row.kind, row.row))
        holds = aside is not None and is_aside(aside, level=said.level, since=said.since, now=now)
        items.append(Item(row, *_in_order(said), aside=aside if holds else None))
    return items


def is_aside(aside: PutAside, *, level: int, since: datetime | None, now: datetime) -> bool:
    """Whether it still is: not after its day, not where it is worse by now, and not where it began anew since."""
    is_anew = since is not None and since > aside.put_at
    return now < aside.until and level <= aside.level and not is_anew


def _in_order(said: _Said) -> tuple[Level, str, datetime | None, str, str]:
    return said.level, said.told, said.since, said.url, said.action


def _newest_alone(rows: Iterable[Row]) -> Iterator[Row]:
    """A station that tells the same alarm all day is one item."""
    newest: dict[tuple[object, ...], Row] = {}
    for row in rows:
        is_event = row.kind in (Kind.SECURITY, Kind.REGISTER)
        key = (row.kind, row.station_id, row.code, row.text) if is_event else (row.kind, row.row)
        if key not in newest or row.row > newest[key].row:
            newest[key] = row
    yield from newest.values()


# ---------------------------------------------------------------- a sentence for each kind
def _station(row: Row, page: str) -> str:
    return reverse(f"stations:{page}", args=[row.identity])


def _silent(row: Row, now: datetime) -> _Said:
    url, action = _station(row, "connection"), _("See the connection")
    if row.since is None:
        return _Said(Level.LATER, _("The station was never here yet."), None, url, action)
    level = Level.URGENT if now - row.since >= DAY else Level.SOON
    told = _("The station is silent.")
    if row.other is not None:
        told += " " + _("Its last message came on %(at)s.") % {"at": moment(row.other)}
    return _Said(level, told, row.since, url, action)


def _fault(row: Row, _now: datetime) -> _Said:
    """`code` is the status, `text` the error code, `more` the number of the EVSE."""
    told = _("Socket %(letter)s is faulted.") % {"letter": Evse(number=int(row.more)).letter}
    if row.text not in NO_ERROR:
        told += " " + _("The station calls it %(error)s.") % {"error": row.text}
    return _Said(Level.URGENT, told, row.since, _station(row, "commands"), _("Choose a command"))


def _limit(row: Row, _now: datetime) -> _Said:
    """`code` is the state, `text` the name of the limit, `more` its reason: a code and its values, a line each."""
    name = {"name": row.text}
    why_code, _line, values = row.more.partition("\n")
    why = say(why_code, json.loads(values or "{}"))
    level, told, page, action = {
        DesiredProfile.State.DRIFTED: (
            Level.URGENT,
            _("The limit %(name)s is gone, and is not put back by itself.") % name,
            "read_back",
            _("Put it back"),
        ),
        DesiredProfile.State.REFUSED: (
            Level.SOON,
            _("The station refused the limit %(name)s.") % name,
            "detail",
            _("See the limits"),
        ),
    }.get(
        DesiredProfile.State(row.code),
        (
            Level.SOON,
            _("It is not known whether the limit %(name)s stands.") % name,
            "detail",
            _("See the limits"),
        ),
    )
    return _Said(level, f"{told} {why}".strip(), row.since, _station(row, page), action)


def _rollout(row: Row, _now: datetime) -> _Said:
    """`code` is the state, `text` the template, `more` at how many stations not all was done."""
    count = int(row.more or 0)
    name, url = {"name": row.text}, reverse("configuration:rollout", args=[row.row])
    if row.code == ConfigurationRollout.State.STOPPED:
        told = _("The roll-out of %(name)s stopped by itself.") % name
    else:
        told = _("The roll-out of %(name)s is over.") % name
    if count:
        told += " " + ngettext(
            "Not all was done at %(n)d station.", "Not all was done at %(n)d stations.", count
        ) % {"n": count}
    level = Level.URGENT if row.code == ConfigurationRollout.State.STOPPED else Level.SOON
    return _Said(level, told, row.since, url, _("See the roll-out"))


def _command(row: Row, _now: datetime) -> _Said:
    """`code` is the state, `text` the action, `more` the error."""
    action = {"action": row.text}
    told = {
        Command.State.FAILED: _("The command %(action)s failed.") % action,
        Command.State.UNKNOWN: _("No answer came to %(action)s: it may or may not have happened.") % action,
    }.get(Command.State(row.code), _("The command %(action)s was not sent in time.") % action)
    level = Level.LATER if row.code == Command.State.EXPIRED else Level.SOON
    return _Said(
        level, f"{told} {row.more}".strip(), row.since, _station(row, "commands"), _("See the command")
    )


def _compliance(row: Row, now: datetime) -> _Said:
    """`code` is the key of the evidence, `text` the requirement, `more` the day before which it has to be mended."""
    told = _("Deviation from requirement %(requirement)s.") % {"requirement": row.text}
    level = Level.SOON
    if row.more:
        until, today = date.fromisoformat(row.more), timezone.localdate(now)
        is_over = until < today
        words = _("It had to be mended before %(day)s.") if is_over else _("Mend it before %(day)s.")
        told += " " + words % {"day": short_day(until)}
        level = Level.URGENT if is_over else (Level.SOON if until - today <= TERM_SOON else Level.LATER)
    url = reverse("compliance:evidence", args=[row.code]) if row.code else reverse("compliance:concessions")
    return _Said(level, told, row.since, url, _("See the proof"))


def _security(row: Row, _now: datetime) -> _Said:
    """`code` is the type, empty of an event of the device model: `text` is then what it is about."""
    if not row.code:
        told = _("The station reports a serious event: %(what)s.") % {"what": row.text}
        return _Said(Level.URGENT, told, row.since, _station(row, "monitors"), _("See the events"))
    meaning = MEANINGS.get(row.code)
    told = str(meaning.text) if meaning else row.code
    level = Level.URGENT if row.code in ("TamperDetectionActivated", "AttemptedReplayAttacks") else Level.SOON
    return _Said(level, told, row.since, _station(row, "security"), _("See the security"))


def _ends(row: Row, now: datetime, over: str, soon: str) -> _Said:
    """Of a certificate: `other` is its end, `text` whose it is."""
    ends = row.other or now
    told = (over if ends <= now else soon) % {"at": moment(ends)}
    level = Level.LATER
    if ends <= now + URGENT_FROM:
        level = Level.URGENT if ends <= now else Level.SOON
    return _Said(level, told, ends - SOON, _station(row, "security"), _("See the certificates"))


def _certificate(row: Row, now: datetime) -> _Said:
    over = _("The certificate of the station ended on %(at)s.")
    return _ends(row, now, over, _("The certificate of the station ends on %(at)s."))


def _root(row: Row, now: datetime) -> _Said:
    over = _("A root certificate on the station ended on %(at)s.")
    return _ends(row, now, over, _("A root certificate on the station ends on %(at)s."))


def _register(row: Row, _now: datetime) -> _Said:
    """`code` and `text` are how the registers of import and export fell within a session."""
    falls = {fall for fall in (row.code, row.text) if fall}
    words = ", ".join(str(Fall(fall).label) for fall in sorted(falls))
    told = _("The energy of a session is not known: %(why)s.") % {"why": words}
    return _Said(Level.LATER, told, row.since, _station(row, "registers"), _("See the registers"))


def _messages(row: Row, _now: datetime) -> _Said:
    """`code` is how many within a day."""
    told = ngettext(
        "%(n)d message of the last day could not be read.",
        "%(n)d messages of the last day could not be read.",
        int(row.code),
    ) % {"n": int(row.code)}
    return _Said(Level.LATER, told, row.since, _station(row, "connection"), _("See the connection"))


def _card(row: Row, _now: datetime) -> _Said:
    """`code` is the key of the card, `text` its label, `more` the state of the link."""
    name = {"card": row.text or _("without a label")}
    if row.more == "refused":
        told, level = (
            _("A driver charged with card %(card)s, which is linked to another account."),
            Level.SOON,
        )
    else:
        told, level = _("Nobody has used the code of card %(card)s yet."), Level.LATER
    return _Said(level, told % name, row.since, reverse("card", args=[row.code]), _("See the card"))


_SAY: Mapping[Kind, Sayer] = {
    Kind.SILENT: _silent,
    Kind.FAULT: _fault,
    Kind.LIMIT: _limit,
    Kind.ROLLOUT: _rollout,
    Kind.COMMAND: _command,
    Kind.COMPLIANCE: _compliance,
    Kind.SECURITY: _security,
    Kind.CERTIFICATE: _certificate,
    Kind.ROOT: _root,
    Kind.REGISTER: _register,
    Kind.MESSAGES: _messages,
    Kind.CARD: _card,
}
