"""Addresses of notices and of webhooks. The words are Dutch: people read and share them."""

from django.urls import path

from portal.notices import views
from portal.notices.webhooks import views as webhooks

notice_urls = (
    [
        path("", views.notice_list, name="list"),
        path("gelezen/", views.mark_all_read, name="read_all"),
        path("voorkeuren/", views.preferences, name="preferences"),
        path("afmelden/<str:token>/", views.leave, name="leave"),
        path("<int:pk>/", views.open_notice, name="open"),
        path("<int:pk>/gelezen/", views.mark_read, name="read"),
    ],
    "notices",
)

webhook_urls = (
    [
        path("", webhooks.endpoints, name="list"),
        path("nieuw/", webhooks.new, name="new"),
        path("<int:pk>/", webhooks.endpoint, name="detail"),
        path("<int:pk>/wijzigen/", webhooks.change, name="change"),
        path("<int:pk>/proef/", webhooks.test, name="test"),
        path("<int:pk>/sleutel/", webhooks.rotate, name="rotate"),
        path("<int:pk>/verwijderen/", webhooks.remove, name="remove"),
        path("<int:pk>/leveringen/<int:delivery>/opnieuw/", webhooks.again, name="again"),
    ],
    "webhooks",
)
