"""Composite schedules: asking for them, and taking in what came back, once."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models.query import QuerySet

from smartcharging.domain.answers import Reported, ReportedState, read_composite
from smartcharging.domain.asking import get_composite_schedule
from smartcharging.domain.judging import Candidate, CompareVerdict, Judgement, Question, judge
from smartcharging.domain.profiles import CompositePeriod, Operation, Unit
from smartcharging.domain.progress import Reading, Verdict
from smartcharging.domain.sayings import Saying
from smartcharging.models import Comparison, Delivery, DesiredProfile, ReportedSchedule
from smartcharging.standing import ORIGIN, STANDING, UNCERTAIN, beside, facts_of, installed_from
from stations import commands
from stations.models import Command, Station

WINDOW_S = 86_400
# A station whose clock is further off answers about another day than the one we asked about.
CLOCK_S = 300
NEVER_SENT = (Command.State.EXPIRED, Command.State.CANCELLED)


@dataclass(frozen=True, slots=True)
class Taken:
    """One answer, and what it says of each profile (by primary key)."""

    reported: ReportedSchedule
    readings: dict[int, Reading]


def asked_evse(row: DesiredProfile) -> int:
    """The EVSE whose composite shows this profile: its own; for a default of the whole station the first."""
    if row.evse_number or row.purpose == DesiredProfile.Purpose.STATION_MAX:
        return row.evse_number
    return 1


def ask(station: Station, *, evse: int, unit: Unit, now: datetime) -> Command:
    """Ask for the composite of the coming day; in a transaction of the caller's."""
    payload = get_composite_schedule(evse=evse, duration_s=WINDOW_S, unit=unit, ocpp=station.ocpp_version)
    return commands.request(
        station=station, action="GetCompositeSchedule", payload=payload, origin=ORIGIN, now=now
    )


def open_questions(station_id: int) -> set[int]:
    """EVSEs whose composite was asked for and has not been taken in."""
    rows = _questions().filter(station_id=station_id).exclude(state__in=NEVER_SENT)
    return {_evse_of(command) for command in rows}


def untaken(station_id: int) -> list[Command]:
    """Questions that ended and whose answer has not been taken in, oldest first."""
    return list(_ended(_questions()).filter(station_id=station_id).order_by("pk"))


def take(command: Command, *, station: Station, now: datetime) -> Taken | None:
    """Write down what the station reported and how it compares; None: that was done before.

    Call it in a transaction that holds the station's row.
    """
    if ReportedSchedule.objects.filter(command=command).exists():
        return None
    reported = _read(command, station)
    question = _question(command, reported, now)
    row = ReportedSchedule.objects.create(
        station=station,
        command=command,
        evse_number=question.evse,
        read_at=command.answered_at or now,
        state=str(reported.state),
        start=reported.start,
        duration_s=reported.duration_s,
        unit=reported.unit or "",
        periods=_as_json(reported.periods),
    )
    overtaken = Delivery.objects.filter(desired__station=station, command__pk__gt=command.pk).exists()
    if overtaken:
        _write(row, CompareVerdict.UNKNOWN, Saying("overtaken"))
        return Taken(row, {})
    return Taken(row, _compare(row, reported, question, station, now))


def _questions() -> QuerySet[Command]:
    return Command.objects.filter(
        origin=ORIGIN, action="GetCompositeSchedule", reported_schedule__isnull=True
    )


def _ended(questions: QuerySet[Command]) -> QuerySet[Command]:
    return questions.exclude(state__in=(*NEVER_SENT, *Command.OPEN))


def _evse_of(command: Command) -> int:
    return int(command.payload.get("connectorId", command.payload.get("evseId", 0)))


def _read(command: Command, station: Station) -> Reported:
    if command.response is not None:
        return read_composite(
            command.response, ocpp=station.ocpp_version, asked_unit=command.payload["chargingRateUnit"]
        )
    if command.state == Command.State.UNKNOWN:
        return Reported(ReportedState.UNANSWERED)
    return Reported(ReportedState.REJECTED, words=command.error)


def _question(command: Command, reported: Reported, now: datetime) -> Question:
    """What was answered: from the start that the station states, as long as it answers, in its unit."""
    asked_s = command.payload["duration"]
    return Question(
        evse=_evse_of(command),
        start=(reported.start or command.answered_at or now).astimezone(UTC),
        duration_s=min(reported.duration_s or asked_s, asked_s),
        unit=reported.unit or command.payload["chargingRateUnit"],
    )


