"""The API of limits: what counts on a station and why, its composite schedule, the profiles that should stand there.

Access starts at the queryset: what a user may not see is not found.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from smartcharging import services
from smartcharging.domain.explain import Outcome
from smartcharging.in_force import composite_of, limit_now, limits_over
from smartcharging.models import DesiredProfile, ReportedSchedule
from smartcharging.reasons import problem_json
from stations.api import MomentField, visitor
from stations.models import Station
from stations.scopes import Scope

LONGEST_H = 24 * 7


class PeriodSerializer(serializers.Serializer[Any]):
    """From `start_s` on at most `limit`, in A per phase or W in total; null: no limit known."""

    start_s = serializers.IntegerField()
    limit = serializers.FloatField(allow_null=True)
    phases = serializers.IntegerField(allow_null=True, required=False, default=None)


class WantedPeriodSerializer(PeriodSerializer):
    limit = serializers.FloatField()


class ProfileSerializer(serializers.ModelSerializer[DesiredProfile]):
    """A profile that should stand on a station, and how far it has come."""

    station = serializers.CharField(source="station.identity")
    periods = PeriodSerializer(many=True)

    class Meta:
        model = DesiredProfile
        fields = (
            "id",
            "station",
            "evse_number",
            "name",
            "version",
            "profile_id",
            "purpose",
            "stack_level",
            "kind",
            "recurrency",
            "transaction_id",
            "valid_from",
            "valid_to",
            "start_schedule",
            "duration_s",
            "unit",
            "periods",
            "state",
            "reason",
            "attempts",
            "next_attempt_at",
            "requested_at",
            "settled_at",
            "withdrawn_at",
        )


class WantedProfileSerializer(serializers.Serializer[Any]):
    """A profile to set. What the station's rules and capabilities say of it, the service says."""

    station = serializers.CharField(max_length=48, help_text="OCPP identity")
    evse_number = serializers.IntegerField(min_value=0, max_value=1000, default=0)
    name = serializers.CharField(max_length=100)
    purpose = serializers.ChoiceField(choices=DesiredProfile.Purpose.choices)
    kind = serializers.ChoiceField(choices=DesiredProfile.Kind.choices)
    unit = serializers.ChoiceField(choices=DesiredProfile.Unit.choices)
    periods = WantedPeriodSerializer(many=True, allow_empty=False)
    stack_level = serializers.IntegerField(min_value=0, max_value=1000)
    start_schedule = MomentField(latest=9999, required=False, allow_null=True)
    duration_s = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=2_000_000_000
    )
    recurrency = serializers.ChoiceField(
        choices=DesiredProfile.Recurrency.choices, required=False, default=""
    )
    valid_from = MomentField(latest=9999, required=False, allow_null=True)
    valid_to = MomentField(latest=9999, required=False, allow_null=True)
    transaction_id = serializers.CharField(required=False, default="", allow_blank=True, max_length=36)


class MomentSerializer(serializers.Serializer[Any]):
    evse = serializers.IntegerField(min_value=0, max_value=1000, default=0)
    at = MomentField(required=False, default=None, allow_null=True)
    hours = serializers.IntegerField(
        min_value=0, max_value=LONGEST_H, default=0, help_text="So far ahead `over_time` reaches; 0: not."
    )


class WindowSerializer(serializers.Serializer[Any]):
    evse = serializers.IntegerField(min_value=0, max_value=1000, default=0)
    hours = serializers.IntegerField(min_value=1, max_value=LONGEST_H, default=24)


class ReasonSerializer(serializers.Serializer[Any]):
    """What would limit by itself, and what became of it."""

    by = serializers.ChoiceField(source="source", choices=["profile", "other", "connection", "socket"])
    evse = serializers.IntegerField(source="evse_number", help_text="0: the whole station")
    name = serializers.CharField()
    profile = serializers.IntegerField(source="desired.pk", allow_null=True, default=None)
    purpose = serializers.CharField(source="desired.purpose", allow_null=True, default=None)
    stack_level = serializers.IntegerField(source="desired.stack_level", allow_null=True, default=None)
    limit_a = serializers.FloatField(source="limit", allow_null=True)
    outcome = serializers.ChoiceField(
        choices=[str(outcome) for outcome in Outcome],
        help_text="wins; adds: on top of the limit; higher: leads its purpose, but another limit is lower; "
        "outranked: a higher stack level has a period; overruled: a stronger purpose has one",
    )


class StretchSerializer(serializers.Serializer[Any]):
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    limit_a = serializers.FloatField(source="limit", allow_null=True)
    reasons = ReasonSerializer(many=True)


class LimitSerializer(serializers.Serializer[Any]):
    """The limit at a moment, in A per phase, and why."""

    evse = serializers.IntegerField(source="evse_number")
    at = serializers.DateTimeField()
    limit_a = serializers.FloatField(source="limit", allow_null=True)
    because = serializers.CharField()
    profile = serializers.IntegerField(source="winner.pk", allow_null=True, default=None)
    stack_level = serializers.IntegerField(source="winner.stack_level", allow_null=True, default=None)
    until = serializers.DateTimeField(allow_null=True)
    next_limit_a = serializers.FloatField(source="next_limit", allow_null=True)
    reasons = ReasonSerializer(many=True)
    over_time = StretchSerializer(many=True, help_text="So many hours from `at` on as asked for, else empty.")


