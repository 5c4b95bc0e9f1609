"""The API of proof: statuses, evidence, probes. What a user may not see is not found."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from portal.compliance import probes, statuses
from portal.compliance.dossier import sentence, step_text
from portal.compliance.models import Evidence, Probe, Status
from portal.compliance.permissions import may_probe
from portal.compliance.reproduce import as_json, reproduce
from portal.compliance.sentences import say
from portal.compliance.standing_list import standing_list
from stations.api import visitor
from stations.models import Concession, Station
from stations.models.access import Visitor
from stations.scopes import Scope


# ---------------------------------------------------------------- statuses
class StatusSerializer(serializers.Serializer[Any]):
    """One requirement for one subject: a station's identity, or an operator's slug."""

    requirement = serializers.CharField()
    subject = serializers.CharField()
    status = serializers.ChoiceField(choices=Status.choices)
    figures = serializers.DictField()
    evidence = serializers.IntegerField(allow_null=True)
    at = serializers.DateTimeField(allow_null=True)


class ComplianceViewSet(viewsets.GenericViewSet[Any]):
    """The matrix as a list, what is not assessed included; an operator sees its own subjects only."""

    scope = Scope.READ
    serializer_class = StatusSerializer
    queryset = Concession.objects.none()

    @extend_schema(
        parameters=[
            OpenApiParameter("concession", str, description="slug"),
            OpenApiParameter("station", str, description="identity"),
        ],
        responses=StatusSerializer(many=True),
    )
    def list(self, request: Request) -> Response:
        rows = standing_list(
            visitor(request),
            now=timezone.now(),
            concession=request.query_params.get("concession"),
            station=request.query_params.get("station"),
        )
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response(statuses.as_json(page))


# ---------------------------------------------------------------- evidence
class EvidenceSerializer(serializers.ModelSerializer[Evidence]):
    requirement = serializers.CharField(source="requirement.code")
    concession = serializers.CharField(source="concession.slug")
    operator = serializers.CharField(source="operator.slug")
    station = serializers.CharField(source="station.identity", allow_null=True)
    reason = serializers.SerializerMethodField(
        help_text="The finding in one sentence, in the reader's language."
    )

    class Meta:
        model = Evidence
        fields = (
            "id",
            "sequence",
            "requirement",
            "concession",
            "operator",
            "station",
            "method",
            "verdict",
            "reason",
            "figures",
            "window_start",
            "window_end",
            "steps",
            "frames",
            "firmware",
            "configuration",
            "engine",
            "created_at",
            "previous_hash",
            "hash",
        )

    def get_reason(self, row: Evidence) -> str:
        return sentence(row)


class DifferenceSerializer(serializers.Serializer[Any]):
    what = serializers.CharField(help_text='"verdict", "finding", "frames", or the key of a figure.')
    then = serializers.CharField()
    now = serializers.CharField()


class ReproductionSerializer(serializers.Serializer[Any]):
    """Stored evidence judged again, from what it stores, by the check of today. Nothing is written."""

    evidence = serializers.IntegerField()
    concession = serializers.CharField()
    sequence = serializers.IntegerField()
    requirement = serializers.CharField()
    computed = serializers.BooleanField(help_text="False: a statement, which has nothing to compute from.")
    same = serializers.BooleanField(
        help_text="Verdict, finding and figures are the same, and the frames carry them."
    )
    verdict = serializers.CharField(allow_null=True)
    finding = serializers.CharField(allow_null=True)
    sentence = serializers.CharField(help_text="The finding in one sentence, in the reader's language.")
    engine = serializers.CharField(help_text="Name and version of the check that judged now.")
    engine_then = serializers.CharField()
    differences = DifferenceSerializer(many=True)


class EvidenceViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[Evidence]):
    scope = Scope.READ
    serializer_class = EvidenceSerializer
    queryset = Evidence.objects.none()

    def get_queryset(self) -> Any:
        rows = Evidence.objects.visible_to(visitor(self.request))
        return rows.select_related("requirement", "concession", "operator", "station").order_by("-pk")

    @extend_schema(responses=ReproductionSerializer)
    @action(detail=True, methods=["get"], filter_backends=[], pagination_class=None)
    def reproduce(self, request: Request, pk: str | None = None) -> Response:
        """Judge this evidence again and say what differs."""
        return Response(as_json(reproduce(self.get_object())))


# ---------------------------------------------------------------- probes
class ProbeRequestSerializer(serializers.Serializer[Any]):
    station = serializers.CharField(help_text="identity")
    requirement = serializers.CharField()
    while_charging = serializers.BooleanField(
        default=False, help_text="The operator agrees that the probe runs although a car charges."
    )


class ProbeSerializer(serializers.ModelSerializer[Probe]):
    station = serializers.CharField(source="station.identity")
    requirement = serializers.CharField(source="requirement.code")
    reason = serializers.SerializerMethodField()
    steps = serializers.SerializerMethodField()

    class Meta:
        model = Probe
        fields = (
            "id",
            "station",
            "requirement",
            "state",
            "requested_at",
            "started_at",
            "ended_at",
            "verdict",
            "reason",
            "restored",
            "evidence",
            "steps",
        )

    def get_reason(self, row: Probe) -> str:
        return reason_of(row)

    def get_steps(self, row: Probe) -> list[dict[str, Any]]:
        return [
            {"at": step["at"], "name": step["name"], "text": step_text(step), "holds": step["holds"]}
            for step in row.steps
        ]


def reason_of(probe: Probe) -> str:
    """Why it did not run, or what it found, in the reader's language."""
    if probe.evidence is not None:
        return sentence(probe.evidence)
    stopped = probe.before.get("stopped")
    return say(stopped["code"], stopped["values"]) if stopped else probe.reason


class ProbeViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[Probe]):
    scope = Scope.PROBE
    serializer_class = ProbeSerializer
    queryset = Probe.objects.none()

    def get_queryset(self) -> Any:
        rows = Probe.objects.visible_to(visitor(self.request))
        return rows.select_related("station", "requirement", "evidence").order_by("-pk")

    @extend_schema(request=ProbeRequestSerializer, responses={202: ProbeSerializer})
    def create(self, request: Request) -> Response:
        asked = ProbeRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        user = visitor(request)
        station = self._station(user, asked.validated_data)
        try:
            probe = probes.start_probe(
                station=station,
                code=asked.validated_data["requirement"],
                requested_by=user,
                now=timezone.now(),
                while_charging=asked.validated_data["while_charging"],
            )
        except probes.CannotProbe as error:
            raise ValidationError({"detail": str(error)}) from None
        return Response(ProbeSerializer(probe).data, status=status.HTTP_202_ACCEPTED)

    def _station(self, user: Visitor, asked: dict[str, Any]) -> Station:
        """The station, for who may probe it; a car's charging is the operator's to interrupt, not the official's."""
        identity = asked["station"]
        if not Station.objects.visible_to(user).filter(identity=identity).exists():
            raise Http404
        if (
            asked["while_charging"]
            and not Station.objects.operable_by(user).filter(identity=identity).exists()
        ):
            raise PermissionDenied(_("Only the operator can allow a probe while a car charges."))
        rows = may_probe(user).select_related("site__concession")
        station: Station = get_object_or_404(rows, identity=identity)
        return station
