"""What the list of a fleet's sessions shows of each, and its columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Case, F, Max, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.pages.energy import Energy, energies_of
from portal.pages.fleet_session_limits import (
    NEVER,
    OTHERS_HAD_A_LIMIT,
    OWN_SOCKET_A,
    Around,
    Held,
    held_of,
)
from portal.pages.session_cells import CHARGED, GIVEN_BACK, MARKS, START
from portal.pages.session_power import READ_FINELY
from portal.tables.columns import LOCAL_TIME, Cell, Column, Empty, List, Out, registered
from portal.templatetags.measures import UNKNOWN, duration, kw, moment, money
from stations.costs import SessionCost, costs_of
from stations.models import ChargingSession, MeterReading, QuarterHour

State = ChargingSession.State
NAMES = 2  # of limits in a cell


@dataclass(frozen=True, slots=True)
class Line:
    """`highest_w` is the highest power that was measured in it; `held` the limits that stood at its station then.

    `cost` of one that runs is that so far; None: it has ended, and its cost is not reckoned yet.
    """

    session: ChargingSession
    energy: Energy
    cost: SessionCost | None
    highest_w: float | None
    held: Held
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
    """Of a page: six queries at most, however many there are; of a bite one more for each fifty that run."""
    energies = energies_of(sessions)
    costs = _costs(sessions, energies, now)
    beside = _beside(sessions)
    held = held_of(sessions, {pk: each.around for pk, each in beside.items()}, now=now)
    return [
        Line(
            session=session,
            energy=energies[session.pk],
            cost=costs.get(session.pk),
            highest_w=beside[session.pk].highest_w,
            held=held[session.pk],
            now=now,
        )
        for session in sessions
    ]


class _Beside(NamedTuple):
    """What is read of a session from other tables, all at once."""

    highest_w: float | None
    around: Around


def _beside(sessions: Sequence[ChargingSession]) -> dict[int, _Beside]:
    rows = ChargingSession.objects.filter(pk__in=[session.pk for session in sessions]).order_by()
    found = rows.values_list("pk", HIGHEST, OWN_SOCKET_A, OTHERS_HAD_A_LIMIT)
    return {
        pk: _Beside(top, Around(float(socket_a) if socket_a else None, has_others=has_others))
        for pk, top, socket_a, has_others in found
    }


def _costs(
    sessions: Sequence[ChargingSession], energies: Mapping[int, Energy], now: datetime
) -> dict[int, SessionCost]:
    """What was kept of those that are over, and what those that run cost so far."""
    so_far = {row.pk: energies[row.pk].import_wh for row in sessions if row.state == State.ACTIVE}
    asked = [row for row in sessions if row.cost_at or row.pk in so_far]
    return costs_of(asked, now=now, so_far=so_far)


def _highest() -> Case:
    """The highest power in a session; of a long one by its quarter-hours, where they are made (see session_power)."""
    inside: dict[str, Any] = {
        "station": OuterRef("station"),
        "evse_number": Coalesce(OuterRef("evse_number"), 0),
    }
    until = Coalesce(OuterRef("ended_at"), OuterRef("over_by"), NEVER)
    readings = MeterReading.objects.filter(
        **inside, sampled_at__gte=OuterRef("started_at"), sampled_at__lte=until
    )
    quarters = QuarterHour.objects.filter(
        **inside, starts_at__gte=OuterRef("started_at"), starts_at__lt=until
    )
    finely = _top(readings, "import_w")
    is_long = Q(ended_at__gt=F("started_at") + READ_FINELY)
    return Case(When(is_long, then=Coalesce(_top(quarters, "max_import_w"), finely)), default=finely)


def _top(rows: QuerySet[Any], name: str) -> Subquery:
    return Subquery(rows.order_by().values("station").annotate(top=Max(name)).values("top"))


HIGHEST = _highest()


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
    cost = line.cost
    if cost is None:
        return Cell(_("not reckoned yet"), muted=True)
    if cost.incl_tax is None:
        return Cell(_("unknown"), (cost.why_unknown,), muted=True)
    return Cell(money(cost.incl_tax, cost.currency), () if cost.is_final else (_("so far"),))


def _limits(line: Line) -> Cell:
    held = line.held
    notes: tuple[object, ...] = ()
    if held.has_others:
        notes = (_("others set a limit too; see the session"),)
    elif held.decided:
        notes = (_("decided: %(limits)s") % {"limits": _some(held.decided)},)
    return Cell(_some(held.stood), notes) if held.stood else Cell(_("none"), notes, muted=True)


def _some(names: tuple[str, ...]) -> str:
    more = len(names) - NAMES
    told = ", ".join(names[:NAMES])
    return f"{told} {_('and %(n)d more') % {'n': more}}" if more > 0 else told


def _kw(power_w: float | None) -> float | None:
    return None if power_w is None else round(power_w / 1000, 2)


FLEET_SESSIONS = registered(
    List(
        key="fleet-sessions",
        title=gettext_lazy("Sessions"),
        sort="-start",
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
                    Out(
                        gettext_lazy("Cost with taxes"),
                        lambda line: line.cost.incl_tax if line.cost else None,
                    ),
                    Out(
                        gettext_lazy("Cost without taxes"),
                        lambda line: line.cost.excl_tax if line.cost else None,
                    ),
                    Out(gettext_lazy("Currency"), lambda line: line.cost.currency if line.cost else ""),
                ),
            ),
            Column(
                "limits",
                gettext_lazy("Limits that stood"),
                _limits,
                outs=(
                    Out(gettext_lazy("Limits that stood"), lambda line: ", ".join(line.held.stood)),
                    Out(gettext_lazy("What decided"), lambda line: ", ".join(line.held.decided)),
                ),
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
