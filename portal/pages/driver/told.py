"""A driver's session in plain words: how much, how fast and why not faster, what happened, what it cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from portal.pages.cost_words import CostRow, cost_rows, notes
from portal.pages.driver.timeline import SOON, Moment, Story, Test, happened_in, tests_in
from portal.pages.energy import Energy, energies_of
from portal.pages.limits import Stretch
from portal.pages.metering import FRESH, Sample
from portal.pages.pace import Busy, Pace, busy_of
from portal.pages.session_chart import SessionChart, limits_in
from portal.pages.session_power import power_of
from portal.templatetags.measures import NBSP, UNKNOWN, kw, kwh
from stations.costs import SessionCost, cost_of
from stations.models import ChargingSession, Event


@dataclass(frozen=True)
class DriverSession(SessionChart):
    """One session with all that the page tells of it."""

    energy: Energy
    cost: SessionCost
    happened: list[Event]
    probes: list[Test]
    busy: Busy | None

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
    energy = energies_of([session])[session.pk]
    return DriverSession(
        session=session,
        now=now,
        power=power_of(session, now=now),
        energy=energy,
        cost=cost_of(session, now=now),
        limits=limits_in(session, now=now),
        happened=happened_in(session, now),
        probes=tests_in(session, now),
        busy=busy_of(session.station) if session.state == ChargingSession.State.ACTIVE else None,
    )
