"""The API of webhooks, for who administers an operator: endpoints, what was sent, and what came of it."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from portal.notices.webhooks import services
from portal.notices.webhooks.forms import wrong_with
from portal.notices.webhooks.models import Delivery, DeliveryQuerySet, Endpoint, EndpointQuerySet, Event
from portal.notices.webhooks.telling import test_of
from stations.api import visitor
from stations.models import Operator
from stations.scopes import Scope


class EndpointSerializer(serializers.ModelSerializer[Endpoint]):
    """`state`: on, failing (a message was not taken for a day) or off."""

    operator = serializers.CharField(source="operator.slug")
    events = serializers.ListField(child=serializers.ChoiceField(choices=Event.choices))

    class Meta:
        model = Endpoint
        fields = ("id", "operator", "name", "url", "events", "state", "failing_since", "old_until", "made_at")


class EndpointRequestSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=100)
    url = serializers.CharField(
        max_length=500, help_text="https, on the internet; redirects are not followed."
    )
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=Event.choices), allow_empty=False, max_length=len(Event)
    )

    def validate_url(self, url: str) -> str:
        if wrong := wrong_with(url):
            raise ValidationError(wrong)
        return url


class NewEndpointSerializer(EndpointRequestSerializer):
    operator = serializers.SlugField(help_text="slug")


class ChangedEndpointSerializer(EndpointRequestSerializer):
    is_on = serializers.BooleanField(default=True, help_text="true: one that was failing is tried anew.")


class EndpointWithSecretSerializer(EndpointSerializer):
    """With the secret, in this answer and in no other."""

    secret = serializers.CharField(help_text="As Standard Webhooks has it: whsec_ and base64.")

    class Meta(EndpointSerializer.Meta):
        fields = (*EndpointSerializer.Meta.fields, "secret")  # type: ignore[assignment]


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    """One message to one endpoint; `body` is what is sent, and `message_id` the same at each attempt."""

    class Meta:
        model = Delivery
        fields = (
            "id",
            "endpoint",
            "message_id",
            "event",
            "body",
            "state",
            "made_at",
            "due_at",
            "attempts",
            "tried_at",
            "answer_code",
            "answer_ms",
            "problem",
        )


class WebhookViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Endpoint]):
    """Addresses of your own systems that are told of what happens. What is sent is signed by Standard Webhooks.

    `webhook-signature` is "v1," and the base64 of HMAC-SHA256 over `webhook-id`.`webhook-timestamp`.body, with the
    secret behind `whsec_` as base64; two of them while a secret is being rotated. Any 2xx is taken; else it is sent
    again for about a day, with growing pauses. A message may come twice: `webhook-id` tells.
    """

    scope = Scope.WEBHOOKS
    read_scope = Scope.WEBHOOKS
    serializer_class = EndpointSerializer
    queryset = Endpoint.objects.none()

    def get_queryset(self) -> EndpointQuerySet:
        rows: EndpointQuerySet = Endpoint.objects.administered_by(visitor(self.request))
        return rows.select_related("operator").order_by("name", "pk")

    @extend_schema(request=NewEndpointSerializer, responses={201: EndpointWithSecretSerializer})
    def create(self, request: Request) -> Response:
        """Add one; the answer has its secret, once."""
        asked = NewEndpointSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        operators = Operator.objects.administered_by(visitor(request))
        operator = get_object_or_404(operators, slug=said.pop("operator"))
        endpoint, secret = services.make(operator=operator, **said, now=timezone.now())
        return self._with_secret(endpoint, secret, status=status.HTTP_201_CREATED)

    @extend_schema(request=ChangedEndpointSerializer, responses=EndpointSerializer)
    def update(self, request: Request, pk: str) -> Response:
        """All of it anew; the secret stays."""
        endpoint = self.get_object()
        asked = ChangedEndpointSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        services.change(endpoint=endpoint, **asked.validated_data)
        endpoint.refresh_from_db()
        return Response(EndpointSerializer(endpoint).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Remove it, with what was sent by it."""
        self.get_object().delete()
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses=EndpointWithSecretSerializer)
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, pk: str) -> Response:
        """A new secret, in this answer alone; the one before signs too for a day (`old_until`)."""
        endpoint = self.get_object()
        secret = services.rotate(endpoint=endpoint, now=timezone.now())
        endpoint.refresh_from_db()
        return self._with_secret(endpoint, secret, status=status.HTTP_200_OK)

    @extend_schema(request=None, responses={202: DeliverySerializer})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Send a test; what came of it stands in `webhook-deliveries/{id}/`."""
        endpoint = self.get_object()
        if endpoint.state == Endpoint.State.OFF:
            raise ValidationError({"state": ["This webhook is off: turn it on first."]})
        row = test_of(endpoint, now=timezone.now())
        return Response(DeliverySerializer(row).data, status=status.HTTP_202_ACCEPTED)

    def _with_secret(self, endpoint: Endpoint, secret: str, *, status: int) -> Response:
        data = {**EndpointSerializer(endpoint).data, "secret": secret}
        return Response(data, status=status, headers={"Cache-Control": "no-store"})


class DeliverySearch(serializers.Serializer[Any]):
    webhook = serializers.IntegerField(required=False, min_value=1, max_value=2**31 - 1)
    state = serializers.ChoiceField(required=False, choices=Delivery.State.choices)


class DeliveryViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Delivery]):
    """What was sent by your webhooks, the newest first."""

    scope = Scope.WEBHOOKS
    read_scope = Scope.WEBHOOKS
    serializer_class = DeliverySerializer
    queryset = Delivery.objects.none()

    def get_queryset(self) -> DeliveryQuerySet:
        rows: DeliveryQuerySet = Delivery.objects.administered_by(visitor(self.request))
        rows = rows.order_by("-made_at", "-pk")
        if self.action != "list":
            return rows
        search = DeliverySearch(data=self.request.query_params)
        search.is_valid(raise_exception=True)
        if webhook := search.validated_data.get("webhook"):
            rows = rows.filter(endpoint=webhook)
        state = search.validated_data.get("state")
        return rows.filter(state=state) if state else rows

    @extend_schema(parameters=[DeliverySearch])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return super().list(request, *args, **kwargs)

    @extend_schema(request=None, responses={202: DeliverySerializer})
    @action(detail=True, methods=["post"])
    def again(self, request: Request, pk: str) -> Response:
        """Send it again, under the id that it had."""
        row = self.get_object()
        services.send_again(delivery=row, now=timezone.now())
        row.refresh_from_db()
        return Response(DeliverySerializer(row).data, status=status.HTTP_202_ACCEPTED)
