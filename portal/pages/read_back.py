"""What a station turned out to hold: its own list of profiles, limits of others, and what of ours it had lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from portal.pages.drift_list import DRIFTS, DriftFilter, lines_of
from portal.pages.icons import Mark
from portal.pages.station import page, visit
from portal.tables.listing import Listing
from smartcharging.domain.listed import ListedProfile
from smartcharging.domain.profiles import Purpose
from smartcharging.domain.progress import Listed
from smartcharging.in_force import SOURCES
from smartcharging.models import (
    Delivery,
    DesiredProfile,
    Drift,
    ExternalLimit,
    ProfileReport,
    ReportedProfile,
)
from smartcharging.profile_lists import found_in
from smartcharging.standing import PROBE_IDS, PURPOSES
from stations.models import Command, Evse, Station

OPERATOR = "CSO"  # the charging station operator (2.0.1, ChargingLimitSourceEnumType)

MARKS: Mapping[str, Mark] = {
    Listed.PRESENT: Mark("good", "status-full", gettext_lazy("As we want it")),
    Listed.DIFFERENT: Mark("bad", "alert", gettext_lazy("Another than ours")),
    Listed.MISSING: Mark("bad", "alert", gettext_lazy("Not on the list")),
    Listed.SILENT: Mark("warn", "question", gettext_lazy("Not readable")),
}
SENT_SINCE = Mark("calm", "hourglass", gettext_lazy("Sent again after this list"))
FOREIGN = Mark("calm", "info", gettext_lazy("Not ours, left alone"))
OF_PROBE = Mark("calm", "info", gettext_lazy("Of a probe"))


@dataclass(frozen=True, slots=True)
class Held:
    """One profile on the station's list, or one of ours that is not on it. `fields`: where it differs."""

    number: int | None
    name: str
    place: str
    purpose: str
    level: object
    source: str
    mark: Mark
    fields: str = ""


@require_safe
@vary_on_headers("HX-Request")
def read_back(request: HttpRequest, identity: str) -> HttpResponseBase:
    """What stands there by the station's own word, and what was lost."""
    visited = visit(request, identity)
    station, form = visited.station, DriftFilter(request.GET)
    drifts = Drift.objects.filter(desired__station=station).select_related("desired", "put_back_by")
    letters = {evse.number: evse.letter for evse in station.evses.all()}
    listing = Listing(
        DRIFTS,
        request,
        form.narrow(drifts),
        filters=form,
        lines=partial(lines_of, letters=letters, may_plan=visited.may_plan),
    )
    if answer := listing.answer():
        return answer
    report = ProfileReport.objects.filter(station=station).order_by("-pk").first()
    context: dict[str, Any] = {
        "report": report,
        "held": held_by(station, report),
        "cannot_list": station.ocpp_version == "1.6",
        "others": [
            (row, _place(row.evse_number), limit_of(row), SOURCES.get(row.source, row.source))
            for row in ExternalLimit.objects.in_force().filter(station=station).order_by("evse_number", "pk")
        ],
        "listing": listing,
    }
    return page(request, visited, "read_back", context)


def held_by(station: Station, report: ProfileReport | None) -> list[Held]:
    """The list as the station gave it, and of ours what a complete list does not have."""
    if report is None:
        return []
    wanted = {
        row.profile_id: row
        for row in DesiredProfile.objects.filter(station=station)
        .exclude(state=DesiredProfile.State.CLEARED)
        .order_by("pk")
    }
    listed = list(report.profiles.all())
    held = [_held(item, wanted.get(item.profile_id or 0), station) for item in listed]
    if report.state != ProfileReport.State.COMPLETE:
        return held
    known = {item.profile_id for item in listed}
    accepted = Delivery.objects.filter(
        intent=Delivery.Intent.SET,
        command__state=Command.State.ACCEPTED,
        desired__in=[row for row in wanted.values() if row.withdrawn_at is None],
    ).values_list("desired_id", "command_id")
    stood = {desired for desired, command in accepted if command < report.command_id}
    since = {desired for desired, command in accepted if command > report.command_id}
    return held + [
        _missing(row, was_sent_since=row.pk in since)
        for row in wanted.values()
        if row.pk in stood and row.profile_id not in known
    ]


def _held(item: ReportedProfile, row: DesiredProfile | None, station: Station) -> Held:
    mark, fields = FOREIGN, ""
    if row is not None:
        found = found_in([ListedProfile(item.evse_number, item.source, item.profile)], row, station)
        mark, fields = MARKS[found.listed], ", ".join(found.fields)
    elif item.profile_id in PROBE_IDS:
        mark = OF_PROBE
    wire = item.profile
    purpose = str(wire.get("chargingProfilePurpose", ""))
    return Held(
        number=item.profile_id,
        name=row.name if row else "",
        place=_place(item.evse_number, purpose),
        purpose=_purpose(purpose),
        level=wire.get("stackLevel", ""),
        source=_("the operator") if item.source == OPERATOR else str(SOURCES.get(item.source, item.source)),
        mark=mark,
        fields=fields,
    )


def _place(evse_number: int, purpose: str = "") -> str:
    """A default of EVSE 0 is one for each socket; any other limit there is of the station (2.0.1, K01)."""
    if evse_number:
        return _("Socket %(letter)s") % {"letter": Evse(number=evse_number).letter}
    return _("Each socket") if purpose == Purpose.TX_DEFAULT else _("Whole station")


def _purpose(on_the_wire: str) -> str:
    """In our words where we have them, else as the station says it."""
    ours = {str(theirs): ours for ours, theirs in PURPOSES.items()}
    return str(ours[on_the_wire].label) if on_the_wire in ours else on_the_wire


def _missing(row: DesiredProfile, *, was_sent_since: bool) -> Held:
    return Held(
        number=row.profile_id,
        name=row.name,
        place=_place(row.evse_number, PURPOSES[DesiredProfile.Purpose(row.purpose)]),
        purpose=row.get_purpose_display(),
        level=row.stack_level,
        source="",
        mark=SENT_SINCE if was_sent_since else MARKS[Listed.MISSING],
    )


def limit_of(row: ExternalLimit) -> str:
    """How low a limit of others is, in words: its first period, and that more follow."""
    schedules = [schedule for schedule in row.schedules if isinstance(schedule, dict)]
    periods = schedules[0].get("chargingSchedulePeriod", []) if schedules else []
    if not periods or "limit" not in periods[0]:
        return _("it did not say how low")
    first = f"{periods[0]['limit']:g} {schedules[0].get('chargingRateUnit', '')}"
    return _("%(limit)s, then other limits") % {"limit": first} if len(periods) > 1 else first
