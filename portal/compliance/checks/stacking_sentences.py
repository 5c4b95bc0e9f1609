"""What the check of requirement 206 has to say (sentences.py says it)."""

from __future__ import annotations

from django.utils.translation import gettext_noop

SENTENCES = {
    # What the probe found
    "206.proven": gettext_noop(
        "All six levels of both kinds of profile showed in the composite schedule, and each time a level was "
        "cleared the level below took over."
    ),
    "206.refused": gettext_noop(
        "The station refused level %(level)s of %(purpose)s on %(place)s. It must take six: levels 0 to 5."
    ),
    "206.does_not_return": gettext_noop(
        "Level %(cleared)s of %(purpose)s on %(place)s was cleared, and level %(level)s did not return."
    ),
    "206.does_not_show": gettext_noop(
        "Of the six levels of %(purpose)s on %(place)s, %(seen)s showed in the composite schedule."
    ),
    "206.fits_nothing": gettext_noop(
        "The composite schedule with %(purpose)s on %(place)s fits no reading of the standard."
    ),
    "206.left_out_while_idle": gettext_noop(
        "While no car charges, the station leaves %(purpose)s out of its composite schedule. That is allowed, but "
        "it proves nothing. Repeat the probe while a car charges."
    ),
    "206.unreadable": gettext_noop(
        "The station gave no readable composite schedule with %(purpose)s on %(place)s, so the levels could "
        "not be seen."
    ),
    "206.no_answer": gettext_noop(
        "The station did not answer when level %(level)s of %(purpose)s on %(place)s was set. That is not a "
        "refusal."
    ),
    "206.not_set": gettext_noop(
        "Level %(level)s of %(purpose)s on %(place)s could not be set: %(why)s. That says nothing about stacking."
    ),
    "206.not_cleared": gettext_noop(
        "The station did not clear level %(level)s of %(purpose)s on %(place)s, so no lower level could take over. "
        "That says nothing about stacking."
    ),
    "206.other_times": gettext_noop(
        "The composite schedule with %(purpose)s on %(place)s is right only if it begins when it was asked for. "
        "The station names another time. Look at its clock or time zone, and repeat the probe."
    ),
    "206.too_coarse": gettext_noop(
        "The station rounds its limits. The levels of %(purpose)s on %(place)s cannot be told apart with certainty."
    ),
    "206.incomplete": gettext_noop("Not all of %(purpose)s on %(place)s was tried."),
    # What the configuration says
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
    # Why the probe did not run
    "probe.no_room": gettext_noop(
        "The limit that stands now, %(limit)s %(unit)s, leaves no room for six lower limits that can be told apart."
    ),
    # Steps of the probe, as people watch them
    "step.install": gettext_noop(
        "Set level %(level)s of %(purpose)s on %(place)s: %(limit)s %(unit)s until %(until)s"
    ),
    "step.read": gettext_noop("Read the composite schedule of %(place)s: levels %(levels)s are to show"),
    "step.clear": gettext_noop("Clear level %(level)s of %(purpose)s on %(place)s"),
}
