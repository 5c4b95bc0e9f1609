"""The API of monitors: what a 2.x station watches by itself, set, removed, read anew. 1.6 has none: 404."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from stations import device_model, monitoring
from stations.api import QueuedSerializer, visitor
from stations.models import Station, VariableMonitor
from stations.ocpp.device import read_place
from stations.ocpp.validation import SchemaViolation
from stations.scopes import Scope

MOST = 1e12  # what the schema's "number" may be, where a station still reckons with it


class MonitorSerializer(serializers.ModelSerializer[VariableMonitor]):
    """`number` is the station's own id of it, null while it was not given one. Severity 0 is the worst, 9 the least."""

    class Meta:
        model = VariableMonitor
        fields = (
            "id", "number", "component", "name", "kind", "value", "severity", "only_in_transactions", "made_by",
            "state", "reason", "command", "read_at",
        )  # fmt: skip


class NewMonitorSerializer(serializers.Serializer[Any]):
    """The component and the variable as in the list of values; kind as in MonitorEnumType of the station's version."""

    component = serializers.CharField(max_length=110)
    name = serializers.CharField(max_length=101)
    kind = serializers.ChoiceField(choices=monitoring.KINDS_21)
    value = serializers.FloatField(
        min_value=-MOST, max_value=MOST, help_text="A bound, a difference, or a number of seconds (Periodic)."
    )
    severity = serializers.IntegerField(min_value=0, max_value=9)
    only_in_transactions = serializers.BooleanField(required=False, default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        place = read_place(attrs.pop("component"), attrs.pop("name"))
        if place is None:
            raise ValidationError({"name": ["Write it as the station does."]})
        if attrs["kind"].startswith("Periodic") and attrs["value"] <= 0:
            raise ValidationError({"value": ["Give a number of seconds above 0."]})
        return {**attrs, "place": place}


class MonitoringSerializer(serializers.Serializer[Any]):
    """Which monitors are on, and from how bad on they tell; at least one of the two."""

    base = serializers.ChoiceField(choices=monitoring.BASES, required=False)
    severity = serializers.IntegerField(
        min_value=0, max_value=9, required=False, help_text="Tell only what is this bad or worse; 9: all."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise ValidationError("Give `base`, `severity`, or both.")
        return attrs


def _of_2x(rows: QuerySet[Station], identity: str) -> Station:
    station: Station = get_object_or_404(rows.exclude(ocpp_version="1.6"), identity=identity)
    return station


def _operable(request: Request, identity: str) -> Station:
    return _of_2x(Station.objects.operable_by(visitor(request)), identity)


class MonitorsView(generics.ListAPIView[VariableMonitor]):
    """The monitors of a 2.x station, the worst first."""

    scope = Scope.CONFIGURE
    serializer_class = MonitorSerializer
    queryset = VariableMonitor.objects.none()

    def get_queryset(self) -> QuerySet[VariableMonitor]:
        station = _of_2x(Station.objects.visible_to(visitor(self.request)), self.kwargs["id"])
        return VariableMonitor.objects.filter(station=station)

    @extend_schema(request=NewMonitorSerializer, responses={202: MonitorSerializer})
    def post(self, request: Request, id: str) -> Response:  # noqa: A002 - the name in the address
        """Have the station watch a variable (SetVariableMonitoring); its `state` tells what came of it."""
        station = _operable(request, id)
        asked = NewMonitorSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        if station.ocpp_version != "2.1" and asked.validated_data["kind"] not in monitoring.KINDS:
            raise ValidationError({"kind": ["Only OCPP 2.1 has this kind."]})
        try:
            row = monitoring.set_monitor(
                station=station, requested_by=request.user, now=timezone.now(), **asked.validated_data
            )
        except SchemaViolation as error:
            raise ValidationError({error.field or "payload": [error.problem]}) from error
        return Response(MonitorSerializer(row).data, status=status.HTTP_202_ACCEPTED)


class MonitorView(generics.GenericAPIView[VariableMonitor]):
    """One monitor."""

    scope = Scope.CONFIGURE
    serializer_class = MonitorSerializer
    queryset = VariableMonitor.objects.none()

    @extend_schema(responses={202: QueuedSerializer, 204: None})
    def delete(self, request: Request, id: str, pk: str) -> Response:  # noqa: A002 - as above
        """Have the station forget it (ClearVariableMonitoring). 204: it never had it, and the row is gone."""
        station = _operable(request, id)
        row = get_object_or_404(VariableMonitor, pk=pk, station=station)
        command = monitoring.clear_monitor(monitor=row, requested_by=request.user, now=timezone.now())
        if command is None:
            return Response(status=status.HTTP_204_NO_CONTENT)
        return Response({"id": command.pk}, status=status.HTTP_202_ACCEPTED)


class ReadMonitorsView(generics.GenericAPIView[VariableMonitor]):
    """The station's own list."""

    scope = Scope.CONFIGURE
    serializer_class = QueuedSerializer
    queryset = VariableMonitor.objects.none()

    @extend_schema(request=None, responses={202: QueuedSerializer, 409: None})
    def post(self, request: Request, id: str) -> Response:  # noqa: A002 - as above
        """Ask the station for all its monitors (GetMonitoringReport). 409: it is being asked already."""
        station = _operable(request, id)
        now = timezone.now()
        command = device_model.read_monitors(station=station, requested_by=request.user, now=now)
        if command is None:
            return Response({"detail": "It is being asked already."}, status=status.HTTP_409_CONFLICT)
        return Response({"id": command.pk}, status=status.HTTP_202_ACCEPTED)


class MonitoringView(generics.GenericAPIView[VariableMonitor]):
    """What of its monitors a station uses."""

    scope = Scope.CONFIGURE
    serializer_class = MonitoringSerializer
    queryset = VariableMonitor.objects.none()

    @extend_schema(request=MonitoringSerializer, responses={202: QueuedSerializer(many=True)})
    def post(self, request: Request, id: str) -> Response:  # noqa: A002 - as above
        """SetMonitoringBase, SetMonitoringLevel, or both: a command each, in the order that it answers them."""
        station = _operable(request, id)
        asked = MonitoringSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said, now, queued = asked.validated_data, timezone.now(), []
        if "base" in said:
            base = said["base"]
            queued.append(monitoring.set_base(station=station, base=base, requested_by=request.user, now=now))
        if "severity" in said:
            severity = said["severity"]
            queued.append(
                monitoring.set_level(station=station, severity=severity, requested_by=request.user, now=now)
            )
        return Response([{"id": command.pk} for command in queued], status=status.HTTP_202_ACCEPTED)
