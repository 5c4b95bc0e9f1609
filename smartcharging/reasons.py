"""What is wrong with a profile, in words for people."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from smartcharging.domain.rules import Problem, Rule

_RULES = {
    Rule.CHOICE: _("“%(have)s” is not possible; choose from %(allowed)s."),
    Rule.NAME: _("Fill in a name of at most %(allowed)s characters."),
    Rule.LEVEL: _("A level of %(have)s is not possible."),
    Rule.NO_PERIODS: _("Fill in at least one limit."),
    Rule.ONE_SCHEDULE: _("A profile has one schedule: %(have)s."),
    Rule.MALFORMED: _("This is not possible: %(have)s."),
    Rule.TOO_LONG: _("%(have)s periods are too many: at most %(allowed)s."),
    Rule.FIRST_PERIOD: _("The first period starts at 0 seconds, not at %(have)s."),
    Rule.ASCENDING: _("Each period starts later than the one before: %(have)s s comes after %(allowed)s s."),
    Rule.NOT_A_NUMBER: _("Fill in a number: %(have)s is none."),
    Rule.NEGATIVE: _("A limit is 0 or more, not %(have)s."),
    Rule.TOO_HIGH: _("%(have)s is more than any connection gives: at most %(allowed)s."),
    Rule.DECIMALS: _("%(have)s has more than one decimal; OCPP knows tenths."),
    Rule.STATE_OF_CHARGE: _("A state of charge is 0 to 100 %%, not %(have)s."),
    Rule.PHASES: _("The number of phases is 1, 2 or 3, not %(have)s."),
    Rule.PHASES_SUPPORTED: _("The station has %(allowed)s phases, not %(have)s."),
    Rule.PHASES_DC: _("On direct current there are no phases to choose."),
    Rule.PHASE_TO_USE: _("The phase to use is 1, 2 or 3, not %(have)s."),
    Rule.PHASE_TO_USE_ALONE: _("A phase to use goes with one phase: set the number of phases to 1."),
    Rule.PHASE_SWITCHING: _("The station cannot choose the phase."),
    Rule.PHASE_CONFLICT: _("It wants %(have)s, and another profile that counts there wants %(allowed)s."),
    Rule.STATION_MAX_EVSE: _(
        "A limit of the whole station is set on the station (EVSE 0), not on EVSE %(have)s."
    ),
    Rule.STATION_MAX_RELATIVE: _("A limit of the whole station cannot count from the start of a session."),
    Rule.TX_EVSE: _("A limit of one session is set on an EVSE, not on the whole station."),
    Rule.TX_MISSING: _("A limit of one session names its session."),
    Rule.TX_NOT_RUNNING: _("No session is running on EVSE %(have)s."),
    Rule.TX_TRANSACTION: _("This session is not running on EVSE %(have)s."),
    Rule.TRANSACTION_WITHOUT_TX: _("Only a limit of one session names a session."),
    Rule.STARTING_PURPOSE: _("Only a limit of one session goes along with the start of a session."),
    Rule.STARTING_TRANSACTION: _("The session has not started, so the limit cannot name it."),
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
    Rule.RESERVED_ID: _("The station keeps the numbers up to %(allowed)s for others, and this is %(have)s."),
    Rule.DUPLICATE: _(
        "On level %(have)s profile %(allowed)s already counts at the same time; the station takes one of them."
    ),
    Rule.SAME_LEVEL: _(
        "On level %(have)s a default already stands on %(allowed)s; the station refuses a second one there."
    ),
    Rule.SAME_TRANSACTION_LEVEL: _("On level %(have)s this session already has profile %(allowed)s."),
    Rule.NOT_IN_VERSION: _("OCPP %(allowed)s does not know %(have)s."),
    Rule.EXTERNAL: _("Limits of others (ChargingStationExternalConstraints) are not ours to set."),
    Rule.EXTERNAL_ID: _("Profile %(have)s is a limit that others have set: choose another number."),
    Rule.PRIORITY_DURATION: _("Priority charging lasts until the session ends: leave the duration empty."),
    Rule.PRIORITY_MODE: _("Priority charging only charges: %(have)s is not possible in it."),
    Rule.DYNAMIC_PERIODS: _("A dynamic profile has one period, not %(have)s."),
    Rule.DYNAMIC_ONLY: _("Only a dynamic profile is updated."),
    Rule.DELAY_PURPOSE: _("Only a limit of a session, or a default per session, can start at random."),
    Rule.MODE_PURPOSE: _("%(have)s is not possible in a profile for %(allowed)s."),
    Rule.LIMIT_MISSING: _("Fill in the limit."),
    Rule.SETPOINT_MISSING: _("%(have)s needs a setpoint."),
    Rule.NOT_IN_MODE: _("%(have)s is not possible in the mode %(allowed)s."),
    Rule.DISCHARGE_POSITIVE: _("A limit on discharging is 0 or less, not %(have)s."),
    Rule.SETPOINT_RANGE: _("A setpoint of %(have)s lies beyond the limit of %(allowed)s."),
    Rule.PHASE_LIMIT_PURPOSE: _("Limits for each phase are possible in a limit of one session only."),
    Rule.PHASE_VALUE_PURPOSE: _("Values for each phase are possible in a limit of one session only."),
    Rule.PHASE_LIMIT_ALONE: _("Limits of L2 and L3 go with one of L1: fill in %(have)s."),
    Rule.PHASE_VALUE_ALONE: _("Values of L2 and L3 go with one of L1: fill in %(have)s."),
    Rule.CURVE_UNIT: _("A curve over the frequency is in W, not in %(have)s."),
    Rule.CURVE_MISSING: _(
        "A curve over the frequency has a baseline and at least two points; this has %(have)s."
    ),
    Rule.SLEEP_MODE: _("An EVSE sleeps in the mode Idle only, not in %(have)s."),
    Rule.PURPOSE_UNSUPPORTED: _("The station says that it does not know %(have)s."),
    Rule.KIND_UNSUPPORTED: _("The station says that it takes no dynamic profiles."),
    Rule.MODE_UNSUPPORTED: _("The station does not know the mode %(have)s, only %(allowed)s."),
    Rule.LOCAL_TIME_UNSUPPORTED: _("The station says that it takes no schedules in local time."),
    Rule.DELAY_UNSUPPORTED: _("The station says that it cannot start at random."),
    Rule.SOC_UNSUPPORTED: _("The station says that it has no limit by state of charge."),
    Rule.SLEEP_UNSUPPORTED: _("The station says that its EVSEs cannot sleep."),
}


def sentence(problem: Problem) -> str:
    """What is wrong, in one sentence."""
    return str(_RULES[problem.rule]) % {"have": problem.have, "allowed": problem.allowed}


def problem_text(problem: Problem) -> str:
    """The sentence for one problem, with the clause it is from."""
    return f"{sentence(problem)} ({problem.clause})" if problem.clause else sentence(problem)


def problem_json(problem: Problem, field: str = "") -> dict[str, str]:
    """One problem as the API gives it; `field` where the caller names it otherwise."""
    return {
        "field": field or problem.field,
        "code": str(problem.rule),
        "text": sentence(problem),
        "clause": problem.clause,
    }
