"""The overview: what is new since the previous visit, what waits, which terms end, and how each operator does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise as Lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from portal.accounts.last_visit import arrive
from portal.compliance.matrix import matrices
from portal.compliance.matrix_page import Card, card_of
from portal.compliance.permissions import officials_only
from portal.pages.icons import Mark
from portal.pages.official.duties import Duty, counts_of, duties, first_judged
from portal.tables.columns import LOCAL_TIME, Cell, Column, Empty, List, Out, registered
from portal.tables.listing import Listing
from portal.templatetags.measures import age, short_day
from stations.models import Concession, Operator

if TYPE_CHECKING:
    from portal.accounts.models import User

# More operators than this are looked at in their matrices.
MOST_CARDS = 12
WORDS: dict[Duty, Mark] = {
    Duty.PASSED: Mark("bad", "alert", gettext_lazy("Term has passed")),
    Duty.WAITING: Mark("warn", "hourglass", gettext_lazy("Waits for your judgement")),
    Duty.SOON: Mark("warn", "clock", gettext_lazy("Term ends soon")),
    Duty.RESTORED: Mark("good", "status-restored", gettext_lazy("Restored")),
    Duty.RUNNING: Mark("calm", "clock", gettext_lazy("Operator restores")),
}
NEW = "new"


class DutyFilter(forms.Form):
    what = forms.ChoiceField(required=False, label=gettext_lazy("What"))
    operator = forms.ModelChoiceField(
        required=False,
        queryset=Operator.objects.none(),
        to_field_name="slug",
        label=gettext_lazy("Operator"),
        empty_label=gettext_lazy("All operators"),
    )

    def __init__(self, data: Any, *, user: User) -> None:
        super().__init__(data)
        kinds = [(duty.name.lower(), mark.label) for duty, mark in WORDS.items()]
        choices = [("", _("Everything")), (NEW, _("New since your previous visit")), *kinds]
        self.fields["what"].choices = choices  # type: ignore[attr-defined]
        own = Operator.objects.supervised_by(user).order_by("name")
        self.fields["operator"].queryset = own  # type: ignore[attr-defined]

    def narrow(self, rows: Any) -> Any:
        """A choice that is none narrows nothing."""
        self.is_valid()
        what, operator = self.cleaned_data.get("what"), self.cleaned_data.get("operator")
        if what == NEW:
            rows = rows.filter(duty=Duty.WAITING, is_new=True)
        elif what:
            rows = rows.filter(duty=Duty[what.upper()])
        return rows.filter(operator=operator) if operator else rows


@dataclass(frozen=True, slots=True)
class Line:
    """One judgement, with what is to be done about it."""

    row: Any

    @property
    def duty(self) -> Duty:
        return Duty(self.row.duty)

    @property
    def mark(self) -> Mark:
        return WORDS[self.duty]

    @property
    def is_new(self) -> bool:
        return bool(self.row.is_new) and self.duty is Duty.WAITING

    @property
    def owner(self) -> str:
        """Whose turn it is."""
        return _("Municipality") if self.duty is Duty.WAITING else str(self.row.operator)

    @property
    def restore_by(self) -> date | None:
        day: date | None = self.row.restore_by
        return day

    @property
    def came_at(self) -> datetime | None:
        at: datetime | None = self.row.evidence.created_at if self.row.evidence else self.row.at
        return at

    @property
    def url(self) -> str:
        """Where one acts: the evidence with its form, else the requirement."""
        if self.row.evidence_id:
            return reverse("compliance:evidence", args=[self.row.evidence_id])
        return reverse("compliance:requirement", args=[self.row.concession.slug, self.row.requirement.code])


@require_safe
@officials_only
def overview(request: HttpRequest) -> HttpResponseBase:
    user, now = cast("User", request.user), timezone.now()
    since = arrive(user, now=now)
    rows = duties(user, since=since, now=now)
    form = DutyFilter(request.GET, user=user)
    listing = Listing(DUTIES, request, first_judged(form.narrow(rows)), filters=form)
    if answer := listing.answer():
        return answer
    concessions = list(Concession.objects.supervised_by(user).select_related("municipality"))
    context = {
        "listing": listing,
        "since": since,
        "counts": counts_of(rows),
        "cards": list(_cards(concessions, now)),
        "concessions": concessions,
        "is_all": len(concessions) <= MOST_CARDS,
    }
    return render(request, "pages/official/overview.html", context)


def _cards(concessions: Sequence[Concession], now: datetime) -> Sequence[tuple[Concession, Card]]:
    found = [
        (matrix.concession, card_of(matrix, number))
        for matrix in matrices(concessions[:MOST_CARDS], now)
        for number in range(len(matrix.heads))
    ]
    # Who falls short first; the order of names among the rest stays.
    return sorted(found, key=lambda pair: not pair[1].head.breaches)[:MOST_CARDS]


# ---------------------------------------------------------------- the columns


def _station(line: Line) -> Cell:
    station = line.row.station
    if station is None:
        return Cell(_("Back office"))
    notes = (station.identity,) if station.name else ()
    return Cell(station.label, notes, url=reverse("stations:detail", args=[station.identity]))


def _term(line: Line) -> Cell:
    if line.restore_by is None:
        return Cell(_("none agreed"), muted=True)
    return Cell(short_day(line.restore_by))


def _age(line: Line) -> Cell:
    return Cell(age(line.came_at), moment=line.came_at) if line.came_at else Cell(_("unknown"), muted=True)


def _duty(line: Line) -> Cell:
    return Cell(mark=line.mark, notes=(_("new since your previous visit"),) if line.is_new else ())


def _duty_word(line: Line) -> str | Lazy:
    return line.mark.label


DUTIES = registered(
    List(
        key="duties",
        title=gettext_lazy("What waits for you"),
        sort="what",
        page_size=25,
        lines=lambda rows: [Line(row) for row in rows],
        nothing=Empty(
            gettext_lazy("Nothing waits for you"),
            gettext_lazy("There is no deviation on what was asked or promised, and no term that ends."),
        ),
        no_match=Empty(gettext_lazy("Nothing fits these filters"), gettext_lazy("Choose something else.")),
        columns=(
            Column(
                "requirement",
                gettext_lazy("Requirement or wish"),
                template="pages/official/_duty.html",
                order=("requirement__code",),
                outs=(
                    Out(gettext_lazy("No."), lambda line: line.row.requirement.code),
                    Out(gettext_lazy("Requirement or wish"), lambda line: line.row.requirement.title),
                ),
            ),
            Column(
                "what",
                gettext_lazy("What"),
                _duty,
                order=("duty", "-evidence__created_at"),
                outs=(Out(gettext_lazy("What"), _duty_word),),
            ),
            Column(
                "operator",
                gettext_lazy("Operator"),
                lambda line: Cell(line.row.operator),
                order=("operator__name",),
                outs=(Out(gettext_lazy("Operator"), lambda line: line.row.operator.name),),
            ),
            Column(
                "station",
                gettext_lazy("Station"),
                _station,
                order=("station__identity",),
                empty_last=True,
                outs=(
                    Out(
                        gettext_lazy("Station"),
                        lambda line: line.row.station.identity if line.row.station else "",
                    ),
                ),
            ),
            Column(
                "owner",
                gettext_lazy("Whose turn"),
                lambda line: Cell(line.owner),
                outs=(Out(gettext_lazy("Whose turn"), lambda line: line.owner),),
            ),
            Column(
                "term",
                gettext_lazy("Restored before"),
                _term,
                order=("restore_by",),
                empty_last=True,
                outs=(
                    Out(
                        gettext_lazy("Restored before"),
                        lambda line: line.restore_by.isoformat() if line.restore_by else "",
                    ),
                ),
            ),
            Column(
                "came",
                gettext_lazy("Age of the evidence"),
                _age,
                order=("evidence__created_at",),
                most_first=True,
                empty_last=True,
                outs=(Out(gettext_lazy("Evidence of"), lambda line: line.came_at, LOCAL_TIME),),
            ),
        ),
    )
)
