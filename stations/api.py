"""The API of what is out there: stations, their messages, commands, sessions, readings, registers.

Access starts at the queryset: what a user may not see is not found. Times are RFC 3339, units are in the names.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta, tzinfo
from typing import Any, cast

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from stations import commands, exchanges, framelog
from stations.models import ChargingSession, Command, Evse, MeterReading, Presence, Site, Station, Token
from stations.models.access import OPERATOR_ROLES, Visitor, parties_of
from stations.objections import Objected
from stations.ocpp.masking import mask_payload
from stations.ocpp.readings import MEASURED
from stations.ocpp.validation import SchemaViolation, UnknownAction
from stations.presence import online
from stations.scopes import Scope

IDENTITY = "[^/]+"
MOST_LINES = 1000
# How far back a register is looked for; and how far apart the last import and the last export of a meter are.
REMEMBERED, TOGETHER = timedelta(days=92), timedelta(days=1)


def visitor(request: Request) -> Visitor:
    """Who asks."""
    return cast("Visitor", request.user)


class MomentField(serializers.DateTimeField):
    """A moment to reckon with: days before and after it are in the calendar too, in every zone.

    `latest`: the last year; 9999 where it may mean "for ever".
    """

    EARLIEST = 1900

    def __init__(self, *, latest: int = 8999, **kwargs: Any) -> None:
        self.latest = latest
        super().__init__(**kwargs)

    def to_internal_value(self, value: Any) -> datetime:
        try:
            moment: datetime = super().to_internal_value(value)
        except OverflowError:  # the first day of year 1, which is none in the zone of the portal
            self.fail("overflow")
        if not self.EARLIEST <= moment.year <= self.latest:
            raise ValidationError(f"Give a moment from {self.EARLIEST} to {self.latest}.")
        return moment


# ---------------------------------------------------------------------------------------------------- what is shown


class ShownMomentField(serializers.DateTimeField):
    """In the portal's zone. Which zone is current is slow to ask for each of hundreds, and is never another."""

    def default_timezone(self) -> tzinfo:
        return timezone.get_default_timezone()


class ConnectorSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    status = serializers.CharField()
    error_code = serializers.CharField()
    status_at = ShownMomentField(allow_null=True)


class EvseSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    socket_phases = serializers.IntegerField()
    socket_a = serializers.IntegerField()
    connectors = ConnectorSerializer(many=True)


class CapabilitiesSerializer(serializers.Serializer[Any]):
    """What the station said it can take; null where it did not say."""

    read_at = ShownMomentField()
    smart_charging = serializers.BooleanField(allow_null=True)
    max_stack_level = serializers.IntegerField(allow_null=True)
    max_periods = serializers.IntegerField(allow_null=True)
    max_profiles = serializers.IntegerField(allow_null=True)
    rate_units = serializers.ListField(child=serializers.CharField())
    phases = serializers.IntegerField(allow_null=True)
    measurands = serializers.ListField(child=serializers.CharField())
    measurands_offered = serializers.ListField(child=serializers.CharField(), allow_null=True)
    ac_phase_switching = serializers.BooleanField(allow_null=True)
    supported_purposes = serializers.ListField(child=serializers.CharField(), allow_null=True)
    dynamic_profiles = serializers.BooleanField(allow_null=True)
    local_time = serializers.BooleanField(allow_null=True)
    operation_modes = serializers.ListField(child=serializers.CharField(), allow_null=True)


class StationSerializer(serializers.ModelSerializer[Station]):
    id = serializers.CharField(source="identity")
    operator = serializers.CharField(source="site.operator.slug")
    municipality = serializers.CharField(source="site.concession.municipality.slug")
    site = serializers.CharField(source="site.name")
    online = serializers.BooleanField()
    capabilities = CapabilitiesSerializer(allow_null=True)
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


class LogLineSerializer(serializers.Serializer[Any]):
    """One frame as sent, tokens and secrets masked."""

    at = serializers.DateTimeField()
    direction = serializers.ChoiceField(choices=["in", "out"])
    kind = serializers.CharField()
    action = serializers.CharField()
    message_id = serializers.CharField()
    text = serializers.CharField()


class LogSerializer(serializers.Serializer[Any]):
    results = LogLineSerializer(many=True)


