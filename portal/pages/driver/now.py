"""Charging now: the power of this moment, the limit and why, what it cost so far, and when it is ready."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.db.models import IntegerField, OuterRef, Subquery
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from portal.accounts.driving import Preference
from portal.pages.driver.notices import notices_of, preference_of
from portal.pages.driver.ready import Car, Ready, ready_of
from portal.pages.driver.sessions import own_sessions
from portal.pages.driver.words import length_of, socket_of
from portal.pages.energy import Energy, energies_of, energy_so_far, with_energy_so_far
from portal.pages.hub import hub
from portal.pages.limits import Limits, Stretch
from portal.pages.live_links import live_url
from portal.pages.metering import FRESH, Sample
from portal.pages.pace import Busy, Pace, busy_of
from portal.pages.session_chart import limits_in
from portal.templatetags.measures import NBSP, UNKNOWN, kw
from stations.costs import SessionCost, costs_of
from stations.events import Kind
from stations.models import ChargingSession, Event, MeterReading, Token

State = ChargingSession.State
# A session whose end got lost is not what somebody does now (stations.authorisation).
RUNS_AT_MOST = timedelta(days=7)
# What a car can take shows in its last readings; each minute one of them, so some hours.
MOST_READINGS = 240
BAR = 100


@dataclass(frozen=True)
class Charging:
    """One running session, as far as its driver looks at it while it runs."""

    session: ChargingSession
    now: datetime
    energy: Energy
    cost: SessionCost
    limits: Limits | None
    readings: Sequence[MeterReading]  # the newest first
    busy: Busy
    preference: Preference
    asked_wh: float | None

    @property
    def place(self) -> str:
        return str(self.session.station.label)

    @property
    def socket(self) -> str:
        return socket_of(self.session)

    @property
    def length(self) -> str:
        return length_of(self.session, self.now)

    @cached_property
    def power(self) -> Sample | None:
        """The last power, where it is recent enough to be called now."""
        last = next((row for row in self.readings if _has_power(row)), None)
        if last is None or self.now - last.sampled_at > FRESH:
            return None
        return Sample(last.evse_number, last.sampled_at, last.import_w or 0.0, last.export_w or 0.0)

    @property
    def headline(self) -> tuple[str, str]:
        value, unit = kw(self.power.import_w).split(NBSP) if self.power else (UNKNOWN, "kW")
        return value, unit

    @cached_property
    def held(self) -> Stretch | None:
        """The limit of this moment."""
        return self.limits.at(self.now) if self.limits else None

    @property
    def why(self) -> str:
        if self.held is None or self.limits is None:
            return _("The limit of this moment is not known.")
        return Pace(self.limits, self.held, self.power, self.busy, self.now).why()

    @property
    def next_change(self) -> Stretch | None:
        """The next other limit, where it comes within half a day."""
        coming = self.limits.after(self.now) if self.limits else []
        return coming[0] if coming and coming[0].start - self.now <= timedelta(hours=12) else None

    @property
    def most_w(self) -> float:
        """What the socket could give if nothing limited it: the end of the bar."""
        station = self.session.station
        evses = {evse.number: evse for evse in station.evses.all()}
        evse = evses.get(self.session.evse_number or 0)
        socket_w = 230.0 * evse.socket_phases * evse.socket_a if evse else 0.0
        connection_w = 230.0 * station.connection_phases * float(station.connection_a)
        return min(socket_w or connection_w, connection_w)

    @property
    def bar(self) -> tuple[int, int]:
        """Of a bar of 100: how far the power reaches, and where the limit stands."""
        power_w, limit_w = self.power.import_w if self.power else 0.0, self.held.limit_w if self.held else 0.0
        return _part(power_w, self.most_w), _part(limit_w, self.most_w)

    @property
    def mark(self) -> int:
        """Where the mark of the limit begins, so that all of it is on the bar."""
        return min(self.bar[1], BAR - 1)

    @cached_property
    def ready(self) -> Ready:
        chosen = self.preference
        powers = [row.import_w for row in self.readings if row.import_w is not None]
        if self.busy.cars > 1 and self.power is not None:
            powers = [self.power.import_w]  # what it gets beside the others, for the limit is of all of them
        car = Car(
            battery_wh=1000 * float(chosen.battery_kwh) if chosen.battery_kwh else None,
            charge_to_percent=chosen.charge_to_percent,
            soc_percent=next((row.soc_percent for row in self.readings if row.soc_percent is not None), None),
            asked_wh=self.asked_wh,
            most_w=max(powers, default=None),
        )
        course = self.limits.stretches if self.limits else ()
        return ready_of(car, course, ready_by=chosen.ready_by, now=self.now)


@require_safe
@vary_on_headers("HX-Request")
def now(request: HttpRequest) -> HttpResponse:
    """The newest running session in full, others as links; who charges nowhere is told how to begin."""
    live_id, at = hub.mark(), timezone.now()
    running = _running(request, at)
    is_part = bool(request.headers.get("HX-Request"))
    if not running:
        return render(request, f"pages/driver/{'_idle' if is_part else 'idle'}.html", _idle(request, at))
    costs = costs_of(running, now=at)
    first, *others = running
    context = {
        "charging": charging_of(
            first,
            cost=costs[first.pk],
            preference=preference_of(request.user),
            now=at,
        ),
        "others": [
            {
                "session": session,
                "place": session.station.label,
                "energy": energy_so_far(session),
                "cost": costs[session.pk],
                "length": length_of(session, at),
            }
            for session in others
        ],
        "live_url": live_url("session", [session.pk for session in running], since=live_id),
        "now": at,
    }
    response = render(request, f"pages/driver/{'_now' if is_part else 'now'}.html", context)
    if "idle" in request.GET:
        response["HX-Refresh"] = "true"  # the page that waits has no stream: it becomes one that has
    return response


def _running(request: HttpRequest, at: datetime) -> list[Any]:
    """Own sessions that run, the newest first, with their energy so far and what the car asked for (2.x)."""
    # PostgreSQL compares no JSON with a number.
    evse = Cast(KT("data__evse"), IntegerField())
    needs = Event.objects.annotate(evse=evse).filter(
        station=OuterRef("station"),
        kind=Kind.EV_CHARGING_NEEDS,
        at__gte=OuterRef("started_at"),
        evse=OuterRef("evse_number"),
    )
    rows = own_sessions(request).filter(state=State.ACTIVE, received_at__gte=at - RUNS_AT_MOST)
    rows = with_energy_so_far(rows).annotate(needs=Subquery(needs.order_by("-pk").values("data")[:1]))
    return list(rows.order_by("-started_at", "-pk"))


def charging_of(session: Any, *, cost: SessionCost, preference: Preference, now: datetime) -> Charging:
    """`session` is one of `_running`."""
    energy = energy_so_far(session)
    return Charging(
        session=session,
        now=now,
        energy=energy,
        cost=cost,
        limits=limits_in(session, now=now),
        readings=_readings(session),
        busy=busy_of(session.station),
        preference=preference,
        asked_wh=_asked_wh(session, energy),
    )


def _readings(session: ChargingSession) -> list[MeterReading]:
    rows = MeterReading.objects.filter(
        station=session.station_id,
        evse_number=session.evse_number or 0,
        sampled_at__gte=session.started_at or session.received_at,
    )
    return list(rows.order_by("-sampled_at").defer("message")[:MOST_READINGS])


def _has_power(reading: MeterReading) -> bool:
    return reading.import_w is not None or reading.export_w is not None


def _asked_wh(session: Any, energy: Energy) -> float | None:
    """What the car asked for, less what it got; ISO 15118 says it at the begin."""
    asked = (session.needs or {}).get("energy_wh")
    if not isinstance(asked, int | float) or energy.import_wh is None:
        return None
    return asked - energy.import_wh


def _idle(request: HttpRequest, at: datetime) -> dict[str, Any]:
    last = own_sessions(request).exclude(state=State.ACTIVE).order_by("-started_at", "-pk").first()
    return {
        "has_card": Token.objects.filter(user=request.user.pk).exists(),
        "last": last,
        "last_energy": energies_of([last])[last.pk] if last else None,
        "notices": notices_of(request.user, now=at),
        "now": at,
    }


def _part(value: float, whole: float) -> int:
    return round(BAR * min(value, whole) / whole) if whole else 0
