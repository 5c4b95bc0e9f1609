"""What the list of a fleet's sessions shows of each, and its columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, F, Max, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.pages.energy import Energy, energies_of
from portal.pages.session_cells import CHARGED, GIVEN_BACK, MARKS, START
from portal.pages.session_power import READ_FINELY
from portal.tables.columns import LOCAL_TIME, Cell, Column, Empty, List, Out, registered
from portal.templatetags.measures import UNKNOWN, duration, kw, moment, money
from smartcharging.models import DesiredProfile
from stations.costs import kept
from stations.models import ChargingSession, MeterReading, QuarterHour

State = ChargingSession.State
NAMES = 2  # of limits in a cell


@dataclass(frozen=True, slots=True)
class Line:
    """`highest_w` is the highest power that was measured in it; `limits` are those that stood at its station then."""

    session: ChargingSession
    energy: Energy
    highest_w: float | None
    limits: tuple[str, ...]
    now: datetime

    @property
    def seconds(self) -> float | None:
        """How long it took, or takes so far; None where its begin or its end was never told."""
        session = self.session
        if session.started_at is None or session.state not in (State.ACTIVE, State.ENDED):
            return None
        return ((session.ended_at or self.now) - session.started_at).total_seconds()

    @property
    def mean_w(self) -> float | None:
        if not self.seconds or self.energy.import_wh is None:
            return None
        return self.energy.import_wh * 3600 / self.seconds


def lines_of(sessions: Sequence[ChargingSession], *, now: datetime) -> list[Line]:
    """Of a page or a bite: three queries, however many there are."""
    energies, tops, limits = energies_of(sessions), _highest(sessions, now), _limits(sessions, now)
    return [
        Line(session, energies[session.pk], tops.get(session.pk), limits.get(session.pk, ()), now)
        for session in sessions
    ]


def _highest(sessions: Sequence[ChargingSession], now: datetime) -> dict[int, float]:
    """The highest power in each; of a long one by its quarter-hours, where they are made (see session_power)."""
    inside: dict[str, Any] = {
        "station": OuterRef("station"),
        "evse_number": Coalesce(OuterRef("evse_number"), 0),
    }
    until = Coalesce(OuterRef("ended_at"), OuterRef("over_by"), now)
    readings = MeterReading.objects.filter(
        **inside, sampled_at__gte=OuterRef("started_at"), sampled_at__lte=until
    )
    quarters = QuarterHour.objects.filter(
        **inside, starts_at__gte=OuterRef("started_at"), starts_at__lt=until
    )
    finely = _top(readings, "import_w")
    is_long = Q(ended_at__gt=F("started_at") + READ_FINELY)
    rows = ChargingSession.objects.filter(pk__in=[session.pk for session in sessions]).order_by()
    found = rows.values_list(
        "pk", Case(When(is_long, then=Coalesce(_top(quarters, "max_import_w"), finely)), default=finely)
    )
    return {pk: top for pk, top in found if top is not None}


def _top(rows: QuerySet[Any], name: str) -> Subquery:
    return Subquery(rows.order_by().values("station").annotate(top=Max(name)).values("top"))


def limits_during(now: datetime) -> QuerySet[DesiredProfile]:
    """The limits that stood at the station of a session (the outer row) while it ran."""
    return DesiredProfile.objects.filter(
        Q(evse_number=0) | Q(evse_number=OuterRef("evse_number")),
        Q(withdrawn_at__isnull=True) | Q(withdrawn_at__gt=OuterRef("started_at")),
        Q(valid_to__isnull=True) | Q(valid_to__gt=OuterRef("started_at")),
        station=OuterRef("station"),
        confirmed_at__isnull=False,
        requested_at__lt=Coalesce(OuterRef("ended_at"), OuterRef("over_by"), now),
    ).order_by()


def _limits(sessions: Sequence[ChargingSession], now: datetime) -> dict[int, tuple[str, ...]]:
    """By session the names of what `limits_during` finds, the highest level first."""
    stations = {session.station_id for session in sessions}
    rows = DesiredProfile.objects.filter(station__in=stations, confirmed_at__isnull=False).defer("periods")
    by_station = defaultdict(list)
    for row in rows.order_by("-stack_level", "pk"):
        by_station[row.station_id].append(row)
    return {
        session.pk: tuple(
            dict.fromkeys(row.name for row in by_station[session.station_id] if _stood(row, session, now))
        )
        for session in sessions
    }


def _stood(row: DesiredProfile, session: ChargingSession, now: datetime) -> bool:
    start, end = session.started_at, session.until or now
    if start is None or row.requested_at >= end or row.evse_number not in (0, session.evse_number or 0):
        return False
    return all(until is None or until > start for until in (row.withdrawn_at, row.valid_to))


# ---------------------------------------------------------------- the columns
def _end(line: Line) -> Cell:
    at = line.session.ended_at
    if at:
        return Cell(moment(at), moment=at)
    return Cell(_("still charging") if line.session.state == State.ACTIVE else _("unknown"), muted=True)


def _station(line: Line) -> Cell:
    station = line.session.station
    url = reverse("stations:sessions", args=[station.identity])
    return Cell(station.label, (station.identity,) if station.name else (), url=url)


def _card(line: Line) -> Cell:
    token = line.session.token
    return Cell(token, url=reverse("card", args=[token.pk])) if token else Cell(_("no card"), muted=True)


def _cost(line: Line) -> Cell:
    session = line.session
    if session.cost_at is None:
        return Cell(_("not reckoned yet"), muted=True)
    cost = kept(session)
    if cost.incl_tax is None:
        return Cell(_("unknown"), (cost.why_unknown,), muted=True)
    return Cell(money(cost.incl_tax, cost.currency))


def _names(line: Line) -> Cell:
    if not line.limits:
        return Cell(_("none"), muted=True)
    more = len(line.limits) - NAMES
    names = ", ".join(line.limits[:NAMES])
    return Cell(f"{names} {_('and %(n)d more') % {'n': more}}" if more > 0 else names)


def _kw(power_w: float | None) -> float | None:
    return None if power_w is None else round(power_w / 1000, 2)


FLEET_SESSIONS = registered(
    List(
        key="fleet-sessions",
        title=gettext_lazy("Sessions"),
        sort="-start",
        page_size=25,
        nothing=Empty(
            gettext_lazy("Nobody has charged at your stations yet"),
            gettext_lazy("A session appears here as soon as a car starts."),
        ),
        no_match=Empty(
            gettext_lazy("No session fits these filters"), gettext_lazy("Choose another state or day.")
        ),
        columns=(
            START,
            Column(
                "station",
                gettext_lazy("Station"),
                _station,
                outs=(
                    Out(gettext_lazy("Station"), lambda line: line.session.station.identity),
                    Out(gettext_lazy("Name"), lambda line: line.session.station.name),
                ),
            ),
            Column(
                "place",
                gettext_lazy("Place"),
                lambda line: Cell(line.session.station.site.name),
                usual=False,
                outs=(Out(gettext_lazy("Place"), lambda line: line.session.station.site.name),),
            ),
            Column(
                "socket",
                gettext_lazy("Socket"),
                lambda line: Cell(UNKNOWN if line.session.evse_number is None else line.session.evse_number),
                usual=False,
                outs=(Out(gettext_lazy("Socket"), lambda line: line.session.evse_number),),
            ),
            Column(
                "card",
                gettext_lazy("Card"),
                _card,
                outs=(Out(gettext_lazy("Card"), lambda line: str(line.session.token or "")),),
            ),
            Column(
                "state",
                gettext_lazy("State"),
                lambda line: Cell(mark=MARKS[State(line.session.state)]),
                outs=(Out(gettext_lazy("State"), lambda line: line.session.get_state_display()),),
            ),
            Column(
                "end",
                gettext_lazy("End"),
                _end,
                usual=False,
                outs=(Out(gettext_lazy("End"), lambda line: line.session.ended_at, LOCAL_TIME),),
            ),
            CHARGED,
            GIVEN_BACK,
            Column(
                "duration",
                gettext_lazy("Duration"),
                lambda line: Cell(duration(line.seconds)),
                numeric=True,
                outs=(Out(gettext_lazy("Duration"), lambda line: line.seconds, "s"),),
            ),
            Column(
                "mean",
                gettext_lazy("Mean power"),
                lambda line: Cell(kw(line.mean_w)),
                numeric=True,
                outs=(Out(gettext_lazy("Mean power"), lambda line: _kw(line.mean_w), "kW"),),
            ),
            Column(
                "highest",
                gettext_lazy("Highest power"),
                lambda line: Cell(kw(line.highest_w)),
                numeric=True,
                outs=(Out(gettext_lazy("Highest power"), lambda line: _kw(line.highest_w), "kW"),),
            ),
            Column(
                "cost",
                gettext_lazy("Cost"),
                _cost,
                numeric=True,
                outs=(
                    Out(gettext_lazy("Cost with taxes"), lambda line: line.session.cost_incl_tax),
                    Out(gettext_lazy("Cost without taxes"), lambda line: line.session.cost_excl_tax),
                    Out(gettext_lazy("Currency"), lambda line: line.session.cost_currency),
                ),
            ),
            Column(
                "limits",
                gettext_lazy("Limits that stood"),
                _names,
                outs=(Out(gettext_lazy("Limits that stood"), lambda line: ", ".join(line.limits)),),
            ),
            Column(
                "transaction",
                gettext_lazy("Transaction"),
                lambda line: Cell(line.session.transaction_id or UNKNOWN, code=True),
                usual=False,
                outs=(Out(gettext_lazy("Transaction"), lambda line: line.session.transaction_id),),
            ),
        ),
    )
)