def _compare(
    row: ReportedSchedule, reported: Reported, question: Question, station: Station, now: datetime
) -> dict[int, Reading]:
    """Compare and write it down; returns what it says of each profile that shows in this EVSE's composite."""
    profiles = list(
        DesiredProfile.objects.filter(station=station, state__in=(*STANDING, *UNCERTAIN)).order_by("pk")
    )
    asked = [profile for profile in profiles if asked_evse(profile) == question.evse]
    obstacle = _obstacle(reported, question, row.read_at)
    if obstacle:
        unanswered = reported.state is ReportedState.UNANSWERED
        _write(row, CompareVerdict.UNKNOWN, obstacle)
        verdict = Verdict.UNANSWERED if unanswered else Verdict.UNCOMPARABLE
        return {profile.pk: Reading(verdict, obstacle) for profile in asked}
    others = beside(station, question.start)
    judgement = judge(
        _candidates(profiles, station),
        _with_periods(reported),
        question,
        facts_of(station, now),
        beside=others.installed,
    )
    if judgement.verdict is CompareVerdict.DIFFERS and not others.is_whole:
        unknown = Saying("external_unknown")
        _write(row, CompareVerdict.UNKNOWN, unknown, judgement, question)
        return {profile.pk: Reading(Verdict.UNCOMPARABLE, unknown) for profile in asked}
    found = _found(judgement, question)
    _write(row, judgement.verdict, found, judgement, question)
    return {profile.pk: Reading(judgement.of_profiles[profile.pk], found) for profile in asked}


def _candidates(profiles: list[DesiredProfile], station: Station) -> list[Candidate]:
    return [
        Candidate(
            key=profile.pk,
            installed=installed_from([profile], station.ocpp_version)[0],
            hoped=profile.state != DesiredProfile.State.CLEARING,
            certain=profile.state in STANDING,
        )
        for profile in profiles
    ]


def _with_periods(reported: Reported) -> Reported:
    """An answer without a schedule limits nothing."""
    if reported.periods:
        return reported
    return Reported(
        reported.state, reported.start, reported.duration_s, reported.unit, (CompositePeriod(0, None, None),)
    )


def _obstacle(reported: Reported, question: Question, read_at: datetime) -> Saying:
    """Why there is nothing to compare; empty where there is."""
    if reported.state is ReportedState.UNANSWERED:
        return Saying("unanswered")
    if reported.state is ReportedState.REJECTED:
        return Saying("rejected", {"words": reported.words or "-"})
    if reported.state is ReportedState.MALFORMED:
        return Saying("malformed", {"words": reported.words})
    off_s = abs((question.start - read_at).total_seconds())
    if reported.start is not None and off_s > CLOCK_S:
        return Saying("clock", {"seconds": round(off_s)})
    return Saying()


def _found(judgement: Judgement, question: Question) -> Saying:
    if judgement.difference is None:
        return Saying(judgement.reading)
    at = (question.start + timedelta(seconds=judgement.difference.first_s)).isoformat()
    if judgement.difference.largest is None:
        return Saying("no_limit", {"at": at})
    largest = round(judgement.difference.largest, 1)
    return Saying("difference", {"largest": largest, "unit": question.unit, "at": at})


def _write(
    row: ReportedSchedule,
    verdict: CompareVerdict,
    reason: Saying,
    judgement: Judgement | None = None,
    question: Question | None = None,
) -> None:
    difference = judgement.difference if judgement else None
    first_at = None
    if difference is not None and question is not None:
        first_at = question.start + timedelta(seconds=difference.first_s)
    with transaction.atomic():
        Comparison.objects.create(
            reported=row,
            verdict=str(verdict),
            expected=_as_json(judgement.expected) if judgement else [],
            largest_difference=difference.largest if difference else None,
            first_difference_at=first_at,
            reason_code=reason.code,
            reason_values=dict(reason.values),
        )


def _as_json(periods: tuple[CompositePeriod, ...]) -> list[dict[str, Any]]:
    """As in DesiredProfile; `operation` is what a period of 2.x says beyond its limit, as far as it says it."""
    return [
        {"start_s": start_s, "limit": limit, "phases": phases}
        | ({"operation": _said(operation)} if operation is not None else {})
        for start_s, limit, phases, operation in periods
    ]


def _said(operation: Operation) -> dict[str, Any]:
    return {name: value for name, value in asdict(operation).items() if value not in (None, ())}
