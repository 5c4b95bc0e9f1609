"""Pages of the API's lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

MOST = 1000
# To count on from here takes longer than the page itself, and nobody pages so far by number.
COUNTED = 10_000
# Beyond any list: more than that is no number to a database.
FURTHEST = 1_000_000_000


class Pages(LimitOffsetPagination):
    """As many rows as are asked for, up to a bound: a list may have millions.

    `count` is exact up to COUNTED and null beyond. Whether a page follows is seen from one row more than was asked.
    """

    max_limit = MOST
    limit: int
    offset: int
    count: int | None
    has_next = False

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: APIView | None = None
    ) -> list[Any]:
        self.request: Request = request
        self.limit = self.get_limit(request) or MOST
        self.offset = min(self.get_offset(request), FURTHEST)
        rows = list(queryset[self.offset : self.offset + self.limit + 1])
        self.has_next = len(rows) > self.limit
        self.count = self._counted(queryset, len(rows))
        return rows[: self.limit]

    def _counted(self, rows: QuerySet[Any] | Sequence[Any], seen: int) -> int | None:
        if not isinstance(rows, QuerySet):
            return len(rows)
        if not self.has_next and (seen or not self.offset):
            return self.offset + seen
        count = rows.order_by().values("pk")[: COUNTED + 1].count()
        return count if count <= COUNTED else None

    def get_next_link(self) -> str | None:
        if not self.has_next:
            return None
        url = replace_query_param(self.request.build_absolute_uri(), self.limit_query_param, str(self.limit))
        return replace_query_param(url, self.offset_query_param, str(self.offset + self.limit))

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        page: dict[str, Any] = super().get_paginated_response_schema(schema)
        page["properties"]["count"] |= {
            "nullable": True,
            "description": f"Of the whole list; null where there are more than {COUNTED}.",
        }
        return page