class WantedLines(serializers.Serializer[Any]):
    """Filters of the log."""

    direction = serializers.ChoiceField(choices=["in", "out"], required=False, default="")
    action = serializers.CharField(required=False, default="", max_length=50)
    text = serializers.CharField(required=False, default="", max_length=100)
    before = MomentField(required=False, default=None, allow_null=True)
    since = MomentField(required=False, default=None, allow_null=True)
    outcome = serializers.ChoiceField(
        choices=[outcome.value for outcome in exchanges.Outcome],
        required=False,
        default="",
        help_text="Of the question; then lines come in pairs, and `before` is about questions. So with `transaction`.",
    )
    transaction = serializers.CharField(
        required=False, default="", max_length=36, help_text="The number of 1.6 or the id of 2.x."
    )
    limit = serializers.IntegerField(required=False, default=100, min_value=1, max_value=MOST_LINES)


class CommandRequestSerializer(serializers.Serializer[Any]):
    action = serializers.CharField(max_length=50)
    payload = serializers.DictField(required=False, default=dict)
    check = serializers.BooleanField(
        required=False,
        default=True,
        help_text="false: send it although a charging profile in it breaks a rule, to see what the station does.",
    )


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
    """`energy_wh` and `exported_wh` are registers, end less start; null while unknown.

    `import_fall` and `export_fall` say why, where that register fell within the session. `over_by`: its end was never
    told, and this is the latest that it can have been.

    The cost is written down when the session has ended, and may change until `settled_at`. Amounts are null while it
    runs, and where `cost_unknown` says why. `cost_lines`: what was used of each price (OCPI's dimensions).
    """

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
            "over_by",
            "energy_wh",
            "import_fall",
            "exported_wh",
            "export_fall",
            "charging_state",
            "end_reason",
            "was_offline",
            "cost_excl_tax",
            "cost_incl_tax",
            "cost_currency",
            "cost_unknown",
            "cost_lines",
            "settled_at",
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


def _lines_of(station: Station, *, outcome: str, transaction: str, **wanted: Any) -> list[framelog.LogLine]:
    if not outcome and not transaction:
        return framelog.frames_of(station, **wanted)
    search = exchanges.Search(
        direction=wanted["direction"],
        action=wanted["action"],
        text=wanted["text"],
        outcome=outcome,
        transaction=transaction,
        since=wanted["since"],
    )
    return exchanges.lines_of(station, search, before=wanted["before"], limit=wanted["limit"])


