"""Who gets what at every address: each cell of access_table.py, asked of real rows, and no address left out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.admin import site
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve
from django.utils import timezone
from rest_framework.authtoken.models import TokenProxy

from portal.accounts.models import User
from portal.compliance.models import Probe, Requirement
from smartcharging.models import DesiredProfile, ReportedSchedule
from smartcharging.services import LimitPeriod, set_profile
from stations.models import Frame, Station
from stations.models.access import Role
from tests.compliance.fakes import append_evidence, make_online_station
from tests.factories import (
    make_command,
    make_concession,
    make_driver,
    make_municipality,
    make_official,
    make_operator,
    make_reading,
    make_session,
    make_staff,
    make_station,
    make_superuser,
    make_tariff,
    make_token,
)
from tests.pages import access_table as table

pytestmark = pytest.mark.django_db

IDENTITY = "NL-EIGEN-0001"
SIGN_IN = ("/account/login/", "/beheer/login/")


# ---------------------------------------------------------------- the rows
@dataclass(frozen=True, slots=True)
class World:
    """One station with all that can hang on it, and everyone who may or may not see it."""

    people: dict[str, User | None]
    station: Station
    names: dict[str, Any]  # what stands for {evidence}, {session}, ... in an address
    rows: dict[str, Any]  # one row of each model that the admin shows


@pytest.fixture
def world() -> World:
    now = timezone.now()
    station = make_online_station(IDENTITY)
    driver = make_driver()
    token = make_token(user=driver)
    session = make_session(station, token=token, started_at=now)
    make_reading(station, transaction_id=session.transaction_id, sampled_at=now, import_wh=1200.0)
    command = make_command(station, "GetCompositeSchedule")
    Frame.objects.create(station=station, at=now, direction="in", kind="call", action="Heartbeat", text="[]")
    profile = _profile(station, now)
    proof = _evidence(station, now)
    probe = Probe.objects.create(
        station=station, requirement=proof.requirement, requested_at=now, state=Probe.State.DONE
    )
    people = _people(driver)
    hashed = make_password("right-and-long-enough")  # once: it is slow on purpose
    for user in filter(None, people.values()):
        user.password = hashed
        user.save()
    names = {
        "concession": station.site.concession.slug,
        "code": proof.requirement.code,
        "evidence": proof.pk,
        "probe": probe.pk,
        "station": IDENTITY,
        "session": session.pk,
        "profile": profile.pk,
        "command": command.pk,
        "user": driver.pk,
    }
    rows = _admin_rows(station, now=now, profile=profile, command=command, token=token, driver=driver)
    return World(people=people, station=station, names=names, rows=rows)


def _people(driver: User) -> dict[str, User | None]:
    elsewhere = make_municipality("elders")
    rival = make_operator("beta")
    make_station(
        "NL-ANDER-0001", operator=rival, concession=make_concession(slug="elders", municipality=elsewhere)
    )
    staff: dict[str, Any] = {"is_staff": True}
    return {
        "anonymous": None,
        "official": make_official(**staff),
        "stranger": make_official(municipality=elsewhere, **staff),
        "reader": make_staff(role=Role.READER, **staff),
        "planner": make_staff(role=Role.PLANNER, **staff),
        "operator": make_staff(role=Role.OPERATOR, **staff),
        "manager": make_staff(role=Role.ADMINISTRATOR, **staff),
        "rival": make_staff(role=Role.ADMINISTRATOR, operator=rival, **staff),
        "driver": driver,
        "passer": make_driver(),
        "superuser": make_superuser(),
    }


def _profile(station: Station, now: dt.datetime) -> DesiredProfile:
    return set_profile(
        station=station,
        name="Basis",
        purpose="tx_default",
        kind="relative",
        unit="A",
        periods=[LimitPeriod(start_s=0, limit=10, phases=None)],
        stack_level=0,
        now=now,
    )


def _evidence(station: Station, now: dt.datetime) -> Any:
    return append_evidence(station, window=(now, now + dt.timedelta(seconds=12)), now=now)


def _admin_rows(
    station: Station, *, now: dt.datetime, profile: DesiredProfile, command: Any, token: Any, driver: User
) -> dict[str, Any]:
    reported = ReportedSchedule.objects.create(
        station=station, command=command, evse_number=0, read_at=now, state="read", unit="A"
    )
    return {
        "station": station,
        "site": station.site,
        "token": token,
        "tariff": make_tariff(),
        "municipality": station.site.concession.municipality,
        "operator": station.site.operator,
        "concession": station.site.concession,
        "desiredprofile": profile,
        "reportedschedule": reported,
        "user": driver,
        "emailaddress": EmailAddress.objects.create(user=driver, email=driver.email),
        "tokenproxy": TokenProxy.objects.create(user=driver),
    }


# ---------------------------------------------------------------- the table
@dataclass(frozen=True, slots=True)
class Line:
    method: str
    address: str
    expected: tuple[str, ...]
    model: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.address}"


def lines_of(text: str) -> list[Line]:
    rows = [line.split() for line in text.strip().splitlines()[1:]]
    return [Line(method, address, tuple(cells)) for method, address, *cells in rows]


def admin_lines(group: str) -> Iterator[Line]:
    for model in table.ADMIN_MODELS[group]:
        for line in lines_of(table.ADMIN_TABLES[group]):
            yield replace(line, address=line.address.replace("{model}", MODELS[model]), model=model)


# Meta is how Django's own documentation reaches a model's name.
MODELS = {
    model._meta.model_name: f"{model._meta.app_label}/{model._meta.model_name}" for model in site._registry
}
TABLES = {
    "pages": lines_of(table.PAGES),
    "account": lines_of(table.ACCOUNT),
    "api": lines_of(table.API),
    "admin": lines_of(table.ADMIN),
    **{f"admin: {group}": list(admin_lines(group)) for group in table.ADMIN_TABLES},
}
LINES = [line for lines in TABLES.values() for line in lines]


def body_of(line: Line, world: World) -> dict[str, Any]:
    """The least that each POST takes."""
    asked = Requirement.objects.get(code="206").pk
    bodies: dict[str, dict[str, Any]] = {
        "notitie": {"priority": "1", "comment": ""},
        "oordeel": {"status": "proven", "reason": "Seen."},
        "steekproef": {"station": world.station.pk, "requirement": asked},
        "taal": {"language": "en"},
        "limiet": LIMIT,
        "commands": {"action": "Reset", "payload": {"type": "Soft"}},
        "profiles": PROFILE,
        "probes": {"station": IDENTITY, "requirement": "206"},
    }
    return bodies.get(line.address.strip("/").rpartition("/")[2], {})


LIMIT = {
    "name": "Avond",
    "place": "station",
    "unit": "A",
    "stack_level": "3",
    "when": "now",
    "hours": "4",
    "form-TOTAL_FORMS": "1",
    "form-INITIAL_FORMS": "0",
    "form-0-since": "00:00",
    "form-0-limit": "10",
}
PROFILE = {
    "station": IDENTITY,
    "name": "Avond",
    "purpose": "station_max",
    "kind": "recurring",
    "recurrency": "daily",
    "start_schedule": "2026-01-01T00:00:00Z",
    "unit": "A",
    "stack_level": 3,
    "valid_to": "2035-01-01T00:00:00Z",
    "periods": [{"start_s": 0, "limit": 10}],
}


def answer(line: Line, world: World, role: str) -> Any:
    client = Client(headers={"accept-language": "en"})
    if user := world.people[role]:
        client.force_login(user)
    row = world.rows.get(line.model)
    path = line.address.format(**world.names, row=row.pk if row else 1)
    more: dict[str, Any] = {"data": body_of(line, world)} if line.method == "POST" else {}
    if path.startswith("/api/"):
        more["content_type"] = "application/json"
    with transaction.atomic():  # whatever one role does, the next finds the rows as they were
        response = getattr(client, line.method.lower())(path, **more)
        transaction.set_rollback(True)
    return response


def cell(response: HttpResponse) -> str:
    if response.status_code != 302:
        return str(response.status_code)
    return "in" if response["Location"].startswith(SIGN_IN) else "->"


@pytest.mark.parametrize("name", TABLES)
def test_everyone_gets_what_the_table_says(world: World, name: str) -> None:
    wrong = []
    for line in TABLES[name]:
        for role, expected in zip(table.ROLES, line.expected, strict=True):
            response = answer(line, world, role)
            if (got := cell(response)) != expected:
                wrong.append(f"{line}: {role} gets {got}, not {expected}")
            elif role in table.STRANGERS and got == "200" and IDENTITY in response.content.decode():
                wrong.append(f"{line}: {role} reads of a station that is none of theirs")
    assert not wrong, "\n".join(wrong)


# ---------------------------------------------------------------- nothing left out
def patterns(resolver: Any, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for part in resolver.url_patterns:
        # As ResolverMatch.route joins them.
        route = prefix + (str(part.pattern).removeprefix("^") if prefix else str(part.pattern))
        if isinstance(part, URLResolver):
            yield from patterns(part, route)
        else:
            yield route, part


def asked() -> set[tuple[str, str]]:
    """(method, route) of all that the table asks, found by resolving its addresses."""
    sample: dict[str, Any] = dict.fromkeys(("evidence", "probe", "session", "profile", "command"), 1)
    sample |= {"concession": "c", "code": "206", "station": "s", "user": 1, "row": 1}
    return {(line.method, route_of(line.address.format(**sample))) for line in LINES}


def route_of(path: str) -> str:
    return resolve(path.partition("?")[0]).route


def test_every_address_is_in_the_table() -> None:
    known = {route for _, route in asked()}
    missing = [route for route, _ in patterns(get_resolver()) if route not in known]
    assert not missing, f"add them to access_table.py: {missing}"


def test_every_method_of_the_api_is_in_the_table() -> None:
    offered = {
        (method.upper(), route)
        for route, pattern in patterns(get_resolver())
        for method in getattr(pattern.callback, "actions", None) or ()
        if method != "head"
    }
    assert offered - asked() == set()


def test_what_changes_something_is_not_done_by_a_link(world: World) -> None:
    """A GET of an address that takes only a POST is refused, or asks first."""
    answered_with_a_page = {line.address for line in LINES if line.method == "GET"}
    client = Client()
    client.force_login(User.objects.get(is_superuser=True))
    for line in LINES:
        if line.method == "POST" and line.address not in answered_with_a_page:
            got = client.get(line.address.format(**world.names)).status_code
            assert got == (302 if line.address == "/taal/" else 405), line
