"""The day of a station: its limit and who decides it, power against limit, the stack of profiles, what comes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.pages.charts import Drawing, Step, day_of
from portal.pages.deliveries import latest_reports, reported_limit
from portal.pages.limit_words import Now, Telling
from portal.pages.limits import Limits, Stretch, limits_of, profiles_of
from portal.pages.metering import (
    Highest,
    Meters,
    Over,
    Sample,
    Total,
    highest_of,
    mean_w,
    meters_of,
    over_limit,
    power_steps,
    samples_of,
    totals_of,
)
from portal.pages.power_chart import PowerChart, power_drawings
from portal.pages.stack import Stack, stack_of
from portal.templatetags.measures import ampere, clock, duration, kw, limit, moment_from
from smartcharging.domain.profiles import NOMINAL_V
from smartcharging.in_force import Other, others_over
from smartcharging.models import DesiredProfile, ReportedSchedule
from stations.models import ChargingSession, MeterReading, Station

FORESEEN = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Coming:
    at: datetime
    value: str
    by: str


@dataclass(frozen=True, slots=True)
class Hour:
    """A row of the table beside the chart: mean power, and the lowest limit in the hour."""

    label: str
    import_w: float | None
    export_w: float | None
    limit_a: float
    limit_w: float


@dataclass(frozen=True)
class StationDay:
    """All that the page needs of one day; `limits` reach further, to say what comes next."""

    station: Station
    now: datetime
    start: datetime
    end: datetime
    profiles: list[DesiredProfile]
    active: list[ChargingSession]
    limits: Limits
    meters: Meters
    samples: list[Sample]
    reports: Mapping[int, ReportedSchedule]
    others: list[Other]
    is_online: bool

    @property
    def connection_w(self) -> float:
        return connection_w_of(self.station)

    @cached_property
    def today(self) -> list[Stretch]:
        return [item for item in self.limits.stretches if item.start < self.end]

    @cached_property
    def totals(self) -> list[Total]:
        return totals_of(self.samples)

    @cached_property
    def highest(self) -> Highest | None:
        return highest_of(self.totals)

    @cached_property
    def over(self) -> Over | None:
        return over_limit(self.totals, [(item.start, item.limit_w) for item in self.limits.stretches])

    @property
    def finding(self) -> str:
        """What the chart shows, in a sentence."""
        if self.highest is None:
            return _("No power was measured today.")
        if self.over is None:
            return _("The power stayed below the limit today. Highest: %(power)s at %(time)s.") % {
                "power": kw(self.highest.power_w),
                "time": clock(self.highest.at),
            }
        return _(
            "The power was above the limit for %(duration)s today; most at %(time)s: %(power)s where "
            "%(limit)s was allowed."
        ) % {
            "duration": duration(self.over.seconds),
            "time": clock(self.over.at),
            "power": kw(self.over.power_w),
            "limit": kw(self.over.limit_w),
        }

    @property
    def gives_back(self) -> bool:
        """Whether energy came out of the car, so that the drawing has an area below zero."""
        return any(step.value for step in self._steps[1])

    @cached_property
    def drawings(self) -> tuple[Drawing, Drawing]:
        imported, exported = self._steps
        current = self.limits.at(self.now)
        chart = PowerChart(
            id="power",
            title=_("Power and limit of today. %(finding)s") % {"finding": self.finding},
            start=self.start,
            end=self.end,
            measured=imported,
            returned=exported,
            limit=[self._limit_step(item) for item in self.today],
            connection_kw=self.connection_w / 1000,
            connection_text=_("Connection %(power)s") % {"power": kw(self.connection_w)},
            limit_text=ampere(current.limit_a) if current and current.winners else "",
            limit_name=current.names if current else "",
            now=self.now,
        )
        return power_drawings(chart)

    def _limit_step(self, item: Stretch) -> Step:
        """A limit is drawn where a profile decides it; the connection has its own line."""
        return Step(item.start, min(item.end, self.end), item.limit_w / 1000 if item.winners else None)

    @cached_property
    def _steps(self) -> tuple[list[Step], list[Step]]:
        return power_steps(self.samples, start=self.start, end=self.end, until=self.now)

    @cached_property
    def hours(self) -> list[Hour]:
        """The chart as a table: one row per hour up to now, 23 or 25 of them where the clock was set."""
        imported, exported = self._steps
        rows = []
        at = self.start
        while at < min(self.now, self.end):
            until = at + timedelta(hours=1)
            holding = [item for item in self.today if item.start < until and item.end > at]
            rows.append(
                Hour(
                    _hour_label(at),
                    mean_w(imported, at, until),
                    mean_w(exported, at, until),
                    min(item.limit_a for item in holding),
                    min(item.limit_w for item in holding),
                )
            )
            at = until
        return rows

    @cached_property
    def stack(self) -> Stack:
        """Profiles that are, were or will be in force today, and the hardware beneath them."""
        return stack_of(self.station, self.limits, start=self.start, end=self.end)

    @cached_property
    def stack_drawings(self) -> tuple[Drawing, Drawing]:
        return self.stack.drawings(id="stack", title=self.stack_finding, now=self.now)

    @property
    def stack_finding(self) -> str:
        count = len(self.stack.profiles)
        profiles = ngettext("%(count)d profile", "%(count)d profiles", count) % {"count": count}
        told = self.hero
        return _("%(profiles)s over 24 hours, the highest level on top. Limit now: %(limit)s. %(win)s") % {
            "profiles": profiles,
            "limit": f"{told.value} {told.unit}",
            "win": told.win,
        }

    @cached_property
    def coming(self) -> list[Coming]:
        """The next changes of the limit, at most four."""
        return [
            Coming(
                item.start,
                ampere(item.limit_a),
                item.names or _("the connection and the sockets"),
            )
            for item in self.limits.after(self.now)[:4]
        ]

    @cached_property
    def hero(self) -> Now:
        telling = Telling(
            station=self.station,
            now=self.now,
            day_ends=self.end,
            limits=self.limits,
            profiles=self.profiles,
            active=self.active,
            others=self.others,
            is_online=self.is_online,
        )
        return telling.told()

    @cached_property
    def confirmed(self) -> str:
        """What the station itself said last of the whole station."""
        report = self.reports.get(0)
        if report is None:
            return _("not read yet")
        if report.state != ReportedSchedule.State.READ:
            return _("%(time)s, no readable answer") % {"time": moment_from(report.read_at, self.now)}
        value = reported_limit(report, self.now)
        text = _("no longer known") if value is None else limit(value, report.unit)
        return _("%(time)s, %(limit)s") % {"time": moment_from(report.read_at, self.now), "limit": text}


def station_day(station: Station, *, is_online: bool, now: datetime) -> StationDay:
    """The day of `station` that `now` is in; `station` comes with its EVSEs prefetched."""
    start, end = day_of(now)
    profiles, others = profiles_of(station, since=start), others_over(station, start, now)
    active = list(station.sessions.filter(state=ChargingSession.State.ACTIVE).order_by("evse_number"))
    readings = MeterReading.objects.filter(station=station, sampled_at__gte=start, sampled_at__lt=end)
    return StationDay(
        station=station,
        now=now,
        start=start,
        end=end,
        profiles=profiles,
        active=active,
        limits=limits_of(
            station, profiles=profiles, active=active, others=others, start=start, end=end + FORESEEN
        ),
        meters=meters_of(station, active=active, now=now),
        samples=samples_of(readings),
        reports=latest_reports(station),
        others=others,
        is_online=is_online,
    )


def connection_w_of(station: Station) -> float:
    return float(station.connection_a * station.connection_phases * NOMINAL_V)


def day_limits(station: Station, *, start: datetime, end: datetime, now: datetime) -> Limits:
    """The limits alone of a day; `station` comes with its EVSEs prefetched."""
    active = list(station.sessions.filter(state=ChargingSession.State.ACTIVE).order_by("evse_number"))
    return limits_of(
        station,
        profiles=profiles_of(station, since=start),
        active=active,
        others=others_over(station, start, now),
        start=start,
        end=end,
    )


def _hour_label(at: datetime) -> str:
    """18:00; with the name of the zone in an hour that comes twice, as when summer time ends."""
    local = timezone.localtime(at)
    around = {timezone.localtime(at + timedelta(hours=step)).hour for step in (-1, 1)}
    return f"{local:%H:%M} {local:%Z}" if local.hour in around else f"{local:%H:%M}"
