"""The API at /api/v1/: one router over what each app offers, and its description."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path, re_path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.routers import SimpleRouter

from portal.compliance.api import ComplianceViewSet, EvidenceViewSet, ProbeViewSet
from portal.pages.api_docs import docs
from smartcharging.api import LimitView, ProfileViewSet, ScheduleView
from stations.api import (
    IDENTITY,
    CommandViewSet,
    RegisterViewSet,
    SessionViewSet,
    StationViewSet,
)

router = SimpleRouter()
# Each app's viewsets; portal.compliance.api adds its own here.
router.register("stations", StationViewSet, "station")
router.register("commands", CommandViewSet, "command")
router.register("sessions", SessionViewSet, "session")
router.register("registers", RegisterViewSet, "register")
router.register("profiles", ProfileViewSet, "profile")
router.register("compliance", ComplianceViewSet, "compliance")
router.register("evidence", EvidenceViewSet, "evidence")
router.register("probes", ProbeViewSet, "probe")

signed_in = [IsAuthenticated]
schema = SpectacularAPIView.as_view(permission_classes=signed_in)

app_name = "api"
urlpatterns: list[URLPattern | URLResolver] = [
    path("schema/", schema, name="schema"),
    path("docs/", docs, name="docs"),
    re_path(rf"^stations/(?P<id>{IDENTITY})/limit/$", LimitView.as_view(), name="limit"),
    re_path(rf"^stations/(?P<id>{IDENTITY})/schedule/$", ScheduleView.as_view(), name="schedule"),
    *router.urls,
]
