"""Why a car charges as fast as it does, in a sentence for its driver: what is known, and no more than that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from portal.pages.limits import Limits, Stretch
from portal.pages.metering import Sample
from portal.templatetags.measures import ampere, kw
from stations.models import ChargingSession, Station

# A car that takes this much of what its socket gives takes all of it: cars round down, cables lose some.
FULL_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Busy:
    """Where cars charge now; what their sockets give together and what the connection gives, in A per phase."""

    cars: int
    sockets_a: float
    connection_a: float


def busy_of(station: Station) -> Busy:
    """The sockets of `station` with a running session; `station` comes with its EVSEs prefetched."""
    active = station.sessions.filter(state=ChargingSession.State.ACTIVE, evse_number__isnull=False)
    taken = set(active.order_by().values_list("evse_number", flat=True).distinct())
    sockets_a = sum(evse.socket_a for evse in station.evses.all() if evse.number in taken)
    return Busy(len(taken), float(sockets_a), float(station.connection_a))


@dataclass(frozen=True, slots=True)
class Pace:
    """One socket at one moment; `power` is what its car takes now, where that is known."""

    limits: Limits
    current: Stretch
    power: Sample | None
    busy: Busy
    now: datetime

    def why(self) -> str:
        values = {"limit": ampere(self.current.limit_a), "name": self.current.names}
        if self.current.limit_a == 0:
            return _("Paused until there is room again (%(name)s).") % values
        if not self.current.winners:
            return self._without_own_limit()
        if not self.current.winners[0].is_of_station:
            return _("At most %(limit)s per phase for now (%(name)s).") % values
        return self._shared() or (
            _("The station has at most %(limit)s per phase now, for all its sockets (%(name)s).") % values
        )

    def _without_own_limit(self) -> str:
        """No profile limits this socket; whether it gives all it can only the measurement tells."""
        if self.power is not None and self.power.import_w >= FULL_SHARE * self.current.limit_w:
            return _("Full power: nothing limits this socket now.")
        shared = self._shared()
        if shared:
            return shared
        if self.power is None:
            return _("No limit is set for this socket now.")
        return _(
            "No limit is set for this socket now. It gives at most %(most)s; the car takes %(power)s."
        ) % {"most": kw(self.current.limit_w), "power": kw(self.power.import_w)}

    def _shared(self) -> str:
        """What several cars have to share, where it is less than their sockets could give together."""
        held = self.limits.station_max(self.now)
        name = held[0].name if held else _("its connection")
        most_a = held[1] if held else self.busy.connection_a
        if held and most_a > self.busy.connection_a:
            name, most_a = _("its connection"), self.busy.connection_a
        if self.busy.cars < 2 or most_a >= self.busy.sockets_a:
            return ""
        return _("The station shares %(limit)s per phase between %(count)d cars (%(name)s).") % {
            "limit": ampere(most_a),
            "count": self.busy.cars,
            "name": name,
        }


def when_unlimited(limits: Limits, stretch: Stretch) -> str:
    """What to say of a stretch without a limit for this socket: the station as a whole may have one."""
    held = limits.station_max(stretch.start)
    if held is None:
        return _("No limit is set for this socket.")
    return _("The station as a whole has at most %(limit)s per phase (%(name)s).") % {
        "limit": ampere(held[1]),
        "name": held[0].name,
    }
