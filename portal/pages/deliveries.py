"""Desired, sent, reported: three records side by side, and in words how far they agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.pages.icons import Mark
from portal.pages.limits import InForce, Limits
from portal.templatetags.measures import clock, limit, moment, moment_from
from smartcharging.models import Comparison, Delivery, DesiredProfile, ReportedSchedule
from smartcharging.readback import asked_evse
from stations.models import Command, Evse, Station

State = DesiredProfile.State
Purpose = DesiredProfile.Purpose
RECENT_REPORTS = 60

MARKS: Mapping[str, Mark] = {
    State.PENDING: Mark("info", "hourglass", gettext_lazy("Waiting to be sent")),
    State.SENT: Mark("info", "hourglass", gettext_lazy("Sent, no answer yet")),
    State.ACCEPTED: Mark("info", "status-half", gettext_lazy("Accepted, not read back yet")),
    State.CONFIRMED: Mark("good", "status-full", gettext_lazy("Confirmed")),
    State.REFUSED: Mark("bad", "alert", gettext_lazy("Refused")),
    State.UNKNOWN: Mark("warn", "question", gettext_lazy("Unknown")),
    State.DRIFTED: Mark("bad", "alert", gettext_lazy("Drifted")),
    State.UNSUPPORTED: Mark("calm", "status-bar", gettext_lazy("Not supported")),
    State.CLEARING: Mark("info", "hourglass", gettext_lazy("Being withdrawn")),
    State.CLEARED: Mark("calm", "status-bar", gettext_lazy("Withdrawn")),
}
# The worst first: what a list shows of a station with several profiles.
WORST_FIRST = (
    State.DRIFTED,
    State.REFUSED,
    State.UNKNOWN,
    State.UNSUPPORTED,
    State.CLEARING,
    State.PENDING,
    State.SENT,
    State.ACCEPTED,
    State.CONFIRMED,
)

SENT_WORDS: Mapping[str, object] = {
    Command.State.QUEUED: gettext_lazy("waiting to be sent"),
    Command.State.SENT: gettext_lazy("sent, no answer yet"),
    Command.State.ACCEPTED: gettext_lazy("accepted"),
    Command.State.REFUSED: gettext_lazy("refused"),
    Command.State.FAILED: gettext_lazy("answered with an error"),
    Command.State.UNKNOWN: gettext_lazy("no answer came"),
    Command.State.EXPIRED: gettext_lazy("not sent in time"),
    Command.State.CANCELLED: gettext_lazy("cancelled"),
}

REPORT_WORDS: Mapping[str, object] = {
    ReportedSchedule.State.REJECTED: gettext_lazy("Rejected the question"),
    ReportedSchedule.State.EMPTY: gettext_lazy("Gave no schedule"),
    ReportedSchedule.State.NO_LIMIT: gettext_lazy("No limit"),
    ReportedSchedule.State.OTHER_UNIT: gettext_lazy("Another unit than asked"),
    ReportedSchedule.State.MALFORMED: gettext_lazy("Not readable"),
    ReportedSchedule.State.UNANSWERED: gettext_lazy("Did not answer"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One desired profile: what we want, what we sent last, what the station reported last, how they compare."""

    desired: DesiredProfile
    place: str
    wanted: str
    times: str
    sent: str
    sent_note: str
    reported: str
    reported_note: str
    mark: Mark
    reason: str
    is_bad: bool


def latest_reports(station: Station) -> dict[int, ReportedSchedule]:
    """EVSE -> the last composite schedule that the station reported for it."""
    rows = ReportedSchedule.objects.filter(station=station).select_related("comparison")
    latest: dict[int, ReportedSchedule] = {}
    for row in rows.order_by("-pk")[:RECENT_REPORTS]:
        latest.setdefault(row.evse_number, row)
    return latest


def rows_of(
    profiles: Iterable[DesiredProfile],
    *,
    limits: Limits,
    reports: Mapping[int, ReportedSchedule],
    evses: Sequence[Evse],
    is_online: bool,
    now: datetime,
) -> list[Row]:
    """A row for every profile that we want now, or are withdrawing."""
    wanted = [
        profile for profile in profiles if profile.withdrawn_at is None or profile.state == State.CLEARING
    ]
    letters = {evse.number: evse.letter for evse in evses}
    return [
        _row(
            profile,
            limits,
            reports.get(asked_evse(profile)),
            letters=letters,
            is_online=is_online,
            now=now,
        )
        for profile in wanted
    ]


def _row(
    desired: DesiredProfile,
    limits: Limits,
    report: ReportedSchedule | None,
    *,
    letters: Mapping[int, str],
    is_online: bool,
    now: datetime,
) -> Row:
    delivery = next(iter(desired.deliveries.all()), None)
    return Row(
        desired=desired,
        place=place_of(desired, letters),
        wanted=_wanted(desired, limits.in_force.get(desired.pk, ()), now),
        times=_times(limits.in_force.get(desired.pk, ()), now),
        sent=_sent(delivery),
        sent_note=_sent_note(delivery),
        reported=_reported(report, now),
        reported_note=_reported_note(desired, report, limits, now),
        mark=MARKS[desired.state],
        reason=_reason(desired, report, is_online=is_online, now=now),
        is_bad=MARKS[desired.state].tone == "bad",
    )


