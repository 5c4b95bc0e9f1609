"""The API of the configuration: what stations are set to, templates, and their way to many stations."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics, mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from stations import configuring, rollouts
from stations.api import visitor
from stations.configuring import Wish, wish
from stations.domain.pacing import USUAL, Pace
from stations.models import (
    ConfigurationChange,
    ConfigurationRollout,
    ConfigurationTemplate,
    ConfigurationValue,
    Operator,
    RolloutStation,
    Station,
    TemplateEntry,
)
from stations.models.device import Attribute
from stations.ocpp.device import read_place
from stations.ocpp.masking import MASK
from stations.scopes import Scope
from stations.tasks import carry_out_rollout

MOST_PLANNED = 200
MOST_STATIONS = 10_000


# ---------------------------------------------------------------------------------------------------- what is shown
class ValueSerializer(serializers.ModelSerializer[ConfigurationValue]):
    """A key (1.6) or an attribute of a variable (2.x) as it was read; secrets are masked. Null is not said."""

    writable = serializers.BooleanField(source="is_writable", allow_null=True)
    is_unknown = serializers.BooleanField(help_text="The station said that it does not have this.")

    class Meta:
        model = ConfigurationValue
        fields = (
            "component", "name", "attribute", "value", "writable", "mutability", "data_type", "unit", "min_limit",
            "max_limit", "choices", "persistent", "constant", "supports_monitoring", "is_unknown",
            "reboot_asked_at", "read_at",
        )  # fmt: skip


class EntrySerializer(serializers.Serializer[Any]):
    """A value that is wanted. The component as in the list of values, `EVSE#1` say; empty for a key of 1.6."""

    component = serializers.CharField(max_length=110, required=False, allow_blank=True, default="")
    name = serializers.CharField(max_length=101)
    attribute = serializers.ChoiceField(choices=Attribute.choices, required=False, default=Attribute.ACTUAL)
    value = serializers.CharField(max_length=2500, allow_blank=True, trim_whitespace=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        place = read_place(attrs["component"], attrs["name"])
        if place is None:
            raise ValidationError({"name": ["Write it as the station does."]})
        if configuring.is_password(place):
            raise ValidationError({"name": ["The password of a station is rotated, never set here."]})
        if attrs["value"] == MASK:  # a secret as it was shown: it stays as it is
            return {"wish": Wish(place, MASK, attrs["attribute"])}
        return {"wish": wish(place, attrs["value"], attrs["attribute"])}


class WantedValuesSerializer(serializers.Serializer[Any]):
    wanted = serializers.ListField(
        child=EntrySerializer(), allow_empty=False, max_length=configuring.MOST_ENTRIES
    )


class ChangeSerializer(serializers.ModelSerializer[ConfigurationChange]):
    """A value that was asked of a station, and what it made of it; a secret is masked."""

    class Meta:
        model = ConfigurationChange
        fields = ("id", "component", "name", "attribute", "before", "value", "state", "reason", "command")


class ShownEntrySerializer(serializers.ModelSerializer[TemplateEntry]):
    class Meta:
        model = TemplateEntry
        fields = ("component", "name", "attribute", "value")


class TemplateSerializer(serializers.ModelSerializer[ConfigurationTemplate]):
    """How stations of 1.6, or of 2.x, are to be set."""

    operator = serializers.CharField(source="operator.slug")
    entries = ShownEntrySerializer(many=True)

    class Meta:
        model = ConfigurationTemplate
        fields = ("id", "operator", "name", "family", "changed_at", "entries")


class ChangedTemplateSerializer(serializers.Serializer[Any]):
    """All of it, as it is to be. A secret that is given as it is shown (masked) stays as it was."""

    name = serializers.CharField(max_length=100)
    entries = serializers.ListField(child=EntrySerializer(), max_length=configuring.MOST_ENTRIES)


class NewTemplateSerializer(ChangedTemplateSerializer):
    operator = serializers.SlugField()
    family = serializers.ChoiceField(choices=ConfigurationTemplate.Family.choices)


class NewRolloutSerializer(serializers.Serializer[Any]):
    """Stations by identity, or by what they have in common; without either all that speak the template's version."""

    template = serializers.IntegerField(min_value=1, max_value=2**62)
    stations = serializers.ListField(
        child=serializers.CharField(max_length=48), required=False, default=list, max_length=MOST_STATIONS
    )
    site = serializers.CharField(required=False, default="", max_length=100)
    model = serializers.CharField(required=False, default="", max_length=50)
    firmware = serializers.CharField(required=False, default="", max_length=50)
    ocpp_version = serializers.CharField(required=False, default="", max_length=5)
    first_stations = serializers.IntegerField(
        required=False,
        default=USUAL.first,
        min_value=0,
        max_value=1000,
        help_text="So many must have taken it before the others are asked; one that refuses stops it.",
    )
    at_once = serializers.IntegerField(
        required=False, default=USUAL.at_once, min_value=1, max_value=10_000, help_text="Asked at a time."
    )
    stop_percent = serializers.IntegerField(
        required=False,
        default=USUAL.stop_percent,
        min_value=0,
        max_value=100,
        help_text="It stops by itself when more than this, of those that answered, refuse it. 100: never.",
    )
    dry_run = serializers.BooleanField(
        required=False, default=False, help_text="true: only tell what would be sent."
    )


