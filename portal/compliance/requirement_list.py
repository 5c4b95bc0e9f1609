"""The subjects of a requirement as a list: stations, or the back offices of operators."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.compliance.matrix_page import ATTENTION, status_choices
from portal.compliance.models import Status
from portal.compliance.requirement_page import Subject
from portal.pages.icons import MARKS
from portal.tables.columns import LOCAL_TIME, Cell, Column, Empty, List, Out, registered
from portal.templatetags.measures import age
from stations.models import Operator

NEEDS_ATTENTION = frozenset({Status.DEVIATION, Status.STALE, Status.NOT_ASSESSED, Status.DECLARED})
_LADDER = {key: place for place, key in enumerate(MARKS)}


class SubjectFilter(forms.Form):
    q = forms.CharField(required=False, max_length=100, label=gettext_lazy("Station"))
    status = forms.ChoiceField(required=False, label=gettext_lazy("Status"))
    operator = forms.ChoiceField(required=False, label=gettext_lazy("Operator"))

    def __init__(self, data: object, *, operators: Sequence[Operator], of_stations: bool) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        self.fields["status"].choices = status_choices()  # type: ignore[attr-defined]
        names = [(operator.slug, str(operator)) for operator in operators]
        self.fields["operator"].choices = [("", _("All operators")), *names]  # type: ignore[attr-defined]
        if not of_stations:
            del self.fields["q"]
        if len(operators) < 2:
            del self.fields["operator"]

    def narrow(self, found: Sequence[Subject]) -> list[Subject]:
        """A choice that is none narrows nothing."""
        self.is_valid()
        return [subject for subject in found if self._has(subject)]

    def _has(self, subject: Subject) -> bool:
        chosen = self.cleaned_data
        if chosen.get("operator") not in {None, "", subject.operator.slug}:
            return False
        status = chosen.get("status")
        if status == ATTENTION and subject.status not in NEEDS_ATTENTION:
            return False
        if status not in {None, "", ATTENTION, subject.status}:
            return False
        station, text = subject.station, chosen.get("q", "").lower()
        return not text or (station is not None and text in f"{station.identity} {station.name}".lower())


def _station(subject: Subject) -> Cell:
    station = subject.station
    if station is None:
        return Cell(subject.operator)
    url = reverse("stations:detail", args=[station.identity])
    return Cell(station.identity, (station.name,) if station.name else (), url=url)


def _age(subject: Subject) -> Cell:
    if subject.at is None:
        return Cell(_("No proof yet"), muted=True)
    return Cell(age(subject.at), moment=subject.at)


def _identity(subject: Subject) -> str:
    return subject.station.identity if subject.station else ""


def _newest(subject: Subject) -> datetime | None:
    return subject.at


STATION = Column(
    "station",
    gettext_lazy("Station"),
    _station,
    rank=_identity,
    outs=(
        Out(gettext_lazy("Station"), _identity),
        Out(gettext_lazy("Name"), lambda subject: subject.station.name if subject.station else ""),
    ),
)
OPERATOR = Column(
    "operator",
    gettext_lazy("Operator"),
    lambda subject: Cell(subject.operator),
    rank=lambda subject: subject.operator.name,
    outs=(Out(gettext_lazy("Operator"), lambda subject: subject.operator.name),),
)
STANDING = (
    Column(
        "status",
        gettext_lazy("Status"),
        lambda subject: Cell(mark=MARKS[subject.mark]),
        rank=lambda subject: _LADDER[subject.mark],
        attention=lambda subject: subject.breach,
        outs=(Out(gettext_lazy("Status"), lambda subject: MARKS[subject.mark].label),),
    ),
    Column(
        "age",
        gettext_lazy("Age of the proof"),
        _age,
        rank=_newest,
        most_first=True,
        outs=(Out(gettext_lazy("Proof of"), _newest, LOCAL_TIME),),
    ),
    Column(
        "next",
        gettext_lazy("Next step"),
        template="compliance/_next_step.html",
        outs=(Out(gettext_lazy("Evidence no."), lambda subject: subject.evidence_id),),
    ),
)
NO_MATCH = Empty(
    gettext_lazy("Nothing fits these filters"),
    gettext_lazy("Choose another status, or search for another station."),
)
NOTHING = Empty(
    gettext_lazy("There are no stations in this concession yet"),
    gettext_lazy("As soon as one is there, it is judged here."),
)

OF_STATIONS = registered(
    List(
        key="requirement-stations",
        title=gettext_lazy("Per station"),
        sort="station",
        page_size=25,
        nothing=NOTHING,
        no_match=NO_MATCH,
        columns=(STATION, OPERATOR, *STANDING),
    )
)
OF_OPERATORS = registered(
    List(
        key="requirement-operators",
        title=gettext_lazy("Per operator"),
        sort="operator",
        page_size=25,
        nothing=NOTHING,
        no_match=NO_MATCH,
        columns=(OPERATOR, *STANDING),
    )
)