def place_of(desired: DesiredProfile, letters: Mapping[int, str]) -> str:
    """Which part of the station a profile is for, and as what."""
    if desired.purpose == Purpose.STATION_MAX:
        return _("Whole station")
    letter = letters.get(desired.evse_number, str(desired.evse_number))
    if desired.purpose == Purpose.TX:
        return _("Socket %(letter)s, this session") % {"letter": letter}
    if desired.evse_number == 0:
        return _("Each socket, by default")
    return _("Socket %(letter)s, by default") % {"letter": letter}


def _wanted(desired: DesiredProfile, in_force: Sequence[InForce], now: datetime) -> str:
    """The limit now in the profile's own unit where it has a period, else its lowest and highest."""
    running = next((run for run in in_force if run.start <= now < run.end), None)
    if running is not None and desired.unit == DesiredProfile.Unit.A:
        return limit(running.limit_a, "A")
    values = sorted({float(period["limit"]) for period in desired.periods})
    if not values:
        return _("No limit")
    text = limit(values[0], desired.unit)
    if len(values) == 1:
        return text
    return _("%(lowest)s to %(highest)s") % {"lowest": text, "highest": limit(values[-1], desired.unit)}


def _times(in_force: Sequence[InForce], now: datetime) -> str:
    """When the profile applies today or next, in hours; nothing where it always does."""
    coming = [run for run in in_force if run.end > now]
    if not coming:
        return ""
    if len({run.limit_a for run in in_force}) > 1:
        return ngettext("%(count)d limit in turn", "%(count)d limits in turn", len(in_force)) % {
            "count": len({run.limit_a for run in in_force})
        }
    first = coming[0]
    if first.end - first.start >= timedelta(hours=24):
        return ""
    return f"{clock(first.start)}–{clock(first.end)}"


def _sent(delivery: Delivery | None) -> str:
    if delivery is None:
        return _("Not sent yet")
    command = delivery.command
    if command.sent_at is None:
        return str(SENT_WORDS[command.state]).capitalize()
    return moment(command.sent_at)


def _sent_note(delivery: Delivery | None) -> str:
    if delivery is None or delivery.command.sent_at is None:
        return ""
    words = str(SENT_WORDS[delivery.command.state])
    if delivery.intent == Delivery.Intent.CLEAR:
        return _("to clear it: %(outcome)s") % {"outcome": words}
    return words


def _reported(report: ReportedSchedule | None, now: datetime) -> str:
    if report is None:
        return _("Not reported yet")
    if report.state != ReportedSchedule.State.READ:
        return str(REPORT_WORDS[report.state])
    value = reported_limit(report, now)
    return _("Unknown") if value is None else limit(value, report.unit)


def _reported_note(
    desired: DesiredProfile, report: ReportedSchedule | None, limits: Limits, now: datetime
) -> str:
    """When it was read, and that the value is another profile's where this one does not decide."""
    if report is None:
        return ""
    text = _("read at %(time)s") % {"time": moment_from(report.read_at, now)}
    current = limits.at(now)
    if (
        desired.purpose != Purpose.STATION_MAX
        or report.state != ReportedSchedule.State.READ
        or current is None
    ):
        return text
    if any(winner.desired == desired for winner in current.winners):
        return text
    return _("%(read)s, another profile decides now") % {"read": text}


def reported_limit(report: ReportedSchedule, now: datetime) -> float | None:
    """What the report says of `now`; None where it does not reach that far."""
    if report.start is None or not report.start <= now < report.start + timedelta(
        seconds=report.duration_s or 0
    ):
        return None
    into_s = (now - report.start).total_seconds()
    values = [period["limit"] for period in report.periods if period["start_s"] <= into_s]
    return float(values[-1]) if values else None


def _reason(
    desired: DesiredProfile, report: ReportedSchedule | None, *, is_online: bool, now: datetime
) -> str:
    """Why it is in this state and what happens next, in sentences."""
    parts = [desired.reason] if desired.reason else []
    comparison: Comparison | None = getattr(report, "comparison", None)
    if desired.state == State.DRIFTED and comparison is not None and comparison.reason and not parts:
        parts.append(comparison.reason)
    if desired.state == State.DRIFTED and desired.settled_at is not None:
        parts.append(_("It is not sent again by itself. You can put it back under “Read back”."))
    if desired.state in {State.PENDING, State.CLEARING, State.UNKNOWN} and not is_online:
        parts.append(_("The station is offline: this goes on when it is back."))
    elif desired.next_attempt_at is not None and desired.state not in DesiredProfile.SETTLED:
        parts.append(_("Next attempt at %(time)s.") % {"time": clock(desired.next_attempt_at)})
    return " ".join(parts)