class PlannedValueSerializer(serializers.Serializer[Any]):
    component = serializers.CharField()
    name = serializers.CharField()
    attribute = serializers.CharField()
    before = serializers.CharField(allow_null=True)
    value = serializers.CharField()
    difference = serializers.CharField()


class PlannedStationSerializer(serializers.Serializer[Any]):
    station = serializers.CharField()
    wanted = PlannedValueSerializer(many=True)


class PlanSerializer(serializers.Serializer[Any]):
    """`stations` tells of so many in all; `planned` of the first of them what would be done."""

    stations = serializers.IntegerField()
    planned = PlannedStationSerializer(many=True)


class RolloutSerializer(serializers.ModelSerializer[ConfigurationRollout]):
    """`stopped_for`, where it stopped by itself: `first`, `share`, or `template` (it was changed or deleted)."""

    operator = serializers.CharField(source="operator.slug")
    counts = serializers.SerializerMethodField()

    class Meta:
        model = ConfigurationRollout
        fields = (
            "id",
            "operator",
            "template",
            "template_name",
            "state",
            "stopped_for",
            "first_stations",
            "at_once",
            "stop_percent",
            "requested_at",
            "ended_at",
            "counts",
        )

    def get_counts(self, rollout: ConfigurationRollout) -> dict[str, int]:
        """How many stations are in each state."""
        return dict(rollout.stations.order_by().values_list("state").annotate(n=Count("pk")))


class RunSerializer(serializers.ModelSerializer[RolloutStation]):
    """One station of a roll-out, value by value."""

    station = serializers.CharField(source="station.identity")
    changes = ChangeSerializer(many=True)

    class Meta:
        model = RolloutStation
        fields = ("station", "state", "ended_at", "changes")


# --------------------------------------------------------------------------------------------------------- the views
class ConfigurationView(generics.ListAPIView[ConfigurationValue]):
    """What a station is set to."""

    scope = Scope.CONFIGURE
    serializer_class = ValueSerializer
    queryset = ConfigurationValue.objects.none()

    def get_queryset(self) -> QuerySet[ConfigurationValue]:
        stations = Station.objects.visible_to(visitor(self.request))
        station = get_object_or_404(stations, identity=self.kwargs["id"])
        rows: QuerySet[ConfigurationValue] = station.configuration.filter(is_derived=False)
        name = self.request.query_params.get("name", "")
        return rows.filter(name__iexact=name) if name else rows

    @extend_schema(request=WantedValuesSerializer, responses={202: ChangeSerializer(many=True)})
    def post(self, request: Request, id: str) -> Response:  # noqa: A002 - the name in the address
        """Ask the station to take these values; what came of it, its changes tell."""
        station = get_object_or_404(Station.objects.operable_by(visitor(request)), identity=id)
        asked = WantedValuesSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        rows = configuring.set_values(
            station=station,
            wishes=[each["wish"] for each in asked.validated_data["wanted"]],
            requested_by=request.user,
            now=timezone.now(),
        )
        return Response(ChangeSerializer(rows, many=True).data, status=status.HTTP_202_ACCEPTED)


class TemplateViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet[ConfigurationTemplate],
):
    """Templates of configurations."""

    scope = Scope.CONFIGURE
    serializer_class = TemplateSerializer
    queryset = ConfigurationTemplate.objects.none()

    def get_queryset(self) -> QuerySet[ConfigurationTemplate]:
        user = visitor(self.request)
        rows = ConfigurationTemplate.objects
        found = rows.operable_by(user) if self.request.method in ("PUT", "DELETE") else rows.visible_to(user)
        shown: QuerySet[ConfigurationTemplate] = found.select_related("operator").prefetch_related("entries")
        return shown

    @extend_schema(request=NewTemplateSerializer, responses={201: TemplateSerializer})
    def create(self, request: Request) -> Response:
        asked = NewTemplateSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        operator = _operated(request, said["operator"])
        template = configuring.new_template(operator=operator, family=said["family"], now=timezone.now())
        _save(template, said)
        return Response(TemplateSerializer(template).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=ChangedTemplateSerializer, responses=TemplateSerializer)
    def update(self, request: Request, pk: str) -> Response:
        """Change its name and all its values. A roll-out of it that runs stops by itself: roll it out anew."""
        template = self.get_object()
        asked = ChangedTemplateSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        _save(template, asked.validated_data)
        return Response(TemplateSerializer(self.get_object()).data)


