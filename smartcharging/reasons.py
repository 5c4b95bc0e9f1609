"""Reasons in words, for people: what is wrong with a profile, and why one is where it is."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from smartcharging.domain.checking import Problem, Rule
from smartcharging.domain.reconcile import Because

_RULES = {
    Rule.CHOICE: _("“%(have)s” is not possible; choose from %(allowed)s."),
    Rule.NAME: _("Fill in a name of at most %(allowed)s characters."),
    Rule.LEVEL: _("A level of %(have)s is not possible."),
    Rule.NO_PERIODS: _("Fill in at least one limit."),
    Rule.TOO_LONG: _("%(have)s periods are too many: at most %(allowed)s."),
    Rule.FIRST_PERIOD: _("The first period starts at 0 seconds, not at %(have)s."),
    Rule.ASCENDING: _("Each period starts later than the one before: %(have)s s comes after %(allowed)s s."),
    Rule.NOT_A_NUMBER: _("Fill in a number: %(have)s is none."),
    Rule.NEGATIVE: _("A limit is 0 or more, not %(have)s."),
    Rule.TOO_HIGH: _("%(have)s is more than any connection gives: at most %(allowed)s."),
    Rule.DECIMALS: _("%(have)s has more than one decimal; OCPP knows tenths."),
    Rule.PHASES: _("The number of phases is 1, 2 or 3, not %(have)s."),
    Rule.STATION_MAX_EVSE: _(
        "A limit of the whole station is set on the station (EVSE 0), not on EVSE %(have)s."
    ),
    Rule.STATION_MAX_RELATIVE: _("A limit of the whole station cannot count from the start of a session."),
    Rule.TX_EVSE: _("A limit of one session is set on an EVSE, not on the whole station."),
    Rule.TX_TRANSACTION: _("This session is not running on EVSE %(have)s."),
    Rule.TRANSACTION_WITHOUT_TX: _("Only a limit of one session names a session."),
    Rule.UNKNOWN_EVSE: _("The station has no EVSE %(have)s."),
    Rule.START_MISSING: _("Fill in when the schedule starts."),
    Rule.START_NOT_ALLOWED: _("A relative schedule starts with the session: leave its start empty."),
    Rule.RECURRENCY_MISSING: _("Choose daily or weekly."),
    Rule.LONGER_THAN_RECURRENCE: _(
        "A period starts after %(have)s s, but the schedule repeats every %(allowed)s s."
    ),
    Rule.DURATION: _("A duration of %(have)s s is not possible."),
    Rule.VALIDITY: _("The end of the validity lies before its start."),
    Rule.NO_END: _(
        "Every limit needs an end: a duration or a last moment. Only a default per session on level 0 of at most"
        " %(allowed)s A may stand for ever."
    ),
    Rule.HAS_ENDED: _("This moment has passed."),
    Rule.NO_SMART_CHARGING: _("The station says that it has no smart charging."),
    Rule.UNIT: _("The station does not take %(have)s, only %(allowed)s."),
    Rule.PERIODS: _("The station takes %(allowed)s periods, this profile has %(have)s: requirement 207."),
    Rule.STACK_LEVEL: _(
        "The station takes levels up to %(allowed)s, this profile is on %(have)s: requirement 206."
    ),
    Rule.PROFILES: _(
        "The station holds %(allowed)s profiles at most, and %(have)s stand on it: requirement 206."
    ),
    Rule.SAME_LEVEL: _(
        "On level %(have)s a default already stands on %(allowed)s; OCPP 2 refuses a second one there (K01.FR.52)."
    ),
}
_BECAUSE = {
    Because.NONE: "",
    Because.OBSTACLE: "",  # its own words say it
    Because.STATION_SAYS: _("The station answered: %(words)s"),
    Because.NO_ANSWER: _("The station gave no answer."),
    Because.NOT_SENT: _("It could not be sent in time."),
    Because.HIDDEN: _(
        "It does not show in the composite schedule: another limit is lower, or it starts later."
    ),
    Because.DIFFERS: _("The station reports another limit. %(words)s"),
    Because.UNCOMPARABLE: _("The station accepted it, but what it reports could not be compared. %(words)s"),
    Because.GAVE_UP: _("Given up after several tries without a certain result."),
    Because.REPLACED: _("A newer version took its place."),
    Because.NEVER_THERE: _("It never stood on the station."),
}
READINGS = {
    "": "",
    "D6": _("The station converts A and W with the lowest number of phases (D6)."),
    "D8": _("The station leaves relative limits out while no session runs (D8)."),
    "D9": _("The station leaves limits out while no session runs (D9)."),
    "D12": _("The station adds up its EVSEs in another way (D12)."),
}


def problem_text(problem: Problem) -> str:
    """The sentence for one problem."""
    return str(_RULES[problem.rule]) % {"have": problem.have, "allowed": problem.allowed}


def because_text(because: Because, words: str) -> str:
    """The sentence for the state of a profile; `words` are the station's own, or ours about the difference."""
    text = str(_BECAUSE[because])
    return (text % {"words": words} if "%(words)s" in text else text or words).strip()
