"""All evidence of a station, and all of a requirement in a concession, as lists: what was found, when and how."""

from __future__ import annotations

from django import forms
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy

from portal.compliance.dossier import sentence
from portal.compliance.models import Evidence
from portal.pages.icons import mark_of_verdict
from portal.tables.columns import LOCAL_TIME, Cell, Column, Empty, List, Out, registered
from portal.templatetags.measures import UNKNOWN, moment, short_hash
from smartcharging.day_fields import DayField, on_days


class EvidenceFilter(forms.Form):
    """`q` is of what the list does not have in common: a station's evidence is searched by its requirement."""

    q = forms.CharField(required=False, max_length=100, label=gettext_lazy("Requirement or wish"))
    verdict = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Finding"),
        choices=[("", gettext_lazy("all")), *Evidence.Verdict.choices],
    )
    method = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Kind of proof"),
        choices=[("", gettext_lazy("all")), *Evidence.Method.choices],
    )
    since = DayField(required=False, label=gettext_lazy("From"))
    until = DayField(required=False, label=gettext_lazy("Up to and including"))

    def narrow(self, rows: QuerySet[Evidence]) -> QuerySet[Evidence]:
        """A field that cannot be read narrows nothing; the form shows what is wrong with it."""
        self.is_valid()
        chosen = self.cleaned_data
        if text := chosen.get("q"):
            rows = rows.filter(self.named(text))
        kinds = {name: chosen[name] for name in ("verdict", "method") if chosen.get(name)}
        return rows.filter(on_days(chosen, "created_at"), **kinds)

    def named(self, text: str) -> Q:
        return Q(requirement__code__icontains=text) | Q(requirement__title__icontains=text)


class SubjectEvidenceFilter(EvidenceFilter):
    """A requirement's evidence is searched by who it is about."""

    q = forms.CharField(required=False, max_length=100, label=gettext_lazy("Station or operator"))

    def named(self, text: str) -> Q:
        station = Q(station__identity__icontains=text) | Q(station__name__icontains=text)
        return station | Q(operator__name__icontains=text)


def listed(rows: QuerySet[Evidence]) -> QuerySet[Evidence]:
    """With what the lists show of each, and without what is large."""
    joined = rows.select_related("requirement", "station", "operator", "concession")
    return joined.defer("frames", "steps", "figures", "requirement__text")


def _at(row: Evidence) -> Cell:
    url = reverse("compliance:evidence", args=[row.pk])
    return Cell(moment(row.created_at), (row.get_method_display(),), url=url, moment=row.created_at)


def _subject(row: Evidence) -> Cell:
    if row.station is None:
        return Cell(row.operator)
    url = reverse("stations:detail", args=[row.station.identity])
    return Cell(row.station.label, (row.operator,), url=url)


def _hash(row: Evidence) -> Cell:
    return Cell(short_hash(row.hash), code=True)


WHEN = Column(
    "when",
    gettext_lazy("Evidence of"),
    _at,
    order=("pk",),
    most_first=True,
    outs=(
        Out(gettext_lazy("Evidence of"), lambda row: row.created_at, LOCAL_TIME),
        Out(gettext_lazy("Kind of proof"), lambda row: row.get_method_display()),
        Out(gettext_lazy("Evidence no."), lambda row: row.pk),
    ),
)
REQUIREMENT = Column(
    "requirement",
    gettext_lazy("Requirement or wish"),
    template="compliance/_evidence_requirement.html",
    order=("requirement__code", "-pk"),
    outs=(
        Out(gettext_lazy("Number"), lambda row: row.requirement.code),
        Out(gettext_lazy("Requirement or wish"), lambda row: row.requirement.title),
    ),
)
SUBJECT = Column(
    "subject",
    gettext_lazy("About"),
    _subject,
    order=("station__identity", "operator__name", "-pk"),
    outs=(
        Out(gettext_lazy("Station"), lambda row: row.station.identity if row.station else ""),
        Out(gettext_lazy("Operator"), lambda row: row.operator.name),
    ),
)
FOUND: tuple[Column, ...] = (
    Column(
        "verdict",
        gettext_lazy("Finding"),
        lambda row: Cell(mark=mark_of_verdict(row.verdict)),
        order=("verdict", "-pk"),
        outs=(Out(gettext_lazy("Finding"), lambda row: row.get_verdict_display()),),
    ),
    Column(
        "why",
        gettext_lazy("Why"),
        lambda row: Cell(sentence(row)),
        outs=(Out(gettext_lazy("Why"), sentence),),
    ),
    Column(
        "firmware",
        gettext_lazy("Firmware"),
        lambda row: Cell(row.firmware or UNKNOWN, code=True),
        order=("firmware", "-pk"),
        usual=False,
        outs=(Out(gettext_lazy("Firmware"), lambda row: row.firmware),),
    ),
    Column(
        "place",
        gettext_lazy("Place in the chain"),
        lambda row: Cell(row.sequence),
        order=("concession", "sequence"),
        numeric=True,
        usual=False,
        outs=(
            Out(gettext_lazy("Concession"), lambda row: row.concession.name),
            Out(gettext_lazy("Place in the chain"), lambda row: row.sequence),
        ),
    ),
    Column(
        "hash",
        "SHA-256",
        _hash,
        usual=False,
        outs=(Out("SHA-256", lambda row: row.hash),),
    ),
)
_NO_MATCH = Empty(
    gettext_lazy("No evidence fits these filters"), gettext_lazy("Choose another finding or day.")
)


def _list(key: str, *, about: Column, nothing: Empty) -> List:
    return List(
        key=key,
        title=gettext_lazy("Evidence"),
        sort="-when",
        nothing=nothing,
        no_match=_NO_MATCH,
        columns=(WHEN, about, *FOUND),
    )


OF_STATION = registered(
    _list(
        "station-evidence",
        about=REQUIREMENT,
        nothing=Empty(
            gettext_lazy("There is no evidence of this station yet"),
            gettext_lazy("A live probe makes the first, or a session that is judged when it ends."),
        ),
    )
)
OF_REQUIREMENT = registered(
    _list(
        "requirement-evidence",
        about=SUBJECT,
        nothing=Empty(
            gettext_lazy("There is no evidence yet."),
            gettext_lazy("A live probe makes the first, or a session that is judged when it ends."),
        ),
    )
)
