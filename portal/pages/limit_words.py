"""The limit of this moment in words: which profile wins, until when, what it would be without, what comes after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.pages.limits import InForce, Limits, Stretch, Winner, limits_of
from portal.templatetags.measures import NBSP, ampere, clock, moment
from smartcharging.in_force import Other
from smartcharging.models import DesiredProfile
from stations.models import ChargingSession, Station


@dataclass(frozen=True, slots=True)
class Now:
    """The limit of this moment, in words. `note` says what makes it less than certain."""

    value: str
    unit: str
    win: str
    why: str
    note: str


@dataclass(frozen=True, slots=True)
class Telling:
    """What there is to tell from; `limits` hold `now` and reach beyond `day_ends`."""

    station: Station
    now: datetime
    day_ends: datetime
    limits: Limits
    profiles: Sequence[DesiredProfile]
    active: Sequence[ChargingSession]
    is_online: bool
    others: Sequence[Other] = ()
    evse: int = 0

    def told(self) -> Now:
        current = self.limits.at(self.now)
        if current is None:
            return Now("–", "A", _("The limit is not known."), "", "")
        value, unit = ampere(current.limit_a).rsplit(NBSP, 1)
        return Now(value, unit, self._win(current), self._why(current), self._note(current))

    def _win(self, current: Stretch) -> str:
        until = self._until(current)
        if not current.winners:
            text = (
                _("No profile limits this socket, only the connection and the socket itself")
                if self.evse
                else _("No profile limits this station, only its connection and its sockets")
            )
        elif len(current.winners) == 1:
            text = self._winner(current.winners[0])
        else:
            text = _("The sockets have limits of their own: %(names)s") % {"names": current.names}
        return _("%(text)s, until %(until)s") % {"text": text, "until": until} if until else text

    def _winner(self, winner: Winner) -> str:
        if winner.desired is None:
            return _("Wins: %(name)s") % {"name": winner.name}
        values = {"name": winner.name, "level": winner.desired.stack_level}
        return _("Wins: %(name)s (level %(level)d)") % values

    def _until(self, current: Stretch) -> str:
        if not self.limits.after(self.now):
            return ""
        return self._clock(current.end)

    def _clock(self, at: datetime) -> str:
        """With its day, unless it is the day that is told of."""
        return clock(at) if at <= self.day_ends else moment(at)

    def _why(self, current: Stretch) -> str:
        parts = []
        if len(current.winners) == 1:
            winner = current.winners[0]
            in_force = self._in_force_now()
            if len(in_force) > 1:
                parts.append(
                    ngettext(
                        "%(count)d profile applies, and this one decides.",
                        "%(count)d profiles apply, and this one decides.",
                        len(in_force),
                    )
                    % {"count": len(in_force)}
                )
            parts.append(self._without(winner))
        coming = self.limits.after(self.now)
        if coming:
            parts.append(self._then(coming[0], has_end=len(coming) > 1))
        return " ".join(parts)

    def _in_force_now(self) -> list[InForce]:
        runs = [run for own in self.limits.in_force.values() for run in own]
        return [run for run in runs if run.start <= self.now < run.end]

    def _without(self, winner: Winner) -> str:
        """What the limit would be if the winner were not there."""
        then = limits_of(
            self.station,
            profiles=[profile for profile in self.profiles if profile != winner.desired],
            others=[other for other in self.others if winner.desired or other.name != winner.name],
            active=self.active,
            start=self.now,
            end=self.now + timedelta(minutes=1),
            evse=self.evse,
        ).stretches[0]
        by = ", ".join(
            _("%(name)s, level %(level)d") % {"name": item.name, "level": item.desired.stack_level}
            if item.desired
            else item.name
            for item in then.winners
        )
        return _("Without this profile the limit would be %(limit)s (%(by)s).") % {
            "limit": ampere(then.limit_a),
            "by": by or _("the connection and the sockets"),
        }

    def _then(self, following: Stretch, *, has_end: bool) -> str:
        values = {"limit": ampere(following.limit_a), "until": self._clock(following.end)}
        if has_end:
            return _("After that: %(limit)s until %(until)s.") % values
        return _("After that: %(limit)s.") % values

    def _note(self, current: Stretch) -> str:
        """What makes the limit less than certain: not confirmed, drifted, or a station that is away."""
        states = {winner.desired.state for winner in current.winners if winner.desired}
        if not states:
            return ""
        if DesiredProfile.State.DRIFTED in states:
            return _("The station reports another limit than this one.")
        if not self.is_online:
            return _("The station is offline. It goes on with what it last accepted.")
        if states - {DesiredProfile.State.CONFIRMED}:
            return _("The station has accepted this. It has not been read back yet.")
        return ""
