"""Where stations connect."""

from django.urls import re_path

from stations.consumers import StationConsumer

websocket_urlpatterns = [re_path(r"^ocpp/(?P<identity>[^/]+)$", StationConsumer.as_asgi())]
