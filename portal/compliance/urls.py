"""Addresses of the compliance pages. The words are Dutch: people read and share them."""

from django.urls import path

from portal.compliance import views

app_name = "compliance"

urlpatterns = [
    path("naleving/", views.concessions, name="concessions"),
    path("naleving/<slug:concession>/", views.matrix, name="matrix"),
]
