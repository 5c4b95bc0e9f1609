"""The API of quarter-hours: what a station's EVSEs took and gave in each quarter of an hour, as it was read."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from stations.api import MomentField, visitor
from stations.models import QuarterHour, Station
from stations.scopes import Scope

DAY = timedelta(days=1)
# A year and what lies around it; more is asked for in parts.
LONGEST = 400 * DAY


class AskedQuartersSerializer(serializers.Serializer[Any]):
    """From when to when, the last 24 hours if not given; and of one EVSE, or of all."""

    start = MomentField(required=False, allow_null=True, default=None)
    end = MomentField(required=False, allow_null=True, default=None)
    evse = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=0, max_value=1000
    )


class QuarterHourSerializer(serializers.ModelSerializer[QuarterHour]):
    """Fifteen minutes of an EVSE from `starts_at`. An energy is null where it is not known; a fall says how it fell."""

    evse = serializers.IntegerField(source="evse_number")

    class Meta:
        model = QuarterHour
        fields = (
            "starts_at",
            "evse",
            "import_wh",
            "export_wh",
            "import_fall",
            "export_fall",
            "max_import_w",
            "mean_import_w",
            "max_export_w",
            "mean_export_w",
            "samples",
            "context",
        )


class QuarterHourView(generics.ListAPIView[QuarterHour]):
    """The quarter-hours of a station in which something was read."""

    scope = Scope.READ
    serializer_class = QuarterHourSerializer
    queryset = QuarterHour.objects.none()

    def get_queryset(self) -> QuerySet[QuarterHour]:
        station = get_object_or_404(
            Station.objects.visible_to(visitor(self.request)), identity=self.kwargs["id"]
        )
        evse, start, end = _window(self.request)
        rows = QuarterHour.objects.filter(station=station, starts_at__gte=start, starts_at__lt=end)
        rows = rows if evse is None else rows.filter(evse_number=evse)
        return rows.order_by("starts_at", "evse_number")

    @extend_schema(parameters=[AskedQuartersSerializer])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """In order of time, page by page; at most 400 days at a time. They are made some minutes after the readings.

        Quarters follow UTC: a local day has 96 of them, 92 or 100 where the clock is set. One without any reading is
        left out.
        """
        return super().get(request, *args, **kwargs)


def _window(request: Request) -> tuple[int | None, datetime, datetime]:
    asked = AskedQuartersSerializer(data=request.query_params)
    asked.is_valid(raise_exception=True)
    start, end = asked.validated_data["start"], asked.validated_data["end"]
    end = end or (start + DAY if start else timezone.now())
    start = start or end - DAY
    if start >= end:
        raise ValidationError({"start": ["start must be before end."]})
    if end - start > LONGEST:
        raise ValidationError({"start": ["At most 400 days at a time: ask for the rest apart."]})
    return asked.validated_data["evse"], start, end
