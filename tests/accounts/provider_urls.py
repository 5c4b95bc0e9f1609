"""Addresses of the provider's process. It signs in whoever is named: `/enter?as=<e-mail address>`."""

from __future__ import annotations

from django.contrib.auth import get_user_model, login
from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def enter(request: HttpRequest) -> HttpResponse:
    user = get_user_model().objects.get(email=request.GET["as"])
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return HttpResponse("in")


urlpatterns = [
    path("enter", enter),
    path("account/", include("allauth.account.urls")),
    path("", include("allauth.idp.urls")),
]
