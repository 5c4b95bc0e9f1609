"""A driver's session in plain words: how much, how fast and why not faster, what happened, what it cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.utils.translation import gettext as _

from portal.pages.charts import Drawing, Step
from portal.pages.cost_words import CostRow, cost_rows, notes
from portal.pages.driver.timeline import SOON, Moment, Story, Test, happened_in, tests_in
from portal.pages.energy import Energy, energies_of
from portal.pages.limits import Limits, Stretch, limits_of, profiles_of
from portal.pages.metering import FRESH, Sample, mean_w, power_steps
from portal.pages.pace import Busy, Pace, busy_of
from portal.pages.power_chart import COLUMN, PowerChart, power_drawings
from portal.pages.session_power import SessionPower, power_of
from portal.templatetags.measures import NBSP, UNKNOWN, clock, kw, kwh
from smartcharging.in_force import others_over
from stations.costs import SessionCost, cost_of
from stations.models import ChargingSession, Event


@dataclass(frozen=True)
class DriverSession:
    """One session with all that the page tells of it."""

    session: ChargingSession
    now: datetime
    power: SessionPower
    energy: Energy
    cost: SessionCost
    limits: Limits | None
    happened: list[Event]
    probes: list[Test]
    busy: Busy | None

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
    def cost_rows(self) -> list[CostRow]:
        return cost_rows(self.cost)

    @property
    def cost_notes(self) -> list[str]:
        return list(notes(self.cost))

    @cached_property
    def power_now(self) -> Sample | None:
        """The last power, where it is recent enough to be called now."""
        last = next((sample for sample in reversed(self.samples) if not sample.ends), None)
        return last if last is not None and self.now - last.at <= FRESH else None

    @property
    def headline(self) -> tuple[str, str]:
        """The figure of the hero with its unit: the power now while charging, else the energy."""
        if self.is_active and self.power_now is not None:
            text = kw(self.power_now.import_w)
        elif self.energy.import_wh is not None:
            text = kwh(self.energy.import_wh)
        else:
            return UNKNOWN, "kWh"
        value, unit = text.split(NBSP)
        return value, unit

    @cached_property
    def current(self) -> Stretch | None:
        return self.limits.at(self.now) if self.limits is not None and self.is_active else None

    @property
    def why(self) -> str:
        """Why it goes as fast as it goes, in a sentence."""
        if self.current is None or self.limits is None or self.busy is None:
            return ""
        return Pace(self.limits, self.current, self.power_now, self.busy, self.now).why()

    @property
    def next_change(self) -> Stretch | None:
        """The next other limit, where it comes soon."""
        coming = self.limits.after(self.now) if self.current is not None and self.limits is not None else []
        return coming[0] if coming and coming[0].start - self.now <= SOON else None

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
        start, end = self._window
        return power_steps(self.samples, start=start, end=end, until=self.end)

    @property
    def gives_back(self) -> bool:
        """Whether energy came out of the car, so that the drawing has an area below zero."""
        return any(step.value for step in self.steps[1])

    @property
    def _window(self) -> tuple[datetime, datetime]:
        start = self.session.started_at or self.session.received_at
        return start, max(self.end, start + timedelta(minutes=10))

    @cached_property
    def drawings(self) -> tuple[Drawing, Drawing]:
        start, end = self._window
        imported, exported = self.steps
        chart = PowerChart(
            id="session",
            title=_("Power during the session from %(start)s to %(end)s. %(finding)s")
            % {"start": clock(start), "end": clock(self.end), "finding": self.finding},
            start=start,
            end=end,
            measured=imported,
            returned=exported,
            limit=[Step(item.start, min(item.end, self.end), item.limit_w / 1000) for item in self._held],
            connection_kw=None,
            connection_text="",
            limit_text="",
            limit_name="",
        )
        return power_drawings(chart, COLUMN)

    @property
    def _held(self) -> list[Stretch]:
        """The limits that held while the session ran."""
        return [item for item in self.limits.stretches if item.start < self.end] if self.limits else []

    @cached_property
    def table(self) -> list[tuple[datetime, float | None, float | None, float | None]]:
        """The chart in some twenty rows: from, import and export in W, the limit in W."""
        start, end = self._window
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

    @cached_property
    def timeline(self) -> list[Moment]:
        """What happened and what will, in order, each with its reason and who says so."""
        return Story(
            session=self.session,
            now=self.now,
            limits=self.limits,
            energy=self.energy,
            samples=self.samples,
            measured=self.steps[0],
            happened=self.happened,
            probes=self.probes,
            busy=self.busy,
        ).told()


def driver_session(session: ChargingSession, *, now: datetime) -> DriverSession:
    """The session with its readings, limits and events; `session` comes with its station, site and operator."""
    start = session.started_at
    energy = energies_of([session])[session.pk]
    return DriverSession(
        session=session,
        now=now,
        power=power_of(session, now=now),
        energy=energy,
        cost=cost_of(session, now=now),
        limits=limits_in(session, start, now) if start is not None and session.evse_number else None,
        happened=happened_in(session, now),
        probes=tests_in(session, now),
        busy=busy_of(session.station) if session.state == ChargingSession.State.ACTIVE else None,
    )


def limits_in(session: ChargingSession, start: datetime, now: datetime) -> Limits:
    end = session.until or now + 2 * SOON
    is_active = session.state == ChargingSession.State.ACTIVE
    return limits_of(
        session.station,
        profiles=profiles_of(session.station, since=start),
        active=[session] if is_active else [],
        others=others_over(session.station, start, now),
        start=start,
        end=max(end, start + timedelta(minutes=1)),
        evse=session.evse_number or 0,
    )


def _apart(span: timedelta) -> timedelta:
    """Rows of the table this far apart, so that there are some twenty of them."""
    minutes = next(
        (step for step in (1, 5, 10, 15, 30, 60, 120, 240) if span / 24 <= timedelta(minutes=step)), 480
    )
    return timedelta(minutes=minutes)
