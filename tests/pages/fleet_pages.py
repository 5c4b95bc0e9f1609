"""Every page of access_table.py that a fleet of `make_fleet` can show, with who gets it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.contrib.admin import site
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portal.management.fleet import MAIL, PREFIX
from smartcharging.models import DesiredProfile, ReportedSchedule
from stations.models import ChargingSession, Command, Operator, Site, Tariff, Token
from tests.pages import access_table as table

ROLES = ("official", "reader", "planner", "operator", "manager", "driver", "superuser")
COLUMNS = list(table.ROLES)
STATION = f"{PREFIX}000001"
# Files, and what answers without a look at the fleet or of which a fleet has no rows; and
# Django's own look at all that hangs on a row before it is deleted.
NOT_A_PAGE = re.compile(
    r"\.csv$|\.json$|^/live/|^/health/|/schema/$|/docs/$|/installed/$|/delete/$|^/account/|^/beheer/(autocomplete|jsi18n|r)/"
)


def people() -> dict[str, Any]:
    """One of each role, of the parties that the first station is theirs; the driver is of one of its sessions."""
    users = get_user_model().objects
    found = {role: users.get(email=f"{role}{MAIL}") for role in ROLES if role not in ("driver", "manager")}
    return {
        **found,
        "manager": users.get(email=f"administrator{MAIL}"),
        "driver": users.get(tokens__sessions=_session()),
    }


def pages() -> Iterator[tuple[str, str, str]]:
    """Role, address as in the table, and the path; only what the table answers with 200."""
    names = _names()
    for address, row, cells in _lines():
        try:
            path = address.format(**names, row=row)
        except KeyError:
            continue  # a fleet has no such row
        for role in ROLES:
            if cells[COLUMNS.index(role)] == "200" and not NOT_A_PAGE.search(address):
                yield role, address, path


def client_of(user: Any) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user)
    return client


def queries_of(client: Client, path: str) -> int:
    """Of the second look: the first teaches the process content types and the like."""
    client.get(path)
    with CaptureQueriesContext(connection) as captured:
        status = client.get(path).status_code
    if status != 200:
        raise AssertionError(f"{path} answers {status}")
    return len(captured)


def _session() -> ChargingSession:
    ended: ChargingSession = ChargingSession.objects.filter(station__identity=STATION, state="ended").latest(
        "started_at"
    )
    return ended


def _names() -> dict[str, Any]:
    return {
        "station": STATION,
        "concession": "fleet-concession-1",
        "code": "206",
        "session": _session().pk,
        "token": _session().token_id,
        "card": Token.objects.filter(operator=Operator.objects.earliest("pk")).earliest("pk").pk,
        "profile": DesiredProfile.objects.earliest("pk").pk,
        "command": Command.objects.earliest("pk").pk,
        "tariff": Tariff.objects.earliest("pk").pk,
    }


def _lines() -> Iterator[tuple[str, Any, list[str]]]:
    for text in (table.PAGES, table.ACCOUNT, table.PEOPLE, table.API, table.ADMIN):
        yield from ((address, None, cells) for address, cells in _gets(text))
    rows = _admin_rows()
    # Meta is how Django's own documentation reaches a model's name.
    models = {
        model._meta.model_name: f"{model._meta.app_label}/{model._meta.model_name}"
        for model in site._registry
    }
    for group, text in table.ADMIN_TABLES.items():
        for model in table.ADMIN_MODELS[group]:
            for line, cells in _gets(text):
                address = line.replace("{model}", models[model])
                if "{row}" not in address or model in rows:
                    yield address, rows.get(model), cells


def _gets(text: str) -> Iterator[tuple[str, list[str]]]:
    for line in text.strip().splitlines()[1:]:
        method, address, *cells = line.split()
        if method == "GET":
            yield address, cells


def _admin_rows() -> dict[str, Any]:
    mine: dict[str, Any] = {
        "operator": Operator,
        "tariff": Tariff,
        "site": Site,
        "desiredprofile": DesiredProfile,
    }
    rows = {name: model.objects.earliest("pk").pk for name, model in mine.items()}
    rows["station"] = _session().station_id
    rows["reportedschedule"] = ReportedSchedule.objects.earliest("pk").pk
    rows["token"] = Token.objects.filter(operator=Operator.objects.earliest("pk")).earliest("pk").pk
    return rows