class StationViewSet(viewsets.ReadOnlyModelViewSet[Station]):
    """Stations that you may see, by their OCPP identity."""

    scope = Scope.COMMAND
    serializer_class = StationSerializer
    lookup_field = "identity"
    lookup_url_kwarg = "id"
    lookup_value_regex = IDENTITY
    queryset = Station.objects.none()

    def get_queryset(self) -> QuerySet[Station]:
        present = Presence.objects.filter(online(timezone.now()), station=OuterRef("pk"))
        stations = Station.objects.visible_to(visitor(self.request)).with_place().with_sockets()
        rows: QuerySet[Station] = stations.annotate(online=Exists(present))
        return rows

    @extend_schema(parameters=[WantedLines], responses=LogSerializer)
    @action(detail=True, pagination_class=None, filter_backends=[])
    def messages(self, request: Request, id: str) -> Response:  # noqa: A002 - the name in the address
        """The OCPP log, newest first; go on with `before` = the time of the last line. For the operator only."""
        # An official reads what a station is, never what a driver did there: as Frame's own queryset says.
        station = get_object_or_404(Station.objects.worked_on_by(visitor(request)), identity=id)
        wanted = WantedLines(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        lines = _lines_of(station, **wanted.validated_data)
        return Response({"results": LogLineSerializer(lines, many=True).data})

    @extend_schema(request=CommandRequestSerializer, responses={202: QueuedSerializer})
    @action(detail=True, methods=["post"])
    def commands(self, request: Request, id: str) -> Response:  # noqa: A002 - the name in the address
        """Queue a command; the payload is as on the wire.

        It is checked against the schema first, and a charging profile in it by the rules of its OCPP version too: then
        400 has for the field a `code`, a `text`, and the `clause` of the standard that it breaks. Only the rules can be
        passed over, with `check` false. Every action that a CSMS asks can be asked; for what only a station asks the
        field `action` gets the 400. Tokens, passwords and keys in a payload are kept only until it is sent.
        """
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
        except Objected as error:
            objection = asdict(error.objection)
            objection["field"] = f"payload.{error.objection.field}".rstrip(".")
            raise ValidationError({objection["field"]: [objection]}) from error
        return Response({"id": command.pk}, status=status.HTTP_202_ACCEPTED)


class CommandViewSet(mixins.RetrieveModelMixin, viewsets.GenericViewSet[Command]):
    """One command, from the wish to the answer."""

    scope = Scope.COMMAND
    serializer_class = CommandSerializer
    queryset = Command.objects.none()

    def get_queryset(self) -> QuerySet[Command]:
        rows: QuerySet[Command] = Command.objects.visible_to(visitor(self.request))
        return rows.select_related("station")


class SessionViewSet(viewsets.ReadOnlyModelViewSet[ChargingSession]):
    """Charging sessions: an operator's, and a driver's own."""

    scope = Scope.READ
    serializer_class = SessionSerializer
    queryset = ChargingSession.objects.none()

    def get_queryset(self) -> QuerySet[ChargingSession]:
        seen = ChargingSession.objects.filter(_seen_by(visitor(self.request)))
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


def _seen_by(user: Visitor) -> Q:
    """An operator's sessions, and a driver's own.

    Who is one of both is asked first: a condition on either serves no index, and a fleet has millions of sessions. With
    the keys themselves the database knows whether few or many are theirs.
    """
    if getattr(user, "is_superuser", False):
        return Q()
    operators = parties_of(user, roles=OPERATOR_ROLES, party="operator")
    # A token of the API for one party is not for what is the person's own.
    is_own = not getattr(user, "is_for_party", False)
    tokens = list(Token.objects.filter(user=user.pk).values_list("pk", flat=True)) if is_own else []
    worked, own = Q(station__site__operator__in=operators), Q(token__in=tokens)
    return worked | own if operators and tokens else worked if operators else own


class RegisterViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Evse]):
    """The last energy registers of each EVSE, import and export apart; `registers/{id}/` tells them over time."""

    scope = Scope.READ
    serializer_class = RegisterSerializer
    queryset = Evse.objects.none()

    def get_queryset(self) -> QuerySet[Evse]:
        user, wanted = visitor(self.request), self.request.query_params.get("station")
        if not Site.objects.visible_to(user).exists():
            return Evse.objects.none()  # sites are few: to find none of the EVSEs, all would be looked at
        stations = Station.objects.visible_to(user)
        if wanted:
            stations = stations.filter(identity=wanted)
        rows = Evse.objects.filter(station__in=stations).select_related("station")
        return _with_registers(rows, now=timezone.now()).order_by("station__identity", "number")

    @extend_schema(parameters=[OpenApiParameter("station", OpenApiTypes.STR, description="OCPP identity")])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)


def _with_registers(evses: QuerySet[Evse], *, now: datetime) -> QuerySet[Evse]:
    """With the last value of both registers and its moment; null where it was not sent for so long.

    Bounded, for what a station never sends is looked for in vain: the import for REMEMBERED, the export where the
    import ends, since a station that sends it sends both.
    """
    imported = _last("import", since=Value(now - REMEMBERED))
    exported = _last("export", since=Coalesce(OuterRef("import_at"), Value(now)) - TOGETHER)
    rows: QuerySet[Evse] = evses.annotate(**imported).annotate(**exported)
    return rows


def _last(register: str, *, since: Combinable) -> dict[str, Subquery]:
    """The last value of a register since then, and its moment; by time, as the index is."""
    rows = MeterReading.objects.filter(
        station=OuterRef("station_id"),
        evse_number=OuterRef("number"),
        sampled_at__gte=since,
        **{f"{register}_wh__isnull": False},
    ).order_by("-sampled_at")
    return {
        f"{register}_wh": Subquery(rows.values(f"{register}_wh")[:1]),
        f"{register}_at": Subquery(rows.values("sampled_at")[:1]),
    }
