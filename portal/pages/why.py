"""Why this limit: for a station or one of its sockets, at any moment of a day, who wins, who loses, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any

from django import forms
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from portal.pages.charts import Drawing, day_of
from portal.pages.limit_words import Now, Telling
from portal.pages.limits import Limits, Piece, Said, limits_of, profiles_of
from portal.pages.stack import Stack, stack_of
from portal.pages.station import page, visit
from smartcharging.day_fields import ClockField, DayField
from smartcharging.domain.explain import Hardware, Outcome
from smartcharging.in_force import Other, others_over
from smartcharging.models import DesiredProfile
from stations.models import ChargingSession, Station

BACK, AHEAD = timedelta(days=31), timedelta(days=7)
BEYOND = timedelta(days=2)  # to say until when a limit lasts that outlives the day

OUTCOMES = {
    Outcome.WINS: gettext_lazy("decides"),
    Outcome.ADDS: gettext_lazy("comes on top of the limit"),
    Outcome.HIGHER: gettext_lazy("leaves as much room or more"),
    Outcome.OUTRANKED: gettext_lazy("a higher level goes first"),
    Outcome.OVERRULED: gettext_lazy("the session has a limit of its own"),
}


class MomentForm(forms.Form):
    """Which socket, and which moment; without one it is now."""

    socket = forms.TypedChoiceField(label=gettext_lazy("For"), coerce=int, required=False, empty_value="0")
    day = DayField(label=gettext_lazy("Day"), required=False)
    time = ClockField(label=gettext_lazy("Time"), required=False)

    def __init__(self, station: Station, now: datetime, data: Any) -> None:
        local = timezone.localtime(now)
        super().__init__(data, initial={"socket": 0, "day": local.date(), "time": local.time()})
        self.now = now
        sockets = [
            (evse.number, _("Socket %(letter)s") % {"letter": evse.letter}) for evse in station.evses.all()
        ]
        self.fields["socket"].choices = [(0, _("Whole station")), *sockets]  # type: ignore[attr-defined]

    def clean_day(self) -> date | None:
        day: date | None = self.cleaned_data["day"]
        first, last = timezone.localdate(self.now - BACK), timezone.localdate(self.now + AHEAD)
        if day is not None and not first <= day <= last:
            raise forms.ValidationError(
                _("Choose a day from %(first)s until %(last)s."),
                params={"first": f"{first:%d-%m-%Y}", "last": f"{last:%d-%m-%Y}"},
            )
        return day

    def moment(self) -> datetime:
        """The moment that was asked for; the current time of the day where only a day was."""
        if not self.is_valid():
            return self.now
        local = timezone.localtime(self.now)
        day: date = self.cleaned_data["day"] or local.date()
        at: time = self.cleaned_data["time"] or local.time()
        return datetime.combine(day, at, tzinfo=local.tzinfo).astimezone(self.now.tzinfo)

    def evse(self) -> int:
        return int(self.cleaned_data.get("socket") or 0) if self.is_valid() else 0


@dataclass(frozen=True)
class Why:
    """The answer: a moment, and the day around it."""

    station: Station
    evse: int
    at: datetime
    start: datetime
    end: datetime
    limits: Limits
    profiles: list[DesiredProfile]
    active: list[ChargingSession]
    others: list[Other]
    is_online: bool

    @cached_property
    def told(self) -> Now:
        return Telling(
            station=self.station,
            now=self.at,
            day_ends=self.end,
            limits=self.limits,
            profiles=self.profiles,
            active=self.active,
            others=self.others,
            is_online=self.is_online,
            evse=self.evse,
        ).told()

    @cached_property
    def piece(self) -> Piece | None:
        return self.limits.piece_at(self.at)

    @property
    def said(self) -> list[tuple[Said, str, str]]:
        """Every source at the moment, with its name and what became of it."""
        return (
            [(said, self.name(said), str(OUTCOMES[said.outcome])) for said in self.piece.said]
            if self.piece
            else []
        )

    @property
    def over_the_day(self) -> list[tuple[Piece, str, str]]:
        """Each stretch of the day, with who decides and what else has a limit then."""
        return [
            (piece, self._names(piece, wins=True), self._names(piece, wins=False))
            for piece in self.limits.pieces
            if piece.start < self.end
        ]

    def _names(self, piece: Piece, *, wins: bool) -> str:
        said = [each for each in piece.said if (each.outcome is Outcome.WINS) is wins]
        if not wins:
            said = [each for each in said if each.source.hardware is None]
        names = (each.source.desired.name if each.source.desired else self.name(each) for each in said)
        return ", ".join(dict.fromkeys(names))

    def name(self, said: Said) -> str:
        """Of a profile or the hardware; a limit of one socket says which, where the whole station is asked."""
        source = said.source
        if source.hardware is Hardware.CONNECTION:
            return _("Connection")
        letter = {"letter": self._letters.get(source.evse, source.evse)}
        if not source.name:
            return _("Socket %(letter)s") % letter
        return (
            f"{source.name}, {_('socket %(letter)s') % letter}"
            if source.evse and not self.evse
            else source.name
        )

    @cached_property
    def _letters(self) -> dict[int, str]:
        return {evse.number: evse.letter for evse in self.station.evses.all()}

    @cached_property
    def stack(self) -> Stack:
        return stack_of(self.station, self.limits, start=self.start, end=self.end, evse=self.evse)

    @cached_property
    def drawings(self) -> tuple[Drawing, Drawing]:
        return self.stack.drawings(id="why", title=self.told.win, now=self.at)


def why_at(station: Station, *, evse: int, at: datetime, is_online: bool) -> Why:
    """What limits `station` (or one EVSE) on the day of `at`; sessions that ran at `at` count."""
    start, end = day_of(at)
    profiles, others = profiles_of(station, since=start), others_over(station, start, max(start, at))
    sessions = station.sessions.filter(started_at__lte=at).filter(
        Q(ended_at__gt=at) | Q(ended_at=None, state=ChargingSession.State.ACTIVE)
    )
    active = list(sessions.order_by("evse_number"))
    limits = limits_of(
        station, profiles=profiles, active=active, others=others, start=start, end=end + BEYOND, evse=evse
    )
    return Why(station, evse, at, start, end, limits, profiles, active, others, is_online)


@require_safe
@vary_on_headers("HX-Request")
def why(request: HttpRequest, identity: str) -> HttpResponse:
    """The limit of a moment, and of the day around it, with everything that would limit."""
    visited = visit(request, identity)
    form = MomentForm(visited.station, visited.now, request.GET or None)
    told = why_at(visited.station, evse=form.evse(), at=form.moment(), is_online=visited.is_online)
    return page(request, visited, "profiles", {"form": form, "why": told}, part="why")
