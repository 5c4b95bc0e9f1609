"""A driver's session in plain words: how much, how fast and why not faster, what happened, what it cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise

from django.utils.translation import gettext as _

from portal.pages.charts import Drawing, Step
from portal.pages.cost_words import CostRow, cost_rows, notes
from portal.pages.energy import Energy, energies_of
from portal.pages.limits import Limits, Stretch, limits_of, profiles_of
from portal.pages.metering import FRESH, Sample, mean_w, power_steps
from portal.pages.pace import Busy, Pace, busy_of, when_unlimited
from portal.pages.power_chart import COLUMN, PowerChart, power_drawings
from portal.pages.session_power import SessionPower, power_of
from portal.pages.words import end_reason
from portal.templatetags.measures import NBSP, UNKNOWN, ampere, clock, duration, kw, kwh
from smartcharging.in_force import others_over
from stations.costs import SessionCost, cost_of
from stations.events import Kind
from stations.models import ChargingSession, Event

SOON = timedelta(hours=12)
MOST_STATUSES = 200


@dataclass(frozen=True, slots=True)
class Moment:
    """A line of the timeline; `css` is "is-now" for the present, "is-plan" for what is to come."""

    at: datetime
    title: str
    text: str
    css: str = ""


@dataclass(frozen=True)
class DriverSession:
    """One session with all that the page tells of it."""

    session: ChargingSession
    now: datetime
    power: SessionPower
    energy: Energy
    cost: SessionCost
    limits: Limits | None
    statuses: list[Event]
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
        """What happened and what will, in order; the last thing that happened is the present."""
        past = sorted([*self._begun(), *self._limit_changes(), *self._status_changes()], key=lambda m: m.at)
        if not self.is_active:
            return [*past, *self._ended()]
        present = Moment(past[-1].at, past[-1].title, past[-1].text, "is-now") if past else None
        return [*past[:-1], *([present] if present else []), *self._plans()]

    def _begun(self) -> Iterator[Moment]:
        if self.session.started_at:
            yield Moment(self.session.started_at, _("Started"), self._start_text())

    def _start_text(self) -> str:
        held = self.limits.at(self.session.started_at) if self.limits and self.session.started_at else None
        if held is None or self.limits is None:
            return ""
        if not held.winners:
            return when_unlimited(self.limits, held)
        return _("With a limit of %(limit)s (%(name)s).") % {
            "limit": ampere(held.limit_a),
            "name": held.names,
        }

    def _limit_changes(self) -> Iterator[Moment]:
        if self.limits is None:
            return
        for before, after in pairwise(self._held):
            if (
                self.session.started_at
                and before.limit_a != after.limit_a
                and after.start > self.session.started_at
            ):
                yield _changed(before, after, self.limits)

    def _plans(self) -> Iterator[Moment]:
        if self.limits is None:
            return
        ahead = [
            item for item in self.limits.stretches if item.end > self.now and item.start < self.now + SOON
        ]
        told = [
            _changed(before, after, self.limits)
            for before, after in pairwise(ahead)
            if before.limit_a != after.limit_a
        ]
        taken = {moment.at for moment in told}
        if self.busy is not None and self.busy.cars > 1:  # what they share matters to each
            told += [moment for moment in self._station_plans(self.limits) if moment.at not in taken]
        for moment in sorted(told, key=lambda moment: moment.at):
            yield Moment(moment.at, moment.title, moment.text, "is-plan")

    def _station_plans(self, limits: Limits) -> Iterator[Moment]:
        changes = [at for at in limits.station_changes() if self.now < at < self.now + SOON]
        last = limits.station_max(self.now)
        for at in changes:
            held = limits.station_max(at)
            if held and held != last:
                yield Moment(at, _("Station: at most %(limit)s") % {"limit": ampere(held[1])}, held[0].name)
            elif last and not held:
                yield Moment(at, _("The limit of the station ends"), last[0].name)
            last = held

    def _status_changes(self) -> Iterator[Moment]:
        last = ""
        for event in self.statuses:
            # 1.6 says it of the connector, 2.x of the transaction (its connector is merely Occupied).
            status = str(event.data.get("charging_state") or event.data.get("status", ""))
            words = STATUS_WORDS.get(status)
            if words is not None and status != last:
                yield Moment(event.at, *(str(word) for word in words()))
                last = status

    def _ended(self) -> Iterator[Moment]:
        if self.session.ended_at:
            title = _("Ended")
            if self.energy.import_wh is not None:
                title = _("Ended: %(energy)s charged") % {"energy": kwh(self.energy.import_wh)}
            if self.energy.import_wh is not None and self.energy.export_wh:
                energies = {"energy": kwh(self.energy.import_wh), "back": kwh(self.energy.export_wh)}
                title = _("Ended: %(energy)s charged, %(back)s given back") % energies
            yield Moment(self.session.ended_at, title, end_reason(self.session.end_reason))


STATUS_WORDS = {
    "Charging": lambda: (_("Charging"), _("Power flows.")),
    "SuspendedEV": lambda: (
        _("The car takes no power"),
        _("It is full, or it waits for a time set in the car."),
    ),
    "SuspendedEVSE": lambda: (_("Waiting"), _("The station gives no power for now.")),
    "Faulted": lambda: (_("A fault"), _("The station reports a fault on this socket.")),
}


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
        limits=_limits(session, start, now) if start is not None and session.evse_number else None,
        statuses=_statuses(session, now),
        busy=busy_of(session.station) if session.state == ChargingSession.State.ACTIVE else None,
    )


def _limits(session: ChargingSession, start: datetime, now: datetime) -> Limits:
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


def _statuses(session: ChargingSession, now: datetime) -> list[Event]:
    start = session.started_at or session.received_at
    return list(
        Event.objects.filter(
            station=session.station_id,
            kind__in=(Kind.STATUS, Kind.SESSION_STARTED, Kind.SESSION_UPDATED),
            at__gte=start,
            at__lte=session.until or now,
            data__evse=session.evse_number,
        ).order_by("at", "pk")[:MOST_STATUSES]
    )


def _changed(before: Stretch, after: Stretch, limits: Limits) -> Moment:
    if not after.winners:
        return Moment(after.start, _("The limit ends"), when_unlimited(limits, after))
    values = {"limit": ampere(after.limit_a), "name": after.names}
    if after.limit_a == 0:
        title = _("Pause")
    elif after.limit_a < before.limit_a:
        title = _("Slower: limit %(limit)s") % values
    else:
        title = _("Faster: limit %(limit)s") % values
    return Moment(after.start, title, values["name"])


def _apart(span: timedelta) -> timedelta:
    """Rows of the table this far apart, so that there are some twenty of them."""
    minutes = next(
        (step for step in (1, 5, 10, 15, 30, 60, 120, 240) if span / 24 <= timedelta(minutes=step)), 480
    )
    return timedelta(minutes=minutes)


def length_of(session: ChargingSession, now: datetime) -> str:
    """How long it took, or takes so far; empty where its begin or its end was never told."""
    if session.started_at is None or session.state == ChargingSession.State.UNCLOSED:
        return ""
    return duration(((session.ended_at or now) - session.started_at).total_seconds())
