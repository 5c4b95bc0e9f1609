"""The overview: what is new since the previous visit, what waits, which terms end, and how each operator does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from portal.accounts.last_visit import arrive
from portal.compliance.matrix import matrices
from portal.compliance.matrix_page import Card, card_of
from portal.compliance.permissions import officials_only
from portal.pages.icons import Mark
from portal.pages.official.duties import Duty, Item, counts_of, items_of, pressing
from portal.tables.columns import LOCAL_TIME, Cell, Column, Empty, List, Out, registered
from portal.tables.listing import Listing
from portal.templatetags.measures import age, short_day
from stations.models import Concession

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
    operator = forms.ChoiceField(required=False, label=gettext_lazy("Operator"))

    def __init__(self, data: Any, *, items: Sequence[Item]) -> None:
        super().__init__(data)
        fields: Any = self.fields
        kinds = [(duty.name.lower(), mark.label) for duty, mark in WORDS.items()]
        fields["what"].choices = [("", _("Everything")), (NEW, _("New since your previous visit")), *kinds]
        operators = sorted({(item.operator, item.operator_slug) for item in items})
        fields["operator"].choices = [("", _("All operators")), *((slug, name) for name, slug in operators)]
        self.is_valid()

    def has(self, item: Item) -> bool:
        """A choice that is none narrows nothing."""
        what, operator = self.cleaned_data.get("what"), self.cleaned_data.get("operator")
        if operator and item.operator_slug != operator:
            return False
        if what == NEW:
            return item.is_new
        return not what or item.duty is Duty[what.upper()]


@require_safe
@officials_only
def overview(request: HttpRequest) -> HttpResponseBase:
    user, now = cast("User", request.user), timezone.now()
    since = arrive(user, now=now)
    items = items_of(user, since=since, now=now)
    form = DutyFilter(request.GET, items=items)
    listing = Listing(DUTIES, request, [item for item in items if form.has(item)], filters=form)
    if answer := listing.answer():
        return answer
    concessions = list(Concession.objects.supervised_by(user).select_related("municipality"))
    context = {
        "listing": listing,
        "since": since,
        "counts": counts_of(items),
        "cards": list(_cards(concessions, now)),
        "concessions": concessions,
        "is_all": len(concessions) <= MOST_CARDS,
    }
    return render(request, "pages/official/overview.html", context)


def _cards(concessions: Sequence[Concession], now: datetime) -> Sequence[tuple[Concession, Card]]:
    found = [
        (matrix.concession, card_of(matrix, number))
        for matrix in matrices(concessions[:MOST_CARDS], now, in_short=True)
        for number in range(len(matrix.heads))
    ]
    # Who falls short first; the order of names among the rest stays.
    return sorted(found, key=lambda pair: not pair[1].head.breaches)[:MOST_CARDS]


# ---------------------------------------------------------------- the columns


def owner_of(item: Item) -> str:
    """Whose turn it is."""
    return _("Municipality") if item.duty is Duty.WAITING else item.operator


def _station(item: Item) -> Cell:
    if not item.station:
        return Cell(_("Back office"))
    notes = (item.station,) if item.station_name else ()
    return Cell(item.station_name or item.station, notes, url=reverse("stations:detail", args=[item.station]))


def _term(item: Item) -> Cell:
    return Cell(short_day(item.restore_by)) if item.restore_by else Cell(_("none agreed"), muted=True)


def _age(item: Item) -> Cell:
    return Cell(age(item.came_at), moment=item.came_at) if item.came_at else Cell(_("unknown"), muted=True)


def _duty(item: Item) -> Cell:
    notes = (_("new since your previous visit"),) if item.is_new else ()
    return Cell(mark=WORDS[item.duty], notes=notes)


DUTIES = registered(
    List(
        key="duties",
        title=gettext_lazy("What waits for you"),
        sort="what",
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
                rank=lambda item: item.code,
                outs=(
                    Out(gettext_lazy("No."), lambda item: item.code),
                    Out(gettext_lazy("Requirement or wish"), lambda item: item.title),
                ),
            ),
            Column(
                "what",
                gettext_lazy("What"),
                _duty,
                rank=pressing,
                outs=(Out(gettext_lazy("What"), lambda item: WORDS[item.duty].label),),
            ),
            Column(
                "operator",
                gettext_lazy("Operator"),
                lambda item: Cell(item.operator),
                rank=lambda item: item.operator,
                outs=(Out(gettext_lazy("Operator"), lambda item: item.operator),),
            ),
            Column(
                "station",
                gettext_lazy("Station"),
                _station,
                rank=lambda item: item.station or None,
                outs=(
                    Out(
                        gettext_lazy("Station"),
                        lambda item: item.station,
                    ),
                ),
            ),
            Column(
                "owner",
                gettext_lazy("Whose turn"),
                lambda item: Cell(owner_of(item)),
                outs=(Out(gettext_lazy("Whose turn"), owner_of),),
            ),
            Column(
                "term",
                gettext_lazy("Restored before"),
                _term,
                rank=lambda item: item.restore_by,
                outs=(
                    Out(
                        gettext_lazy("Restored before"),
                        lambda item: item.restore_by.isoformat() if item.restore_by else "",
                    ),
                ),
            ),
            Column(
                "came",
                gettext_lazy("Age of the evidence"),
                _age,
                rank=lambda item: item.came_at,
                most_first=True,
                outs=(Out(gettext_lazy("Evidence of"), lambda item: item.came_at, LOCAL_TIME),),
            ),
        ),
    )
)
