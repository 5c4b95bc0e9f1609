"""The API at /api/v1/: one router over what each app offers, and its description."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, URLResolver, path, re_path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.routers import SimpleRouter

from portal.api_schema import DESCRIPTION
from portal.compliance.api import ComplianceViewSet, EvidenceViewSet, ProbeViewSet
from portal.notices.api import NoticeViewSet
from portal.notices.webhooks.api import DeliveryViewSet, WebhookViewSet
from portal.pages.api_docs import docs
from portal.pages.connection_api import ConnectionView
from portal.pages.logbook_api import AuditViewSet
from portal.pages.party_api import CardViewSet, MemberViewSet, TariffViewSet
from smartcharging.api import LimitView, ProfileViewSet, ScheduleView
from smartcharging.read_back_api import DriftViewSet, ExternalLimitViewSet, InstalledView
from stations.api import (
    IDENTITY,
    CommandViewSet,
    RegisterViewSet,
    SessionViewSet,
    StationViewSet,
)
from stations.certificates_api import (
    OwnCertificatesView,
    ReadRootsView,
    RenewCertificateView,
    RevokeCertificateView,
    RootsView,
    RootView,
)
from stations.configuration_api import ConfigurationView, RolloutViewSet, TemplateViewSet
from stations.monitoring_api import MonitoringView, MonitorsView, MonitorView, ReadMonitorsView
from stations.quarters_api import QuarterHourView
from v2x.api import RegisterSeriesView


class Router(SimpleRouter):
    """A row is named by its number, where a view names it by nothing else: what is no number is not found."""

    def get_lookup_regex(self, viewset: Any, lookup_prefix: str = "") -> str:
        named = getattr(viewset, "lookup_value_regex", None)
        return super().get_lookup_regex(viewset, lookup_prefix) if named else PK


PK = r"(?P<pk>\d{1,18})"
router = Router()
# Each app's viewsets; portal.compliance.api adds its own here.
router.register("stations", StationViewSet, "station")
router.register("commands", CommandViewSet, "command")
router.register("sessions", SessionViewSet, "session")
router.register("registers", RegisterViewSet, "register")
router.register("profiles", ProfileViewSet, "profile")
router.register("drifts", DriftViewSet, "drift")
router.register("external-limits", ExternalLimitViewSet, "external-limit")
router.register("configuration-templates", TemplateViewSet, "configuration-template")
router.register("configuration-rollouts", RolloutViewSet, "configuration-rollout")
router.register("compliance", ComplianceViewSet, "compliance")
router.register("evidence", EvidenceViewSet, "evidence")
router.register("probes", ProbeViewSet, "probe")
router.register("audit", AuditViewSet, "audit")
router.register("cards", CardViewSet, "card")
router.register("tariffs", TariffViewSet, "tariff")
router.register("people", MemberViewSet, "person")
router.register("notices", NoticeViewSet, "notice")
router.register("webhooks", WebhookViewSet, "webhook")
router.register("webhook-deliveries", DeliveryViewSet, "webhook-delivery")


def of_station(path_: str, view: Any, name: str) -> URLPattern:
    """What stands below `stations/{id}/`."""
    pattern: URLPattern = re_path(rf"^stations/(?P<id>{IDENTITY})/{path_}/$", view.as_view(), name=name)
    return pattern


signed_in = [IsAuthenticated]
schema = SpectacularAPIView.as_view(
    permission_classes=signed_in, custom_settings={"DESCRIPTION": DESCRIPTION}
)

app_name = "api"
urlpatterns: list[URLPattern | URLResolver] = [
    path("schema/", schema, name="schema"),
    path("docs/", docs, name="docs"),
    re_path(rf"^stations/(?P<id>{IDENTITY})/limit/$", LimitView.as_view(), name="limit"),
    re_path(rf"^stations/(?P<id>{IDENTITY})/schedule/$", ScheduleView.as_view(), name="schedule"),
    re_path(rf"^stations/(?P<id>{IDENTITY})/installed/$", InstalledView.as_view(), name="installed"),
    re_path(
        rf"^stations/(?P<id>{IDENTITY})/quarter-hours/$", QuarterHourView.as_view(), name="quarter-hours"
    ),
    re_path(rf"^stations/(?P<id>{IDENTITY})/connection/$", ConnectionView.as_view(), name="connection"),
    re_path(
        rf"^stations/(?P<id>{IDENTITY})/configuration/$", ConfigurationView.as_view(), name="configuration"
    ),
    of_station("monitors", MonitorsView, "monitors"),
    of_station("monitors/read", ReadMonitorsView, "monitors-read"),
    of_station(f"monitors/{PK}", MonitorView, "monitor"),
    of_station("monitoring", MonitoringView, "monitoring"),
    of_station("certificates", OwnCertificatesView, "certificates"),
    of_station("certificates/renew", RenewCertificateView, "certificate-renew"),
    of_station(f"certificates/{PK}/revoke", RevokeCertificateView, "certificate-revoke"),
    of_station("roots", RootsView, "roots"),
    of_station("roots/read", ReadRootsView, "roots-read"),
    of_station(f"roots/{PK}", RootView, "root"),
    re_path(rf"^registers/(?P<id>{IDENTITY})/$", RegisterSeriesView.as_view(), name="register-series"),
    *router.urls,
]
