"""The subjects of a requirement as a list: stations, or the back offices of operators."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.compliance.matrix_page import ATTENTION, status_choices
from portal.compliance.models import Status
from portal.compliance.requirement_page import Subject, Subjects
from portal.pages.icons import MARKS
from portal.tables.columns import LOCAL_TIME, Cell, Column, Empty, List, Out, registered
from portal.templatetags.measures import age
from stations.models import Operator

NEEDS_ATTENTION = frozenset({Status.DEVIATION, Status.STALE, Status.NOT_ASSESSED, Status.DECLARED})


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

    def narrow(self, subjects: Subjects) -> QuerySet[Any]:
        """A choice that is none narrows nothing."""
        self.is_valid()
        chosen, rows = self.cleaned_data, subjects.rows
        if operator := chosen.get("operator"):
            rows = rows.filter(**{"site__operator__slug" if subjects.of_stations else "slug": operator})
        if status := chosen.get("status"):
            rows = rows.filter(counts_as__in=NEEDS_ATTENTION if status == ATTENTION else [status])
        if text := chosen.get("q"):
            rows = rows.filter(Q(identity__icontains=text) | Q(name__icontains=text))
        return rows


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
    order=("identity",),
    outs=(
        Out(gettext_lazy("Station"), _identity),
        Out(gettext_lazy("Name"), lambda subject: subject.station.name if subject.station else ""),
    ),
)


def _operator(name: str) -> Column:
    """`name`: the field of the rows that it sorts by."""
    return Column(
        "operator",
        gettext_lazy("Operator"),
        lambda subject: Cell(subject.operator),
        order=(name,),
        outs=(Out(gettext_lazy("Operator"), lambda subject: subject.operator.name),),
    )


STANDING = (
    Column(
        "status",
        gettext_lazy("Status"),
        lambda subject: Cell(mark=MARKS[subject.mark]),
        order=("mark",),
        attention=lambda subject: subject.breach,
        outs=(Out(gettext_lazy("Status"), lambda subject: MARKS[subject.mark].label),),
    ),
    Column(
        "age",
        gettext_lazy("Age of the proof"),
        _age,
        order=("proven_at",),
        most_first=True,
        empty_last=True,
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
        nothing=NOTHING,
        no_match=NO_MATCH,
        columns=(STATION, _operator("site__operator__name"), *STANDING),
    )
)
OF_OPERATORS = registered(
    List(
        key="requirement-operators",
        title=gettext_lazy("Per operator"),
        sort="operator",
        nothing=NOTHING,
        no_match=NO_MATCH,
        columns=(_operator("name"), *STANDING),
    )
)