def _save(template: ConfigurationTemplate, said: dict[str, Any]) -> None:
    others = ConfigurationTemplate.objects.filter(operator=template.operator).exclude(pk=template.pk)
    if others.filter(name=said["name"]).exists():
        raise ValidationError({"name": ["There is a template of this name already."]})
    wishes = [each["wish"] for each in said["entries"]]
    if template.family == ConfigurationTemplate.Family.V2 and not all(w.place.component for w in wishes):
        raise ValidationError({"entries": ["Name the component of each."]})
    configuring.save_template(template=template, name=said["name"], wishes=wishes, now=timezone.now())


def _operated(request: Request, slug: str) -> Operator:
    """An operator for which the visitor may send commands; 404 else."""
    mine = Station.objects.operable_by(visitor(request)).values("site__operator")
    operator: Operator = get_object_or_404(Operator.objects.filter(pk__in=mine), slug=slug)
    return operator


class RolloutViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[ConfigurationRollout]
):
    """Templates on their way to stations."""

    scope = Scope.CONFIGURE
    serializer_class = RolloutSerializer
    queryset = ConfigurationRollout.objects.none()

    def get_queryset(self) -> QuerySet[ConfigurationRollout]:
        user = visitor(self.request)
        rows = ConfigurationRollout.objects
        found = rows.operable_by(user) if self.request.method == "POST" else rows.visible_to(user)
        shown: QuerySet[ConfigurationRollout] = found.select_related("operator")
        return shown

    @extend_schema(request=NewRolloutSerializer, responses={200: PlanSerializer, 202: RolloutSerializer})
    def create(self, request: Request) -> Response:
        """Send a template to stations; with `dry_run` true, tell what would be sent."""
        asked = NewRolloutSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        templates = ConfigurationTemplate.objects.operable_by(visitor(request))
        template = get_object_or_404(templates, pk=said["template"])
        stations = _chosen(request, template, said)
        if said["dry_run"]:
            return Response(PlanSerializer(_plan(template, stations)).data)
        rollout = rollouts.start(
            template=template,
            stations=stations,
            requested_by=request.user,
            now=timezone.now(),
            pace=Pace(said["first_stations"], said["at_once"], said["stop_percent"]),
        )
        carry_out_rollout.delay(rollout.pk)
        return Response(RolloutSerializer(rollout).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(responses=RunSerializer(many=True))
    @action(detail=True)
    def stations(self, request: Request, pk: str) -> Response:
        """How far it is at each station."""
        changes = Prefetch("changes", queryset=ConfigurationChange.objects.order_by("pk"))
        runs: Any = self.get_object().stations.select_related("station").prefetch_related(changes)
        page: Any = self.paginate_queryset(runs)
        return self.get_paginated_response(RunSerializer(page, many=True).data)

    @extend_schema(request=None, responses={202: RolloutSerializer})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Withdraw what was not sent yet."""
        rollout = self.get_object()
        rollouts.cancel(rollout=rollout, now=timezone.now())
        return self._told(rollout)

    @extend_schema(request=None, responses={202: RolloutSerializer})
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        """Ask again where it failed or was cancelled."""
        rollout = self.get_object()
        if rollouts.retry(rollout=rollout, now=timezone.now()):
            carry_out_rollout.delay(rollout.pk)
        return self._told(rollout)

    def _told(self, rollout: ConfigurationRollout) -> Response:
        rollout.refresh_from_db()
        return Response(RolloutSerializer(rollout).data, status=status.HTTP_202_ACCEPTED)


def _chosen(request: Request, template: ConfigurationTemplate, said: dict[str, Any]) -> QuerySet[Station]:
    stations = rollouts.suited(template, Station.objects.operable_by(visitor(request)))
    if said["stations"]:
        wanted = set(said["stations"])
        stations = stations.filter(identity__in=wanted)
        missing = wanted - set(stations.values_list("identity", flat=True))
        if missing:
            raise NotFound(f"Not a station of this template: {', '.join(sorted(missing)[:10])}")
    columns = {"site": "site__name", "model": "model", "firmware": "firmware", "ocpp_version": "ocpp_version"}
    return stations.filter(**{columns[name]: said[name] for name in columns if said[name]})


def _plan(template: ConfigurationTemplate, stations: QuerySet[Station]) -> dict[str, Any]:
    entries, first = list(template.entries.all()), list(stations[:MOST_PLANNED])
    known = configuring.values_of(first, entries)
    planned = [
        {
            "station": station.identity,
            "wanted": [
                {
                    "component": entry.component,
                    "name": entry.name,
                    "attribute": entry.attribute,
                    "before": row.value if row else None,
                    "value": entry.value,
                    "difference": str(found),
                }
                for entry, row, found in configuring.compare(entries, known.get(station.pk, {}))
            ],
        }
        for station in first
    ]
    return {"stations": stations.count(), "planned": planned}
