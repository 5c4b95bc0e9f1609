"""What every list of sessions shows alike, for who works with stations; a line has a `session` and its `energy`."""

from __future__ import annotations

from typing import Protocol

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.pages.energy import Energy
from portal.pages.icons import Mark
from portal.tables.columns import LOCAL_TIME, Cell, Column, Out
from portal.templatetags.measures import kwh, moment
from stations.models import ChargingSession

State = ChargingSession.State
MARKS = {
    State.ACTIVE: Mark("info", "bolt", State.ACTIVE.label),
    State.ENDED: Mark("calm", "check", State.ENDED.label),
    State.ORPHAN: Mark("warn", "question", State.ORPHAN.label),
    State.UNCLOSED: Mark("warn", "question", State.UNCLOSED.label),
}


class SessionLine(Protocol):
    @property
    def session(self) -> ChargingSession: ...
    @property
    def energy(self) -> Energy: ...


def _start(line: SessionLine) -> Cell:
    session, at = line.session, line.session.started_at
    url = reverse("stations:session", args=[session.station.identity, session.pk])
    return Cell(moment(at), moment=at, url=url) if at else Cell(_("unknown"), url=url)


def _register(line: SessionLine, wh: float | None, fall: str) -> Cell:
    """One register of a session, so far or with why it is not known."""
    if line.session.state == State.ACTIVE and wh is not None:
        return Cell(kwh(wh), (_("so far"),))
    return Cell(kwh(wh), (fall,) if fall else ())


def in_kwh(wh: float | None) -> float | None:
    """For a file."""
    return None if wh is None else round(wh / 1000, 3)


START = Column(
    "start",
    gettext_lazy("Start"),
    _start,
    order=("started_at",),
    most_first=True,
    outs=(Out(gettext_lazy("Start"), lambda line: line.session.started_at, LOCAL_TIME),),
)
CHARGED = Column(
    "charged",
    gettext_lazy("Charged"),
    lambda line: _register(line, line.energy.import_wh, line.session.get_import_fall_display()),
    numeric=True,
    outs=(Out(gettext_lazy("Charged"), lambda line: in_kwh(line.energy.import_wh), "kWh"),),
)
GIVEN_BACK = Column(
    "given_back",
    gettext_lazy("Given back"),
    lambda line: _register(line, line.energy.export_wh, line.session.get_export_fall_display()),
    numeric=True,
    outs=(Out(gettext_lazy("Given back"), lambda line: in_kwh(line.energy.export_wh), "kWh"),),
)
