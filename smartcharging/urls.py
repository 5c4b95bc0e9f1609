"""Addresses of limits, below those of a station. The words are Dutch: people read and share them."""

from django.urls import path

from smartcharging import views

app_name = "smartcharging"
urlpatterns = [
    path("<str:identity>/limiet/", views.set_limit, name="set"),
    path("<str:identity>/limiet/<int:pk>/intrekken/", views.withdraw_limit, name="withdraw"),
    path("<str:identity>/limiet/<int:pk>/terugzetten/", views.put_back_limit, name="put_back"),
]
