"""Pages of lists that may hold millions of rows: counted as far as people page, estimated beyond."""

from __future__ import annotations

import json
from functools import cached_property

from django.core.paginator import Paginator
from django.db import connections
from django.db.models import QuerySet

from portal.paging import COUNTED


class CountedPaginator(Paginator):  # type: ignore[type-arg]  # not at run time
    """Pages up to COUNTED rows. `is_more`: there are more, which a filter has to bring nearer."""

    @cached_property
    def count(self) -> int:
        return min(self._seen, COUNTED)

    @property
    def is_more(self) -> bool:
        return self._seen > COUNTED

    @cached_property
    def _seen(self) -> int:
        rows = self.object_list
        if isinstance(rows, QuerySet):
            return rows.order_by().values("pk")[: COUNTED + 1].count()
        return len(rows)

    @cached_property
    def estimate(self) -> int | None:
        """About how many rows in all, by the planner of PostgreSQL; None where nobody can tell."""
        rows = self.object_list
        if not isinstance(rows, QuerySet) or connections[rows.db].vendor != "postgresql":
            return None
        plan = json.loads(rows.order_by().values("pk").explain(format="json"))
        # Never fewer than were counted: the planner may know less than that.
        return max(int(plan[0]["Plan"]["Plan Rows"]), COUNTED)
