"""What decides the next step of one profile, and what that step is: the words of reconcile.py. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from smartcharging.domain.sayings import Words


class State(StrEnum):
    """How far a desired profile has come: the values of DesiredProfile.State."""

    PENDING = "pending"
    SENT = "sent"
    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    DRIFTED = "drifted"
    UNSUPPORTED = "unsupported"
    CLEARING = "clearing"
    CLEARED = "cleared"


SETTLED = frozenset({State.CONFIRMED, State.REFUSED, State.UNSUPPORTED, State.CLEARED})


class Wish(StrEnum):
    """What is wanted of the profile now."""

    STANDS = "stands"
    SUPERSEDED = "superseded"  # a newer version has the same id: the station replaces it by itself
    WITHDRAWN = "withdrawn"


class Intent(StrEnum):
    SET = "set"
    CLEAR = "clear"


class Outcome(StrEnum):
    """How a command ended."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    FAILED = "failed"  # a CALLERROR that may pass
    IMPOSSIBLE = "impossible"  # a CALLERROR that will not: NotImplemented, NotSupported
    UNKNOWN = "unknown"  # no answer: it may or may not have happened
    NEVER_SENT = "never_sent"  # expired or cancelled while it waited


class Verdict(StrEnum):
    """What a composite that was read back says about this profile."""

    STANDS = "stands"  # the composite is as it should be, and shows this profile
    HIDDEN = "hidden"  # the composite is as it should be; a lower limit covers this profile
    MISSING = "missing"  # the composite is not as it should be, and this profile may be why
    UNCOMPARABLE = "uncomparable"  # answered, but a legal reading of the standard explains it too
    UNANSWERED = "unanswered"


class Listed(StrEnum):
    """What the station's own list of profiles says of this one (2.x GetChargingProfiles, K09)."""

    CANNOT = "cannot"  # 1.6 has no such question; or the station refused it
    NOT_ASKED = "not_asked"  # not since the station connected, or since its profiles were last changed
    ASKED = "asked"
    SILENT = "silent"  # asked, but no complete list came, or this profile in it cannot be read
    PRESENT = "present"
    MISSING = "missing"
    DIFFERENT = "different"  # the id is there, with another content


class Because(StrEnum):
    """Why a profile is where it is; worded for people elsewhere."""

    NONE = ""
    OBSTACLE = "obstacle"  # the station's own capabilities
    STATION_SAYS = "station_says"  # its words stand beside it
    NO_ANSWER = "no_answer"
    NOT_SENT = "not_sent"
    HIDDEN = "hidden"
    DIFFERS = "differs"
    UNCOMPARABLE = "uncomparable"
    GAVE_UP = "gave_up"
    REPLACED = "replaced"
    NEVER_THERE = "never_there"
    LISTED = "listed"  # the list has it, the composite cannot tell
    LISTED_HIDDEN = "listed_hidden"
    SHOWN_NOT_LISTED = "shown_not_listed"
    NOT_LISTED = "not_listed"
    LISTED_OTHER = "listed_other"
    NOT_APPLIED = "not_applied"  # the list has it, the composite does not follow it
    VANISHED = "vanished"  # a TxProfile, which need not survive a reboot (K01.FR.27)
    NEW_FIRMWARE = "new_firmware"


class Do(StrEnum):
    NOTHING = "nothing"
    SET = "set"
    CLEAR = "clear"
    READ = "read"  # ask for the composite schedule
    LIST = "list"  # ask for the list of profiles


@dataclass(frozen=True, slots=True)
class Delivery:
    """The last command sent for the profile. `words` are the station's."""

    intent: Intent
    outcome: Outcome
    words: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was just read back, as far as this profile goes; judged once, when it comes in."""

    verdict: Verdict
    words: Words = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """All that decides the next step of one profile.

    `sends`: sets since it was last confirmed, or clears since it was withdrawn. `reads`: answers to our question
    since the last delivery or connection. `settled`: at its end, or given up. `stale`: the station connected, booted
    or began a session since then. `ready`: capabilities are known, or were waited for long enough. `obstacle`: what
    they have against it. `asked`: a composite question that covers it is open. `busy`: other profiles are on their
    way to the station, so that a composite asked now would be overtaken.
    `listed`, `listed_words`: what the station's own list says. `reconnected`: it connected or booted since the profile
    was settled. `repairs`: what is found gone is sent again by itself. `vanishes`: by the standard it need not have
    survived the station's last boot. `new_firmware`: the station has other firmware since it was settled.
    """

    state: State
    wish: Wish = Wish.STANDS
    sends: int = 0
    reads: int = 0
    wake_at: datetime | None = None
    online: bool = True
    ready: bool = True
    settled: bool = False
    stale: bool = False
    asked: bool = False
    busy: bool = False
    obstacle: Words = ""
    delivery: Delivery | None = None
    reading: Reading | None = None
    listed: Listed = Listed.CANNOT
    listed_words: Words = ""
    reconnected: bool = False
    repairs: bool = True
    vanishes: bool = False
    new_firmware: bool = False

    def sleeps(self, now: datetime) -> bool:
        return self.wake_at is not None and self.wake_at > now


@dataclass(frozen=True, slots=True)
class Step:
    """The next step: what to ask of the station, and how the profile stands once that is asked."""

    do: Do
    state: State
    sends: int
    wake_at: datetime | None = None
    settled: bool = False
    because: Because = Because.NONE
    words: Words = ""
    changes: bool = True
