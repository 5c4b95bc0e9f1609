"""Addresses of the compliance pages. The words are Dutch: people read and share them."""

from django.urls import path

from portal.compliance import evidence_views, probe_views, views

app_name = "compliance"

urlpatterns = [
    path("naleving/", views.concessions, name="concessions"),
    path("naleving/<slug:concession>/", views.matrix, name="matrix"),
    path("naleving/<slug:concession>/<str:code>/", views.requirement, name="requirement"),
    path("naleving/<slug:concession>/<str:code>/notitie/", views.note, name="note"),
    path(
        "naleving/<slug:concession>/<str:code>/bewijs/",
        evidence_views.of_requirement,
        name="requirement_evidence",
    ),
    path("naleving/<slug:concession>/<str:code>/oordeel/", views.decide, name="decide_many"),
    path("bewijs/<int:pk>/", evidence_views.evidence, name="evidence"),
    path("bewijs/<int:pk>/metingen.csv", evidence_views.evidence_csv, name="evidence_csv"),
    path("bewijs/<int:pk>/bewijs.json", evidence_views.evidence_json, name="evidence_json"),
    path("bewijs/<int:pk>/oordeel/", evidence_views.decide, name="decide"),
    path("steekproef/", probe_views.probe_start, name="probe_start"),
    path("steekproef/<int:pk>/", probe_views.probe, name="probe"),
    path("steekproef/<int:pk>/stop/", probe_views.probe_cancel, name="probe_cancel"),
]
