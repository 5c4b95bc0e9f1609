"""Addresses of the pages of stations and of drivers. The words are Dutch: people read and share them."""

from django.urls import path

from portal.pages import driver, frames, station, station_list

station_urls = (
    [
        path("", station_list.station_list, name="list"),
        path("<str:identity>/", station.profiles, name="detail"),
        path("<str:identity>/vermogen.csv", station.power_csv, name="power_csv"),
        path("<str:identity>/sessies/", station.sessions, name="sessions"),
        path("<str:identity>/berichten/", frames.frames, name="frames"),
        path("<str:identity>/berichten.csv", frames.frames_csv, name="frames_csv"),
        path("<str:identity>/configuratie/", station.configuration, name="configuration"),
        path("<str:identity>/naleving/", station.compliance, name="compliance"),
    ],
    "stations",
)

driver_urls = (
    [
        path("", driver.sessions, name="sessions"),
        path("sessies.csv", driver.sessions_csv, name="sessions_csv"),
        path("<int:pk>/", driver.session, name="session"),
        path("<int:pk>/vermogen.csv", driver.power_csv, name="power_csv"),
    ],
    "driver",
)
