"""Where stations connect."""

from django.urls import re_path

from stations.consumers import StationConsumer, WrongAddress

websocket_urlpatterns = [
    re_path(r"^ocpp/(?P<identity>[^/\x00]+)$", StationConsumer.as_asgi()),
    re_path("", WrongAddress.as_asgi()),
]
