"""The API of what is out there: stations, their messages, commands, sessions, readings, registers.

Access starts at the queryset: what a user may not see is not found. Times are RFC 3339, units are in the names.
"""

from __future__ import annotations

from typing import Any, cast

from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from stations import commands, framelog
from stations.models import ChargingSession, Command, Evse, MeterReading, Presence, Station
from stations.models.access import Visitor
from stations.ocpp.masking import mask_payload
from stations.ocpp.readings import MEASURED
from stations.ocpp.validation import SchemaViolation, UnknownAction
from stations.presence import online

IDENTITY = "[^/]+"
MOST_LINES = 1000


def visitor(request: Request) -> Visitor:
    """Who asks."""
    return cast("Visitor", request.user)


# ---------------------------------------------------------------------------------------------------- what is shown


class ConnectorSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    status = serializers.CharField()
    error_code = serializers.CharField()
    status_at = serializers.DateTimeField(allow_null=True)


class EvseSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    socket_phases = serializers.IntegerField()
    socket_a = serializers.IntegerField()
    connectors = ConnectorSerializer(many=True)


class CapabilitiesSerializer(serializers.Serializer[Any]):
    """What the station said it can take; null where it did not say."""

    read_at = serializers.DateTimeField()
    smart_charging = serializers.BooleanField(allow_null=True)
    max_stack_level = serializers.IntegerField(allow_null=True)
    max_periods = serializers.IntegerField(allow_null=True)
    max_profiles = serializers.IntegerField(allow_null=True)
    rate_units = serializers.ListField(child=serializers.CharField())
    phases = serializers.IntegerField(allow_null=True)


class StationSerializer(serializers.ModelSerializer[Station]):
    id = serializers.CharField(source="identity")
    operator = serializers.CharField(source="site.operator.slug")
    municipality = serializers.CharField(source="site.concession.municipality.slug")
    site = serializers.CharField(source="site.name")
    online = serializers.BooleanField()
    capabilities = serializers.SerializerMethodField()
    evses = EvseSerializer(many=True)

    class Meta:
        model = Station
        fields = (
            "id",
            "name",
            "operator",
            "municipality",
            "site",
            "ocpp_version",
            "connection_phases",
            "connection_a",
            "vendor",
            "model",
            "serial_number",
            "firmware",
            "booted_at",
            "status",
            "online",
            "capabilities",
            "evses",
        )

    @extend_schema_field(CapabilitiesSerializer(allow_null=True))
    def get_capabilities(self, station: Station) -> Any:
        said = getattr(station, "capabilities", None)
        return CapabilitiesSerializer(said).data if said else None


class LogLineSerializer(serializers.Serializer[Any]):
    """One frame as sent, tokens and secrets masked."""

    at = serializers.DateTimeField()
    direction = serializers.ChoiceField(choices=["in", "out"])
    kind = serializers.CharField()
    action = serializers.CharField()
    message_id = serializers.CharField()
    text = serializers.CharField()


class WantedLines(serializers.Serializer[Any]):
    """Filters of the log."""

    direction = serializers.ChoiceField(choices=["in", "out"], required=False, default="")
    action = serializers.CharField(required=False, default="", max_length=50)
    text = serializers.CharField(required=False, default="", max_length=100)
    before = serializers.DateTimeField(required=False, default=None, allow_null=True)
    limit = serializers.IntegerField(required=False, default=100, min_value=1, max_value=MOST_LINES)


class CommandRequestSerializer(serializers.Serializer[Any]):
    action = serializers.CharField(max_length=50)
    payload = serializers.DictField(required=False, default=dict)


class QueuedSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()


class CommandSerializer(serializers.ModelSerializer[Command]):
    """While it waits its row has the token or the password that it is to bring; nobody reads those here."""

    station = serializers.CharField(source="station.identity")
    payload = serializers.SerializerMethodField()
    response = serializers.DictField(allow_null=True)

    class Meta:
        model = Command
        fields = (
            "id",
            "station",
            "action",
            "payload",
            "state",
            "response",
            "error",
            "requested_at",
            "sent_at",
            "answered_at",
        )

    def get_payload(self, command: Command) -> dict[str, Any]:
        return mask_payload(command.action, command.payload)


class SessionSerializer(serializers.ModelSerializer[ChargingSession]):
    """`energy_wh` and `exported_wh` are registers, end less start; null while unknown."""

    station = serializers.CharField(source="station.identity")
    energy_wh = serializers.FloatField(allow_null=True)
    exported_wh = serializers.FloatField(allow_null=True)

    class Meta:
        model = ChargingSession
        fields = (
            "id",
            "station",
            "evse_number",
            "connector_number",
            "transaction_id",
            "state",
            "started_at",
            "ended_at",
            "energy_wh",
            "exported_wh",
            "charging_state",
            "end_reason",
            "was_offline",
        )


class ReadingSerializer(serializers.ModelSerializer[MeterReading]):
    """All that was measured at one moment; null is not sent."""

    class Meta:
        model = MeterReading
        fields = ("sampled_at", "received_at", "context", *MEASURED)


class RegisterSerializer(serializers.Serializer[Any]):
    """The last known registers of an EVSE: import and export are two, never netted."""

    station = serializers.CharField(source="station.identity")
    evse = serializers.IntegerField(source="number")
    import_wh = serializers.FloatField(allow_null=True)
    import_at = serializers.DateTimeField(allow_null=True)
    export_wh = serializers.FloatField(allow_null=True)
    export_at = serializers.DateTimeField(allow_null=True)


