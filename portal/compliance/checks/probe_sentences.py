"""What probes of any requirement have to say: why one did not run, and its steps as people watch them."""

from __future__ import annotations

from django.utils.translation import gettext_noop

SENTENCES = {
    # Why a probe did not run, or stopped
    "probe.offline": gettext_noop("The station is not connected."),
    "probe.car_there": gettext_noop(
        "A car is connected to %(place)s. The operator can allow the probe all the same."
    ),
    "probe.limits_moving": gettext_noop("Limits are being sent to this station. Try again in a minute."),
    "probe.no_composite": gettext_noop(
        "The station gives no composite schedule for %(place)s (%(state)s), so nothing can be read back and what "
        "stands there is not known."
    ),
    "probe.rejects_composite": gettext_noop(
        "The station refuses to give a composite schedule for %(place)s, so what stands there is not known. Set a "
        "limit on this station once. If it answers then, the probe can be repeated."
    ),
    "probe.not_explained": gettext_noop(
        "The composite schedule of %(place)s is %(reported)s where our own records explain %(expected)s. Someone "
        "else may have set a profile, and the probe could overwrite it."
    ),
    "probe.not_ours": gettext_noop(
        "The composite schedule of %(place)s is %(reported)s, and no limit of ours explains that. Someone else may "
        "have set a profile, and the probe could overwrite it."
    ),
    "probe.foreign": gettext_noop(
        "The station lists a profile that is not ours: profile %(profile)s, %(purpose)s on %(place)s. The probe "
        "could overwrite it, so it does not start."
    ),
    "probe.no_unit": gettext_noop("The station states no rate unit that the probe can use."),
    "probe.car_came": gettext_noop("A car was connected to %(place)s. The probe stopped for it."),
    "probe.rebooted": gettext_noop("The station started anew during the probe. Repeat the probe."),
    "probe.limits_changed": gettext_noop(
        "A limit of this station changed during the probe. Try again in a minute."
    ),
    "probe.no_frames": gettext_noop(
        "The messages of this probe were not all kept, so there is no evidence. Repeat the probe."
    ),
    "probe.lost": gettext_noop("The station no longer answers: %(action)s stayed without an answer."),
    "probe.cancelled": gettext_noop("The probe was stopped."),
    "probe.interrupted": gettext_noop("The portal stopped in the middle of the probe. Repeat the probe."),
    "probe.broken": gettext_noop("The probe stopped on an error of the portal: %(error)s."),
    "probe.no_concession": gettext_noop(
        "Requirement %(code)s does not count in the concession of this station."
    ),
    # Steps of a probe, as people watch them
    "step.list": gettext_noop("Ask the station which profiles it holds: %(count)s"),
    "step.no_list": gettext_noop("Ask the station which profiles it holds: it gives no list"),
    "step.before": gettext_noop("Read what stands on %(place)s before anything changes"),
    "step.withdraw": gettext_noop("Take away our own profile %(profile)s for as long as the probe lasts"),
    "step.tidy": gettext_noop("Clear profile %(profile)s of the probe"),
    "step.put_back": gettext_noop("Set our own profile %(profile)s again"),
    "step.after": gettext_noop("Read what stands on %(place)s after the probe"),
    "step.restored": gettext_noop("What stands is what stood before"),
    "step.not_restored": gettext_noop("What stands is not what stood before"),
}
