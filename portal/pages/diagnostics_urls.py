"""Addresses of diagnostics: the connection and the files of a station, of a fleet, and where stations bring files."""

from django.urls import URLPattern, path, re_path

from portal.pages import connection, connections, frames, station_links, uploads

# Within a station's own.
station_paths: list[URLPattern] = [
    path("<str:identity>/berichten.jsonl", frames.frames_jsonl, name="frames_jsonl"),
    path("<str:identity>/verbinding/", connection.connection, name="connection"),
    path("<str:identity>/verbinding.csv", connection.connection_csv, name="connection_csv"),
    path("<str:identity>/bestanden/", uploads.files, name="files"),
    path("<str:identity>/bestanden/<int:pk>/", uploads.file, name="file"),
    path("<str:identity>/bestanden/firmware/", uploads.firmware_updates, name="firmware_updates"),
]

diagnostics_paths: list[URLPattern] = [
    path("verbindingen/", connections.connections, name="connections"),
    path("firmware/", uploads.firmware, name="firmware"),
    path("firmware/<int:pk>/verwijderen/", uploads.firmware_remove, name="firmware_remove"),
    # Without a sign-in: the link is signed.
    path(
        "firmware/<int:pk>/<int:station_pk>/token-<str:token>/<str:name>",
        station_links.firmware,
        name="firmware_link",
    ),
    re_path(r"^ocpp/(?P<identity>[^/]*)/?$", station_links.no_websocket, name="no_websocket"),
    # Stations end a folder with a stroke or do not, and may put a name behind it.
    re_path(
        r"^ontvangst/(?P<pk>\d{1,18})/token-(?P<token>[\w.-]{1,100})(?:/(?P<name>[^/]{0,255}))?$",
        station_links.receive,
        name="upload_link",
    ),
]
