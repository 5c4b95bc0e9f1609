"""Which profiles a 2.x station holds, by its own word: asking (GetChargingProfiles, K09) and collecting the parts.

The answer says only that a list will come; the list comes as ReportChargingProfiles, in parts, each an event. A part
that comes twice adds nothing. 1.6 has no such question: there the composite schedule is all that can be read.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max
from django.db.models.query import QuerySet

from smartcharging.domain.listed import Found, ListedProfile, find
from smartcharging.domain.profiles import rules_of
from smartcharging.domain.progress import Listed
from smartcharging.domain.sayings import Saying
from smartcharging.models import DesiredProfile, ProfileReport, ReportedProfile
from smartcharging.standing import CHANGES, ORIGIN, profile_of
from stations import commands, events
from stations.models import Command, Event, Station

ACTION = "GetChargingProfiles"
FIRST_REQUEST_ID = 700_000  # below are those of people and probes
PARTS_WAIT = timedelta(seconds=60)  # from the answer to the last part
HOLDS = timedelta(minutes=10)  # so long a list answers for now
KEPT = 20  # lists of a station
# No station holds as many; a list of more is one without an end.
MOST_PARTS, MOST_PROFILES = 1000, 2000
NO_PROFILES = "NoProfiles"

State = ProfileReport.State


def ask_for_list(station: Station, now: datetime) -> ProfileReport:
    """Ask a 2.x station for all profiles that it holds; in a transaction that holds the station's row."""
    last = ProfileReport.objects.filter(station=station).aggregate(last=Max("request_id"))["last"]
    request_id = (last or FIRST_REQUEST_ID) + 1
    # No evseId: those of the station and of every EVSE (K09.FR.05).
    payload: dict[str, Any] = {"requestId": request_id, "chargingProfile": {}}
    command = commands.request(station=station, action=ACTION, payload=payload, origin=ORIGIN, now=now)
    newest = Event.objects.filter(station=station).order_by("-pk").values_list("pk", flat=True).first()
    return ProfileReport.objects.create(
        station=station,
        command=command,
        request_id=request_id,
        after_event=newest or 0,
        asked_at=now,
    )


def take_lists(station: Station, now: datetime) -> int:
    """Take in what came of the open lists of a station; returns how many ended. In a transaction, as above."""
    ended = 0
    for report in ProfileReport.objects.filter(station=station, state=State.ASKED).select_related("command"):
        parts = parts_of(station.pk, report.request_id, after=report.after_event)
        state = _state_of(report.command, now, is_told=has_ended(parts))
        if state == State.ASKED:
            continue
        is_whole = _take_parts(report, parts)
        state = State.INCOMPLETE if state == State.COMPLETE and not is_whole else state
        same = ProfileReport.objects.filter(pk=report.pk, state=State.ASKED)
        ended += same.update(state=state, read_at=now)
        _forget_oldest(station)
    return ended


def parts_of(station_id: int, request_id: int, *, after: int) -> QuerySet[Event]:
    """What came of a list that was asked for after the event `after`, in its order."""
    told = Event.objects.filter(station_id=station_id, pk__gt=after, kind=events.Kind.PROFILES_REPORTED)
    parts: QuerySet[Event] = told.filter(data__request_id=request_id).order_by("pk")
    return parts


def has_ended(parts: QuerySet[Event]) -> bool:
    """Whether the last part of a list is there, the one without `tbc` (K09.FR.03)."""
    return parts.filter(data__is_last=True).exists()


def listed_of(
    row: DesiredProfile, station: Station, since: datetime | None, now: datetime
) -> tuple[Listed, Saying]:
    """What the station's list says of one profile, and which fields differ."""
    if station.ocpp_version == "1.6":
        return Listed.CANNOT, Saying()
    report = ProfileReport.objects.filter(station=station).select_related("command").order_by("-pk").first()
    if report is None or (since is not None and report.asked_at < since):
        return Listed.NOT_ASKED, Saying()
    if report.state == State.ASKED:
        return Listed.ASKED, Saying()
    if report.state == State.REFUSED:
        return Listed.CANNOT, Saying()
    if report.asked_at <= now - HOLDS or _is_overtaken(report):
        return Listed.NOT_ASKED, Saying()
    if report.state != State.COMPLETE:
        return Listed.SILENT, Saying()
    found = found_in(listed_in(report), row, station)
    return found.listed, Saying("plain", {"words": ", ".join(found.fields)}) if found.fields else Saying()


def listed_in(report: ProfileReport) -> list[ListedProfile]:
    """The profiles of a list, as the pure code wants them."""
    return [ListedProfile(item.evse_number, item.source, item.profile) for item in report.profiles.all()]


def found_in(listed: list[ListedProfile], row: DesiredProfile, station: Station) -> Found:
    """One profile in a complete list."""
    profile, version = profile_of(row, station.ocpp_version), rules_of(station.ocpp_version)
    return find(profile, evse=row.evse_number, listed=listed, version=version)


def _take_parts(report: ProfileReport, parts: QuerySet[Event]) -> bool:
    """Write down the profiles of the parts, a list without an end as far as it matters; whether that is all of it."""
    found: dict[tuple[int, str, int | None], ReportedProfile] = {}
    told = [part.data for part in parts[: MOST_PARTS + 1]]
    for part in told:
        for profile in part.get("profiles", []):
            row = _reported(report, part, profile)
            found[row.evse_number, row.source, row.profile_id] = row  # what comes twice adds nothing
    ReportedProfile.objects.bulk_create(list(found.values())[:MOST_PROFILES])
    is_endless = len(told) > MOST_PARTS or len(found) > MOST_PROFILES
    return not is_endless and not any(part.get("left_out") for part in told)


def _reported(report: ProfileReport, part: dict[str, Any], profile: dict[str, Any]) -> ReportedProfile:
    number = profile.get("id")
    return ReportedProfile(
        report=report,
        evse_number=part.get("evse") or 0,
        source=str(part.get("source", ""))[:20],
        profile_id=number if isinstance(number, int) else None,
        profile=profile,
    )


def _state_of(command: Command, now: datetime, *, is_told: bool) -> str:
    """`is_told`: the last part came."""
    if command.state in Command.OPEN:
        return State.ASKED
    if is_told:
        return State.COMPLETE
    if (command.response or {}).get("status") == NO_PROFILES:
        return State.COMPLETE
    if command.state in (Command.State.REFUSED, Command.State.FAILED):
        return State.REFUSED
    if command.state != Command.State.ACCEPTED:
        return State.UNANSWERED
    is_late = command.answered_at is None or now >= command.answered_at + PARTS_WAIT
    return State.INCOMPLETE if is_late else State.ASKED


def _is_overtaken(report: ProfileReport) -> bool:
    """A command that changes profiles was made after the question."""
    later = Command.objects.filter(station_id=report.station_id, pk__gt=report.command_id, action__in=CHANGES)
    return later.exclude(sent_at=None).exists()


def _forget_oldest(station: Station) -> None:
    rows = ProfileReport.objects.filter(station=station).order_by("-pk")
    oldest = list(rows.values_list("pk", flat=True)[KEPT : 2 * KEPT])
    ProfileReport.objects.filter(pk__in=oldest).delete()
