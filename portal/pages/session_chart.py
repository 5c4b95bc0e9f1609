"""The chart of one session: its power against the limits that held, for its driver and for the station's operator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _

from portal.pages.charts import Drawing, Step
from portal.pages.limits import Limits, Stretch, limits_of, profiles_of
from portal.pages.metering import Sample, mean_w, power_steps, samples_of
from portal.pages.power_chart import COLUMN, PowerChart, power_drawings
from portal.pages.power_series import phases_of, series, window
from portal.pages.session_power import READ_FINELY, SessionPower, power_of
from portal.templatetags.measures import clock, kw
from smartcharging.in_force import others_over
from stations.models import ChargingSession, MeterReading

# How far ahead the limits of a session that runs are looked at.
AHEAD = timedelta(hours=24)
# A session of some seconds would else have no width.
NARROWEST = timedelta(minutes=10)


@dataclass(frozen=True)
class SessionChart:
    """`limits`: None where it is not known which socket it was on, or since when."""

    session: ChargingSession
    now: datetime
    power: SessionPower
    limits: Limits | None

    @property
    def samples(self) -> list[Sample]:
        return self.power.samples

    @property
    def is_active(self) -> bool:
        return self.session.state == ChargingSession.State.ACTIVE

    @property
    def end(self) -> datetime:
        return self.session.until or self.now

    @property
    def window(self) -> tuple[datetime, datetime]:
        return window_of(self.session, self.now)

    @property
    def finding(self) -> str:
        highest = self.power.highest
        if highest is None:
            return _("The station sent no power during this session.")
        if self.power.in_quarters:
            return _("Highest power: %(power)s, in the quarter of an hour from %(time)s.") % {
                "power": kw(highest.power_w),
                "time": clock(highest.at),
            }
        return _("Highest power: %(power)s at %(time)s.") % {
            "power": kw(highest.power_w),
            "time": clock(highest.at),
        }

    @cached_property
    def steps(self) -> tuple[list[Step], list[Step]]:
        start, end = self.window
        return power_steps(self.samples, start=start, end=end, until=self.end)

    @property
    def gives_back(self) -> bool:
        """Whether energy came out of the car, so that the drawing has an area below zero."""
        return any(step.value for step in self.steps[1])

    @cached_property
    def drawings(self) -> tuple[Drawing, Drawing]:
        start, end = self.window
        imported, exported = self.steps
        chart = PowerChart(
            id="session",
            title=_("Power during the session from %(start)s to %(end)s. %(finding)s")
            % {"start": clock(start), "end": clock(self.end), "finding": self.finding},
            start=start,
            end=end,
            measured=imported,
            returned=exported,
            limit=[Step(item.start, min(item.end, self.end), item.limit_w / 1000) for item in self.held],
            connection_kw=None,
            connection_text="",
            limit_text="",
            limit_name="",
        )
        return power_drawings(chart, COLUMN)

    @property
    def held(self) -> list[Stretch]:
        """The limits that held while the session ran."""
        return [item for item in self.limits.stretches if item.start < self.end] if self.limits else []

    @cached_property
    def table(self) -> list[tuple[datetime, float | None, float | None, float | None]]:
        """The chart in some twenty rows: from, import and export in W, the limit in W."""
        start, end = self.window
        apart = _apart(end - start)
        rows = []
        at = start
        while at < self.end:
            held = self.limits.at(at) if self.limits else None
            rows.append(
                (
                    at,
                    mean_w(self.steps[0], at, at + apart),
                    mean_w(self.steps[1], at, at + apart),
                    held.limit_w if held else None,
                )
            )
            at += apart
        return rows


def session_chart(session: ChargingSession, *, now: datetime) -> SessionChart:
    """`session` comes with its station and the station's EVSEs."""
    return SessionChart(session, now, power_of(session, now=now), limits_in(session, now=now))


def session_series(session: ChargingSession, *, first: str, last: str, now: datetime) -> dict[str, Any]:
    """The chart as portal.pages.power_series tells it: a part that is short enough from every reading."""
    start, end = window_of(session, now)
    asked = window(start, end, first=first, last=last)
    limits = limits_in(session, now=now)
    own = MeterReading.objects.filter(station=session.station_id, evse_number=session.evse_number or 0)
    in_quarters = False
    if asked.last - asked.first > READ_FINELY:
        power = power_of(session, now=now)
        samples, in_quarters = power.samples, power.in_quarters
    else:
        samples = samples_of(asked.of(own))
    until = session.until or now
    return series(
        asked,
        samples,
        phases=None if in_quarters else phases_of(asked.of(own).filter(sampled_at__lte=until)),
        limits=[item for item in limits.stretches if item.start < until] if limits else [],
        connection_w=None,
        measured_until=until,
        now=now,
        in_quarters=in_quarters,
    )


def window_of(session: ChargingSession, now: datetime) -> tuple[datetime, datetime]:
    """From when until when its chart reaches."""
    start = session.started_at or session.received_at
    return start, max(session.until or now, start + NARROWEST)


def limits_in(session: ChargingSession, *, now: datetime) -> Limits | None:
    """The limits of its socket from its begin on, and of one that runs also what comes."""
    start = session.started_at
    if start is None or not session.evse_number:
        return None
    end = session.until or now + AHEAD
    is_active = session.state == ChargingSession.State.ACTIVE
    return limits_of(
        session.station,
        profiles=profiles_of(session.station, since=start),
        active=[session] if is_active else [],
        others=others_over(session.station, start, now),
        start=start,
        end=max(end, start + timedelta(minutes=1)),
        evse=session.evse_number,
    )


def _apart(span: timedelta) -> timedelta:
    """Rows of the table this far apart, so that there are some twenty of them."""
    minutes = next(
        (step for step in (1, 5, 10, 15, 30, 60, 120, 240) if span / 24 <= timedelta(minutes=step)), 480
    )
    return timedelta(minutes=minutes)