# --------------------------------------------------------------------------------------------------------- the views


class StationViewSet(viewsets.ReadOnlyModelViewSet[Station]):
    """Stations that you may see, by their OCPP identity."""

    serializer_class = StationSerializer
    lookup_field = "identity"
    lookup_url_kwarg = "id"
    lookup_value_regex = IDENTITY
    queryset = Station.objects.none()

    def get_queryset(self) -> QuerySet[Station]:
        present = Presence.objects.filter(online(timezone.now()), station=OuterRef("pk"))
        stations: QuerySet[Station] = Station.objects.visible_to(visitor(self.request)).with_place()
        return stations.annotate(online=Exists(present)).prefetch_related("evses__connectors")

    @extend_schema(parameters=[WantedLines], responses=LogLineSerializer(many=True))
    @action(detail=True, pagination_class=None, filter_backends=[])
    def messages(self, request: Request, id: str) -> Response:  # noqa: A002 - the name in the address
        """The OCPP log, newest first; go on with `before` = the time of the last line. For the operator only."""
        # An official reads what a station is, never what a driver did there: as Frame's own queryset says.
        station = get_object_or_404(Station.objects.worked_on_by(visitor(request)), identity=id)
        wanted = WantedLines(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        lines = framelog.frames_of(station, **wanted.validated_data)
        return Response({"results": LogLineSerializer(lines, many=True).data})

    @extend_schema(request=CommandRequestSerializer, responses={202: QueuedSerializer})
    @action(detail=True, methods=["post"])
    def commands(self, request: Request, id: str) -> Response:  # noqa: A002 - the name in the address
        """Queue a command; the payload is as on the wire and is checked against the schema first."""
        station = get_object_or_404(Station.objects.operable_by(visitor(request)), identity=id)
        asked = CommandRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            command = commands.request(
                station=station,
                origin="api",
                requested_by=request.user,
                now=timezone.now(),
                **asked.validated_data,
            )
        except UnknownAction as error:
            raise ValidationError({"action": [str(error)]}) from error
        except SchemaViolation as error:
            field = f"payload.{error.field}" if error.field else "payload"
            raise ValidationError({field: [error.problem]}) from error
        return Response({"id": command.pk}, status=status.HTTP_202_ACCEPTED)


class CommandViewSet(mixins.RetrieveModelMixin, viewsets.GenericViewSet[Command]):
    """One command, from the wish to the answer."""

    serializer_class = CommandSerializer
    queryset = Command.objects.none()

    def get_queryset(self) -> QuerySet[Command]:
        rows: QuerySet[Command] = Command.objects.visible_to(visitor(self.request))
        return rows.select_related("station")


class SessionViewSet(viewsets.ReadOnlyModelViewSet[ChargingSession]):
    """Charging sessions: an operator's, and a driver's own."""

    serializer_class = SessionSerializer
    queryset = ChargingSession.objects.none()

    def get_queryset(self) -> QuerySet[ChargingSession]:
        user = visitor(self.request)
        seen = ChargingSession.objects.visible_to(user)
        if not getattr(user, "is_superuser", False):
            seen = seen | ChargingSession.objects.of_driver(user)
        rows: QuerySet[ChargingSession] = seen.select_related("station").order_by("-started_at", "-pk")
        wanted = self.request.query_params.get("station")
        return rows.filter(station__identity=wanted) if wanted else rows

    @extend_schema(parameters=[OpenApiParameter("station", OpenApiTypes.STR, description="OCPP identity")])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(responses=ReadingSerializer(many=True))
    @action(detail=True)
    def readings(self, request: Request, pk: str) -> Response:
        """What was measured during the session, in order."""
        session = self.get_object()
        rows = MeterReading.objects.filter(station=session.station, transaction_id=session.transaction_id)
        if session.started_at:  # 1.6 numbers could come round again, and the index is by time
            rows = rows.filter(sampled_at__gte=session.started_at)
        page = self.paginate_queryset(rows.order_by("sampled_at"))
        return self.get_paginated_response(ReadingSerializer(page, many=True).data)


class RegisterViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Evse]):
    """The energy registers of each EVSE, import and export apart."""

    serializer_class = RegisterSerializer
    queryset = Evse.objects.none()

    def get_queryset(self) -> QuerySet[Evse]:
        stations = Station.objects.visible_to(visitor(self.request))
        wanted = self.request.query_params.get("station")
        if wanted:
            stations = stations.filter(identity=wanted)
        rows = Evse.objects.filter(station__in=stations).select_related("station")
        return rows.annotate(**_last("import"), **_last("export")).order_by("station__identity", "number")

    @extend_schema(parameters=[OpenApiParameter("station", OpenApiTypes.STR, description="OCPP identity")])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)


def _last(register: str) -> dict[str, Subquery]:
    """The last value of a register and its moment."""
    rows = MeterReading.objects.filter(
        station=OuterRef("station_id"), evse_number=OuterRef("number"), **{f"{register}_wh__isnull": False}
    ).order_by("-sampled_at")
    return {
        f"{register}_wh": Subquery(rows.values(f"{register}_wh")[:1]),
        f"{register}_at": Subquery(rows.values("sampled_at")[:1]),
    }
