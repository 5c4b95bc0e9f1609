"""The operator's home: what asks for a hand, the worst first, as one list of all kinds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any, cast

from django import forms
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from portal.accounts.models import User
from portal.pages.work.items import LEVELS, Item, Kind, items_of
from portal.pages.work.sources import MOST_OF_A_KIND, rows_of
from portal.tables.columns import LOCAL_TIME, Cell, Column, Empty, List, Out, registered
from portal.tables.listing import Listing
from portal.templatetags.measures import age, moment, short_day
from stations.models import Aside
from stations.models.access import OPERATOR_ROLES, PLANNING_ROLES, Visitor, memberships_of, parties_of

# Of one kind alone there is room for more.
MOST_OF_ONE = 1000
MOST_ASIDES = 1000


class WorkFilter(forms.Form):
    q = forms.CharField(required=False, max_length=100, label=gettext_lazy("Station or place"))
    kind = forms.ChoiceField(
        required=False, label=gettext_lazy("Kind"), choices=[("", gettext_lazy("all")), *Kind.choices]
    )
    show = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Show"),
        choices=[("", gettext_lazy("what asks for a hand")), ("aside", gettext_lazy("what is put aside"))],
    )

    def value(self, name: str) -> str:
        """Empty where it is not filled in, or cannot be read: then it narrows nothing."""
        return str(self.cleaned_data.get(name, "")) if self.is_bound else ""


@require_safe
def work(request: HttpRequest) -> HttpResponseBase:
    """For who works for an operator; 404 for anyone else."""
    user, now = cast("User", request.user), timezone.now()
    if not works_for_an_operator(user):
        raise Http404
    form = WorkFilter(request.GET)
    form.is_valid()
    kind = form.value("kind")
    found = found_for(user, now=now, kind=kind, text=form.value("q"))
    shown = [item for item in found if (item.aside is not None) == (form.value("show") == "aside")]
    planned = _planned_by(user)
    listing = Listing(WORK, request, shown, filters=form, lines=partial(_lines, planned=planned))
    if answer := listing.answer():
        return answer
    context = {
        "listing": listing,
        "counts": [] if kind else _counts(shown),
        "asides": sum(item.aside is not None for item in found),
        "is_aside": form.value("show") == "aside",
    }
    return render(request, "pages/work/queue.html", context)


def found_for(
    user: Visitor, *, now: datetime, kind: str = "", text: str = "", row: int | None = None
) -> list[Item]:
    """The items of `user`'s operators, with what was put aside among them."""
    asides = _asides(user, now)
    counted = Counter(name for name, _row in asides)
    # What is put aside takes no place of what is not.
    most = MOST_OF_ONE + counted[kind] if kind else MOST_OF_A_KIND + max(counted.values(), default=0)
    rows = rows_of(user, now=now, kind=kind, text=text, row=row, most=most)
    return items_of(rows, asides, now=now)


def works_for_an_operator(user: User) -> bool:
    return user.is_superuser or any(row.role in OPERATOR_ROLES for row in memberships_of(user))


def may_put_aside(user: User, operator_id: int) -> bool:
    planned = _planned_by(user)
    return planned is None or operator_id in planned


def _planned_by(user: User) -> frozenset[int] | None:
    """The operators whose work `user` may put aside; None: of all."""
    if user.is_superuser:
        return None
    return frozenset(parties_of(user, roles=PLANNING_ROLES, party="operator"))


def _asides(user: Visitor, now: datetime) -> dict[tuple[str, int], Any]:
    """What is put aside still, by kind and row."""
    rows = Aside.objects.worked_on_by(user).filter(until__gt=now).select_related("put_by")[:MOST_ASIDES]
    return {(row.kind, row.row): row for row in rows}


def _counts(shown: Sequence[Item]) -> list[tuple[str, str, str]]:
    """Key, name and number of each kind there is; the number is bounded, and says so."""
    counted = Counter(item.kind for item in shown)
    return [
        (kind.value, str(kind.label), f"{count}+" if count >= MOST_OF_A_KIND else str(count))
        for kind in Kind
        if (count := counted[kind])
    ]


# ---------------------------------------------------------------- the columns
class Line:
    """An item, and whether who looks may put it aside."""

    def __init__(self, item: Item, *, may_put: bool) -> None:
        self.item, self.may_put = item, may_put

    @property
    def aside(self) -> Any:
        return self.item.aside


def _lines(items: Sequence[Item], *, planned: frozenset[int] | None) -> list[Line]:
    return [Line(item, may_put=planned is None or item.found.operator_id in planned) for item in items]


def _what(line: Line) -> Cell:
    notes: tuple[object, ...] = (line.item.kind.label,)
    if line.aside is not None:
        said = {"day": short_day(line.aside.until), "reason": line.aside.reason}
        notes += (_("Put aside until %(day)s: %(reason)s") % said, str(line.aside.put_by or ""))
    return Cell(line.item.told, notes)


def _where(line: Line) -> Cell:
    found = line.item.found
    if not found.identity:
        return Cell(_("no station"), muted=True)
    url = reverse("stations:detail", args=[found.identity])
    return Cell(found.name or found.identity, (found.identity,) if found.name else (), url=url)


def _since(line: Line) -> Cell:
    at = line.item.since
    return Cell(age(at), (moment(at),), moment=at) if at else Cell(_("unknown"), muted=True)


WORK = registered(
    List(
        key="work",
        title=gettext_lazy("Work"),
        sort="level",
        nothing=Empty(
            gettext_lazy("Nothing asks for your attention"),
            gettext_lazy("What goes wrong at your stations appears here by itself, the worst first."),
            "stations:list",
            gettext_lazy("To the stations"),
        ),
        no_match=Empty(
            gettext_lazy("Nothing of this kind asks for your attention"),
            gettext_lazy("Choose another kind, or another station."),
        ),
        columns=(
            Column(
                "what",
                gettext_lazy("What happened"),
                _what,
                outs=(
                    Out(gettext_lazy("What happened"), lambda line: line.item.told),
                    Out(gettext_lazy("Kind"), lambda line: str(line.item.kind.label)),
                    Out(gettext_lazy("Put aside until"), lambda line: _of(line, "until"), LOCAL_TIME),
                    Out(gettext_lazy("Reason"), lambda line: _of(line, "reason") or ""),
                ),
            ),
            Column(
                "level",
                gettext_lazy("When"),
                lambda line: Cell(mark=LEVELS[line.item.level]),
                rank=lambda item: item.rank,
                outs=(Out(gettext_lazy("When"), lambda line: LEVELS[line.item.level].label),),
            ),
            Column(
                "station",
                gettext_lazy("Station"),
                _where,
                rank=lambda item: item.found.identity or None,
                outs=(
                    Out(gettext_lazy("Station"), lambda line: line.item.found.identity),
                    Out(gettext_lazy("Name"), lambda line: line.item.found.name),
                ),
            ),
            Column(
                "since",
                gettext_lazy("Since"),
                _since,
                rank=lambda item: item.since,
                outs=(Out(gettext_lazy("Since"), lambda line: line.item.since, LOCAL_TIME),),
            ),
            Column(
                "help",
                gettext_lazy("What helps"),
                template="pages/work/_help.html",
                outs=(Out(gettext_lazy("Address"), lambda line: line.item.url),),
            ),
        ),
    )
)


def _of(line: Line, name: str) -> Any:
    return getattr(line.aside, name, None)
