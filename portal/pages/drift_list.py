"""What a station had lost of our limits, as a list: what was found, on which occasion, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django import forms
from django.db.models.query import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.pages.deliveries import place_of
from portal.tables.columns import LOCAL_TIME, Cell, Column, Empty, List, Out, registered
from portal.templatetags.measures import moment
from smartcharging.models import DesiredProfile, Drift


class DriftFilter(forms.Form):
    """Which of the lost limits."""

    state = forms.ChoiceField(
        required=False,
        label=gettext_lazy("State"),
        choices=[
            ("", gettext_lazy("all")),
            ("open", gettext_lazy("still lost")),
            ("ended", gettext_lazy("over")),
        ],
    )

    def narrow(self, rows: QuerySet[Drift]) -> QuerySet[Drift]:
        state = self.cleaned_data.get("state", "") if self.is_valid() else ""
        return rows.filter(ended_at__isnull=state == "open") if state else rows


@dataclass(frozen=True, slots=True)
class Line:
    """`is_stuck`: it is lost and wanted, and nothing happens by itself any more; `may_plan`: who looks may act."""

    drift: Drift
    place: str
    is_stuck: bool
    may_plan: bool


def lines_of(drifts: Sequence[Drift], *, letters: Mapping[int, str], may_plan: bool) -> list[Line]:
    """`drifts` come with their profile; `letters` are those of the station's sockets."""
    return [
        Line(drift, place_of(drift.desired, letters), is_put_back_possible(drift), may_plan)
        for drift in drifts
    ]


def is_put_back_possible(drift: Drift) -> bool:
    """It is lost, wanted, and nothing happens by itself any more."""
    row = drift.desired
    is_at_rest = row.state == DesiredProfile.State.DRIFTED and row.settled_at is not None
    return drift.ended_at is None and row.withdrawn_at is None and is_at_rest


def _found(line: Line) -> Cell:
    drift = line.drift
    notes: tuple[object, ...] = (drift.get_occasion_display(),)
    if drift.stood_at:
        notes += (_("last seen to stand on %(at)s") % {"at": moment(drift.stood_at)},)
    return Cell(moment(drift.found_at), notes, moment=drift.found_at)


DRIFTS = registered(
    List(
        key="drifts",
        title=gettext_lazy("Limits that the station had lost"),
        sort="-found",
        nothing=Empty(
            gettext_lazy("This station has lost no limits"),
            gettext_lazy(
                "After a restart and every six hours we read back what stands on the station. "
                "What is gone appears here."
            ),
        ),
        no_match=Empty(gettext_lazy("No lost limit fits this filter"), gettext_lazy("Choose another state.")),
        columns=(
            Column(
                "limit",
                gettext_lazy("Limit"),
                lambda line: Cell(line.drift.desired.name, (line.place,)),
                order=("desired__name", "-pk"),
                outs=(
                    Out(gettext_lazy("Limit"), lambda line: line.drift.desired.name),
                    Out(gettext_lazy("For"), lambda line: line.place),
                ),
            ),
            Column(
                "found",
                gettext_lazy("Found"),
                _found,
                order=("pk",),
                most_first=True,
                outs=(
                    Out(gettext_lazy("Found"), lambda line: line.drift.found_at, LOCAL_TIME),
                    Out(gettext_lazy("Occasion"), lambda line: line.drift.get_occasion_display()),
                    Out(gettext_lazy("Last seen to stand"), lambda line: line.drift.stood_at, LOCAL_TIME),
                ),
            ),
            Column(
                "what",
                gettext_lazy("What we found"),
                lambda line: Cell(line.drift.reason),
                outs=(Out(gettext_lazy("What we found"), lambda line: line.drift.reason),),
            ),
            Column(
                "end",
                gettext_lazy("How it ended"),
                template="pages/station/_drift_end.html",
                order=("ended_at",),
                most_first=True,
                empty_last=True,
                attention=lambda line: line.drift.ended_at is None,
                outs=(
                    Out(gettext_lazy("How it ended"), lambda line: line.drift.get_end_display()),
                    Out(gettext_lazy("Ended"), lambda line: line.drift.ended_at, LOCAL_TIME),
                ),
            ),
        ),
    )
)
