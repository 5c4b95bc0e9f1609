"""The API of what stations turned out to hold: lost limits, limits of others, and a station's own list of profiles."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from smartcharging import drifts
from smartcharging.models import Drift, ExternalLimit, ProfileReport, ReportedProfile
from stations.api import visitor
from stations.models import Station
from stations.scopes import Scope

STATION = OpenApiParameter("station", str, description="OCPP identity")


class DriftSerializer(serializers.ModelSerializer[Drift]):
    """A limit that a station turned out not to have, when it was found, and how it ended."""

    station = serializers.CharField(source="desired.station.identity")
    profile = serializers.IntegerField(source="desired_id")
    name = serializers.CharField(source="desired.name")
    reason = serializers.CharField()

    class Meta:
        model = Drift
        fields = (
            "id",
            "station",
            "profile",
            "name",
            "found_at",
            "stood_at",
            "occasion",
            "reason_code",
            "reason",
            "put_back_at",
            "ended_at",
            "end",
        )


class ExternalLimitSerializer(serializers.ModelSerializer[ExternalLimit]):
    """A limit that somebody else set, as the station told it; no schedules: it did not say how low."""

    station = serializers.CharField(source="station.identity")
    schedules = serializers.ListField(child=serializers.DictField())

    class Meta:
        model = ExternalLimit
        fields = (
            "id",
            "station",
            "evse_number",
            "source",
            "is_grid_critical",
            "is_local_generation",
            "schedules",
            "since",
            "cleared_at",
        )


class ListedProfileSerializer(serializers.ModelSerializer[ReportedProfile]):
    """`profile` is as the station sent it."""

    profile = serializers.DictField()

    class Meta:
        model = ReportedProfile
        fields = ("evse_number", "source", "profile_id", "profile")


class ProfileListSerializer(serializers.ModelSerializer[ProfileReport]):
    profiles = ListedProfileSerializer(many=True)

    class Meta:
        model = ProfileReport
        fields = ("state", "asked_at", "read_at", "profiles")


class _OfStations(mixins.ListModelMixin, viewsets.GenericViewSet[Any]):
    """A list that can be narrowed to a station, and to what still is so."""

    station_lookup = "station__identity"
    end_lookup = ""

    def narrowed(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        asked = self.request.query_params
        if asked.get("station"):
            rows = rows.filter(**{self.station_lookup: asked["station"]})
        if asked.get("open") in {"true", "false"}:
            rows = rows.filter(**{f"{self.end_lookup}__isnull": asked["open"] == "true"})
        return rows


OPEN = OpenApiParameter("open", bool, description="true: what still is so; false: what is over")


@extend_schema(parameters=[STATION, OPEN])
class DriftViewSet(_OfStations):
    """Limits that stations had lost. Newest first; POST put_back sends one again."""

    scope = Scope.PLAN
    serializer_class = DriftSerializer
    queryset = Drift.objects.none()
    station_lookup, end_lookup = "desired__station__identity", "ended_at"

    def get_queryset(self) -> QuerySet[Drift]:
        rows = Drift.objects.visible_to(visitor(self.request)).select_related("desired__station")
        return self.narrowed(rows).order_by("-pk")

    @extend_schema(request=None, responses={202: DriftSerializer})
    @action(detail=True, methods=["post"])
    def put_back(self, request: Request, pk: str) -> Response:
        """Send the limit again, and read it back. 400: there is nothing to put back."""
        rows = Drift.objects.plannable_by(visitor(request)).select_related("desired__station")
        drift = get_object_or_404(rows, pk=pk)
        try:
            drifts.put_back(drift.desired, requested_by=request.user, now=timezone.now())
        except drifts.CannotPutBack as error:
            raise ValidationError(str(error)) from error
        drift.refresh_from_db()
        return Response(DriftSerializer(drift).data, status=202)


@extend_schema(parameters=[STATION, OPEN])
class ExternalLimitViewSet(_OfStations):
    """Limits that others set on stations, newest first."""

    scope = Scope.READ
    serializer_class = ExternalLimitSerializer
    queryset = ExternalLimit.objects.none()
    end_lookup = "cleared_at"

    def get_queryset(self) -> QuerySet[ExternalLimit]:
        rows = ExternalLimit.objects.visible_to(visitor(self.request)).select_related("station")
        return self.narrowed(rows).order_by("-pk")


class InstalledView(APIView):
    scope = Scope.READ

    @extend_schema(responses=ProfileListSerializer)
    def get(self, request: Request, id: str) -> Response:  # noqa: A002 - the name in the address
        """The profiles on a station by its own last list (2.x). 404: it was never asked."""
        station = get_object_or_404(Station.objects.visible_to(visitor(request)), identity=id)
        rows = ProfileReport.objects.filter(station=station).prefetch_related("profiles").order_by("-pk")
        return Response(ProfileListSerializer(_first(rows)).data)


def _first(rows: QuerySet[ProfileReport]) -> ProfileReport:
    report = rows.first()
    if report is None:
        raise Http404
    return report
