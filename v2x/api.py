"""The API of energy back: the registers of a station over time, with what stands out in them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from stations.api import MomentField, visitor
from stations.models import MeterReading, Station
from stations.scopes import Scope
from v2x.domain.registers import NAMES, What
from v2x.registers import MOST_SAMPLES, REGISTERS_AND_POWERS, RegisterSeries, register_series

DAY = timedelta(days=1)
# A day of 25 hours and what lies around it; more is asked for in parts.
LONGEST = 2 * DAY


class AskedSeriesSerializer(serializers.Serializer[Any]):
    """Which meter (1, 2, ...; 0 is the main meter), and from when to when: the last 24 hours, two days at most."""

    evse = serializers.IntegerField(required=False, default=1, min_value=0, max_value=1000)
    since = MomentField(required=False, allow_null=True, default=None)
    to = MomentField(required=False, allow_null=True, default=None)

    def get_fields(self) -> dict[str, Any]:
        """`from` is the name on the wire, and no name in Python."""
        fields = super().get_fields()
        return {"evse": fields["evse"], "from": fields["since"], "to": fields["to"]}


class MarkSerializer(serializers.Serializer[Any]):
    """Something that stands out. `register` is null where it is of both; values are in Wh, as they were sent."""

    what = serializers.ChoiceField(choices=[what.value for what in What])
    register = serializers.ChoiceField(choices=NAMES, allow_null=True)
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    before_wh = serializers.FloatField(allow_null=True)
    after_wh = serializers.FloatField(allow_null=True)
    count = serializers.IntegerField()


class RegisterRiseSerializer(serializers.Serializer[Any]):
    """A register from its first to its last reading. `rise_wh` is null where it is not known: never read, or broken."""

    first_wh = serializers.FloatField(allow_null=True)
    last_wh = serializers.FloatField(allow_null=True)
    rise_wh = serializers.FloatField(allow_null=True)


class SampleSerializer(serializers.ModelSerializer[MeterReading]):
    """One moment as it was sent; null is not sent. Import and export are two, never netted."""

    sampled_at = serializers.DateTimeField(source="at")

    class Meta:
        model = MeterReading
        fields = ("sampled_at", "context", *REGISTERS_AND_POWERS)


class SeriesSerializer(serializers.Serializer[Any]):
    """A page of the readings; marks and rises are of the whole window."""

    count = serializers.IntegerField()
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    station = serializers.CharField()
    evse = serializers.IntegerField()
    start = serializers.DateTimeField(help_text="`from`")
    end = serializers.DateTimeField(help_text="`to`, or how far the readings reach where there are too many.")
    # `import` is a word of Python: the names of the two registers are keys.
    registers = serializers.DictField(child=RegisterRiseSerializer())
    marks = MarkSerializer(many=True)
    results = SampleSerializer(many=True)


class RegisterSeriesView(APIView):
    """The registers of one meter of a station over time."""

    scope = Scope.READ

    @extend_schema(parameters=[AskedSeriesSerializer], responses=SeriesSerializer)
    def get(self, request: Request, id: str) -> Response:  # noqa: A002 - the name in the address
        """Power and both registers as they came, page by page, with gaps, falls and jumps marked and never mended.

        `to` is now and `from` a day before it, if not given. At most two days at a time.
        """
        station = get_object_or_404(Station.objects.visible_to(visitor(request)), identity=id)
        now = timezone.now()
        evse, start, end = _window(request, now)
        series = register_series(station, evse=evse, start=start, end=end, now=now)
        return _answer(series, request, self)


def _window(request: Request, now: datetime) -> tuple[int, datetime, datetime]:
    asked = AskedSeriesSerializer(data=request.query_params)
    asked.is_valid(raise_exception=True)
    wanted = asked.validated_data
    start, end = wanted["from"], wanted["to"]
    end = end or (start + DAY if start else now)
    start = start or end - DAY
    if start >= end:
        raise ValidationError({"from": ["from must be before to."]})
    if end - start > LONGEST:
        raise ValidationError(
            {"from": ["At most two days at a time: ask for the rest with another from and to."]}
        )
    return wanted["evse"], start, end


def _answer(series: RegisterSeries, request: Request, view: APIView) -> Response:
    paginator = LimitOffsetPagination()
    paginator.max_limit = MOST_SAMPLES
    page = paginator.paginate_queryset(series.samples, request, view)
    told = {
        "count": len(series.samples),
        "next": paginator.get_next_link(),
        "previous": paginator.get_previous_link(),
        "station": series.station.identity,
        "evse": series.evse,
        "start": series.start,
        "end": series.until if series.is_cut else series.end,
        "registers": series.registers,
        "marks": series.marks,
        "results": page or [],
    }
    return Response(SeriesSerializer(told).data)
