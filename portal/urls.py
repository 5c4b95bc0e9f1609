"""Every address of the portal."""

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language

from portal import health, live
from portal.accounts.urls import account_urls
from portal.notices.urls import notice_urls, webhook_urls
from portal.pages import home, legal, logbook
from portal.pages.diagnostics_urls import diagnostics_paths
from portal.pages.urls import (
    card_paths,
    configuration_urls,
    driver_urls,
    official_urls,
    people_urls,
    station_urls,
    work_paths,
)
from portal.tables.views import urls as lists_urls

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("", include(official_urls)),
    path("", include("portal.compliance.urls")),
    path("stations/", include("smartcharging.urls")),
    path("stations/", include(station_urls)),
    path("configuratie/", include(configuration_urls)),
    path("mijn/", include(driver_urls)),
    *work_paths,
    *card_paths,
    path("lijsten/", include(lists_urls)),
    *diagnostics_paths,
    path("live/", live.live, name="live"),
    path("meldingen/", include(notice_urls)),
    path("webhooks/", include(webhook_urls)),
    path("logboek/", logbook.logbook, name="logbook"),
    path("logboek/logboek.csv", logbook.logbook_csv, name="logbook_csv"),
    path("toegankelijkheid/", legal.accessibility, name="accessibility"),
    path("privacy/", legal.privacy, name="privacy"),
    path("taal/", login_not_required(set_language), name="set_language"),
    path("account/", include(account_urls)),
    path("mensen/", include(people_urls)),
    path("beheer/", admin.site.urls),
    path("api/v1/", include("portal.api")),
    path("health/live", health.live),
    path("health/ready", health.ready),
]

handler400 = "portal.pages.refusals.bad_request"
handler404 = "portal.pages.refusals.not_found"
handler500 = "portal.pages.refusals.failed"