class ScheduleSerializer(serializers.Serializer[Any]):
    start = serializers.DateTimeField(allow_null=True)
    duration_s = serializers.IntegerField(allow_null=True)
    unit = serializers.CharField()
    periods = PeriodSerializer(many=True)


class ComparisonSerializer(serializers.Serializer[Any]):
    verdict = serializers.CharField()
    reason = serializers.CharField()
    largest_difference = serializers.FloatField(allow_null=True)
    first_difference_at = serializers.DateTimeField(allow_null=True)


class ReportedSerializer(ScheduleSerializer):
    """As the station reported it, and how it compares with ours."""

    state = serializers.CharField()
    read_at = serializers.DateTimeField()
    comparison = ComparisonSerializer(allow_null=True)


class BothSchedulesSerializer(serializers.Serializer[Any]):
    evse = serializers.IntegerField()
    ours = ScheduleSerializer()
    reported = ReportedSerializer(allow_null=True)


class _StationView(APIView):
    """What belongs to one station that the user may see."""

    def station(self, request: Request, identity: str, evse: int) -> Station:
        rows = Station.objects.visible_to(visitor(request))
        station: Station = get_object_or_404(rows, identity=identity)
        if evse and not station.evses.filter(number=evse).exists():
            raise ValidationError({"evse": [f"The station has no EVSE {evse}."]})
        return station


class LimitView(_StationView):
    scope = Scope.READ

    @extend_schema(parameters=[MomentSerializer], responses=LimitSerializer)
    def get(self, request: Request, id: str) -> Response:  # noqa: A002 - the name in the address
        """The limit at a moment (now, if not given), what sets it, and what would if that were not there."""
        asked = MomentSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        evse, at = asked.validated_data["evse"], asked.validated_data["at"] or timezone.now()
        station, hours = self.station(request, id, evse), asked.validated_data["hours"]
        answer = limit_now(station, evse, at)
        if hours:
            answer = replace(answer, over_time=limits_over(station, evse, start=at, duration_s=hours * 3600))
        return Response(LimitSerializer(answer).data)


class ScheduleView(_StationView):
    scope = Scope.READ

    @extend_schema(parameters=[WindowSerializer], responses=BothSchedulesSerializer)
    def get(self, request: Request, id: str) -> Response:  # noqa: A002 - the name in the address
        """The composite schedule: ours from now on, and the last that the station reported."""
        asked = WindowSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        evse, hours = asked.validated_data["evse"], asked.validated_data["hours"]
        station = self.station(request, id, evse)
        ours = composite_of(
            station, evse_number=evse, start=timezone.now(), duration_s=hours * 3600, unit="A"
        )
        rows = ReportedSchedule.objects.filter(station=station, evse_number=evse)
        reported = rows.select_related("comparison").first()
        both = {"evse": evse, "ours": ours, "reported": reported}
        return Response(BothSchedulesSerializer(both).data)


class ProfileViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[DesiredProfile],
):
    """Profiles that should stand on stations. POST sets one; DELETE withdraws it from its station."""

    scope = Scope.PLAN
    serializer_class = ProfileSerializer
    queryset = DesiredProfile.objects.none()

    def get_queryset(self) -> QuerySet[DesiredProfile]:
        rows: QuerySet[DesiredProfile] = DesiredProfile.objects.visible_to(visitor(self.request))
        wanted = self.request.query_params.get("station")
        rows = rows.filter(station__identity=wanted) if wanted else rows
        return rows.select_related("station").order_by("-pk")

    @extend_schema(request=WantedProfileSerializer, responses={201: ProfileSerializer})
    def create(self, request: Request) -> Response:
        """Set a profile; it is sent, read back and compared.

        400 names the field that cannot be. Where a rule of OCPP or of ours is broken, each problem has its `field`, a
        `code`, a `text` for people, and the `clause` of the standard ("OCPP 2.0.1 K01.FR.31"; empty: our own rule).
        """
        wanted = WantedProfileSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        wish = dict(wanted.validated_data)
        rows = Station.objects.plannable_by(visitor(request))
        station = get_object_or_404(rows, identity=wish.pop("station"))
        wish["periods"] = [services.LimitPeriod(**period) for period in wish["periods"]]
        try:
            row = services.set_profile(station=station, requested_by=request.user, now=timezone.now(), **wish)
        except services.CannotSet as error:
            raise ValidationError({error.field: [problem_json(error.problem)]}) from error
        return Response(ProfileSerializer(row).data, status=201)

    @extend_schema(responses={202: ProfileSerializer})
    def destroy(self, request: Request, pk: str) -> Response:
        """Withdraw it: cleared from the station by its exact id, and read back."""
        rows = DesiredProfile.objects.plannable_by(visitor(request)).current()
        row = get_object_or_404(rows, pk=pk)
        services.withdraw(row, requested_by=request.user, now=timezone.now())
        return Response(ProfileSerializer(row).data, status=202)
