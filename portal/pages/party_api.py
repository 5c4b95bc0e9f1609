"""The API of what a party keeps: its cards, its tariffs, and who works for it. To read; it is kept on the pages."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.request import Request

from portal.accounts.models import User
from portal.accounts.roles import administers_people
from stations.api import visitor
from stations.models import Membership, Tariff, Token
from stations.models.access import Role, parties_of
from stations.scopes import Scope

OPERATOR = OpenApiParameter("operator", OpenApiTypes.STR, description="slug")


class CardSerializer(serializers.ModelSerializer[Token]):
    """A card without its number, and without whose it is: `linked` says whether a driver has it."""

    operator = serializers.CharField(source="operator.slug")
    group = serializers.CharField(source="group.name", allow_null=True, default=None)
    linked = serializers.SerializerMethodField()

    class Meta:
        model = Token
        fields = (
            "id",
            "operator",
            "label",
            "kind",
            "group",
            "blocked",
            "expires_at",
            "linked",
            "held_since",
            "offline_allowed",
            "concurrent_allowed",
        )

    def get_linked(self, card: Token) -> bool:
        return card.user_id is not None


class CardViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Token]):
    """The cards of your operator, by label."""

    scope = Scope.READ
    serializer_class = CardSerializer
    queryset = Token.objects.none()

    def get_queryset(self) -> QuerySet[Token]:
        rows: QuerySet[Token] = Token.objects.visible_to(visitor(self.request))
        return rows.select_related("operator", "group").order_by("label", "pk")


class TariffSerializer(serializers.ModelSerializer[Tariff]):
    """A tariff; `elements` and the price limits are as OCPI 2.2.1 has them (mod_tariffs)."""

    operator = serializers.CharField(source="operator.slug")
    elements = serializers.ListField(child=serializers.DictField())
    min_price = serializers.DictField(allow_null=True)
    max_price = serializers.DictField(allow_null=True)

    class Meta:
        model = Tariff
        fields = (
            "id",
            "operator",
            "name",
            "currency",
            "elements",
            "min_price",
            "max_price",
            "tax_included",
            "credits_export",
            "valid_from",
            "valid_until",
        )


@extend_schema(parameters=[OPERATOR])
class TariffViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Tariff]):
    """The tariffs of your operator, the newest first."""

    scope = Scope.READ
    serializer_class = TariffSerializer
    queryset = Tariff.objects.none()

    def get_queryset(self) -> QuerySet[Tariff]:
        rows: QuerySet[Tariff] = Tariff.objects.visible_to(visitor(self.request))
        wanted = self.request.query_params.get("operator")
        rows = rows.filter(operator__slug=wanted) if wanted else rows
        return rows.select_related("operator").order_by("-valid_from", "pk")


class MemberSerializer(serializers.ModelSerializer[Membership]):
    """A role of a person at a party."""

    email = serializers.EmailField(source="user.email")
    name = serializers.CharField(source="user.name")
    operator = serializers.CharField(source="operator.slug", allow_null=True, default=None)
    municipality = serializers.CharField(source="municipality.slug", allow_null=True, default=None)

    class Meta:
        model = Membership
        fields = ("id", "email", "name", "role", "operator", "municipality")


class MemberViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Membership]):
    """Who has which role at the parties that you administer, by address."""

    scope = Scope.READ
    serializer_class = MemberSerializer
    queryset = Membership.objects.none()

    def get_queryset(self) -> QuerySet[Membership]:
        user = cast("User", self.request.user)
        if not administers_people(user):
            raise Http404
        rows = Membership.objects.select_related("user", "operator", "municipality")
        if not user.is_superuser:
            kept = parties_of(user, roles=(Role.ADMINISTRATOR,), party="operator")
            rows = rows.filter(operator__in=kept)
        return rows.order_by("user__email", "pk")

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """404 for who administers none."""
        return super().list(request, *args, **kwargs)
