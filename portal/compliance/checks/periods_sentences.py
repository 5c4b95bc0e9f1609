"""What the check of requirement 207 has to say (sentences.py says it)."""

from __future__ import annotations

from django.utils.translation import gettext_noop

SENTENCES = {
    # What the probe found
    "207.proven": gettext_noop(
        "The station accepted 20 periods in every kind of profile that was tried, and all 20 came back in the "
        "composite schedule."
    ),
    "207.proven_in_parts": gettext_noop(
        "The station accepted 20 periods in every kind of profile that was tried, and all 20 came back. It names at "
        "most %(named)s of them in one answer, so they were read in parts."
    ),
    "207.in_parts": gettext_noop(
        "The station accepted 20 periods in one %(purpose)s on %(place)s, and each came back in turn, but never more "
        "than %(named)s at once. Whether it keeps all 20 cannot be seen from its answers."
    ),
    "207.refused": gettext_noop(
        "The station took at most %(taken)s periods in one %(purpose)s on %(place)s, and refused more. It must "
        "take 20."
    ),
    "207.refused_stated": gettext_noop(
        "The station took at most %(taken)s periods in one %(purpose)s on %(place)s, and refused more. It states a "
        "maximum of %(stated)s. It must take 20."
    ),
    "207.cannot": gettext_noop(
        "The station cannot set %(purpose)s on %(place)s at all: %(why)s. It must take 20 periods."
    ),
    "207.missing": gettext_noop(
        "The station accepted 20 periods in one %(purpose)s on %(place)s, but %(seen)s came back in the composite "
        "schedule."
    ),
    "207.left_out_while_idle": gettext_noop(
        "While no car charges, the station leaves %(purpose)s out of its composite schedule. That is allowed, but "
        "it proves nothing. Repeat the probe while a car charges."
    ),
    "207.unreadable": gettext_noop(
        "The station gave no readable composite schedule with %(purpose)s on %(place)s, so the periods could "
        "not be seen."
    ),
    "207.no_answer": gettext_noop(
        "The station did not answer when %(purpose)s on %(place)s was set. That is not a refusal."
    ),
    "207.not_set": gettext_noop(
        "%(purpose)s on %(place)s could not be set: %(why)s. That says nothing about the number of periods."
    ),
    "207.not_cleared": gettext_noop(
        "The station did not clear an earlier profile of the probe, so what came back with %(purpose)s on "
        "%(place)s says nothing about the number of periods."
    ),
    "207.other_times": gettext_noop(
        "The periods of %(purpose)s on %(place)s came back at other times than they were set for. Look at the "
        "clock and the time zone of the station, and repeat the probe."
    ),
    "207.too_coarse": gettext_noop(
        "The station rounds its limits. The periods of %(purpose)s on %(place)s cannot be told apart with "
        "certainty."
    ),
    "207.odd": gettext_noop(
        "All 20 periods of %(purpose)s on %(place)s came back, but beside them the composite schedule fits no "
        "reading of the standard."
    ),
    "207.incomplete": gettext_noop("Not all of %(purpose)s on %(place)s was tried."),
    # What the configuration says
    "207.states_enough": gettext_noop(
        "The station states that a profile can have %(stated)s periods. That is enough, but nobody saw it work."
    ),
    "207.states_too_little": gettext_noop(
        "The station states that a profile can have %(stated)s periods. 20 are asked for. Only a probe can decide."
    ),
    # Why the probe did not run
    "207.no_room": gettext_noop(
        "The limit that stands now, %(limit)s %(unit)s, leaves no room for lower limits that can be told apart."
    ),
    # Steps of the probe, as people watch them
    "step.periods_install": gettext_noop(
        "Set %(purpose)s on %(place)s with %(periods)s periods, from %(lowest)s to %(highest)s %(unit)s"
    ),
    "step.periods_read": gettext_noop(
        "Read the composite schedule of %(place)s: periods %(first)s to %(periods)s are to show"
    ),
    "step.periods_clear": gettext_noop("Clear %(purpose)s with %(periods)s periods on %(place)s"),
}
