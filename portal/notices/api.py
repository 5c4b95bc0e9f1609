"""The API of notices: what the page shows, and reading them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.notices.kinds import Kind
from portal.notices.models import Notice, NoticeQuerySet
from portal.notices.words import said
from stations.api import visitor
from stations.scopes import Scope


class NoticeSerializer(serializers.ModelSerializer[Notice]):
    """`title` and `text` are in the reader's language; `url` is the page of what it is about."""

    title = serializers.SerializerMethodField()
    text = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()
    station = serializers.CharField(source="station.identity", allow_null=True, default=None)

    class Meta:
        model = Notice
        fields = (
            "id",
            "kind",
            "at",
            "made_at",
            "station",
            "title",
            "text",
            "url",
            "read_at",
            "mail",
            "mailed_at",
        )

    def get_title(self, notice: Notice) -> str:
        return said(notice).title

    def get_text(self, notice: Notice) -> str:
        return said(notice).text

    def get_url(self, notice: Notice) -> str:
        return str(settings.PUBLIC_URL).rstrip("/") + said(notice).path


class NoticeSearch(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(required=False, choices=Kind.choices)
    unread = serializers.BooleanField(required=False, default=False, help_text="true: only what is unread.")


class NoticeViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Notice]):
    """What you were told, the newest first, as far as you may still see what it is about."""

    scope = Scope.READ
    serializer_class = NoticeSerializer
    queryset = Notice.objects.none()

    def get_queryset(self) -> NoticeQuerySet:
        rows = Notice.objects.of(visitor(self.request)).select_related("station").order_by("-made_at", "-pk")
        if self.action != "list":
            return rows
        search = NoticeSearch(data=self.request.query_params)
        search.is_valid(raise_exception=True)
        if kind := search.validated_data.get("kind"):
            rows = rows.filter(kind=kind)
        return rows.unread() if search.validated_data["unread"] else rows

    @extend_schema(parameters=[NoticeSearch])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return super().list(request, *args, **kwargs)

    @extend_schema(request=None, responses=NoticeSerializer)
    @action(detail=True, methods=["post"])
    def read(self, request: Request, pk: str) -> Response:
        """Mark it as read; what was read stays so."""
        notice = self.get_object()
        Notice.objects.filter(pk=notice.pk, read_at__isnull=True).update(read_at=timezone.now())
        notice.refresh_from_db()
        return Response(NoticeSerializer(notice).data)
