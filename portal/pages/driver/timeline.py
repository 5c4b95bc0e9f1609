"""What happened in a session, as a list of moments: what, why, and who says so.

From three sources, told once each: the limits as they stood, what the station told, and what was measured where
nobody told of it. What a test of the station did is told too, and what is planned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.compliance.models import Probe
from portal.pages.charts import Step
from portal.pages.driver.measured import full_power, pauses, start_pulse
from portal.pages.energy import Energy
from portal.pages.limits import Limits, Stretch
from portal.pages.metering import Sample
from portal.pages.pace import Busy, when_unlimited
from portal.pages.words import end_reason
from portal.templatetags.measures import ampere, clock, duration, kw, kwh
from stations.events import Kind
from stations.models import ChargingSession, Command, Event

SOON = timedelta(hours=12)
MOST_EVENTS = 200
# What is told of one thing within this time is told once.
NEAR = timedelta(minutes=3)
# A connection that was away for less is nothing to a driver.
AWAY = timedelta(minutes=2)
TOO_LOW_A = 6.0  # IEC 61851-1: a car charges with 6 A or not at all


@dataclass(frozen=True, slots=True)
class Moment:
    """A line of the timeline; `source`: who says so. `css`: "is-now" for the present, "is-plan" for what is to come."""

    at: datetime
    title: str
    text: str
    source: str
    css: str = ""


@dataclass(frozen=True, slots=True)
class Test:
    """A live probe of the station while the session ran, and how many trial limits it set."""

    probe: Probe
    limits: int


@dataclass(frozen=True)
class Story:
    """All that a timeline is told from. `measured`: the import in kW, as in the chart; `happened`: by time."""

    session: ChargingSession
    now: datetime
    limits: Limits | None
    energy: Energy
    samples: Sequence[Sample]
    measured: Sequence[Step]
    happened: Sequence[Event]
    probes: Sequence[Test]
    busy: Busy | None

    def told(self) -> list[Moment]:
        told = [
            *self._begun(),
            *self._limit_changes(),
            *self._statuses(),
            *self._connection(),
            *self._tests(),
        ]
        past = sorted([*told, *self._measured(told)], key=lambda moment: moment.at)
        if self.session.state != ChargingSession.State.ACTIVE:
            return [*past, *self._ended()]
        present = [replace(past[-1], css="is-now")] if past else []
        return [*past[:-1], *present, *self._plans()]

    @property
    def end(self) -> datetime:
        return self.session.until or self.now

    @property
    def _held(self) -> list[Stretch]:
        """The limits that held while the session ran."""
        return [item for item in self.limits.stretches if item.start < self.end] if self.limits else []

    # ------------------------------------------------------------ limits
    def _begun(self) -> Iterator[Moment]:
        if self.session.started_at:
            yield Moment(self.session.started_at, _("Started"), self._start_text(), _station_says())

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
        start = self.session.started_at
        if self.limits is None or start is None:
            return
        for before, after in pairwise(self._held):
            if before.limit_a != after.limit_a and after.start > start:
                yield self._changed(before, after, self.limits)

    def _changed(self, before: Stretch, after: Stretch, limits: Limits) -> Moment:
        if not after.winners:
            text = when_unlimited(limits, after)
            return Moment(after.start, _("The limit ends"), text, self._limit_says(before))
        limit = {"limit": ampere(after.limit_a)}
        if after.limit_a == 0:
            title = _("Pause")
        elif after.limit_a < before.limit_a:
            title = _("Slower: limit %(limit)s") % limit
        else:
            title = _("Faster: limit %(limit)s") % limit
        return Moment(after.start, title, _because(after), self._limit_says(after))

    def _limit_says(self, held: Stretch) -> str:
        """Whose limit it is: one that we sent for the operator, or one that the station told of."""
        if any(winner.desired for winner in held.winners):
            return _("Limit of operator %(operator)s") % {"operator": self.session.station.site.operator}
        return _("Limit of another party, told by the station")

    def _plans(self) -> Iterator[Moment]:
        if self.limits is None:
            return
        ahead = [
            item for item in self.limits.stretches if item.end > self.now and item.start < self.now + SOON
        ]
        told = [
            self._changed(before, after, self.limits)
            for before, after in pairwise(ahead)
            if before.limit_a != after.limit_a
        ]
        taken = {moment.at for moment in told}
        if self.busy is not None and self.busy.cars > 1:  # what they share matters to each
            told += [moment for moment in self._station_plans(self.limits) if moment.at not in taken]
        for moment in sorted(told, key=lambda moment: moment.at):
            yield replace(moment, css="is-plan")

    def _station_plans(self, limits: Limits) -> Iterator[Moment]:
        source = _("Limit of operator %(operator)s") % {"operator": self.session.station.site.operator}
        changes = [at for at in limits.station_changes() if self.now < at < self.now + SOON]
        last = limits.station_max(self.now)
        for at in changes:
            held = limits.station_max(at)
            if held and held != last:
                title = _("Station: at most %(limit)s") % {"limit": ampere(held[1])}
                yield Moment(at, title, held[0].name, source)
            elif last and not held:
                yield Moment(at, _("The limit of the station ends"), last[0].name, source)
            last = held

    # ------------------------------------------------------------ what the station told
    def _statuses(self) -> Iterator[Moment]:
        last = ""
        for event in self.happened:
            status = _status_of(event)
            words = STATUS_WORDS.get(status)
            if words is not None and status != last:
                title, text = (str(word) for word in words())
                yield Moment(event.at, title, text, _station_says())
                last = status

    def _connection(self) -> Iterator[Moment]:
        left: Event | None = None
        for event in self.happened:
            if event.kind == Kind.DISCONNECTED:
                left = left or event
            elif event.kind == Kind.CONNECTED:
                if left is not None and event.at - left.at >= AWAY:
                    yield self._away(left)
                    away = duration((event.at - left.at).total_seconds())
                    text = _("It was away for %(time)s, and tells now what it measured then.") % {
                        "time": away
                    }
                    yield Moment(event.at, _("The station is back"), text, _portal_saw())
                left = None
        if left is not None and self.end - left.at >= AWAY:
            yield self._away(left)

    def _away(self, left: Event) -> Moment:
        text = _("Your car goes on with what the station last accepted. What it measures comes later.")
        return Moment(left.at, _("The station lost its connection"), text, _portal_saw())

    # ------------------------------------------------------------ tests
    def _tests(self) -> Iterator[Moment]:
        for test in self.probes:
            probe = test.probe
            source = _("Test by this portal, of requirement %(code)s") % {"code": probe.requirement.code}
            if probe.started_at and probe.started_at >= (self.session.started_at or probe.started_at):
                yield Moment(probe.started_at, _("Test of the station"), _test_text(test), source)
            if probe.ended_at and probe.ended_at <= self.end:
                title, text = _("The test is over"), _restored_text(probe)
                yield Moment(probe.ended_at, title, text, source)

    # ------------------------------------------------------------ what was measured
    def _measured(self, told: Iterable[Moment]) -> Iterator[Moment]:
        """What nobody told: the short start under a low limit, full power, and a pause without a word."""
        known = [moment.at for moment in told]
        if self.limits is None:
            return
        pulse = start_pulse(self._told_statuses, self.samples)
        held = self.limits.at(self.session.started_at) if self.session.started_at else None
        if pulse is not None and held is not None and held.limit_a < TOO_LOW_A:
            yield _pulse(*pulse, self._measured_says)
        for at, power_kw in full_power(self.measured, self.limits):
            title = _("Full power: %(power)s") % {"power": kw(1000 * power_kw)}
            yield Moment(at, title, _("No limit held the car back."), self._measured_says)
        for at, back_at in pauses(self.measured, self.limits):
            if not _is_near(at, known):
                text = _("The station did not say why. Often the car is full, or waits for a time set in it.")
                yield Moment(at, _("No power flows"), text, self._measured_says)
            if back_at is not None and not _is_near(back_at, known):
                yield Moment(back_at, _("Power flows again"), "", self._measured_says)

    @property
    def _measured_says(self) -> str:
        return _("Measured by the station")

    @property
    def _told_statuses(self) -> list[tuple[datetime, str]]:
        return [(event.at, _status_of(event)) for event in self.happened if _status_of(event)]

    def _ended(self) -> Iterator[Moment]:
        if not self.session.ended_at:
            return
        title = _("Ended")
        if self.energy.import_wh is not None:
            title = _("Ended: %(energy)s charged") % {"energy": kwh(self.energy.import_wh)}
        if self.energy.import_wh is not None and self.energy.export_wh:
            energies = {"energy": kwh(self.energy.import_wh), "back": kwh(self.energy.export_wh)}
            title = _("Ended: %(energy)s charged, %(back)s given back") % energies
        yield Moment(self.session.ended_at, title, end_reason(self.session.end_reason), _station_says())


STATUS_WORDS = {
    "Charging": lambda: (_("Charging"), _("Power flows.")),
    "SuspendedEV": lambda: (
        _("The car takes no power"),
        _("It is full, or it waits for a time set in the car."),
    ),
    "SuspendedEVSE": lambda: (_("Waiting"), _("The station gives no power for now.")),
    "Faulted": lambda: (_("A fault"), _("The station reports a fault on this socket.")),
}


def happened_in(session: ChargingSession, now: datetime) -> list[Event]:
    """What the station told of this socket, and its own coming and going, while the session ran."""
    of_socket = Q(
        kind__in=(Kind.STATUS, Kind.SESSION_STARTED, Kind.SESSION_UPDATED), data__evse=session.evse_number
    )
    return list(
        Event.objects.filter(
            of_socket | Q(kind__in=(Kind.CONNECTED, Kind.DISCONNECTED)),
            station=session.station_id,
            at__gte=session.started_at or session.received_at,
            at__lte=session.until or now,
        ).order_by("at", "pk")[:MOST_EVENTS]
    )


def tests_in(session: ChargingSession, now: datetime) -> list[Test]:
    """The live probes of the station that ran while the session did."""
    start, end = session.started_at or session.received_at, session.until or now
    probes = list(
        Probe.objects.filter(
            Q(ended_at__isnull=True) | Q(ended_at__gte=start),
            station=session.station_id,
            started_at__lte=end,
        )
        .select_related("requirement")
        .order_by("started_at")
    )
    if not probes:
        return []
    asked = Command.objects.filter(
        station=session.station_id,
        origin__in=[f"probe {probe.pk}" for probe in probes],
        action="SetChargingProfile",
        state=Command.State.ACCEPTED,
    )
    limits = dict(asked.order_by().values_list("origin").annotate(count=Count("pk")))
    return [Test(probe, limits.get(f"probe {probe.pk}", 0)) for probe in probes]


def _status_of(event: Event) -> str:
    """1.6 says it of the connector, 2.x of the transaction (its connector is merely Occupied)."""
    return str(event.data.get("charging_state") or event.data.get("status", ""))


def _test_text(test: Test) -> str:
    parts = [
        _("Somebody who supervises this station lets it be tested: %(what)s.")
        % {"what": test.probe.requirement.title}
    ]
    if test.limits:
        parts.append(
            ngettext(
                "The test set %(count)d trial limit, which is not in the picture.",
                "The test set %(count)d trial limits, which are not in the picture.",
                test.limits,
            )
            % {"count": test.limits}
        )
    return " ".join(parts)


def _restored_text(probe: Probe) -> str:
    if probe.restored:
        return _("All limits were put back as they were, and read again to be sure.")
    if probe.restored is None:
        return _("It set nothing that had to be put back.")
    return _("Not all limits came back as they were. The operator sees which.")


def _pulse(at: datetime, seconds: float, source: str) -> Moment:
    title = _("Test charge, %(time)s") % {"time": duration(seconds)}
    text = _(
        "There was no room yet. The station tries each car for a moment, so that it can charge later (requirement 209)."
    )
    return Moment(at, title, text, source)


def _because(held: Stretch) -> str:
    return _("%(name)s, until %(time)s.") % {"name": held.names, "time": clock(held.end)}


def _station_says() -> str:
    return _("Told by the station")


def _portal_saw() -> str:
    return _("Seen by this portal")


def _is_near(at: datetime, known: Iterable[datetime]) -> bool:
    return any(abs(at - other) <= NEAR for other in known)
