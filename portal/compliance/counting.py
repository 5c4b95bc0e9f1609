"""What a matrix is counted from, counted by the database: of a status so many, and the newest proof behind it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count, F, Max, Q, Value
from django.utils.translation import gettext as _

from portal.compliance.models import Judgement, Status
from stations.models import Concession, Evse, Operator, Station


@dataclass(frozen=True, slots=True)
class StationType:
    """What stations are, by their own word: a column in place of an operator. `vendor` is empty where none said so."""

    pk: int
    vendor: str
    model: str

    @property
    def slug(self) -> str:
        return f"type-{self.pk}"

    def __str__(self) -> str:
        return f"{self.vendor} {self.model}".strip() or _("Type not known yet")


class Counted(NamedTuple):
    stations: int = 0
    evses: int = 0

    def plus(self, other: Counted) -> Counted:
        return Counted(self.stations + other.stations, self.evses + other.evses)


class Judged(NamedTuple):
    """So many subjects with one status. `at` and `evidence_id` are of the newest proof among them, if there is any."""

    operator_id: int
    status: Status
    subjects: int
    evidence_id: int | None
    at: datetime | None


Make = tuple[str, str]
"""Vendor and model."""

# A station that stands elsewhere by now, or is another operator's, is left out.
HERE = Q(station__site__concession=F("concession"), station__site__operator=F("operator"))


def stations_here(
    concessions: Collection[Concession], *, with_evses: bool = True
) -> Mapping[tuple[int, int], Counted]:
    """How many stations and EVSEs stand there, by concession and operator."""
    stations = Station.objects.filter(site__concession__in=concessions).order_by()
    evses = Evse.objects.filter(station__site__concession__in=concessions).order_by()
    within = ("site__concession", "site__operator")
    # Each by itself, in one query: joined, the stations would have to be told apart again.
    counts = stations.values_list(*within).annotate(stations=Count("pk"), evses=Value(0))
    more = evses.values_list(*(f"station__{key}" for key in within)).annotate(
        stations=Value(0), evses=Count("pk")
    )
    found: dict[tuple[int, int], Counted] = defaultdict(Counted)
    for place, party, *count in counts.union(more, all=True) if with_evses else counts:
        found[place, party] = found[place, party].plus(Counted(*count))
    return found


def stations_by_make(
    concession: Concession, operators: Collection[Operator]
) -> dict[tuple[Make, int], Counted]:
    """How many stand there by vendor and model, and operator."""
    rows = Station.objects.filter(site__concession=concession, site__operator__in=operators).order_by()
    counts = rows.values_list("vendor", "model", "site__operator_id").annotate(
        Count("pk", distinct=True), Count("evses")
    )
    return {((vendor, model), party): Counted(*count) for vendor, model, party, *count in counts}


def judged(
    concessions: Collection[Concession], now: datetime, *, with_proof: bool = True
) -> Mapping[tuple[int, int, int], list[Judged]]:
    """What is judged of stations and back offices, by concession, requirement and operator; without the key of the
    proof, in one query less, for who does not show it."""
    rows = Judgement.objects.filter(Q(station=None) | HERE, concession__in=concessions)
    found: dict[tuple[int, int, int], list[Judged]] = defaultdict(list)
    for (concession, requirement), one in _groups(
        rows, now, ("concession", "requirement"), with_proof=with_proof
    ):
        found[concession, requirement, one.operator_id].append(one)
    return found


def judged_by_make(
    concession: Concession, operators: Collection[Operator], now: datetime
) -> Mapping[tuple[int, Make], list[Judged]]:
    """What is judged of the stations, by requirement and make; of each operator apart, for a promise is one's own."""
    rows = Judgement.objects.filter(HERE, concession=concession, operator__in=operators)
    found: dict[tuple[int, Make], list[Judged]] = defaultdict(list)
    keys = ("requirement", "station__vendor", "station__model")
    for (requirement, vendor, model), one in _groups(rows, now, keys):
        found[requirement, (vendor, model)].append(one)
    return found


def _groups(
    rows: Any, now: datetime, keys: Sequence[str], *, with_proof: bool = True
) -> Iterator[tuple[list[Any], Judged]]:
    """The values of `keys`, with what is judged of each operator there, status by status.

    Counted first, and then asked for the proof of the newest moments: rows in order of time would have to be sorted.
    """
    within = (*keys, "operator", "counts_as")
    counting = rows.as_they_count(now).order_by()
    counted = list(counting.values_list(*within).annotate(Count("pk"), Max("at")))
    moments = {row[-1] for row in counted if with_proof and row[-1]}
    proven = counting.filter(evidence__isnull=False, at__in=moments)
    proofs = proven.values_list(*within, "at").annotate(Max("evidence"))
    newest = {tuple(group): evidence for *group, evidence in proofs}
    for *group, subjects, at in counted:
        *found, operator, status = group
        yield found, Judged(operator, Status(status), subjects, newest.get((*group, at)), at)
