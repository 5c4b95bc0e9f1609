"""What the page of one requirement says: its subjects with their status, chosen and counted by the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import Case, Count, Exists, F, FilteredRelation, OuterRef, Q, QuerySet, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, StrIndex

from portal.compliance.matrix import is_of_stations, is_owed, unjudged
from portal.compliance.matrix_page import mark_of
from portal.compliance.models import ConcessionRequirement, Promise, Status, counted_as
from portal.pages.icons import MARKS, NOT_PROMISED, Mark
from stations.models import Operator, Station

# The way up: what each rung of the ladder above the last one adds to the proof.
LADDER = (Status.NOT_ASSESSED, Status.DECLARED, Status.SUBSTANTIATED, Status.PROVEN)
# No status is a part of another's name.
_AS_OWED = ",".join(MARKS)
_AS_EXCUSED = _AS_OWED.replace(Status.DEVIATION, "").replace(NOT_PROMISED, Status.DEVIATION)


@dataclass(frozen=True, slots=True)
class Subject:
    """One line of the table: a station, or an operator's back office."""

    operator: Operator
    station: Station | None
    mark: str
    status: Status
    breach: bool
    at: datetime | None
    evidence_id: int | None


@dataclass(frozen=True, slots=True)
class Rung:
    mark: Mark
    subjects: int


class Subjects:
    """All that is judged on one requirement of a concession, as far as it is of `operators`."""

    def __init__(self, asked: ConcessionRequirement, operators: QuerySet[Operator], now: datetime) -> None:
        self._asked, self._now = asked, now
        promises = Promise.objects.filter(asked=asked, operator=OuterRef("pk"))
        # Any: the column that is asked for beside them.
        self._operators: dict[int, Any] = {
            operator.pk: operator for operator in operators.annotate(promised=Exists(promises))
        }
        self.of_stations = is_of_stations(asked)

    @property
    def promised(self) -> list[Operator]:
        """Who promised to meet it."""
        return [operator for operator in self._operators.values() if operator.promised]

    @cached_property
    def rows(self) -> QuerySet[Any]:
        """Stations, or the operators for their back offices, with `operator_key`, `counts_as`, `mark` (by which
        they are sorted), `proven_at` and `proof` (a key of Evidence)."""
        own, rows = self._of_whom()
        about = Q(judgements__concession=self._asked.concession_id)
        about &= Q(judgements__requirement=self._asked.requirement_id)
        if not self.of_stations:
            about &= Q(judgements__station=None)
        joined = rows.annotate(standing=FilteredRelation("judgements", condition=about), operator_key=F(own))
        # A station may have been another operator's when it was judged.
        is_own = Q(standing__operator=F(own))
        status = Case(When(is_own, then=counted_as(self._now, "standing__")))
        found: QuerySet[Any] = joined.annotate(
            counts_as=Coalesce(status, Value(unjudged(self._asked))),
            proven_at=Case(When(is_own, then=F("standing__at"))),
            proof=Case(When(is_own, then=F("standing__evidence"))),
        ).annotate(mark=self._place())
        return found

    def _of_whom(self) -> tuple[str, QuerySet[Any]]:
        if not self.of_stations:
            return "pk", Operator.objects.filter(pk__in=self._operators)
        rows = Station.objects.filter(site__concession=self._asked.concession_id)
        return "site__operator", rows.filter(site__operator__in=self._operators)

    def _place(self) -> Combinable:
        """Where the status stands among the marks, one after the other in a text: a Case would say it ten times."""
        owing = [key for key in self._operators if self._owes(key)]
        as_owed, as_excused = (StrIndex(Value(order), F("counts_as")) for order in (_AS_OWED, _AS_EXCUSED))
        return Case(When(operator_key__in=owing, then=as_owed), default=as_excused)

    def _owes(self, operator: int) -> bool:
        return is_owed(self._asked.requirement, promised=self._operators[operator].promised)

    @property
    def operators(self) -> list[Operator]:
        return list(self._operators.values())

    @cached_property
    def _counts(self) -> Counter[str]:
        """How many there are of each mark."""
        counted = self.rows.order_by().values_list("operator_key", "counts_as").annotate(Count("pk"))
        found: Counter[str] = Counter()
        for operator, status, count in counted:
            found[mark_of(Status(status), owed=self._owes(operator))] += count
        return found

    @property
    def ladder(self) -> list[Rung]:
        """How many subjects stand on each rung, and beside the ladder: each status that occurs."""
        keys = [*LADDER, *(key for key in MARKS if key not in LADDER and self._counts[key])]
        return [Rung(MARKS[key], self._counts[key]) for key in keys]

    @property
    def breaches(self) -> int:
        return self._counts[Status.DEVIATION]

    @property
    def total(self) -> int:
        return self._counts.total()

    def lines(self, rows: Sequence[Any]) -> list[Subject]:
        return [self._line(row, Status(row.counts_as)) for row in rows]

    def _line(self, row: Any, status: Status) -> Subject:
        owed = self._owes(row.operator_key)
        return Subject(
            operator=self._operators[row.operator_key],
            station=row if self.of_stations else None,
            mark=mark_of(status, owed=owed),
            status=status,
            breach=owed and status is Status.DEVIATION,
            at=row.proven_at,
            evidence_id=row.proof,
        )
