"""What the check of requirement 211 has to say (sentences.py says it). Energies are in Wh."""

from __future__ import annotations

from django.utils.translation import gettext_noop

SENTENCES = {
    # What was seen
    "211.proven": gettext_noop(
        "While the car on %(place)s gave energy back, the export register rose by %(export)s Wh and the import "
        "register stood still (%(imported)s Wh)."
    ),
    "211.netted": gettext_noop(
        "The import register of %(place)s fell by %(fell)s Wh while power flowed out of the car. A register may "
        "only rise: what is given back is taken off what was charged."
    ),
    "211.netted_export": gettext_noop(
        "The export register of %(place)s fell by %(fell)s Wh while power flowed into the car. A register may only "
        "rise: what is charged is taken off what was given back."
    ),
    "211.no_export_rise": gettext_noop(
        "At least %(flowed)s Wh flowed out of the car on %(place)s, and the export register did not rise."
    ),
    "211.claimed_not_sent": gettext_noop(
        "At least %(flowed)s Wh flowed out of the car on %(place)s. The station says that it samples an export "
        "register, and sent none."
    ),
    "211.one_register": gettext_noop(
        "At least %(flowed)s Wh flowed out of the car on %(place)s. The import register rose by %(imported)s Wh "
        "and the export register did not: both directions are counted in one register."
    ),
    # What decides nothing
    "211.not_configured": gettext_noop(
        "Power flowed out of the car on %(place)s, but the station does not send its export register. Add "
        "Energy.Active.Export.Register to %(key)s."
    ),
    "211.import_not_sent": gettext_noop(
        "The station sends no import register with its export register on %(place)s. Add "
        "Energy.Active.Import.Register to %(key)s."
    ),
    "211.direction_unsure": gettext_noop(
        "On %(place)s the station says that power flowed out, and its registers or the battery say otherwise. Look "
        "at how the direction is measured."
    ),
    "211.shared_meter": gettext_noop(
        "The export register did not rise on %(place)s, but another car charged at the same time, and both EVSEs "
        "may have one meter. Repeat it with one car."
    ),
    "211.registers_late": gettext_noop(
        "The registers of %(place)s are not brought up to date during a session, so they cannot be compared with "
        "the power."
    ),
    "211.wait": gettext_noop(
        "The export register of %(place)s has not risen yet. It is judged when the session has ended."
    ),
    "211.disproportionate": gettext_noop(
        "The export register of %(place)s rose by %(export)s Wh where the power says at least %(flowed)s Wh. Look "
        "at the units."
    ),
    "211.both_rise": gettext_noop(
        "Both registers of %(place)s rose while power flowed out (export %(export)s Wh, import %(imported)s Wh). "
        "The power may have changed direction between two samples."
    ),
    "211.restarted": gettext_noop(
        "The registers of %(place)s jumped while power flowed out: a restart, another meter or a rollover. It is "
        "not measured across such a jump."
    ),
    "211.too_little": gettext_noop(
        "Too little flowed out of the car on %(place)s, or for too short a time, to judge it by the registers."
    ),
    "211.disagrees": gettext_noop(
        "The samples of %(place)s disagree: the export register rose in one stretch and not in another."
    ),
    "211.sparse": gettext_noop(
        "Power flowed out of the car on %(place)s, but there are too few samples close together to judge the "
        "registers."
    ),
    "211.no_discharge": gettext_noop(
        "No power flowed out on %(place)s, so the registers could not be judged."
    ),
    # What the configuration says
    "211.states_both": gettext_noop(
        "The station states that it samples an import register and an export register. Nobody saw both count."
    ),
    "211.states_offered": gettext_noop(
        "The station states that it has an export register, but does not sample it. Add Energy.Active.Export.Register "
        "to %(key)s."
    ),
    "211.states_no_import": gettext_noop(
        "The station samples an export register and no import register. Add Energy.Active.Import.Register to %(key)s."
    ),
    "211.states_none": gettext_noop(
        "The station does not sample an export register, so nothing can be seen of it. Add "
        "Energy.Active.Export.Register to %(key)s."
    ),
}
