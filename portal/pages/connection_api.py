"""The API of a station's connection over time: what its page shows, in figures."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, cast

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.accounts.models import User
from portal.pages.connection_history import AnswerTime, history_of
from stations.models import ConnectionSpan, Station
from stations.scopes import Scope

MOST_SPANS = 500


class SpanSerializer(serializers.ModelSerializer[ConnectionSpan]):
    """`disconnected_at` null: still connected. `clock_offset_s`: how far the station's clock was ahead."""

    class Meta:
        model = ConnectionSpan
        fields = (
            "connected_at",
            "disconnected_at",
            "ocpp_version",
            "address",
            "gateway",
            "reason",
            "clock_offset_s",
            "clock_seen_at",
        )


class DaySerializer(serializers.Serializer[Any]):
    """`share` of the local day that begins at `start`: 1 is all of it, null is not known."""

    start = serializers.DateTimeField()
    share = serializers.FloatField(allow_null=True)
    connections = serializers.IntegerField()
    silence_s = serializers.FloatField(allow_null=True)


class SilenceSerializer(serializers.Serializer[Any]):
    start = serializers.DateTimeField()
    end = serializers.DateTimeField(allow_null=True)
    seconds = serializers.FloatField()


class AnswerTimeSerializer(serializers.Serializer[Any]):
    action = serializers.CharField()
    count = serializers.IntegerField()
    p50_ms = serializers.FloatField()
    p95_ms = serializers.FloatField()
    p99_ms = serializers.FloatField()


class HappenedSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    kind = serializers.CharField()
    data = serializers.DictField()  # type: ignore[assignment]


class ConnectionSerializer(serializers.Serializer[Any]):
    """Thirty days; `our_answers` and `silences` are of the last one. At most the newest 500 connections."""

    days = DaySerializer(many=True)
    share = serializers.FloatField(allow_null=True)
    connections = SpanSerializer(many=True)
    offline = SilenceSerializer(many=True)
    silences = SilenceSerializer(many=True)
    station_answers = AnswerTimeSerializer(many=True)
    our_answers = AnswerTimeSerializer(many=True)
    events = HappenedSerializer(many=True)
    bad_frames = serializers.IntegerField()


class ConnectionView(APIView):
    scope = Scope.READ

    @extend_schema(responses=ConnectionSerializer)
    def get(self, request: Request, id: str) -> Response:  # noqa: A002 - the name in the address
        """The connection over thirty days, for who works for its operator."""
        station = get_object_or_404(Station.objects.worked_on_by(cast("User", request.user)), identity=id)
        history = history_of(station, now=timezone.now())
        said = {
            "days": history.days,
            "share": history.share,
            "connections": history.spans[:MOST_SPANS],
            "offline": history.offline,
            "silences": history.quiet,
            "station_answers": [_flat(one) for one in history.asked],
            "our_answers": [_flat(one) for one in history.ours],
            "events": history.happened,
            "bad_frames": history.bad_frames,
        }
        return Response(ConnectionSerializer(said).data)


def _flat(one: AnswerTime) -> dict[str, Any]:
    return {"action": one.action, **asdict(one.times)}
