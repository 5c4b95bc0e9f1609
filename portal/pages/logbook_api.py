"""The API of the audit log: what its page shows, for who answers for a party."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.request import Request

from portal.pages.logbook_rows import entries_of, may_read, named, narrowed
from stations.api import visitor
from stations.models import AuditEntry
from stations.models.audit import AuditQuerySet
from stations.scopes import Scope


class AuditEntrySerializer(serializers.ModelSerializer[AuditEntry]):
    """One change by a person. `changes` is `{field: [before, after]}`, a secret masked on both sides."""

    who = serializers.SerializerMethodField(help_text="E-mail address; empty for a driver.")
    role = serializers.CharField(help_text='Of then, "superuser", or empty for a driver.')
    station = serializers.CharField(source="station.identity", allow_null=True, default=None)
    changes = serializers.DictField(child=serializers.ListField(child=serializers.JSONField(allow_null=True)))

    class Meta:
        model = AuditEntry
        fields = (
            "id",
            "at",
            "who",
            "party",
            "role",
            "door",
            "action",
            "model",
            "key",
            "label",
            "station",
            "changes",
            "request_id",
        )

    def get_who(self, entry: AuditEntry) -> str:
        return named(entry, visitor(self.context["request"]))


class AuditSearch(serializers.Serializer[Any]):
    """What narrows the list; days are those of the portal's zone."""

    who = serializers.CharField(required=False, max_length=100, help_text="Part of the address or the party.")
    object = serializers.CharField(required=False, max_length=100, help_text="Part of the label or station.")
    station = serializers.CharField(required=False, max_length=48, help_text="Identity.")
    model = serializers.CharField(required=False, max_length=60, help_text='As "stations.station".')
    key = serializers.CharField(required=False, max_length=64)
    action = serializers.ChoiceField(required=False, choices=AuditEntry.Action.choices)
    door = serializers.ChoiceField(required=False, choices=AuditEntry.Door.choices)
    since = serializers.DateField(required=False)
    until = serializers.DateField(required=False, help_text="The last day that counts.")


class AuditViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[AuditEntry]):
    """Changes by people, newest first: of what is of the municipality of an official, or of the operator that an
    administrator keeps. Nobody else finds anything here."""

    scope = Scope.READ
    serializer_class = AuditEntrySerializer
    queryset = AuditEntry.objects.none()

    def get_queryset(self) -> AuditQuerySet:
        user = visitor(self.request)
        if not may_read(user):
            raise Http404
        search = AuditSearch(data=self.request.query_params)
        search.is_valid(raise_exception=True)
        return narrowed(entries_of(user), search.validated_data)

    @extend_schema(parameters=[AuditSearch])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return super().list(request, *args, **kwargs)
