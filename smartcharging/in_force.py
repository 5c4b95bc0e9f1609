"""What limits a station at a moment, by our own records, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import attrgetter

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from smartcharging.domain.explain import Claim, Explanation, Hardware, Outcome, explain
from smartcharging.domain.judging import Question, expected_periods
from smartcharging.domain.profiles import CompositeSchedule, Installed, Unit
from smartcharging.models import DesiredProfile, ExternalLimit
from smartcharging.standing import (
    MOST_EXTERNAL,
    external_of,
    facts_of,
    foreign,
    installed_from,
    standing_profiles,
)
from stations.models import Station

LOOK_AHEAD_S = 7 * 86_400
MOST_ENDED = 2000  # limits of others in one answer: one each 43 s of a day; of more the newest
HARDWARE = {Hardware.CONNECTION: _("the connection"), Hardware.SOCKET: _("the socket")}


# ChargingLimitSource of 2.x; 2.1 allows any text, which is shown as it came.
SOURCES = {
    "EMS": _("the energy management on the spot (EMS)"),
    "SO": _("the grid operator (SO)"),
    "CSO": _("the operator's other system (CSO)"),
    "Other": _("another party"),
}


@dataclass(frozen=True, slots=True)
class Other:
    """What others have on a station, in force within its validity: a limit that the station told of, or a profile."""

    name: str
    installed: Installed


@dataclass(frozen=True, slots=True)
class Reason:
    """What limits, what it allows by itself in A per phase, and what became of it.

    `source`: profile (ours: `desired`), other, connection or socket.
    """

    source: str
    name: str
    desired: DesiredProfile | None
    evse_number: int
    limit: float | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `start` until `end` the limit is the same, and so is who claims what."""

    start: datetime
    end: datetime
    limit: float | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class LimitNow:
    """What limits an EVSE (0: the station) at `at`, in A per phase.

    `limit` None: nothing is known to limit it. `until` None: no change within a week; `next_limit` is what counts from
    then on. `reasons`: the winners first, then what would limit less or is not its turn.
    """

    evse_number: int
    at: datetime
    limit: float | None
    reasons: tuple[Reason, ...]
    until: datetime | None
    next_limit: float | None
    over_time: tuple[Stretch, ...] = ()

    @property
    def winners(self) -> tuple[Reason, ...]:
        return tuple(reason for reason in self.reasons if reason.outcome is Outcome.WINS)

    @property
    def winner(self) -> DesiredProfile | None:
        """The profile that wins; None where it is the hardware. Of several, of sockets with their own, the first."""
        return next((reason.desired for reason in self.winners if reason.desired), None)

    @property
    def because(self) -> str:
        return ", ".join(dict.fromkeys(reason.name for reason in self.winners))


def limit_now(station: Station, evse_number: int, now: datetime) -> LimitNow:
    """The limit at `now` and why, within what socket and connection can do."""
    standing = _Standing.of(station, now, now)
    facts = facts_of(station, now)
    first, *later = expected_periods(
        standing.installed, Question(evse_number, now, LOOK_AHEAD_S, "A"), facts, capped=True
    )
    (told,) = explain(standing.installed, Question(evse_number, now, 0, "A"), facts)
    return LimitNow(
        evse_number=evse_number,
        at=now,
        limit=first.limit,
        reasons=standing.reasons(told),
        until=now.replace(microsecond=0) + timedelta(seconds=later[0].start_s) if later else None,
        next_limit=later[0].limit if later else None,
    )


def limits_over(
    station: Station, evse_number: int, *, start: datetime, duration_s: int
) -> tuple[Stretch, ...]:
    """The same over time, from `start` on; sessions that run now go on."""
    standing = _Standing.of(station, start, start + timedelta(seconds=duration_s))
    question = Question(evse_number, start, duration_s, "A")
    begin = start.replace(microsecond=0)
    return tuple(
        Stretch(
            start=begin + timedelta(seconds=told.start_s),
            end=begin + timedelta(seconds=told.end_s),
            limit=told.limit,
            reasons=standing.reasons(told),
        )
        for told in explain(standing.installed, question, facts_of(station, start))
    )


def composite_of(
    station: Station, *, evse_number: int, start: datetime, duration_s: int, unit: Unit
) -> CompositeSchedule:
    """Our composite of what stands on the station, by our records and its own word; None: no profile counts then."""
    question = Question(evse_number, start, duration_s, unit)
    standing = _Standing.of(station, start, start + timedelta(seconds=duration_s))
    periods = expected_periods(standing.installed, question, facts_of(station, start))
    return CompositeSchedule(start, duration_s, unit, periods)


def others_over(station: Station, start: datetime, end: datetime) -> list[Other]:
    """What others had or have on the station at some moment from `start` until `end`; 1.6 stations cannot tell."""
    if station.ocpp_version == "1.6":
        return []
    rows = ExternalLimit.objects.filter(station=station, since__lte=end)
    still = rows.filter(cleared_at__isnull=True).order_by("-pk")[:MOST_EXTERNAL]
    ended = rows.filter(cleared_at__gt=start).order_by("-pk")[:MOST_ENDED]
    limits = [
        Other(str(SOURCES.get(row.source, row.source)), _until(item, row.cleared_at))
        for row in sorted([*still, *ended], key=attrgetter("pk"))
        for item in external_of(row, station).installed
    ]
    profiles = [
        Other(gettext("profile %(id)s of others") % {"id": item.profile.id}, item)
        for item in foreign(station)
    ]
    return limits + profiles


def _until(item: Installed, end: datetime | None) -> Installed:
    return item if end is None else replace(item, profile=replace(item.profile, valid_to=end))


@dataclass(frozen=True, slots=True)
class _Standing:
    """All that stands on a station, ours and of others, with the names of it."""

    installed: list[Installed]
    ours: dict[int, DesiredProfile]
    others: dict[int, str]

    @classmethod
    def of(cls, station: Station, start: datetime, end: datetime) -> _Standing:
        rows = standing_profiles(station)
        others = others_over(station, start, end)
        return cls(
            installed=[*installed_from(rows, station.ocpp_version), *(other.installed for other in others)],
            ours={row.profile_id: row for row in rows},
            others={other.installed.profile.id: other.name for other in others},
        )

    def reasons(self, told: Explanation) -> tuple[Reason, ...]:
        return tuple(self._reason(claim) for claim in told.claims)

    def _reason(self, claim: Claim) -> Reason:
        source, evse, limit, outcome = claim
        if isinstance(source, Hardware):
            return Reason(str(source), str(HARDWARE[source]), None, evse, limit, outcome)
        desired = self.ours.get(source.profile.id)
        if desired is not None:
            return Reason("profile", desired.name, desired, evse, limit, outcome)
        return Reason("other", self.others[source.profile.id], None, evse, limit, outcome)
