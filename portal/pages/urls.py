"""Addresses of the pages of stations and of drivers. The words are Dutch: people read and share them."""

from django.urls import path

from portal.pages import (
    access,
    cards,
    commands,
    configuration,
    configuration_choose,
    configuration_rollouts,
    configuration_templates,
    fleet_sessions,
    frames,
    monitoring,
    people,
    read_back,
    registers,
    security,
    station,
    station_list,
    station_power,
    tariffs,
    why,
)
from portal.pages.diagnostics_urls import station_paths
from portal.pages.driver import cards as driver_cards
from portal.pages.driver import my_data, notices, now, preferences, session, sessions
from portal.pages.official import objects, overview, usage
from portal.pages.work import aside
from portal.pages.work.queue import work

station_urls = (
    [
        path("", station_list.station_list, name="list"),
        path("<str:identity>/", station.profiles, name="detail"),
        path("<str:identity>/waarom/", why.why, name="why"),
        path("<str:identity>/vermogen.csv", station.power_csv, name="power_csv"),
        path("<str:identity>/vermogen.json", station_power.power_json, name="power_json"),
        path("<str:identity>/registers/", registers.registers, name="registers"),
        path("<str:identity>/registers.csv", registers.registers_csv, name="registers_csv"),
        path("<str:identity>/sessies/", station.sessions, name="sessions"),
        path("<str:identity>/sessies/<int:pk>/", station_power.session, name="session"),
        path("<str:identity>/sessies/<int:pk>/vermogen.csv", station_power.session_csv, name="session_csv"),
        path(
            "<str:identity>/sessies/<int:pk>/vermogen.json", station_power.session_json, name="session_json"
        ),
        path("<str:identity>/berichten/", frames.frames, name="frames"),
        path("<str:identity>/berichten.csv", frames.frames_csv, name="frames_csv"),
        *station_paths,
        path("<str:identity>/opdrachten/", commands.station_commands, name="commands"),
        path("<str:identity>/opdrachten/nieuw/<slug:kind>/", commands.new_command, name="command_new"),
        path("<str:identity>/opdrachten/<int:pk>/intrekken/", commands.cancel_command, name="command_cancel"),
        path("<str:identity>/opdrachten/<int:pk>/opnieuw/", commands.ask_again, name="command_again"),
        path(
            "<str:identity>/opdrachten/reserveringen/<int:pk>/opheffen/",
            commands.cancel_reservation,
            name="reservation_cancel",
        ),
        path("<str:identity>/toegang/", access.access, name="access"),
        path("<str:identity>/toegang/beleid/", access.set_policy, name="access_policy"),
        path("<str:identity>/toegang/lijst/", access.sync_list, name="access_sync"),
        path("<str:identity>/toegang/lijst/versie/", access.ask_version, name="access_version"),
        path("<str:identity>/teruggelezen/", read_back.read_back, name="read_back"),
        path("<str:identity>/configuratie/", configuration.configuration, name="configuration"),
        path("<str:identity>/configuratie/lezen/", configuration.read, name="configuration_read"),
        path("<str:identity>/configuratie/wijzigen/", configuration.change, name="configuration_change"),
        path("<str:identity>/configuratie/vergelijken/", configuration.compare, name="configuration_compare"),
        path("<str:identity>/bewaking/", monitoring.monitors, name="monitors"),
        path("<str:identity>/bewaking/opgemerkt/", monitoring.noticed, name="noticed"),
        path("<str:identity>/bewaking/nieuw/", monitoring.add, name="monitor_add"),
        path("<str:identity>/bewaking/lezen/", monitoring.read, name="monitors_read"),
        path("<str:identity>/bewaking/instellen/", monitoring.settings, name="monitors_settings"),
        path("<str:identity>/bewaking/<int:pk>/wissen/", monitoring.clear, name="monitor_clear"),
        path("<str:identity>/beveiliging/", security.security, name="security"),
        path("<str:identity>/beveiliging/certificaten/", security.certificate_list, name="certificates"),
        path("<str:identity>/beveiliging/<slug:deed>/", security.act, name="security_act"),
        path(
            "<str:identity>/beveiliging/certificaten/<int:pk>/intrekken/",
            security.revoke,
            name="certificate_revoke",
        ),
        path(
            "<str:identity>/beveiliging/certificaten/<int:pk>/verwijderen/",
            security.delete,
            name="certificate_delete",
        ),
        path("<str:identity>/naleving/", station.compliance, name="compliance"),
        path("<str:identity>/naleving/bewijs/", station.evidence, name="evidence"),
    ],
    "stations",
)

driver_urls = (
    [
        path("laden/", now.now, name="now"),
        path("meldingen/gezien/", notices.mark_read, name="notices_read"),
        path("sessies/", sessions.sessions, name="sessions"),
        path("sessies/sessies.csv", sessions.sessions_csv, name="sessions_csv"),
        path("sessies/<int:pk>/", session.session, name="session"),
        path("sessies/<int:pk>/vermogen.csv", session.power_csv, name="power_csv"),
        path("sessies/<int:pk>/vermogen.json", session.power_json, name="power_json"),
        path("passen/", driver_cards.cards, name="cards"),
        path("passen/code/", driver_cards.link_by_code, name="card_by_code"),
        path("passen/laden/", driver_cards.link_by_charge, name="card_by_charge"),
        path("passen/laden/stop/", driver_cards.stop_waiting, name="card_stop"),
        path("passen/<int:pk>/loskoppelen/", driver_cards.unlink, name="unlink"),
        path("voorkeuren/", preferences.preferences, name="preferences"),
        path("gegevens/", my_data.my_data, name="data"),
        path("gegevens/gegevens.json", my_data.export_json, name="data_json"),
        path("gegevens/metingen.csv", my_data.export_csv, name="data_csv"),
        path("gegevens/wissen/", my_data.ask_erasure, name="erase"),
        path("gegevens/wissen/intrekken/", my_data.take_back_erasure, name="erase_not"),
    ],
    "driver",
)

# Of the operator: who has linked a card, and codes for who has not.
card_paths = [
    path("passen/", cards.card_list, name="cards"),
    path("passen/<int:pk>/", cards.card, name="card"),
    path("passen/<int:pk>/code/", cards.issue_code, name="card_code"),
    path("passen/<int:pk>/code/intrekken/", cards.withdraw_code, name="card_withdraw"),
    path("passen/<int:pk>/ongedaan/", cards.undo_link, name="card_undo"),
]

# Of the operator too: what asks for a hand, who charged, and at what price.
work_paths = [
    path("sessies/", fleet_sessions.fleet_sessions, name="fleet_sessions"),
    path("tarieven/", tariffs.tariff_list, name="tariffs"),
    path("tarieven/<int:pk>/", tariffs.tariff, name="tariff"),
    path("werkvoorraad/", work, name="work"),
    path("werkvoorraad/<slug:kind>/<int:row>/", aside.put_aside, name="work_aside"),
    path("werkvoorraad/<slug:kind>/<int:row>/terug/", aside.take_back, name="work_take_back"),
]

official_urls = (
    [
        path("overzicht/", overview.overview, name="overview"),
        path("laadobjecten/", objects.objects, name="objects"),
        path("laadobjecten/punten.geojson", objects.points, name="points"),
        path("gebruik/", usage.usage, name="usage"),
    ],
    "official",
)

# Of who administers a party.
people_urls = (
    [
        path("", people.members, name="members"),
        path("<int:pk>/wegnemen/", people.take_away, name="take_away"),
        path("uitnodigen/", people.invite, name="invite"),
        path("uitnodigingen/", people.invited, name="invitations"),
        path("uitnodigingen/<int:pk>/opnieuw/", people.send_again, name="send_again"),
        path("uitnodigingen/<int:pk>/intrekken/", people.withdraw, name="withdraw"),
    ],
    "people",
)

configuration_urls = (
    [
        path("", configuration_templates.template_list, name="list"),
        path("nieuw/", configuration_templates.new, name="new"),
        path("kiezen/", configuration_choose.choose, name="choose"),
        path("<int:pk>/", configuration_templates.template, name="template"),
        path("<int:pk>/verwijderen/", configuration_templates.delete, name="delete"),
        path("<int:pk>/uitrollen/", configuration_rollouts.start, name="start"),
        path("rondes/", configuration_rollouts.rollout_list, name="rollouts"),
        path("rondes/<int:pk>/", configuration_rollouts.rollout, name="rollout"),
        path("rondes/<int:pk>/stop/", configuration_rollouts.stop, name="rollout_stop"),
        path("rondes/<int:pk>/opnieuw/", configuration_rollouts.again, name="rollout_again"),
    ],
    "configuration",
)
